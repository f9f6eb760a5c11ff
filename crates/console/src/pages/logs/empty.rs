//! Where a filter leaves nothing: which part of it to let go.

use switchyard_app::activity::{Detail, Names, Scope};

use super::{Asked, Lens, PRESETS, Term, Window, chips_of, filter_of, start_of};
use crate::{Console, error::PageError};

/// A change that brings rows back.
pub(super) struct WayOut {
    pub(super) words: String,
    pub(super) href: String,
    pub(super) requests: u64,
}

/// Filters that are tried without.
const TRIED_MAX: usize = 6;

/// What to let go, the change that brings most first.
pub(super) async fn ways_out(
    console: &Console,
    asked: &Asked,
    names: &Names,
) -> Result<Vec<WayOut>, PageError> {
    let activity = console.app.activity();
    let mut ways = Vec::new();
    let chips = chips_of(&asked.terms, &asked.address, names);
    for (place, chip) in chips.into_iter().enumerate().take(TRIED_MAX) {
        let rest: Vec<Term> = without(&asked.terms, place);
        let scope = Scope {
            filter: asked.lens.narrow(filter_of(&rest)),
            ..asked.scope.clone()
        };
        let requests = activity.totals(&scope, Detail::Counts).await?.requests;
        let is = if chip.is_not { "is not" } else { "is" };
        ways.push(WayOut {
            words: format!("Without \u{201c}{} {is} {}\u{201d}", chip.field, chip.value),
            href: chip.remove,
            requests,
        });
    }
    if let Some(way) = longer(console, asked).await? {
        ways.push(way);
    }
    ways.retain(|way| way.requests > 0);
    ways.sort_by_key(|way| std::cmp::Reverse(way.requests));
    Ok(ways)
}

fn without(terms: &[Term], place: usize) -> Vec<Term> {
    let mut terms = terms.to_vec();
    terms.remove(place);
    terms
}

/// The longest stretch there is.
async fn longer(console: &Console, asked: &Asked) -> Result<Option<WayOut>, PageError> {
    let [.., longest] = PRESETS;
    if asked.window.preset == Some(longest.name) {
        return Ok(None);
    }
    let scope = Scope {
        range: Window::named(longest, asked.now).range,
        ..asked.scope.clone()
    };
    let activity = console.app.activity();
    let requests = activity.totals(&scope, Detail::Counts).await?.requests;
    let start = start_of(&asked.address).without(&["from", "until"]);
    Ok(Some(WayOut {
        words: format!("In the {}", longest.words.to_lowercase()),
        href: start.with("range", longest.name).to_string(),
        requests,
    }))
}

/// Whether somebody's whole traffic is nothing yet.
pub(crate) async fn is_untouched(
    console: &Console,
    lens: &Lens,
    now: switchyard_domain::clock::Timestamp,
) -> Result<bool, PageError> {
    let [.., longest] = PRESETS;
    let scope = Scope {
        account: lens.account,
        range: Window::named(longest, now).range,
        filter: lens.narrow(filter_of(&[])),
    };
    let activity = console.app.activity();
    Ok(activity.totals(&scope, Detail::Counts).await?.requests == 0)
}
