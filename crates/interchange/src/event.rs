//! What comes back: a finished answer, or a stream of events that add up to one.

use bytes::Bytes;
use switchyard_domain::{secret::Private, tokens::TokenUsage};

use crate::{
    failure::Failure,
    message::{Citation, Part},
    request::Dialect,
};

/// One thing that happened in a streamed answer. Parts are numbered by the decoder, from 0, in
/// order of their start; deltas of several open parts may interleave.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatEvent {
    /// The provider began to answer. At most once.
    Start {
        upstream_id: Option<String>,
        model: Option<String>,
    },
    PartStart {
        part: u32,
        kind: PartKind,
    },
    Delta {
        part: u32,
        delta: Delta,
    },
    PartStop {
        part: u32,
    },
    Finish(Finish),
    /// Usage so far, complete in itself: the last one counts, they are never added up.
    Usage(UsageReport),
    /// The stream broke. Nothing follows.
    Error(Failure),
}

/// What a part will hold.
#[derive(Debug, Clone, PartialEq)]
pub enum PartKind {
    Text,
    Reasoning {
        id: Option<String>,
        format: String,
    },
    /// Arrives whole; no deltas follow.
    EncryptedReasoning {
        id: Option<String>,
        format: String,
        data: Private<String>,
    },
    /// Grows by [`Delta::Text`] like reasoning, but is a summary of it.
    ReasoningSummary {
        id: Option<String>,
        format: String,
    },
    ToolCall {
        id: String,
        name: String,
    },
    Refusal,
}

/// Growth of an open part.
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// More text, reasoning, summary or refusal.
    Text(Private<String>),
    /// More of the signature; byte-exact concatenation matters.
    Signature(String),
    /// More of a tool call's JSON arguments.
    Arguments(Private<String>),
    Citation(Citation),
}

/// Why and how an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finish {
    pub reason: FinishReason,
    /// The provider's own word for it.
    pub native: Option<String>,
    /// Which stop sequence was hit, where stated.
    pub stop_sequence: Option<String>,
}

/// Normalised finish reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    Stop,
    StopSequence,
    Length,
    /// The model's context ran out before its output limit.
    ContextFull,
    ToolCalls,
    ContentFilter,
    /// The model declined.
    Refusal,
    /// The provider paused a long turn; resend to go on.
    Pause,
    Error,
}

impl FinishReason {
    /// The OpenRouter spelling, as stored and as chat clients read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop | Self::StopSequence | Self::Refusal | Self::Pause => "stop",
            Self::Length | Self::ContextFull => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Error => "error",
        }
    }
}

/// Token counts as the provider stated them, untangled into disjoint buckets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageReport {
    pub tokens: TokenUsage,
    /// The tier that served, where stated.
    pub service_tier: Option<String>,
}

/// A complete answer.
#[derive(Debug, Clone)]
pub struct Completion {
    pub upstream_id: Option<String>,
    pub model: Option<String>,
    /// Text, reasoning, tool calls and refusal, in the order given.
    pub parts: Vec<Part>,
    pub citations: Vec<Citation>,
    pub finish: Finish,
    /// `None` when the provider stated none.
    pub usage: Option<UsageReport>,
    pub verbatim: Option<Verbatim>,
}

/// What arrived, in the provider's own bytes: one JSON document (an SSE event's data, or a
/// response body). An encoder of the same dialect splices it instead of writing anew, so nothing
/// the internal form does not know is lost.
#[derive(Debug, Clone)]
pub struct Verbatim {
    pub dialect: Dialect,
    pub json: Private<Bytes>,
}

/// One step of a streamed answer: what an upstream event meant, and its bytes.
#[derive(Debug, Clone)]
pub struct StreamStep {
    pub events: Vec<ChatEvent>,
    pub verbatim: Option<Verbatim>,
}
