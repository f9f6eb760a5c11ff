//! An answer that has begun: whole, or a stream read piece by piece.

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use http_body::Body;
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use switchyard_dialects::{anthropic_messages, openai_chat};
use switchyard_interchange::{
    event::{ChatEvent, Completion, StreamStep},
    failure::{Failure, FailureKind},
    request::Dialect,
};
use tokio::time::{Instant, Sleep};

use crate::{
    framing::Frames, limits::STREAM_BYTES_MAX, prepared::Reading, redact::Redactor, sse::SseEvent,
};

/// What a provider answers with.
pub enum Answer {
    Complete(Box<Completion>),
    Stream(Box<AnswerStream>),
}

/// A body whose read errors are already in words.
pub type AnswerBody = UnsyncBoxBody<Bytes, Failure>;

/// A streamed answer. Dropping it closes the connection, which cancels the generation at
/// providers that listen.
pub struct AnswerStream {
    body: AnswerBody,
    frames: Frames,
    events: Vec<SseEvent>,
    decoder: Decoder,
    idle: IdleTimer,
    redactor: Redactor,
    bytes_read: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    Over,
}

impl AnswerStream {
    /// Wraps a response body.
    pub(crate) fn new(
        reading: Reading,
        body: AnswerBody,
        idle_timeout: Duration,
        redactor: Redactor,
    ) -> Self {
        Self {
            body,
            frames: Frames::new(reading.framing),
            events: Vec::new(),
            decoder: Decoder::new(reading.dialect),
            idle: IdleTimer::new(idle_timeout),
            redactor,
            bytes_read: 0,
            state: State::Reading,
        }
    }

    /// Appends what the next read brings to `steps`; `false` when the answer is over. A failure
    /// ends the stream; steps appended before it are valid.
    ///
    /// Cancel-safe: a read that was not finished is taken up again by the next call.
    pub async fn read(&mut self, steps: &mut Vec<StreamStep>) -> Result<bool, Failure> {
        if self.state == State::Over {
            return Ok(false);
        }
        let outcome = self.read_on(steps).await;
        if !matches!(outcome, Ok(true)) {
            self.state = State::Over;
        }
        outcome.map_err(|failure| self.redactor.clean(failure))
    }

    async fn read_on(&mut self, steps: &mut Vec<StreamStep>) -> Result<bool, Failure> {
        loop {
            let frame = tokio::select! {
                biased;
                frame = self.body.frame() => frame,
                () = self.idle.elapsed() => return Err(silent()),
            };
            let Some(frame) = frame else {
                return self.finish(steps).map(|()| false);
            };
            self.idle.touch();
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            self.bytes_read += data.len() as u64;
            if self.bytes_read > STREAM_BYTES_MAX {
                return Err(protocol("the answer exceeds the size limit"));
            }
            let framed = self.frames.push(data, &mut self.events);
            self.decode(steps)?;
            framed?;
            if !steps.is_empty() {
                return Ok(true);
            }
        }
    }

    fn finish(&mut self, steps: &mut Vec<StreamStep>) -> Result<(), Failure> {
        self.frames.end(&mut self.events)?;
        self.decode(steps)?;
        let last = self.decoder.end()?;
        if !last.events.is_empty() || last.verbatim.is_some() {
            steps.push(last);
        }
        Ok(())
    }

    fn decode(&mut self, steps: &mut Vec<StreamStep>) -> Result<(), Failure> {
        for event in self.events.drain(..) {
            let mut step = self.decoder.event(event.data, event.name.as_deref())?;
            for event in &mut step.events {
                if let ChatEvent::Error(failure) = event {
                    self.redactor.clean_in_place(failure);
                }
            }
            if !step.events.is_empty() || step.verbatim.is_some() {
                steps.push(step);
            }
        }
        Ok(())
    }
}

fn silent() -> Failure {
    Failure::new(
        FailureKind::Timeout,
        "the provider fell silent in the middle of its answer",
    )
}

fn protocol(message: &str) -> Failure {
    Failure::new(FailureKind::Protocol, message)
}

/// The stream decoder of whichever dialect the provider speaks.
enum Decoder {
    OpenAiChat(Box<openai_chat::StreamDecoder>),
    AnthropicMessages(Box<anthropic_messages::StreamDecoder>),
}

impl Decoder {
    fn new(dialect: Dialect) -> Self {
        match dialect {
            Dialect::OpenAiChat => Self::OpenAiChat(Box::default()),
            Dialect::AnthropicMessages => Self::AnthropicMessages(Box::default()),
        }
    }

    fn event(&mut self, data: Bytes, name: Option<&str>) -> Result<StreamStep, Failure> {
        match self {
            Self::OpenAiChat(decoder) => decoder.event(data, name),
            Self::AnthropicMessages(decoder) => decoder.event(data, name),
        }
    }

    fn end(&mut self) -> Result<StreamStep, Failure> {
        match self {
            Self::OpenAiChat(decoder) => decoder.end(),
            Self::AnthropicMessages(decoder) => decoder.end(),
        }
    }
}

/// Fires when nothing was read for a while. A read only notes the time; the timer itself is moved
/// when it fires too early, which spares re-arming it for every chunk.
struct IdleTimer {
    timeout: Duration,
    last_read: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl IdleTimer {
    fn new(timeout: Duration) -> Self {
        let now = Instant::now();
        Self {
            timeout,
            last_read: now,
            sleep: Box::pin(tokio::time::sleep_until(now + timeout)),
        }
    }

    fn touch(&mut self) {
        self.last_read = Instant::now();
    }

    async fn elapsed(&mut self) {
        loop {
            self.sleep.as_mut().await;
            let due = self.last_read + self.timeout;
            if Instant::now() >= due {
                return;
            }
            self.sleep.as_mut().reset(due);
        }
    }
}

/// Reads a whole body of at most `bytes_max` bytes.
pub(crate) async fn read_all(mut body: AnswerBody, bytes_max: usize) -> Result<Bytes, Failure> {
    let mut all = bytes::BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            if all.len() + data.len() > bytes_max {
                return Err(protocol("the answer exceeds the size limit"));
            }
            if all.is_empty() && body.is_end_stream() {
                return Ok(data);
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(all.freeze())
}

/// Boxes a hyper body, translating its errors.
pub(crate) fn boxed<B>(body: B) -> AnswerBody
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    body.map_err(|error| {
        tracing::debug!(error = %error, "provider connection broke");
        Failure::new(FailureKind::Protocol, "the provider broke off its answer")
    })
    .boxed_unsync()
}
