//! From frames to the model's own events: a `chunk` carries one in base64, and an exception takes
//! the place of the rest of the answer.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use memchr::memmem;
use serde::Deserialize;
use switchyard_interchange::failure::{Failure, FailureKind};

use super::refusal;
use crate::{
    event_stream::{Frame, FrameDecoder, FrameError},
    limits::SSE_EVENT_BYTES_MAX,
    sse::SseEvent,
};

/// What the host appends to the last event about its own work.
const HOST_METRICS: &[u8] = b"\"amazon-bedrock-invocationMetrics\"";

/// The last event as the model sends it. The host's figures are on ours alone.
const MESSAGE_STOP: &[u8] = br#"{"type":"message_stop"}"#;

/// Reads a streamed invocation. Events come out as they would from a stream of server-sent ones.
#[derive(Debug, Default)]
pub(crate) struct ModelEvents {
    decoder: FrameDecoder,
    frames: Vec<Frame>,
}

impl ModelEvents {
    /// Takes one read and appends the events it completes. Those before a failure are valid.
    pub(crate) fn push(&mut self, read: Bytes, events: &mut Vec<SseEvent>) -> Result<(), Failure> {
        let framed = self.decoder.push(read, &mut self.frames);
        for frame in self.frames.drain(..) {
            if let Some(data) = model_event(&frame)? {
                events.push(SseEvent { name: None, data });
            }
        }
        framed.map_err(broken)
    }

    /// The stream is over.
    pub(crate) fn end(&self) -> Result<(), Failure> {
        self.decoder.end().map_err(broken)
    }
}

/// The payload of a `chunk`; beside the event it pads with letters that mean nothing.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow)]
    bytes: Cow<'a, str>,
}

fn model_event(frame: &Frame) -> Result<Option<Bytes>, Failure> {
    match frame.text(":message-type") {
        Some("event") => {}
        Some("exception") => {
            let kind = frame.text(":exception-type").unwrap_or_default();
            return Err(refusal::of_exception(kind, &frame.payload));
        }
        Some("error") => {
            let code = frame.text(":error-code").unwrap_or_default();
            return Err(refusal::of_exception(code, &[]));
        }
        _ => return Err(protocol("a frame of the provider's stream says no type")),
    }
    if frame.text(":event-type") != Some("chunk") {
        // Newer than we are; the model's events do not depend on it.
        return Ok(None);
    }
    let unreadable = || protocol("a chunk of the provider's stream cannot be read");
    let chunk: Chunk<'_> = serde_json::from_slice(&frame.payload).map_err(|_| unreadable())?;
    let event = STANDARD
        .decode(chunk.bytes.as_bytes())
        .map_err(|_| unreadable())?;
    if event.len() > SSE_EVENT_BYTES_MAX {
        return Err(protocol("an event of the provider's stream is too long"));
    }
    Ok(Some(without_host_metrics(event)))
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

fn without_host_metrics(event: Vec<u8>) -> Bytes {
    let is_last = memmem::find(&event, HOST_METRICS).is_some()
        && serde_json::from_slice::<Kind<'_>>(&event)
            .is_ok_and(|event| event.kind == "message_stop");
    if is_last {
        Bytes::from_static(MESSAGE_STOP)
    } else {
        event.into()
    }
}

fn broken(error: FrameError) -> Failure {
    protocol(&error.to_string())
}

fn protocol(message: &str) -> Failure {
    Failure::new(FailureKind::Protocol, message)
}
