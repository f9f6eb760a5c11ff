//! Messages, whole and streamed.

use serde_json::{Value, json};

use crate::client::{MESSAGES, messages, post, send, start, streamed};

fn weather_tool() -> Value {
    json!([{ "name": "get_weather", "input_schema": {
        "type": "object", "required": ["city"], "properties": { "city": { "type": "string" } } } }])
}

/// Puts a stream back together, insisting on one open block at a time.
fn assemble(events: &[Value]) -> Value {
    let mut message = events[0]["message"].clone();
    assert_eq!(events[0]["type"], "message_start");
    assert_eq!(events.last().unwrap()["type"], "message_stop");
    let mut open: Option<(Value, String)> = None;
    for event in &events[1..events.len() - 1] {
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                assert!(open.is_none(), "two blocks are open");
                assert_eq!(event["index"], message["content"].as_array().unwrap().len());
                open = Some((event["content_block"].clone(), String::new()));
            }
            "content_block_delta" => {
                let (block, arguments) = open.as_mut().unwrap();
                let delta = &event["delta"];
                for key in ["text", "thinking", "signature"] {
                    if let Some(more) = delta[key].as_str() {
                        block[key] = json!(format!("{}{more}", block[key].as_str().unwrap()));
                    }
                }
                arguments.push_str(delta["partial_json"].as_str().unwrap_or_default());
            }
            "content_block_stop" => {
                let (mut block, arguments) = open.take().unwrap();
                if !arguments.is_empty() {
                    block["input"] = serde_json::from_str(&arguments).unwrap();
                }
                message["content"].as_array_mut().unwrap().push(block);
            }
            "message_delta" => {
                message["stop_reason"] = event["delta"]["stop_reason"].clone();
                message["stop_sequence"] = event["delta"]["stop_sequence"].clone();
                message["usage"] = event["usage"].clone();
            }
            "ping" => {}
            other => panic!("unexpected {other}"),
        }
    }
    assert!(open.is_none());
    message
}

#[tokio::test]
async fn whole_and_streamed_answers_agree() {
    let server = start().await;
    let mut thinking = messages("Hi");
    thinking["max_tokens"] = json!(4_000);
    thinking["thinking"] = json!({ "type": "enabled", "budget_tokens": 1_024 });
    let mut calling = messages("Please get weather");
    calling["tools"] = weather_tool();
    let mut cut = messages("Hi");
    cut["max_tokens"] = json!(5);
    let mut stopped = messages("Hi");
    stopped["stop_sequences"] = json!(["played"]);
    for (body, reason, kinds) in [
        (messages("Hi"), "end_turn", vec!["text"]),
        (thinking, "end_turn", vec!["thinking", "text"]),
        (calling, "tool_use", vec!["tool_use"]),
        (cut, "max_tokens", vec!["text"]),
        (stopped, "stop_sequence", vec!["text"]),
    ] {
        let mut whole = post(&server, MESSAGES, &body).await.json();
        let stream = post(&server, MESSAGES, &streamed(body)).await;
        let mut assembled = assemble(&stream.events());
        let found: Vec<_> = whole["content"]
            .as_array()
            .unwrap()
            .iter()
            .map(|block| block["type"].as_str().unwrap())
            .collect();
        assert_eq!(
            (whole["stop_reason"].as_str(), found),
            (Some(reason), kinds)
        );
        for message in [&mut whole, &mut assembled] {
            message["id"] = Value::Null;
            for block in message["content"].as_array_mut().unwrap() {
                block.as_object_mut().unwrap().remove("id");
            }
        }
        assert_eq!(whole, assembled);
        for (name, data) in stream
            .text()
            .split("\n\n")
            .filter_map(|event| event.split_once('\n'))
        {
            let kind =
                serde_json::from_str::<Value>(&data["data: ".len()..]).unwrap()["type"].clone();
            assert_eq!(name, format!("event: {}", kind.as_str().unwrap()));
        }
    }
}

#[tokio::test]
async fn headers_and_fields_are_required() {
    let server = start().await;
    let body = messages("Hi").to_string();
    let version = ("anthropic-version", "2023-06-01");
    let bare = send(&server, "POST", MESSAGES, &[version], body.clone()).await;
    assert_eq!(bare.status, 401);
    assert_eq!(bare.json()["error"]["type"], "authentication_error");
    let unversioned = send(&server, "POST", MESSAGES, &[("x-api-key", "k")], body).await;
    assert_eq!(unversioned.status, 400);

    let with = |key: &str, value: Value| {
        let mut body = messages("Hi");
        body[key] = value;
        body
    };
    let tool_use = json!({ "type": "tool_use", "id": "t1", "name": "x", "input": {} });
    let thought = json!({ "type": "thinking", "thinking": "mine", "signature": "foreign" });
    let turn = |role: &str, block: &Value| json!({ "role": role, "content": [block] });
    let text = json!({ "type": "text", "text": "x" });
    for body in [
        with("max_tokens", Value::Null),
        with("messages", json!([])),
        with("messages", json!([{ "role": "system", "content": "x" }])),
        with(
            "messages",
            json!([turn("user", &json!({ "type": "text", "text": "" }))]),
        ),
        with(
            "messages",
            json!([turn("user", &text), turn("assistant", &tool_use)]),
        ),
        with(
            "messages",
            json!([
                turn("user", &text),
                turn("assistant", &tool_use),
                turn("user", &text)
            ]),
        ),
        with(
            "messages",
            json!([
                turn("user", &text),
                turn("assistant", &thought),
                turn("user", &text)
            ]),
        ),
        with("tools", json!([{ "name": "x", "input_schema": {} }])),
        with(
            "thinking",
            json!({ "type": "enabled", "budget_tokens": 2_000 }),
        ),
    ] {
        let refused = post(&server, MESSAGES, &body).await;
        assert_eq!(refused.status, 400, "{body}");
        assert_eq!(refused.json()["error"]["type"], "invalid_request_error");
    }
}

#[tokio::test]
async fn a_thought_and_a_tool_use_come_back_unharmed() {
    let server = start().await;
    let mut body = messages("Please get weather");
    body["max_tokens"] = json!(4_000);
    body["tools"] = weather_tool();
    body["thinking"] = json!({ "type": "adaptive" });
    let first = post(&server, MESSAGES, &body).await.json();
    let content = first["content"].clone();
    assert_eq!(
        (&content[0]["type"], &content[1]["type"]),
        (&json!("thinking"), &json!("tool_use"))
    );
    let turns = body["messages"].as_array_mut().unwrap();
    turns.push(json!({ "role": "assistant", "content": content }));
    turns.push(json!({ "role": "user", "content": [
        { "type": "tool_result", "tool_use_id": content[1]["id"], "content": "18 degrees" }] }));
    let second = post(&server, MESSAGES, &body).await;
    assert_eq!(second.status, 200);
    assert!(second.text().contains("18 degrees"));
}

#[tokio::test]
async fn marked_prefixes_are_written_then_read() {
    let server = start().await;
    let mut body = messages("Hi");
    body["system"] = json!([{ "type": "text", "text": "Rules. ".repeat(1_000),
        "cache_control": { "type": "ephemeral", "ttl": "1h" } }]);
    let mut usages = Vec::new();
    for _ in 0..2 {
        usages.push(post(&server, MESSAGES, &body).await.json()["usage"].clone());
    }
    let written = usages[0]["cache_creation_input_tokens"].as_u64().unwrap();
    assert!(written > 1_700);
    assert_eq!(
        usages[0]["cache_creation"]["ephemeral_1h_input_tokens"],
        written
    );
    assert_eq!(usages[0]["cache_read_input_tokens"], 0);
    assert_eq!(usages[1]["cache_read_input_tokens"], written);
    assert_eq!(usages[1]["cache_creation_input_tokens"], 0);
    assert_eq!(usages[0]["input_tokens"], usages[1]["input_tokens"]);
    assert!(usages[0]["input_tokens"].as_u64().unwrap() < 20);
}
