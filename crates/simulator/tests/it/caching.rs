//! Prompt caches as providers have them, seen through what they report.

use std::time::Duration;

use serde_json::{Value, json};
use switchyard_simulator::{CacheMode, Caching, Profile, Server};

use crate::client::{CHAT, MESSAGES, chat, post, send, start, start_with};

const PREFIX_WORDS: usize = 2_000;

fn long_chat() -> Value {
    let mut body = chat("Go on.");
    let system = json!({ "role": "system", "content": "word ".repeat(PREFIX_WORDS) });
    body["messages"]
        .as_array_mut()
        .expect("messages are a list")
        .insert(0, system);
    body
}

/// The system prompt and the question carry a mark each.
fn marked_messages(system_ttl: &str, question_ttl: &str) -> Value {
    let block = |text: &str, ttl: &str| {
        json!([{ "type": "text", "text": text,
                 "cache_control": { "type": "ephemeral", "ttl": ttl } }])
    };
    json!({
        "model": "acme/one",
        "max_tokens": 100,
        "system": block(&"word ".repeat(PREFIX_WORDS), system_ttl),
        "messages": [{ "role": "user", "content": block(&"Go on. ".repeat(200), question_ttl) }],
    })
}

async fn usage(server: &Server, path: &str, body: &Value) -> Value {
    let answered = post(server, path, body).await;
    assert_eq!(answered.status, 200, "{}", answered.text());
    answered.json()["usage"].clone()
}

async fn cached(server: &Server, credential: &str) -> u64 {
    let authorization = format!("Bearer {credential}");
    let headers = [("authorization", authorization.as_str())];
    let body = long_chat().to_string();
    let answered = send(server, "POST", CHAT, &headers, body).await;
    answered.json()["usage"]["prompt_tokens_details"]["cached_tokens"]
        .as_u64()
        .expect("always told")
}

#[tokio::test]
async fn each_credential_has_a_cache_of_its_own() {
    let server = start().await;
    assert_eq!(cached(&server, "k1").await, 0);
    assert!(cached(&server, "k1").await > 2_000);
    assert_eq!(cached(&server, "k2").await, 0);
    assert!(cached(&server, "k2").await > 2_000);
}

#[tokio::test]
async fn caches_are_emptied_and_lapse_when_told() {
    let server = start().await;
    let control = async |method: &str, path: &str, body: &str| {
        let answered = send(&server, method, path, &[], body.to_owned()).await;
        answered.status.as_u16()
    };
    cached(&server, "k").await;
    assert!(cached(&server, "k").await > 2_000);
    assert_eq!(control("DELETE", "/_sim/cache/alpha", "").await, 200);
    assert_eq!(cached(&server, "k").await, 0);

    let advance = |millis: u64| json!({ "advance_ms": millis }).to_string();
    assert_eq!(control("POST", "/_sim/clock", &advance(299_000)).await, 200);
    assert!(cached(&server, "k").await > 2_000);
    server.simulator().pass_time(Duration::from_secs(299));
    assert!(
        cached(&server, "k").await > 2_000,
        "the last use renewed it"
    );
    assert_eq!(control("POST", "/_sim/clock", &advance(300_001)).await, 200);
    assert_eq!(cached(&server, "k").await, 0);
    assert_eq!(control("POST", "/_sim/clock", "{}").await, 400);
}

#[tokio::test]
async fn an_automatic_cache_may_charge_for_what_it_takes_in() {
    let caching = Caching {
        reports_writes: true,
        ..Caching::default()
    };
    let server = start_with(Profile {
        caching,
        ..Profile::default()
    })
    .await;
    let first = usage(&server, CHAT, &long_chat()).await;
    let second = usage(&server, CHAT, &long_chat()).await;
    let (first, second) = (
        &first["prompt_tokens_details"],
        &second["prompt_tokens_details"],
    );
    assert_eq!(first["cached_tokens"], 0);
    assert_eq!(first["cache_write_tokens"], second["cached_tokens"]);
    assert!(second.get("cache_write_tokens").is_none(), "{second}");
}

#[tokio::test]
async fn marks_work_in_openais_dialect_where_the_provider_wants_them() {
    let server = start_with(Profile {
        caching: Caching {
            mode: CacheMode::Marked,
            ..Caching::default()
        },
        ..Profile::default()
    })
    .await;
    for _ in 0..2 {
        let unmarked = usage(&server, CHAT, &long_chat()).await;
        assert_eq!(unmarked["prompt_tokens_details"]["cached_tokens"], 0);
    }
    for (mark, value) in [
        ("cache_control", json!({ "type": "ephemeral" })),
        ("prompt_cache_breakpoint", json!({})),
    ] {
        server.simulator().evict("alpha");
        let mut body = long_chat();
        let text = body["messages"][0]["content"].take();
        body["messages"][0]["content"] = json!([{ "type": "text", "text": text, mark: value }]);
        let first = usage(&server, CHAT, &body).await;
        let written = first["prompt_tokens_details"]["cache_write_tokens"].clone();
        assert!(written.as_u64() > Some(2_000), "{first}");
        let second = usage(&server, CHAT, &body).await;
        assert_eq!(second["prompt_tokens_details"]["cached_tokens"], written);
    }
}

#[tokio::test]
async fn caching_can_be_switched_off() {
    let server = start_with(Profile {
        caching: Caching {
            mode: CacheMode::None,
            ..Caching::default()
        },
        ..Profile::default()
    })
    .await;
    for _ in 0..2 {
        assert_eq!(cached(&server, "k").await, 0);
        let marked = usage(&server, MESSAGES, &marked_messages("5m", "5m")).await;
        assert_eq!(marked["cache_creation_input_tokens"], 0);
    }
}

#[tokio::test]
async fn anthropic_tells_short_writes_from_long_ones() {
    let server = start().await;
    let both = marked_messages("1h", "5m");
    let first = usage(&server, MESSAGES, &both).await;
    let split = &first["cache_creation"];
    let (long, short) = (
        split["ephemeral_1h_input_tokens"].as_u64().expect("told"),
        split["ephemeral_5m_input_tokens"].as_u64().expect("told"),
    );
    assert!(long > 2_000 && (100..1_000).contains(&short), "{first}");
    assert_eq!(first["cache_creation_input_tokens"], long + short);
    assert_eq!(first["input_tokens"], 0);

    server.simulator().pass_time(Duration::from_secs(301));
    let later = usage(&server, MESSAGES, &both).await;
    assert_eq!(
        later["cache_read_input_tokens"], long,
        "the hour is not over"
    );
    assert_eq!(later["cache_creation"]["ephemeral_5m_input_tokens"], short);

    let wrong = post(&server, MESSAGES, &marked_messages("5m", "1h")).await;
    assert_eq!(wrong.status, 400, "long ones come first");
}
