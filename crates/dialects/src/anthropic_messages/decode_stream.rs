//! A provider's event stream becomes internal events.

use bytes::Bytes;
use serde_json::value::RawValue;
use switchyard_domain::secret::Private;
use switchyard_interchange::{
    event::{ChatEvent, Delta, PartKind, StreamStep, Verbatim},
    failure::Failure,
    message::REASONING_ANTHROPIC,
    request::Dialect,
};

use super::{
    SCHEMA_TOOL,
    answer_wire::{DeltaWire, EventWire},
    decode_error::decode_stream_error,
    decode_response::{decode_citation, explanation, protocol},
    stop_reason,
    usage::{UsageCounts, UsageWire},
};
use crate::json::Text;

/// Reads one answer, event by event.
///
/// An error event becomes [`ChatEvent::Error`]; an event that breaks the format is a failure.
/// Blocks of the provider's own tools have no events, only their bytes.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    open: Vec<OpenBlock>,
    next_part: u32,
    has_calls: bool,
    /// Whether the answer is a call of our own schema tool, which clients must not see.
    is_ours: bool,
    usage: UsageCounts,
    state: State,
    finished: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Expecting,
    Started,
    Ended,
    Failed,
}

#[derive(Debug)]
struct OpenBlock {
    index: u64,
    /// Number of the part, unless the block is opaque to us.
    part: Option<u32>,
    kind: BlockKind,
}

#[derive(Debug, PartialEq, Eq)]
enum BlockKind {
    Text,
    Thinking,
    ToolCall {
        /// Arguments that came with the start, until fragments show that they are a placeholder.
        whole_input: Option<Private<String>>,
    },
    SchemaCall,
    Whole,
    Opaque,
}

/// Whether an event's bytes may reach a client of the same dialect.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Forward {
    Yes,
    No,
}

impl StreamDecoder {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the data of one event. `event_name` serves where the data does not name its type.
    pub fn event(&mut self, data: Bytes, event_name: Option<&str>) -> Result<StreamStep, Failure> {
        let mut events = Vec::new();
        let text = data.trim_ascii();
        if text.is_empty()
            || text == b"[DONE]"
            || matches!(self.state, State::Ended | State::Failed)
        {
            return Ok(StreamStep {
                events,
                verbatim: None,
            });
        }
        let forward = self.read(text, event_name, &mut events)?;
        let verbatim = (forward == Forward::Yes).then(|| Verbatim {
            dialect: Dialect::AnthropicMessages,
            json: Private::new(data),
        });
        Ok(StreamStep { events, verbatim })
    }

    /// Closes the stream. One that stops before its end mark was cut.
    pub fn end(&mut self) -> Result<StreamStep, Failure> {
        match self.state {
            State::Ended | State::Failed => Ok(StreamStep {
                events: Vec::new(),
                verbatim: None,
            }),
            State::Expecting | State::Started => Err(protocol(
                "the provider's stream ended before the answer did",
            )),
        }
    }

    fn read(
        &mut self,
        data: &[u8],
        event_name: Option<&str>,
        events: &mut Vec<ChatEvent>,
    ) -> Result<Forward, Failure> {
        let wire: EventWire<'_> = serde_json::from_slice(data)
            .map_err(|_| protocol("an event of the provider's stream is not what it should be"))?;
        let kind = wire.kind.as_deref().or(event_name).unwrap_or_default();
        match kind {
            "content_block_delta" => self.grow_block(&wire, events),
            "content_block_start" => self.start_block(&wire, events),
            "content_block_stop" => Ok(self.stop_block(&wire, events)),
            "message_start" => Ok(self.start_message(&wire, events)),
            "message_delta" => Ok(self.end_message(&wire, events)),
            "message_stop" => {
                self.close_blocks(events);
                if !self.finished {
                    self.finish(None, None, events);
                }
                self.state = State::Ended;
                Ok(Forward::Yes)
            }
            "ping" => Ok(Forward::No),
            "error" => {
                self.state = State::Failed;
                events.push(ChatEvent::Error(decode_stream_error(wire.error)));
                Ok(Forward::No)
            }
            "" if wire.error.is_some() => {
                self.state = State::Failed;
                events.push(ChatEvent::Error(decode_stream_error(wire.error)));
                Ok(Forward::No)
            }
            "" | "message" => Err(protocol(
                "the provider's stream holds what is not an event of one",
            )),
            // A kind that is newer than we are: for those who know it.
            _ => Ok(Forward::Yes),
        }
    }

    /// The start can come twice; only its usage is news then.
    fn start_message(&mut self, wire: &EventWire<'_>, events: &mut Vec<ChatEvent>) -> Forward {
        let forward = if self.state == State::Expecting {
            Forward::Yes
        } else {
            Forward::No
        };
        let message = wire.message.as_ref();
        if self.state == State::Expecting {
            self.state = State::Started;
            let text = |text: Option<&Text<'_>>| text.map(|text| text.to_string());
            events.push(ChatEvent::Start {
                upstream_id: text(message.and_then(|message| message.id.as_ref())),
                model: text(message.and_then(|message| message.model.as_ref())),
            });
        }
        self.take_usage(message.and_then(|message| message.usage.as_ref()), events);
        forward
    }

    fn take_usage(&mut self, usage: Option<&UsageWire<'_>>, events: &mut Vec<ChatEvent>) {
        let Some(usage) = usage else { return };
        self.usage.merge(usage);
        events.extend(self.usage.report().map(ChatEvent::Usage));
    }

    fn start_block(
        &mut self,
        wire: &EventWire<'_>,
        events: &mut Vec<ChatEvent>,
    ) -> Result<Forward, Failure> {
        let (Some(index), Some(block)) = (wire.index, wire.content_block.as_ref()) else {
            return Err(protocol(
                "a block of the provider's stream starts without its content",
            ));
        };
        if self.open.iter().any(|open| open.index == index) {
            return Err(protocol("a block of the provider's stream starts twice"));
        }
        let text = |text: &Option<Text<'_>>| text.as_deref().unwrap_or_default().to_owned();
        match block.kind.as_deref() {
            Some("text") => {
                let part = self.open_text(index, events);
                grow_text(part, text(&block.text), events);
                let citations = block.citations.iter().flatten().filter_map(decode_citation);
                events.extend(citations.map(|citation| ChatEvent::Delta {
                    part,
                    delta: Delta::Citation(citation),
                }));
            }
            Some("thinking") => {
                let part = self.open_thinking(index, events);
                grow_text(part, text(&block.thinking), events);
                grow_signature(part, text(&block.signature), events);
            }
            Some("redacted_thinking") => {
                let kind = PartKind::EncryptedReasoning {
                    id: None,
                    format: REASONING_ANTHROPIC.to_owned(),
                    data: text(&block.data).into(),
                };
                self.open_part(index, BlockKind::Whole, kind, events);
            }
            Some("tool_use") if block.name.as_deref() == Some(SCHEMA_TOOL) => {
                self.is_ours = true;
                self.open_part(index, BlockKind::SchemaCall, PartKind::Text, events);
            }
            Some("tool_use") => {
                self.has_calls = true;
                let whole_input = block
                    .input
                    .map(RawValue::get)
                    .filter(|input| !is_placeholder(input));
                let kind = PartKind::ToolCall {
                    id: text(&block.id),
                    name: text(&block.name),
                };
                let block = BlockKind::ToolCall {
                    whole_input: whole_input.map(Into::into),
                };
                self.open_part(index, block, kind, events);
            }
            _ => self.open.push(OpenBlock {
                index,
                part: None,
                kind: BlockKind::Opaque,
            }),
        }
        Ok(self.forward())
    }

    fn grow_block(
        &mut self,
        wire: &EventWire<'_>,
        events: &mut Vec<ChatEvent>,
    ) -> Result<Forward, Failure> {
        let (Some(index), Some(delta)) = (wire.index, wire.delta.as_ref()) else {
            return Err(protocol(
                "a block of the provider's stream grows by nothing",
            ));
        };
        let position = self.open.iter().position(|open| open.index == index);
        let kind = delta.kind.as_deref();
        let Some(position) = position else {
            return self.grow_unopened(index, delta, events);
        };
        let forward = self.forward();
        let open = &mut self.open[position];
        let Some(part) = open.part else {
            return Ok(forward);
        };
        match (kind, &mut open.kind) {
            (Some("text_delta"), BlockKind::Text) => grow_text(part, owned(&delta.text), events),
            (Some("thinking_delta"), BlockKind::Thinking) => {
                grow_text(part, owned(&delta.thinking), events);
            }
            (Some("signature_delta"), BlockKind::Thinking) => {
                grow_signature(part, owned(&delta.signature), events);
            }
            (Some("input_json_delta"), BlockKind::SchemaCall) => {
                grow_text(part, owned(&delta.partial_json), events);
            }
            (Some("input_json_delta"), BlockKind::ToolCall { whole_input }) => {
                let fragment = owned(&delta.partial_json);
                if !fragment.is_empty() {
                    *whole_input = None;
                    let delta = Delta::Arguments(fragment.into());
                    events.push(ChatEvent::Delta { part, delta });
                }
            }
            (Some("citations_delta"), BlockKind::Text) => {
                let citation = delta.citation.as_ref().and_then(decode_citation);
                events.extend(citation.map(|citation| ChatEvent::Delta {
                    part,
                    delta: Delta::Citation(citation),
                }));
            }
            // A kind of growth that we do not know, or that does not fit: for those who know.
            _ => {}
        }
        Ok(forward)
    }

    /// Some hosts leave out the start of text and thinking. Clients of the same dialect need it,
    /// so from here on they get what we write.
    fn grow_unopened(
        &mut self,
        index: u64,
        delta: &DeltaWire<'_>,
        events: &mut Vec<ChatEvent>,
    ) -> Result<Forward, Failure> {
        match delta.kind.as_deref() {
            Some("text_delta") => {
                self.is_ours = true;
                let part = self.open_text(index, events);
                grow_text(part, owned(&delta.text), events);
            }
            Some("thinking_delta") => {
                self.is_ours = true;
                let part = self.open_thinking(index, events);
                grow_text(part, owned(&delta.thinking), events);
            }
            _ => {
                return Err(protocol(
                    "a block of the provider's stream grows before it starts",
                ));
            }
        }
        Ok(self.forward())
    }

    fn stop_block(&mut self, wire: &EventWire<'_>, events: &mut Vec<ChatEvent>) -> Forward {
        let position = self
            .open
            .iter()
            .position(|open| Some(open.index) == wire.index);
        let Some(position) = position else {
            return Forward::No;
        };
        let block = self.open.remove(position);
        close(block, events);
        self.forward()
    }

    fn close_blocks(&mut self, events: &mut Vec<ChatEvent>) {
        for block in self.open.drain(..) {
            close(block, events);
        }
    }

    fn end_message(&mut self, wire: &EventWire<'_>, events: &mut Vec<ChatEvent>) -> Forward {
        let delta = wire.delta.as_ref();
        let stop_reason = delta.and_then(|delta| delta.stop_reason.as_deref());
        if stop_reason.is_some() && !self.finished {
            self.close_blocks(events);
            let details = delta.and_then(|delta| delta.stop_details.as_ref());
            if stop_reason == Some("refusal")
                && self.next_part == 0
                && let Some(explanation) = explanation(details)
            {
                let part = self.take_part();
                events.push(ChatEvent::PartStart {
                    part,
                    kind: PartKind::Refusal,
                });
                grow_text(part, explanation.to_owned(), events);
                events.push(ChatEvent::PartStop { part });
            }
            let stop_sequence = delta.and_then(|delta| delta.stop_sequence.as_deref());
            self.finish(stop_reason, stop_sequence, events);
        }
        self.take_usage(wire.usage.as_ref(), events);
        self.forward()
    }

    fn finish(
        &mut self,
        native: Option<&str>,
        stop_sequence: Option<&str>,
        events: &mut Vec<ChatEvent>,
    ) {
        self.finished = true;
        let finish = stop_reason::decode(native, stop_sequence, self.has_calls);
        events.push(ChatEvent::Finish(finish));
    }

    fn open_text(&mut self, index: u64, events: &mut Vec<ChatEvent>) -> u32 {
        self.open_part(index, BlockKind::Text, PartKind::Text, events)
    }

    fn open_thinking(&mut self, index: u64, events: &mut Vec<ChatEvent>) -> u32 {
        let kind = PartKind::Reasoning {
            id: None,
            format: REASONING_ANTHROPIC.to_owned(),
        };
        self.open_part(index, BlockKind::Thinking, kind, events)
    }

    fn open_part(
        &mut self,
        index: u64,
        block: BlockKind,
        kind: PartKind,
        events: &mut Vec<ChatEvent>,
    ) -> u32 {
        let part = self.take_part();
        self.open.push(OpenBlock {
            index,
            part: Some(part),
            kind: block,
        });
        events.push(ChatEvent::PartStart { part, kind });
        part
    }

    fn take_part(&mut self) -> u32 {
        let part = self.next_part;
        self.next_part += 1;
        part
    }

    const fn forward(&self) -> Forward {
        if self.is_ours {
            Forward::No
        } else {
            Forward::Yes
        }
    }
}

fn close(block: OpenBlock, events: &mut Vec<ChatEvent>) {
    let Some(part) = block.part else { return };
    if let BlockKind::ToolCall {
        whole_input: Some(input),
    } = block.kind
    {
        events.push(ChatEvent::Delta {
            part,
            delta: Delta::Arguments(input),
        });
    }
    events.push(ChatEvent::PartStop { part });
}

/// Whether the input at a call's start is only there for form.
fn is_placeholder(input: &str) -> bool {
    matches!(input, "null" | "\"\"")
        || input
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .is_some_and(|inner| inner.trim().is_empty())
}

fn grow_text(part: u32, text: String, events: &mut Vec<ChatEvent>) {
    if !text.is_empty() {
        events.push(ChatEvent::Delta {
            part,
            delta: Delta::Text(text.into()),
        });
    }
}

fn grow_signature(part: u32, signature: String, events: &mut Vec<ChatEvent>) {
    if !signature.is_empty() {
        events.push(ChatEvent::Delta {
            part,
            delta: Delta::Signature(signature),
        });
    }
}

fn owned(text: &Option<Text<'_>>) -> String {
    text.as_deref().unwrap_or_default().to_owned()
}
