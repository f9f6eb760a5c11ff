//! Durations in buckets whose width grows with the value: at most 1.6 % off, whatever the value.

/// Buckets per doubling.
const STEPS: u64 = 64;
const STEP_BITS: u32 = STEPS.ilog2();

/// Counts of durations in microseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub(crate) fn record(&mut self, micros: u64) {
        let index = index(micros);
        if index >= self.counts.len() {
            self.counts.resize(index + 1, 0);
        }
        self.counts[index] += 1;
        self.total += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
    }

    /// The smallest recorded value that `percent` of the values do not exceed; 0 when empty.
    pub(crate) fn percentile(&self, percent: f64) -> u64 {
        let wanted = (self.total as f64 * percent / 100.0).ceil().max(1.0);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen as f64 >= wanted {
                return lowest(index);
            }
        }
        0
    }
}

fn index(micros: u64) -> usize {
    let doublings = (micros / STEPS).checked_ilog2().map_or(0, |bits| bits + 1);
    let shift = doublings.saturating_sub(1);
    let step = (micros >> shift) - if doublings == 0 { 0 } else { STEPS };
    (u64::from(doublings) * STEPS + step) as usize
}

/// The lowest value in a bucket.
fn lowest(index: usize) -> u64 {
    let (doublings, step) = ((index as u64) >> STEP_BITS, (index as u64) % STEPS);
    match doublings {
        0 => step,
        _ => (STEPS + step) << (doublings - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_narrow_and_in_order() {
        let mut last = 0;
        for micros in (0..5_000).chain((5_000..50_000_000).step_by(9_973)) {
            let index = index(micros);
            assert!(index >= last, "{micros}");
            last = index;
            let low = lowest(index);
            assert!(
                low <= micros && micros - low <= micros / STEPS,
                "{micros} {low}"
            );
        }
    }

    #[test]
    fn percentiles_of_a_known_set() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile(50.0), 0);
        let mut half = Histogram::default();
        for micros in 1..=100 {
            if micros % 2 == 0 {
                &mut histogram
            } else {
                &mut half
            }
            .record(micros);
        }
        histogram.merge(&half);
        assert_eq!(histogram.percentile(50.0), 50);
        assert_eq!(histogram.percentile(0.0), 1);
        assert_eq!(histogram.percentile(99.0), 99);
        assert_eq!(histogram.percentile(100.0), 100);
        histogram.record(1_003);
        assert_eq!(
            histogram.percentile(100.0),
            1_000,
            "buckets here are 8 wide"
        );
    }
}
