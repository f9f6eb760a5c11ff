//! The order of what passed.

use std::time::Duration;

use expect_test::expect;

use super::fixture::{Case, check, order, plan_of};
use crate::health::HealthRank;

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
fn quality_goes_before_price_and_load_is_balanced_among_equals() {
    let rated = "a $1 calls=bad tools | b $2 tools | c $3 calls=good tools | d $3 calls=good tools";
    table(
        rated,
        &[
            ("sort=exacto u=.1", "c, d, b, a"),
            ("sort=exacto u=.9", "d, c, b, a"),
            ("models=m:exacto u=.1", "c, d, b, a"),
            ("account.sort=exacto u=.9", "d, c, b, a"),
            ("sort=exacto no-fallbacks u=.9", "c"),
            // Tools alone are reason enough, but not against a stated sort.
            ("with=tools u=.1", "c, d, b, a"),
            ("with=tools sort=price", "a, b, c, d"),
            ("with=tools models=m:floor", "a, b, c, d"),
            ("with=tools account.sort=price", "a, b, c, d"),
            (
                "with=tools account.sort=price models=m:exacto u=.1",
                "c, d, b, a",
            ),
            ("with=tools order=a u=.9", "a, d, c, b"),
            ("u=0", "a, b, c, d"),
        ],
    );
    // Good quality is no reason to go where nothing works just now.
    table(
        "a $1 tools | b $2 calls=good outage tools | c $3 calls=good down tools",
        &[("with=tools", "a, b, c"), ("sort=exacto", "a, b, c")],
    );
    // Where nothing is known it is load balancing.
    table(
        "a $1 | b $2",
        &[("sort=exacto u=.9", "b, a"), ("sort=exacto u=0", "a, b")],
    );
}

#[test]
fn thresholds_put_what_meets_them_first_and_cut_across_models() {
    // Reference scenario 38.
    table(
        "m1: a $1 tps90=30; m2: c $1 tps90=60",
        &[
            ("models=m1,m2 min-tps90=50", "c, a"),
            ("models=m1,m2 min-tps90=30", "a, c"),
            ("models=m1,m2", "a, c"),
        ],
    );
    let measured = "a $1 tps=60 tps90=40 ms=900 | b $2 tps=50 tps90=50 ms=400 ms99=2000 | c $3 seen-tps=80 | d $4";
    table(
        measured,
        &[
            // A bare figure is about the middle, for which the catalogue's counts, too.
            ("min-tps=55 sort=price", "a, c, b, d"),
            ("min-tps=81 sort=price", "a, b, c, d"),
            ("min-tps90=50 sort=price", "b, a, c, d"),
            ("max-ms=500 sort=price", "b, a, c, d"),
            ("max-ms=900 sort=price", "a, b, c, d"),
            ("max-ms99=1999 sort=price", "a, b, c, d"),
            // All cutoffs have to be met.
            ("min-tps=50 max-ms=500 sort=price", "b, a, c, d"),
            ("min-tps=55 max-ms=500 sort=price", "a, b, c, d"),
            ("min-tps=50 min-tps90=50 sort=price", "b, a, c, d"),
            // Load is balanced among those that meet them.
            ("min-tps=55 u=.95", "c, a, d, b"),
            // A listed order stands; of the others the fast ones go first.
            ("order=d min-tps90=50 sort=price", "d, b, a, c"),
            ("min-tps=55 no-fallbacks", "a"),
        ],
    );
    table(
        "a $1 tps=90 down | b $2 | c $3 tps=90 outage",
        &[("min-tps=50", "c, b, a")],
    );
}

#[test]
fn what_comes_back_is_back_for_its_share() {
    let back = "a $1 probation=100 | b $2";
    table(back, &[("u=0", "a, b"), ("sort=price", "a, b")]);
    let not_back = "a $1 probation=0 | b $2";
    // Nor is it stormed by those who sort strictly.
    table(
        not_back,
        &[("u=0", "b, a"), ("sort=price", "b, a"), ("order=a", "a, b")],
    );
    table(
        "a $1 probation=0 | b $2 down",
        &[("u=0", "a, b"), ("sort=price", "a, b")],
    );
    let row = |catalog: &str| {
        let plan = Case::new(catalog).select().expect("both may serve");
        plan.record.candidates[0].health
    };
    assert_eq!(row(back), HealthRank::Stable);
    assert_eq!(row(not_back), HealthRank::Degraded);
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
            // Reference scenario 36, with two more.
            ("models=m,n sort=price", "a, b, c, d"),
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
        ("sort=exacto", "sort:exacto"),
        ("sort=expected-cost", "sort:expected_cost"),
        ("with=seed", "default"),
        ("with=tools", "auto_exacto"),
        ("with=tools sort=price", "sort:price"),
        ("no-fallbacks", "cheapest"),
        ("no-fallbacks sort=price", "sort:price"),
    ] {
        let plan = Case::new("a $1 tools | b $2 tools")
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
              "expected_cost_nanos": 300000000,
              "health": "stable",
              "model": "lab/m",
              "provider": "C",
              "rank": 0
            }
          ],
          "catalog_version": "…",
          "pin": "lab/m|c",
          "pin_verdict": {
            "verdict": "retain"
          },
          "requested_models": [
            "lab/m"
          ],
          "route": "direct",
          "seed": 858,
          "strategy": "default"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&record).expect("it is JSON"));
}
