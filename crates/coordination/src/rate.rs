//! Rate limits: the words, and the arithmetic both implementations share.
//!
//! `scripts/take.lua` does the same arithmetic; the suite compares the two. All of it is in whole
//! milliseconds, so that every product stays below 2^53 and Lua's numbers are exact.

use std::{fmt, sync::Arc, time::Duration};

use switchyard_domain::clock::Timestamp;

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RateKey(Arc<str>);

impl RateKey {
    /// A bucket of `scope` (such as `key` or `free-tier`) for one `subject` (an id, a digest).
    pub fn new(scope: &'static str, subject: impl fmt::Display) -> Self {
        Self(format!("{scope}:{subject}").into())
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// So many permits in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many; 0 refuses everything.
    pub permits: u32,
    /// In how long; at least a millisecond and at most 31 days, finer parts are cut.
    pub per: Duration,
}

impl Rate {
    const PER_MS_MAX: u64 = 31 * 24 * 3_600 * 1_000;

    /// This node's share while the nodes cannot agree: at least one permit unless the limit is 0.
    #[must_use]
    pub fn shared_by(self, nodes: u32) -> Self {
        let share = (self.permits / nodes.max(1)).max(self.permits.min(1));
        Self {
            permits: share,
            per: self.per,
        }
    }

    pub(crate) fn per_ms(self) -> u64 {
        u64::try_from(self.per.as_millis())
            .unwrap_or(u64::MAX)
            .clamp(1, Self::PER_MS_MAX)
    }
}

/// What became of one request for a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateDecision {
    /// Whether the permit was given.
    pub allowed: bool,
    /// How many more would be given right now.
    pub remaining: u32,
    /// Given: when the current window ends. Refused: the earliest instant at which a permit can
    /// be given again (with a limit of 0, the end of the window).
    pub reset_at: Timestamp,
}

/// One bucket: the newest window seen, and the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) per_ms: u64,
    pub(crate) index: u64,
    pub(crate) newest: u64,
    pub(crate) before: u64,
}

impl Window {
    pub(crate) fn starting(limit: Rate, now: Timestamp) -> Self {
        let per_ms = limit.per_ms();
        Self {
            per_ms,
            index: millis(now) / per_ms,
            newest: 0,
            before: 0,
        }
    }

    /// Takes a permit if one is left at `now`.
    pub(crate) fn take(&mut self, limit: Rate, now: Timestamp) -> RateDecision {
        if self.per_ms != limit.per_ms() {
            *self = Self::starting(limit, now);
        }
        let per_ms = self.per_ms;
        let now_ms = millis(now);
        let index = now_ms / per_ms;
        if index == self.index + 1 {
            (self.index, self.before, self.newest) = (index, self.newest, 0);
        } else if index > self.index {
            (self.index, self.before, self.newest) = (index, 0, 0);
        }
        let permits = u64::from(limit.permits);
        if index + 1 == self.index {
            // A node whose clock lags by less than a window still counts into its own window.
            return self.take_from_window_before(permits);
        }
        // A clock that fell further behind counts as standing at the start of the newest window.
        let window_start = self.index * per_ms;
        let elapsed_ms = now_ms.saturating_sub(window_start);
        let used = self.newest + self.before * (per_ms - elapsed_ms) / per_ms;
        if used < permits {
            self.newest += 1;
            return decision(true, permits - used - 1, window_start + per_ms);
        }
        decision(false, 0, self.next_permit_ms(permits, window_start))
    }

    fn take_from_window_before(&mut self, permits: u64) -> RateDecision {
        let window_end = self.index * self.per_ms;
        if self.before < permits {
            self.before += 1;
            return decision(true, permits - self.before, window_end);
        }
        decision(false, 0, window_end)
    }

    /// When the weight of what was counted falls below `permits` again.
    fn next_permit_ms(&self, permits: u64, window_start: u64) -> u64 {
        if permits == 0 {
            return window_start + self.per_ms;
        }
        let (start, full, weighing) = if self.newest < permits {
            (window_start, self.newest, self.before)
        } else {
            (window_start + self.per_ms, 0, self.newest)
        };
        // The smallest e with weighing × (per − e) / per, rounded down, below permits − full.
        let free = permits - full;
        let left_ms = (free * self.per_ms).saturating_sub(1) / weighing.max(1);
        start + self.per_ms.saturating_sub(left_ms)
    }

    /// From when on the bucket says nothing any more.
    pub(crate) fn forgotten_at_ms(&self) -> u64 {
        (self.index + 2) * self.per_ms
    }
}

fn decision(allowed: bool, remaining: u64, reset_at_ms: u64) -> RateDecision {
    RateDecision {
        allowed,
        remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
        reset_at: from_millis(reset_at_ms),
    }
}

pub(crate) fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.micros().div_euclid(1_000)).unwrap_or(0)
}

pub(crate) fn from_millis(millis: u64) -> Timestamp {
    Timestamp::from_micros(
        i64::try_from(millis)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000),
    )
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests;
