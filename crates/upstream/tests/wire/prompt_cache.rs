//! What providers are told about the prompt's cache, by the names under which the catalogue lists
//! them.

use switchyard_interchange::preferences::Caching;
use switchyard_simulator::observation::SeenRequest;

use super::*;

/// What the app makes of a conversation's name.
const HINT: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A chat request that holds everything a caller could say about its conversation.
fn telling() -> ChatRequest {
    let body = json!({
        "model": "acme/model", "max_tokens": 64, "session_id": "callers-session",
        "prompt_cache_key": "callers-key", "user": "callers-user",
        "prompt_cache_retention": "24h", "store": true,
        "messages": [
            { "role": "system", "content": "word ".repeat(1_000) },
            { "role": "user", "content": "hello" },
        ],
    });
    let body = Bytes::from(serde_json::to_vec(&body).expect("JSON"));
    openai_chat::decode_request(body).expect("a valid request")
}

impl World {
    /// What the provider `slug` sees of a request.
    async fn seen(
        &self,
        (slug, family): (&str, &str),
        fields: &Value,
        request: &ChatRequest,
        (affinity, zero_retention): (Option<&str>, bool),
    ) -> SeenRequest {
        let endpoint = endpoint_of(slug, family, &self.server.base_url("alpha"), fields);
        let credential = Secret::new(CREDENTIAL.as_bytes().to_vec());
        let call = Call {
            endpoint: &endpoint,
            credential: &credential,
            request,
            affinity,
            zero_retention,
        };
        self.upstream.send(call).await.map(drop).expect("an answer");
        let seen = self.server.simulator().requests("alpha");
        seen.last().expect("one request").clone()
    }
}

#[tokio::test]
async fn a_hint_goes_where_it_is_read_and_the_callers_words_nowhere() {
    let world = World::new().await;
    let compatible = FAMILIES[0];
    for (slug, family, in_body, header) in [
        ("openai", compatible, true, None),
        ("azure", compatible, true, None),
        ("mistral", compatible, true, None),
        ("moonshotai", compatible, true, None),
        ("deepinfra", compatible, true, None),
        ("fireworks", compatible, false, Some("x-session-affinity")),
        ("cloudflare", compatible, false, Some("x-session-affinity")),
        ("xai", compatible, false, Some("x-grok-conv-id")),
        // These refuse a request with a field they do not know.
        ("groq", compatible, false, None),
        ("cerebras", compatible, false, None),
        ("nvidia", compatible, false, None),
        ("anthropic", FAMILIES[1], false, None),
    ] {
        let by = (slug, family);
        let told = world
            .seen(by, &json!({}), &telling(), (Some(HINT), false))
            .await;
        let key = told.json()["prompt_cache_key"].as_str().map(str::to_owned);
        assert_eq!(key.as_deref(), in_body.then_some(HINT), "{slug}");
        let headers: Vec<&str> = told
            .headers
            .iter()
            .filter(|(_, value)| value == HINT)
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(headers, header.into_iter().collect::<Vec<_>>(), "{slug}");
        let untold = world.seen(by, &json!({}), &telling(), (None, false)).await;
        assert!(untold.json().get("prompt_cache_key").is_none(), "{slug}");
        for seen in [told, untold] {
            let whole = format!("{:?} {}", seen.headers, String::from_utf8_lossy(&seen.body));
            assert!(!whole.contains("callers"), "{slug}: {whole}");
        }
    }
}

#[tokio::test]
async fn zero_retention_takes_out_what_asks_to_be_kept() {
    let world = World::new().await;
    for (zero_retention, kept) in [(false, Some("24h")), (true, None)] {
        let seen = world
            .seen(
                ("openai", FAMILIES[0]),
                &json!({}),
                &telling(),
                (None, zero_retention),
            )
            .await
            .json();
        assert_eq!(seen["prompt_cache_retention"].as_str(), kept);
        assert!(seen.get("store").is_none(), "{seen}");
    }
}

#[tokio::test]
async fn the_catalogue_says_where_marks_are_placed() {
    let world = World::new().await;
    let prices = |write: Option<&str>| {
        json!({"prompt": "0.000001", "completion": "0.000002", "request": null, "image": null,
            "input_cache_read": "0.0000001", "input_cache_write": write,
            "internal_reasoning": null, "web_search": null})
    };
    let row = |write: Option<&str>, implicit: Option<bool>| json!({"pricing": prices(write), "supports_implicit_caching": implicit});
    let write = Some("0.00000125");
    for (slug, family, fields, marked) in [
        ("anthropic", FAMILIES[1], row(write, None), true),
        ("anthropic", FAMILIES[1], row(write, Some(false)), true),
        ("anthropic", FAMILIES[1], row(write, Some(true)), false),
        ("anthropic", FAMILIES[1], row(None, None), false),
        ("alibaba", FAMILIES[0], row(write, None), true),
        ("alibaba", FAMILIES[0], row(write, Some(true)), false),
        ("openai", FAMILIES[0], row(write, None), false),
        ("groq", FAMILIES[0], row(write, None), false),
    ] {
        for caching in [Caching::Auto, Caching::AsMarked] {
            let mut request = telling();
            request.provider.caching = caching;
            let by = (slug, family);
            let seen = world.seen(by, &fields, &request, (None, false)).await;
            let has_marks = String::from_utf8_lossy(&seen.body).contains("cache_control");
            let expected = marked && caching == Caching::Auto;
            assert_eq!(has_marks, expected, "{slug} {fields} {caching:?}");
        }
    }
}

#[tokio::test]
async fn openai_models_that_charge_for_writing_take_breakpoints() {
    let world = World::new().await;
    let body = json!({ "model": "acme/model", "max_tokens": 64, "messages": [
        { "role": "user", "content": [{ "type": "text", "text": "hello",
            "cache_control": { "type": "ephemeral", "ttl": "1h" } }] }] });
    let body = Bytes::from(serde_json::to_vec(&body).expect("JSON"));
    let request = openai_chat::decode_request(body).expect("a valid request");
    for (write, content) in [
        (
            Some("0.00000125"),
            json!([{ "type": "text", "text": "hello",
                "prompt_cache_breakpoint": { "mode": "explicit" } }]),
        ),
        (None, json!("hello")),
    ] {
        let fields = json!({"pricing": {"prompt": "0.000001", "completion": "0.000002",
            "request": null, "image": null, "input_cache_read": "0.0000001",
            "input_cache_write": write, "internal_reasoning": null, "web_search": null}});
        let by = ("openai", FAMILIES[0]);
        let seen = world.seen(by, &fields, &request, (None, false)).await;
        assert_eq!(seen.json()["messages"][0]["content"], content);
    }
}
