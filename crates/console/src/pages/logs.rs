//! The log: every generation under a filter that the address holds, with sums over all of it.

mod address;
mod columns;
mod composition;
mod empty;
mod export;
mod filter;
mod histogram;
mod lens;
mod row;
pub(crate) mod status;
mod tail;
mod window;

use askama::Template;
use axum::{extract::State, response::Response};
use switchyard_app::activity::{
    Condition, Cursor, Dimension, Facet, LogQuery, LogRow, LogSummary, Names, Scope, Turn, Value,
};
use switchyard_domain::{
    authority::Capability,
    clock::Timestamp,
    id::{ApiKeyId, GenerationId},
};

pub(super) use self::export::push_cell;
pub(super) use self::{
    address::{Address, segment},
    empty::is_untouched,
    filter::{
        Chip, FIELDS, Term, chips as chips_of, filter as filter_of, keys_in, named, raw_of,
        start_of, terms as terms_of,
    },
    histogram::{in_pieces, ticks, zoom},
    lens::{ALL_WORKSPACES, Lens},
    row::{Line, lines_of},
    window::{Cut, PRESETS, Preset, Rollup, Window},
};
use self::{columns::Columns, empty::WayOut};
pub(crate) use self::{export::download, tail::follow};
use crate::{
    Console,
    error::PageError,
    shell::{Nav, Shell, page},
    ui::{ApiCall, FacetOption, Markup, percent},
    visit::SignedIn,
};

/// Rows on a page, by choice.
const SIZES: [u32; 3] = [25, 50, 100];
/// Values shown of a facet.
const FACET_VALUES_MAX: u32 = 6;
/// What the log can be narrowed by without typing.
const FACETS: [Dimension; 5] = [
    Dimension::Status,
    Dimension::Model,
    Dimension::Provider,
    Dimension::ApiKey,
    Dimension::App,
];

#[derive(Template)]
#[template(path = "pages/logs.html")]
struct LogsPage {
    shell: Shell,
    now: Timestamp,
    address: Address,
    lens: Lens,
    window: Window,
    presets: Vec<(Preset, String)>,
    chips: Vec<Chip>,
    columns: Columns,
    summary: LogSummary,
    error_rate: String,
    errors_href: String,
    histogram: Markup,
    facets: Vec<FacetView>,
    lines: Vec<Line>,
    size: u32,
    newer: Option<String>,
    older: Option<String>,
    ways_out: Vec<WayOut>,
    tail_since: i64,
    public_url: String,
}

/// One facet with where its values lead.
struct FacetView {
    words: &'static str,
    options: Vec<FacetOption>,
}

/// What an address asks of the log.
pub(super) struct Asked {
    pub(super) address: Address,
    pub(super) lens: Lens,
    pub(super) window: Window,
    pub(super) terms: Vec<Term>,
    pub(super) scope: Scope,
    pub(super) now: Timestamp,
}

impl Asked {
    pub(super) fn of(console: &Console, signed_in: &SignedIn, needs: Capability) -> Self {
        let address = Address::parse(&signed_in.visit.address);
        let now = console.app.clock().now();
        let lens = Lens::of(&signed_in.visitor, needs, &address);
        let window = Window::of(&address, now);
        let terms = terms_of(&address);
        let scope = Scope {
            account: lens.account,
            range: window.range,
            filter: lens.narrow(filter_of(&terms)),
        };
        Self {
            address,
            lens,
            window,
            terms,
            scope,
            now,
        }
    }

    pub(super) fn presets(&self) -> Vec<(Preset, String)> {
        let start = start_of(&self.address).without(&["from", "until"]);
        let href = |preset: Preset| (preset, start.with("range", preset.name).to_string());
        PRESETS.into_iter().map(href).collect()
    }

    /// What fields for another stretch keep.
    fn size(&self) -> u32 {
        let asked = self.address.get("size").and_then(|text| text.parse().ok());
        asked
            .filter(|size| SIZES.contains(size))
            .unwrap_or(SIZES[0])
    }
}

/// The log.
pub(crate) async fn show(
    State(console): State<Console>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    let asked = Asked::of(&console, &signed_in, Capability::ReadGenerations);
    let activity = console.app.activity();
    let turn = turn_of(&asked.address);
    let size = asked.size();
    let query = LogQuery {
        scope: asked.scope.clone(),
        turn: turn.clone(),
        limit: size + 1,
    };
    let cut = asked.window.cut(None);
    let (mut rows, summary) = tokio::try_join!(
        activity.log_page(&query),
        activity.log_summary(&asked.scope, cut.step, &FACETS, FACET_VALUES_MAX),
    )?;
    let places = Places::of(&turn, &mut rows, size);
    let names = activity
        .names(asked.scope.account, &keys_of(&rows, &summary, &asked.terms))
        .await?;
    let ways_out = if rows.is_empty() {
        empty::ways_out(&console, &asked, &names).await?
    } else {
        Vec::new()
    };
    let Asked {
        address,
        lens,
        window,
        terms,
        now,
        ..
    } = &asked;
    let href = |place: Option<(&str, String)>| {
        place.map(|(name, value)| start_of(address).with(name, &value).to_string())
    };
    page(&LogsPage {
        shell: Shell::new(&signed_in.visit, "Logs", Nav::Logs),
        now: *now,
        presets: asked.presets(),
        chips: chips_of(terms, address, &names),
        columns: Columns::of(address),
        error_rate: format!(
            "{} of all",
            percent(summary.totals.errors, summary.totals.requests)
        ),
        errors_href: start_of(address).and("status", "error").to_string(),
        histogram: histogram::of(&summary, &cut, address, window),
        facets: facets_of(&summary.facets, address, &names),
        lines: lines_of(&rows, &names, address, *now),
        size,
        newer: href(places.newer),
        older: href(places.older),
        ways_out,
        tail_since: now.micros(),
        public_url: console.settings.public_url.clone(),
        address: address.clone(),
        lens: lens.clone(),
        window: window.clone(),
        summary,
    })
}

/// Where a page of the list begins: `before` and `after` name a generation, `end` is the oldest page.
fn turn_of(address: &Address) -> Turn {
    let place = |name| address.get(name).and_then(cursor);
    match (place("before"), place("after")) {
        (Some(place), _) => Turn::Before(place),
        (None, Some(place)) => Turn::After(place),
        (None, None) if address.get("end").is_some() => Turn::Oldest,
        (None, None) => Turn::Newest,
    }
}

fn cursor(text: &str) -> Option<Cursor> {
    let (micros, id) = text.split_once('.')?;
    Some(Cursor {
        admitted_at: Timestamp::from_micros(micros.parse().ok()?),
        generation_id: id.parse::<GenerationId>().ok()?,
    })
}

fn place_of(row: &LogRow) -> String {
    format!("{}.{}", row.admitted_at.micros(), row.generation_id)
}

/// Where the neighbouring pages begin.
struct Places {
    newer: Option<(&'static str, String)>,
    older: Option<(&'static str, String)>,
}

impl Places {
    /// Puts the rows into the order of the page, and takes away the one that only told of more.
    fn of(turn: &Turn, rows: &mut Vec<LogRow>, size: u32) -> Self {
        let has_more = rows.len() > size as usize;
        rows.truncate(size as usize);
        let is_upwards = matches!(turn, Turn::After(_) | Turn::Oldest);
        if is_upwards {
            rows.reverse();
        }
        let (has_newer, has_older) = match turn {
            Turn::Newest => (false, has_more),
            Turn::Before(_) => (true, has_more),
            Turn::After(_) => (has_more, true),
            Turn::Oldest => (has_more, false),
        };
        let newer = rows.first().filter(|_| has_newer);
        let older = rows.last().filter(|_| has_older);
        Self {
            newer: newer.map(|row| ("after", place_of(row))),
            older: older.map(|row| ("before", place_of(row))),
        }
    }
}

fn keys_of(rows: &[LogRow], summary: &LogSummary, terms: &[Term]) -> Vec<ApiKeyId> {
    let mut keys: Vec<_> = rows.iter().map(|row| row.api_key_id).collect();
    let facets = summary.facets.iter();
    let values = facets.filter(|facet| facet.dimension == Dimension::ApiKey);
    let values = values.flat_map(|facet| facet.values.iter().filter_map(|one| one.value.as_ref()));
    keys.extend(keys_in(values));
    keys.extend(filter::keys_of(terms));
    keys.sort();
    keys.dedup();
    keys
}

fn facets_of(facets: &[Facet], address: &Address, names: &Names) -> Vec<FacetView> {
    let start = start_of(address);
    let mut views = Vec::new();
    for facet in facets {
        let field = FIELDS
            .iter()
            .find(|field| field.dimension == facet.dimension);
        let Some(field) = field else { continue };
        let options = facet.values.iter().map(|one| {
            let raw = raw_of(facet.dimension, one.value.as_ref());
            let is_on = address.all(field.name).any(|on| on == raw);
            let href = if is_on {
                start.without_pair(field.name, &raw)
            } else {
                start.and(field.name, &raw)
            };
            FacetOption {
                name: named(facet.dimension, one.value.as_ref(), names),
                href: href.to_string(),
                is_on,
                count: Some(one.requests),
            }
        });
        views.push(FacetView {
            words: field.words,
            options: options.collect(),
        });
    }
    views
}

impl LogsPage {
    /// How many there are, as far as lists count.
    fn count(&self) -> String {
        match self.summary.totals.requests {
            0..=10_000 => crate::ui::count(self.summary.totals.requests),
            _ => "10,000+".to_owned(),
        }
    }

    fn href(&self, path: &str) -> String {
        start_of(&self.address).at(path).to_string()
    }

    fn export(&self, format: &str) -> String {
        let export = start_of(&self.address).at("/logs/export");
        export.with("format", format).to_string()
    }

    fn sized(&self, size: u32) -> String {
        start_of(&self.address)
            .with("size", &size.to_string())
            .to_string()
    }

    /// Whether the stretch goes on, so that there is something to follow.
    fn can_follow(&self) -> bool {
        self.window.preset.is_some()
    }

    /// The pairs that a form keeps which sets others.
    fn kept_without(&self, names: &[&str]) -> Vec<(String, String)> {
        start_of(&self.address).without(names).pairs().to_vec()
    }

    fn account_wide(&self) -> String {
        let (name, value) = ALL_WORKSPACES;
        let start = start_of(&self.address);
        if self.lens.is_account_wide {
            start.without(&[name]).to_string()
        } else {
            start.with(name, value).to_string()
        }
    }

    fn call(&self) -> ApiCall {
        let range = self.window.range;
        let body = serde_json::json!({
            "metrics": ["request_count", "total_usage"],
            "dimensions": ["generation_id"],
            "time_range": { "start": range.from.to_rfc3339(), "end": range.until.to_rfc3339() },
        });
        ApiCall::new(&self.public_url, "POST", "/analytics/query").with_body(body)
    }
}

/// A condition on one value.
pub(super) fn only(dimension: Dimension, value: Value) -> Condition {
    Condition::AnyOf(dimension, vec![Some(value)])
}

#[cfg(test)]
mod tests;
