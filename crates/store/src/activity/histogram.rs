//! How times and rates are spread, in buckets that each reach further than the one before by seven
//! tenths: few numbers to keep with every roll-up, and a percentile is told to within its bucket.

use std::ops::AddAssign;

/// Buckets of [`LatencyHistogram`].
pub const LATENCY_BUCKETS: usize = 18;
/// Buckets of [`ThroughputHistogram`].
pub const THROUGHPUT_BUCKETS: usize = 14;

/// Where each bucket but the last ends, in milliseconds.
pub(crate) const LATENCY_ENDS: [u64; LATENCY_BUCKETS - 1] = [
    25, 43, 72, 123, 209, 355, 603, 1_026, 1_744, 2_965, 5_040, 8_568, 14_566, 24_762, 42_095,
    71_562, 121_655,
];
/// Where each bucket but the last ends, in tokens per second.
pub(crate) const THROUGHPUT_ENDS: [u64; THROUGHPUT_BUCKETS - 1] =
    [2, 4, 6, 10, 17, 29, 49, 83, 141, 240, 408, 694, 1_180];

/// How the milliseconds to first tokens are spread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LatencyHistogram(pub(crate) [u64; LATENCY_BUCKETS]);

/// How tokens per second are spread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThroughputHistogram(pub(crate) [u64; THROUGHPUT_BUCKETS]);

impl LatencyHistogram {
    /// Counts one.
    pub(crate) fn add(&mut self, ms: u64) {
        self.0[bucket(&LATENCY_ENDS, ms)] += 1;
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Milliseconds within which `per_mille` of a thousand were; `None` where none were counted.
    pub fn percentile_ms(&self, per_mille: u32) -> Option<u64> {
        percentile(&self.0, &LATENCY_ENDS, per_mille).map(|thousandths| thousandths / 1_000)
    }
}

impl ThroughputHistogram {
    /// Counts one.
    pub(crate) fn add(&mut self, tokens_per_second: u64) {
        self.0[bucket(&THROUGHPUT_ENDS, tokens_per_second)] += 1;
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Thousandths of tokens per second that `per_mille` of a thousand did not exceed; `None` where
    /// none were counted.
    pub fn percentile_milli(&self, per_mille: u32) -> Option<u64> {
        percentile(&self.0, &THROUGHPUT_ENDS, per_mille)
    }
}

impl AddAssign<&Self> for LatencyHistogram {
    fn add_assign(&mut self, other: &Self) {
        for (sum, addend) in self.0.iter_mut().zip(other.0) {
            *sum += addend;
        }
    }
}

impl AddAssign<&Self> for ThroughputHistogram {
    fn add_assign(&mut self, other: &Self) {
        for (sum, addend) in self.0.iter_mut().zip(other.0) {
            *sum += addend;
        }
    }
}

fn bucket(ends: &[u64], value: u64) -> usize {
    ends.partition_point(|end| *end <= value)
}

/// In thousandths, as if the values of a bucket were spread evenly over it. The last bucket is as wide
/// as all before it.
fn percentile(counts: &[u64], ends: &[u64], per_mille: u32) -> Option<u64> {
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return None;
    }
    let rank = u128::from(total) * u128::from(per_mille.min(1_000));
    let mut before = 0_u128;
    for (index, count) in counts.iter().enumerate() {
        let within = u128::from(*count) * 1_000;
        if *count > 0 && before + within >= rank {
            let start = index.checked_sub(1).map_or(0, |previous| ends[previous]);
            let end = ends.get(index).copied().unwrap_or(start * 2);
            let width = u128::from(end - start) * 1_000;
            let offset = width * (rank - before) / within;
            return u64::try_from(u128::from(start) * 1_000 + offset).ok();
        }
        before += within;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_their_bucket() {
        let mut spread = LatencyHistogram::default();
        assert_eq!(spread.percentile_ms(500), None);
        for ms in 1..=1_000 {
            spread.add(ms);
        }
        assert_eq!(spread.count(), 1_000);
        for (per_mille, exact) in [(100, 100_u64), (500, 500), (900, 900), (990, 990)] {
            let told = spread.percentile_ms(per_mille).expect("values");
            let off = told.abs_diff(exact);
            assert!(off * 10 <= exact, "p{per_mille}: {told} for {exact}");
        }
        assert!(spread.percentile_ms(0).expect("values") <= 1);
    }

    #[test]
    fn a_value_at_an_end_is_in_the_next_bucket() {
        assert_eq!(bucket(&LATENCY_ENDS, 24), 0);
        assert_eq!(bucket(&LATENCY_ENDS, 25), 1);
        assert_eq!(bucket(&LATENCY_ENDS, u64::MAX), LATENCY_BUCKETS - 1);
        let mut one = ThroughputHistogram::default();
        one.add(5_000);
        let told = one.percentile_milli(1_000).expect("a value");
        assert_eq!(told, 2 * 1_180 * 1_000);
    }

    #[test]
    fn ends_grow_by_seven_tenths() {
        for pair in LATENCY_ENDS
            .windows(2)
            .chain(THROUGHPUT_ENDS.windows(2).skip(1))
        {
            let ratio = pair[1] * 100 / pair[0];
            assert!((148..=176).contains(&ratio), "{pair:?}");
        }
    }
}
