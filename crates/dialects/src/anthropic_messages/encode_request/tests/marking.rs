//! Cache marks that the router places, in bodies written anew and in bodies spliced.

use bytes::Bytes;
use serde_json::json;
use switchyard_interchange::preferences::Caching;

use super::*;
use crate::{anthropic_messages::decode_request, cache_marks::CACHED_TOKENS_MIN_UNKNOWN};

fn marks_only() -> UpstreamTraits {
    UpstreamTraits {
        keeps_marked_from: Some(CACHED_TOKENS_MIN_UNKNOWN),
        ..traits()
    }
}

/// Where marks stand in a body, in the order of the prompt.
fn marked(body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |path: String, block: &Value| {
        if block.get("cache_control").is_some() {
            assert_eq!(block["cache_control"], json!({ "type": "ephemeral" }));
            found.push(path);
        }
    };
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    note("top".to_owned(), body);
    for (index, tool) in list(&body["tools"]).iter().enumerate() {
        note(format!("tools {index}"), tool);
    }
    for (index, block) in list(&body["system"]).iter().enumerate() {
        note(format!("system {index}"), block);
    }
    for (turn, message) in list(&body["messages"]).iter().enumerate() {
        for (index, block) in list(&message["content"]).iter().enumerate() {
            note(format!("turn {turn} block {index}"), block);
        }
    }
    found
}

fn long(text: &str) -> String {
    format!("{text} {}", "word ".repeat(1_000))
}

fn anew(mut request: ChatRequest, caching: Caching) -> Vec<String> {
    request.provider.caching = caching;
    let sent = encode_request(&request, &marks_only()).expect("supported");
    marked(&serde_json::from_slice(&sent).expect("JSON"))
}

#[test]
fn what_stays_is_marked_in_a_body_written_anew() {
    let opening = || vec![says(Role::System, &long("s")), says(Role::User, "u")];
    let looped = || {
        let mut messages = opening();
        messages.push(message(
            Role::Assistant,
            vec![call("c1", "{}"), call("c2", "{}")],
        ));
        messages.extend([result("c1", &long("r")), result("c2", "r")]);
        messages.push(message(Role::Assistant, vec![call("c3", "{}")]));
        messages.push(result("c3", "r"));
        messages
    };
    for (messages, expected) in [
        (opening(), &["system 0"][..]),
        (looped(), &["system 0", "turn 2 block 1"]),
        (
            vec![
                says(Role::User, &long("u")),
                says(Role::Assistant, "a"),
                says(Role::User, "v"),
            ],
            &["turn 0 block 0"],
        ),
        (vec![says(Role::System, "s"), says(Role::User, "u")], &[]),
    ] {
        assert_eq!(anew(request(messages.clone()), Caching::Auto), expected);
        assert!(anew(request(messages), Caching::AsMarked).is_empty());
    }
    let mut tools = request(vec![says(Role::User, "u")]);
    let mut tool = weather_tool();
    tool.description = Some(long("d"));
    tools.tools = vec![tool.clone(), weather_tool()];
    tools.tools[0].name = "other".to_owned();
    assert_eq!(anew(tools, Caching::Auto), ["tools 1"]);
}

#[test]
fn the_callers_marks_are_enough() {
    let own = request(vec![
        says(Role::System, &long("s")),
        message(Role::User, vec![marked_text("u")]),
        says(Role::Assistant, "a"),
        says(Role::User, "v"),
    ]);
    assert_eq!(anew(own, Caching::Auto), ["turn 0 block 0"]);
    let mut top = request(vec![says(Role::System, &long("s")), says(Role::User, "u")]);
    top.automatic_cache = Some(CacheMark {
        life: CacheLife::Short,
    });
    assert_eq!(anew(top, Caching::Auto), ["top"]);
}

fn marked_text(text: &str) -> Part {
    super::marked(text, CacheLife::Short)
}

#[test]
fn what_stays_is_marked_in_a_spliced_body() {
    let splice = |body: &Value, traits: &UpstreamTraits| -> Value {
        let request = decode_request(Bytes::from(body.to_string())).expect("a request");
        let sent = encode_request(&request, traits).expect("supported");
        serde_json::from_slice(&sent).expect("JSON")
    };
    let conversation = json!([
        { "role": "user", "content": long("u"), "odd": 1 },
        { "role": "assistant", "content": [{ "type": "tool_use", "id": "c", "name": "f", "input": {} }] },
        { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "c", "content": "r",
            "odd": 12345 }] },
        { "role": "assistant", "content": "a" },
        { "role": "user", "content": "v" },
    ]);
    let auto = json!({ "caching": "auto" });
    let body =
        json!({ "model": "x", "provider": auto, "system": long("s"), "messages": conversation });
    let sent = splice(&body, &marks_only());
    assert_eq!(marked(&sent), ["system 0", "turn 2 block 0"]);
    assert_eq!(sent["messages"][2]["content"][0]["odd"], 12345);
    assert_eq!(sent["messages"][0], conversation[0]);
    assert_eq!(sent["messages"][4], conversation[4]);

    let tools = json!([{ "name": "f", "description": long("d"), "input_schema": {}, "odd": 1 }]);
    let body = json!({ "model": "x", "provider": auto, "tools": tools,
        "messages": [{ "role": "user", "content": "u" }] });
    let sent = splice(&body, &marks_only());
    assert_eq!(marked(&sent), ["tools 0"]);
    assert_eq!(sent["tools"][0]["odd"], 1);

    assert!(
        marked(&splice(&body, &traits())).is_empty(),
        "it caches by itself"
    );
    let mut own = body.clone();
    own["tools"][0]["cache_control"] = json!({ "type": "ephemeral" });
    own["system"] = json!(long("s"));
    assert_eq!(marked(&splice(&own, &marks_only())), ["tools 0"]);
}

#[test]
fn openai_breakpoints_become_marks_of_five_minutes() {
    let body = json!({ "model": "x", "messages": [{ "role": "user", "content": [
        { "type": "text", "text": "u", "prompt_cache_breakpoint": { "mode": "explicit" } },
        { "type": "text", "text": "v" }] }] });
    let request = crate::openai_chat::decode_request(Bytes::from(body.to_string())).expect("valid");
    let sent = encode_request(&request, &traits()).expect("supported");
    let sent: Value = serde_json::from_slice(&sent).expect("JSON");
    assert_eq!(marked(&sent), ["turn 0 block 0"]);
}

#[test]
fn wishes_about_routing_stay_here() {
    let body = json!({ "model": "x", "messages": [{ "role": "user", "content": "u" }],
        "provider": { "sticky": "off" }, "providerOptions": { "gateway": { "order": ["bedrock"] } },
        "fallbacks": [{ "model": "y" }], "context_window_fallbacks": ["y"],
        "content_policy_fallbacks": ["y"], "prompt_cache_key": "k", "session_id": "s",
        "prompt_cache_retention": "24h", "metadata": { "user_id": "u" } });
    let request = decode_request(Bytes::from(body.to_string())).expect("a request");
    let sent = encode_request(&request, &traits()).expect("supported");
    let sent: Value = serde_json::from_slice(&sent).expect("JSON");
    let keys: Vec<&String> = sent.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["max_tokens", "messages", "model"]);
}

#[test]
fn claude_codes_session_names_the_conversation() {
    let decode = |body: Value| {
        decode_request(Bytes::from(body.to_string()))
            .expect("a request")
            .session_id
    };
    let user = "user_ab_account__session_57a121ec-f78c-48c3-a745-e3036a3ecc33";
    let body = json!({ "model": "x", "messages": [{ "role": "user", "content": "u" }],
        "metadata": { "user_id": user } });
    assert_eq!(
        decode(body.clone()).as_deref(),
        Some("57a121ec-f78c-48c3-a745-e3036a3ecc33")
    );
    let mut named = body;
    named["session_id"] = json!("mine");
    assert_eq!(decode(named).as_deref(), Some("mine"));
}
