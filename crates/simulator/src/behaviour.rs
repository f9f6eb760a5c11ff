//! What the simulator can be told to do with one request.
//!
//! | To play | Say |
//! |---|---|
//! | a refusal that asks to wait | [`Status`] with `retry_after` |
//! | a limit that is used up | [`Status`] 429 with `limits` |
//! | a limit that is nearly used up | [`Answer`] with `limits` |
//! | an answer after a silence | [`Answer`] with `delay_ms`: nothing at all until then |
//! | a first token that is late | [`Answer`] with `first_event_delay_ms`: the status line is there |
//! | a provider that never answers | [`Behaviour::HangBeforeHeaders`] |
//! | a stream that breaks | [`Flaw::Cut`], [`Flaw::Reset`], [`Flaw::Stop`], [`Flaw::ErrorEvent`] |
//! | a stream that stalls | [`Flaw::Hang`], or [`Answer`] with `token_delay_ms` |
//! | a warm cache that is not there | [`Simulator::evict`](crate::Simulator::evict), or `usage` |

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// What to do with one request. In JSON: `{"do": "status", "status": 529}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Behaviour {
    /// Answer, with anything about the answer changed.
    Answer(Answer),
    /// Refuse with a status and the dialect's error body.
    Status(Status),
    /// Accept the request and never send a status line.
    HangBeforeHeaders,
    /// Point elsewhere. 301, 302, 307 and 308 are the usual ones.
    Redirect {
        /// The status to send.
        status: u16,
        /// The `Location` header.
        location: String,
    },
    /// A status and nothing after it.
    EmptyBody {
        /// The status to send.
        status: u16,
    },
    /// Status 200 over a JSON body that is an error.
    ErrorInsideOk,
    /// Recorded or hand-made bytes, sent as they are.
    Replay(Replay),
}

impl Default for Behaviour {
    fn default() -> Self {
        Self::Answer(Answer::default())
    }
}

impl Behaviour {
    /// An ordinary answer with one flaw.
    pub fn flawed(flaw: Flaw) -> Self {
        Self::Answer(Answer {
            flaws: vec![flaw],
            ..Answer::default()
        })
    }

    /// A refusal with nothing unusual about it.
    pub fn status(status: u16) -> Self {
        Self::Status(Status {
            status,
            ..Status::default()
        })
    }

    /// An ordinary answer saying `text`.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Answer(Answer {
            text: Some(text.into()),
            ..Answer::default()
        })
    }
}

/// A refusal. What is left out is what the dialect usually says with that status.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Status {
    /// The HTTP status.
    pub status: u16,
    /// The `Retry-After` header: seconds or a date.
    pub retry_after: Option<String>,
    /// The error's text.
    pub message: Option<String>,
    /// The error's type.
    pub kind: Option<String>,
    /// The error's code; only OpenAI's dialect has one.
    pub code: Option<String>,
    /// Headers to add.
    pub headers: Vec<(String, String)>,
    /// What is left of the provider's rate limits, as headers in the dialect's spelling.
    pub limits: RateLimits,
    /// How long to wait before the status line.
    pub delay_ms: u64,
}

/// An answer. What is left out is decided from the request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Answer {
    /// What to say.
    pub text: Option<String>,
    /// How many tokens of text to say.
    pub tokens: Option<u64>,
    /// What to think first, or `""` not to think although asked to.
    pub reasoning: Option<String>,
    /// Tools to call instead of saying anything.
    pub tool_calls: Vec<ToolCall>,
    /// Why the answer ends, in the dialect's own word.
    pub finish_reason: Option<String>,
    /// The model to name, instead of the one that was asked for.
    pub model: Option<String>,
    /// What to report as used, where given.
    pub usage: UsageFigures,
    /// Headers to add.
    pub headers: Vec<(String, String)>,
    /// What is left of the provider's rate limits, as headers in the dialect's spelling.
    pub limits: RateLimits,
    /// How long to wait before the status line.
    pub delay_ms: Option<u64>,
    /// How long to wait before the first event, the status line being sent.
    pub first_event_delay_ms: Option<u64>,
    /// How long to wait between events.
    pub token_delay_ms: Option<u64>,
    /// What goes wrong on the way, applied in this order.
    pub flaws: Vec<Flaw>,
}

/// What is left of a provider's rate limits. Each given one is told in the dialect's headers:
/// `x-ratelimit-remaining-requests` and its like at OpenAI, `anthropic-ratelimit-requests-remaining`
/// and its like at Anthropic.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimits {
    /// Requests.
    pub requests: Option<RateLimit>,
    /// Tokens in all.
    pub tokens: Option<RateLimit>,
    /// Tokens read; only Anthropic tells them apart.
    pub input_tokens: Option<RateLimit>,
    /// Tokens written; only Anthropic tells them apart.
    pub output_tokens: Option<RateLimit>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// What there is when nothing was used.
    pub limit: u64,
    /// What is left.
    pub remaining: u64,
    /// When it is whole again, word for word: a duration such as `6m0s` at OpenAI, an instant
    /// such as `2026-11-24T12:00:00Z` at Anthropic.
    #[serde(default)]
    pub reset: Option<String>,
}

/// A tool to call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// The tool's name.
    pub name: String,
    /// The arguments as JSON text; left out: a sample that satisfies the tool's schema.
    #[serde(default)]
    pub arguments: Option<String>,
}

/// Token counts to report. What is left out is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UsageFigures {
    /// Everything that was read, the cached parts included.
    pub input: Option<u64>,
    /// Of the input: read from the cache.
    pub cache_read: Option<u64>,
    /// Of the input: written to the cache.
    pub cache_write: Option<u64>,
    /// Of what was written: to live for an hour. Only Anthropic's dialect tells it apart.
    pub cache_write_1h: Option<u64>,
    /// Everything that was written, reasoning included.
    pub output: Option<u64>,
    /// Of the output: reasoning.
    pub reasoning: Option<u64>,
}

/// Something that goes wrong with an answer. `after_events` counts the events (for a JSON answer:
/// two halves) sent before it happens; a number beyond the end means just before the end mark.
/// In JSON: `{"flaw": "hang", "after_events": 3}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "flaw", rename_all = "snake_case")]
pub enum Flaw {
    /// Go silent and stay so.
    Hang {
        /// Events sent before.
        after_events: usize,
    },
    /// End the body in good order, but without the end mark.
    Stop {
        /// Events sent before.
        after_events: usize,
    },
    /// Close the connection inside the body.
    Cut {
        /// Events sent before.
        after_events: usize,
    },
    /// Reset the connection inside the body.
    Reset {
        /// Events sent before.
        after_events: usize,
    },
    /// An error event in the dialect's shape, then the end of the body, without an end mark.
    ErrorEvent {
        /// Events sent before.
        after_events: usize,
        /// The status whose error to send, such as 529.
        status: u16,
    },
    /// An event whose JSON is cut short.
    BadJson {
        /// Events sent before.
        after_events: usize,
    },
    /// One line of this many bytes.
    HugeLine {
        /// Events sent before.
        after_events: usize,
        /// The line's length.
        bytes: usize,
    },
    /// An event holding bytes that are not UTF-8.
    InvalidUtf8 {
        /// Events sent before.
        after_events: usize,
    },
    /// Bytes that are nothing at all.
    Garbage {
        /// Events sent before.
        after_events: usize,
    },
    /// Declare another content type.
    ContentType {
        /// The header's value.
        value: String,
    },
    /// Send the finishing event twice.
    FinishTwice,
    /// Leave the finishing event out.
    NoFinish,
    /// Leave the end mark out (`[DONE]`, `message_stop`).
    NoEndMark,
    /// Report no usage at all.
    NoUsage,
    /// Begin with this many comment lines, paced like events.
    Comments {
        /// How many.
        count: usize,
    },
    /// End lines with CR LF.
    CrLf,
    /// Send the body in pieces of this many bytes, whatever they cut through. With a token delay
    /// this is a slow drip.
    Pieces {
        /// The length of a piece.
        bytes: usize,
    },
    /// Answer a request for a stream with one JSON object.
    NoStream,
}

/// Bytes to send as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Replay {
    /// The HTTP status.
    pub status: u16,
    /// The headers. Those that describe the transfer are left to the connection.
    pub headers: Vec<(String, String)>,
    /// The body.
    #[serde(with = "base64_text")]
    pub body: Bytes,
    /// How the body was cut into network reads; what is left over goes out as one piece.
    pub chunk_lengths: Vec<usize>,
    /// How long to wait between pieces.
    pub chunk_delay_ms: u64,
}

/// Bodies travel through JSON as base64, so that any byte survives.
mod base64_text {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(body: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(body))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(from)?;
        STANDARD
            .decode(text)
            .map(Bytes::from)
            .map_err(D::Error::custom)
    }
}
