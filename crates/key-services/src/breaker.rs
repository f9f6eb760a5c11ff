//! Leaves a failing service alone for a while, then asks it once.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::limits::{ASK_TIMEOUT, FAILURES_MAX, REST_MAX, REST_MIN};

/// Counts failures in a row. Time is an argument.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<State>);

#[derive(Debug, Clone, Copy)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        rest: Duration,
        /// When the next question may pass. A probe moves it, so that one that is given up half
        /// way only holds others back for as long as it could have lasted.
        next_at: Duration,
    },
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

/// Leave to ask; to be handed back with what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permit {
    Usual,
    /// The one question that tells whether the service is back.
    Probe,
}

impl Breaker {
    /// Leave to ask now, or how long not yet.
    pub(crate) fn permit(&self, now: Duration) -> Result<Permit, Duration> {
        let mut state = self.lock();
        match &mut *state {
            State::Closed { .. } => Ok(Permit::Usual),
            State::Open { next_at, .. } if *next_at <= now => {
                *next_at = now.saturating_add(ASK_TIMEOUT);
                Ok(Permit::Probe)
            }
            State::Open { next_at, .. } => Err(next_at.saturating_sub(now)),
        }
    }

    /// The service answered. Says whether that ends a rest.
    pub(crate) fn answered(&self) -> bool {
        let mut state = self.lock();
        let was_open = matches!(*state, State::Open { .. });
        *state = State::default();
        was_open
    }

    /// It did not. Says how long it rests from now on, if this is what decided it.
    pub(crate) fn failed(&self, permit: Permit, now: Duration) -> Option<Duration> {
        let mut state = self.lock();
        let rest = match (*state, permit) {
            (State::Closed { failures }, _) if failures + 1 < FAILURES_MAX => {
                *state = State::Closed {
                    failures: failures + 1,
                };
                return None;
            }
            (State::Closed { .. }, _) => REST_MIN,
            (State::Open { rest, .. }, Permit::Probe) => rest.saturating_mul(2).min(REST_MAX),
            // Asked before the rest began; nothing new.
            (State::Open { .. }, Permit::Usual) => return None,
        };
        *state = State::Open {
            rest,
            next_at: now.saturating_add(rest),
        };
        Some(rest)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Replaced whole, so a panic cannot tear it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn opened() -> Breaker {
        let breaker = Breaker::default();
        for failure in 1..=FAILURES_MAX {
            assert_eq!(breaker.permit(at(100)), Ok(Permit::Usual));
            let rest = breaker.failed(Permit::Usual, at(100));
            assert_eq!(rest, (failure == FAILURES_MAX).then_some(REST_MIN));
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_starts_the_count_afresh() {
        let breaker = Breaker::default();
        for _ in 0..3 {
            for _ in 1..FAILURES_MAX {
                assert_eq!(breaker.failed(Permit::Usual, at(1)), None);
            }
            assert!(!breaker.answered());
        }
        assert_eq!(breaker.permit(at(1)), Ok(Permit::Usual));
    }

    #[test]
    fn one_probe_passes_after_a_rest_that_grows() {
        let breaker = opened();
        let mut now = at(100);
        for rest in [5, 10, 20, 40, 60, 60] {
            assert_eq!(breaker.permit(now), Err(at(rest)));
            now += at(rest);
            assert_eq!(breaker.permit(now), Ok(Permit::Probe));
            assert_eq!(breaker.permit(now), Err(ASK_TIMEOUT), "one at a time");
            let next = breaker.failed(Permit::Probe, now).expect("it rests again");
            assert_eq!(next, at((rest * 2).min(60)));
        }
        now += at(60);
        assert_eq!(breaker.permit(now), Ok(Permit::Probe));
        assert!(breaker.answered());
        assert_eq!(breaker.permit(now), Ok(Permit::Usual));
    }

    #[test]
    fn a_probe_nobody_waited_for_is_followed_by_another() {
        let breaker = opened();
        assert_eq!(breaker.permit(at(105)), Ok(Permit::Probe));
        assert_eq!(breaker.permit(at(107)), Ok(Permit::Probe));
    }

    #[test]
    fn late_failures_do_not_prolong_a_rest() {
        let breaker = opened();
        assert_eq!(breaker.failed(Permit::Usual, at(104)), None);
        assert_eq!(breaker.permit(at(105)), Ok(Permit::Probe));
    }
}
