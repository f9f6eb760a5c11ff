//! How long an attempt may take to its first token: as long as the caller allows its provider,
//! and, where the caller set a deadline over all attempts, its share of what is left.

use std::time::Duration;

use switchyard_interchange::{
    failure::{Failure, FailureKind},
    preferences::Percentiles,
};
use tokio::time::Instant;

use super::schedule::Schedule;
use crate::{App, generation::plan::Planned};

/// When an attempt's first token must be there; `None`: no caller's limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allotment(pub(super) Option<Instant>);

impl App {
    /// The time for one candidate's first token. An error where it cannot be expected in the time
    /// that is left: an attempt that is doomed is billed by its provider all the same.
    pub(super) fn allot(
        &self,
        planned: &Planned,
        schedule: &Schedule,
        index: usize,
    ) -> Result<Allotment, Failure> {
        let candidates = &planned.plan.candidates;
        let own = candidates[index].first_token_timeout;
        let deadline_ms = planned.admitted.needs.preferences.first_token_deadline_ms;
        let Some(deadline) = deadline_ms.map(Duration::from_millis) else {
            return Ok(Allotment(own.map(|limit| Instant::now() + limit)));
        };
        let now = self.clock.now();
        let left = deadline.saturating_sub(now.since(planned.admitted.at));
        let latency = |index: usize| {
            let vetted = &candidates[index].vetted;
            planned
                .health
                .of(&vetted.endpoint().id, vetted.credential(), now)
                .latency_ms
        };
        let next = schedule.peek(candidates).map(latency);
        let share = share(left, latency(index), next).ok_or_else(|| {
            Failure::new(
                FailureKind::Timeout,
                "its first token cannot be expected within `first_token_deadline_ms`",
            )
        })?;
        let limit = own.map_or(share, |own| own.min(share));
        Ok(Allotment(Some(Instant::now() + limit)))
    }
}

/// What an attempt gets of the time that is left, so that the next one fits, too: its own slow
/// case (p99), but no more than leaves the next its usual case (p50); half where nothing was
/// measured. `None`: nothing is left, or its usual case is longer than that.
fn share(left: Duration, this: Percentiles, next: Option<Percentiles>) -> Option<Duration> {
    let millis = |figure: Option<u64>| figure.map(Duration::from_millis);
    let usual = millis(this.p50);
    if left.is_zero() || usual.is_some_and(|usual| usual > left) {
        return None;
    }
    let Some(next) = next else {
        return Some(left);
    };
    let wanted = millis(this.p99).unwrap_or(left / 2).min(left);
    let kept = millis(next.p50).unwrap_or(left / 2).min(left);
    let share = wanted.min(left - kept);
    // An endpoint that needs the whole time in its usual case gets it: the next would not be
    // better off with what an early end leaves.
    Some(share.max(usual.unwrap_or(left / 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(p50: u64, p99: u64) -> Percentiles {
        Percentiles {
            p50: Some(p50),
            p99: Some(p99),
            ..Percentiles::default()
        }
    }

    #[test]
    fn two_attempts_fit_where_they_can() {
        let unknown = Percentiles::default();
        for (left, this, next, expected) in [
            // Alone it has all the time.
            (1_000, measured(200, 900), None, Some(1_000)),
            // Its slow case, as long as the next one's usual case still fits.
            (
                1_000,
                measured(200, 500),
                Some(measured(300, 900)),
                Some(500),
            ),
            (
                1_000,
                measured(200, 900),
                Some(measured(300, 900)),
                Some(700),
            ),
            // Nothing measured: half each.
            (1_000, unknown, Some(unknown), Some(500)),
            (1_000, measured(200, 900), Some(unknown), Some(500)),
            // Its usual case comes first.
            (
                1_000,
                measured(800, 900),
                Some(measured(300, 900)),
                Some(800),
            ),
            // Doomed.
            (1_000, measured(1_001, 2_000), Some(unknown), None),
            (0, unknown, None, None),
        ] {
            let share = share(Duration::from_millis(left), this, next);
            assert_eq!(
                share,
                expected.map(Duration::from_millis),
                "{left} {this:?} {next:?}"
            );
        }
    }
}
