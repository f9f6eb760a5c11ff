//! The order of what passed.

use std::{sync::Arc, time::Duration};

use expect_test::expect;
use switchyard_domain::money::Price;

use super::fixture::{Case, check, order, plan_of};

fn table(catalog: &str, rows: &[(&str, &str)]) {
    for (request, plan) in rows {
        assert_eq!(plan_of(catalog, request), *plan, "{catalog} / {request}");
    }
}

#[test]
fn a_listed_order_stands_as_it_is() {
    table(
        "a $1 tps=9 | b $2 down tps=5 | c/us $4 | c/eu $3 outage | d $5 tps=7",
        &[
            ("order=b,d u=0", "b, d, a, c/us, c/eu"),
            ("order=d,b sort=throughput", "d, b, a, c/eu, c/us"),
            ("order=D,B sort=price", "d, b, a, c/eu, c/us"),
            // One entry that names several: the healthy one first, then the cheap one.
            ("order=c u=0", "c/us, c/eu, a, d, b"),
            ("order=c/eu,c u=0", "c/eu, c/us, a, d, b"),
            ("order=x,y u=0", "a, c/us, d, c/eu, b"),
            ("order= u=0", "a, c/us, d, c/eu, b"),
        ],
    );
}

#[test]
fn sorts_are_strict_and_put_the_unmeasured_last() {
    table(
        "a $3 tps=10 ms=900 | b $1 tps=30 ms=700 | c $2 ms=800 | d $4 seen-tps=20",
        &[
            ("sort=price u=.99", "b, c, a, d"),
            ("sort=throughput", "b, d, a, c"),
            ("sort=latency", "b, c, a, d"),
            ("models=m:floor", "b, c, a, d"),
            ("models=m:nitro", "b, d, a, c"),
            // The stated sort is more specific than the shortcut, and both than the account's.
            ("models=m:nitro sort=price", "b, c, a, d"),
            ("models=m:floor account.sort=latency", "b, c, a, d"),
            ("account.sort=throughput", "b, d, a, c"),
            ("account.sort=throughput sort=latency", "b, c, a, d"),
        ],
    );
}

#[test]
fn sorting_by_quality_has_nothing_to_go_by_yet() {
    let catalog = "a $1 | b $2";
    assert_eq!(
        plan_of(catalog, "sort=exacto u=.9"),
        plan_of(catalog, "u=.9")
    );
    assert_eq!(plan_of(catalog, "u=.9"), "b, a");
}

#[test]
fn without_fallbacks_the_best_alone_is_tried() {
    check(
        "a $2 | b $1 outage | c $3",
        "no-fallbacks u=.9 pin=c",
        expect![[r#"
            a
            b: cut off
            c: cut off"#]],
    );
    table(
        "a $2 tps=1 | b $1 tps=2 | c $3 tps=3",
        &[("no-fallbacks sort=throughput", "c")],
    );
    // It limits endpoints, not models.
    let models = "m: a $2 | b $1; n: c $3 | d $4";
    table(
        models,
        &[
            ("models=m,n no-fallbacks", "b, c"),
            ("models=n,m no-fallbacks sort=price pool", "b, c"),
            ("models=m,n no-fallbacks order=a,d", "a, d"),
        ],
    );
}

#[test]
fn a_pin_goes_first_while_it_can_serve_and_pays() {
    table(
        "a $1 | b $2 read$.5 | c $3 read$3",
        &[
            ("pin=b u=0", "b, a, c"),
            ("pin=b sort=price", "b, a, c"),
            // Reading its cache costs as much as the prompt.
            ("pin=c u=0", "a, b, c"),
            ("pin=b ignore=b", "a, c"),
            ("pin=b no-fallbacks", "a"),
            ("pin=b order=c u=0", "c, a, b"),
        ],
    );
    table(
        "a $1 | b $2 read$.5 outage | c $3 read$.5 benched=60",
        &[("pin=b u=0", "b, a, c"), ("pin=c u=0", "a, b, c")],
    );
    table("m: a $1; n: b $2 read$.5", &[("models=m,n pin=b", "a, b")]);
}

#[test]
fn a_bench_that_ran_out_no_longer_counts() {
    let mut case = Case::new("a $1 benched=60 | b $2").ask("sort=price");
    assert_eq!(order(&case.select().expect("both may serve")), "b, a");
    case.now = case.now.plus(Duration::from_secs(60));
    assert_eq!(order(&case.select().expect("both may serve")), "a, b");
}

#[test]
fn when_all_are_flagged_the_flags_say_nothing() {
    table(
        "a $1 outage | b $2 outage",
        &[("u=0", "a, b"), ("u=.9", "b, a")],
    );
    table(
        "a $1 down | b $2 down",
        &[("u=.9", "b, a"), ("sort=price", "a, b")],
    );
    // The least unhealthy first, where they differ.
    table(
        "a $1 down | b $2 outage | c $3 outage",
        &[("u=0", "b, c, a"), ("u=.9", "c, b, a")],
    );
}

#[test]
fn models_follow_one_another_unless_pooled() {
    let catalog = "m: a $5 | b $6 outage; n: c $1 | d $2 outage";
    table(
        catalog,
        &[
            ("models=m,n u=0", "a, b, c, d"),
            ("models=n,m sort=price", "c, d, a, b"),
            ("models=m,n sort=price pool", "c, d, a, b"),
            ("models=m,n,m:nitro,n sort=price", "a, b, c, d"),
            // A listed order keeps models together.
            ("models=m,n sort=price pool order=d,b", "b, a, d, c"),
        ],
    );
}

#[test]
fn a_shortcut_concerns_its_own_model_only() {
    let catalog = "m: a $1 | b $2 tps=9; n: c $1 | d $2 tps=9";
    let plan = Case::new(catalog)
        .ask("models=m:nitro,n u=.9")
        .select()
        .expect("all may serve");
    assert_eq!(order(&plan)[..4], *"b, a");
    let drawn: Vec<bool> = plan
        .record
        .candidates
        .iter()
        .map(|row| row.draw_ppm.is_some())
        .collect();
    assert_eq!(drawn, [false, false, true, true]);
}

#[test]
fn the_record_names_the_strategy() {
    for (request, strategy) in [
        ("", "default"),
        ("order=b", "order"),
        ("order=b sort=price", "order"),
        ("sort=latency", "sort:latency"),
        ("models=m:nitro", "sort:throughput"),
        ("account.sort=price", "sort:price"),
        ("no-fallbacks", "cheapest"),
        ("no-fallbacks sort=price", "sort:price"),
    ] {
        let plan = Case::new("a $1 | b $2")
            .ask(request)
            .select()
            .expect("both may serve");
        assert_eq!(plan.record.strategy, strategy, "{request}");
    }
}

#[test]
fn the_record_holds_what_the_order_came_from() {
    let plan = Case::new("a $1 | b $2 outage | c $3 zdr read$.3")
        .ask("u=.5 pin=c account.ignore=b")
        .select()
        .expect("two may serve");
    let mut record = serde_json::to_value(&plan.record).expect("it is plain data");
    record["catalog_version"] = "…".into();
    expect![[r#"
        {
          "candidates": [
            {
              "draw_ppm": 1000000,
              "endpoint": "lab/m|a",
              "expected_cost_nanos": 1000000000,
              "health": "stable",
              "model": "lab/m",
              "provider": "A",
              "rank": 1
            },
            {
              "endpoint": "lab/m|b",
              "health": "outage",
              "model": "lab/m",
              "provider": "B",
              "ruled_out": {
                "detail": "the account ignores b",
                "field": "ignored_providers",
                "rule": "ignored",
                "scope": "account"
              }
            },
            {
              "endpoint": "lab/m|c",
              "expected_cost_nanos": 3000000000,
              "health": "stable",
              "model": "lab/m",
              "provider": "C",
              "rank": 0
            }
          ],
          "catalog_version": "…",
          "pin": "lab/m|c",
          "requested_models": [
            "lab/m"
          ],
          "route": "direct",
          "seed": 858,
          "strategy": "default"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&record).expect("it is JSON"));
}

#[test]
fn expected_cost_counts_prompt_output_and_requests() {
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
fn expected_cost_counts_images_where_they_are_priced_apiece() {
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
