//! Requests and streams that go out and come back mean the same.

use bytes::Bytes;
use proptest::prelude::*;
use switchyard_dialects::openai_chat::{
    MaxTokensField, StreamEncoder, UpstreamTraits, decode_request, encode_request,
};
use switchyard_interchange::{
    event::{ChatEvent, Delta, Finish, FinishReason, PartKind, StreamStep},
    request::{ChatRequest, Dialect},
};

use super::corpus::{self, decode_payloads, head, split_events, tail};

/// What of a request must survive.
fn meaning(request: &ChatRequest) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        request.messages,
        request
            .tools
            .iter()
            .map(|tool| (&tool.name, &tool.description, tool.strict))
            .collect::<Vec<_>>(),
        request.tool_choice,
        request.parallel_tool_calls,
        request.sampling,
        request.max_output_tokens,
        request.stop,
        request.stream,
        request.input_modalities,
    )
}

fn texts(request: &ChatRequest) -> Vec<String> {
    use switchyard_interchange::message::Part;
    request
        .messages
        .iter()
        .flat_map(|message| &message.parts)
        .map(|part| match part {
            Part::Text { text, .. } => text.expose().clone(),
            Part::ToolCall(call) => call.arguments.expose().clone(),
            other => format!("{other:?}"),
        })
        .collect()
}

#[test]
fn recorded_requests_survive_splicing_and_rewriting() {
    let mut seen = 0;
    for case in corpus::all() {
        let Some(body) = case.request.clone() else {
            continue;
        };
        // Some recordings are of requests that the format's documents do not allow.
        let Ok(request) = decode_request(body) else {
            continue;
        };
        let traits = UpstreamTraits {
            model: "upstream-model".to_owned(),
            max_tokens_field: MaxTokensField::MaxCompletionTokens,
            developer_role: true,
            ..UpstreamTraits::default()
        };
        let mut foreign = request.clone();
        foreign.origin.dialect = Dialect::AnthropicMessages;
        for (how, request_sent) in [("spliced", &request), ("rewritten", &foreign)] {
            let sent = encode_request(request_sent, &traits).expect("it was encoded by us");
            let again = decode_request(Bytes::from(sent)).expect("it was encoded by us");
            assert_eq!(again.model, "upstream-model");
            let without_reasoning = |request: &ChatRequest| {
                let mut request = request.clone();
                for message in &mut request.messages {
                    message.parts.retain(|part| {
                        !matches!(part, switchyard_interchange::message::Part::Reasoning(_))
                    });
                }
                (meaning(&request), texts(&request))
            };
            assert_eq!(
                without_reasoning(&again),
                without_reasoning(&request),
                "{} {how}",
                case.id
            );
        }
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
}

/// A part, its deltas and perhaps its signature.
type SketchedPart = (PartKind, Vec<String>, Option<String>);

fn sketched_parts() -> impl Strategy<Value = Vec<SketchedPart>> {
    let texts = |least| prop::collection::vec("[a-z \"\\\\é\u{1F600}\n]{1,8}", least..4);
    let signature = prop::option::of("[A-Za-z0-9+/]{4,12}");
    let part = prop_oneof![
        texts(1).prop_map(|deltas| (PartKind::Text, deltas, None)),
        texts(1).prop_map(|deltas| (PartKind::Refusal, deltas, None)),
        (texts(1), signature).prop_map(|(deltas, signature)| {
            let format = "anthropic-claude-v1".to_owned();
            (PartKind::Reasoning { id: None, format }, deltas, signature)
        }),
        ("call_[a-z0-9]{6}", "[a-z_]{1,8}", texts(0)).prop_map(|(id, name, deltas)| (
            PartKind::ToolCall { id, name },
            deltas,
            None
        )),
    ];
    prop::collection::vec(part, 1..5)
}

/// The stream of these parts, as a decoder of another dialect would report it. Neighbours of one
/// kind are left out, because they are one part in this format; ids are made unique.
fn stream_of(parts: Vec<SketchedPart>) -> Vec<ChatEvent> {
    let mut events = vec![ChatEvent::Start {
        upstream_id: Some(head().generation_id.as_str().to_owned()),
        model: Some("author/model".to_owned()),
    }];
    let mut open_calls = Vec::new();
    let mut has_refusal = false;
    let mut previous = None;
    let mut part = 0;
    for (kind, deltas, signature) in parts {
        let class = std::mem::discriminant(&kind);
        let is_call = matches!(kind, PartKind::ToolCall { .. });
        if !is_call && previous == Some(class) {
            continue;
        }
        previous = Some(class);
        has_refusal |= kind == PartKind::Refusal;
        let kind = match kind {
            PartKind::ToolCall { id, name } => PartKind::ToolCall {
                id: format!("{id}{part}"),
                name,
            },
            kind => kind,
        };
        events.push(ChatEvent::PartStart { part, kind });
        events.extend(deltas.into_iter().map(|text| {
            let delta = if is_call {
                Delta::Arguments(text.into())
            } else {
                Delta::Text(text.into())
            };
            ChatEvent::Delta { part, delta }
        }));
        if let Some(signature) = signature {
            events.push(ChatEvent::Delta {
                part,
                delta: Delta::Signature(signature),
            });
        }
        if is_call {
            open_calls.push(part);
        } else {
            events.push(ChatEvent::PartStop { part });
        }
        part += 1;
    }
    let reason = match (open_calls.is_empty(), has_refusal) {
        (false, _) => FinishReason::ToolCalls,
        (true, true) => FinishReason::Refusal,
        (true, false) => FinishReason::Stop,
    };
    events.extend(
        open_calls
            .into_iter()
            .map(|part| ChatEvent::PartStop { part }),
    );
    let native = Some(reason.as_str().to_owned());
    events.push(ChatEvent::Finish(Finish {
        reason,
        native,
        stop_sequence: None,
    }));
    events
}

proptest! {
    #[test]
    fn events_come_back_from_the_stream_they_were_written_to(parts in sketched_parts()) {
        let events = stream_of(parts);
        let mut encoder = StreamEncoder::new(head());
        let mut out = Vec::new();
        for event in &events {
            encoder.step(&StreamStep { events: vec![event.clone()], verbatim: None }, &mut out);
        }
        encoder.finish(&tail(), &mut out);
        super::validator::check_stream(&out);
        let steps = decode_payloads(split_events(std::str::from_utf8(&out).expect("it was encoded by us"))).expect("it was encoded by us");
        let again: Vec<ChatEvent> = steps
            .into_iter()
            .flat_map(|step| step.events)
            .filter(|event| !matches!(event, ChatEvent::Usage(_)))
            .collect();
        prop_assert_eq!(again, events);
    }
}
