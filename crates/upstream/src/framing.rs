//! How the events of a streamed answer are told apart on the wire. Whatever the framing, what comes out
//! is what a dialect's decoder reads: a name, where there is one, and the event's data.

use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_TYPE};
use switchyard_interchange::failure::{Failure, FailureKind};

use crate::{
    bedrock::ModelEvents,
    sse::{SseEvent, SseParser},
};

/// How a family frames the events of its streams.
///
/// Another framing is a variant here, one of [`Frames`] with the state that it keeps between reads,
/// and a content type in [`Framing::is_stream`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Server-sent events.
    Sse,
    /// Amazon's binary event stream, with a model's events in its frames.
    AmazonEventStream,
}

impl Framing {
    /// Whether an answer with these headers is a stream. Some providers stream under a wrong content
    /// type, and some answer a stream request with one document; what the header says wins unless it
    /// says nothing.
    pub(crate) fn is_stream(self, headers: &HeaderMap, asked_for_stream: bool) -> bool {
        let kind = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let of_streams = match self {
            Self::Sse => "text/event-stream",
            Self::AmazonEventStream => "application/vnd.amazon.eventstream",
        };
        match kind {
            Some(kind) if kind.starts_with(of_streams) => true,
            Some(kind) if kind.starts_with("application/json") => false,
            Some(_) | None => asked_for_stream,
        }
    }
}

/// The state of a framing between reads.
#[derive(Debug)]
pub(crate) enum Frames {
    Sse(SseParser),
    AmazonEventStream(ModelEvents),
}

impl Frames {
    pub(crate) fn new(framing: Framing) -> Self {
        match framing {
            Framing::Sse => Self::Sse(SseParser::default()),
            Framing::AmazonEventStream => Self::AmazonEventStream(ModelEvents::default()),
        }
    }

    /// Takes one read and appends the events that it completes. Those before a failure are valid.
    pub(crate) fn push(&mut self, read: Bytes, events: &mut Vec<SseEvent>) -> Result<(), Failure> {
        match self {
            Self::Sse(parser) => parser.push(read, events).map_err(|error| broken(&error)),
            Self::AmazonEventStream(frames) => frames.push(read, events),
        }
    }

    /// The body is over.
    pub(crate) fn end(&mut self, events: &mut Vec<SseEvent>) -> Result<(), Failure> {
        match self {
            Self::Sse(parser) => parser.end(events).map_err(|error| broken(&error)),
            Self::AmazonEventStream(frames) => frames.end(),
        }
    }
}

fn broken(error: &dyn std::error::Error) -> Failure {
    Failure::new(FailureKind::Protocol, error.to_string())
}
