use std::sync::Arc;

use serde_json::Value;
use switchyard_domain::{
    clock::Timestamp,
    money::UsdNanos,
    tenancy::{ApiKey, KeyLimit},
};

use super::*;

type Holds = fn(&Value) -> bool;

/// Every key that clients require, with what kind of value it has.
const REQUIRED: [(&str, Holds); 27] = [
    ("label", Value::is_string),
    ("limit", is_number_or_null),
    ("limit_remaining", is_number_or_null),
    ("limit_reset", is_text_or_null),
    ("include_byok_in_limit", Value::is_boolean),
    ("usage", Value::is_number),
    ("usage_daily", Value::is_number),
    ("usage_weekly", Value::is_number),
    ("usage_monthly", Value::is_number),
    ("byok_usage", Value::is_number),
    ("byok_usage_daily", Value::is_number),
    ("byok_usage_weekly", Value::is_number),
    ("byok_usage_monthly", Value::is_number),
    ("is_free_tier", Value::is_boolean),
    ("is_management_key", Value::is_boolean),
    ("is_provisioning_key", Value::is_boolean),
    ("creator_user_id", is_text_or_null),
    ("organization_id", is_text_or_null),
    ("workspace_id", is_text_or_null),
    ("rate_limit", Value::is_object),
    ("allowed_data_regions", Value::is_array),
    ("free_model_daily_requests", Value::is_object),
    ("budgets", Value::is_array),
    ("effective_budget", |budget| {
        budget.is_object() || budget.is_null()
    }),
    ("label", |label| label == "sk-sy-v1-abc…xyz"),
    ("rate_limit", |limit| {
        limit["requests"] == -1 && limit["interval"].is_string()
    }),
    ("free_model_daily_requests", |free| {
        ["limit", "used", "remaining"]
            .iter()
            .all(|key| free[key].is_u64())
    }),
];

fn is_number_or_null(value: &Value) -> bool {
    value.is_number() || value.is_null()
}

fn is_text_or_null(value: &Value) -> bool {
    value.is_string() || value.is_null()
}

fn overview(kind: KeyKind, limit: Option<KeyLimit>) -> KeyOverview {
    let id = |prefix: &str| format!("{prefix}00000000000000000000000000000001");
    let mut overview = KeyOverview {
        key: Arc::new(ApiKey {
            id: id("key_").parse().expect("an id"),
            account_id: id("acct_").parse().expect("an id"),
            workspace_id: id("ws_").parse().expect("an id"),
            kind,
            name: "test".to_owned(),
            label: "sk-sy-v1-abc…xyz".to_owned(),
            hash: String::new(),
            limit,
            expires_at: limit.map(|_| Timestamp::from_seconds(1_764_000_000)),
            disabled: false,
            created_at: Timestamp::default(),
            creator_id: None,
            shares_limit_of: None,
        }),
        usage: Default::default(),
        limit_remaining: limit.map(|_| UsdNanos::new(-1)),
        is_free_tier: true,
        at: Timestamp::from_seconds(1_763_000_000),
    };
    overview.usage.usage.total = UsdNanos::new(213_038);
    overview.usage.usage.daily = UsdNanos::new(1);
    overview.usage.byok_usage.weekly = UsdNanos::new(2_500_000_000);
    overview
}

fn written(overview: &KeyOverview) -> (String, Value) {
    let answer = KeyAnswer {
        data: KeyView::new(overview),
    };
    let text = serde_json::to_string(&answer).expect("JSON");
    let mut value: Value = serde_json::from_str(&text).expect("JSON");
    (text, value["data"].take())
}

#[test]
fn every_required_key_is_there_with_its_kind_of_value() {
    let limit = KeyLimit {
        limit: UsdNanos::new(5),
        reset: Some(ResetInterval::Weekly),
        include_byok: true,
    };
    for limit in [None, Some(limit)] {
        let (text, data) = written(&overview(KeyKind::Inference, limit));
        for (key, holds) in REQUIRED {
            assert!(data.get(key).is_some_and(holds), "{key}: {text}");
        }
        assert_eq!(data["limit"].is_number(), limit.is_some());
        assert_eq!(data["effective_budget"].is_object(), limit.is_some());
        assert_eq!(data["limit_reset"].as_str(), limit.map(|_| "weekly"));
        assert_eq!(data.get("expires_at").is_some(), limit.is_some());
    }
}

#[test]
fn money_keeps_all_of_its_digits() {
    let limit = KeyLimit {
        limit: UsdNanos::MAX,
        reset: None,
        include_byok: false,
    };
    let (text, _) = written(&overview(KeyKind::Inference, Some(limit)));
    for exact in [
        r#""limit":9223372036.854775807,"#,
        r#""limit_remaining":-0.000000001,"#,
        r#""usage":0.000213038,"#,
        r#""usage_daily":0.000000001,"#,
        r#""byok_usage_weekly":2.5,"#,
    ] {
        assert!(text.contains(exact), "{exact} in {text}");
    }
}

#[test]
fn management_keys_say_so_under_both_names() {
    for kind in [KeyKind::Inference, KeyKind::Management] {
        let (_, data) = written(&overview(kind, None));
        assert_eq!(data["is_management_key"], kind == KeyKind::Management);
        assert_eq!(data["is_provisioning_key"], data["is_management_key"]);
    }
}

#[test]
fn a_keys_own_limit_is_a_budget() {
    // 2025-11-13T02:13:20Z, a Thursday.
    for (reset, interval, resets_at) in [
        (None, Value::Null, Value::Null),
        (
            Some(ResetInterval::Weekly),
            "weekly".into(),
            "2025-11-17T00:00:00Z".into(),
        ),
    ] {
        let limit = KeyLimit {
            limit: UsdNanos::new(5_000_000_000),
            reset,
            include_byok: true,
        };
        let (_, data) = written(&overview(KeyKind::Inference, Some(limit)));
        let expected = serde_json::json!({
            "scope": "key_limit",
            "limit_usd": 5,
            "spend_usd": 5.000_000_001,
            "remaining_usd": -1e-9,
            "include_byok": true,
            "reset_interval": interval,
            "resets_at": resets_at,
            "budget_id": null,
            "guardrail_id": null,
        });
        assert_eq!(data["budgets"], serde_json::json!([expected]));
        assert_eq!(data["effective_budget"], expected);
    }
    let (_, data) = written(&overview(KeyKind::Inference, None));
    assert_eq!(data["budgets"], serde_json::json!([]));
}
