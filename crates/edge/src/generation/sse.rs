//! An answer as server-sent events.
//!
//! The body polls the reply itself, with no task between: dropping it is what cancels the
//! provider, and a client that does not read is felt by the sender at once.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::Body,
    http::{
        HeaderName, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::Response,
};
use bytes::Bytes;
use http_body::Frame;
use switchyard_app::generation::{Reply, ReplyStep};
use switchyard_dialects::openai_chat::{KEEP_ALIVE, StreamEncoder};
use switchyard_domain::id::GenerationId;
use switchyard_interchange::reply::ReplyHead;
use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, Sleep, sleep_until, timeout},
};

use crate::{
    error,
    limits::{KEEP_ALIVE_INTERVAL, STATUS_PATIENCE},
    reply::{Refusal, put_generation_id, put_provider},
};

/// Room for a usual frame.
const FRAME_BYTES: usize = 512;

static EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
static NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
/// Asks nginx not to hold events back.
static ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
static NO: HeaderValue = HeaderValue::from_static("no");

/// What a stream says about itself while nobody serves it yet.
pub(super) struct Opening {
    /// The model as asked for.
    pub(super) model: String,
    pub(super) created_seconds: i64,
}

/// Begins the stream. The status waits for a provider's first token, so that failures before it
/// have a status of their own; when that takes too long the stream begins without.
pub(super) async fn answer(reply: Reply, opening: Opening) -> Result<Response, Refusal> {
    let Reply {
        generation_id,
        mut steps,
    } = reply;
    match timeout(STATUS_PATIENCE, steps.recv()).await {
        Ok(Some(ReplyStep::Head(head))) => {
            let mut response = respond(&generation_id);
            put_provider(response.headers_mut(), &head.provider);
            *response.body_mut() = Body::new(SseBody::new(*head, steps, Greeting::None));
            Ok(response)
        }
        Ok(Some(ReplyStep::Failed(error))) => Err(Refusal::of_generation(
            error::not_generated(&error),
            generation_id,
        )),
        Ok(Some(ReplyStep::Steps(_) | ReplyStep::Complete(_) | ReplyStep::Tail(_)) | None) => {
            tracing::error!(generation.id = %generation_id, "a reply did not begin with its head");
            Err(Refusal::of_generation(error::internal(), generation_id))
        }
        Err(_elapsed) => {
            let mut response = respond(&generation_id);
            let head = ReplyHead {
                generation_id,
                created_seconds: opening.created_seconds,
                model: opening.model,
                provider: String::new(),
            };
            *response.body_mut() = Body::new(SseBody::new(head, steps, Greeting::KeepAlive));
            Ok(response)
        }
    }
}

fn respond(generation_id: &GenerationId) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, EVENT_STREAM.clone());
    headers.insert(CACHE_CONTROL, NO_CACHE.clone());
    headers.insert(ACCEL_BUFFERING.clone(), NO.clone());
    put_generation_id(headers, generation_id);
    response
}

/// What a stream begins with.
#[derive(PartialEq, Eq)]
enum Greeting {
    None,
    /// The client has waited for long already.
    KeepAlive,
}

/// The events of one reply.
struct SseBody {
    generation_id: GenerationId,
    steps: Receiver<ReplyStep>,
    encoder: StreamEncoder,
    greeting: Greeting,
    has_ended: bool,
    last_frame_at: Instant,
    /// Set when there was silence for the first time; looked at again only when it rings, so that
    /// a chunk costs no timer.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl SseBody {
    fn new(head: ReplyHead, steps: Receiver<ReplyStep>, greeting: Greeting) -> Self {
        Self {
            generation_id: head.generation_id.clone(),
            steps,
            encoder: StreamEncoder::new(head),
            greeting,
            has_ended: false,
            last_frame_at: Instant::now(),
            alarm: None,
        }
    }

    /// Writes what a step means to the client; a head means nothing yet.
    fn encode(&mut self, step: ReplyStep, out: &mut Vec<u8>) {
        match step {
            ReplyStep::Head(head) => self.encoder = StreamEncoder::new(*head),
            ReplyStep::Steps(steps) => {
                steps.iter().for_each(|step| self.encoder.step(step, out));
            }
            ReplyStep::Complete(completion) => self.encoder.step(&completion.into_step(), out),
            ReplyStep::Tail(tail) => {
                self.has_ended = true;
                self.encoder.finish(&tail, out);
            }
            ReplyStep::Failed(error) => {
                self.has_ended = true;
                self.encoder.fail(&error::not_generated(&error), out);
            }
        }
    }

    /// The reply's sender is gone without an end; the client gets one all the same.
    fn break_off(&mut self, out: &mut Vec<u8>) {
        tracing::error!(generation.id = %self.generation_id, "a reply had no end");
        self.has_ended = true;
        self.encoder.fail(&error::internal(), out);
    }

    /// Rings after each stretch of silence.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let first = self.last_frame_at + KEEP_ALIVE_INTERVAL;
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(first)));
        loop {
            ready!(alarm.as_mut().poll(cx));
            let due = self.last_frame_at + KEEP_ALIVE_INTERVAL;
            if due <= Instant::now() {
                return Poll::Ready(());
            }
            // There were frames since it was set.
            alarm.as_mut().reset(due);
        }
    }

    fn frame(&mut self, bytes: Bytes) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.last_frame_at = Instant::now();
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}

impl http_body::Body for SseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        if self.greeting == Greeting::KeepAlive {
            self.greeting = Greeting::None;
            return self.frame(Bytes::from_static(KEEP_ALIVE));
        }
        let mut out = Vec::new();
        loop {
            match self.steps.poll_recv(cx) {
                Poll::Ready(Some(step)) => {
                    out.reserve(FRAME_BYTES);
                    self.encode(step, &mut out);
                }
                Poll::Ready(None) => self.break_off(&mut out),
                Poll::Pending => {
                    ready!(self.poll_silence(cx));
                    return self.frame(Bytes::from_static(KEEP_ALIVE));
                }
            }
            if !out.is_empty() {
                return self.frame(out.into());
            }
            if self.has_ended {
                return Poll::Ready(None);
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.has_ended
    }
}

#[cfg(test)]
mod tests;
