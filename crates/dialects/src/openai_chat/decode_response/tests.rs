use switchyard_domain::tokens::TokenUsage;

use super::*;

fn decode(body: &str) -> Result<Completion, Failure> {
    decode_completion(Bytes::copy_from_slice(body.as_bytes()))
}

/// The usage that a body with this `usage` has.
fn usage(json: &str) -> Option<TokenUsage> {
    let body = format!(
        r#"{{"choices":[{{"message":{{"content":"x"}},"finish_reason":"stop"}}],"usage":{json}}}"#
    );
    decode(&body).unwrap().usage.map(|usage| usage.tokens)
}

const NONE: TokenUsage = TokenUsage {
    input_uncached: 0,
    cache_read: 0,
    cache_write_5m: 0,
    cache_write_1h: 0,
    audio_in: 0,
    output_text: 0,
    reasoning: 0,
    audio_out: 0,
    image_out: 0,
    images_in: 0,
};

/// What is special, `usage`, buckets.
const FAMILIES: &[(&str, &str, TokenUsage)] = &[
    (
        "cached within the prompt",
        r#"{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,"prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":10,"audio_tokens":5},"completion_tokens_details":{"reasoning_tokens":8,"audio_tokens":2,"image_tokens":1}}"#,
        TokenUsage {
            input_uncached: 25,
            cache_read: 60,
            cache_write_5m: 10,
            audio_in: 5,
            output_text: 9,
            reasoning: 8,
            audio_out: 2,
            image_out: 1,
            ..NONE
        },
    ),
    (
        "hit and miss",
        r#"{"prompt_tokens":100,"completion_tokens":1,"prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36}"#,
        TokenUsage {
            input_uncached: 36,
            cache_read: 64,
            output_text: 1,
            ..NONE
        },
    ),
    (
        "cached at the top",
        r#"{"prompt_tokens":100,"completion_tokens":1,"cached_tokens":40}"#,
        TokenUsage {
            input_uncached: 60,
            cache_read: 40,
            output_text: 1,
            ..NONE
        },
    ),
    (
        "more cached than prompted",
        r#"{"prompt_tokens":7,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":161}}"#,
        TokenUsage {
            input_uncached: 7,
            cache_read: 161,
            output_text: 1,
            ..NONE
        },
    ),
    (
        "reasoning beside the completion",
        r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":22,"completion_tokens_details":{"reasoning_tokens":7}}"#,
        TokenUsage {
            input_uncached: 10,
            output_text: 5,
            reasoning: 7,
            ..NONE
        },
    ),
    (
        "more reasoning than completion",
        r#"{"prompt_tokens":43,"completion_tokens":10,"total_tokens":53,"completion_tokens_details":{"reasoning_tokens":11}}"#,
        TokenUsage {
            input_uncached: 43,
            reasoning: 10,
            ..NONE
        },
    ),
    (
        "floats, strings and nulls",
        r#"{"prompt_tokens":12.0,"completion_tokens":"3","total_tokens":null,"prompt_tokens_details":null}"#,
        TokenUsage {
            input_uncached: 12,
            output_text: 3,
            ..NONE
        },
    ),
];

#[test]
fn usage_of_every_family_falls_into_buckets() {
    for (family, json, tokens) in FAMILIES.iter().copied() {
        assert_eq!(usage(json), Some(tokens), "{family}");
    }
    for nothing in [
        "null",
        "{}",
        "[]",
        "7",
        r#"{"prompt_tokens":0,"completion_tokens":0}"#,
    ] {
        assert_eq!(usage(nothing), None, "{nothing}");
    }
    let groq = r#"{"choices":[{"message":{"content":"x"}}],"x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":1}}}"#;
    assert_eq!(
        decode(groq).unwrap().usage.unwrap().tokens.input_uncached,
        3
    );
}

#[test]
fn calls_decide_the_finish_reason() {
    let finish = |message: &str, word: &str| {
        let body = format!(r#"{{"choices":[{{"message":{message},"finish_reason":{word}}}]}}"#);
        decode(&body).unwrap().finish.reason
    };
    let call = r#"{"tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]}"#;
    let text = r#"{"content":"x"}"#;
    let refusal = r#"{"content":null,"refusal":"no"}"#;
    for (message, word, reason) in [
        (call, r#""stop""#, FinishReason::ToolCalls),
        (call, "null", FinishReason::ToolCalls),
        (call, r#""length""#, FinishReason::Length),
        (text, r#""tool_calls""#, FinishReason::Stop),
        (text, r#""eos""#, FinishReason::Stop),
        (text, r#""model_length""#, FinishReason::Length),
        (text, r#""sensitive""#, FinishReason::ContentFilter),
        (text, r#""never seen""#, FinishReason::Stop),
        (refusal, r#""stop""#, FinishReason::Refusal),
    ] {
        assert_eq!(finish(message, word), reason, "{message} {word}");
    }
}

#[test]
fn errors_in_successful_answers_are_failures() {
    for (body, kind) in [
        (
            r#"{"error":{"code":429,"message":"slow"}}"#,
            FailureKind::RateLimit,
        ),
        (
            r#"{"choices":[],"error":{"message":"x","code":"context_length_exceeded"}}"#,
            FailureKind::ContextLength,
        ),
        (
            r#"{"base_resp":{"status_code":1002,"status_msg":"x"}}"#,
            FailureKind::RateLimit,
        ),
        (
            r#"{"choices":[{"finish_reason":"error","message":{"content":""},"error":{"code":503,"message":"x"}}]}"#,
            FailureKind::Overloaded,
        ),
        (
            r#"{"choices":[{"finish_reason":"error","message":{"content":"half"}}]}"#,
            FailureKind::Server,
        ),
        (
            r#"{"object":"error","message":"x","code":500}"#,
            FailureKind::Server,
        ),
        (r#"{"choices":[]}"#, FailureKind::Protocol),
        ("<html></html>", FailureKind::Protocol),
        ("", FailureKind::Protocol),
    ] {
        assert_eq!(decode(body).unwrap_err().kind, kind, "{body}");
    }
    let fine =
        r#"  {"error":null,"base_resp":{"status_code":0},"choices":[{"message":{"content":"x"}}]}"#;
    assert_eq!(decode(fine).unwrap().parts, [Part::text("x")]);
}

#[test]
fn odd_shapes_are_read() {
    let blocked = decode(r#"{"choices":[{"finish_reason":"content_filter"}]}"#).unwrap();
    assert_eq!(
        (blocked.parts.len(), blocked.finish.reason),
        (0, FinishReason::ContentFilter)
    );

    let object = r#"{"id":"a-1","choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":{"n":1.0}}},{"id":"","function":{"name":"g","arguments":"null"}}]}}]}"#;
    let completion = decode(object).unwrap();
    let calls: Vec<String> = completion
        .parts
        .iter()
        .map(|part| match part {
            Part::ToolCall(call) => {
                format!("{} {} {}", call.id, call.name, call.arguments.expose())
            }
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(calls, ["call_a1_0 f {\"n\":1.0}", "call_a1_1 g "]);
    assert!(
        completion.verbatim.is_none(),
        "such calls must not reach a client as they are"
    );

    let both = r#"{"choices":[{"message":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]},{"type":"text","text":"x"}],"reasoning":"r","reasoning_content":"r"}}]}"#;
    assert_eq!(
        decode(both).unwrap().parts.len(),
        3,
        "the same reasoning under two names counts once"
    );
}
