//! A streamed answer as the client reads it: server-sent events, ready to be written.

mod spliced;
#[cfg(test)]
mod tests;

use switchyard_interchange::{
    event::{ChatEvent, Delta, Finish, FinishReason, PartKind, StreamStep},
    message::{Citation, Reasoning, ReasoningContent},
    reply::{PublicFailure, ReplyHead, ReplyTail},
};

use super::{
    encode_messages::write_reasoning_detail,
    encode_response::{
        of_this_dialect, write_annotations, write_failure, write_identity, write_usage,
    },
    write::{Array, Object},
};

/// A comment for silences. Clients skip it; it keeps connections open.
pub const KEEP_ALIVE: &[u8] = b": OPENROUTER PROCESSING\n\n";

const DONE: &[u8] = b"data: [DONE]\n\n";

/// Writes one stream. Steps that came in this format are passed on with our fields in place of
/// the provider's; any other is written from its events.
#[derive(Debug)]
pub struct StreamEncoder {
    /// Every chunk begins with this: `data: {` and the fields that say which answer it is.
    prefix: Vec<u8>,
    /// The parts seen so far, by number.
    parts: Vec<Seen>,
    calls: usize,
    reasoning_blocks: usize,
    finished: bool,
    closed: bool,
}

/// What the encoder remembers of a part.
#[derive(Debug)]
enum Seen {
    Text,
    Refusal,
    Reasoning {
        summary: bool,
        block: usize,
        id: Option<String>,
        format: String,
    },
    Call {
        number: usize,
    },
    /// Arrived whole.
    Whole,
}

impl StreamEncoder {
    /// An encoder at the start of a stream.
    pub fn new(head: ReplyHead) -> Self {
        let mut prefix = b"data: ".to_vec();
        write_identity(
            &mut Object::start(&mut prefix),
            &head,
            "chat.completion.chunk",
        );
        Self {
            prefix,
            parts: Vec::new(),
            calls: 0,
            reasoning_blocks: 0,
            finished: false,
            closed: false,
        }
    }

    /// Appends the frames of one step; none where it holds nothing for a client.
    pub fn step(&mut self, step: &StreamStep, out: &mut Vec<u8>) {
        if self.finished || self.closed {
            return;
        }
        let verbatim = step.verbatim.as_ref().and_then(of_this_dialect);
        let finish = step.events.iter().find_map(|event| match event {
            ChatEvent::Finish(finish) => Some(finish),
            _ => None,
        });
        let frame = out.len();
        let spliced = verbatim.is_some_and(|json| {
            let done = spliced::write(json, &self.prefix, finish, out);
            if !done {
                out.truncate(frame);
            }
            done
        });
        for event in &step.events {
            self.event(event, spliced, out);
        }
    }

    /// Appends the usage chunk and the end mark, behind a finish chunk if none was sent yet.
    pub fn finish(&mut self, tail: &ReplyTail, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        if !self.finished {
            let reason = if self.calls > 0 {
                FinishReason::ToolCalls
            } else {
                FinishReason::Stop
            };
            self.write_finish(
                &Finish {
                    reason,
                    native: None,
                    stop_sequence: None,
                },
                out,
            );
        }
        out.extend_from_slice(&self.prefix);
        let mut chunk = Object::resume(out, false);
        // An empty choice rather than none: some clients look into the first one of every chunk.
        chunk.literal("choices", EMPTY_CHOICES);
        write_usage(&mut chunk, tail);
        chunk.optional_string("service_tier", tail.service_tier.as_deref());
        if let Some(metadata) = &tail.metadata {
            chunk.literal("openrouter_metadata", metadata.get());
        }
        out.extend_from_slice(b"}\n\n");
        out.extend_from_slice(DONE);
    }

    /// Appends the error in the place of the rest of the answer, and the end mark.
    pub fn fail(&mut self, failure: &PublicFailure, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        out.extend_from_slice(&self.prefix);
        let mut chunk = Object::resume(out, false);
        chunk.literal("choices", ERROR_CHOICES);
        write_failure(&mut chunk, failure);
        out.extend_from_slice(b"}\n\n");
        out.extend_from_slice(DONE);
    }

    /// Takes note of an event, and writes it unless its step was passed on as it came.
    fn event(&mut self, event: &ChatEvent, spliced: bool, out: &mut Vec<u8>) {
        match event {
            ChatEvent::PartStart { part, kind } => self.part_start(*part, kind, spliced, out),
            ChatEvent::Finish(_) if spliced => self.finished = true,
            ChatEvent::Finish(finish) => self.write_finish(finish, out),
            ChatEvent::Start { .. } if !spliced => {
                self.delta(out, |delta| delta.string("content", ""));
            }
            ChatEvent::Delta { part, delta } if !spliced => self.part_delta(*part, delta, out),
            // Usage goes out once, at the end; errors through `fail`.
            ChatEvent::Start { .. }
            | ChatEvent::Delta { .. }
            | ChatEvent::PartStop { .. }
            | ChatEvent::Usage(_)
            | ChatEvent::Error(_) => {}
        }
    }

    fn part_start(&mut self, part: u32, kind: &PartKind, spliced: bool, out: &mut Vec<u8>) {
        let seen = match kind {
            PartKind::Text => Seen::Text,
            PartKind::Refusal => Seen::Refusal,
            PartKind::Reasoning { id, format } => self.reasoning(false, id, format),
            PartKind::ReasoningSummary { id, format } => self.reasoning(true, id, format),
            PartKind::EncryptedReasoning { id, format, data } => {
                let block = self.next_block();
                if !spliced {
                    let content = ReasoningContent::Encrypted { data: data.clone() };
                    let reasoning = Reasoning {
                        content,
                        id: id.clone(),
                        format: format.clone(),
                    };
                    self.detail(out, None, &reasoning, block);
                }
                Seen::Whole
            }
            PartKind::ToolCall { id, name } => {
                let number = self.calls;
                self.calls += 1;
                if !spliced {
                    self.call_start(number, id, name, out);
                }
                Seen::Call { number }
            }
        };
        let position = part as usize;
        if position == self.parts.len() {
            self.parts.push(seen);
        } else if let Some(place) = self.parts.get_mut(position) {
            *place = seen;
        }
    }

    fn reasoning(&mut self, summary: bool, id: &Option<String>, format: &str) -> Seen {
        let block = self.next_block();
        Seen::Reasoning {
            summary,
            block,
            id: id.clone(),
            format: format.to_owned(),
        }
    }

    fn next_block(&mut self) -> usize {
        self.reasoning_blocks += 1;
        self.reasoning_blocks - 1
    }

    fn part_delta(&self, part: u32, delta: &Delta, out: &mut Vec<u8>) {
        let Some(seen) = self.parts.get(part as usize) else {
            return;
        };
        match (seen, delta) {
            (Seen::Text, Delta::Text(text)) => {
                self.delta(out, |delta| delta.string("content", text.expose()));
            }
            (Seen::Refusal, Delta::Text(text)) => {
                self.delta(out, |delta| delta.string("refusal", text.expose()));
            }
            (
                Seen::Reasoning {
                    summary,
                    block,
                    id,
                    format,
                },
                Delta::Text(text),
            ) => {
                let content = if *summary {
                    ReasoningContent::Summary { text: text.clone() }
                } else {
                    ReasoningContent::Text {
                        text: text.clone(),
                        signature: None,
                    }
                };
                let reasoning = Reasoning {
                    content,
                    id: id.clone(),
                    format: format.clone(),
                };
                self.detail(out, Some(text.expose()), &reasoning, *block);
            }
            (
                Seen::Reasoning {
                    block, id, format, ..
                },
                Delta::Signature(signature),
            ) => {
                let content = ReasoningContent::Text {
                    text: String::new().into(),
                    signature: Some(signature.clone()),
                };
                let reasoning = Reasoning {
                    content,
                    id: id.clone(),
                    format: format.clone(),
                };
                self.detail(out, None, &reasoning, *block);
            }
            (Seen::Call { number }, Delta::Arguments(arguments)) => {
                self.delta(out, |delta| {
                    let mut list = Array::start(delta.key("tool_calls"));
                    let mut call = list.object();
                    call.integer("index", *number);
                    let mut function = Object::start(call.key("function"));
                    function.string("arguments", arguments.expose());
                    function.end();
                    call.end();
                    list.end();
                });
            }
            (_, Delta::Citation(citation)) => self.citation(citation, out),
            // A delta of another kind than its part: nothing a client could read.
            (Seen::Whole | Seen::Call { .. }, Delta::Text(_))
            | (_, Delta::Signature(_) | Delta::Arguments(_)) => {}
        }
    }

    fn citation(&self, citation: &Citation, out: &mut Vec<u8>) {
        self.delta(out, |delta| write_annotations(delta, [citation]));
    }

    /// The first delta of a call has its id, type and name; clients throw without them.
    fn call_start(&self, number: usize, id: &str, name: &str, out: &mut Vec<u8>) {
        self.delta(out, |delta| {
            let mut list = Array::start(delta.key("tool_calls"));
            let mut call = list.object();
            call.integer("index", number);
            call.string("id", id);
            call.string("type", "function");
            let mut function = Object::start(call.key("function"));
            function.string("name", name);
            function.string("arguments", "");
            function.end();
            call.end();
            list.end();
        });
    }

    /// A piece of reasoning: as text for display, and as a block to send back.
    fn detail(&self, out: &mut Vec<u8>, text: Option<&str>, reasoning: &Reasoning, block: usize) {
        self.delta(out, |delta| {
            delta.optional_string("reasoning", text);
            let mut list = Array::start(delta.key("reasoning_details"));
            write_reasoning_detail(list.item(), reasoning, block);
            list.end();
        });
    }

    /// One chunk around a delta.
    fn delta(&self, out: &mut Vec<u8>, write: impl FnOnce(&mut Object<'_>)) {
        out.extend_from_slice(&self.prefix);
        out.extend_from_slice(br#","choices":[{"index":0,"delta":"#);
        let mut delta = Object::start(out);
        delta.string("role", "assistant");
        write(&mut delta);
        delta.end();
        out.extend_from_slice(br#","finish_reason":null,"native_finish_reason":null}]}"#);
        out.extend_from_slice(b"\n\n");
    }

    fn write_finish(&mut self, finish: &Finish, out: &mut Vec<u8>) {
        self.finished = true;
        out.extend_from_slice(&self.prefix);
        out.extend_from_slice(
            br#","choices":[{"index":0,"delta":{"role":"assistant","content":""}"#,
        );
        write_finish_fields(&mut Object::resume(out, false), Some(finish));
        out.extend_from_slice(b"}]}\n\n");
    }
}

const EMPTY_CHOICES: &str = r#"[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null,"native_finish_reason":null}]"#;
const ERROR_CHOICES: &str = r#"[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"error","native_finish_reason":null}]"#;

/// Both spellings of why the answer ended, which stand in every chunk.
fn write_finish_fields(choice: &mut Object<'_>, finish: Option<&Finish>) {
    choice.string_or_null("finish_reason", finish.map(|finish| finish.reason.as_str()));
    choice.string_or_null(
        "native_finish_reason",
        finish.and_then(|finish| finish.native.as_deref()),
    );
}
