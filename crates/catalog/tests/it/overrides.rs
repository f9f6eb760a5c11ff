//! Prices that hold under conditions.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use switchyard_catalog::listing::prices_now;
use switchyard_domain::price_list::PriceList;

use crate::fixture::{at, endpoint, sound};

fn list(pricing: Value) -> PriceList {
    let mut files = sound();
    files.endpoints[0]["pricing"] = pricing;
    let catalog = files.loaded();
    let row = endpoint(&catalog, "zoo/owl|acme");
    PriceList::clone(row.prices.as_ref().expect("priced"))
}

fn check(overrides: Value, expected: &Expect) {
    let pricing = json!({"prompt": "0.000002", "completion": "0.000004", "overrides": overrides});
    let json = serde_json::to_string(&list(pricing).overrides).expect("JSON");
    expected.assert_eq(&json);
}

#[test]
fn conditions_are_read() {
    check(
        json!([{"min_prompt_tokens": 200_000, "prompt": "0.000004"}]),
        &expect![[r#"[{"min_prompt_tokens":200000,"prices":{"prompt":4000000}}]"#]],
    );
    check(
        json!([{"utc_start": 1630, "utc_end": 30, "completion": "0.000001"}]),
        &expect![[
            r#"[{"window":{"start_minute":990,"end_minute":30},"prices":{"completion":1000000}}]"#
        ]],
    );
    check(
        json!([{"utc_start": 1000, "utc_end": 0, "utc_days": ["friday", "monday"], "prompt": "0"}]),
        &expect![[
            r#"[{"window":{"start_minute":600,"end_minute":1440},"weekdays":[0,4],"prices":{"prompt":0}}]"#
        ]],
    );
    check(
        json!([{"utc_days": ["saturday", "sunday"], "input_cache_read": "0.0000001"}]),
        &expect![[r#"[{"weekdays":[5,6],"prices":{"input_cache_read":100000}}]"#]],
    );
}

#[test]
fn listings_show_the_prices_of_the_moment() {
    let list = list(json!({
        "prompt": "0.000002",
        "completion": "0.000004",
        "overrides": [
            {"min_prompt_tokens": 1000, "prompt": "0.000009"},
            {"utc_start": 1630, "utc_end": 30, "prompt": "0.000001"},
            {"utc_days": ["sunday"], "completion": "0.000003"},
        ],
    }));
    for (now, prompt, completion) in [
        ("2026-11-20T16:29:59Z", "0.000002", "0.000004"),
        ("2026-11-20T16:30:00Z", "0.000001", "0.000004"),
        ("2026-11-21T00:29:59Z", "0.000001", "0.000004"),
        ("2026-11-21T00:30:00Z", "0.000002", "0.000004"),
        ("2026-11-22T00:00:00Z", "0.000001", "0.000003"),
        ("2026-11-22T12:00:00Z", "0.000002", "0.000003"),
    ] {
        let prices = prices_now(&list, at(now));
        let shown =
            [prices.prompt, prices.completion].map(|price| price.expect("stated").to_string());
        assert_eq!(shown, [prompt, completion], "{now}");
    }
}

#[test]
fn a_snapshot_is_named_by_its_content() {
    let id = |pricing: Value| {
        let mut files = sound();
        files.endpoints[0]["pricing"] = pricing;
        let catalog = files.loaded();
        endpoint(&catalog, "zoo/owl|acme")
            .price_snapshot_id
            .clone()
            .expect("priced")
    };
    let base = id(json!({"prompt": "0.000002", "completion": "0.000004"}));
    let same = id(json!({"completion": "0.00000400", "prompt": "0.000002", "request": null}));
    let other = id(json!({"prompt": "0.000002", "completion": "0.000004", "request": "0"}));
    assert_eq!(base.len(), 32);
    assert_eq!(base, same);
    assert_ne!(base, other);
}
