//! What a request is expected to cost.

use std::sync::Arc;

use switchyard_domain::money::Price;

use super::fixture::{Case, plan_of};

/// The expected cost at each endpoint, in thousandths of a dollar.
fn costs(catalog: &str, request: &str) -> Vec<i64> {
    let plan = Case::new(catalog).ask(request).select();
    let rows = plan.expect("it may serve").record.candidates;
    rows.iter()
        .map(|row| row.expected_cost_nanos.expect("it passed") / 1_000_000)
        .collect()
}

fn costs_are(rows: &[(&str, &str, &[i64])]) {
    for (catalog, request, expected) in rows {
        assert_eq!(costs(catalog, request), *expected, "{catalog} / {request}");
    }
}

#[test]
fn prompt_output_and_requests_count() {
    let cost = |catalog: &str, request: &str| {
        let plan = Case::new(catalog).ask(request).select();
        plan.expect("it may serve").record.candidates[0].expected_cost_nanos
    };
    assert_eq!(cost("a $3 out$6", "prompt=3000 max=1000"), Some(15_000_000));
    // A third of the prompt, where nobody said, but one token at least.
    assert_eq!(cost("a $3 out$6", "prompt=3000"), Some(15_000_000));
    assert_eq!(cost("a $0 out$1", "prompt=1"), Some(1_000));
    assert_eq!(
        cost("a $1 request$0.5", "prompt=1000000"),
        Some(1_500_000_000)
    );
    assert_eq!(cost("a $1 long$2", "prompt=200000"), Some(200_000_000));
    assert_eq!(cost("a $1 long$2", "prompt=200001"), Some(400_002_000));
}

#[test]
fn images_count_where_they_are_priced_apiece() {
    let mut case = Case::new("a $1").ask("prompt=1000000");
    case.needs.input_images = 3;
    let catalog = Arc::get_mut(&mut case.catalog).expect("not shared");
    let prices = catalog.endpoints[0].prices.as_mut().expect("it has prices");
    Arc::make_mut(prices).base.image = Price::from_picos(2_000_000_000);
    let plan = case.select().expect("it may serve");
    assert_eq!(
        plan.record.candidates[0].expected_cost_nanos,
        Some(1_006_000_000)
    );
}

#[test]
fn warm_caches_and_writes_are_weighed_in() {
    // A prompt of a million tokens: `$2` is two dollars for it, without output.
    costs_are(&[
        // Without a pin it is the price.
        ("a $2 read$.2 | b $1", "sort=expected-cost", &[2_000, 1_000]),
        // All of the prompt is warm at a, and nothing of it elsewhere.
        (
            "a $2 read$.2 | b $2 read$.2",
            "sort=expected-cost pin=a",
            &[200, 2_000],
        ),
        // Half of it.
        (
            "a $2 read$.2 | b $2",
            "sort=expected-cost pin=a warm=500000",
            &[1_100, 2_000],
        ),
        // More than there is: the conversation was cut short.
        (
            "a $2 read$.2",
            "sort=expected-cost pin=a warm=3000000",
            &[200],
        ),
        // Every second hit came.
        ("a $2 read$.2", "sort=expected-cost pin=a hits=50", &[1_100]),
        // The provider let go of it.
        (
            "a $2 read$.2",
            "sort=expected-cost pin=a idle=299 ttl=300",
            &[200],
        ),
        (
            "a $2 read$.2",
            "sort=expected-cost pin=a idle=300 ttl=300",
            &[2_000],
        ),
        // What is not read is written, where somebody asks for it and it has a price.
        (
            "a $2 read$.2 write$2.5 | b $2",
            "sort=expected-cost marks",
            &[2_500, 2_000],
        ),
        (
            "a $2 read$.2 write$2.5 | b $2",
            "sort=expected-cost",
            &[2_000, 2_000],
        ),
        (
            "a $2 read$.2 write$2.5",
            "sort=expected-cost marks pin=a warm=900000",
            &[430],
        ),
        (
            "a $2 read$.2 write$2.5",
            "sort=expected-cost marks pin=a warm=900000 hits=0",
            &[2_500],
        ),
        // A fee for storage comes with the input price.
        (
            "a $2 read$.2 write$.1",
            "sort=expected-cost marks",
            &[2_000],
        ),
        // Output is part of it.
        (
            "a $2 read$.2 out$10",
            "sort=expected-cost pin=a max=100000",
            &[1_200],
        ),
    ]);
}

#[test]
fn failures_cost_what_the_request_costs_elsewhere() {
    costs_are(&[
        // At the cheapest other.
        (
            "a $1 fails=10 | b $2 | c $3",
            "sort=expected-cost",
            &[1_200, 2_000, 3_000],
        ),
        (
            "a $1 | b $2 fails=10 | c $3",
            "sort=expected-cost",
            &[1_000, 2_100, 3_000],
        ),
        ("a $1 fails=10", "sort=expected-cost", &[1_100]),
        ("a $1 outage | b $4", "sort=expected-cost", &[3_000, 4_000]),
        (
            "a $1 degraded | b $4",
            "sort=expected-cost",
            &[1_800, 4_000],
        ),
        // A fallback model is no retry of this one.
        (
            "m: a $1 fails=50 | b $2; n: c $.1",
            "models=m,n sort=expected-cost",
            &[2_000, 2_000, 100],
        ),
    ]);
}

#[test]
fn sorting_by_expected_cost_is_by_all_of_it() {
    for (catalog, request, plan) in [
        ("a $2 | b $1 | c $3", "", "b, a, c"),
        ("a $1 fails=50 | b $1.2 | c $3", "", "b, a, c"),
        ("a $1 write$2 read$.1 | b $1.2", "marks", "b, a"),
        ("a $2 read$.2 | b $1", "pin=a", "a, b"),
        ("a $1 | b $2 down", "u=.9", "a, b"),
        ("m: a $5 | b $6; n: c $1", "models=m,n pool", "c, a, b"),
    ] {
        let request = format!("{request} sort=expected-cost");
        assert_eq!(plan_of(catalog, &request), plan, "{catalog} / {request}");
    }
}
