//! Chat Completions, whole and streamed.

use serde_json::{Value, json};
use switchyard_simulator::{Behaviour, Credentials, Profile};

use crate::client::{Answered, CHAT, chat, post, send, start, start_with, streamed};

fn deltas(answered: &Answered, key: &str) -> String {
    let events = answered.events();
    let deltas = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"][key].as_str());
    deltas.collect()
}

fn weather_tool() -> Value {
    json!([{ "type": "function", "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "required": ["city", "days"],
            "properties": {
                "city": { "type": "string" },
                "days": { "type": "integer", "minimum": 2, "maximum": 4 },
            },
        },
    }}])
}

#[tokio::test]
async fn a_whole_answer_names_the_model_and_counts_tokens() {
    let server = start().await;
    let answered = post(&server, CHAT, &chat("A secret question")).await;
    assert_eq!(
        (answered.status.as_u16(), answered.broken.as_deref()),
        (200, None)
    );
    let body = answered.json();
    let text = body["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(
        text.contains("acme/one") && !text.contains("secret"),
        "{text}"
    );
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    let usage = &body["usage"];
    assert_eq!(usage["completion_tokens"], text.split(' ').count());
    let total =
        usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
    assert_eq!(usage["total_tokens"], total);
    assert_eq!(
        answered.headers["content-length"],
        answered.body.len().to_string()
    );
}

#[tokio::test]
async fn a_stream_says_the_same_and_reports_usage_only_when_asked() {
    let server = start().await;
    let whole = post(&server, CHAT, &chat("Hi")).await.json();
    let plain = post(&server, CHAT, &streamed(chat("Hi"))).await;
    let mut asked = streamed(chat("Hi"));
    asked["stream_options"] = json!({ "include_usage": true });
    let counted = post(&server, CHAT, &asked).await;

    for stream in [&plain, &counted] {
        assert_eq!(
            stream.headers["content-type"],
            "text/event-stream; charset=utf-8"
        );
        assert_eq!(
            deltas(stream, "content"),
            whole["choices"][0]["message"]["content"].as_str().unwrap()
        );
        let events = stream.events();
        assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
        assert_eq!(events.last().unwrap(), "[DONE]");
        let finishes = events
            .iter()
            .filter(|event| event["choices"][0]["finish_reason"].is_string())
            .count();
        assert_eq!(finishes, 1);
    }
    assert!(!plain.text().contains("\"usage\""));
    let events = counted.events();
    let (usage, chunks) = events[..events.len() - 1].split_last().unwrap();
    assert_eq!(
        (&usage["choices"], &usage["usage"]),
        (&json!([]), &whole["usage"])
    );
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk.get("usage") == Some(&Value::Null))
    );
}

#[tokio::test]
async fn required_tools_are_called_with_arguments_that_fit() {
    let server = start().await;
    let mut body = chat("What now?");
    body["tools"] = weather_tool();
    let spoken = post(&server, CHAT, &body).await.json();
    assert!(
        spoken["choices"][0]["message"]["content"].is_string(),
        "nobody asked for a tool"
    );
    body["tool_choice"] = json!("required");
    let whole = post(&server, CHAT, &body).await.json();
    let choice = &whole["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    let call = &choice["message"]["tool_calls"][0]["function"];
    assert_eq!(call["name"], "get_weather");
    let arguments: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments, json!({ "city": "Paris", "days": 3 }));

    let stream = post(&server, CHAT, &streamed(body)).await;
    let events = stream.events();
    let fragments = events.iter().filter_map(|event| {
        event["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str()
    });
    assert_eq!(
        serde_json::from_str::<Value>(&fragments.collect::<String>()).unwrap(),
        arguments
    );
}

#[tokio::test]
async fn naming_a_tool_calls_it_and_its_result_is_cited() {
    let server = start().await;
    let mut body = chat("Please get weather for me");
    body["tools"] = weather_tool();
    let called = post(&server, CHAT, &body).await.json();
    let message = called["choices"][0]["message"].clone();
    let id = message["tool_calls"][0]["id"].clone();
    let turns = body["messages"].as_array_mut().unwrap();
    turns.push(message);
    turns.push(json!({ "role": "tool", "tool_call_id": id, "content": "18 degrees" }));
    let answered = post(&server, CHAT, &body).await.json();
    let text = answered["choices"][0]["message"]["content"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        text.contains("get_weather") && text.contains("18 degrees"),
        "{text}"
    );

    body["messages"].as_array_mut().unwrap().pop();
    assert_eq!(
        post(&server, CHAT, &body).await.status,
        400,
        "an unanswered call"
    );
}

#[tokio::test]
async fn formats_reasoning_limits_and_stops_are_honoured() {
    let server = start().await;
    let mut body = chat("Hi");
    body["response_format"] = json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": {
        "type": "object", "required": ["ok"], "properties": { "ok": { "type": "boolean" } } } } });
    let message = post(&server, CHAT, &body).await.json()["choices"][0]["message"].clone();
    assert_eq!(message["content"], "{\"ok\":true}");

    let mut body = chat("Hi");
    body["reasoning_effort"] = json!("low");
    let stream = post(&server, CHAT, &streamed(body)).await;
    assert!(!deltas(&stream, "reasoning_content").is_empty());
    let (thought, said) = (
        stream.text().find("reasoning_content"),
        stream.text().find("Hello"),
    );
    assert!(thought < said);

    let mut body = chat("Hi");
    body["max_tokens"] = json!(3);
    let cut = post(&server, CHAT, &body).await.json();
    assert_eq!(cut["choices"][0]["finish_reason"], "length");
    assert_eq!(cut["usage"]["completion_tokens"], 3);

    let mut body = chat("Hi");
    body["stop"] = json!(["played"]);
    let stopped = post(&server, CHAT, &body).await.json();
    let text = stopped["choices"][0]["message"]["content"]
        .as_str()
        .unwrap();
    assert!(
        text.ends_with("acme/one, ") && !text.contains("played"),
        "{text}"
    );
}

#[tokio::test]
async fn a_long_prefix_is_read_from_the_cache_the_second_time() {
    let server = start().await;
    let body = chat(&"The rails run on and on. ".repeat(400));
    let cached = async || {
        let usage = post(&server, CHAT, &body).await.json()["usage"].clone();
        usage["prompt_tokens_details"]["cached_tokens"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(cached().await, 0);
    assert!(cached().await > 2_000);
    let elsewhere = post(&server, "/p/beta/v1/chat/completions", &body)
        .await
        .json();
    assert_eq!(
        elsewhere["usage"]["prompt_tokens_details"]["cached_tokens"],
        0
    );
}

#[tokio::test]
async fn credentials_are_asked_for() {
    let server = start().await;
    let anonymous = send(&server, "POST", CHAT, &[], chat("Hi").to_string()).await;
    assert_eq!(anonymous.status, 401);
    server.simulator().set_profile(
        "alpha",
        Profile {
            credentials: Credentials::Exactly(vec!["right".to_owned()]),
            ..Profile::default()
        },
    );
    server
        .simulator()
        .script("alpha", [Behaviour::text("for the right key")]);
    let wrong = post(&server, CHAT, &chat("Hi")).await;
    assert_eq!(
        (wrong.status.as_u16(), &wrong.json()["error"]["code"]),
        (401, &json!("invalid_api_key"))
    );
    let headers = [("authorization", "Bearer right")];
    let right = send(&server, "POST", CHAT, &headers, chat("Hi").to_string()).await;
    assert_eq!(
        right.json()["choices"][0]["message"]["content"],
        "for the right key"
    );
}

#[tokio::test]
async fn malformed_requests_are_refused_where_openai_refuses_them() {
    let server = start_with(Profile {
        models: vec!["acme/one".to_owned()],
        ..Profile::default()
    })
    .await;
    let with = |key: &str, value: Value| {
        let mut body = chat("Hi");
        body[key] = value;
        body
    };
    for (body, status) in [
        (with("messages", json!([])), 400),
        (
            with("messages", json!([{ "role": "robot", "content": "x" }])),
            400,
        ),
        (
            with(
                "messages",
                json!([{ "role": "tool", "tool_call_id": "c", "content": "x" }]),
            ),
            400,
        ),
        (
            with("stream_options", json!({ "include_usage": true })),
            400,
        ),
        (with("tool_choice", json!("auto")), 400),
        (with("max_tokens", json!(0)), 400),
        (with("model", json!("acme/two")), 404),
        (with("model", Value::Null), 400),
        (json!("not an object"), 400),
    ] {
        let answered = post(&server, CHAT, &body).await;
        assert_eq!(answered.status, status, "{body}");
        assert!(answered.json()["error"]["message"].is_string());
    }
}

#[tokio::test]
async fn models_are_listed() {
    let server = start_with(Profile {
        models: vec!["acme/one".to_owned()],
        ..Profile::default()
    })
    .await;
    let headers = [("authorization", "Bearer k")];
    let listed = send(&server, "GET", "/v1/models", &headers, String::new())
        .await
        .json();
    assert_eq!(listed["data"][0]["id"], "acme/one");
    let anonymous = send(&server, "GET", "/v1/models", &[], String::new()).await;
    assert_eq!(anonymous.status, 401);
    assert_eq!(
        send(&server, "GET", "/v2/nothing", &headers, String::new())
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn images_are_noticed() {
    let server = start().await;
    let mut body = chat("");
    body["messages"][0]["content"] = json!([
        { "type": "text", "text": "What is this?" },
        { "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } },
    ]);
    let answered = post(&server, CHAT, &body).await.json();
    assert!(
        answered["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .contains("One image")
    );
    assert!(answered["usage"]["prompt_tokens"].as_u64().unwrap() > 700);
}
