use expect_test::{Expect, expect};
use switchyard_interchange::message::{CacheLife, MediaSource, ReasoningContent};

use super::*;
use crate::error::DecodeErrorKind::{self, Invalid, Malformed, TooLarge, Unsupported};

fn decode(body: &str) -> Result<ChatRequest, DecodeError> {
    decode_request(Bytes::copy_from_slice(body.as_bytes()))
}

/// A request with one user message and more fields.
fn with(fields: &str) -> String {
    format!(r#"{{"model": "a/b", "messages": [{{"role": "user", "content": "hi"}}], {fields}}}"#)
}

/// A request with one message.
fn saying(message: &str) -> String {
    format!(r#"{{"model": "a/b", "messages": [{message}]}}"#)
}

fn refuses(body: &str, kind: DecodeErrorKind, said: Expect) {
    let error = decode(body).unwrap_err();
    said.assert_eq(&error.to_string());
    assert_eq!(error.kind, kind, "{body}");
}

#[test]
fn every_field_is_read() {
    let request = decode(&with(
        r#""models": ["c/d"], "stream": true, "max_tokens": 100, "temperature": 0.5, "top_p": 1,
           "top_k": 40, "min_p": 0.1, "top_a": 0.2, "frequency_penalty": -1, "presence_penalty": 1,
           "repetition_penalty": 1.1, "seed": -7, "stop": ["a", "b"], "logit_bias": {"50256": -100},
           "logprobs": true, "top_logprobs": 2, "parallel_tool_calls": false, "verbosity": "low",
           "tools": [{"type": "function", "function": {"name": "f", "strict": true,
               "parameters": {"type": "object"}}, "cache_control": {"type": "ephemeral"}}],
           "tool_choice": {"type": "function", "function": {"name": "f"}},
           "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {}}},
           "user": "u", "session_id": "s", "prompt_cache_key": "k", "service_tier": "flex",
           "reasoning": {"effort": "low"}, "modalities": ["text", "audio"],
           "cache_control": {"type": "ephemeral", "ttl": "1h"}, "safe_prompt": true"#,
    ))
    .unwrap();
    assert_eq!(
        (request.model.as_str(), request.fallback_models.len()),
        ("a/b", 1)
    );
    assert!(request.stream);
    assert_eq!(request.max_output_tokens, Some(100));
    assert_eq!(request.sampling.temperature, Some(0.5));
    assert_eq!(request.sampling.seed, Some(-7));
    assert_eq!(request.stop, ["a", "b"]);
    assert_eq!(
        request.tool_choice,
        Some(ToolChoice::Function("f".to_owned()))
    );
    assert_eq!(
        request.tools[0].parameters.as_ref().unwrap().get(),
        r#"{"type": "object"}"#
    );
    assert_eq!(request.tools[0].cache.unwrap().life, CacheLife::Short);
    assert_eq!(request.automatic_cache.unwrap().life, CacheLife::OneHour);
    assert_eq!(request.verbosity.as_deref(), Some("low"));
    assert_eq!(request.user.as_deref(), Some("u"));
    assert!(request.output_modalities.contains(Modality::Audio));
    let absent: Vec<&str> = Parameter::ALL
        .iter()
        .filter(|parameter| !request.parameters.contains(**parameter))
        .map(|parameter| parameter.as_str())
        .collect();
    assert_eq!(
        absent,
        [
            "max_completion_tokens",
            "prediction",
            "include_reasoning",
            "reasoning_effort",
            "web_search_options"
        ]
    );
}

#[test]
fn null_scalars_are_absent() {
    let request = decode(&with(
        r#""stream": null, "temperature": null, "max_tokens": null, "stop": null, "tools": null,
           "tool_choice": null, "response_format": null, "provider": null, "seed": null"#,
    ))
    .unwrap();
    assert!(!request.stream && request.stop.is_empty() && request.tools.is_empty());
    assert_eq!(request.sampling, Sampling::default());
    assert_eq!(request.parameters, Parameters::EMPTY);
}

#[test]
fn a_bare_prompt_is_a_user_message() {
    let request = decode(r#"{"model": "a/b", "prompt": "hi"}"#).unwrap();
    assert_eq!(request.messages[0].parts, [Part::text("hi")]);
    refuses(
        &with(r#""prompt": "hi""#),
        Invalid,
        expect!["prompt: goes without `messages`: send either"],
    );
}

#[test]
fn mistakes_are_located() {
    refuses(
        "{",
        Malformed,
        expect!["not valid JSON: EOF while parsing an object at line 1 column 1"],
    );
    refuses("[]", Invalid, expect!["expected an object"]);
    refuses(
        r#"{"messages": [{"role": "user", "content": "hi"}]}"#,
        Invalid,
        expect![[r#"model: is required: send a model id such as "openai/gpt-4o-mini""#]],
    );
    refuses(
        r#"{"model": "a/b"}"#,
        Invalid,
        expect!["messages: is required: send at least one message"],
    );
    refuses(
        r#"{"model": "a/b", "model": "c/d", "messages": []}"#,
        Malformed,
        expect!["duplicate field `model`"],
    );
    refuses(
        &with(r#""x": 1, "x": 2"#),
        Malformed,
        expect!["duplicate field `x`"],
    );
    refuses(
        &with(r#""temperature": 2.5"#),
        Invalid,
        expect!["temperature: expected a number from 0 to 2"],
    );
    refuses(
        &with(r#""temperature": "my secret prompt""#),
        Invalid,
        expect!["temperature: expected a number"],
    );
    refuses(
        &with(r#""max_tokens": 0"#),
        Invalid,
        expect!["max_tokens: expected at least 1"],
    );
    refuses(
        &with(r#""max_tokens": 1.5"#),
        Invalid,
        expect!["max_tokens: expected a non-negative whole number"],
    );
    refuses(
        &with(r#""stop": ["a","b","c","d","e"]"#),
        Invalid,
        expect!["stop: at most 4 sequences"],
    );
    refuses(
        &with(r#""top_logprobs": 3"#),
        Invalid,
        expect![[r#"top_logprobs: needs "logprobs": true"#]],
    );
    refuses(
        &with(r#""logit_bias": {"x": 1}"#),
        Invalid,
        expect!["logit_bias: expected token ids as keys"],
    );
}

#[test]
fn what_is_not_offered_is_named() {
    refuses(
        &with(r#""tools": [{"type": "openrouter:web_search"}]"#),
        Unsupported,
        expect![
            "tools[0].type: server tools such as `openrouter:web_search` are not offered; send function tools"
        ],
    );
    refuses(
        &with(r#""tool_choice": "required""#),
        Invalid,
        expect!["tool_choice: demands a tool, but `tools` is empty"],
    );
    refuses(
        &with(r#""response_format": {"type": "grammar"}"#),
        Unsupported,
        expect!["response_format.type: only text, json_object and json_schema are offered"],
    );
}

#[test]
fn mistakes_in_messages_are_located() {
    refuses(
        &saying(r#"{"role": "user", "content": [{"type": "text"}]}"#),
        Invalid,
        expect!["messages[0].content[0].text: is required"],
    );
    refuses(
        &saying(
            r#"{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "tekst"}]}"#,
        ),
        Invalid,
        expect![
            "messages[0].content[1].type: expected text, image_url, input_audio, video_url or file"
        ],
    );
    refuses(
        &saying(r#"{"role": "user", "content": [{"type": "text", "text": 5}]}"#),
        Invalid,
        expect!["messages[0].content[0].text: expected a string"],
    );
    refuses(
        &saying(r#"["user", "hi"]"#),
        Invalid,
        expect!["messages[0]: expected an object"],
    );
    refuses(
        &saying(r#"{"role": "function", "content": "x"}"#),
        Invalid,
        expect!["messages[0].role: expected system, developer, user, assistant or tool"],
    );
    refuses(
        &saying(r#"{"role": "tool", "content": "x"}"#),
        Invalid,
        expect!["messages[0].tool_call_id: is required in a tool message"],
    );
    refuses(
        &saying(r#"{"role": "user", "content": "x", "content": "y"}"#),
        Malformed,
        expect!["messages[0]: duplicate field `content`"],
    );
    refuses(
        &saying(
            r#"{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "ftp://a"}}]}"#,
        ),
        Invalid,
        expect!["messages[0].content[0].image_url.url: expected an https address or a data URL"],
    );
    refuses(
        &saying(
            r#"{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {"type": "forever"}}]}"#,
        ),
        Invalid,
        expect!["messages[0].content[0].cache_control.type: expected ephemeral"],
    );
}

#[test]
fn sizes_are_limited() {
    let nested = with(&format!(r#""x": {}{}"#, "[".repeat(64), "]".repeat(64)));
    refuses(&nested, Malformed, expect!["nested deeper than 64 levels"]);
    // Also where nothing here reads the value: it would travel on to a provider.
    let half = r#"{"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"f",
        "parameters":{"type":"\udcda"}}}]}"#;
    refuses(
        half,
        Malformed,
        expect!["tools[0].function.parameters.type: a `\\u` escape is half of a surrogate pair"],
    );
    assert!(
        decode(&with(&format!(
            r#""x": {}{}"#,
            "[".repeat(63),
            "]".repeat(63)
        )))
        .is_ok()
    );
    let message = r#"{"role":"user","content":"x"},"#;
    let many = format!(
        r#"{{"model":"a","messages":[{}]}}"#,
        message.repeat(MESSAGES_MAX + 1).trim_end_matches(',')
    );
    refuses(&many, TooLarge, expect!["messages: at most 4096 messages"]);
    let fields: String = (0..200).map(|index| format!(r#""x{index}":0,"#)).collect();
    assert_eq!(
        decode(&with(fields.trim_end_matches(',')))
            .unwrap_err()
            .kind,
        Invalid
    );
}

#[test]
fn media_are_told_apart() {
    let request = decode(&saying(
        r#"{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": "https://a.b/c.png", "detail": "low"}},
            {"type": "image_url", "image_url": "data:image/PNG;base64,AAAA"},
            {"type": "file", "file": {"filename": "x.pdf", "file_data": "data:application/pdf;base64,BBBB"}},
            {"type": "file", "file": {"file_id": "file-1"}},
            {"type": "input_audio", "input_audio": {"data": "CCCC", "format": "wav"}},
            {"type": "video_url", "video_url": {"url": "https://a.b/c.mp4"}}]}"#,
    ))
    .unwrap();
    let parts = &request.messages[0].parts;
    let inline = |part: &Part| match part {
        Part::Image {
            source: MediaSource::Inline { media_type, data },
            ..
        }
        | Part::File {
            source: MediaSource::Inline { media_type, data },
            ..
        } => {
            format!("{media_type} {}", data.expose())
        }
        other => format!("{other:?}"),
    };
    assert_eq!(inline(&parts[1]), "image/png AAAA");
    assert_eq!(inline(&parts[2]), "application/pdf BBBB");
    assert!(
        matches!(&parts[3], Part::File { source: MediaSource::ProviderFile(id), .. } if id == "file-1")
    );
    assert!(matches!(&parts[4], Part::Audio { format, .. } if format == "wav"));
    for modality in [
        Modality::Image,
        Modality::File,
        Modality::Audio,
        Modality::Video,
    ] {
        assert!(request.input_modalities.contains(modality), "{modality:?}");
    }
    assert!(!request.input_modalities.contains(Modality::Text));
}

#[test]
fn assistants_keep_reasoning_words_and_calls_in_order() {
    let request = decode(&saying(
        r#"{"role": "assistant", "content": "hm", "refusal": null, "reasoning": "copy", "reasoning_details": [
            {"type": "reasoning.text", "text": "a", "index": 0, "format": "anthropic-claude-v1"},
            {"type": "reasoning.text", "text": "b", "index": 0, "format": "anthropic-claude-v1"},
            {"type": "reasoning.text", "signature": "S", "index": 0, "format": "anthropic-claude-v1"},
            {"type": "reasoning.encrypted", "data": "E", "index": 1},
            {"type": "reasoning.summary", "summary": "s"},
            {"type": "reasoning.invented"}],
           "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"n\":1.0}"}}]}"#,
    ))
    .unwrap();
    let shown: Vec<String> = request.messages[0]
        .parts
        .iter()
        .map(|part| match part {
            Part::Reasoning(block) => match &block.content {
                ReasoningContent::Text { text, signature } => {
                    format!("{} {} {signature:?}", block.format, text.expose())
                }
                ReasoningContent::Summary { text } => format!("summary {}", text.expose()),
                ReasoningContent::Encrypted { data } => format!("encrypted {}", data.expose()),
            },
            Part::Text { text, .. } => format!("text {}", text.expose()),
            Part::ToolCall(call) => {
                format!("{} {} {}", call.id, call.name, call.arguments.expose())
            }
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        shown,
        [
            "anthropic-claude-v1 ab Some(\"S\")",
            "encrypted E",
            "summary s",
            "text hm",
            "c1 f {\"n\":1.0}",
        ]
    );
}
