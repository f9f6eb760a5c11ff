//! No input makes a decoder panic.

use bytes::Bytes;
use proptest::prelude::*;
use switchyard_dialects::anthropic_messages::{
    StreamDecoder, StreamEncoder, UpstreamTraits, decode_completion, decode_error, decode_request,
    encode_completion, encode_request,
};

use crate::{
    recorded,
    replies::{head, tail},
    sse,
};

/// Feeds `body` to everything that reads bytes, and what comes out of it to what writes.
fn feed(body: &[u8]) {
    let bytes = Bytes::copy_from_slice(body);
    if let Ok(request) = decode_request(bytes.clone()) {
        let sent = encode_request(&request, &UpstreamTraits::anthropic("m", 8_192));
        if let Ok(sent) = sent {
            serde_json::from_slice::<serde_json::Value>(&sent).expect("a request is JSON");
        }
    }
    if let Ok(completion) = decode_completion(bytes.clone()) {
        let tokens = completion
            .usage
            .as_ref()
            .map(|usage| usage.tokens)
            .unwrap_or_default();
        let sent = encode_completion(&head(), &completion, &tail(tokens));
        serde_json::from_slice::<serde_json::Value>(&sent).expect("an answer is JSON");
    }
    decode_error(400, None, body);
    let mut decoder = StreamDecoder::new();
    let mut encoder = StreamEncoder::new(head());
    let mut out = Vec::new();
    for frame in sse::split(&String::from_utf8_lossy(body)) {
        if let Ok(step) = decoder.event(frame.data, Some(&frame.name)) {
            encoder.step(&step, &mut out);
        }
    }
    let _ = decoder.end();
    encoder.finish(&tail(Default::default()), &mut out);
    assert!(out.ends_with(b"\n\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        feed(&body);
    }

    #[test]
    fn any_text_of_json_tokens(tokens in proptest::collection::vec(token(), 0..60)) {
        feed(tokens.concat().as_bytes());
    }

    #[test]
    fn recordings_with_a_wound(pick in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut body = pick.get(recorded::all()).body.clone().into_bytes();
        let at = at.index(body.len());
        if cut {
            body.truncate(at);
        } else {
            body[at] = byte;
        }
        feed(&body);
    }
}

/// Pieces that bodies of this dialect are made of.
fn token() -> impl Strategy<Value = String> {
    prop::sample::select(
        [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "null",
            "true",
            "1",
            "-1.5",
            "1e99",
            "\"",
            "\"type\"",
            "\"text\"",
            "\"messages\"",
            "\"content\"",
            "\"role\"",
            "\"user\"",
            "\"index\"",
            "\"delta\"",
            "\"content_block_start\"",
            "\"content_block_delta\"",
            "\"message_delta\"",
            "\"usage\"",
            "event: ",
            "data: ",
            "\n",
            "\n\n",
            "\\u",
            "ü",
        ]
        .map(str::to_owned)
        .to_vec(),
    )
}

#[test]
fn deep_nesting_is_refused_not_followed() {
    let body = format!(
        r#"{{"model":"m","messages":{}1{}}}"#,
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    let error = decode_request(Bytes::from(body.clone())).expect_err("too deep");
    assert!(error.message.contains("nested"), "{error}");
    feed(body.as_bytes());
}
