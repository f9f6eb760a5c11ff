//! Tool calls: watching one answer, and comparing the endpoints of a model.

use switchyard_coordination::health::ToolCounts;
use switchyard_interchange::{
    event::{ChatEvent, Completion, Delta, Finish, FinishReason, PartKind},
    message::{Part, ToolCall},
    tool::Tool,
};
use switchyard_routing::health::ToolQuality;

use super::{
    super::{
        ToolCallWatch, ToolCallsVerdict,
        tool_quality::{Sample, judge, model_and_provider},
    },
    *,
};

fn offered() -> Vec<Tool> {
    ["search", "open"]
        .map(|name| Tool {
            name: name.to_owned(),
            description: None,
            parameters: None,
            strict: None,
            cache: None,
        })
        .into()
}

fn finish(reason: FinishReason) -> Finish {
    Finish {
        reason,
        native: None,
        stop_sequence: None,
    }
}

/// The verdict on calls of these names with these arguments, streamed in small pieces side by side,
/// and in one piece.
fn verdicts(calls: &[(&str, &str)], reason: FinishReason) -> [Option<ToolCallsVerdict>; 2] {
    let mut streamed = ToolCallWatch::new(&offered());
    for (part, (name, _)) in (0..).zip(calls) {
        streamed.observe(&ChatEvent::PartStart {
            part,
            kind: PartKind::ToolCall {
                id: format!("call-{part}"),
                name: (*name).to_owned(),
            },
        });
    }
    let longest = calls.iter().map(|(_, text)| text.len()).max().unwrap_or(0);
    for at in 0..longest {
        for (part, (_, text)) in (0..).zip(calls) {
            if let Some(piece) = text.get(at..=at) {
                streamed.observe(&ChatEvent::Delta {
                    part,
                    delta: Delta::Arguments(piece.into()),
                });
            }
        }
    }
    let mut whole = ToolCallWatch::new(&offered());
    whole.observe_completion(&Completion {
        upstream_id: None,
        model: None,
        parts: calls
            .iter()
            .map(|(name, text)| {
                Part::ToolCall(ToolCall {
                    id: "call".to_owned(),
                    name: (*name).to_owned(),
                    arguments: (*text).into(),
                    cache: None,
                })
            })
            .collect(),
        citations: Vec::new(),
        finish: finish(reason),
        usage: None,
        verbatim: None,
    });
    [streamed, whole].map(|watch| watch.verdict(Some(&finish(reason))))
}

#[test]
fn calls_are_sound_where_they_can_be_carried_out() {
    use ToolCallsVerdict::{InvalidJson, Sound, UnknownName};
    let good = r#"{"query":"oaks","limit":3}"#;
    for (calls, expected) in [
        (vec![("search", good)], Sound),
        (vec![("open", "")], Sound),
        (vec![("search", good), ("open", r#"{"page":1}"#)], Sound),
        (vec![("search", good), ("open", r#"{"page":"#)], InvalidJson),
        (vec![("search", "{} {}")], InvalidJson),
        (vec![("find", good)], UnknownName),
        (vec![("search", good), ("Search", "{")], UnknownName),
    ] {
        let found = verdicts(&calls, FinishReason::ToolCalls);
        assert_eq!(found, [Some(expected); 2], "{calls:?}");
    }
    let cut = [("search", r#"{"query":"oa"#)];
    assert_eq!(
        verdicts(&cut, FinishReason::Length),
        [None, None],
        "an answer that did not end with tool calls is not judged"
    );
    assert_eq!(ToolCallWatch::default().verdict(None), None);
}

#[test]
fn an_answer_too_long_to_keep_is_not_judged() {
    let long = format!("[{}1", "1,".repeat(140_000));
    assert_eq!(
        verdicts(&[("search", &long)], FinishReason::ToolCalls),
        [None, None]
    );
}

fn sample(provider: &str, sound_of_1000: u32, tps: u64) -> Sample<'_> {
    Sample {
        provider,
        requests: 500,
        tools: ToolCounts {
            requests: 1_000,
            broken: 1_000 - sound_of_1000,
        },
        throughput_milli_tps: Some(tps * 1_000),
    }
}

#[test]
fn markedly_worse_than_the_others_is_demoted() {
    use ToolQuality::{Demoted, Good, Unknown};
    let peers = [
        sample("a", 990, 80),
        sample("b", 985, 90),
        sample("c", 995, 100),
        sample("d", 980, 85),
    ];
    assert_eq!(judge(&peers), [Good; 4]);

    let mut five = peers.to_vec();
    five.push(sample("e", 900, 90));
    assert_eq!(judge(&five), [Good, Good, Good, Good, Demoted]);
    five[4] = sample("e", 990, 20);
    assert_eq!(judge(&five), [Good, Good, Good, Good, Demoted]);

    // Too little to tell, of the one or of the others.
    five[4] = Sample {
        requests: 99,
        ..sample("e", 900, 20)
    };
    assert_eq!(judge(&five)[4], Unknown);
    five[4] = sample("e", 900, 20);
    five[4].tools.requests = 199;
    assert_eq!(judge(&five)[4], Unknown);
    let three = [peers[0], peers[1], sample("e", 500, 20)];
    assert_eq!(judge(&three), [Good; 3], "three providers are too few");
    let same_provider = [peers[0], peers[1], peers[1], sample("e", 500, 20)];
    assert_eq!(
        judge(&same_provider),
        [Good; 4],
        "so are three with four endpoints"
    );
    assert_eq!(judge(&[]), []);
}

#[test]
fn small_differences_among_equals_demote_nobody() {
    let equals = [
        sample("a", 1_000, 100),
        sample("b", 1_000, 100),
        sample("c", 1_000, 100),
        sample("d", 985, 97),
    ];
    assert_eq!(judge(&equals), [ToolQuality::Good; 4]);
}

#[test]
fn the_board_compares_the_endpoints_of_a_model() {
    let mut scene = Scene::default();
    for (endpoint, broken_of_10) in [
        ("x/m|a", 0),
        ("x/m|b/fp8", 0),
        ("x/m|c", 1),
        ("x/m|d", 0),
        ("x/m|e", 9),
        ("x/other|e", 9),
    ] {
        for number in 0..220 {
            let permit = scene.permit(endpoint, SHARED);
            let outcome = Outcome {
                tool_calls: Some(if number % 10 < broken_of_10 {
                    ToolCallsVerdict::InvalidJson
                } else {
                    ToolCallsVerdict::Sound
                }),
                duration_ms: 1_000,
                output_tokens: 50,
                ..Outcome::unmeasured(AttemptEnd::Finished)
            };
            scene.board.finish(permit, &outcome, scene.now);
        }
    }
    scene.seconds(10);
    let found = ["x/m|a", "x/m|c", "x/m|e", "x/other|e", "x/m|never"]
        .map(|endpoint| scene.health(endpoint).tools);
    assert_eq!(
        found,
        [
            ToolQuality::Good,
            // The others leave no room: one in ten is ten points below all of them.
            ToolQuality::Demoted,
            ToolQuality::Demoted,
            ToolQuality::Good,
            ToolQuality::Unknown,
        ]
    );
}

#[test]
fn ids_name_model_and_provider() {
    for (id, model, provider) in [
        ("author/model:free|acme", "author/model:free", "acme"),
        ("author/model|acme/fp8", "author/model", "acme"),
        ("odd", "odd", ""),
    ] {
        assert_eq!(model_and_provider(id), (model, provider));
    }
}
