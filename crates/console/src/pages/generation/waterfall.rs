//! What was tried, along time. When a connection stood is not recorded: connecting is part of the time to
//! the first token.

use switchyard_app::{activity::LogStatus, inspection::Inspection};
use switchyard_domain::clock::Timestamp;

use super::failure_in_words;
use crate::ui::{
    Markup,
    waterfall::{Attempt, Outcome, Phase, waterfall},
};

/// The attempts of a generation; `None` where nothing was tried.
pub(super) fn picture(it: &Inspection) -> Option<Markup> {
    let generation = &it.generation;
    let since = |at: Timestamp| {
        let elapsed = at.since(generation.admitted_at).as_millis();
        u64::try_from(elapsed).unwrap_or(u64::MAX)
    };
    let count = generation.attempts.len();
    let mut free_at = 0;
    let mut attempts = Vec::with_capacity(count);
    for (place, attempt) in generation.attempts.iter().enumerate() {
        let sent_at = since(attempt.started_at);
        let began_ms = free_at.min(sent_at);
        let to_first = attempt.first_token_ms.unwrap_or(attempt.duration_ms);
        let is_last = place + 1 == count;
        free_at = sent_at.saturating_add(attempt.duration_ms);
        attempts.push(Attempt {
            name: format!("{}. {}", attempt.number, attempt.endpoint_id.as_str()),
            credential: match (attempt.supplied, attempt.is_byok) {
                (true, _) => "from the request",
                (false, true) => "own",
                (false, false) => "shared",
            }
            .to_owned(),
            outcome: match &attempt.failure {
                Some(kind) if kind == "cancelled" => Outcome::Dropped,
                Some(_) => Outcome::Failed,
                None if is_last && it.status == LogStatus::Cancelled => Outcome::Dropped,
                None => Outcome::Served,
            },
            began_ms,
            phases: vec![
                (Phase::Queue, sent_at - began_ms),
                (Phase::FirstToken, to_first),
                (Phase::Stream, attempt.duration_ms.saturating_sub(to_first)),
            ],
            why: why(
                attempt.failure.as_deref(),
                attempt.status,
                is_last,
                it.status,
            ),
        });
    }
    let total = since(generation.finished_at);
    (count > 0).then(|| waterfall(&attempts, total))
}

/// What came of an attempt, and what was done about it.
fn why(
    failure: Option<&str>,
    http: Option<u16>,
    is_last: bool,
    status: LogStatus,
) -> Option<String> {
    let Some(kind) = failure else {
        return (is_last && status == LogStatus::Cancelled)
            .then(|| "the caller left before the end".to_owned());
    };
    let answered = http.map_or(String::new(), |http| format!(", HTTP {http}"));
    let next = if is_last {
        "nothing else was tried"
    } else {
        "the next was tried"
    };
    let words = failure_in_words(kind);
    Some(format!("{words} ({kind}{answered}): {next}"))
}
