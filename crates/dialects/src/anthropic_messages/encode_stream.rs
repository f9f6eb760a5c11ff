//! Internal events become the stream a client gets.
//!
//! The dialect allows one open block at a time. Text and reasoning may be split over several
//! blocks, so a new part simply closes them; a tool call may not, so what starts while one is
//! open waits in [`BlockWriter`]. The end of the message waits for [`StreamEncoder::finish`],
//! because it states the cost.

mod blocks;

use bytes::Bytes;
use serde_json::value::RawValue;
use switchyard_domain::{secret::Private, tokens::TokenUsage};
use switchyard_interchange::{
    event::{ChatEvent, Finish, FinishReason, StreamStep},
    reply::{PublicFailure, ReplyHead, ReplyTail},
    request::Dialect,
};

use self::blocks::BlockWriter;
use super::{
    encode_response::{
        encode_error, stop_sequence, write_head, write_metadata, write_missing, write_usage,
    },
    object_writer::{ObjectWriter, write_object},
    stop_reason, usage,
};
use crate::json::{RawObject, Text, wire_object};

/// What keeps a silent connection open.
pub const KEEP_ALIVE: &[u8] = b"event: ping\ndata: {\"type\": \"ping\"}\n\n";

/// Writes one answer as whole SSE frames.
#[derive(Debug)]
pub struct StreamEncoder {
    head: ReplyHead,
    /// What the first event says of the prompt when the provider has not said anything yet.
    expected_input_tokens: u64,
    started: bool,
    ended: bool,
    blocks: BlockWriter,
    finish: Option<Finish>,
    tier: Option<String>,
    /// The provider's own end of the message, kept for the members that only it knows.
    own_end: Option<Private<Bytes>>,
}

wire_object! {
    /// What says where an event of this dialect belongs.
    lenient struct EventKind<'a> {
        "type" => kind: Text<'a>,
        "index" => index: u32,
    }
}

wire_object! {
    lenient struct EventMessage<'a> {
        "message" => message: &'a RawValue,
    }
}

impl StreamEncoder {
    /// An encoder for the answer that `head` describes.
    pub fn new(head: ReplyHead) -> Self {
        Self {
            head,
            expected_input_tokens: 0,
            started: false,
            ended: false,
            blocks: BlockWriter::default(),
            finish: None,
            tier: None,
            own_end: None,
        }
    }

    /// The same encoder with a guess of the prompt's tokens. Clients read the prompt's size off
    /// the first event, when providers of other dialects have not stated it yet; the last event
    /// corrects it.
    #[must_use]
    pub fn expecting_input(mut self, tokens: u64) -> Self {
        self.expected_input_tokens = tokens;
        self
    }

    /// Appends the frames of a step. Failures in it are left to [`Self::fail`].
    pub fn step(&mut self, step: &StreamStep, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        self.note_end(&step.events);
        match &step.verbatim {
            Some(verbatim) if verbatim.dialect == Dialect::AnthropicMessages => {
                self.splice(verbatim.json.expose(), out);
            }
            _ => self.write_events(&step.events, out),
        }
    }

    /// Appends the end of the answer, with its usage and cost.
    pub fn finish(&mut self, tail: &ReplyTail, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.start(Some(&tail.tokens), out);
        self.blocks.close_all(out);
        self.write_message_delta(tail, out);
        write_frame(out, "message_stop", |event| write_metadata(event, tail));
    }

    /// Appends a failure; nothing follows it.
    pub fn fail(&mut self, failure: &PublicFailure, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        self.ended = true;
        let body = encode_error(failure, Some(self.head.generation_id.as_str()));
        write_raw_frame(out, "error", &body);
    }

    /// Remembers what the last frames will say.
    fn note_end(&mut self, events: &[ChatEvent]) {
        for event in events {
            match event {
                ChatEvent::Finish(finish) if self.finish.is_none() => {
                    self.finish = Some(finish.clone());
                }
                ChatEvent::Usage(report) => self.tier.clone_from(&report.service_tier),
                ChatEvent::Finish(_)
                | ChatEvent::Start { .. }
                | ChatEvent::PartStart { .. }
                | ChatEvent::Delta { .. }
                | ChatEvent::PartStop { .. }
                | ChatEvent::Error(_) => {}
            }
        }
    }

    fn splice(&mut self, json: &Bytes, out: &mut Vec<u8>) {
        // Nearly every event is one of these, and nothing in it is ours.
        if json.starts_with(br#"{"type":"content_block_delta","#) {
            write_raw_frame(out, "content_block_delta", json);
            return;
        }
        let event: EventKind<'_> = serde_json::from_slice(json).unwrap_or_default();
        let index = event.index.unwrap_or_default();
        match event.kind.as_deref() {
            Some("content_block_delta") => write_raw_frame(out, "content_block_delta", json),
            Some("content_block_start") => {
                self.blocks.note_started(index);
                write_raw_frame(out, "content_block_start", json);
            }
            Some("content_block_stop") => {
                self.blocks.note_stopped();
                write_raw_frame(out, "content_block_stop", json);
            }
            Some("message_start") => self.splice_start(json, out),
            Some("message_delta") => self.own_end = Some(Private::new(json.clone())),
            Some("message_stop" | "ping" | "error") | None => {}
            Some(kind)
                if kind
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_') =>
            {
                write_raw_frame(out, kind, json);
            }
            Some(_) => {}
        }
    }

    fn splice_start(&mut self, json: &[u8], out: &mut Vec<u8>) {
        if self.started {
            return;
        }
        let event: EventMessage<'_> = serde_json::from_slice(json).unwrap_or_default();
        let message: RawObject<'_> = event
            .message
            .and_then(|message| serde_json::from_str(message.get()).ok())
            .unwrap_or_default();
        if !message.0.iter().any(|(key, _)| &**key == "usage") {
            self.start(None, out);
            return;
        }
        self.started = true;
        write_frame(out, "message_start", |event| {
            event.object("message", |object| {
                write_head(object, &self.head);
                for (key, value) in &message.0 {
                    let is_ours = matches!(&**key, "id" | "type" | "role" | "model" | "provider");
                    if !is_ours {
                        object.raw(key, value.get());
                    }
                }
                write_missing(object, &message);
            });
        });
    }

    fn write_events(&mut self, events: &[ChatEvent], out: &mut Vec<u8>) {
        let usage = events.iter().rev().find_map(|event| match event {
            ChatEvent::Usage(report) => Some(&report.tokens),
            _ => None,
        });
        for event in events {
            match event {
                ChatEvent::Start { .. } => self.start(usage, out),
                ChatEvent::PartStart { part, kind } => {
                    self.start(usage, out);
                    self.blocks.start(*part, kind, out);
                }
                ChatEvent::Delta { part, delta } => self.blocks.grow(*part, delta, out),
                ChatEvent::PartStop { part } => self.blocks.stop(*part, out),
                ChatEvent::Finish(_) | ChatEvent::Usage(_) | ChatEvent::Error(_) => {}
            }
        }
    }

    /// Writes the first frame, once.
    fn start(&mut self, usage: Option<&TokenUsage>, out: &mut Vec<u8>) {
        if self.started {
            return;
        }
        self.started = true;
        let expected = TokenUsage {
            input_uncached: self.expected_input_tokens,
            ..TokenUsage::default()
        };
        // What was put out so far is for the end to say.
        let stated = usage.map(|usage| TokenUsage {
            output_text: 0,
            reasoning: 0,
            ..*usage
        });
        write_frame(out, "message_start", |event| {
            event.object("message", |message| {
                write_head(message, &self.head);
                message.raw("content", "[]");
                for empty in ["stop_reason", "stop_sequence", "stop_details", "container"] {
                    message.raw(empty, "null");
                }
                message.object("usage", |object| {
                    let tokens = stated.as_ref().unwrap_or(&expected);
                    usage::write_counts(object, tokens, self.tier.as_deref());
                });
            });
        });
    }

    fn write_message_delta(&self, tail: &ReplyTail, out: &mut Vec<u8>) {
        let own: RawObject<'_> = self
            .own_end
            .as_ref()
            .and_then(|json| serde_json::from_slice(json.expose()).ok())
            .unwrap_or_default();
        let find = |name: &str| {
            own.0
                .iter()
                .find(|(key, _)| &**key == name)
                .map(|(_, value)| *value)
        };
        write_frame(out, "message_delta", |event| {
            match find("delta") {
                Some(delta) => event.raw("delta", delta.get()),
                None => event.object("delta", |delta| self.write_stop(delta)),
            }
            event.object("usage", |usage| write_usage(usage, tail, find("usage")));
            for (key, value) in &own.0 {
                if !matches!(&**key, "type" | "delta" | "usage") {
                    event.raw(key, value.get());
                }
            }
        });
    }

    fn write_stop(&self, delta: &mut ObjectWriter<'_>) {
        let unstated = if self.blocks.has_calls() {
            FinishReason::ToolCalls
        } else {
            FinishReason::Stop
        };
        let reason = self
            .finish
            .as_ref()
            .map_or(unstated, |finish| finish.reason);
        delta.value("stop_reason", stop_reason::encode(reason));
        delta.value(
            "stop_sequence",
            &self.finish.as_ref().and_then(stop_sequence),
        );
        delta.raw("stop_details", "null");
        delta.raw("container", "null");
    }
}

/// Appends a frame whose data is an object of type `name`.
fn write_frame(out: &mut Vec<u8>, name: &str, write: impl FnOnce(&mut ObjectWriter<'_>)) {
    open_frame(out, name);
    write_object(out, |event| {
        event.value("type", name);
        write(event);
    });
    out.extend_from_slice(b"\n\n");
}

/// Appends a frame whose data is JSON already. A line break can only stand between its tokens,
/// where a space means the same and does not end the frame's line.
fn write_raw_frame(out: &mut Vec<u8>, name: &str, json: &[u8]) {
    open_frame(out, name);
    let start = out.len();
    out.extend_from_slice(json.trim_ascii());
    if memchr::memchr2(b'\n', b'\r', &out[start..]).is_some() {
        for byte in &mut out[start..] {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
    out.extend_from_slice(b"\n\n");
}

fn open_frame(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
}
