//! Questions that are understood, and where the others are wrong.

use switchyard_app::activity::{
    Bound, Condition, Detail, Dimension, Interval, KeyName, Names, RowMeasure, Slice, Step, Sums,
    Value,
};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId, WorkspaceId},
    money::UsdNanos,
};

use super::{answer, ask::Question};
use crate::management::fields::Fields;

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-24T06:00:00Z").expect("an instant")
}

fn account() -> AccountId {
    "acct_00000000000000000000000000000001"
        .parse()
        .expect("an id")
}

fn read(body: &str) -> Result<Question, String> {
    let fields = Fields::of(body.as_bytes()).map_err(|failure| failure.message)?;
    let read = Question::read(fields, account(), now());
    read.map(|(question, _)| question).map_err(|failure| {
        assert_eq!(failure.status, 400);
        failure.message
    })
}

#[test]
fn a_question_says_all_that_is_asked() {
    let question = read(
        r#"{
            "metrics": ["request_count", "p95_latency"], "dimensions": ["model", "provider"],
            "granularity": "hour", "limit": 7, "group_limit": 3,
            "time_range": {"start": "2026-11-23T00:00:00Z", "end": "2026-11-24T00:00:00Z"},
            "filters": [
                {"field": "app", "operator": "neq", "value": "https://a.example"},
                {"field": "app", "operator": "in", "value": ["x", "y"], "include_unset": true},
                {"field": "is_byok", "operator": "eq", "value": true},
                {"field": "credits_usage", "operator": "gte", "value": 0.01},
                {"field": "user", "operator": "not_in", "include_unset": true,
                 "value": ["user_00000000000000000000000000000007"]}
            ]
        }"#,
    )
    .expect("a question");
    let asked = &question.breakdown;
    assert_eq!(asked.step, Step::Calendar(Interval::Hour));
    assert_eq!(asked.detail, Detail::Timed);
    assert_eq!(asked.dimensions, [Dimension::Model, Dimension::Provider]);
    let text = |text: &str| Some(Value::from(text));
    let conditions = &asked.scope.filter.conditions;
    assert_eq!(
        conditions[..4],
        [
            Condition::NoneOf(Dimension::App, vec![text("https://a.example"), None]),
            Condition::AnyOf(Dimension::App, vec![text("x"), text("y"), None]),
            Condition::AnyOf(Dimension::Byok, vec![text("true")]),
            Condition::Bounded(RowMeasure::Charge, Bound::AtLeast, 10_000_000),
        ]
    );
    let Condition::NoneOf(Dimension::User, users) = &conditions[4] else {
        panic!("{conditions:?}");
    };
    assert!(matches!(users[..], [Some(Value::Id(_))]));
}

#[test]
fn the_last_week_is_meant_where_no_time_is_given() {
    let question = read(r#"{"metrics":["tokens_total"]}"#).expect("a question");
    let range = question.breakdown.scope.range;
    assert_eq!(range.from.to_rfc3339(), "2026-11-17T06:00:00Z");
    assert_eq!(range.until, now());
}

/// Questions, and what is said of them.
const BODIES: &[(&str, &str)] = &[
    ("{}", "`metrics` is missing"),
    (r#"{"metrics":[]}"#, "`metrics` must have 1 to"),
    (
        r#"{"metrics":["request_count","nonsense"]}"#,
        "`metrics[1]` is no metric",
    ),
    (
        r#"{"metrics":["guardrail_invoked_count"]}"#,
        "`metrics[0]` is `guardrail_invoked_count`, which this service does not measure",
    ),
    (
        r#"{"metrics":["p50_latency"],"time_range":{"start":"2026-10-20T00:00:00Z"}}"#,
        "`time_range.start` must be at most 31",
    ),
];

/// What stands beside one metric.
const MEMBERS: &[(&str, &str)] = &[
    (
        r#""dimensions":["model","app","user"]"#,
        "`dimensions` must have 0 to 2",
    ),
    (
        r#""dimensions":["country"]"#,
        "`dimensions[0]` is `country`, which",
    ),
    (
        r#""dimensions":["app","origin"]"#,
        "`dimensions[1]` is there twice",
    ),
    (r#""granularity":"decade""#, "`granularity` must be minute"),
    (
        r#""limit":0"#,
        "`limit` must be a whole number from 1 to 10000",
    ),
    (r#""limit":10001"#, "`limit` must be"),
    (r#""group_limit":-1"#, "`group_limit` must be"),
    (
        r#""order_by":{"field":"cached_tokens"}"#,
        "`order_by.field` must be",
    ),
    (
        r#""order_by":{"field":"date","direction":"up"}"#,
        "`order_by.direction` must be",
    ),
    (r#""classifier_model":"x""#, "`classifier_model`"),
    (
        r#""time_range":{"start":"2026-11-01"}"#,
        "`time_range.start` must be a time in UTC",
    ),
    (
        r#""time_range":{"start":"2026-11-24T05:00:00Z","end":"2026-11-24T05:00:00Z"}"#,
        "`time_range.end` must be after",
    ),
    (
        r#""time_range":{"start":"2025-11-20T00:00:00Z"}"#,
        "`time_range.start` must be at most 365",
    ),
    (
        r#""dimensions":["session_id"],"time_range":{"start":"2026-10-20T00:00:00Z"}"#,
        "`time_range.start` must be at most 31",
    ),
];

/// One filter.
const FILTERS: &[(&str, &str)] = &[
    ("7", "`filters[0]` must be a JSON object"),
    (
        r#"{"operator":"eq","value":"x"}"#,
        "`filters[0].field` is missing",
    ),
    (
        r#"{"field":"nonsense","operator":"eq","value":"x"}"#,
        "`filters[0].field` is no field to filter by",
    ),
    (
        r#"{"field":"model","operator":"like","value":"x"}"#,
        "`filters[0].operator` must be one of",
    ),
    (
        r#"{"field":"model","operator":"gt","value":"x"}"#,
        "`filters[0].operator` compares numbers",
    ),
    (
        r#"{"field":"latency","operator":"in","value":[1]}"#,
        "`filters[0].operator` takes a list",
    ),
    (
        r#"{"field":"model","operator":"in","value":"x"}"#,
        "`filters[0].value` must be a list",
    ),
    (
        r#"{"field":"model","operator":"eq","value":["x"]}"#,
        "`filters[0].value` must be a string",
    ),
    (
        r#"{"field":"workspace","operator":"eq","value":"Default"}"#,
        "`filters[0].value` must be an id",
    ),
    (
        r#"{"field":"latency","operator":"gt","value":1.5}"#,
        "`filters[0].value` must be a whole number",
    ),
    (
        r#"{"field":"model","operator":"eq","value":"x","negate":true}"#,
        "`filters[0].negate`",
    ),
];

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let whole = BODIES.iter().map(|(body, told)| ((*body).to_owned(), told));
    let members = MEMBERS.iter().map(|(members, told)| {
        (
            format!(r#"{{"metrics":["request_count"],{members}}}"#),
            told,
        )
    });
    let filters = FILTERS.iter().map(|(filter, told)| {
        let body = format!(r#"{{"metrics":["request_count"],"filters":[{filter}]}}"#);
        (body, told)
    });
    for (body, message) in whole.chain(members).chain(filters) {
        let told = read(&body).expect_err(&body);
        assert!(told.contains(message), "{body}: {told}");
    }
}

fn slice(hour: Option<&str>, value: &str, requests: u64, usd: i64) -> Slice {
    Slice {
        at: hour.map(|hour| Timestamp::parse_rfc3339(hour).expect("an instant")),
        values: vec![Some(Value::from(value))],
        sums: Sums {
            requests,
            charge: UsdNanos::new(usd * 1_000_000_000),
            ..Sums::default()
        },
    }
}

fn told(body: &str, slices: Vec<Slice>) -> (serde_json::Value, bool) {
    let question = read(body).expect("a question");
    let rows = answer::rows(&question, slices, &Names::default());
    let json = serde_json::to_value(&rows.rows).expect("rows");
    (json, rows.is_truncated)
}

#[test]
fn the_rest_of_many_groups_is_other() {
    let slices = || {
        vec![
            slice(Some("2026-11-23T00:00:00Z"), "a", 1, 5),
            slice(Some("2026-11-22T00:00:00Z"), "b", 2, 1),
            slice(Some("2026-11-22T00:00:00Z"), "c", 3, 1),
            slice(Some("2026-11-22T00:00:00Z"), "d", 4, 1),
        ]
    };
    let body = r#"{"metrics":["credits_usage","request_count"],"dimensions":["model"],
        "granularity":"day","group_limit":1}"#;
    let (rows, is_truncated) = told(body, slices());
    assert_eq!(
        rows,
        serde_json::json!([
            {"date__day": "2026-11-22", "model": "Other", "credits_usage": 3, "request_count": "9"},
            {"date__day": "2026-11-23", "model": "a", "credits_usage": 5, "request_count": "1"},
        ])
    );
    assert!(!is_truncated);
    let body = r#"{"metrics":["request_count"],"dimensions":["model"],"granularity":"day","limit":2,
        "order_by":{"field":"request_count"}}"#;
    let (rows, is_truncated) = told(body, slices());
    assert_eq!(
        (&rows[0]["model"], &rows[1]["model"]),
        (&"d".into(), &"c".into())
    );
    assert!(is_truncated);
}

#[test]
fn ids_are_told_by_name_and_finer_times_as_instants() {
    let key: ApiKeyId = "key_00000000000000000000000000000003"
        .parse()
        .expect("an id");
    let workspace: WorkspaceId = "ws_00000000000000000000000000000004"
        .parse()
        .expect("an id");
    let mut names = Names::default();
    names.keys.insert(
        key,
        KeyName {
            name: "ci".to_owned(),
            label: String::new(),
            hash: String::new(),
            creator_id: None,
            is_deleted: true,
        },
    );
    let question = read(
        r#"{"metrics":["request_count"],"dimensions":["api_key_id","workspace"],"granularity":"hour"}"#,
    )
    .expect("a question");
    let slices = vec![Slice {
        values: vec![
            Some(Value::Id(key.as_uuid())),
            Some(Value::Id(workspace.as_uuid())),
        ],
        ..slice(Some("2026-11-23T05:00:00Z"), "", 1, 0)
    }];
    assert_eq!(answer::keys_in(&question, &slices), [key]);
    let rows = answer::rows(&question, slices, &names);
    assert_eq!(
        serde_json::to_value(&rows.rows).expect("rows"),
        serde_json::json!([{
            "created_at__hour": "2026-11-23T05:00:00Z",
            "api_key_id": "ci",
            "workspace": workspace.to_string(),
            "request_count": "1",
        }])
    );
}
