//! Requests that came in another dialect, as an upstream of this one gets them.

mod hosts;
mod marking;
mod splicing;
mod thinking;

use bytes::Bytes;
use expect_test::{Expect, expect};
use serde_json::{Value, value::RawValue};
use switchyard_domain::{
    model::{Modalities, Parameters},
    secret::Private,
};
use switchyard_interchange::{
    failure::FailureKind,
    message::{
        CacheLife, CacheMark, MediaSource, Message, Part, Reasoning, ReasoningContent, Role,
        ToolCall, ToolResult,
    },
    preferences::ProviderPreferences,
    request::{ChatRequest, Dialect, Effort, Origin, ReasoningControl, Sampling},
    tool::{JsonSchema, ResponseFormat, Tool, ToolChoice},
};

use super::{Host, ThinkingStyle, UpstreamTraits, encode_request};

/// A chat request that came in another dialect.
fn request(messages: Vec<Message>) -> ChatRequest {
    ChatRequest {
        model: "anthropic/claude".to_owned(),
        fallback_models: Vec::new(),
        context_window_fallbacks: Vec::new(),
        content_policy_fallbacks: Vec::new(),
        router: None,
        messages,
        tools: Vec::new(),
        tool_choice: None,
        parallel_tool_calls: None,
        sampling: Sampling::default(),
        max_output_tokens: Some(4_096),
        stop: Vec::new(),
        response_format: ResponseFormat::Text,
        reasoning: ReasoningControl::default(),
        verbosity: None,
        output_modalities: Modalities::EMPTY,
        stream: false,
        automatic_cache: None,
        session_id: None,
        prompt_cache_key: None,
        user: Some("end user".to_owned()),
        service_tier: None,
        provider: ProviderPreferences::default(),
        parameters: Parameters::EMPTY,
        input_modalities: Modalities::EMPTY,
        origin: Origin {
            dialect: Dialect::OpenAiChat,
            body: Private::new(Bytes::new()),
        },
    }
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message {
        role,
        parts,
        name: None,
    }
}

fn says(role: Role, text: &str) -> Message {
    message(role, vec![Part::text(text)])
}

fn marked(text: &str, life: CacheLife) -> Part {
    Part::Text {
        text: text.into(),
        cache: Some(CacheMark { life }),
    }
}

fn call(id: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.to_owned(),
        name: "weather".to_owned(),
        arguments: arguments.into(),
        cache: None,
    })
}

fn result(id: &str, text: &str) -> Message {
    let content = if text.is_empty() {
        Vec::new()
    } else {
        vec![Part::text(text)]
    };
    message(
        Role::Tool,
        vec![Part::ToolResult(ToolResult {
            call_id: id.to_owned(),
            content,
            is_error: false,
            cache: None,
        })],
    )
}

fn thought(format: &str, signature: &str) -> Part {
    Part::Reasoning(Reasoning {
        content: ReasoningContent::Text {
            text: "hm".into(),
            signature: Some(signature.to_owned()),
        },
        id: None,
        format: format.to_owned(),
    })
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("JSON")
}

fn weather_tool() -> Tool {
    Tool {
        name: "weather".to_owned(),
        description: Some("Tells the weather.".to_owned()),
        parameters: Some(raw(
            r#"{"type":"object","properties":{"city":{"type":"string"}}}"#,
        )),
        strict: None,
        cache: None,
    }
}

fn traits() -> UpstreamTraits {
    UpstreamTraits::anthropic("claude", 64_000)
}

fn adaptive() -> UpstreamTraits {
    UpstreamTraits {
        thinking: ThinkingStyle::Adaptive,
        ..traits()
    }
}

fn effort(effort: Effort) -> ReasoningControl {
    ReasoningControl {
        enabled: Some(true),
        effort: Some(effort),
        ..ReasoningControl::default()
    }
}

fn encode(request: &ChatRequest, traits: &UpstreamTraits) -> Value {
    let body = encode_request(request, traits).expect("supported");
    serde_json::from_slice(&body).expect("JSON")
}

fn check(request: &ChatRequest, traits: &UpstreamTraits, expected: Expect) {
    let body = encode_request(request, traits).expect("supported");
    expected.assert_eq(std::str::from_utf8(&body).expect("UTF-8"));
}

fn refused(request: &ChatRequest, traits: &UpstreamTraits, because: &str) {
    let failure = encode_request(request, traits).expect_err(because);
    assert_eq!(failure.kind, FailureKind::Unsupported);
    assert!(failure.message.contains(because), "{}", failure.message);
}

#[test]
fn a_plain_request() {
    let mut request = request(vec![
        says(Role::System, "Be brief."),
        says(Role::User, "Hi"),
        says(Role::User, "there"),
        says(Role::Developer, "In French."),
        says(Role::User, " \n"),
        says(Role::Assistant, "Sal \n"),
    ]);
    request.stream = true;
    request.max_output_tokens = None;
    request.sampling = Sampling {
        temperature: Some(1.7),
        top_p: Some(0.5),
        top_k: Some(0),
        ..Sampling::default()
    };
    request.stop = vec!["\n".to_owned(), "END".to_owned()];
    check(
        &request,
        &traits(),
        expect![[
            r#"{"model":"claude","max_tokens":64000,"stream":true,"system":[{"type":"text","text":"Be brief."},{"type":"text","text":"In French."}],"messages":[{"role":"user","content":[{"type":"text","text":"Hi"},{"type":"text","text":"there"}]},{"role":"assistant","content":[{"type":"text","text":"Sal"}]}],"temperature":1.0,"top_p":0.5,"stop_sequences":["END"]}"#
        ]],
    );
}

#[test]
fn a_tool_loop_is_answered_in_order_and_in_full() {
    let mut request = request(vec![
        says(Role::User, "Weather?"),
        message(
            Role::Assistant,
            vec![
                Part::text(""),
                call("call_0", ""),
                call("a b", r#"{"big":12345678901234567890,"f":1.0}"#),
            ],
        ),
        result("a b", "sunny"),
        says(Role::User, "And?"),
        result("call_0", ""),
        message(Role::Assistant, vec![call("call_0", "null")]),
        result("unknown", "stray"),
    ]);
    request.tools = vec![weather_tool()];
    request.tool_choice = Some(ToolChoice::Required);
    request.parallel_tool_calls = Some(false);
    check(
        &request,
        &traits(),
        expect![[
            r#"{"model":"claude","max_tokens":4096,"tools":[{"name":"weather","description":"Tells the weather.","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}],"tool_choice":{"type":"any","disable_parallel_tool_use":true},"messages":[{"role":"user","content":[{"type":"text","text":"Weather?"}]},{"role":"assistant","content":[{"type":"tool_use","id":"call_0","name":"weather","input":{}},{"type":"tool_use","id":"toolu_a68d62c6038b5822836dbc79780dff7a","name":"weather","input":{"big":12345678901234567890,"f":1.0}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_a68d62c6038b5822836dbc79780dff7a","content":[{"type":"text","text":"sunny"}]},{"type":"tool_result","tool_use_id":"call_0"},{"type":"text","text":"And?"}]},{"role":"assistant","content":[{"type":"tool_use","id":"call_0_2","name":"weather","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_0_2","content":[{"type":"text","text":"No result was given for this call."}],"is_error":true},{"type":"text","text":"stray"}]}]}"#
        ]],
    );
}

#[test]
fn tool_choices() {
    let mut request = request(vec![says(Role::User, "Hi")]);
    request.tool_choice = Some(ToolChoice::Required);
    assert!(
        encode(&request, &traits()).get("tool_choice").is_none(),
        "no tools, no choice"
    );
    request.tools = vec![Tool {
        parameters: None,
        strict: Some(true),
        ..weather_tool()
    }];
    for (choice, expected) in [
        (None, "null"),
        (Some(ToolChoice::None), r#"{"type":"none"}"#),
        (Some(ToolChoice::Auto), r#"{"type":"auto"}"#),
        (Some(ToolChoice::Required), r#"{"type":"any"}"#),
        (
            Some(ToolChoice::Function("weather".to_owned())),
            r#"{"name":"weather","type":"tool"}"#,
        ),
    ] {
        request.tool_choice = choice;
        assert_eq!(
            encode(&request, &traits())["tool_choice"].to_string(),
            expected
        );
    }
    request.reasoning = effort(Effort::High);
    assert_eq!(
        encode(&request, &traits())["tool_choice"].to_string(),
        r#"{"type":"auto"}"#
    );
    let both = UpstreamTraits {
        allows_forced_tool_with_thinking: true,
        ..traits()
    };
    assert_eq!(encode(&request, &both)["tool_choice"]["type"], "tool");
    let tool = &encode(&request, &traits())["tools"][0];
    assert_eq!(
        tool["input_schema"].to_string(),
        r#"{"properties":{},"type":"object"}"#
    );
    assert_eq!(tool["strict"], true);
    request.tools[0].parameters = Some(raw(r#" { "properties": {} } "#));
    assert_eq!(
        encode(&request, &traits())["tools"][0]["input_schema"]["type"],
        "object"
    );
    request.tools[0].name = "file.read".to_owned();
    refused(&request, &traits(), "tool names");
}

#[test]
fn media() {
    let inline = |media_type: &str, data: &str| MediaSource::Inline {
        media_type: media_type.to_owned(),
        data: data.into(),
    };
    let image = |source| Part::Image {
        source,
        detail: Some("high".to_owned()),
        cache: None,
    };
    let file = |source| Part::File {
        source,
        filename: Some("a.pdf".to_owned()),
        cache: None,
    };
    let ask = |part| request(vec![message(Role::User, vec![part])]);
    let mut shown = String::new();
    for part in [
        image(inline("image/jpeg", "iVBORw0KGgoAAA")),
        image(inline("image/webp", "UklG")),
        image(MediaSource::Url("https://example.com/a.png".into())),
        file(inline("application/pdf", "JVBERi0")),
        file(inline("text/markdown", "IyBIaQ==")),
        file(MediaSource::Url("https://example.com/a.pdf".into())),
    ] {
        shown.push_str(&encode(&ask(part), &traits())["messages"][0]["content"].to_string());
        shown.push('\n');
    }
    expect![[r##"
        [{"source":{"data":"iVBORw0KGgoAAA","media_type":"image/png","type":"base64"},"type":"image"}]
        [{"source":{"data":"UklG","media_type":"image/webp","type":"base64"},"type":"image"}]
        [{"source":{"type":"url","url":"https://example.com/a.png"},"type":"image"}]
        [{"source":{"data":"JVBERi0","media_type":"application/pdf","type":"base64"},"title":"a.pdf","type":"document"}]
        [{"source":{"data":"# Hi","media_type":"text/plain","type":"text"},"title":"a.pdf","type":"document"}]
        [{"source":{"type":"url","url":"https://example.com/a.pdf"},"title":"a.pdf","type":"document"}]
    "##]].assert_eq(&shown);
    for (part, because) in [
        (image(inline("image/tiff", "SUkq")), "PNG"),
        (file(inline("application/msword", "0M8R")), "PDF"),
        (file(inline("text/plain", "%%%")), "UTF-8"),
        (
            file(MediaSource::ProviderFile("file-1".to_owned())),
            "another provider",
        ),
        (
            Part::Audio {
                data: "AA".into(),
                format: "wav".to_owned(),
            },
            "audio",
        ),
        (
            Part::Video {
                source: MediaSource::Url("https://v".into()),
            },
            "video",
        ),
    ] {
        refused(&ask(part), &traits(), because);
    }
}

#[test]
fn schemas() {
    let mut request = request(vec![says(Role::User, "Hi")]);
    let schema = JsonSchema {
        name: "person".to_owned(),
        description: Some("A person.".to_owned()),
        schema: Some(raw(
            r#"{"type":"object","properties":{"age":{"type":"integer"}}}"#,
        )),
        strict: Some(true),
    };
    request.response_format = ResponseFormat::JsonSchema(schema.clone());
    check(
        &request,
        &traits(),
        expect![[
            r#"{"model":"claude","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}],"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"age":{"type":"integer"}}}}}}"#
        ]],
    );
    let plain = UpstreamTraits {
        supports_structured_output: false,
        ..traits()
    };
    check(
        &request,
        &plain,
        expect![[
            r#"{"model":"claude","max_tokens":4096,"tools":[{"name":"switchyard_structured_output","description":"A person.","input_schema":{"type":"object","properties":{"age":{"type":"integer"}}}}],"tool_choice":{"type":"tool","name":"switchyard_structured_output","disable_parallel_tool_use":true},"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}"#
        ]],
    );
    request.reasoning = effort(Effort::High);
    refused(&request, &plain, "structured output");
    request.reasoning = ReasoningControl::default();
    request.tools = vec![weather_tool()];
    refused(&request, &plain, "structured output");
    request.response_format = ResponseFormat::JsonObject;
    let body = encode(&request, &plain);
    assert!(
        body["system"][0]["text"]
            .as_str()
            .is_some_and(|text| text.contains("JSON object"))
    );
}

#[test]
fn at_most_four_cache_marks_long_ones_first() {
    use CacheLife::{OneHour, Short};
    let mut request = request(vec![
        message(Role::System, vec![marked("a", OneHour), marked("b", Short)]),
        message(Role::User, vec![marked("c", OneHour), marked("d", Short)]),
    ]);
    request.tools = vec![Tool {
        cache: Some(CacheMark { life: Short }),
        ..weather_tool()
    }];
    let marks = |body: &Value| {
        let all = [&body["tools"][0], &body["system"][0], &body["system"][1]];
        let turn = body["messages"][0]["content"].as_array().expect("blocks");
        let shown: Vec<String> = all
            .into_iter()
            .chain(turn)
            .map(|block| block["cache_control"].to_string())
            .collect();
        format!("{} automatic {}", shown.join(" "), body["cache_control"])
    };
    expect![[r#"null {"ttl":"1h","type":"ephemeral"} {"type":"ephemeral"} {"type":"ephemeral"} {"type":"ephemeral"} automatic null"#]].assert_eq(&marks(&encode(&request, &traits())));
    request.automatic_cache = Some(CacheMark { life: OneHour });
    expect![[r#"null null {"type":"ephemeral"} {"type":"ephemeral"} {"type":"ephemeral"} automatic {"type":"ephemeral"}"#]].assert_eq(&marks(&encode(&request, &traits())));
}

#[test]
fn conversations_that_start_or_end_oddly() {
    check(
        &request(vec![says(Role::System, "Only this.")]),
        &traits(),
        expect![[
            r#"{"model":"claude","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"Only this."}]}]}"#
        ]],
    );
    let prefilled = request(vec![
        says(Role::Assistant, "I"),
        says(Role::User, "?"),
        says(Role::Assistant, "So "),
    ]);
    check(
        &prefilled,
        &traits(),
        expect![[
            r#"{"model":"claude","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"(The conversation continues.)"}]},{"role":"assistant","content":[{"type":"text","text":"I"}]},{"role":"user","content":[{"type":"text","text":"?"}]},{"role":"assistant","content":[{"type":"text","text":"So"}]}]}"#
        ]],
    );
    let strict = UpstreamTraits {
        accepts_prefill: false,
        ..traits()
    };
    refused(&prefilled, &strict, "continue");
    refused(&request(vec![says(Role::User, "  ")]), &traits(), "content");
    let named = Message {
        name: Some("Ada".to_owned()),
        ..says(Role::User, "Hi")
    };
    assert_eq!(
        encode(&request(vec![named]), &traits())["messages"][0]["content"][0]["text"],
        "Ada: Hi"
    );
    let cut = request(vec![
        says(Role::User, "Hi"),
        message(Role::Assistant, vec![call("c", "{\"a")]),
    ]);
    refused(&cut, &traits(), "JSON object");
}
