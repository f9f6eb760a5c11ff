//! Percentiles from bins against exact ones.

use super::super::sketch::Sketch;

/// By how much a percentile may be off, as a share of itself, in hundredths of a percent.
const ERROR_BASIS_POINTS: u64 = 441;

/// Pseudo-random numbers below `limit`.
fn numbers(seed: u64, limit: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    })
}

fn check(name: &str, values: &[u64]) {
    let mut sketch = Sketch::default();
    values.iter().for_each(|value| sketch.record(*value));
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let within = sketch.percentiles_within();
    let reached = sketch.percentiles_reached();
    for (percent, within, reached) in [
        (50, within.p50, reached.p50),
        (75, within.p75, reached.p75),
        (90, within.p90, reached.p90),
        (99, within.p99, reached.p99),
    ] {
        let count = (sorted.len() * percent).div_ceil(100).max(1);
        let exact_within = sorted[count - 1];
        let exact_reached = sorted[sorted.len() - count];
        for (found, exact) in [(within, exact_within), (reached, exact_reached)] {
            let found = found.expect("there are values");
            // Half a unit more for rounding.
            let allowed = exact * ERROR_BASIS_POINTS + 5_000;
            let error = found.abs_diff(exact) * 10_000;
            assert!(
                error <= allowed,
                "{name}: p{percent} is {exact}, read as {found}"
            );
        }
    }
}

#[test]
fn percentiles_are_within_the_stated_error() {
    check("one value", &[731]);
    check("few values", &[3, 5, 8, 13, 21]);
    check("all alike", &[250; 1_000]);
    let evenly: Vec<u64> = (1..=10_000).collect();
    check("evenly spread", &evenly);
    for seed in 0..20 {
        let spread: Vec<u64> = numbers(seed, 5_000).take(2_000).collect();
        check("at random", &spread);
        // Most are quick, a few take very long.
        let tailed: Vec<u64> = numbers(seed, 1_000)
            .zip(numbers(seed + 100, 1_000))
            .map(|(one, other)| 40 + one * one * (1 + other / 990 * 20) / 500)
            .take(2_000)
            .collect();
        check("with a long tail", &tailed);
        let fast: Vec<u64> = numbers(seed, 9_000_000).take(500).collect();
        check("in thousandths", &fast);
    }
}

#[test]
fn merging_sketches_is_recording_everything_in_one() {
    let values: Vec<u64> = numbers(3, 60_000).take(3_000).collect();
    let mut whole = Sketch::default();
    let mut merged = Sketch::default();
    for part in values.chunks(70) {
        let mut sketch = Sketch::default();
        for value in part {
            sketch.record(*value);
            whole.record(*value);
        }
        merged.add(&sketch);
    }
    assert_eq!(merged, whole);
    let sent = Sketch::from_counts(whole.counts()).expect("ours");
    assert_eq!(sent, whole);
}

#[test]
fn memory_is_bounded_and_the_ends_hold_what_is_beyond() {
    let mut sketch = Sketch::default();
    for power in 0..64 {
        for offset in 0..100 {
            sketch.record((1_u64 << power).saturating_add(offset << power.min(40)));
        }
    }
    sketch.record(u64::MAX);
    sketch.record(0);
    assert!(sketch.counts().len() <= 192);
    assert!(sketch.percentiles_within().p99 >= Some(14_000_000));
}

#[test]
fn foreign_histograms_are_refused() {
    assert!(Sketch::from_counts(&[(0, 1), (191, 2)]).is_some());
    for foreign in [&[(1, 1), (1, 1)][..], &[(2, 1), (1, 1)], &[(192, 1)]] {
        assert_eq!(Sketch::from_counts(foreign), None, "{foreign:?}");
    }
}
