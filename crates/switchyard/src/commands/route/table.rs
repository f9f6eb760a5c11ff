//! A replay's report, for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;
use switchyard_app::replay::ReplayReport;
use switchyard_domain::money::UsdNanos;

/// Rows of each list that people are shown.
const ROWS_SHOWN: usize = 20;

#[derive(Serialize)]
pub(super) struct Report<'a> {
    requests: u64,
    not_replayable: u64,
    not_servable: u64,
    replayed: u64,
    as_recorded: u64,
    other_catalog: u64,
    would_fail: u64,
    failing: Vec<Failing<'a>>,
    stays: u64,
    moves: Vec<Move<'a>>,
    expected_cost: ExpectedCost,
    providers: Vec<Provider<'a>>,
    measured: Measured,
}

#[derive(Serialize)]
struct Failing<'a> {
    code: &'a str,
    rule: Option<&'a str>,
    scope: Option<&'a str>,
    requests: u64,
}

#[derive(Serialize)]
struct Move<'a> {
    from: &'a str,
    to: &'a str,
    requests: u64,
}

#[derive(Serialize)]
struct ExpectedCost {
    before_usd: String,
    after_usd: String,
    delta_usd: String,
}

#[derive(Serialize)]
struct Provider<'a> {
    provider: &'a str,
    before: u64,
    after: u64,
}

#[derive(Serialize)]
struct Measured {
    mean_before_usd: Option<String>,
    /// `null`: unknown.
    mean_after_usd: Option<String>,
    unknown_share: f64,
}

impl<'a> Report<'a> {
    pub(super) fn of(report: &'a ReplayReport) -> Self {
        Self {
            requests: report.requests,
            not_replayable: report.not_replayable,
            not_servable: report.not_servable,
            replayed: report.replayed,
            as_recorded: report.as_recorded,
            other_catalog: report.other_catalog,
            would_fail: failing(report),
            failing: report
                .failing
                .iter()
                .map(|one| Failing {
                    code: one.code,
                    rule: one.rule,
                    scope: one.scope,
                    requests: one.requests,
                })
                .collect(),
            stays: report.stays,
            moves: report
                .moves
                .iter()
                .map(|one| Move {
                    from: one.from.as_str(),
                    to: one.to.as_str(),
                    requests: one.requests,
                })
                .collect(),
            expected_cost: ExpectedCost {
                before_usd: report.expected_before.to_string(),
                after_usd: report.expected_after.to_string(),
                delta_usd: delta(report).to_string(),
            },
            providers: report
                .providers
                .iter()
                .map(|one| Provider {
                    provider: &one.provider,
                    before: one.before,
                    after: one.after,
                })
                .collect(),
            measured: Measured {
                mean_before_usd: report.measured.mean_before.map(|usd| usd.to_string()),
                mean_after_usd: report.measured.mean_after.map(|usd| usd.to_string()),
                unknown_share: share(report.measured.unknown_ppm),
            },
        }
    }
}

fn failing(report: &ReplayReport) -> u64 {
    report.failing.iter().map(|one| one.requests).sum()
}

fn delta(report: &ReplayReport) -> UsdNanos {
    report.expected_after.saturating_sub(report.expected_before)
}

#[expect(clippy::cast_precision_loss, reason = "a million is far below 2^52")]
fn share(ppm: u64) -> f64 {
    ppm as f64 / 1e6
}

/// The report as lines of text.
pub(super) fn table(report: &ReplayReport) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let mut line = |label: &str, value: String| {
        let _ = writeln!(text, "{label:<34}{value}");
    };
    line("requests", report.requests.to_string());
    line(
        "  without what replaying needs",
        report.not_replayable.to_string(),
    );
    line(
        "  that nothing serves any more",
        report.not_servable.to_string(),
    );
    line("  replayed", report.replayed.to_string());
    line("    decided as on record", report.as_recorded.to_string());
    line(
        "    decided on another catalogue",
        report.other_catalog.to_string(),
    );
    line("would fail", failing(report).to_string());
    for one in report.failing.iter().take(ROWS_SHOWN) {
        let rule = one.rule.unwrap_or("no endpoint");
        let scope = one
            .scope
            .map_or_else(String::new, |scope| format!(" of the {scope}"));
        line(
            &format!("  {rule}{scope}"),
            format!("{} ({})", one.requests, one.code),
        );
    }
    line("first choice stays", report.stays.to_string());
    let moved: u64 = report.moves.iter().map(|one| one.requests).sum();
    line("first choice moves", moved.to_string());
    for one in report.moves.iter().take(ROWS_SHOWN) {
        line(
            &format!("  {} times", one.requests),
            format!("{} -> {}", one.from, one.to),
        );
    }
    line(
        "expected cost before, USD",
        report.expected_before.to_string(),
    );
    line(
        "expected cost after, USD",
        report.expected_after.to_string(),
    );
    line("difference, USD", delta(report).to_string());
    for one in report.providers.iter().take(ROWS_SHOWN) {
        line(
            &format!("  {}", one.provider),
            format!("{} -> {}", one.before, one.after),
        );
    }
    let known =
        |mean: Option<UsdNanos>| mean.map_or_else(|| "unknown".to_owned(), |m| m.to_string());
    line(
        "mean charge before, USD",
        known(report.measured.mean_before),
    );
    line("mean charge after, USD", known(report.measured.mean_after));
    let tenths = report.measured.unknown_ppm.div_ceil(1_000);
    line(
        "  unknown share",
        format!("{}.{} %", tenths / 10, tenths % 10),
    );
    text.truncate(text.trim_end().len());
    text
}
