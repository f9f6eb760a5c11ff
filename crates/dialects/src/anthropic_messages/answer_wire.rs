//! Answers as providers write them, whole and in events. Read leniently: what is missing or of an
//! unknown kind is somebody else's business.

use serde_json::value::RawValue;

use super::usage::UsageWire;
use crate::json::{Text, wire_object};

wire_object! {
    /// A message, whole or as a stream begins it.
    lenient struct MessageWire<'a> {
        "type" => kind: Text<'a>,
        "id" => id: Text<'a>,
        "model" => model: Text<'a>,
        "content" => content: Vec<AnswerBlock<'a>>,
        "stop_reason" => stop_reason: Text<'a>,
        "stop_sequence" => stop_sequence: Text<'a>,
        "stop_details" => stop_details: StopDetails<'a>,
        "usage" => usage: UsageWire<'a>,
        "error" => error: &'a RawValue,
    }
}

wire_object! {
    /// A block of an answer, of any kind.
    lenient struct AnswerBlock<'a> {
        "type" => kind: Text<'a>,
        "text" => text: Text<'a>,
        "citations" => citations: Vec<CitationWire<'a>>,
        "thinking" => thinking: Text<'a>,
        "signature" => signature: Text<'a>,
        "data" => data: Text<'a>,
        "id" => id: Text<'a>,
        "name" => name: Text<'a>,
        "input" => input: &'a RawValue,
    }
}

wire_object! {
    lenient struct CitationWire<'a> {
        "url" => url: Text<'a>,
        "source" => source: Text<'a>,
        "title" => title: Text<'a>,
        "cited_text" => cited_text: Text<'a>,
    }
}

wire_object! {
    lenient struct StopDetails<'a> {
        "explanation" => explanation: Text<'a>,
    }
}

wire_object! {
    /// An event of any type.
    lenient struct EventWire<'a> {
        "type" => kind: Text<'a>,
        "index" => index: u64,
        "delta" => delta: DeltaWire<'a>,
        "content_block" => content_block: AnswerBlock<'a>,
        "message" => message: MessageWire<'a>,
        "usage" => usage: UsageWire<'a>,
        "error" => error: &'a RawValue,
    }
}

wire_object! {
    /// The growth of a block, or the end of the message.
    lenient struct DeltaWire<'a> {
        "type" => kind: Text<'a>,
        "text" => text: Text<'a>,
        "thinking" => thinking: Text<'a>,
        "signature" => signature: Text<'a>,
        "partial_json" => partial_json: Text<'a>,
        "citation" => citation: CitationWire<'a>,
        "stop_reason" => stop_reason: Text<'a>,
        "stop_sequence" => stop_sequence: Text<'a>,
        "stop_details" => stop_details: StopDetails<'a>,
    }
}
