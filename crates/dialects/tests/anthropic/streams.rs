//! Streams written and read back, and streams that go wrong.

use bytes::Bytes;
use expect_test::{Expect, expect};
use serde_json::Value;
use switchyard_dialects::anthropic_messages::{
    KEEP_ALIVE, StreamDecoder, StreamEncoder, encode_error,
};
use switchyard_domain::tokens::TokenUsage;
use switchyard_interchange::{
    event::{ChatEvent, Delta, Finish, FinishReason, PartKind, StreamStep},
    failure::{Failure, FailureKind},
};

use crate::{
    recorded,
    replies::{failure, head, tail},
    sse, transcript,
};

pub(crate) fn step(events: Vec<ChatEvent>) -> StreamStep {
    StreamStep {
        events,
        verbatim: None,
    }
}

pub(crate) fn start() -> ChatEvent {
    ChatEvent::Start {
        upstream_id: Some("up".to_owned()),
        model: None,
    }
}

pub(crate) fn text(part: u32, text: &str) -> ChatEvent {
    ChatEvent::Delta {
        part,
        delta: Delta::Text(text.into()),
    }
}

pub(crate) fn arguments(part: u32, json: &str) -> ChatEvent {
    ChatEvent::Delta {
        part,
        delta: Delta::Arguments(json.into()),
    }
}

pub(crate) fn call(part: u32, id: &str) -> ChatEvent {
    let kind = PartKind::ToolCall {
        id: id.to_owned(),
        name: "look_up".to_owned(),
    };
    ChatEvent::PartStart { part, kind }
}

pub(crate) fn finish(reason: FinishReason) -> ChatEvent {
    ChatEvent::Finish(Finish {
        reason,
        native: None,
        stop_sequence: None,
    })
}

pub(crate) fn usage() -> TokenUsage {
    TokenUsage {
        input_uncached: 9,
        cache_read: 4,
        output_text: 5,
        reasoning: 2,
        ..TokenUsage::default()
    }
}

/// What a client gets for these events, one step each.
pub(crate) fn encode(events: &[ChatEvent]) -> Vec<u8> {
    let (mut encoder, mut out) = (StreamEncoder::new(head()).expecting_input(9), Vec::new());
    for event in events {
        encoder.step(&step(vec![event.clone()]), &mut out);
    }
    encoder.finish(&tail(usage()), &mut out);
    out
}

/// What a client's decoder makes of a stream.
pub(crate) fn decode(body: &[u8]) -> Vec<ChatEvent> {
    let body = std::str::from_utf8(body).expect("UTF-8");
    recorded::steps(body)
        .into_iter()
        .flat_map(|step| step.events)
        .collect()
}

fn check(events: &[ChatEvent], expected: Expect) {
    let out = encode(events);
    sse::check_order(&out);
    expected.assert_eq(&transcript::of_events(&decode(&out)));
}

#[test]
fn a_text_gives_way_to_a_call_and_calls_wait_for_each_other() {
    check(
        &[
            start(),
            ChatEvent::PartStart {
                part: 0,
                kind: PartKind::Text,
            },
            text(0, "Let me "),
            call(1, "a"),
            call(2, "b"),
            arguments(1, "{\"x\""),
            arguments(2, "{}"),
            text(0, "see."),
            arguments(1, ":1}"),
            finish(FinishReason::ToolCalls),
        ],
        expect![[r#"
            start gen-1700000000-aaaaaaaaaaaaaaaaaaaa anthropic/claude-haiku-4.5
            usage uncached=9 tier default
            + 0 text
              0 text "Let me "
            - 0
            + 1 call look_up a
              1 arguments "{\"x\":1}"
            - 1
            + 2 call look_up b
              2 arguments "{}"
            - 2
            + 3 text
              3 text "see."
            - 3
            finish ToolCalls native tool_use stop ?
            usage uncached=9 read=4 text=5 reasoning=2 tier default
        "#]],
    );
}

#[test]
fn a_waiting_part_is_written_as_soon_as_it_may() {
    let (mut encoder, mut out) = (StreamEncoder::new(head()), Vec::new());
    let events = vec![
        start(),
        call(0, "a"),
        call(1, "b"),
        arguments(1, "{}"),
        call(2, "c"),
    ];
    encoder.step(&step(events), &mut out);
    let shown = |out: &[u8], id: &str| {
        String::from_utf8_lossy(out).contains(&format!(r#""type":"tool_use","id":"{id}""#))
    };
    assert!(shown(&out, "a") && !shown(&out, "b"));
    encoder.step(&step(vec![ChatEvent::PartStop { part: 0 }]), &mut out);
    assert!(shown(&out, "b") && !shown(&out, "c"));
    encoder.step(&step(vec![ChatEvent::PartStop { part: 1 }]), &mut out);
    assert!(shown(&out, "c"));
    encoder.finish(&tail(usage()), &mut out);
    sse::check_order(&out);
}

#[test]
fn foreign_reasoning_is_signed_by_us() {
    let format = "google-gemini-v1".to_owned();
    let out = encode(&[
        start(),
        ChatEvent::PartStart {
            part: 0,
            kind: PartKind::Reasoning {
                id: None,
                format: format.clone(),
            },
        },
        text(0, "because"),
        ChatEvent::Delta {
            part: 0,
            delta: Delta::Signature("c2ln".to_owned()),
        },
        ChatEvent::PartStop { part: 0 },
        ChatEvent::PartStart {
            part: 1,
            kind: PartKind::EncryptedReasoning {
                id: None,
                format,
                data: "blob".into(),
            },
        },
        ChatEvent::PartStop { part: 1 },
        finish(FinishReason::Stop),
    ]);
    let events = sse::check_order(&out);
    let signatures: Vec<&str> = events
        .iter()
        .filter_map(|event| event["delta"]["signature"].as_str())
        .collect();
    assert_eq!(signatures.len(), 1);
    assert!(
        signatures[0].starts_with("switchyard.v1."),
        "{signatures:?}"
    );
    let redacted = events
        .iter()
        .find_map(|event| event["content_block"]["data"].as_str());
    assert!(redacted.is_some_and(|data| data.starts_with("switchyard.v1.")));
}

#[test]
fn the_whole_stream_of_a_short_answer() {
    let out = encode(&[
        start(),
        ChatEvent::PartStart {
            part: 0,
            kind: PartKind::Text,
        },
        text(0, "hi"),
        ChatEvent::PartStop { part: 0 },
        finish(FinishReason::Stop),
    ]);
    sse::check_order(&out);
    expect![[r#"
        event: message_start
        data: {"type":"message_start","message":{"id":"gen-1700000000-aaaaaaaaaaaaaaaaaaaa","type":"message","role":"assistant","model":"anthropic/claude-haiku-4.5","provider":"Anthropic","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"container":null,"usage":{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":0,"output_tokens_details":{"thinking_tokens":0},"service_tier":"standard"}}}

        event: content_block_start
        data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":"","citations":null}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":0}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null,"stop_details":null,"container":null},"usage":{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":7,"output_tokens_details":{"thinking_tokens":2},"service_tier":"standard","server_tool_use":null,"inference_geo":null,"cost":0.0000015,"is_byok":false,"cost_details":{"upstream_inference_cost":0.0000015,"upstream_inference_prompt_cost":0.0000005,"upstream_inference_completions_cost":0.000001}}}

        event: message_stop
        data: {"type":"message_stop"}

    "#]].assert_eq(std::str::from_utf8(&out).expect("UTF-8"));
}

#[test]
fn failures_end_the_stream() {
    let (mut encoder, mut out) = (StreamEncoder::new(head()), Vec::new());
    encoder.step(&step(vec![start()]), &mut out);
    encoder.fail(&failure(), &mut out);
    let length = out.len();
    encoder.finish(&tail(usage()), &mut out);
    encoder.fail(&failure(), &mut out);
    assert_eq!(out.len(), length, "nothing follows a failure");
    let events = sse::check_order(&out);
    assert_eq!(
        events.last().expect("an event")["error"]["type"],
        "api_error"
    );
}

#[test]
fn errors_have_this_dialects_names() {
    for (status, error_type, name) in [
        (400, "invalid_request", "invalid_request_error"),
        (400, "context_length_exceeded", "invalid_request_error"),
        (401, "authentication", "authentication_error"),
        (402, "payment_required", "billing_error"),
        (403, "permission_denied", "permission_error"),
        (404, "not_found", "not_found_error"),
        (404, "no_endpoints", "not_found_error"),
        (413, "payload_too_large", "invalid_request_error"),
        (429, "rate_limit_exceeded", "rate_limit_error"),
        (500, "server", "api_error"),
        (502, "provider_unavailable", "api_error"),
        (503, "provider_overloaded", "overloaded_error"),
        (504, "timeout", "timeout_error"),
    ] {
        let failure = switchyard_interchange::reply::PublicFailure {
            status,
            error_type,
            ..failure()
        };
        let body: Value = serde_json::from_slice(&encode_error(&failure, None)).expect("JSON");
        assert_eq!(body["error"]["type"], name, "{status} {error_type}");
        assert_eq!(body["error"]["error_type"], error_type);
        assert!(body["request_id"].is_null());
    }
}

#[test]
fn a_ping_is_a_frame() {
    let frames = sse::split(std::str::from_utf8(KEEP_ALIVE).expect("UTF-8"));
    assert_eq!(frames.len(), 1);
    let step = StreamDecoder::new()
        .event(frames[0].data.clone(), Some("ping"))
        .expect("a ping");
    assert!(step.events.is_empty() && step.verbatim.is_none());
}

/// Decodes data payloads, and what the end of the stream says.
fn read(payloads: &[&str]) -> Result<String, Failure> {
    let mut decoder = StreamDecoder::new();
    let mut events = Vec::new();
    for payload in payloads {
        events.extend(
            decoder
                .event(Bytes::from((*payload).to_owned()), None)?
                .events,
        );
    }
    events.extend(decoder.end()?.events);
    Ok(transcript::of_events(&events))
}

const BEGUN: &str = r#"{"type":"message_start","message":{"id":"m","model":"c","usage":{"input_tokens":3,"output_tokens":1}}}"#;
const OPENED: &str =
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
const ENDED: &str =
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#;
const STOPPED: &str = r#"{"type":"message_stop"}"#;

#[test]
fn a_stream_without_its_end_mark_was_cut() {
    for payloads in [&[][..], &[BEGUN], &[BEGUN, OPENED], &[BEGUN, ENDED]] {
        let failure = read(payloads).expect_err("cut");
        assert_eq!(failure.kind, FailureKind::Protocol, "{payloads:?}");
    }
    for broken in [
        "{",
        "[]",
        r#"{"a":1}"#,
        r#"{"type":"content_block_delta","index":4}"#,
    ] {
        assert_eq!(
            read(&[broken]).expect_err("broken").kind,
            FailureKind::Protocol,
            "{broken}"
        );
    }
}

#[test]
fn an_error_in_the_stream_is_an_event() {
    let overloaded =
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    expect![[r#"
        start m c
        usage uncached=3 text=1 tier ?
        + 0 text
        failed overloaded code overloaded_error message the provider is overloaded
    "#]]
    .assert_eq(&read(&[BEGUN, OPENED, overloaded, STOPPED]).expect("told in time"));
}

#[test]
fn odd_streams_are_understood() {
    // A ping first, two starts, input in the start, a block that never stops, no stop reason.
    let calling = r#"{"type":"content_block_start","index":7,"content_block":{"type":"tool_use","id":"t","name":"f","input":{"a":1.0}}}"#;
    expect![[r#"
        start m c
        usage uncached=3 text=1 tier ?
        usage uncached=3 text=1 tier ?
        + 0 call f t
          0 arguments "{\"a\":1.0}"
        - 0
        finish ToolCalls native ? stop ?
    "#]]
    .assert_eq(
        &read(&[
            r#"{"type":"ping"}"#,
            BEGUN,
            BEGUN,
            calling,
            STOPPED,
            "[DONE]",
        ])
        .expect("sound"),
    );
    // A delta whose block never started, and a kind of event from the future.
    let grown =
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}"#;
    expect![[r#"
        start m c
        usage uncached=3 text=1 tier ?
        + 0 text
          0 text "x"
        - 0
        finish Stop native end_turn stop ?
        usage uncached=3 text=2 tier ?
    "#]]
    .assert_eq(
        &read(&[
            BEGUN,
            r#"{"type":"content_block_bloom"}"#,
            grown,
            ENDED,
            STOPPED,
        ])
        .expect("sound"),
    );
}

#[test]
fn a_call_of_our_schema_tool_is_text() {
    let calling = r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"switchyard_structured_output","input":{}}}"#;
    let grown = r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}"#;
    let ended = r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":2}}"#;
    let payloads = [
        BEGUN,
        calling,
        grown,
        r#"{"type":"content_block_stop","index":0}"#,
        ended,
        STOPPED,
    ];
    expect![[r#"
        start m c
        usage uncached=3 text=1 tier ?
        + 0 text
          0 text "{\"a\":1}"
        - 0
        finish Stop native end_turn stop ?
        usage uncached=3 text=2 tier ?
    "#]]
    .assert_eq(&read(&payloads).expect("sound"));
    // And a client of the same dialect sees text as well.
    let (mut decoder, mut encoder) = (StreamDecoder::new(), StreamEncoder::new(head()));
    let mut out = Vec::new();
    for payload in payloads {
        let step = decoder
            .event(Bytes::from(payload.to_owned()), None)
            .expect("sound");
        encoder.step(&step, &mut out);
    }
    encoder.finish(&tail(usage()), &mut out);
    let events = sse::check_order(&out);
    assert_eq!(events[1]["content_block"]["type"], "text");
    assert_eq!(events[2]["delta"]["text"], "{\"a\":1}");
    assert_eq!(events[4]["delta"]["stop_reason"], "end_turn");
}
