//! Bodies of this dialect on their way to an upstream of this dialect.

use bytes::Bytes;
use expect_test::expect;
use serde_json::Value;

use super::{ThinkingStyle, UpstreamTraits, adaptive, encode_request, traits};
use crate::anthropic_messages::{SCHEMA_TOOL, decode_request, foreign_reasoning};

/// Splices a body of this dialect.
fn splice(body: &str, traits: &UpstreamTraits) -> String {
    let request = decode_request(Bytes::from(body.to_owned())).expect("a request");
    let sent = encode_request(&request, traits).expect("supported");
    String::from_utf8(sent).expect("UTF-8")
}

#[test]
fn splicing_replaces_what_is_ours_and_keeps_the_rest() {
    expect![[r#"{"model":"claude","max_tokens":64000,"stream":true,"service_tier":"auto","system":[{"type":"text","text":"Be  brief.","cache_control":{"type":"ephemeral"}}],"context_management":{"edits":[ 1.0 ]},"stop_sequences":["x"],"messages":[{"role":"user","content":"Hi","extra":12345678901234567890}],"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}},"temperature":1.0,"top_k":3}"#]].assert_eq(&splice(
        r#"{"model":"anthropic/claude","provider":{"only":["anthropic"]},"session_id":"s","stream":true,
            "metadata":{"user_id":"u"},"service_tier":"auto","speed":"fast","temperature":1.5,"top_k":3,
            "system":[{"type":"text","text":"Be  brief.","cache_control":{"type":"ephemeral"}}],
            "context_management":{"edits":[ 1.0 ]},"container":null,"stop_sequences":[" ","x"],
            "messages":[{"role":"user","content":"Hi","extra":12345678901234567890}],
            "output_format":{"type":"json_schema","schema":{"type":"object"}}}"#,
        &traits(),
    ));
}

#[test]
fn splicing_translates_thinking_for_the_model_at_hand() {
    let body = |thinking: &str| {
        format!(
            r#"{{"model":"m","max_tokens":8000,"temperature":1.0,"messages":[{{"role":"user","content":"Hi"}}],{thinking}}}"#
        )
    };
    let budget = r#""thinking":{"type":"enabled","budget_tokens":2000}"#;
    let effort = r#""thinking":{"type":"adaptive","display":"omitted"},"output_config":{"effort":"xhigh","task_budget":{"total":1}}"#;
    let off = r#""thinking":{"type":"disabled"},"output_config":{"effort":"low"}"#;
    let mute = UpstreamTraits {
        thinking: ThinkingStyle::None,
        ..traits()
    };
    let mut shown = String::new();
    for thinking in [budget, effort, off] {
        for traits in [&traits(), &adaptive(), &mute] {
            let sent: Value = serde_json::from_str(&splice(&body(thinking), traits)).expect("JSON");
            let (style, thinking, config) =
                (traits.thinking, &sent["thinking"], &sent["output_config"]);
            shown.push_str(&format!(
                "{style:?}: {thinking} {config} temperature {}\n",
                sent["temperature"]
            ));
        }
    }
    expect![[r#"
        Budget: {"budget_tokens":2000,"type":"enabled"} null temperature null
        Adaptive: {"display":"summarized","type":"adaptive"} {"effort":"low"} temperature null
        None: null null temperature 1.0
        Budget: {"budget_tokens":7600,"display":"omitted","type":"enabled"} {"task_budget":{"total":1}} temperature null
        Adaptive: {"display":"omitted","type":"adaptive"} {"effort":"xhigh","task_budget":{"total":1}} temperature null
        None: null {"task_budget":{"total":1}} temperature 1.0
        Budget: {"type":"disabled"} null temperature 1.0
        Adaptive: {"type":"disabled"} {"effort":"low"} temperature 1.0
        None: null null temperature 1.0
    "#]].assert_eq(&shown);
}

#[test]
fn splicing_takes_out_reasoning_of_other_families() {
    let foreign = foreign_reasoning::wrap(
        foreign_reasoning::Kind::Text,
        "google-gemini-v1",
        None,
        Some("sig"),
    );
    let body = format!(
        r#"{{"model":"m","max_tokens":9000,"thinking":{{"type":"enabled","budget_tokens":2000}},"messages":[
            {{"role":"user","content":"Hi"}},
            {{"role":"assistant","content":[{{"type":"thinking","thinking":"x","signature":"{foreign}"}}]}},
            {{"role":"assistant","content":[
                {{"type":"thinking","thinking":"x","signature":"{foreign}"}},
                {{"type":"text","text":"Hello","citations":[]}}]}},
            {{"role":"user","content":"Go on"}}]}}"#
    );
    expect![[r#"{"model":"claude","max_tokens":9000,"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"text","text":"Hello","citations":[]}]},{"role":"user","content":"Go on"}],"thinking":{"type":"enabled","budget_tokens":2000}}"#]].assert_eq(&splice(&body, &traits()));
}

#[test]
fn splicing_a_schema_to_a_model_without_structured_output_uses_the_tool() {
    let body = r#"{"model":"m","max_tokens":100,"messages":[{"role":"user","content":"Hi"}],
        "output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}}"#;
    let plain = UpstreamTraits {
        supports_structured_output: false,
        ..traits()
    };
    let sent: Value = serde_json::from_str(&splice(body, &plain)).expect("JSON");
    assert_eq!(sent["tool_choice"]["name"], SCHEMA_TOOL);
    assert!(sent.get("output_config").is_none());
}
