//! Stops asking a dependency that keeps failing, and asks again with one probe.

use std::{sync::Mutex, time::Duration};

/// Opens after [`FAILURES_TO_OPEN`] failures in a row; after [`OPEN_FOR`] one call probes.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    state: Mutex<State>,
}

pub(crate) const FAILURES_TO_OPEN: u32 = 5;
pub(crate) const OPEN_FOR: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    closed_to_calls_until: Duration,
}

impl Breaker {
    /// Whether a call may go out at `now` (monotonic). The call that finds the wait over is the
    /// probe: the others keep being refused until it reports, or until it should have.
    pub(crate) fn admits(&self, now: Duration) -> bool {
        let mut state = self.lock();
        if state.failures < FAILURES_TO_OPEN {
            return true;
        }
        if now < state.closed_to_calls_until {
            return false;
        }
        state.closed_to_calls_until = now + OPEN_FOR;
        true
    }

    pub(crate) fn succeeded(&self) {
        self.lock().failures = 0;
    }

    /// Says whether the failures so far speak against the connection itself: at every
    /// [`FAILURES_TO_OPEN`]th in a row, so that a new connection has a few probes to prove itself.
    pub(crate) fn failed(&self, now: Duration) -> bool {
        let mut state = self.lock();
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES_TO_OPEN {
            state.closed_to_calls_until = now + OPEN_FOR;
        }
        state.failures.is_multiple_of(FAILURES_TO_OPEN)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // The state is two plain numbers: valid at every point a panic could leave it.
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened_at(now: Duration) -> Breaker {
        let breaker = Breaker::default();
        for failure in 1..=FAILURES_TO_OPEN {
            assert!(breaker.admits(now));
            assert_eq!(breaker.failed(now), failure == FAILURES_TO_OPEN);
        }
        breaker
    }

    #[test]
    fn opens_after_failures_in_a_row_only() {
        let breaker = Breaker::default();
        for _ in 0..3 * FAILURES_TO_OPEN {
            for _ in 1..FAILURES_TO_OPEN {
                assert!(
                    !breaker.failed(Duration::ZERO),
                    "too early to blame the connection"
                );
            }
            breaker.succeeded();
        }
        assert!(breaker.admits(Duration::ZERO));
        assert!(!opened_at(Duration::ZERO).admits(Duration::ZERO));
    }

    #[test]
    fn one_probe_decides() {
        let breaker = opened_at(Duration::ZERO);
        assert!(!breaker.admits(OPEN_FOR / 2));
        assert!(breaker.admits(OPEN_FOR), "the probe");
        assert!(
            !breaker.admits(OPEN_FOR),
            "everyone else waits for the probe"
        );
        breaker.failed(OPEN_FOR);
        assert!(!breaker.admits(OPEN_FOR + OPEN_FOR / 2));
        assert!(breaker.admits(2 * OPEN_FOR));
        breaker.succeeded();
        assert!(breaker.admits(2 * OPEN_FOR));
        assert!(breaker.admits(2 * OPEN_FOR));
    }

    #[test]
    fn a_probe_that_never_reports_does_not_close_the_door_for_good() {
        let breaker = opened_at(Duration::ZERO);
        assert!(breaker.admits(OPEN_FOR));
        assert!(breaker.admits(2 * OPEN_FOR));
    }
}
