//! One line of the log.

use switchyard_app::activity::{LogRow, Names};
use switchyard_domain::{clock::Timestamp, money::UsdNanos};

use super::{
    address::{Address, segment},
    composition::composition,
    filter::start_of,
    status::{StatusWords, words_of},
};
use crate::ui::{Markup, Places, count, milliseconds, usd_fixed, when};

/// A generation as the list shows it.
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) href: String,
    pub(crate) when: Markup,
    pub(crate) model: String,
    pub(crate) provider: Option<String>,
    pub(crate) is_byok: bool,
    pub(crate) key: String,
    pub(crate) composition: Markup,
    pub(crate) tokens: String,
    pub(crate) cost: Markup,
    pub(crate) is_insured: bool,
    pub(crate) first_token: Option<String>,
    pub(crate) duration: Option<String>,
    pub(crate) status: StatusWords,
    pub(crate) failure: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) session: Option<(String, String)>,
    pub(crate) app: Option<String>,
    pub(crate) finish: Option<String>,
}

/// From this on four places tell rows apart; below it takes six.
const FOUR_PLACES: UsdNanos = UsdNanos::new(10_000_000);

/// The lines of a page. Amounts have as many places as the smallest needs, all the same.
pub(crate) fn lines_of(
    rows: &[LogRow],
    names: &Names,
    address: &Address,
    now: Timestamp,
) -> Vec<Line> {
    let charges = rows.iter().map(|row| row.charge.total);
    let smallest = charges.filter(|charge| charge.is_positive()).min();
    let places = match smallest {
        Some(smallest) if smallest < FOUR_PLACES => Places::Six,
        _ => Places::Four,
    };
    let start = start_of(address);
    let line = |row: &LogRow| line(row, names, &start, places, now);
    rows.iter().map(line).collect()
}

fn line(row: &LogRow, names: &Names, start: &Address, places: Places, now: Timestamp) -> Line {
    let usage = &row.usage;
    let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    let fresh = usage.input_uncached.saturating_add(usage.audio_in);
    let output = usage.output_total().saturating_sub(usage.reasoning);
    let key = names.keys.get(&row.api_key_id);
    let provider = row.provider_name.clone();
    let provider = provider.or_else(|| row.provider.as_ref().map(ToString::to_string));
    let session = row.request.session_id.as_deref();
    Line {
        id: row.generation_id.to_string(),
        href: start
            .at(&format!("/logs/{}", row.generation_id))
            .to_string(),
        when: when(row.admitted_at, now),
        model: row.model.clone(),
        provider,
        is_byok: row.is_byok,
        key: key.map_or_else(|| "deleted".to_owned(), |key| key.name.clone()),
        composition: composition(&[
            ("fresh input", 1, fresh),
            ("read from cache", 3, usage.cache_read),
            ("written to cache", 2, written),
            ("reasoning", 7, usage.reasoning),
            ("output", 4, output),
        ]),
        tokens: format!(
            "{} \u{2192} {}",
            count(usage.input_total()),
            count(usage.output_total())
        ),
        cost: usd_fixed(row.charge.total, places),
        is_insured: row.charge.insured,
        first_token: row.first_token_ms.map(milliseconds),
        duration: row.generation_time_ms.map(milliseconds),
        status: words_of(row.status),
        failure: row.failure.clone(),
        attempts: row.attempts,
        session: session.map(|id| (id.to_owned(), format!("/sessions/{}", segment(id)))),
        app: row.app.as_ref().map(|app| app.name.clone()),
        finish: row.finish_reason.clone(),
    }
}
