use std::time::Duration;

use serde_json::{Value, json};
use switchyard_app::api_keys::{KeyWishes, ManagedKey, NewKey};
use switchyard_domain::{
    clock::{ResetInterval, Timestamp},
    money::UsdNanos,
    patch::Patch,
    tenancy::{ApiKey, KeyKind, KeyLimit},
};

use super::{super::fields::Fields, *};

const NOW: Timestamp = Timestamp::from_seconds(1_795_500_000);

fn new_key(body: &Value) -> Result<NewKey, PublicFailure> {
    let body = body.to_string();
    input::new_key(Fields::of(body.as_bytes())?)
}

fn wishes(body: &Value) -> Result<KeyWishes, PublicFailure> {
    let body = body.to_string();
    input::key_wishes(Fields::of(body.as_bytes())?)
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, PublicFailure>) -> (u16, String) {
    let failure = outcome.expect_err("refused");
    (failure.status, failure.message)
}

fn managed() -> ManagedKey {
    let id = |prefix: &str| format!("{prefix}00000000000000000000000000000001");
    ManagedKey {
        key: ApiKey {
            id: id("key_").parse().expect("an id"),
            account_id: id("acct_").parse().expect("an id"),
            workspace_id: id("ws_").parse().expect("an id"),
            kind: KeyKind::Inference,
            name: "ci".to_owned(),
            label: "sk-sy-v1-abc...xyz".to_owned(),
            hash: "ab".repeat(32),
            limit: Some(KeyLimit {
                limit: UsdNanos::new(5_000_000_000),
                reset: Some(ResetInterval::Daily),
                include_byok: true,
            }),
            expires_at: None,
            disabled: false,
            created_at: NOW,
            creator_id: Some(id("user_").parse().expect("an id")),
            shares_limit_of: None,
        },
        lookup_id: "l".to_owned(),
        updated_at: Some(NOW.plus(Duration::from_millis(1))),
        last_used_at: None,
        external_user: None,
        rotated_from: None,
        rotated_to: None,
        revision: 1,
        usage: Default::default(),
    }
}

#[test]
fn a_key_has_every_field_that_any_client_requires() {
    let mut key = managed();
    key.usage.usage.daily = UsdNanos::new(1);
    key.usage.byok_usage.daily = UsdNanos::new(2);
    // Another key shares the limit.
    key.usage.limit_used = UsdNanos::new(4);
    let told = serde_json::to_value(KeyView::of(&key)).expect("JSON");
    assert_eq!(
        told,
        json!({
            "hash": "ab".repeat(32),
            "label": "sk-sy-v1-abc...xyz",
            "name": "ci",
            "disabled": false,
            "limit": 5,
            "limit_remaining": 4.999_999_996,
            "limit_reset": "daily",
            "include_byok_in_limit": true,
            "usage": 0, "usage_daily": 1e-9, "usage_weekly": 0, "usage_monthly": 0,
            "byok_usage": 0, "byok_usage_daily": 2e-9, "byok_usage_weekly": 0,
            "byok_usage_monthly": 0,
            "created_at": "2026-11-24T06:00:00Z",
            "updated_at": "2026-11-24T06:00:00.001Z",
            "expires_at": null,
            "creator_user_id": "user_00000000000000000000000000000001",
            "workspace_id": "ws_00000000000000000000000000000001",
            "external_user": null,
            "last_used_at": null,
            "rotated_from": null,
            "rotated_to": null,
        })
    );
}

#[test]
fn a_new_key_is_read_as_it_is_written() {
    let wanted = new_key(&json!({
        "name": "ci",
        "limit": 12.5,
        "limit_reset": "weekly",
        "include_byok_in_limit": true,
        "expires_at": "2027-01-01T00:00:00Z",
        "creator_user_id": "user_00000000000000000000000000000001",
        "workspace_id": "ws_00000000000000000000000000000001",
        "external": {"user": "u-1", "api_key": "k".repeat(32)},
    }));
    let wanted = wanted.expect("a good body");
    assert_eq!(wanted.name, "ci");
    assert_eq!(
        wanted.limit.limit,
        Patch::Set(UsdNanos::new(12_500_000_000))
    );
    assert_eq!(wanted.limit.reset, Patch::Set(ResetInterval::Weekly));
    assert_eq!(wanted.limit.include_byok, Some(true));
    assert!(wanted.expires_at.is_some() && wanted.creator_id.is_some());
    let external = wanted.external.expect("given");
    assert_eq!(external.user, "u-1");
    assert!(external.api_key.is_some());
    let least = new_key(&json!({"name": "x", "limit": null, "expires_at": null}));
    assert_eq!(least.expect("a good body").limit.limit, Patch::Clear);
}

#[test]
fn wrong_fields_of_a_new_key_are_named() {
    for (body, status, part) in [
        (json!({}), 400, "`name` is missing"),
        (
            json!({"name": ""}),
            400,
            "`name` must have 1 to 255 characters",
        ),
        (json!({"name": 5}), 400, "`name` must be a string"),
        (
            json!({"name": "x", "limit": -1}),
            400,
            "`limit` must not be negative",
        ),
        (
            json!({"name": "x", "limit": "5"}),
            400,
            "`limit` must be a number",
        ),
        (
            json!({"name": "x", "limit_reset": "hourly"}),
            400,
            "`limit_reset` must be one of `daily`, `weekly`, `monthly`",
        ),
        (
            json!({"name": "x", "expires_at": "2027-01-01T01:00:00+01:00"}),
            400,
            "`expires_at` must be a time in UTC",
        ),
        (
            json!({"name": "x", "expires_at": "2027-01-01T00:00Z"}),
            400,
            "`expires_at` must be a time in UTC",
        ),
        (
            json!({"name": "x", "creator_user_id": "me"}),
            400,
            "`creator_user_id` is no member",
        ),
        (
            json!({"name": "x", "workspace_id": "ws_1"}),
            404,
            "The workspace was not found",
        ),
        (
            json!({"name": "x", "external": {}}),
            400,
            "`external.user` is missing",
        ),
        (
            json!({"name": "x", "external": {"user": "u", "api_key": "short"}}),
            400,
            "`external.api_key` must have 32 to 1024 characters",
        ),
        (
            json!({"name": "x", "kind": "management"}),
            400,
            "`kind` is set by the service",
        ),
        (
            json!({"name": "x", "is_management_key": true}),
            400,
            "`is_management_key` is set by the service",
        ),
    ] {
        let (told, message) = refused(new_key(&body));
        assert_eq!(told, status, "{body}");
        assert!(message.contains(part), "{body}: {message}");
    }
}

#[test]
fn t16_no_write_takes_what_the_service_says_about_a_key() {
    let told = serde_json::to_value(KeyView::of(&managed())).expect("JSON");
    let settable = [
        "name",
        "disabled",
        "limit",
        "limit_reset",
        "include_byok_in_limit",
    ];
    for (field, value) in told.as_object().expect("an object") {
        if settable.contains(&field.as_str()) {
            continue;
        }
        let mut body = json!({});
        body[field] = value.clone();
        let (status, message) = refused(wishes(&body));
        assert_eq!(status, 400, "{field}");
        assert!(message.contains(&format!("`{field}`")), "{message}");
        assert!(!message.contains("is not known"), "{message}");
    }
}

#[test]
fn a_change_tells_null_from_nothing() {
    let some = wishes(&json!({"limit": null, "disabled": true})).expect("a good body");
    assert_eq!(some.limit.limit, Patch::Clear);
    assert_eq!(some.limit.reset, Patch::Keep);
    assert_eq!((some.name, some.disabled), (None, Some(true)));
    for (body, part) in [
        (json!({"name": null}), "`name` must not be null"),
        (json!({"disabled": null}), "`disabled` must not be null"),
        (
            json!({"disabled": "yes"}),
            "`disabled` must be true or false",
        ),
        (
            json!({"expires_at": "2027-01-01T00:00:00Z"}),
            "cannot be changed",
        ),
    ] {
        let (status, message) = refused(wishes(&body));
        assert_eq!(status, 400);
        assert!(message.contains(part), "{body}: {message}");
    }
}

#[test]
fn queries_are_read_as_clients_write_them() {
    let read = |query: &str| KeysQuery::read(&query.parse().expect("a path"));
    let usual = read("/keys").expect("nothing asked");
    assert_eq!((usual.disabled, usual.expired), (Some(false), Some(false)));
    assert!(usual.workspace_id.is_none());
    let all = read("/keys?include_disabled=true&include_expired=true&offset=100&other=1");
    let all = all.expect("good");
    assert_eq!((all.disabled, all.expired), (None, None));
    assert_eq!(all.offset, 100);
    for (query, status) in [
        ("/keys?offset=-1", 400),
        ("/keys?offset=x", 400),
        ("/keys?include_disabled=yes", 400),
        ("/keys?workspace_id=ws_1", 404),
        ("/keys?offset=1&offset=2", 400),
    ] {
        assert_eq!(refused(read(query)).0, status, "{query}");
    }
}
