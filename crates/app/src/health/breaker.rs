//! The circuit breaker of one endpoint with one credential: closed, open, half-open, and the
//! probation on which it comes back.
//!
//! ```text
//!   closed ── failures ──► open ── time ──► half-open ── the probe succeeds ──► probation ──► closed
//!                           ▲                   │ the probe fails: longer          │ failures: longer
//!                           └───────────────────┴──────────────────────────────────┘
//! ```

use std::time::Duration;

use switchyard_coordination::health::OutcomeCounts;
use switchyard_domain::clock::Timestamp;

use super::{outcome::Grade, window::Ring};

/// So many failures in a row open it.
pub(super) const FAILURES_IN_A_ROW: u32 = 5;
/// It also opens when fewer than half of at least so many attempts succeeded ...
pub(super) const RATIO_SAMPLES_MIN: u32 = 20;
/// ... within so many seconds.
const RATIO_SECONDS: usize = 10;
/// How long it stays open at first; twice as long each time it opens again ...
pub(super) const OPEN_FIRST: Duration = Duration::from_secs(5);
/// ... up to this, give or take a fifth.
const OPEN_MAX: Duration = Duration::from_secs(300);
/// A probe that has not ended by then no longer keeps others from probing.
const PROBE_PATIENCE: Duration = Duration::from_secs(60);
/// The shares of requests that take the endpoint for stable as it comes back, in parts per million.
const PROBATION_PPM: [u32; 3] = [10_000, 100_000, 500_000];
/// A step of probation is passed after so many successes and a second at least ...
const STEP_SUCCESSES: u32 = 10;
const STEP_TIME_MIN: Duration = Duration::from_secs(1);
/// ... or after so long, however few requests came.
const STEP_TIME: Duration = Duration::from_secs(10);
/// A failure on probation opens it again if this many percent of the step's attempts failed.
const STEP_FAILURE_PERCENT: u32 = 20;
/// What everyone may try while one probe decides: those who come beside it are turned away at once.
const HALF_OPEN_PPM: u32 = 1_000_000;

#[derive(Debug)]
pub(super) struct Breaker {
    phase: Phase,
    /// Goes up with each change of phase, so that attempts of an earlier one are told apart.
    epoch: u64,
    /// How often it opened since it was last closed.
    openings_in_series: u32,
    /// How often it opened by what this node saw, ever.
    openings_seen_here: u64,
}

#[derive(Debug)]
enum Phase {
    Closed {
        failures_in_a_row: u32,
        ratio: Ring<OutcomeCounts>,
    },
    /// Until then nobody is let through; from then on, one at a time.
    Open {
        until: Timestamp,
        by: Opener,
        probing_since: Option<Timestamp>,
    },
    Probation {
        step: usize,
        since: Timestamp,
        succeeded: u32,
        failed: u32,
    },
}

/// Who saw the failures that opened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opener {
    ThisNode,
    AnotherNode,
}

/// What the breaker says to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Go(Ticket),
    Held,
}

/// Under which phase an attempt began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    epoch: u64,
    pub(super) is_probe: bool,
}

/// Where the breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    Closed,
    Open { until: Timestamp },
    HalfOpen,
    Probation,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            phase: Phase::closed(),
            epoch: 0,
            openings_in_series: 0,
            openings_seen_here: 0,
        }
    }
}

impl Phase {
    fn closed() -> Self {
        Self::Closed {
            failures_in_a_row: 0,
            ratio: Ring::new(Duration::from_secs(1), RATIO_SECONDS),
        }
    }
}

impl Breaker {
    /// Whether an attempt may begin. Half-open, only one at a time may: the probe.
    pub(super) fn ask(&mut self, now: Timestamp) -> Word {
        let epoch = self.epoch;
        let go = |is_probe| Word::Go(Ticket { epoch, is_probe });
        match &mut self.phase {
            Phase::Closed { .. } | Phase::Probation { .. } => go(false),
            Phase::Open { until, .. } if now < *until => Word::Held,
            Phase::Open { probing_since, .. } => {
                if probing_since.is_some_and(|since| now.since(since) < PROBE_PATIENCE) {
                    return Word::Held;
                }
                *probing_since = Some(now);
                go(true)
            }
        }
    }

    /// Leave to begin in any case. It is the probe where one is due.
    pub(super) fn insist(&mut self, now: Timestamp) -> Ticket {
        match self.ask(now) {
            Word::Go(ticket) => ticket,
            Word::Held => Ticket {
                epoch: self.epoch,
                is_probe: false,
            },
        }
    }

    /// A probe ended without an outcome: the next may probe.
    pub(super) fn abandon(&mut self, ticket: Ticket) {
        if let Phase::Open { probing_since, .. } = &mut self.phase
            && ticket.is_probe
            && ticket.epoch == self.epoch
        {
            *probing_since = None;
        }
    }

    /// Takes note of an outcome. `random` blurs how long the breaker stays open, if it opens now.
    /// Says whether the endpoint has just come back, on probation.
    pub(super) fn note(
        &mut self,
        ticket: Ticket,
        grade: Grade,
        now: Timestamp,
        random: u64,
    ) -> bool {
        // Attempts of an earlier phase say nothing about this one.
        if ticket.epoch != self.epoch {
            return false;
        }
        match (&mut self.phase, grade) {
            (_, Grade::Nothing | Grade::Forbidden) => {
                self.abandon(ticket);
                false
            }
            (Phase::Open { .. }, Grade::Success) => {
                self.enter(Phase::probation(0, now));
                true
            }
            (Phase::Open { .. }, Grade::Failure | Grade::Limited) => {
                // Only the probe decides; who insisted knew what to expect.
                if ticket.is_probe {
                    self.open(now, random);
                }
                false
            }
            (Phase::Closed { .. }, _) => {
                if self.speaks_for_opening(grade, now) {
                    self.open(now, random);
                }
                false
            }
            (
                Phase::Probation {
                    succeeded, failed, ..
                },
                grade,
            ) => {
                if grade == Grade::Success {
                    *succeeded += 1;
                    self.tick(now);
                } else {
                    *failed += 1;
                    if *failed * 100 >= (*succeeded + *failed) * STEP_FAILURE_PERCENT {
                        self.open(now, random);
                    }
                }
                false
            }
        }
    }

    /// Takes note of an outcome while closed, and says whether that opens it. Being asked too fast
    /// counts in the ratio only.
    fn speaks_for_opening(&mut self, grade: Grade, now: Timestamp) -> bool {
        let Phase::Closed {
            failures_in_a_row,
            ratio,
        } = &mut self.phase
        else {
            return false;
        };
        let slot = ratio.now(now);
        match grade {
            Grade::Success => {
                *failures_in_a_row = 0;
                slot.succeeded = slot.succeeded.saturating_add(1);
                return false;
            }
            Grade::Failure => {
                *failures_in_a_row = failures_in_a_row.saturating_add(1);
                slot.failed = slot.failed.saturating_add(1);
            }
            Grade::Limited => slot.limited = slot.limited.saturating_add(1),
            Grade::Forbidden | Grade::Nothing => return false,
        }
        let mut counts = OutcomeCounts::default();
        ratio
            .last(RATIO_SECONDS, now)
            .for_each(|slot| counts.add(slot));
        let is_bad_ratio = counts.requests() >= RATIO_SAMPLES_MIN
            && u64::from(counts.succeeded) * 2 < u64::from(counts.requests());
        *failures_in_a_row >= FAILURES_IN_A_ROW || is_bad_ratio
    }

    /// Another node's breaker opened. This one follows, and probes for itself.
    pub(super) fn follow(&mut self, now: Timestamp, left: Duration) {
        let theirs = now.plus(left.min(OPEN_MAX * 6 / 5));
        let is_held_longer = match &self.phase {
            Phase::Open { until, .. } => *until >= theirs,
            Phase::Closed { .. } | Phase::Probation { .. } => false,
        };
        if !is_held_longer {
            self.openings_in_series = self.openings_in_series.max(1);
            self.enter(Phase::Open {
                until: theirs,
                by: Opener::AnotherNode,
                probing_since: None,
            });
        }
    }

    /// Lets time pass: steps of probation may be over.
    pub(super) fn tick(&mut self, now: Timestamp) {
        while let Phase::Probation {
            step,
            since,
            succeeded,
            ..
        } = self.phase
        {
            let time = now.since(since);
            let is_proven = succeeded >= STEP_SUCCESSES && time >= STEP_TIME_MIN;
            if !is_proven && time < STEP_TIME {
                return;
            }
            let next = step + 1;
            if next == PROBATION_PPM.len() {
                self.openings_in_series = 0;
                self.enter(Phase::closed());
                return;
            }
            let ended_at = if is_proven {
                now
            } else {
                since.plus(STEP_TIME)
            };
            // Not a new epoch: attempts of the step before still count.
            self.phase = Phase::probation(next, ended_at);
        }
    }

    pub(super) fn stand(&self, now: Timestamp) -> Stand {
        match &self.phase {
            Phase::Closed { .. } => Stand::Closed,
            Phase::Open { until, .. } if now < *until => Stand::Open { until: *until },
            Phase::Open { .. } => Stand::HalfOpen,
            Phase::Probation { .. } => Stand::Probation,
        }
    }

    /// The share of requests that may take the endpoint for stable, once it is not held any more.
    pub(super) fn probation_ppm(&self) -> Option<u32> {
        match &self.phase {
            Phase::Closed { .. } => None,
            Phase::Open { .. } => Some(HALF_OPEN_PPM),
            Phase::Probation { step, .. } => Some(PROBATION_PPM[*step]),
        }
    }

    /// What other nodes should follow: an opening by what this node saw itself.
    pub(super) fn opening(&self, now: Timestamp) -> Option<(u64, Duration)> {
        match &self.phase {
            Phase::Open {
                until,
                by: Opener::ThisNode,
                ..
            } if now < *until => Some((self.openings_seen_here, until.since(now))),
            Phase::Open { .. } | Phase::Closed { .. } | Phase::Probation { .. } => None,
        }
    }

    fn open(&mut self, now: Timestamp, random: u64) {
        let doublings = self.openings_in_series.min(16);
        self.openings_in_series = self.openings_in_series.saturating_add(1);
        self.openings_seen_here += 1;
        let base = OPEN_FIRST.saturating_mul(1 << doublings).min(OPEN_MAX);
        // Four fifths, and up to two more.
        let spread = u32::try_from(random % 400_001).unwrap_or(0);
        let until = now.plus(base * (800_000 + spread) / 1_000_000);
        self.enter(Phase::Open {
            until,
            by: Opener::ThisNode,
            probing_since: None,
        });
    }

    fn enter(&mut self, phase: Phase) {
        self.epoch += 1;
        self.phase = phase;
    }
}

impl Phase {
    fn probation(step: usize, since: Timestamp) -> Self {
        Self::Probation {
            step,
            since,
            succeeded: 0,
            failed: 0,
        }
    }
}
