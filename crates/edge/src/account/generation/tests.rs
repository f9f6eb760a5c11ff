use std::sync::Arc;

use serde_json::Value;
use switchyard_domain::{clock::Timestamp, id::ApiKeyId, money::UsdNanos, tenancy::ApiKey};

use super::*;

/// Every key that clients require.
const REQUIRED: [&str; 41] = [
    "id",
    "upstream_id",
    "total_cost",
    "cache_discount",
    "upstream_inference_cost",
    "created_at",
    "model",
    "app_id",
    "streamed",
    "cancelled",
    "provider_name",
    "latency",
    "moderation_latency",
    "generation_time",
    "finish_reason",
    "native_finish_reason",
    "service_tier",
    "tokens_prompt",
    "tokens_completion",
    "native_tokens_prompt",
    "native_tokens_completion",
    "native_tokens_completion_images",
    "native_tokens_reasoning",
    "native_tokens_cached",
    "num_media_prompt",
    "num_input_audio_prompt",
    "num_media_completion",
    "num_search_results",
    "num_fetches",
    "web_search_engine",
    "origin",
    "usage",
    "is_byok",
    "data_region",
    "external_user",
    "api_type",
    "preset_id",
    "router",
    "provider_responses",
    "user_agent",
    "http_referer",
];

fn caller(kind: KeyKind) -> Caller {
    let [account, workspace, key] =
        ["acct_", "ws_", "key_"].map(|prefix| format!("{prefix}00000000000000000000000000000001"));
    let id: ApiKeyId = key.parse().expect("an id");
    Caller {
        key: Arc::new(ApiKey {
            id,
            account_id: account.parse().expect("an id"),
            workspace_id: workspace.parse().expect("an id"),
            kind,
            name: "test".to_owned(),
            label: "sk-sy-v1-abc…xyz".to_owned(),
            hash: String::new(),
            limit: None,
            expires_at: None,
            disabled: false,
            created_at: Timestamp::default(),
            creator_id: None,
            shares_limit_of: None,
        }),
    }
}

/// A generation that no endpoint served: nearly everything is unknown.
fn unserved() -> GenerationData<'static> {
    GenerationData {
        id: "gen-1764000000-0123456789abcdefghij",
        upstream_id: None,
        total_cost: Usd(UsdNanos::new(213_038)),
        cache_discount: None,
        upstream_inference_cost: None,
        created_at: Timestamp::from_seconds(1_764_000_000).to_rfc3339(),
        model: "acme/one",
        app_id: None,
        streamed: Some(true),
        cancelled: Some(false),
        provider_name: None,
        latency: None,
        moderation_latency: None,
        generation_time: None,
        finish_reason: None,
        native_finish_reason: None,
        service_tier: None,
        counts: Counts::new(
            &TokenUsage {
                input_uncached: 5,
                cache_read: 7,
                output_text: 2,
                reasoning: 3,
                ..TokenUsage::default()
            },
            1,
        ),
        origin: "",
        usage: Usd(UsdNanos::new(213_038)),
        is_byok: false,
        data_region: "global",
        external_user: None,
        api_type: Some("completions"),
        preset_id: None,
        router: None,
        provider_responses: Some(vec![AttemptView {
            status: None,
            endpoint_id: "acme/one|bolt",
            provider: "bolt",
            is_byok: false,
            credential: "shared",
            latency: 12,
            error: Some("connect"),
        }]),
        user_agent: None,
        http_referer: None,
        workspace_id: None,
        request_id: None,
        session_id: None,
    }
}

#[test]
fn every_required_key_is_there_even_when_nothing_is_known() {
    let text = serde_json::to_string(&GenerationAnswer { data: unserved() }).expect("JSON");
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    let data = answer["data"].as_object().expect("an object");
    for key in REQUIRED.iter().chain(&["workspace_id"]) {
        assert!(data.contains_key(*key), "{key}");
    }
    for key in ["request_id", "session_id", "response_cache_source_id"] {
        assert!(!data.contains_key(key), "{key}");
    }
    for key in ["id", "created_at", "model", "origin", "data_region"] {
        assert!(data[key].is_string(), "{key}");
    }
    assert_eq!(data["created_at"], "2025-11-24T16:00:00Z");
    assert_eq!(
        (&data["tokens_prompt"], &data["tokens_completion"]),
        (&12.into(), &5.into())
    );
    assert_eq!(data["native_tokens_cached"], 7);
    assert_eq!(data["provider_responses"][0]["status"], Value::Null);
    // Exact, not 0.00021303800000000001.
    assert!(text.contains(r#""total_cost":0.000213038,"#), "{text}");
}

#[test]
fn ids_are_checked_before_anybody_is_asked() {
    let id_of = |uri: &'static str| id_in(&Uri::from_static(uri));
    let id = "gen-1764000000-0123456789abcdefghij";
    let good = id_of("/generation?id=gen-1764000000-0123456789abcdefghij&beta=true");
    assert_eq!(good.expect("an id").as_str(), id);
    for bad in [
        "/generation",
        "/generation?id=",
        "/generation?id=gen-1764000000-0123456789abcdefghi'",
        "/generation?id=gen-1-x%00",
        "/generation?id=gen-1764000000-0123456789abcdefghij&id=b",
    ] {
        assert_eq!(id_of(bad).expect_err("no id").status, 400, "{bad}");
    }
}

#[test]
fn walls_stand_between_accounts_and_workspaces() {
    let [ours, other] = [1_u8, 2].map(|n| format!("{n:032}"));
    let account = |n: &String| format!("acct_{n}").parse().expect("an id");
    let workspace = |n: &String| format!("ws_{n}").parse().expect("an id");
    for (kind, account_number, workspace_number, may) in [
        (KeyKind::Inference, &ours, &ours, true),
        (KeyKind::Inference, &ours, &other, false),
        (KeyKind::Inference, &other, &ours, false),
        (KeyKind::Management, &ours, &other, true),
        (KeyKind::Management, &other, &ours, false),
    ] {
        let (account, workspace) = (account(account_number), workspace(workspace_number));
        assert_eq!(may_see(&caller(kind), account, workspace), may, "{kind:?}");
    }
}
