//! What was tried, drawn along time: waiting, until the first token, streaming.

use std::fmt::Write as _;

use switchyard_app::inspection::Inspection;
use switchyard_domain::clock::Timestamp;

use super::failure_in_words;
use crate::ui::{Markup, escaped, milliseconds};

const WIDTH: u64 = 1_000;

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) number: u32,
    pub(super) endpoint: String,
    pub(super) provider: String,
    /// `shared`, `own` or `from the request`.
    pub(super) credential: &'static str,
    pub(super) status: Option<u16>,
    /// From admission, or from the end of the attempt before.
    pub(super) wait: String,
    /// From being sent to the first token: connecting is part of it.
    pub(super) first_token: Option<String>,
    pub(super) streaming: Option<String>,
    pub(super) whole: String,
    /// What went wrong, in words, and its name.
    pub(super) failure: Option<(&'static str, String)>,
    pub(super) picture: Markup,
}

/// Milliseconds within which phases lie, from admission.
struct Phases {
    free_at: u64,
    sent_at: u64,
    first_token_at: Option<u64>,
    over_at: u64,
}

pub(super) fn bars(it: &Inspection) -> Vec<Bar> {
    let generation = &it.generation;
    let since = |at: Timestamp| millis(generation.admitted_at, at);
    let ends = generation
        .attempts
        .iter()
        .map(|attempt| since(attempt.started_at) + attempt.duration_ms);
    let whole = ends.chain([since(generation.finished_at)]).max().unwrap_or(0).max(1);
    let mut free_at = 0;
    let mut bars = Vec::with_capacity(generation.attempts.len());
    for attempt in &generation.attempts {
        let sent_at = since(attempt.started_at);
        let phases = Phases {
            free_at: free_at.min(sent_at),
            sent_at,
            first_token_at: attempt.first_token_ms.map(|ms| sent_at + ms),
            over_at: sent_at + attempt.duration_ms,
        };
        free_at = phases.over_at;
        let first_token = phases.first_token_at;
        let name = attempt.endpoint_id.as_str();
        bars.push(Bar {
            number: attempt.number,
            endpoint: name.to_owned(),
            provider: attempt.provider.to_string(),
            credential: match (attempt.supplied, attempt.is_byok) {
                (true, _) => "from the request",
                (false, true) => "own",
                (false, false) => "shared",
            },
            status: attempt.status,
            wait: milliseconds(phases.sent_at - phases.free_at),
            first_token: attempt.first_token_ms.map(milliseconds),
            streaming: first_token.map(|at| milliseconds(phases.over_at.saturating_sub(at))),
            whole: milliseconds(attempt.duration_ms),
            failure: attempt
                .failure
                .as_ref()
                .map(|kind| (failure_in_words(kind), kind.clone())),
            picture: picture(&phases, whole, attempt.failure.is_some(), name),
        });
    }
    bars
}

fn millis(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.since(from).as_millis()).unwrap_or(u64::MAX)
}

fn picture(phases: &Phases, whole: u64, has_failed: bool, name: &str) -> Markup {
    let x = |ms: u64| {
        let place = u128::from(ms.min(whole)) * u128::from(WIDTH) / u128::from(whole);
        u64::try_from(place).unwrap_or(WIDTH)
    };
    let first_ends = phases.first_token_at.unwrap_or(phases.over_at);
    let mut words = format!(
        "{name}: waited {}, ",
        milliseconds(phases.sent_at - phases.free_at)
    );
    let until_first = milliseconds(first_ends.saturating_sub(phases.sent_at));
    let _ = match phases.first_token_at {
        Some(at) => write!(
            words,
            "first token after {until_first}, then streamed for {}",
            milliseconds(phases.over_at.saturating_sub(at))
        ),
        None => write!(words, "no token within {until_first}"),
    };
    let words = escaped(&words);
    let mut svg = format!(
        r#"<svg class="waterfall" viewBox="0 0 {WIDTH} 16" preserveAspectRatio="none" role="img" aria-label="{words}"><title>{words}</title>"#
    );
    let first = if has_failed && phases.first_token_at.is_none() {
        "wf-failed"
    } else {
        "wf-first"
    };
    let stream = if has_failed { "wf-failed" } else { "wf-stream" };
    for (class, from, to) in [
        ("wf-wait", phases.free_at, phases.sent_at),
        (first, phases.sent_at, first_ends),
        (stream, first_ends, phases.over_at),
    ] {
        let (from, to) = (x(from), x(to));
        if class == "wf-wait" && from == to {
            continue;
        }
        // What was quick is seen all the same.
        let width = (to - from).max(if from < WIDTH { 2 } else { 0 });
        let _ = write!(
            svg,
            r#"<rect class="{class}" x="{from}" y="2" width="{width}" height="12"/>"#
        );
    }
    svg.push_str("</svg>");
    Markup::trusted(svg)
}
