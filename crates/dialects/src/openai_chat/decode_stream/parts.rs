//! The parts of a streamed answer while they grow.

use std::borrow::Cow;

use switchyard_interchange::{
    event::{ChatEvent, Delta, PartKind},
    message::{Citation, REASONING_UNKNOWN},
};

use crate::openai_chat::{
    decode_response::{annotations_of, details_of, made_up_call_id, plain},
    wire_request::WireReasoningDetail,
    wire_response::{WireCall, WireFunctionCall, WireSaid, WireText, filled},
};

/// Tool calls a host may open in one answer.
const CALLS_MAX: usize = 1_024;

/// What is open, and what was.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// How many parts have started.
    started: u32,
    /// The part that words go to. Calls stay open beside it, because their fragments interleave.
    open: Option<(u32, Open)>,
    calls: Vec<Call>,
    /// The text part that citations belong to.
    text: Option<u32>,
    refused: bool,
}

/// The kind of the open part.
#[derive(Debug, PartialEq)]
enum Open {
    Text,
    Refusal,
    /// Reasoning without blocks of its own.
    PlainReasoning,
    /// A block of `reasoning_details`: its type and index.
    Detail {
        summary: bool,
        index: i64,
        signed: bool,
    },
}

/// A tool call.
#[derive(Debug)]
struct Call {
    /// The host's number for it; numbers may start anywhere, repeat, or be missing.
    index: Option<u64>,
    id: String,
    /// `None` until the name is known, and once it has stopped.
    part: Option<u32>,
    /// Arguments that came before the name.
    early: String,
}

impl Parts {
    pub(super) fn is_empty(&self) -> bool {
        self.started == 0 && self.calls.is_empty()
    }

    pub(super) fn has_text(&self) -> bool {
        self.text.is_some()
    }

    pub(super) fn has_calls(&self) -> bool {
        !self.calls.is_empty()
    }

    pub(super) fn has_refusal(&self) -> bool {
        self.refused
    }

    /// Adds a delta. False where its bytes are not fit to be passed on.
    pub(super) fn grow(
        &mut self,
        said: &WireSaid<'_>,
        upstream_id: Option<&str>,
        events: &mut Vec<ChatEvent>,
    ) -> bool {
        self.grow_reasoning(said, events);
        let mut is_regular = said.is_plain();
        match &said.content {
            Some(WireText::Text(text)) if !text.is_empty() => {
                self.grow_words(Open::Text, text.as_ref().to_owned(), events);
            }
            Some(WireText::Items(items)) => {
                for item in items {
                    if let Some(thinking) = &item.thinking {
                        self.grow_words(Open::PlainReasoning, plain(thinking), events);
                    } else if let Some(text) = filled(&item.text) {
                        self.grow_words(Open::Text, text.to_owned(), events);
                    }
                }
            }
            Some(WireText::Text(_) | WireText::Nothing) | None => {}
        }
        if let Some(text) = filled(&said.refusal) {
            self.refused = true;
            self.grow_words(Open::Refusal, text.to_owned(), events);
        }
        if let Some(raw) = said.annotations {
            self.cite(annotations_of(raw), events);
        }
        for call in said.tool_calls.iter().flatten() {
            is_regular &= self.grow_call(call, upstream_id, events);
        }
        is_regular
    }

    /// Attaches sources to the text, opening it where there is none yet.
    pub(super) fn cite(&mut self, citations: Vec<Citation>, events: &mut Vec<ChatEvent>) {
        if citations.is_empty() {
            return;
        }
        let part = self.open(Open::Text, events);
        events.extend(citations.into_iter().map(|citation| ChatEvent::Delta {
            part,
            delta: Delta::Citation(citation),
        }));
    }

    /// Stops every open part. Calls whose name never came start here, without one.
    pub(super) fn stop_all(&mut self, upstream_id: Option<&str>, events: &mut Vec<ChatEvent>) {
        self.stop_open(events);
        for position in 0..self.calls.len() {
            if self.calls[position].part.is_none() {
                self.start_call(position, "", upstream_id, events);
            }
            if let Some(part) = self.calls[position].part {
                events.push(ChatEvent::PartStop { part });
            }
        }
    }

    fn grow_reasoning(&mut self, said: &WireSaid<'_>, events: &mut Vec<ChatEvent>) {
        if let Some(raw) = said.reasoning_details {
            let details = details_of(raw);
            let known = details.iter().any(|detail| is_known_detail(detail));
            details
                .into_iter()
                .for_each(|detail| self.grow_detail(detail, events));
            if known {
                return;
            }
        }
        // Where both names are used, the text is the same.
        let text = filled(&said.reasoning).or_else(|| filled(&said.reasoning_content));
        if let Some(text) = text {
            self.grow_words(Open::PlainReasoning, text.to_owned(), events);
        }
    }

    fn grow_detail(&mut self, detail: WireReasoningDetail<'_>, events: &mut Vec<ChatEvent>) {
        let format = detail
            .format
            .unwrap_or_else(|| REASONING_UNKNOWN.to_owned());
        let index = detail.index.unwrap_or(0);
        match detail.kind.as_deref() {
            Some("reasoning.encrypted") => {
                let Some(data) = detail.data else { return };
                self.stop_open(events);
                let kind = PartKind::EncryptedReasoning {
                    id: detail.id,
                    format,
                    data: data.into(),
                };
                let part = self.start(kind, events);
                events.push(ChatEvent::PartStop { part });
            }
            Some(kind @ ("reasoning.text" | "reasoning.summary")) => {
                let summary = kind == "reasoning.summary";
                let part = self.open_detail(summary, index, detail.id, format, events);
                let text = if summary { detail.summary } else { detail.text };
                if let Some(text) = text.filter(|text| !text.is_empty()) {
                    events.push(ChatEvent::Delta {
                        part,
                        delta: Delta::Text(text.into()),
                    });
                }
                if let Some(signature) = detail.signature.filter(|signature| !signature.is_empty())
                {
                    if let Some((_, Open::Detail { signed, .. })) = &mut self.open {
                        *signed = true;
                    }
                    events.push(ChatEvent::Delta {
                        part,
                        delta: Delta::Signature(signature),
                    });
                }
            }
            _ => {}
        }
    }

    /// The block that a detail belongs to: the open one where type and index agree and text does
    /// not follow a signature, a new one otherwise.
    fn open_detail(
        &mut self,
        summary: bool,
        index: i64,
        id: Option<String>,
        format: String,
        events: &mut Vec<ChatEvent>,
    ) -> u32 {
        if let Some((
            part,
            Open::Detail {
                summary: s,
                index: i,
                signed,
            },
        )) = &self.open
            && *s == summary
            && *i == index
            && !signed
        {
            return *part;
        }
        self.stop_open(events);
        let kind = if summary {
            PartKind::ReasoningSummary { id, format }
        } else {
            PartKind::Reasoning { id, format }
        };
        let part = self.start(kind, events);
        self.open = Some((
            part,
            Open::Detail {
                summary,
                index,
                signed: false,
            },
        ));
        part
    }

    fn grow_words(&mut self, kind: Open, text: String, events: &mut Vec<ChatEvent>) {
        if text.is_empty() {
            return;
        }
        let part = self.open(kind, events);
        events.push(ChatEvent::Delta {
            part,
            delta: Delta::Text(text.into()),
        });
    }

    /// The open part of this kind, opening it in place of another where needed.
    fn open(&mut self, kind: Open, events: &mut Vec<ChatEvent>) -> u32 {
        if let Some((part, open)) = &self.open
            && *open == kind
        {
            return *part;
        }
        self.stop_open(events);
        let part_kind = match kind {
            Open::Text => PartKind::Text,
            Open::Refusal => PartKind::Refusal,
            Open::PlainReasoning | Open::Detail { .. } => PartKind::Reasoning {
                id: None,
                format: REASONING_UNKNOWN.to_owned(),
            },
        };
        let part = self.start(part_kind, events);
        if kind == Open::Text {
            self.text = Some(part);
        }
        self.open = Some((part, kind));
        part
    }

    fn start(&mut self, kind: PartKind, events: &mut Vec<ChatEvent>) -> u32 {
        let part = self.started;
        self.started += 1;
        events.push(ChatEvent::PartStart { part, kind });
        part
    }

    fn stop_open(&mut self, events: &mut Vec<ChatEvent>) {
        if let Some((part, _)) = self.open.take() {
            events.push(ChatEvent::PartStop { part });
        }
    }

    /// Adds a fragment of a call. False where its bytes are not fit to be passed on: clients go
    /// by the index, want id and name exactly once, and choke on nulls.
    fn grow_call(
        &mut self,
        wire: &WireCall<'_>,
        upstream_id: Option<&str>,
        events: &mut Vec<ChatEvent>,
    ) -> bool {
        let index = wire.index.and_then(|index| index.0);
        let id = filled(&wire.id);
        let name = wire
            .function
            .as_ref()
            .and_then(|function| filled(&function.name));
        let known = self.find_call(index, id, name);
        let is_new = known.is_none();
        let position = match known {
            Some(position) => position,
            None if self.calls.len() >= CALLS_MAX => return false,
            None => {
                let id = id.unwrap_or_default().to_owned();
                self.calls.push(Call {
                    index,
                    id,
                    part: None,
                    early: String::new(),
                });
                self.calls.len() - 1
            }
        };
        let starts = self.calls[position].part.is_none() && name.is_some();
        if starts {
            self.start_call(position, name.unwrap_or_default(), upstream_id, events);
        }
        let function = wire.function.as_ref();
        let arguments = function
            .and_then(|function| function.arguments_text())
            .unwrap_or_default();
        let arguments = meaningful(arguments, is_new);
        match self.calls[position].part {
            Some(part) if !arguments.is_empty() => {
                let delta = Delta::Arguments(arguments.into_owned().into());
                events.push(ChatEvent::Delta { part, delta });
            }
            Some(_) => {}
            None => self.calls[position].early.push_str(&arguments),
        }
        let numbered = index == Some(position as u64);
        let textual = function.is_some_and(WireFunctionCall::arguments_are_text);
        let introduced = if is_new {
            starts && id.is_some()
        } else {
            wire.id.is_none() && function.is_some_and(|function| function.name.is_none())
        };
        numbered && textual && introduced
    }

    /// The call that a fragment belongs to. A number that is used again with another id and a
    /// name is another call.
    fn find_call(&self, index: Option<u64>, id: Option<&str>, name: Option<&str>) -> Option<usize> {
        let by_id = || id.and_then(|id| self.calls.iter().rposition(|call| call.id == id));
        let Some(index) = index else {
            return match id {
                Some(_) => by_id(),
                // Neither number nor id: a name begins a call, anything else goes on with the last.
                None if name.is_some() => None,
                None => self.calls.len().checked_sub(1),
            };
        };
        let position = self
            .calls
            .iter()
            .rposition(|call| call.index == Some(index))?;
        let another = id
            .is_some_and(|id| !self.calls[position].id.is_empty() && self.calls[position].id != id)
            && name.is_some();
        if another { by_id() } else { Some(position) }
    }

    fn start_call(
        &mut self,
        position: usize,
        name: &str,
        upstream_id: Option<&str>,
        events: &mut Vec<ChatEvent>,
    ) {
        self.stop_open(events);
        if self.calls[position].id.is_empty() {
            self.calls[position].id = made_up_call_id(upstream_id, position);
        }
        let kind = PartKind::ToolCall {
            id: self.calls[position].id.clone(),
            name: name.to_owned(),
        };
        let part = self.start(kind, events);
        self.calls[position].part = Some(part);
        let early = std::mem::take(&mut self.calls[position].early);
        if !early.is_empty() {
            events.push(ChatEvent::Delta {
                part,
                delta: Delta::Arguments(early.into()),
            });
        }
    }
}

/// A first fragment of `null` stands for no arguments; deltas never do.
fn meaningful(arguments: Cow<'_, str>, is_new: bool) -> Cow<'_, str> {
    if is_new && arguments.trim() == "null" {
        Cow::Borrowed("")
    } else {
        arguments
    }
}

fn is_known_detail(detail: &WireReasoningDetail<'_>) -> bool {
    matches!(
        detail.kind.as_deref(),
        Some("reasoning.text" | "reasoning.summary" | "reasoning.encrypted")
    )
}
