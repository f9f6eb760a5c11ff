//! Whatever is written as a stream keeps the dialect's order and reads the same.

use std::collections::BTreeMap;

use proptest::prelude::*;
use switchyard_interchange::{
    event::{ChatEvent, Delta, FinishReason, PartKind, UsageReport},
    message::REASONING_ANTHROPIC,
};

use crate::{
    sse,
    streams::{arguments, call, decode, encode, finish, start, text, usage},
};

/// A part with its content in pieces.
#[derive(Debug, Clone)]
struct Piece {
    kind: PartKind,
    deltas: Vec<Delta>,
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let texts = || proptest::collection::vec("[a-z \"\\\\\n\u{fc}\u{1f600}]{1,8}", 0..4);
    let grow = |texts: Vec<String>| texts.into_iter().map(|text| Delta::Text(text.into()));
    let piece = prop_oneof![
        texts().prop_map(move |texts| Piece {
            kind: PartKind::Text,
            deltas: grow(texts).collect()
        }),
        (texts(), "[A-Za-z0-9]{1,12}").prop_map(move |(texts, signature)| Piece {
            kind: PartKind::Reasoning {
                id: None,
                format: REASONING_ANTHROPIC.to_owned()
            },
            deltas: grow(texts).chain([Delta::Signature(signature)]).collect(),
        }),
        "[A-Za-z0-9]{1,12}".prop_map(|data| Piece {
            kind: PartKind::EncryptedReasoning {
                id: None,
                format: REASONING_ANTHROPIC.to_owned(),
                data: data.into(),
            },
            deltas: Vec::new(),
        }),
        ("[a-z0-9]{1,8}", 0_u32..100, 0_usize..8).prop_map(|(id, value, at)| {
            let json = format!("{{\"value\":{value}}}");
            let (head, tail) = json.split_at(at);
            let fragments = [head, tail]
                .into_iter()
                .filter(|fragment| !fragment.is_empty());
            Piece {
                kind: PartKind::ToolCall {
                    id,
                    name: "f".to_owned(),
                },
                deltas: fragments
                    .map(|fragment| Delta::Arguments(fragment.into()))
                    .collect(),
            }
        }),
    ];
    proptest::collection::vec(piece, 0..6)
}

fn sequence(pieces: &[Piece]) -> Vec<ChatEvent> {
    let mut events = Vec::new();
    for (part, piece) in (0..).zip(pieces) {
        events.push(ChatEvent::PartStart {
            part,
            kind: piece.kind.clone(),
        });
        events.extend(piece.deltas.iter().map(|delta| ChatEvent::Delta {
            part,
            delta: delta.clone(),
        }));
        events.push(ChatEvent::PartStop { part });
    }
    events
}

/// The parts' events alone.
fn of_parts(events: Vec<ChatEvent>) -> Vec<ChatEvent> {
    events
        .into_iter()
        .filter(|event| {
            matches!(
                event,
                ChatEvent::PartStart { .. } | ChatEvent::Delta { .. } | ChatEvent::PartStop { .. }
            )
        })
        .collect()
}

/// What each kind of content adds up to; calls by id and position.
fn totals(events: &[ChatEvent]) -> BTreeMap<String, String> {
    let mut names: BTreeMap<u32, String> = BTreeMap::new();
    let mut totals: BTreeMap<String, String> = BTreeMap::new();
    for event in events {
        match event {
            ChatEvent::PartStart {
                part,
                kind: PartKind::ToolCall { id, .. },
            } => {
                names.insert(*part, format!("call {id}"));
                totals.entry(format!("call {id}")).or_default();
            }
            ChatEvent::PartStart { part, .. } => {
                names.insert(*part, "text".to_owned());
            }
            ChatEvent::Delta {
                part,
                delta: Delta::Text(text),
            } => {
                totals
                    .entry(names[part].clone())
                    .or_default()
                    .push_str(text.expose());
            }
            ChatEvent::Delta {
                part,
                delta: Delta::Arguments(json),
            } => {
                totals
                    .entry(names[part].clone())
                    .or_default()
                    .push_str(json.expose());
            }
            _ => {}
        }
    }
    totals
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_reads_the_same(pieces in pieces()) {
        let parts = sequence(&pieces);
        let has_calls = pieces.iter().any(|piece| matches!(piece.kind, PartKind::ToolCall { .. }));
        let reason = if has_calls { FinishReason::ToolCalls } else { FinishReason::Stop };
        let mut events = vec![start()];
        events.extend(parts.clone());
        events.push(finish(reason));
        let out = encode(&events);
        sse::check_order(&out);
        let read = decode(&out);
        let last_usage = read.iter().rev().find_map(|event| match event {
            ChatEvent::Usage(UsageReport { tokens, .. }) => Some(*tokens),
            _ => None,
        });
        prop_assert_eq!(last_usage, Some(usage()));
        let ended = read.iter().any(|event| matches!(event, ChatEvent::Finish(finish) if finish.reason == reason));
        prop_assert!(ended);
        prop_assert_eq!(of_parts(read), parts);
    }

    #[test]
    fn however_parts_interleave_the_blocks_are_in_order(
        calls in 1_u32..4,
        turns in proptest::collection::vec((0_u32..4, 0_u8..10), 0..40),
    ) {
        let mut events = vec![start(), ChatEvent::PartStart { part: 0, kind: PartKind::Text }];
        let mut open: BTreeMap<u32, bool> = BTreeMap::from([(0, true)]);
        for (turn, (part, choice)) in turns.into_iter().enumerate() {
            let part = part.min(calls);
            match (open.get(&part), choice) {
                (None, _) => {
                    events.push(call(part, &format!("id{part}")));
                    // Arguments are whole at once, so that a call is complete whenever it ends.
                    events.push(arguments(part, "{\"a\""));
                    events.push(arguments(part, ":1}"));
                    open.insert(part, true);
                }
                (Some(true), 0..3) => {
                    events.push(ChatEvent::PartStop { part });
                    open.insert(part, false);
                }
                (Some(true), _) if part == 0 => events.push(text(0, &format!("t{turn} "))),
                (Some(_), _) => {}
            }
        }
        events.push(finish(FinishReason::ToolCalls));
        let out = encode(&events);
        sse::check_order(&out);
        let (sent, given) = (totals(&decode(&out)), totals(&events));
        prop_assert_eq!(sent, given);
    }
}
