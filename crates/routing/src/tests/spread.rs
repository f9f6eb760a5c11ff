//! Where many requests go.

use super::fixture::{Case, order};

/// How often each plan's first tag came up over `seeds` seeds.
fn firsts(case: &mut Case, seeds: u64) -> std::collections::BTreeMap<String, u64> {
    let mut counts = std::collections::BTreeMap::new();
    for seed in 0..seeds {
        case.seed = seed;
        let plan = case.select().expect("it may serve");
        let first = plan.candidates[0].vetted.endpoint().tag.clone();
        *counts.entry(first).or_default() += 1;
    }
    counts
}

/// Pearson's statistic of counts against weights.
fn chi_square(counts: &std::collections::BTreeMap<String, u64>, weights: &[(&str, u64)]) -> f64 {
    let draws: u64 = counts.values().sum();
    let total: u64 = weights.iter().map(|(_, weight)| weight).sum();
    weights
        .iter()
        .map(|(tag, weight)| {
            let expected = draws as f64 * *weight as f64 / total as f64;
            let seen = counts.get(*tag).copied().unwrap_or(0) as f64;
            (seen - expected).powi(2) / expected
        })
        .sum()
}

#[test]
fn load_spreads_by_the_inverse_square_of_the_price() {
    let mut case = Case::new("a $1 | b $2 | c $3 | e $6 | d $1 outage");
    let counts = firsts(&mut case, 100_000);
    let statistic = chi_square(&counts, &[("a", 36), ("b", 9), ("c", 4), ("e", 1)]);
    // With three degrees of freedom one series in a thousand is above this.
    assert!(statistic < 16.27, "{statistic}: {counts:?}");
    assert!(!counts.contains_key("d"), "{counts:?}");
}

#[test]
fn a_probation_lets_its_share_through() {
    const SEEDS: u64 = 20_000;
    let mut counts = Vec::new();
    for percent in [1, 10, 50, 100] {
        let catalog = format!("a $1 probation={percent} | b $1");
        let firsts = firsts(&mut Case::new(&catalog), SEEDS);
        counts.push(firsts["a"]);
        // Under a strict sort the share is the whole share, as it wins whenever it is back.
        let mut strict = Case::new(&catalog).ask("sort=price");
        let through = self::firsts(&mut strict, SEEDS)["a"];
        let expected = SEEDS * percent / 100;
        // Four standard deviations of an even chance, the widest there is, are 283.
        assert!(through.abs_diff(expected) < 283, "{percent} %: {through}");
    }
    // Where load is balanced it shares evenly with b while it is back.
    for (count, percent) in counts.into_iter().zip([1, 10, 50, 100]) {
        assert!(
            count.abs_diff(SEEDS * percent / 200) < 283,
            "{percent} %: {count}"
        );
    }
}

#[test]
fn fallback_models_draw_for_themselves() {
    const SEEDS: u64 = 10_000;
    let mut case = Case::new("m: a $1 | b $1; n: c $1 | d $1").ask("models=m,n");
    let mut counts = std::collections::BTreeMap::<String, u64>::new();
    for seed in 0..SEEDS {
        case.seed = seed;
        *counts
            .entry(order(&case.select().expect("all may serve")))
            .or_default() += 1;
    }
    // Four orders, equally likely; four standard deviations are below 175.
    assert_eq!(counts.len(), 4, "{counts:?}");
    assert!(
        counts.values().all(|count| count.abs_diff(SEEDS / 4) < 175),
        "{counts:?}"
    );
}

#[test]
fn the_seed_decides_and_nothing_else() {
    let mut case = Case::new("a $1 | b $1.1 | c $1.2 | d $1.3");
    let plans: Vec<String> = (0..50)
        .map(|seed| {
            case.seed = seed;
            let plan = case.select().expect("all may serve");
            let again = case.select().expect("all may serve");
            assert_eq!(plan.record, again.record);
            order(&plan)
        })
        .collect();
    assert!(plans.iter().any(|plan| *plan != plans[0]));
}
