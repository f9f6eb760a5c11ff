use bytes::Bytes;
use expect_test::expect;
use switchyard_domain::{id::GenerationId, money::UsdNanos, tokens::TokenUsage};

use super::*;
use crate::openai_chat::decode_completion;

fn head() -> ReplyHead {
    ReplyHead {
        generation_id: GenerationId::new(1, 0),
        created_seconds: 2,
        model: "a/b".to_owned(),
        provider: "P".to_owned(),
    }
}

fn tail() -> ReplyTail {
    ReplyTail {
        tokens: TokenUsage {
            input_uncached: 9,
            output_text: 1,
            ..TokenUsage::default()
        },
        cost: UsdNanos::new(10_000),
        is_byok: false,
        list_cost: UsdNanos::new(10_000),
        list_cost_prompt: UsdNanos::new(9_000),
        list_cost_completion: UsdNanos::new(1_000),
        service_tier: None,
        metadata: None,
    }
}

fn encode(body: &str, verbatim: bool) -> String {
    let mut completion = decode_completion(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    assert!(completion.verbatim.is_some());
    if !verbatim {
        completion.verbatim = None;
    }
    String::from_utf8(encode_completion(&head(), &completion, &tail())).unwrap()
}

const ANSWER: &str = r#"{"id":"x","object":"chat.completion","created":1,"model":"m","odd":1.0,"system_fingerprint":"fp","choices":[{"index":0,"message":{"role":"assistant","content":null,"reasoning_content":"hm","annotations":null,"odd":[],"tool_calls":[{"id":"c","index":0,"type":"function","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop","logprobs":null}],"usage":{"prompt_tokens":9,"completion_tokens":1},"service_tier":null}"#;

#[test]
fn an_answer_of_this_format_keeps_what_is_its_own() {
    expect![[r#"{"id":"gen-1-00000000000000000000","object":"chat.completion","created":2,"model":"a/b","provider":"P","odd":1.0,"system_fingerprint":"fp","choices":[{"index":0,"message":{"odd":[],"tool_calls":[{"id":"c","index":0,"type":"function","function":{"name":"f","arguments":"{}"}}],"content":null,"role":"assistant","reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","format":"unknown","index":0}]},"finish_reason":"tool_calls","native_finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10,"cost":0.00001,"is_byok":false,"cost_details":{"upstream_inference_cost":0.00001,"upstream_inference_prompt_cost":0.000009,"upstream_inference_completions_cost":0.000001},"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"audio_tokens":0,"video_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"image_tokens":0,"audio_tokens":0}}}"#]].assert_eq(&encode(ANSWER, true));
}

#[test]
fn an_answer_is_built_from_parts() {
    expect![[r#"{"id":"gen-1-00000000000000000000","object":"chat.completion","created":2,"model":"a/b","provider":"P","system_fingerprint":null,"choices":[{"index":0,"message":{"role":"assistant","content":null,"refusal":null,"reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","format":"unknown","index":0}],"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls","native_finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10,"cost":0.00001,"is_byok":false,"cost_details":{"upstream_inference_cost":0.00001,"upstream_inference_prompt_cost":0.000009,"upstream_inference_completions_cost":0.000001},"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0,"audio_tokens":0,"video_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"image_tokens":0,"audio_tokens":0}}}"#]].assert_eq(&encode(ANSWER, false));
}

#[test]
fn errors_have_a_numeric_code_and_a_type() {
    let raw = |value: serde_json::Value| Some(serde_json::value::to_raw_value(&value).unwrap());
    let failure = PublicFailure {
        status: 404,
        error_type: "not_found",
        message: "no endpoint serves `a/b`".to_owned(),
        retry_after: None,
        metadata: raw(serde_json::json!({"error_type": "other", "provider_name": "P"})),
        availability: raw(serde_json::json!({"code": "no_endpoints"})),
    };
    expect![[r#"{"error":{"code":404,"message":"no endpoint serves `a/b`","error_type":"not_found","http_status":404,"availability":{"code":"no_endpoints"},"metadata":{"error_type":"not_found","provider_name":"P"}},"user_id":"user_1"}"#]].assert_eq(&String::from_utf8(encode_error(&failure, Some("user_1"))).unwrap());
    let unreadable = PublicFailure {
        metadata: raw(serde_json::json!([1])),
        ..failure
    };
    let body = encode_error(&unreadable, None);
    serde_json::from_slice::<serde_json::Value>(&body).unwrap();
}
