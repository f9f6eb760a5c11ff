//! Bodies of clients, good and bad.

use bytes::Bytes;
use switchyard_domain::model::{Modality, Parameter};
use switchyard_interchange::{
    message::{
        CacheLife, MediaSource, Part, REASONING_ANTHROPIC, REASONING_UNKNOWN, ReasoningContent,
        Role,
    },
    preferences::RequestedTier,
    request::{ChatRequest, Effort},
    tool::{ResponseFormat, ToolChoice},
};

use super::decode_request;
use crate::error::{DecodeError, DecodeErrorKind};

fn decode(body: &str) -> Result<ChatRequest, DecodeError> {
    decode_request(Bytes::from(body.to_owned()))
}

/// A request with these members beside a model and one message.
fn with(members: &str) -> Result<ChatRequest, DecodeError> {
    decode(&format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":"Hi"}}],{members}}}"#
    ))
}

fn user(blocks: &str) -> Result<ChatRequest, DecodeError> {
    decode(&format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":[{blocks}]}}]}}"#
    ))
}

fn assistant(blocks: &str) -> Result<ChatRequest, DecodeError> {
    decode(&format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":"Hi"}},{{"role":"assistant","content":[{blocks}]}}]}}"#
    ))
}

#[test]
fn mistakes_are_located() {
    use DecodeErrorKind::{Invalid, Malformed};
    for (body, path, kind) in [
        ("[]", "", Invalid),
        (r#"{"model":"m""#, "", Malformed),
        (
            r#"{"messages":[{"role":"user","content":"Hi"}]}"#,
            "model",
            Invalid,
        ),
        (r#"{"model":"m"}"#, "messages", Invalid),
        (r#"{"model":"m","messages":[]}"#, "messages", Invalid),
        (r#"{"model":"m","model":"n","messages":[]}"#, "", Malformed),
        (
            r#"{"model":"m","messages":[{"content":"Hi"}]}"#,
            "messages[0].role",
            Invalid,
        ),
        (
            r#"{"model":"m","messages":[{"role":"tool","content":"Hi"}]}"#,
            "messages[0].role",
            Invalid,
        ),
        (
            r#"{"model":"m","messages":[{"role":"user"}]}"#,
            "messages[0].content",
            Invalid,
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":7}]}"#,
            "messages[0].content",
            Invalid,
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":[]}]}"#,
            "messages[0].content",
            Invalid,
        ),
    ] {
        let error = decode(body).expect_err(body);
        let place = error.path.as_str();
        assert!(
            place == path || (kind == Malformed && error.kind == kind),
            "{body}: {error}"
        );
        assert_eq!(error.kind, kind, "{body}: {error}");
    }
}

#[test]
fn mistakes_in_blocks_are_located() {
    use DecodeErrorKind::{Invalid, Unsupported};
    let in_block = "messages[0].content[0]";
    for (block, path, kind) in [
        (r#"{"text":"x"}"#, ".type", Invalid),
        (r#"{"type":"text"}"#, ".text", Invalid),
        (r#"{"type":"text","text":5}"#, ".text", Invalid),
        (
            r#"{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"2h"}}"#,
            ".cache_control.ttl",
            Invalid,
        ),
        (
            r#"{"type":"image","source":{"type":"base64","data":"AA"}}"#,
            ".source.media_type",
            Invalid,
        ),
        (
            r#"{"type":"image","source":{"type":"url","url":"file:///etc/passwd"}}"#,
            ".source.url",
            Invalid,
        ),
        (
            r#"{"type":"tool_result","content":"x"}"#,
            ".tool_use_id",
            Invalid,
        ),
        (
            r#"{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"x"},{"type":"video"}]}"#,
            ".content[1].type",
            Unsupported,
        ),
        (
            r#"{"type":"tool_use","id":"t","name":"f","input":{}}"#,
            ".type",
            Invalid,
        ),
        (r#"{"type":"search_result"}"#, ".type", Unsupported),
    ] {
        let error = user(block).expect_err(block);
        assert_eq!(
            (error.path, error.kind),
            (format!("{in_block}{path}"), kind),
            "{block}"
        );
    }
    let error =
        assistant(r#"{"type":"tool_use","id":"t","name":"f","input":[1]}"#).expect_err("a list");
    assert_eq!(error.path, "messages[1].content[0].input");
    let error = assistant(r#"{"type":"server_tool_use","id":"t"}"#).expect_err("not offered");
    assert_eq!(error.kind, DecodeErrorKind::Unsupported);
}

#[test]
fn parameters_are_checked() {
    for (members, path) in [
        (r#""max_tokens":0"#, "max_tokens"),
        (r#""max_tokens":"9""#, "max_tokens"),
        (r#""temperature":2.5"#, "temperature"),
        (r#""top_p":-0.1"#, "top_p"),
        (r#""system":[{"type":"image"}]"#, "system[0].type"),
        (
            r#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#,
            "tools[0].type",
        ),
        (
            r#""tools":[{"name":"f","input_schema":{}},{"name":"f","input_schema":{}}]"#,
            "tools[1].name",
        ),
        (
            r#""tools":[{"name":"","input_schema":{}}]"#,
            "tools[0].name",
        ),
        (
            r#""tools":[{"name":"f","input_schema":[]}]"#,
            "tools[0].input_schema",
        ),
        (r#""tool_choice":{"type":"any"}"#, "tool_choice"),
        (
            r#""tool_choice":{"type":"tool","name":"f"}"#,
            "tool_choice.name",
        ),
        (r#""tool_choice":{"type":"sometimes"}"#, "tool_choice.type"),
        (r#""thinking":{"type":"enabled"}"#, "thinking.budget_tokens"),
        (
            r#""thinking":{"type":"enabled","budget_tokens":10}"#,
            "thinking.budget_tokens",
        ),
        (r#""thinking":{"type":"sometimes"}"#, "thinking.type"),
        (
            r#""output_config":{"effort":"huge"}"#,
            "output_config.effort",
        ),
        (
            r#""output_config":{"format":{"type":"yaml"}}"#,
            "output_config.format.type",
        ),
        (
            r#""output_format":{"type":"json_schema"}"#,
            "output_format.schema",
        ),
        (r#""speed":"slow""#, "speed"),
        (r#""mcp_servers":[{}]"#, "mcp_servers"),
        (r#""fallbacks":[{"model":"a"},{}]"#, "fallbacks[1].model"),
        (r#""fallbacks":[{"model":"a"}],"models":["b"]"#, "fallbacks"),
        (
            r#""fallbacks":[{"model":"a"},{"model":"b"},{"model":"c"},{"model":"d"}]"#,
            "fallbacks",
        ),
        (r#""provider":{"only":7}"#, "provider.only"),
        (
            r#""cache_control":{"type":"forever"}"#,
            "cache_control.type",
        ),
    ] {
        assert_eq!(with(members).expect_err(members).path, path, "{members}");
    }
}

#[test]
fn results_and_words_of_a_turn_are_apart() {
    let request = user(
        r#"{"type":"tool_result","tool_use_id":"a","content":"one","is_error":true},
           {"type":"tool_result","tool_use_id":"b","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA"}}]},
           {"type":"text","text":"more","cache_control":{"type":"ephemeral","ttl":"1h"}}"#,
    )
    .expect("sound");
    let roles: Vec<Role> = request
        .messages
        .iter()
        .map(|message| message.role)
        .collect();
    assert_eq!(roles, [Role::Tool, Role::User]);
    let [Part::ToolResult(first), Part::ToolResult(second)] = request.messages[0].parts.as_slice()
    else {
        panic!("two results");
    };
    assert!(first.is_error && first.call_id == "a" && !second.is_error);
    assert!(matches!(second.content[0], Part::Image { .. }));
    let Part::Text {
        cache: Some(mark), ..
    } = &request.messages[1].parts[0]
    else {
        panic!("a mark")
    };
    assert_eq!(mark.life, CacheLife::OneHour);
    assert!(request.input_modalities.contains(Modality::Image));
}

#[test]
fn what_a_model_said_comes_back_whole() {
    let request = assistant(
        r#"{"type":"thinking","thinking":"hm","signature":"EqQB"},
           {"type":"redacted_thinking","data":"blob"},
           {"type":"thinking","thinking":"foreign","signature":""},
           {"type":"text","text":"x","citations":null},
           {"type":"tool_use","id":"t","name":"f","input":{"n": 12345678901234567890}}"#,
    )
    .expect("sound");
    let [
        Part::Reasoning(own),
        Part::Reasoning(sealed),
        Part::Reasoning(foreign),
        Part::Text { .. },
        Part::ToolCall(call),
    ] = request.messages[1].parts.as_slice()
    else {
        panic!("five parts");
    };
    assert_eq!(
        (own.format.as_str(), sealed.format.as_str()),
        (REASONING_ANTHROPIC, REASONING_ANTHROPIC)
    );
    assert!(
        matches!(&own.content, ReasoningContent::Text { signature: Some(signature), .. } if signature == "EqQB")
    );
    assert_eq!(foreign.format, REASONING_UNKNOWN);
    assert_eq!(call.arguments.expose(), r#"{"n": 12345678901234567890}"#);
}

#[test]
fn documents_keep_their_source() {
    let request = user(
        r#"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"Hi"},"title":"t.txt"},
           {"type":"document","source":{"type":"url","url":"https://example.com/a.pdf"}},
           {"type":"document","source":{"type":"content","content":[{"type":"text","text":"inner"}]}}"#,
    )
    .expect("sound");
    let [
        Part::File {
            source: text,
            filename,
            ..
        },
        Part::File { source: url, .. },
        Part::Text { text: inner, .. },
    ] = request.messages[0].parts.as_slice()
    else {
        panic!("three parts");
    };
    let inline = MediaSource::Inline {
        media_type: "text/plain".to_owned(),
        data: "SGk=".into(),
    };
    assert_eq!((text, filename.as_deref()), (&inline, Some("t.txt")));
    assert_eq!(url, &MediaSource::Url("https://example.com/a.pdf".into()));
    assert_eq!(inner.expose(), "inner");
}

#[test]
fn controls_mean_what_they_mean_elsewhere() {
    let request = with(
        r#""tools":[{"name":"f","input_schema":{"type":"object"}}],
           "tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true},
           "thinking":{"type":"adaptive","display":"omitted"},
           "output_config":{"effort":"high","format":{"type":"json_schema","schema":{"type":"object"}}},
           "metadata":{"user_id":"u"},"speed":"fast","max_tokens":9,"stream":true,"stop_sequences":["x"],
           "fallbacks":[{"model":"n"}],"session_id":"s","cache_control":{"type":"ephemeral"},
           "unknown":{"kept":true},"system":"Be brief.","temperature":null"#,
    )
    .expect("sound");
    assert_eq!(
        request.tool_choice,
        Some(ToolChoice::Function("f".to_owned()))
    );
    assert_eq!(request.parallel_tool_calls, Some(false));
    assert_eq!(request.reasoning.effort, Some(Effort::High));
    assert!(request.reasoning.enabled == Some(true) && request.reasoning.exclude);
    assert!(matches!(
        request.response_format,
        ResponseFormat::JsonSchema(_)
    ));
    assert_eq!(
        (request.user.as_deref(), request.session_id.as_deref()),
        (Some("u"), Some("s"))
    );
    assert_eq!(request.service_tier, Some(RequestedTier::Priority));
    assert_eq!(request.fallback_models, ["n"]);
    assert_eq!(request.messages[0].role, Role::System);
    assert!(request.automatic_cache.is_some() && request.stream);
    let names: Vec<&str> = request.parameters.iter().map(Parameter::as_str).collect();
    assert_eq!(
        names,
        [
            "max_tokens",
            "response_format",
            "structured_outputs",
            "stop",
            "tools",
            "tool_choice",
            "parallel_tool_calls",
            "reasoning",
        ]
    );
}

#[test]
fn an_effort_beside_a_budget_is_verbosity() {
    let request = with(
        r#""max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":2000},"output_config":{"effort":"low"}"#,
    )
    .expect("sound");
    assert_eq!(
        (request.reasoning.max_tokens, request.reasoning.effort),
        (Some(2_000), None)
    );
    assert_eq!(request.verbosity.as_deref(), Some("low"));
    let request = with(r#""output_config":{"effort":"low"}"#).expect("sound");
    assert_eq!(
        (request.reasoning.enabled, request.reasoning.effort),
        (None, Some(Effort::Low))
    );
}
