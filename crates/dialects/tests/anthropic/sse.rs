//! Server-sent events, split and checked.

use bytes::Bytes;
use serde_json::Value;

/// One frame: the event's name and its data.
pub(crate) struct Frame {
    pub(crate) name: String,
    pub(crate) data: Bytes,
}

/// Splits a whole body into frames; comments are skipped.
pub(crate) fn split(body: &str) -> Vec<Frame> {
    body.split("\n\n")
        .filter_map(|frame| {
            let field = |prefix: &str| frame.lines().find_map(|line| line.strip_prefix(prefix));
            let data = field("data:")?;
            Some(Frame {
                name: field("event:").unwrap_or_default().trim().to_owned(),
                data: Bytes::from(data.trim_start().to_owned()),
            })
        })
        .collect()
}

/// Panics unless the frames keep the dialect's order: a start, blocks one after another with
/// consecutive numbers, the end of the message, its stop. Returns the events.
pub(crate) fn check_order(body: &[u8]) -> Vec<Value> {
    let body = std::str::from_utf8(body).expect("a stream is UTF-8");
    assert!(
        body.is_empty() || body.ends_with("\n\n"),
        "the last frame is cut: {body:?}"
    );
    let events: Vec<Value> = split(body)
        .iter()
        .map(|frame| {
            let event: Value = serde_json::from_slice(&frame.data).expect("data is JSON");
            assert_eq!(event["type"], frame.name.as_str(), "the name is the type");
            event
        })
        .collect();
    let (mut open, mut next, mut stage) = (None::<Value>, 0_u64, Stage::Before);
    let mut arguments = String::new();
    for event in &events {
        let kind = event["type"].as_str().expect("a type");
        match kind {
            "message_start" => {
                assert_eq!(stage, Stage::Before, "one start");
                stage = Stage::Blocks;
                check_message(&event["message"]);
            }
            "content_block_start" => {
                assert_eq!(stage, Stage::Blocks, "{event}");
                assert!(open.is_none(), "one block at a time: {event}");
                assert_eq!(event["index"], next, "consecutive");
                open = Some(event["content_block"].clone());
                arguments.clear();
            }
            "content_block_delta" => {
                let block = open.as_ref().expect("an open block");
                assert_eq!(event["index"], next);
                check_growth(&block["type"], &event["delta"]);
                arguments.push_str(event["delta"]["partial_json"].as_str().unwrap_or_default());
            }
            "content_block_stop" => {
                let block = open.take().expect("an open block");
                assert_eq!(event["index"], next);
                next += 1;
                if block["type"] == "tool_use" && !arguments.is_empty() {
                    let input: Value =
                        serde_json::from_str(&arguments).expect("arguments are JSON");
                    assert!(input.is_object(), "arguments are an object");
                }
            }
            "message_delta" => {
                assert_eq!(stage, Stage::Blocks);
                assert!(open.is_none(), "blocks are closed before the end");
                assert!(event["delta"]["stop_reason"].is_string(), "{event}");
                assert!(event["usage"]["output_tokens"].is_u64(), "{event}");
                assert!(event["usage"]["cost"].is_number(), "{event}");
                stage = Stage::Ending;
            }
            "message_stop" => {
                assert_eq!(stage, Stage::Ending);
                stage = Stage::Over;
            }
            "error" => stage = Stage::Over,
            "ping" => {}
            other => panic!("an event of type {other}"),
        }
    }
    assert_eq!(stage, Stage::Over, "the stream ends");
    events
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    Before,
    Blocks,
    Ending,
    Over,
}

/// Panics unless a message has the members that clients rely on.
pub(crate) fn check_message(message: &Value) {
    assert_eq!(message["type"], "message");
    assert_eq!(message["role"], "assistant");
    assert!(
        message["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("gen-")),
        "{message}"
    );
    assert!(
        message["model"].is_string() && message["content"].is_array(),
        "{message}"
    );
    let object = message.as_object().expect("an object");
    for required in ["stop_reason", "stop_sequence", "stop_details"] {
        assert!(object.contains_key(required), "{required} in {message}");
    }
    for count in ["input_tokens", "output_tokens"] {
        assert!(message["usage"][count].is_u64(), "{count} in {message}");
    }
}

fn check_growth(block: &Value, delta: &Value) {
    let allowed: &[&str] = match block.as_str().expect("a type") {
        "text" => &["text_delta", "citations_delta"],
        "thinking" => &["thinking_delta", "signature_delta"],
        "tool_use" | "server_tool_use" => &["input_json_delta"],
        _ => &[],
    };
    let kind = delta["type"].as_str().expect("a type");
    assert!(allowed.contains(&kind), "{kind} in a block of type {block}");
}
