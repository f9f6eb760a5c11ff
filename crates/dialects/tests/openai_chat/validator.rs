//! What known clients demand of our answers: breaking any of this breaks one of them.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::corpus::split_events;

/// Checks a complete answer.
pub(crate) fn check_completion(json: &[u8]) -> Value {
    let body: Value = serde_json::from_slice(json).expect("the format demands it");
    let top = body.as_object().expect("the format demands it");
    assert_eq!(top["object"], "chat.completion");
    check_identity(top);
    let fingerprint = top
        .get("system_fingerprint")
        .expect("required, though it may be null");
    assert!(fingerprint.is_null() || fingerprint.is_string());
    absent_or_not_null(
        top,
        &["usage", "error", "openrouter_metadata", "service_tier"],
    );
    check_usage(&top["usage"]);
    let choices = top["choices"].as_array().expect("the format demands it");
    assert_eq!(choices.len(), 1, "one choice per reply");
    let choice = choices[0].as_object().expect("the format demands it");
    assert_eq!(choice["index"], 0);
    assert!(
        choice["finish_reason"]
            .as_str()
            .is_some_and(|reason| !reason.is_empty())
    );
    assert!(choice.contains_key("native_finish_reason"));
    let message = choice["message"]
        .as_object()
        .expect("the format demands it");
    assert_eq!(message["role"], "assistant");
    assert!(message["content"].is_string() || message["content"].is_null());
    absent_or_not_null(
        message,
        &[
            "tool_calls",
            "reasoning_details",
            "images",
            "audio",
            "annotations",
            "function_call",
        ],
    );
    assert!(
        !message.contains_key("reasoning_content"),
        "renamed to reasoning"
    );
    for call in message
        .get("tool_calls")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        check_whole_call(call);
    }
    if message.contains_key("tool_calls") {
        assert_ne!(
            choice["finish_reason"], "stop",
            "calls end an answer with tool_calls"
        );
    }
    body
}

/// Checks a whole stream as written to a client, and returns its chunks.
pub(crate) fn check_stream(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).expect("the format demands it");
    assert!(
        text.ends_with("data: [DONE]\n\n"),
        "the end mark is exact and last"
    );
    let mut payloads = split_events(text);
    let done = payloads.pop().expect("the format demands it");
    assert_eq!(done.1, Bytes::from_static(b"[DONE]"));
    let chunks: Vec<Value> = payloads
        .into_iter()
        .map(|(name, data)| {
            assert_eq!(name, None, "no event lines");
            serde_json::from_slice(&data).expect("the format demands it")
        })
        .collect();
    let mut finishes = 0;
    let mut calls: Vec<u64> = Vec::new();
    for chunk in &chunks {
        check_chunk(chunk, &mut calls);
        if chunk.get("error").is_none() && !chunk["choices"][0]["finish_reason"].is_null() {
            finishes += 1;
        }
    }
    let last = chunks.last().expect("the format demands it");
    // An error may come in place of the finish reason, or even after it.
    let least = usize::from(last.get("error").is_none());
    assert!(
        (least..=1).contains(&finishes),
        "a finish reason once, not {finishes} times"
    );
    assert!(last.get("usage").is_some() != last.get("error").is_some());
    let with_usage = chunks
        .iter()
        .filter(|chunk| chunk.get("usage").is_some())
        .count();
    assert_eq!(
        with_usage,
        usize::from(last.get("error").is_none()),
        "usage once and last"
    );
    if let Some(usage) = last.get("usage") {
        check_usage(usage);
    }
    chunks
}

fn check_chunk(chunk: &Value, calls: &mut Vec<u64>) {
    let top = chunk.as_object().expect("the format demands it");
    assert_eq!(top["object"], "chat.completion.chunk");
    check_identity(top);
    absent_or_not_null(
        top,
        &[
            "usage",
            "error",
            "system_fingerprint",
            "service_tier",
            "openrouter_metadata",
        ],
    );
    for padding in ["obfuscation", "p", "x_groq"] {
        assert!(!top.contains_key(padding), "{padding}");
    }
    let choices = top["choices"].as_array().expect("the format demands it");
    assert_eq!(choices.len(), 1);
    let choice = choices[0].as_object().expect("the format demands it");
    assert_eq!(choice["index"], 0);
    assert!(
        choice.contains_key("finish_reason"),
        "present in every chunk"
    );
    assert_ne!(choice["finish_reason"], "");
    assert!(!choice.contains_key("error") && !choice.contains_key("usage"));
    let delta = choice["delta"].as_object().expect("the format demands it");
    assert!(delta.get("role").is_none_or(|role| role == "assistant"));
    assert!(delta.get("content").is_none_or(Value::is_string));
    absent_or_not_null(
        delta,
        &["tool_calls", "reasoning", "reasoning_details", "refusal"],
    );
    for call in delta
        .get("tool_calls")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let index = call["index"].as_u64().expect("the format demands it");
        if !calls.contains(&index) {
            assert_eq!(index, calls.len() as u64, "numbered from zero without gaps");
            calls.push(index);
            check_whole_call(call);
        }
        absent_or_not_null(
            call.as_object().expect("the format demands it"),
            &["id", "type"],
        );
        absent_or_not_null(
            call["function"].as_object().expect("the format demands it"),
            &["name", "arguments"],
        );
        assert!(call["function"]["arguments"].is_string());
    }
}

fn check_identity(top: &Map<String, Value>) {
    assert!(
        top["id"]
            .as_str()
            .expect("the format demands it")
            .starts_with("gen-")
    );
    assert!(
        top["created"].is_i64() || top["created"].is_u64(),
        "whole seconds"
    );
    assert_eq!(top["model"], "author/model");
    assert_eq!(top["provider"], "Acme");
}

fn check_whole_call(call: &Value) {
    assert_eq!(call["type"], "function");
    assert!(call["id"].as_str().is_some_and(|id| !id.is_empty()));
    assert!(call["function"]["name"].is_string());
    assert!(call["function"]["arguments"].is_string());
}

fn check_usage(usage: &Value) {
    for field in ["prompt_tokens", "completion_tokens", "total_tokens"] {
        assert!(usage[field].is_u64(), "{field}");
    }
    assert!(usage["cost"].is_number() && usage["is_byok"].is_boolean());
    assert!(usage["prompt_tokens_details"]["cached_tokens"].is_u64());
    assert!(usage["completion_tokens_details"]["reasoning_tokens"].is_u64());
    for field in [
        "upstream_inference_prompt_cost",
        "upstream_inference_completions_cost",
    ] {
        assert!(usage["cost_details"][field].is_number(), "{field}");
    }
}

fn absent_or_not_null(object: &Map<String, Value>, fields: &[&str]) {
    for field in fields {
        assert_ne!(
            object.get(*field),
            Some(&Value::Null),
            "{field} must not be null"
        );
    }
}
