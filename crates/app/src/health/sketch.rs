//! Distributions in bounded memory: how many values fell into each of a fixed series of bins, each a
//! constant factor wider than the one before.
//!
//! A value read back is the geometric middle of its bin, rounded: it is off by at most √1.09 − 1, or
//! 4.41 % of itself, and half a unit. Sketches over the same bins add up bin by bin, so merging
//! windows, or nodes, loses nothing.

use switchyard_interchange::preferences::Percentiles;

/// How much wider each bin is than the one before.
const GROWTH: f64 = 1.09;

/// Bins, so that the last begins at 14 million: four hours in milliseconds, 14,000 tokens a second
/// in thousandths. What is beyond counts as that much.
const BINS: u8 = 192;

/// Counts by bin. Kept sparse: real distributions fill two dozen bins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Sketch {
    /// By bin.
    counts: Vec<(u8, u32)>,
}

impl Sketch {
    /// What another node sent; `None` where it does not add up to one of ours.
    pub(super) fn from_counts(counts: &[(u8, u32)]) -> Option<Self> {
        let is_ordered = counts.is_sorted_by(|one, next| one.0 < next.0);
        let is_known = counts.iter().all(|(bin, _)| *bin < BINS);
        (is_ordered && is_known).then(|| Self {
            counts: counts.to_vec(),
        })
    }

    pub(super) fn counts(&self) -> &[(u8, u32)] {
        &self.counts
    }

    pub(super) fn record(&mut self, value: u64) {
        self.add_to(bin(value), 1);
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (bin, count) in &other.counts {
            self.add_to(*bin, *count);
        }
    }

    fn add_to(&mut self, bin: u8, count: u32) {
        match self.counts.binary_search_by_key(&bin, |entry| entry.0) {
            Ok(at) => self.counts[at].1 = self.counts[at].1.saturating_add(count),
            Err(at) => self.counts.insert(at, (bin, count)),
        }
    }

    fn total(&self) -> u64 {
        self.counts.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    /// For times: pN is what N % of the values stay within.
    pub(super) fn percentiles_within(&self) -> Percentiles {
        let rank = |percent| rank(self.total(), percent);
        Percentiles {
            p50: self.nth(rank(50)),
            p75: self.nth(rank(75)),
            p90: self.nth(rank(90)),
            p99: self.nth(rank(99)),
        }
    }

    /// For times: what so many per cent of the values stay within.
    pub(super) fn within(&self, percent: u64) -> Option<u64> {
        self.nth(rank(self.total(), percent))
    }

    /// For rates: pN is what N % of the values reach or beat.
    pub(super) fn percentiles_reached(&self) -> Percentiles {
        let total = self.total();
        let rank = |percent| (total + 1).saturating_sub(rank(total, percent));
        Percentiles {
            p50: self.nth(rank(50)),
            p75: self.nth(rank(75)),
            p90: self.nth(rank(90)),
            p99: self.nth(rank(99)),
        }
    }

    /// The `rank`th smallest value, counted from 1; `None` in an empty sketch.
    fn nth(&self, rank: u64) -> Option<u64> {
        let mut before = 0;
        for (bin, count) in &self.counts {
            before += u64::from(*count);
            if before >= rank {
                return Some(middle(*bin));
            }
        }
        None
    }
}

/// How many of `total` values `percent` of them are, at least one.
fn rank(total: u64, percent: u64) -> u64 {
    (total * percent).div_ceil(100).max(1)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the cast saturates at both ends, as values out of range should"
)]
fn bin(value: u64) -> u8 {
    let bin = (value.max(1) as f64).ln() / GROWTH.ln();
    (bin as u8).min(BINS - 1)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bins reach to 15 million"
)]
fn middle(bin: u8) -> u64 {
    GROWTH.powf(f64::from(bin) + 0.5).round() as u64
}
