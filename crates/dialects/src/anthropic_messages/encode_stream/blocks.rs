//! The blocks of a stream, one open at a time.

use switchyard_interchange::{
    event::{Delta, PartKind},
    message::{Citation, REASONING_ANTHROPIC},
};

use super::{ObjectWriter, write_frame};
use crate::anthropic_messages::{
    encode_response::write_citation,
    foreign_reasoning::{self, Kind},
};

/// Writes parts as blocks. A part that starts during a tool call waits until that is done.
#[derive(Debug, Default)]
pub(super) struct BlockWriter {
    next_index: u32,
    open: Option<OpenBlock>,
    /// Parts that started while a call was open, oldest first.
    waiting: Vec<WaitingPart>,
    /// Text and reasoning parts that gave way to another before they stopped.
    interrupted: Vec<(u32, PartKind)>,
    has_calls: bool,
}

#[derive(Debug)]
struct OpenBlock {
    part: u32,
    index: u32,
    kind: PartKind,
    /// The signature so far, of reasoning whose signature we have to wrap whole.
    signature: String,
    /// Written by the provider itself, which also writes its end.
    is_spliced: bool,
}

#[derive(Debug)]
struct WaitingPart {
    part: u32,
    kind: PartKind,
    deltas: Vec<Delta>,
    stopped: bool,
}

impl BlockWriter {
    /// Whether a tool was called.
    pub(super) const fn has_calls(&self) -> bool {
        self.has_calls
    }

    /// Takes note of a block that was copied from a provider of this dialect.
    pub(super) fn note_started(&mut self, index: u32) {
        self.next_index = self.next_index.max(index.saturating_add(1));
        self.open = Some(OpenBlock {
            part: u32::MAX,
            index,
            kind: PartKind::Text,
            signature: String::new(),
            is_spliced: true,
        });
    }

    /// Takes note of the end of a copied block.
    pub(super) fn note_stopped(&mut self) {
        self.open = None;
    }

    /// A part starts.
    pub(super) fn start(&mut self, part: u32, kind: &PartKind, out: &mut Vec<u8>) {
        let is_call =
            matches!(&self.open, Some(open) if matches!(open.kind, PartKind::ToolCall { .. }));
        if is_call || !self.waiting.is_empty() {
            self.waiting.push(WaitingPart {
                part,
                kind: kind.clone(),
                deltas: Vec::new(),
                stopped: false,
            });
            return;
        }
        self.interrupt(out);
        self.open_block(part, kind, out);
    }

    /// A part grows.
    pub(super) fn grow(&mut self, part: u32, delta: &Delta, out: &mut Vec<u8>) {
        if self.open.as_ref().is_some_and(|open| open.part == part) {
            self.write_delta(delta, out);
            return;
        }
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.part == part) {
            waiting.deltas.push(delta.clone());
            return;
        }
        let Some(position) = self
            .interrupted
            .iter()
            .position(|(number, _)| *number == part)
        else {
            return;
        };
        let (_, kind) = self.interrupted.remove(position);
        self.start(part, &kind, out);
        self.grow(part, delta, out);
    }

    /// A part stops.
    pub(super) fn stop(&mut self, part: u32, out: &mut Vec<u8>) {
        self.interrupted.retain(|(number, _)| *number != part);
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.part == part) {
            waiting.stopped = true;
            return;
        }
        if self.open.as_ref().is_some_and(|open| open.part == part) {
            self.close_block(out);
            self.write_waiting(out);
        }
    }

    /// Everything stops.
    pub(super) fn close_all(&mut self, out: &mut Vec<u8>) {
        self.close_block(out);
        for waiting in &mut self.waiting {
            waiting.stopped = true;
        }
        self.write_waiting(out);
    }

    /// Writes parts that waited, until one of them is still growing.
    fn write_waiting(&mut self, out: &mut Vec<u8>) {
        let mut waiting = std::mem::take(&mut self.waiting).into_iter();
        for part in waiting.by_ref() {
            self.open_block(part.part, &part.kind, out);
            for delta in &part.deltas {
                self.write_delta(delta, out);
            }
            if !part.stopped {
                break;
            }
            self.close_block(out);
        }
        self.waiting = waiting.collect();
    }

    /// Closes what is open so that another part can start. More of it would be a new block.
    fn interrupt(&mut self, out: &mut Vec<u8>) {
        if let Some(open) = &self.open
            && !open.is_spliced
        {
            self.interrupted.push((open.part, open.kind.clone()));
        }
        self.close_block(out);
    }

    fn open_block(&mut self, part: u32, kind: &PartKind, out: &mut Vec<u8>) {
        let index = self.next_index;
        self.next_index = index.saturating_add(1);
        self.has_calls |= matches!(kind, PartKind::ToolCall { .. });
        write_frame(out, "content_block_start", |event| {
            event.value("index", &index);
            event.object("content_block", |block| write_start(block, kind));
        });
        self.open = Some(OpenBlock {
            part,
            index,
            kind: kind.clone(),
            signature: String::new(),
            is_spliced: false,
        });
    }

    fn write_delta(&mut self, delta: &Delta, out: &mut Vec<u8>) {
        let Some(open) = &mut self.open else { return };
        let thinks = matches!(
            open.kind,
            PartKind::Reasoning { .. } | PartKind::ReasoningSummary { .. }
        );
        match delta {
            Delta::Text(text) if thinks => {
                write_growth(out, open.index, "thinking_delta", "thinking", text.expose());
            }
            Delta::Text(text) => write_growth(out, open.index, "text_delta", "text", text.expose()),
            Delta::Arguments(json) => {
                write_growth(
                    out,
                    open.index,
                    "input_json_delta",
                    "partial_json",
                    json.expose(),
                );
            }
            Delta::Signature(signature) if is_own(&open.kind) => {
                write_growth(out, open.index, "signature_delta", "signature", signature);
            }
            Delta::Signature(signature) => open.signature.push_str(signature),
            Delta::Citation(citation) => write_cited(out, open.index, citation),
        }
    }

    fn close_block(&mut self, out: &mut Vec<u8>) {
        let Some(open) = self.open.take() else { return };
        if let Some(signature) = foreign_signature(&open) {
            write_growth(out, open.index, "signature_delta", "signature", &signature);
        }
        write_frame(out, "content_block_stop", |event| {
            event.value("index", &open.index)
        });
    }
}

fn write_start(block: &mut ObjectWriter<'_>, kind: &PartKind) {
    match kind {
        PartKind::Text | PartKind::Refusal => {
            block.value("type", "text");
            block.value("text", "");
            block.raw("citations", "null");
        }
        PartKind::Reasoning { .. } | PartKind::ReasoningSummary { .. } => {
            block.value("type", "thinking");
            block.value("thinking", "");
            block.value("signature", "");
        }
        PartKind::EncryptedReasoning { format, data, .. } if format == REASONING_ANTHROPIC => {
            block.value("type", "redacted_thinking");
            block.value("data", data.expose());
        }
        PartKind::EncryptedReasoning { id, format, data } => {
            block.value("type", "redacted_thinking");
            let data = foreign_reasoning::wrap(
                Kind::Encrypted,
                format,
                id.as_deref(),
                Some(data.expose()),
            );
            block.value("data", &data);
        }
        PartKind::ToolCall { id, name } => {
            block.value("type", "tool_use");
            block.value("id", id);
            block.value("name", name);
            block.raw("input", "{}");
            block.object("caller", |caller| caller.value("type", "direct"));
        }
    }
}

fn write_growth(out: &mut Vec<u8>, index: u32, kind: &str, key: &str, text: &str) {
    write_frame(out, "content_block_delta", |event| {
        event.value("index", &index);
        event.object("delta", |delta| {
            delta.value("type", kind);
            delta.value(key, text);
        });
    });
}

fn write_cited(out: &mut Vec<u8>, index: u32, citation: &Citation) {
    let mut json = Vec::new();
    write_citation(&mut json, citation);
    write_frame(out, "content_block_delta", |event| {
        event.value("index", &index);
        event.object("delta", |delta| {
            delta.value("type", "citations_delta");
            delta.raw("citation", &json);
        });
    });
}

/// Whether reasoning carries a signature of this dialect's models, which passes as it comes.
fn is_own(kind: &PartKind) -> bool {
    matches!(kind, PartKind::Reasoning { format, .. } if format == REASONING_ANTHROPIC)
}

/// The signature of our making that closes reasoning of another family.
fn foreign_signature(open: &OpenBlock) -> Option<String> {
    let opaque = (!open.signature.is_empty()).then_some(open.signature.as_str());
    match &open.kind {
        PartKind::Reasoning { id, format } if format != REASONING_ANTHROPIC => Some(
            foreign_reasoning::wrap(Kind::Text, format, id.as_deref(), opaque),
        ),
        PartKind::ReasoningSummary { id, format } => Some(foreign_reasoning::wrap(
            Kind::Summary,
            format,
            id.as_deref(),
            None,
        )),
        PartKind::Text
        | PartKind::Refusal
        | PartKind::Reasoning { .. }
        | PartKind::EncryptedReasoning { .. }
        | PartKind::ToolCall { .. } => None,
    }
}
