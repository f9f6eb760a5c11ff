//! Spoils a script in one of the ways that real answers are spoiled.

use bytes::{Bytes, BytesMut};

use crate::{
    behaviour::Flaw,
    dialect::Dialect,
    script::{Ending, Event, EventKind, Script},
};

/// A huge line is sent in pieces of this many bytes, all sharing one allocation.
const PIECE_BYTES: usize = 64 * 1_024;

/// Applies one flaw.
pub(crate) fn spoil(script: &mut Script, flaw: &Flaw, dialect: Dialect) {
    match flaw {
        Flaw::Hang { after_events } => break_off(script, *after_events, Ending::Silence),
        Flaw::Stop { after_events } => break_off(script, *after_events, Ending::InOrder),
        Flaw::Cut { after_events } => break_off(script, *after_events, Ending::Close),
        Flaw::Reset { after_events } => break_off(script, *after_events, Ending::Reset),
        Flaw::ErrorEvent {
            after_events,
            status,
        } => {
            break_off(script, *after_events, Ending::InOrder);
            script.events.push(foreign(dialect.error_event(*status)));
        }
        Flaw::BadJson { after_events } => {
            insert(
                script,
                *after_events,
                b"data: {\"id\": \"cut-sho\n\n".as_slice(),
            );
        }
        Flaw::InvalidUtf8 { after_events } => {
            insert(script, *after_events, dialect.invalid_utf8_event());
        }
        Flaw::Garbage { after_events } => {
            let garbage: Vec<u8> = (0..=255).rev().chain(0..=255).collect();
            insert(script, *after_events, garbage);
        }
        Flaw::HugeLine {
            after_events,
            bytes,
        } => huge_line(script, *after_events, *bytes, dialect),
        Flaw::ContentType { value } => script.content_type = Some(value.clone()),
        Flaw::FinishTwice => finish_twice(script),
        Flaw::NoFinish => script
            .events
            .retain(|event| event.kind != EventKind::Finish),
        Flaw::NoEndMark => script
            .events
            .retain(|event| event.kind != EventKind::EndMark),
        Flaw::Comments { count } => {
            let comment = foreign(b": keep-alive\n\n".as_slice());
            script
                .events
                .splice(0..0, std::iter::repeat_n(comment, *count));
        }
        Flaw::CrLf => {
            for event in &mut script.events {
                event.bytes = with_crlf(&event.bytes);
            }
        }
        Flaw::Pieces { bytes } => cut_up(script, (*bytes).max(1)),
        // These two are known before the answer is written; see `handle`.
        Flaw::NoUsage | Flaw::NoStream => {}
    }
}

fn foreign(bytes: impl Into<Bytes>) -> Event {
    Event {
        kind: EventKind::Foreign,
        bytes: bytes.into(),
    }
}

/// Where the fault strikes: never after the end mark, never after a whole JSON body.
fn position(script: &mut Script, after_events: usize) -> usize {
    if let [
        Event {
            kind: EventKind::Whole,
            bytes,
        },
    ] = script.events.as_slice()
    {
        let first = bytes.slice(..bytes.len() / 2);
        let second = bytes.slice(bytes.len() / 2..);
        script.events = [first, second]
            .into_iter()
            .map(|bytes| Event {
                kind: EventKind::Whole,
                bytes,
            })
            .collect();
    }
    after_events.min(script.events.len().saturating_sub(1))
}

fn break_off(script: &mut Script, after_events: usize, ending: Ending) {
    let position = position(script, after_events);
    script.events.truncate(position);
    script.ending = ending;
}

fn insert(script: &mut Script, after_events: usize, bytes: impl Into<Bytes>) {
    let position = position(script, after_events);
    script.events.insert(position, foreign(bytes));
}

fn huge_line(script: &mut Script, after_events: usize, bytes: usize, dialect: Dialect) {
    let position = position(script, after_events);
    let (before, after) = dialect.text_event_halves();
    let piece = Bytes::from(vec![b'x'; PIECE_BYTES]);
    let filling = bytes.saturating_sub(before.len() + after.len());
    let mut line = vec![foreign(before)];
    line.extend(std::iter::repeat_n(
        foreign(piece.clone()),
        filling / PIECE_BYTES,
    ));
    line.push(foreign(piece.slice(..filling % PIECE_BYTES)));
    line.push(foreign(after));
    line.retain(|event| !event.bytes.is_empty());
    script.events.splice(position..position, line);
}

fn finish_twice(script: &mut Script) {
    let found = script
        .events
        .iter()
        .position(|event| event.kind == EventKind::Finish);
    if let Some(index) = found {
        let event = script.events[index].clone();
        script.events.insert(index, event);
    }
}

fn with_crlf(bytes: &Bytes) -> Bytes {
    let mut converted = BytesMut::with_capacity(bytes.len() + 8);
    for byte in bytes {
        if *byte == b'\n' {
            converted.extend_from_slice(b"\r\n");
        } else {
            converted.extend_from_slice(&[*byte]);
        }
    }
    converted.freeze()
}

fn cut_up(script: &mut Script, piece_bytes: usize) {
    let body: BytesMut = script
        .events
        .iter()
        .flat_map(|event| event.bytes.iter())
        .collect();
    let mut body = body.freeze();
    let mut pieces = Vec::with_capacity(body.len() / piece_bytes + 1);
    while !body.is_empty() {
        pieces.push(foreign(body.split_to(piece_bytes.min(body.len()))));
    }
    script.events = pieces;
}
