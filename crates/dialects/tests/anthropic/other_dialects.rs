//! Requests and answers of another dialect on their way through this one.

use std::{collections::HashSet, fs, path::PathBuf};

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use switchyard_dialects::{
    anthropic_messages::{StreamEncoder, UpstreamTraits, encode_completion, encode_request},
    openai_chat,
};
use switchyard_interchange::{
    event::{ChatEvent, StreamStep},
    failure::FailureKind,
};

use crate::{
    replies::{failure, head, tail},
    sse,
};

/// The recorded exchanges of OpenAI-compatible providers: id, request, status, body.
fn recordings() -> Vec<(String, Value, u64, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/openai_chat");
    let mut recordings: Vec<_> = fs::read_dir(folder)
        .expect("the fixtures are there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let text = fs::read_to_string(path).expect("a readable file");
            let file: Value = serde_json::from_str(&text).expect("a recording");
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (request, response) = (&file["request"]["body"], &file["response"]);
            let status = response["status"].as_u64().expect("a status");
            (
                text(&file["id"]),
                request.clone(),
                status,
                text(&response["body_text"]),
            )
        })
        .collect();
    recordings.sort_by(|left, right| left.0.cmp(&right.0));
    recordings
}

/// The steps of a recorded stream, up to where it breaks.
fn steps(body: &str) -> Vec<StreamStep> {
    let body = body.replace("\r\n", "\n");
    let framed = body.contains("data:");
    let frames: Vec<(String, Bytes)> = if framed {
        sse::split(&body)
            .into_iter()
            .map(|frame| (frame.name, frame.data))
            .collect()
    } else {
        body.lines()
            .map(|line| (String::new(), Bytes::from(line.to_owned())))
            .collect()
    };
    let mut decoder = openai_chat::StreamDecoder::new();
    let mut steps = Vec::new();
    for (name, data) in frames {
        match decoder.event(data, Some(name.as_str()).filter(|name| !name.is_empty())) {
            Ok(step) => steps.push(step),
            Err(_) => return steps,
        }
    }
    steps.extend(decoder.end());
    steps
}

#[test]
fn their_streams_become_sound_streams_of_ours() {
    let mut streams = 0;
    for (id, _, status, body) in recordings() {
        let is_stream = body.contains("data:")
            || body
                .lines()
                .nth(1)
                .is_some_and(|line| line.starts_with('{'));
        if status != 200 || !is_stream {
            continue;
        }
        streams += 1;
        let (mut encoder, mut out) = (StreamEncoder::new(head()), Vec::new());
        let mut broken = false;
        let mut calls = 0;
        for step in steps(&body) {
            broken |= step
                .events
                .iter()
                .any(|event| matches!(event, ChatEvent::Error(_)));
            calls += step.events.iter().filter(|event| is_call(event)).count();
            encoder.step(&step, &mut out);
        }
        if broken {
            encoder.fail(&failure(), &mut out);
        } else {
            encoder.finish(&tail(Default::default()), &mut out);
        }
        let events = sse::check_order(&out);
        let sent = events
            .iter()
            .filter(|event| event["content_block"]["type"] == "tool_use")
            .count();
        assert_eq!(sent, calls, "{id}");
        if !broken {
            let ended = events.iter().find(|event| event["type"] == "message_delta");
            let reason = &ended.expect("an end")["delta"]["stop_reason"];
            assert_eq!(reason == "tool_use", calls > 0, "{id} stopped for {reason}");
        }
    }
    assert!(streams >= 25, "only {streams} streams");
}

fn is_call(event: &ChatEvent) -> bool {
    use switchyard_interchange::event::PartKind;
    matches!(
        event,
        ChatEvent::PartStart {
            kind: PartKind::ToolCall { .. },
            ..
        }
    )
}

#[test]
fn their_answers_become_messages_of_ours() {
    let mut answers = 0;
    for (id, _, status, body) in recordings() {
        if status != 200 {
            continue;
        }
        let Ok(completion) = openai_chat::decode_completion(Bytes::from(body)) else {
            continue;
        };
        answers += 1;
        let tokens = completion
            .usage
            .as_ref()
            .map(|usage| usage.tokens)
            .unwrap_or_default();
        let sent = encode_completion(&head(), &completion, &tail(tokens));
        let message: Value = serde_json::from_slice(&sent).expect("JSON");
        sse::check_message(&message);
        for block in message["content"].as_array().expect("blocks") {
            assert!(
                block["type"] != "tool_use" || block["input"].is_object(),
                "{id}: {block}"
            );
        }
    }
    assert!(answers >= 20, "only {answers} answers");
}

#[test]
fn their_requests_become_requests_of_ours() {
    let mut requests = 0;
    for (id, request, ..) in recordings() {
        let Ok(request) = openai_chat::decode_request(Bytes::from(request.to_string())) else {
            continue;
        };
        match encode_request(&request, &UpstreamTraits::anthropic("claude", 8_192)) {
            Ok(body) => {
                check_request(&serde_json::from_slice(&body).expect("JSON"));
                requests += 1;
            }
            Err(failure) => assert_eq!(failure.kind, FailureKind::Unsupported, "{id}: {failure}"),
        }
    }
    assert!(requests >= 40, "only {requests} requests");
}

/// Panics where the provider would refuse the request.
fn check_request(body: &Value) {
    let turns = body["messages"].as_array().expect("messages");
    assert_eq!(turns.first().expect("a turn")["role"], "user");
    let mut ids: HashSet<&str> = HashSet::new();
    let mut open: Vec<&str> = Vec::new();
    let mut last_role = "";
    for turn in turns {
        let role = turn["role"].as_str().expect("a role");
        assert_ne!(role, last_role, "turns alternate");
        last_role = role;
        let blocks = turn["content"].as_array().expect("blocks");
        assert!(!blocks.is_empty(), "a turn says something");
        let results: Vec<&str> = blocks
            .iter()
            .take_while(|block| block["type"] == "tool_result")
            .map(|block| block["tool_use_id"].as_str().expect("an id"))
            .collect();
        let total = blocks
            .iter()
            .filter(|block| block["type"] == "tool_result")
            .count();
        assert_eq!(results.len(), total, "results come first");
        let answered: HashSet<&str> = results.iter().copied().collect();
        assert_eq!(
            answered,
            open.drain(..).collect(),
            "each call is answered, and nothing else"
        );
        assert_eq!(answered.len(), total, "each call is answered once");
        for block in blocks {
            if block["type"] == "text" {
                assert!(
                    !block["text"].as_str().expect("a text").trim().is_empty(),
                    "no blank text"
                );
            }
            if block["type"] == "tool_use" {
                let id = block["id"].as_str().expect("an id");
                assert!(ids.insert(id), "{id} is used once");
                assert!(
                    id.bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
                );
                assert!(block["input"].is_object());
                open.push(id);
            }
        }
    }
    assert!(open.is_empty(), "each call is answered");
    let marks = body.to_string().matches("\"cache_control\"").count();
    assert!(marks <= 4, "{marks} cache marks");
    let budget = body["thinking"]["budget_tokens"].as_u64();
    assert!(
        budget.is_none_or(|budget| budget >= 1_024 && Some(budget) < body["max_tokens"].as_u64())
    );
}

/// A message of the other dialect.
fn message() -> impl Strategy<Value = Value> {
    let text = || prop::sample::select(vec!["", " ", "words", "more\n"]);
    let id = || prop::sample::select(vec!["call_1", "call_2", "functions.f:0", "ü"]);
    let marked = text().prop_map(|text| {
        json!({"role": "user", "content": [
            {"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "x"}]})
    });
    let calling = (text(), proptest::collection::vec(id(), 0..3)).prop_map(|(text, ids)| {
        let calls: Vec<Value> = ids
            .into_iter()
            .map(|id| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}))
            .collect();
        json!({"role": "assistant", "content": text, "tool_calls": calls})
    });
    prop_oneof![
        text().prop_map(|text| json!({"role": "system", "content": text})),
        text().prop_map(|text| json!({"role": "user", "content": text})),
        marked,
        calling.boxed(),
        (id(), text())
            .prop_map(|(id, text)| json!({"role": "tool", "tool_call_id": id, "content": text})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_conversation_is_put_in_order(
        messages in proptest::collection::vec(message(), 1..12),
        effort in prop::sample::select(vec!["none", "low", "high"]),
        max_tokens in 1_u32..6_000,
    ) {
        let body = json!({"model": "m", "messages": messages, "reasoning_effort": effort, "max_tokens": max_tokens,
            "tools": [{"type": "function", "function": {"name": "f"}}]});
        let request = openai_chat::decode_request(Bytes::from(body.to_string()));
        prop_assume!(request.is_ok());
        match encode_request(&request.expect("assumed"), &UpstreamTraits::anthropic("m", 8_192)) {
            Ok(sent) => check_request(&serde_json::from_slice(&sent).expect("JSON")),
            Err(failure) => prop_assert_eq!(failure.kind, FailureKind::Unsupported),
        }
    }
}
