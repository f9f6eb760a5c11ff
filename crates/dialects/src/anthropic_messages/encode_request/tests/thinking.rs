//! Reasoning: what is asked for, and what is sent back.

use expect_test::expect;
use switchyard_interchange::{
    message::{Part, REASONING_ANTHROPIC, REASONING_UNKNOWN, Reasoning, ReasoningContent, Role},
    request::{Effort, ReasoningControl, Sampling},
};

use super::{
    ThinkingStyle, UpstreamTraits, adaptive, call, check, effort, encode, message, refused,
    request, result, says, thought, traits,
};

#[test]
fn thinking_on_a_budget() {
    let mut request = request(vec![says(Role::User, "Hi")]);
    request.sampling = Sampling {
        temperature: Some(0.5),
        top_p: Some(0.97),
        top_k: Some(5),
        ..Sampling::default()
    };
    let mut shown = String::new();
    for (max_tokens, control) in [
        (10_000, ReasoningControl::default()),
        (10_000, effort(Effort::High)),
        (
            10_000,
            ReasoningControl {
                enabled: Some(true),
                ..ReasoningControl::default()
            },
        ),
        (10_000, effort(Effort::None)),
        (3_000, effort(Effort::Minimal)),
        (1_024, effort(Effort::High)),
        (
            10_000,
            ReasoningControl {
                exclude: true,
                ..effort(Effort::Low)
            },
        ),
        (
            2_000,
            ReasoningControl {
                enabled: Some(true),
                max_tokens: Some(5_000),
                ..ReasoningControl::default()
            },
        ),
    ] {
        request.max_output_tokens = Some(max_tokens);
        request.reasoning = control;
        let body = encode(&request, &traits());
        shown.push_str(&format!(
            "{max_tokens}: {} temperature {} top_p {} top_k {}\n",
            body["thinking"], body["temperature"], body["top_p"], body["top_k"]
        ));
        assert_eq!(body["max_tokens"], max_tokens, "the caller's limit stands");
    }
    expect![[r#"
        10000: null temperature 0.5 top_p 0.97 top_k 5
        10000: {"budget_tokens":8000,"type":"enabled"} temperature null top_p 0.97 top_k null
        10000: {"budget_tokens":5000,"type":"enabled"} temperature null top_p 0.97 top_k null
        10000: null temperature 0.5 top_p 0.97 top_k 5
        3000: {"budget_tokens":1024,"type":"enabled"} temperature null top_p 0.97 top_k null
        1024: null temperature 0.5 top_p 0.97 top_k 5
        10000: {"budget_tokens":2000,"display":"omitted","type":"enabled"} temperature null top_p 0.97 top_k null
        2000: {"budget_tokens":1999,"type":"enabled"} temperature null top_p 0.97 top_k null
    "#]].assert_eq(&shown);
    request.max_output_tokens = Some(1_000);
    refused(&request, &traits(), "max_tokens");
}

#[test]
fn thinking_by_effort() {
    let mut request = request(vec![says(Role::User, "Hi")]);
    let mut shown = String::new();
    for (control, verbosity) in [
        (ReasoningControl::default(), None),
        (ReasoningControl::default(), Some("low")),
        (effort(Effort::Minimal), None),
        (effort(Effort::XHigh), Some("low")),
        (effort(Effort::None), None),
        (
            ReasoningControl {
                enabled: Some(true),
                max_tokens: Some(3_300),
                ..ReasoningControl::default()
            },
            None,
        ),
        (
            ReasoningControl {
                exclude: true,
                ..effort(Effort::Max)
            },
            None,
        ),
    ] {
        request.reasoning = control;
        request.verbosity = verbosity.map(str::to_owned);
        let body = encode(&request, &adaptive());
        shown.push_str(&format!("{} {}\n", body["thinking"], body["output_config"]));
    }
    expect![[r#"
        null null
        null {"effort":"low"}
        {"display":"summarized","type":"adaptive"} {"effort":"low"}
        {"display":"summarized","type":"adaptive"} {"effort":"high"}
        {"type":"disabled"} null
        {"display":"summarized","type":"adaptive"} {"effort":"high"}
        {"display":"omitted","type":"adaptive"} {"effort":"max"}
    "#]]
    .assert_eq(&shown);
    let mute = UpstreamTraits {
        thinking: ThinkingStyle::None,
        ..traits()
    };
    request.reasoning = effort(Effort::High);
    let body = encode(&request, &mute);
    assert!(body.get("thinking").is_none() && body.get("output_config").is_none());
}

#[test]
fn only_reasoning_of_the_family_goes_back() {
    let turn = |thoughts: Vec<Part>| {
        let mut parts = thoughts;
        parts.push(call("call_1", "{}"));
        let mut request = request(vec![
            says(Role::User, "Hi"),
            message(Role::Assistant, parts),
            result("call_1", "ok"),
        ]);
        request.reasoning = effort(Effort::Medium);
        request
    };
    let encrypted = Part::Reasoning(Reasoning {
        content: ReasoningContent::Encrypted {
            data: "blob".into(),
        },
        id: None,
        format: REASONING_ANTHROPIC.to_owned(),
    });
    let own = turn(vec![thought(REASONING_ANTHROPIC, "sig"), encrypted]);
    check(
        &own,
        &traits(),
        expect![[
            r#"{"model":"claude","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"sig"},{"type":"redacted_thinking","data":"blob"},{"type":"tool_use","id":"call_1","name":"weather","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":[{"type":"text","text":"ok"}]}]}],"thinking":{"type":"enabled","budget_tokens":2048}}"#
        ]],
    );
    for foreign in [
        thought("google-gemini-v1", "sig"),
        thought(REASONING_UNKNOWN, "sig"),
        thought(REASONING_ANTHROPIC, ""),
    ] {
        let body = encode(&turn(vec![foreign]), &traits());
        assert_eq!(body["messages"][1]["content"][0]["type"], "tool_use");
        assert!(
            body.get("thinking").is_none(),
            "a loop begun without thinking goes on without"
        );
    }
}
