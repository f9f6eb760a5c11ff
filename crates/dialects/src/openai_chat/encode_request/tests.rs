mod caching;

use bytes::Bytes;
use expect_test::{Expect, expect};
use serde_json::Value;
use switchyard_interchange::message::{
    CacheMark, MediaSource, Message, Part, Reasoning, ReasoningContent, Role, ToolCall, ToolResult,
};

use super::*;
use crate::openai_chat::decode_request;

fn request(body: &str) -> ChatRequest {
    decode_request(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

fn spliced(body: &str, traits: &UpstreamTraits) -> String {
    let sent = encode_request(&request(body), traits).unwrap();
    serde_json::from_slice::<Value>(&sent).expect("what is sent is JSON");
    String::from_utf8(sent).unwrap()
}

/// A host that supports nothing and knows only the oldest spellings.
fn plain() -> UpstreamTraits {
    UpstreamTraits {
        model: "m".to_owned(),
        supported_parameters: Parameters::EMPTY.with(Parameter::Tools),
        reasoning_style: ReasoningStyle::None,
        ..UpstreamTraits::default()
    }
}

fn splices(body: &str, traits: &UpstreamTraits, sent: Expect) {
    sent.assert_eq(&spliced(body, traits));
}

#[test]
fn ours_goes_theirs_stays() {
    splices(
        r#"{"odd" : [1.0, 18446744073709551616], "model":"a/b","provider":{"zdr":true},"n":1,"user":"u","stream":true,"max_tokens":5,"temperature":0.50,"store":true,"metadata":{"a":"b"},"messages":[ {"role":"user","content":"h\u0069","odd":1} ],"usage":{"include":true},"service_tier":"flex","models":["c/d"],"plugins":[],"session_id":"s"}"#,
        &UpstreamTraits::openai("gpt"),
        expect![[
            r#"{"model":"gpt","stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":5,"odd":[1.0, 18446744073709551616],"temperature":0.50,"messages":[ {"role":"user","content":"h\u0069","odd":1} ]}"#
        ]],
    );
}

#[test]
fn what_the_endpoint_lacks_is_left_out() {
    splices(
        r#"{"model":"a/b","temperature":1,"top_k":3,"seed":1,"stop":"x","verbosity":"low","logprobs":true,"reasoning_effort":"high","include_reasoning":true,"response_format":{"type":"json_object"},"parallel_tool_calls":true,"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"tool_choice":"auto","messages":[{"role":"user","content":"x"}]}"#,
        &plain(),
        expect![[
            r#"{"model":"m","stream":false,"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"messages":[{"role":"user","content":"x"}]}"#
        ]],
    );
}

#[test]
fn messages_are_rewritten_only_where_they_must_be() {
    let body = r#"{"model":"a/b","messages":[{"role":"developer","content":[{"type":"text","text":"d","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"q","odd":1},{"role":"assistant","content":null,"reasoning":"r","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":""}}]},{"role":"tool","tool_call_id":"c","content":"t"}]}"#;
    let needy = UpstreamTraits {
        null_content_ok: false,
        string_content_only: true,
        ..plain()
    };
    splices(
        body,
        &needy,
        expect![[
            r#"{"model":"m","stream":false,"messages":[{"role":"system","content":"d"},{"role":"user","content":"q"},{"role":"assistant","content":"","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"t"}]}"#
        ]],
    );
    let router = UpstreamTraits {
        cache_marks: CacheMarks::Everywhere,
        developer_role: true,
        reasoning_style: ReasoningStyle::OpenRouter,
        ..needy.clone()
    };
    splices(
        &body.replace(r#""arguments":"""#, r#""arguments":"{}""#),
        &UpstreamTraits {
            string_content_only: false,
            null_content_ok: true,
            ..router
        },
        expect![[
            r#"{"model":"m","stream":false,"messages":[{"role":"developer","content":[{"type":"text","text":"d","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"q","odd":1},{"role":"assistant","content":null,"reasoning":"r","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"t"}]}"#
        ]],
    );
    let thinking = UpstreamTraits {
        reasoning_style: ReasoningStyle::ThinkingToggle,
        ..plain()
    };
    assert!(spliced(body, &thinking).contains(r#""reasoning_content":"r","content":null"#));
}

#[test]
fn quoted_names_in_texts_are_no_reason_to_rewrite() {
    let messages = r#"[{"role":"user","content":"the \"reasoning\" and \"cache_control\" keys"}]"#;
    let sent = spliced(
        &format!(r#"{{"model":"a","messages":{messages}}}"#),
        &plain(),
    );
    assert!(
        sent.ends_with(&format!(r#""messages":{messages}}}"#)),
        "{sent}"
    );
}

#[test]
fn reasoning_is_spelled_as_the_endpoint_reads_it() {
    let all = UpstreamTraits {
        model: "m".to_owned(),
        ..UpstreamTraits::default()
    };
    for (style, control, sent) in [
        (
            ReasoningStyle::Effort,
            r#"{"effort":"low"}"#,
            r#""reasoning_effort":"low""#,
        ),
        (
            ReasoningStyle::Effort,
            r#"{"max_tokens":16000}"#,
            r#""reasoning_effort":"medium""#,
        ),
        (
            ReasoningStyle::Effort,
            r#"{"enabled":false}"#,
            r#""reasoning_effort":"none""#,
        ),
        (
            ReasoningStyle::ThinkingToggle,
            r#"{"enabled":false}"#,
            r#""thinking":{"type":"disabled"}"#,
        ),
        (
            ReasoningStyle::ThinkingToggle,
            r#"{"effort":"high"}"#,
            r#""thinking":{"type":"enabled"},"reasoning_effort":"high""#,
        ),
        (
            ReasoningStyle::OpenRouter,
            r#"{"effort":"high","summary":"auto"}"#,
            r#""reasoning":{"effort":"high","summary":"auto"}"#,
        ),
    ] {
        let body = format!(
            r#"{{"model":"a","reasoning":{control},"messages":[{{"role":"user","content":"x"}}]}}"#
        );
        let traits = UpstreamTraits {
            reasoning_style: style,
            ..all.clone()
        };
        let out = spliced(&body, &traits);
        assert!(out.contains(sent), "{style:?} {control}: {out}");
        assert_eq!(
            out.matches("reasoning").count(),
            sent.matches("reasoning").count(),
            "{out}"
        );
    }
}

#[test]
fn what_a_caller_would_miss_is_refused() {
    let nothing = UpstreamTraits {
        supported_parameters: Parameters::EMPTY,
        ..plain()
    };
    let tools = r#""tools":[{"type":"function","function":{"name":"f"}}]"#;
    let schema = r#""response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{}}}"#;
    let image = r#""x":0"#;
    for (fields, traits) in [
        (tools.to_owned(), nothing.clone()),
        (format!(r#"{tools},"tool_choice":"required""#), plain()),
        (schema.to_owned(), nothing.clone()),
    ] {
        let body =
            format!(r#"{{"model":"a","messages":[{{"role":"user","content":"x"}}],{fields}}}"#);
        let failure = encode_request(&request(&body), &traits).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Unsupported, "{fields}");
    }
    let body = format!(
        r#"{{"model":"a","messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"https://a/b"}}}}]}}],{image}}}"#
    );
    let strings = UpstreamTraits {
        string_content_only: true,
        ..nothing
    };
    assert_eq!(
        encode_request(&request(&body), &strings).unwrap_err().kind,
        FailureKind::Unsupported
    );
}

#[test]
fn a_schema_weakens_to_plain_json_where_it_may() {
    let body = r#"{"model":"a","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{}}}}"#;
    let traits = UpstreamTraits {
        supported_parameters: Parameters::EMPTY.with(Parameter::ResponseFormat),
        ..plain()
    };
    assert!(spliced(body, &traits).contains(r#""response_format":{"type":"json_object"}"#));
    assert!(!spliced(body, &plain()).contains("response_format"));
}

#[test]
fn the_endpoints_own_limit_and_tier_are_sent() {
    let traits = UpstreamTraits {
        output_limit_default: Some(4_096),
        service_tier: Some("priority".to_owned()),
        ..plain()
    };
    let body = r#"{"model":"a","messages":[{"role":"user","content":"x"}]}"#;
    splices(
        body,
        &traits,
        expect![[
            r#"{"model":"m","stream":false,"max_tokens":4096,"service_tier":"priority","messages":[{"role":"user","content":"x"}]}"#
        ]],
    );
}

#[test]
fn forbidding_calls_takes_the_tools_away_where_nothing_else_helps() {
    let body = r#"{"model":"a","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"none"}"#;
    assert!(!spliced(body, &plain()).contains("tools"));
}

/// A conversation as another dialect's decoder would hand it over.
fn foreign() -> ChatRequest {
    let image = Part::Image {
        source: MediaSource::Inline {
            media_type: "image/png".to_owned(),
            data: "AA".into(),
        },
        detail: None,
        cache: None,
    };
    let mut request = request(
        r#"{"model":"a","messages":[{"role":"user","content":"x"}],"stop":"S","temperature":0.5}"#,
    );
    request.origin.dialect = Dialect::AnthropicMessages;
    let message = |role, parts| Message {
        role,
        parts,
        name: None,
    };
    let call = |id: &str| {
        Part::ToolCall(ToolCall {
            id: id.to_owned(),
            name: "look".to_owned(),
            arguments: String::new().into(),
            cache: None,
        })
    };
    let result = |id: &str, content| {
        Part::ToolResult(ToolResult {
            call_id: id.to_owned(),
            content,
            is_error: false,
            cache: None,
        })
    };
    request.messages = vec![
        message(
            Role::System,
            vec![Part::Text {
                text: "sys".into(),
                cache: Some(CacheMark {
                    life: Default::default(),
                }),
            }],
        ),
        message(Role::User, vec![Part::text("a"), Part::text("b")]),
        message(
            Role::Assistant,
            vec![
                Part::Reasoning(Reasoning {
                    content: ReasoningContent::Text {
                        text: "hm".into(),
                        signature: Some("S".into()),
                    },
                    id: None,
                    format: "anthropic-claude-v1".to_owned(),
                }),
                Part::text("I "),
                Part::text("look"),
                call("c1"),
                call("c2"),
            ],
        ),
        message(Role::Tool, vec![result("c1", vec![image])]),
        message(Role::Tool, vec![result("c2", vec![Part::text("seen")])]),
        message(Role::User, vec![Part::text("and?")]),
    ];
    request
}

#[test]
fn foreign_conversations_are_written_anew() {
    let sent = String::from_utf8(encode_request(&foreign(), &plain()).unwrap()).unwrap();
    expect![[r#"{"model":"m","stream":false,"messages":[{"role":"system","content":"sys"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"assistant","content":"I look","tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"look","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"The result is attached to the next message."},{"role":"tool","tool_call_id":"c2","content":"seen"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}},{"type":"text","text":"and?"}]}]}"#]]
        .assert_eq(&sent);
    let all = UpstreamTraits {
        cache_marks: CacheMarks::Everywhere,
        reasoning_style: ReasoningStyle::OpenRouter,
        ..UpstreamTraits::default()
    };
    let sent = String::from_utf8(encode_request(&foreign(), &all).unwrap()).unwrap();
    for piece in [
        r#""temperature":0.5,"stop":["S"]"#,
        r#"{"type":"text","text":"sys","cache_control":{"type":"ephemeral"}}"#,
        r#""reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"S","format":"anthropic-claude-v1","index":0}]"#,
    ] {
        assert!(sent.contains(piece), "{piece} not in {sent}");
    }
}
