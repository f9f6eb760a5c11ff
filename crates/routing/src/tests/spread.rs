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

#[test]
fn load_spreads_by_the_inverse_square_of_the_price() {
    const SEEDS: u64 = 20_000;
    let mut case = Case::new("a $1 | b $2 | c $3 | d $1 outage");
    let counts = firsts(&mut case, SEEDS);
    // Weights 36 : 9 : 4 of 49; four standard deviations are below 260.
    for (tag, weight) in [("a", 36), ("b", 9), ("c", 4)] {
        let expected = SEEDS * weight / 49;
        assert!(
            counts[tag].abs_diff(expected) < 260,
            "{tag}: {} of {expected}",
            counts[tag]
        );
    }
    assert!(!counts.contains_key("d"), "{counts:?}");
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
