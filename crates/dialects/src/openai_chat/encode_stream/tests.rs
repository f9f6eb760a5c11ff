use bytes::Bytes;
use expect_test::{Expect, expect};
use switchyard_domain::{id::GenerationId, money::UsdNanos, tokens::TokenUsage};
use switchyard_interchange::failure::{Failure, FailureKind};

use super::*;
use crate::openai_chat::StreamDecoder;

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
            input_uncached: 5,
            cache_read: 3,
            cache_write_1h: 1,
            output_text: 1,
            reasoning: 2,
            ..TokenUsage::default()
        },
        cost: UsdNanos::new(10_000),
        is_byok: true,
        list_cost: UsdNanos::new(1_500_000_000),
        list_cost_prompt: UsdNanos::new(1_500_000_000),
        list_cost_completion: UsdNanos::ZERO,
        service_tier: Some("flex".to_owned()),
        metadata: Some(serde_json::value::to_raw_value(&[1]).unwrap()),
    }
}

/// The frames without what all of them begin with.
fn shows(out: &[u8], expected: Expect) {
    let out = std::str::from_utf8(out).unwrap();
    let id = GenerationId::new(1, 0);
    let same = format!(
        r#"data: {{"id":"{id}","object":"chat.completion.chunk","created":2,"model":"a/b","provider":"P","#
    );
    expected.assert_eq(&out.replace(&same, "> ").replace("\n\n", "\n"));
}

/// One part of each kind.
fn every_kind() -> Vec<ChatEvent> {
    let format = "anthropic-claude-v1".to_owned();
    let delta = |part, delta| ChatEvent::Delta { part, delta };
    vec![
        ChatEvent::Start {
            upstream_id: None,
            model: None,
        },
        ChatEvent::PartStart {
            part: 0,
            kind: PartKind::Reasoning {
                id: None,
                format: format.clone(),
            },
        },
        delta(0, Delta::Text("hm".into())),
        delta(0, Delta::Signature("S".to_owned())),
        ChatEvent::PartStop { part: 0 },
        ChatEvent::PartStart {
            part: 1,
            kind: PartKind::EncryptedReasoning {
                id: None,
                format,
                data: "E".into(),
            },
        },
        ChatEvent::PartStop { part: 1 },
        ChatEvent::PartStart {
            part: 2,
            kind: PartKind::Text,
        },
        delta(2, Delta::Text("\"hi\"\n".into())),
        delta(
            2,
            Delta::Citation(Citation {
                url: "https://a".to_owned(),
                title: None,
                content: None,
                start_index: Some(0),
                end_index: None,
            }),
        ),
        ChatEvent::PartStart {
            part: 3,
            kind: PartKind::ToolCall {
                id: "c".to_owned(),
                name: "f".to_owned(),
            },
        },
        delta(3, Delta::Arguments("{}".into())),
        ChatEvent::PartStop { part: 3 },
        ChatEvent::Finish(Finish {
            reason: FinishReason::ToolCalls,
            native: Some("tool_use".to_owned()),
            stop_sequence: None,
        }),
    ]
}

#[test]
fn events_become_chunks() {
    let mut encoder = StreamEncoder::new(head());
    let mut out = Vec::new();
    let events = every_kind();
    encoder.step(
        &StreamStep {
            events,
            verbatim: None,
        },
        &mut out,
    );
    encoder.finish(&tail(), &mut out);
    encoder.finish(&tail(), &mut out);
    shows(
        &out,
        expect![[r#"
        > "choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null,"native_finish_reason":null}]}
        > "choices":[{"index":0,"delta":{"role":"assistant","reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","format":"anthropic-claude-v1","index":0}]},"finish_reason":null,"native_finish_reason":null}]}
        > "choices":[{"index":0,"delta":{"role":"assistant","reasoning_details":[{"type":"reasoning.text","text":"","signature":"S","format":"anthropic-claude-v1","index":0}]},"finish_reason":null,"native_finish_reason":null}]}
        > "choices":[{"index":0,"delta":{"role":"assistant","reasoning_details":[{"type":"reasoning.encrypted","data":"E","format":"anthropic-claude-v1","index":1}]},"finish_reason":null,"native_finish_reason":null}]}
        > "choices":[{"index":0,"delta":{"role":"assistant","content":"\"hi\"\n"},"finish_reason":null,"native_finish_reason":null}]}
        > "choices":[{"index":0,"delta":{"role":"assistant","annotations":[{"type":"url_citation","url_citation":{"url":"https://a","start_index":0}}]},"finish_reason":null,"native_finish_reason":null}]}
        > "choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":""}}]},"finish_reason":null,"native_finish_reason":null}]}
        > "choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"function":{"arguments":"{}"}}]},"finish_reason":null,"native_finish_reason":null}]}
        > "choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"tool_calls","native_finish_reason":"tool_use"}]}
        > "choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null,"native_finish_reason":null}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"cost":0.00001,"is_byok":true,"cost_details":{"upstream_inference_cost":1.5,"upstream_inference_prompt_cost":1.5,"upstream_inference_completions_cost":0},"prompt_tokens_details":{"cached_tokens":3,"cache_write_tokens":1,"audio_tokens":0,"video_tokens":0},"completion_tokens_details":{"reasoning_tokens":2,"image_tokens":0,"audio_tokens":0}},"service_tier":"flex","openrouter_metadata":[1]}
        data: [DONE]
    "#]],
    );
}

#[test]
fn chunks_of_this_format_keep_what_is_theirs() {
    let mut decoder = StreamDecoder::new();
    let mut encoder = StreamEncoder::new(head());
    let mut out = Vec::new();
    for chunk in [
        r#"{"id":"","model":"","object":"","created":0,"choices":[],"prompt_filter_results":[]}"#,
        r#"{"id":"x","object":"chat.completion.chunk","created":1.5,"model":"m","system_fingerprint":null,"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null,"tool_calls":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"zz"}"#,
        r#"{"id":"x","system_fingerprint":"fp","odd":{"a":1.0},"choices":[{"delta":{"reasoning_content":"h\u00e9"},"finish_reason":""}],"error":null,"p":"q"}"#,
        r#"{"id":"x","choices":[{"index":0,"text":"a","message":{"content":"ha"},"delta":{"content":"ha"}}]}"#,
        r#"{"id":"x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"","odd":null},"extra_content":{"s":1}}]}}]}"#,
        r#"{"id":"x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":null,"function":{"arguments":"{}"}}]}}]}"#,
        r#"{"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop","content_filter_results":{}}],"usage":{"completion_tokens":1}}"#,
        r#"{"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        r#"{"id":"x","choices":[],"usage":{"completion_tokens":1}}"#,
        "[DONE]",
    ] {
        let step = decoder
            .event(Bytes::from_static(chunk.as_bytes()), None)
            .unwrap();
        encoder.step(&step, &mut out);
    }
    shows(
        &out,
        expect![[r#"
        > "choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null,"native_finish_reason":null}]}
        > "system_fingerprint":"fp","odd":{"a":1.0},"choices":[{"index":0,"delta":{"role":"assistant","reasoning":"h\u00e9","reasoning_content":"h\u00e9"},"finish_reason":null,"native_finish_reason":null}]}
        > "choices":[{"index":0,"delta":{"role":"assistant","content":"ha"},"finish_reason":null,"native_finish_reason":null}]}
        > "choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""},"extra_content":{"s":1},"type":"function"}]},"finish_reason":null,"native_finish_reason":null}]}
        > "choices":[{"index":0,"delta":{"role":"assistant","tool_calls":[{"index":0,"function":{"arguments":"{}"}}]},"finish_reason":null,"native_finish_reason":null}]}
        > "choices":[{"index":0,"delta":{"role":"assistant"},"content_filter_results":{},"finish_reason":"tool_calls","native_finish_reason":"stop"}]}
    "#]],
    );
}

#[test]
fn failures_end_the_stream() {
    let mut encoder = StreamEncoder::new(head());
    let mut out = Vec::new();
    let error = ChatEvent::Error(Failure::new(FailureKind::Server, "internal words"));
    encoder.step(
        &StreamStep {
            events: vec![error],
            verbatim: None,
        },
        &mut out,
    );
    assert!(out.is_empty());
    let failure = PublicFailure {
        status: 502,
        error_type: "provider_unavailable",
        message: "Provider disconnected".to_owned(),
        retry_after: None,
        metadata: Some(
            serde_json::value::to_raw_value(&serde_json::json!({"provider_name": "P"})).unwrap(),
        ),
        availability: None,
    };
    encoder.fail(&failure, &mut out);
    encoder.finish(&tail(), &mut out);
    shows(
        &out,
        expect![[r#"
        > "choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"error","native_finish_reason":null}],"error":{"code":502,"message":"Provider disconnected","error_type":"provider_unavailable","http_status":502,"metadata":{"error_type":"provider_unavailable","provider_name":"P"}}}
        data: [DONE]
    "#]],
    );
}

#[test]
fn a_stream_without_an_end_gets_one() {
    let mut encoder = StreamEncoder::new(head());
    let mut out = Vec::new();
    encoder.finish(&tail(), &mut out);
    assert_eq!(
        String::from_utf8(out)
            .unwrap()
            .matches(r#""finish_reason":"stop""#)
            .count(),
        1
    );
}
