//! Recorded and made-up streams, cut everywhere.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{BufMut, Bytes};
use proptest::prelude::*;
use serde_json::{Value, json};
use switchyard_dialects::openai_chat;
use switchyard_domain::secret::Secret;
use switchyard_interchange::failure::{Failure, FailureKind};

use super::ModelEvents;
use crate::{
    call::Call,
    limits::SSE_EVENT_BYTES_MAX,
    registry::alone::{listed::Listed, prepare_alone},
    sse::SseEvent,
};

const RECORDED: &str =
    include_str!("../../fixtures/bedrock/bedrock-invoke-stream-anthropic-tool.json");

fn recorded() -> Vec<u8> {
    let recording: Value = serde_json::from_str(RECORDED).expect("JSON");
    let body = recording["response"]["body_base64"]
        .as_str()
        .expect("a body");
    STANDARD.decode(body).expect("base64")
}

/// What comes of a stream in these reads: the events before the failure, if there is one.
fn read(reads: &[&[u8]]) -> (Vec<SseEvent>, Result<(), Failure>) {
    let mut stream = ModelEvents::default();
    let mut events = Vec::new();
    for read in reads {
        if let Err(failure) = stream.push(Bytes::copy_from_slice(read), &mut events) {
            return (events, Err(failure));
        }
    }
    let end = stream.end();
    (events, end)
}

/// A frame with text headers.
fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut header_bytes = Vec::new();
    for (name, value) in headers {
        header_bytes.put_u8(u8::try_from(name.len()).expect("short"));
        header_bytes.put_slice(name.as_bytes());
        header_bytes.put_u8(7);
        header_bytes.put_u16(u16::try_from(value.len()).expect("short"));
        header_bytes.put_slice(value.as_bytes());
    }
    let mut frame = Vec::new();
    frame.put_u32(u32::try_from(16 + header_bytes.len() + payload.len()).expect("short"));
    frame.put_u32(u32::try_from(header_bytes.len()).expect("short"));
    frame.put_u32(crc32fast::hash(&frame));
    frame.put_slice(&header_bytes);
    frame.put_slice(payload);
    frame.put_u32(crc32fast::hash(&frame));
    frame
}

fn chunk(event: &[u8]) -> Vec<u8> {
    let payload = format!(r#"{{"bytes":"{}","p":"abc"}}"#, STANDARD.encode(event));
    frame(
        &[(":message-type", "event"), (":event-type", "chunk")],
        payload.as_bytes(),
    )
}

#[test]
fn a_recorded_stream_reads_the_same_cut_at_every_byte() {
    let body = recorded();
    let (whole, end) = read(&[&body]);
    assert_eq!((whole.len(), end), (26, Ok(())));
    for at in 0..=body.len() {
        let (events, end) = read(&[&body[..at], &body[at..]]);
        assert_eq!((events == whole, end), (true, Ok(())), "cut at {at}");
    }
    let bytes: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!(read(&bytes).0, whole);
}

#[test]
fn what_takes_the_place_of_an_event_is_a_typed_failure() {
    let exception = |kind: &str, payload: &str| {
        let headers = [(":message-type", "exception"), (":exception-type", kind)];
        frame(&headers, payload.as_bytes())
    };
    let event = |headers: &[(&str, &str)], payload: &str| frame(headers, payload.as_bytes());
    let a_chunk = [(":message-type", "event"), (":event-type", "chunk")];
    for (bytes, expected) in [
        (
            exception("throttlingException", "{}"),
            FailureKind::RateLimit,
        ),
        (
            exception("modelStreamErrorException", "{}"),
            FailureKind::Overloaded,
        ),
        (
            exception("internalServerException", ""),
            FailureKind::Server,
        ),
        (
            event(
                &[
                    (":message-type", "error"),
                    (":error-code", "InternalFailure"),
                ],
                "",
            ),
            FailureKind::Server,
        ),
        (
            event(&[(":message-type", "riddle")], ""),
            FailureKind::Protocol,
        ),
        (event(&[], ""), FailureKind::Protocol),
        (event(&a_chunk, ""), FailureKind::Protocol),
        (event(&a_chunk, r#"{"p":"abc"}"#), FailureKind::Protocol),
        (event(&a_chunk, r#"{"bytes":"%%%"}"#), FailureKind::Protocol),
        (
            chunk(&vec![b'x'; SSE_EVENT_BYTES_MAX + 1]),
            FailureKind::Protocol,
        ),
    ] {
        let stream = [chunk(b"before"), bytes].concat();
        let (events, end) = read(&[&stream]);
        assert_eq!(events.len(), 1, "what came before was said");
        assert_eq!(end.expect_err("a failure").kind, expected);
    }
}

#[test]
fn kinds_of_events_that_are_newer_than_we_are_are_passed_over() {
    let news = frame(
        &[(":message-type", "event"), (":event-type", "news")],
        b"{}",
    );
    let (events, end) = read(&[&[news, chunk(b"{}")].concat()]);
    assert_eq!((events.len(), end), (1, Ok(())));
}

#[test]
fn only_the_last_event_is_rid_of_the_hosts_figures() {
    let said = br#"{"type":"content_block_delta","text":"\"amazon-bedrock-invocationMetrics\""}"#;
    let quoted = br#"{"type":"x","k":{"amazon-bedrock-invocationMetrics":1}}"#;
    for (event, expected) in [
        (&said[..], &said[..]),
        (quoted, quoted),
        (
            br#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":1}}"#,
            br#"{"type":"message_stop"}"#,
        ),
    ] {
        let (events, _) = read(&[&chunk(event)]);
        assert_eq!(&events[0].data[..], expected);
    }
}

#[tokio::test]
async fn everything_that_authenticates_is_marked_sensitive() {
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLETOKEN";
    let access_key = json!({
        "accessKeyId": "ASIAIOSFODNN7EXAMPLE", "secretAccessKey": SECRET,
        "sessionToken": TOKEN, "region": "eu-west-1",
    });
    let endpoint = Listed {
        fields: json!({"provider_model_id": "anthropic.claude-opus-5"}),
        ..Listed::new(
            "cloud",
            "bedrock",
            "https://bedrock-runtime.{region}.amazonaws.com",
        )
    };
    let endpoint = endpoint.vetted();
    let body = json!({
        "model": "acme/model", "messages": [{"role": "user", "content": "hello"}],
    });
    let request = openai_chat::decode_request(body.to_string().into()).expect("a request");
    for (credential, sensitive) in [
        (
            "ABSKQmVkcm9ja0FQSUtleQ==".to_owned(),
            &["authorization"][..],
        ),
        (
            access_key.to_string(),
            &[
                "authorization",
                "x-amz-content-sha256",
                "x-amz-date",
                "x-amz-security-token",
            ],
        ),
    ] {
        let call = Call {
            endpoint: &endpoint,
            credential: &Secret::new(credential.clone().into_bytes()),
            request: &request,
            affinity: None,
            zero_retention: false,
        };
        let prepared = prepare_alone(call).await.expect("a request");
        let headers = prepared.request.headers();
        let mut marked: Vec<&str> = headers
            .iter()
            .filter(|(_, value)| value.is_sensitive())
            .map(|(name, _)| name.as_str())
            .collect();
        marked.sort_unstable();
        assert_eq!(marked, sensitive);
        let shown = format!("{:?}", prepared.request);
        for secret in [credential.as_str(), SECRET, TOKEN] {
            assert!(!shown.contains(secret));
        }
    }
}

proptest! {
    #[test]
    fn cuts_do_not_matter(cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..40)) {
        let body = recorded();
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        at.extend([0, body.len()]);
        at.sort_unstable();
        let reads: Vec<&[u8]> = at.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
        prop_assert_eq!(read(&reads), read(&[&body]));
    }

    #[test]
    fn damage_never_passes_for_an_event(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let body = recorded();
        let (whole, _) = read(&[&body]);
        let mut damaged = body.clone();
        damaged[at.index(body.len())] ^= 1 << bit;
        let (events, end) = read(&[&damaged]);
        prop_assert!(end.is_err());
        prop_assert_eq!(&events[..], &whole[..events.len()]);
    }
}
