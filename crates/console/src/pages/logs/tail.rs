//! New lines as they come, for a page that asks again and again. Where a page was cut off it asks from
//! where it was; lines that it has are known by their ids.

use std::time::Duration;

use askama::Template;
use axum::{extract::State, response::Response};
use switchyard_app::activity::{LogRow, Tail};
use switchyard_domain::{authority::Capability, clock::Timestamp};

use super::{Address, Asked, Line, columns::Columns, filter_of, lines_of};
use crate::{Console, error::PageError, shell::page, visit::SignedIn};

/// How much later than others a node may post what it finished: so far back each look reaches.
const LAG: Duration = Duration::from_secs(30);

#[derive(Template)]
#[template(path = "pages/logs/tail.html")]
struct TailPart {
    lines: Vec<Line>,
    columns: Columns,
    /// Where to go on.
    since: i64,
}

/// What finished since an instant, newest first.
pub(crate) async fn follow(
    State(console): State<Console>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    let asked = Asked::of(&console, &signed_in, Capability::ReadGenerations);
    let address: &Address = &asked.address;
    let since = address.get("since").and_then(|text| text.parse().ok());
    let since = since
        .map_or(asked.now, Timestamp::from_micros)
        .min(asked.now);
    let filter = asked.lens.narrow(filter_of(&asked.terms));
    let mut tail = Tail::new(asked.lens.account, filter, since);
    let activity = console.app.activity();
    let mut rows: Vec<LogRow> = tail.next(activity, asked.now).await?;
    rows.reverse();
    let keys: Vec<_> = rows.iter().map(|row| row.api_key_id).collect();
    let names = activity.names(asked.lens.account, &keys).await?;
    let list = address.without(&["since"]).at("/logs");
    page(&TailPart {
        lines: lines_of(&rows, &names, &list, asked.now),
        columns: Columns::of(address),
        since: since.max(asked.now.minus(LAG)).micros(),
    })
}
