//! Cache marks, cache keys and retention on their way to a provider.

use serde_json::json;

use super::*;
use crate::cache_marks::CACHED_TOKENS_MIN_UNKNOWN;

fn sent(body: &Value, traits: &UpstreamTraits) -> Value {
    let request = request(&body.to_string());
    serde_json::from_slice(&encode_request(&request, traits).expect("supported")).expect("JSON")
}

/// The same conversation as if it had come in another dialect.
fn sent_anew(body: &Value, traits: &UpstreamTraits) -> Value {
    let mut request = request(&body.to_string());
    request.origin.dialect = Dialect::AnthropicMessages;
    serde_json::from_slice(&encode_request(&request, traits).expect("supported")).expect("JSON")
}

fn with_marks(cache_marks: CacheMarks) -> UpstreamTraits {
    UpstreamTraits {
        model: "m".to_owned(),
        cache_marks,
        ..UpstreamTraits::default()
    }
}

/// Paths of the marked values, in order.
fn marked(value: &Value) -> Vec<String> {
    fn walk(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                if object.contains_key("cache_control") {
                    found.push(path.to_owned());
                }
                for (key, value) in object {
                    walk(value, &format!("{path}/{key}"), found);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    walk(value, &format!("{path}/{index}"), found);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found.sort();
    found
}

#[test]
fn the_router_marks_what_stays_where_only_marks_are_kept() {
    let long = "word ".repeat(1_000);
    let tools = json!([{ "type": "function", "odd": 1, "function": { "name": "f",
        "description": long, "parameters": {} } }]);
    let conversation = json!([
        { "role": "system", "content": long },
        { "role": "user", "content": [{ "type": "text", "text": "a", "odd": 1 }] },
        { "role": "assistant", "content": "b" },
        { "role": "user", "content": "c" },
    ]);
    let auto = json!({ "caching": "auto" });
    let marks_only = UpstreamTraits {
        keeps_marked_from: Some(CACHED_TOKENS_MIN_UNKNOWN),
        ..with_marks(CacheMarks::Blocks)
    };
    let body = json!({ "model": "x", "provider": auto, "messages": conversation });
    let both = ["/messages/0/content/0", "/messages/1/content/0"];
    let spliced = sent(&body, &marks_only);
    assert_eq!(marked(&spliced), both, "{spliced}");
    assert_eq!(spliced["messages"][1]["content"][0]["odd"], 1);
    assert_eq!(
        spliced["messages"][3], conversation[3],
        "the newest is not marked"
    );
    assert_eq!(marked(&sent_anew(&body, &marks_only)), both);

    let only_tools = json!({ "model": "x", "provider": auto, "tools": tools,
        "messages": [{ "role": "user", "content": "c" }] });
    let spliced = sent(&only_tools, &marks_only);
    assert_eq!(marked(&spliced), ["/tools/0"]);
    assert_eq!(spliced["tools"][0]["odd"], 1);
    assert_eq!(marked(&sent_anew(&only_tools, &marks_only)), ["/tools/0"]);

    for traits in [
        with_marks(CacheMarks::Blocks),
        with_marks(CacheMarks::None),
        UpstreamTraits {
            string_content_only: true,
            ..marks_only.clone()
        },
        UpstreamTraits {
            cache_marks: CacheMarks::Breakpoints,
            ..marks_only.clone()
        },
    ] {
        let spliced = sent(&body, &traits);
        assert!(marked(&spliced).is_empty(), "{traits:?}");
        assert!(!spliced.to_string().contains("breakpoint"), "{traits:?}");
    }
}

#[test]
fn each_host_gets_marks_in_its_own_words() {
    let mark = json!({ "type": "ephemeral", "ttl": "1h" });
    let body = json!({ "model": "x", "messages": [
        { "role": "system", "content": [{ "type": "text", "text": "s", "cache_control": mark }] },
        { "role": "user", "content": [
            { "type": "text", "text": "u", "prompt_cache_breakpoint": { "mode": "explicit" } },
            { "type": "text", "text": "v" }] },
        { "role": "assistant", "content": [{ "type": "text", "text": "a", "cache_control": mark }] },
        { "role": "user", "content": "w" },
    ], "prompt_cache_options": { "mode": "explicit" } });
    for (marks, expected) in [
        (
            CacheMarks::Breakpoints,
            r#"[{"content":[{"prompt_cache_breakpoint":{"mode":"explicit"},"text":"s","type":"text"}],"role":"system"},{"content":[{"prompt_cache_breakpoint":{"mode":"explicit"},"text":"u","type":"text"},{"text":"v","type":"text"}],"role":"user"},{"content":"a","role":"assistant"},{"content":"w","role":"user"}]"#,
        ),
        (
            CacheMarks::Blocks,
            r#"[{"content":[{"cache_control":{"ttl":"1h","type":"ephemeral"},"text":"s","type":"text"}],"role":"system"},{"content":[{"cache_control":{"type":"ephemeral"},"text":"u","type":"text"},{"text":"v","type":"text"}],"role":"user"},{"content":[{"cache_control":{"ttl":"1h","type":"ephemeral"},"text":"a","type":"text"}],"role":"assistant"},{"content":"w","role":"user"}]"#,
        ),
        (
            CacheMarks::None,
            r#"[{"content":"s","role":"system"},{"content":[{"text":"u","type":"text"},{"text":"v","type":"text"}],"role":"user"},{"content":"a","role":"assistant"},{"content":"w","role":"user"}]"#,
        ),
    ] {
        let sent = sent(&body, &with_marks(marks));
        assert_eq!(sent["messages"].to_string(), expected, "{marks:?}");
        let options = sent.get("prompt_cache_options").is_some();
        assert_eq!(options, marks == CacheMarks::Breakpoints);
    }
    let wrong = body.to_string().replace(
        r#"breakpoint":{"mode":"explicit"}"#,
        r#"breakpoint":{"mode":"implicit"}"#,
    );
    let error = decode_request(Bytes::from(wrong)).unwrap_err().to_string();
    assert_eq!(
        error,
        "messages[1].content[0].prompt_cache_breakpoint.mode: expected explicit"
    );
}

#[test]
fn a_mark_for_the_whole_prompt_goes_where_it_is_understood() {
    let body = json!({ "model": "x", "cache_control": { "type": "ephemeral" }, "messages": [
        { "role": "user", "content": "u" }, { "role": "user", "content": "v" }] });
    for (marks, expected) in [
        (CacheMarks::Everywhere, &[""][..]),
        (CacheMarks::Blocks, &["/messages/1/content/0"]),
        (CacheMarks::Breakpoints, &[]),
        (CacheMarks::None, &[]),
    ] {
        assert_eq!(
            marked(&sent(&body, &with_marks(marks))),
            expected,
            "{marks:?}"
        );
        assert_eq!(
            marked(&sent_anew(&body, &with_marks(marks))),
            expected,
            "{marks:?}"
        );
    }
}

#[test]
fn the_callers_own_keys_stay_here() {
    let body = json!({ "model": "x", "messages": [{ "role": "user", "content": "u" }],
        "prompt_cache_key": "callers-key", "session_id": "callers-session" });
    for hint in [None, Some("0f".repeat(32))] {
        let traits = UpstreamTraits {
            prompt_cache_key: hint.clone(),
            ..UpstreamTraits::openai("m")
        };
        for sent in [sent(&body, &traits), sent_anew(&body, &traits)] {
            assert!(!sent.to_string().contains("callers"), "{sent}");
            assert_eq!(sent["prompt_cache_key"].as_str(), hint.as_deref());
        }
    }
}

#[test]
fn under_zero_retention_nothing_asks_to_be_kept() {
    let zero = UpstreamTraits {
        zero_retention: true,
        ..UpstreamTraits::openai("m")
    };
    for (retention, under_zero) in [
        ("24h", None),
        ("in_memory", Some("in_memory")),
        ("7d", None),
    ] {
        let body = json!({ "model": "x", "messages": [{ "role": "user", "content": "u" }],
            "prompt_cache_retention": retention, "store": true });
        let kept = sent(&body, &UpstreamTraits::openai("m"));
        assert_eq!(kept["prompt_cache_retention"], retention);
        assert!(kept.get("store").is_none(), "nothing is ever stored");
        let sent = sent(&body, &zero);
        assert_eq!(sent["prompt_cache_retention"].as_str(), under_zero);
        assert!(sent.get("store").is_none());
    }
}

#[test]
fn wishes_about_routing_stay_here() {
    let ours = json!({
        "provider": { "sticky": "off", "caching": "auto", "hedge": true },
        "providerOptions": { "gateway": { "byok": { "openai": [{ "apiKey": "secret" }] } } },
        "fallbacks": ["y"],
        "context_window_fallbacks": ["y"],
        "content_policy_fallbacks": ["y"],
        "route": "fallback",
        "plugins": [{ "id": "auto-router", "cost_tier": "low" }],
    });
    let mut body = json!({ "model": "x", "messages": [{ "role": "user", "content": "u" }] });
    for (key, value) in ours.as_object().expect("an object") {
        body[key] = value.clone();
    }
    let sent = sent(&body, &UpstreamTraits::openai("m"));
    for key in ours.as_object().expect("an object").keys() {
        assert!(sent.get(key).is_none(), "{key} went up: {sent}");
    }
}
