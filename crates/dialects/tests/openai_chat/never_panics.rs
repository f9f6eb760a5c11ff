//! Whatever arrives, decoders answer with a value or an error.

use std::sync::LazyLock;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use switchyard_dialects::openai_chat::{
    StreamDecoder, StreamEncoder, UpstreamTraits, decode_completion, decode_error, decode_request,
    encode_completion, encode_request,
};

use super::corpus::{head, tail};

static CASES: LazyLock<Vec<super::corpus::Case>> = LazyLock::new(super::corpus::all);

/// Every decoder, and the encoders behind those that took the bytes.
fn try_everything(bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    if let Ok(request) = decode_request(body.clone())
        && let Ok(sent) = encode_request(&request, &UpstreamTraits::openai("m"))
    {
        serde_json::from_slice::<Value>(&sent).expect("what is sent upstream is JSON");
    }
    if let Ok(completion) = decode_completion(body.clone()) {
        super::validator::check_completion(&encode_completion(&head(), &completion, &tail()));
    }
    decode_error(400, None, bytes);
    let mut decoder = StreamDecoder::new();
    let mut encoder = StreamEncoder::new(head());
    let mut out = Vec::new();
    for _ in 0..2 {
        if let Ok(step) = decoder.event(body.clone(), None) {
            encoder.step(&step, &mut out);
        }
    }
    if let Ok(step) = decoder.end() {
        encoder.step(&step, &mut out);
    }
    encoder.finish(&tail(), &mut out);
    super::validator::check_stream(&out);
}

/// JSON with the names that decoders look for, and values of any type behind them.
fn near_misses() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "model",
        "messages",
        "role",
        "content",
        "type",
        "text",
        "choices",
        "delta",
        "message",
        "index",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "id",
        "usage",
        "prompt_tokens",
        "completion_tokens",
        "finish_reason",
        "reasoning",
        "reasoning_content",
        "error",
        "code",
        "reasoning_details",
        "tools",
        "provider",
        "stop",
        "cache_control",
        "image_url",
        "url",
        "prompt_tokens_details",
        "cached_tokens",
        "refusal",
        "annotations",
        "detail",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(0)),
        prop::sample::select(vec![
            "",
            "user",
            "assistant",
            "tool",
            "text",
            "stop",
            "tool_calls",
            "null",
            "{}",
            "x",
            "reasoning.text",
            "function",
            "data:image/png;base64,AA==",
            "https://a.b/c",
        ])
        .prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(names.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn on_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        try_everything(&bytes);
    }

    #[test]
    fn on_json(value in near_misses()) {
        try_everything(value.to_string().as_bytes());
    }

    #[test]
    fn on_almost_answers(said in near_misses(), usage in near_misses(), finish in near_misses()) {
        let choice = json!({"index": 0, "message": said, "delta": said, "finish_reason": finish});
        let body = json!({"id": "a", "choices": [choice], "usage": usage});
        try_everything(body.to_string().as_bytes());
    }

    #[test]
    fn on_almost_requests(message in near_misses(), extra in near_misses()) {
        let body = json!({"model": "m", "messages": [message], "tools": extra, "stop": extra});
        try_everything(body.to_string().as_bytes());
    }

    #[test]
    fn on_cut_recordings(case in 0_usize..60, cut in 0.0..1.0_f64) {
        let body = CASES[case].body.as_bytes();
        try_everything(&body[..(body.len() as f64 * cut) as usize]);
    }
}
