//! A provider's streamed answer, one SSE payload at a time.

mod parts;
mod surrogates;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use switchyard_interchange::{
    event::{ChatEvent, Finish, FinishReason, StreamStep, UsageReport, Verbatim},
    failure::{Failure, FailureKind},
    request::Dialect,
};

use self::{parts::Parts, surrogates::SurrogateRepair};
use super::{
    decode_error::decode_inner_error,
    decode_response::{read_usage, reason_of, settle_reason, sources_of},
    wire_response::{WireAnswer, WireChoice, WireSaid, filled, is_error},
};

/// Follows one stream. Events come out in an order that every encoder can rely on: `Start` first,
/// a part starts before it grows and stops before `Finish`, and after `Finish` only usage or an
/// error follows.
///
/// A step carries its bytes unless they are not fit to be passed on (a host's own list content,
/// renumbered or nameless tool calls): then only the events say what happened.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    parts: Parts,
    repair: SurrogateRepair,
    upstream_id: Option<String>,
    started: bool,
    finished: bool,
    /// `[DONE]` or an error came: whatever follows is ignored.
    closed: bool,
    cited: bool,
    usage: Option<UsageReport>,
}

impl StreamDecoder {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the data of one SSE event. Errors that the provider reports in the stream come as
    /// [`ChatEvent::Error`]; `Err` means that the stream makes no sense any more.
    pub fn event(&mut self, data: Bytes, event_name: Option<&str>) -> Result<StreamStep, Failure> {
        if self.closed {
            return Ok(step(Vec::new()));
        }
        if data.trim_ascii() == b"[DONE]" {
            self.closed = true;
            return self.close().map(step);
        }
        let data = self.repair.apply(data);
        let Ok(wire) = serde_json::from_slice::<WireAnswer<'_>>(&data) else {
            return Err(decode_inner_error(&data).unwrap_or_else(|| protocol("is not JSON")));
        };
        let reported = wire
            .choices
            .as_ref()
            .and_then(|choices| choices.first.as_ref());
        let choice_error = reported.and_then(|choice| is_error(choice.error));
        if is_error(wire.error).is_some() || event_name == Some("error") {
            return Ok(self.fail(&wire, &data));
        }
        if let Some(error) = choice_error {
            return Ok(self.fail(&wire, error.get().as_bytes()));
        }
        if wire.choices.is_none() && wire.usage.is_none() && wire.x_groq.is_none() {
            return match decode_inner_error(&data) {
                Some(failure) => Ok(self.fail_with(&wire, failure)),
                // Some hosts send chunks of their own kind between the answer's.
                None => Ok(step(Vec::new())),
            };
        }
        Ok(self.chunk(wire, &data))
    }

    /// Call when the stream has ended. A stream that neither finished nor said `[DONE]` was cut.
    pub fn end(&mut self) -> Result<StreamStep, Failure> {
        if self.finished || self.closed {
            self.closed = true;
            return Ok(step(Vec::new()));
        }
        Err(protocol("ended before it was finished"))
    }

    fn chunk(&mut self, mut wire: WireAnswer<'_>, data: &Bytes) -> StreamStep {
        let mut events = Vec::with_capacity(2);
        self.start(&wire, &mut events);
        let (choice, choices) = match wire.choices.take() {
            Some(choices) => (choices.first, choices.count),
            None => (None, 0),
        };
        let mut is_regular = choices == 1 && choice.is_some();
        if let Some(choice) = &choice {
            is_regular &= self.choice(&wire, choice, &mut events);
        }
        if let Some(usage) = read_usage(&wire, choice.as_ref())
            && self.usage.as_ref() != Some(&usage)
        {
            self.usage = Some(usage.clone());
            // Nothing follows an error.
            let end = events.len() - usize::from(self.closed);
            events.insert(end, ChatEvent::Usage(usage));
        }
        StreamStep {
            events,
            verbatim: is_regular.then(|| Verbatim {
                dialect: Dialect::OpenAiChat,
                json: data.clone().into(),
            }),
        }
    }

    /// Reports what the first choice brought. False where its bytes are not fit to be passed on.
    fn choice(
        &mut self,
        wire: &WireAnswer<'_>,
        choice: &WireChoice<'_>,
        events: &mut Vec<ChatEvent>,
    ) -> bool {
        let mut is_regular = true;
        if let Some(said) = self.said(choice)
            && !self.finished
        {
            is_regular = self.parts.grow(said, self.upstream_id.as_deref(), events);
            is_regular &= choice.delta.is_some();
        }
        if !self.cited && !self.finished && self.parts.has_text() {
            let sources = sources_of(wire);
            self.cited = !sources.is_empty();
            self.parts.cite(sources, events);
        }
        let word = filled(&choice.finish_reason);
        if let Some(word) = word
            && !self.finished
        {
            let native = filled(&choice.native_finish_reason).unwrap_or(word);
            match reason_of(word) {
                FinishReason::Error => {
                    self.closed = true;
                    is_regular = false;
                    events.push(ChatEvent::Error(gave_up()));
                }
                reason => self.finish(reason, Some(native), events),
            }
        }
        is_regular
    }

    /// The delta; or the whole message, which hosts that were asked for a stream send in one
    /// piece. Beside deltas, or after them, the message only repeats them.
    fn said<'c, 'a>(&self, choice: &'c WireChoice<'a>) -> Option<&'c WireSaid<'a>> {
        choice
            .delta
            .as_ref()
            .or_else(|| choice.message.as_ref().filter(|_| self.parts.is_empty()))
    }

    fn start(&mut self, wire: &WireAnswer<'_>, events: &mut Vec<ChatEvent>) {
        // Some hosts open with a chunk about the prompt, which does not even name the answer yet.
        let names_answer = filled(&wire.id).is_some();
        let has_choice = wire
            .choices
            .as_ref()
            .is_some_and(|choices| choices.count > 0);
        if self.started || !(names_answer || has_choice) {
            return;
        }
        self.started = true;
        self.upstream_id = filled(&wire.id).map(str::to_owned);
        events.push(ChatEvent::Start {
            upstream_id: self.upstream_id.clone(),
            model: filled(&wire.model).map(str::to_owned),
        });
    }

    fn finish(&mut self, reason: FinishReason, native: Option<&str>, events: &mut Vec<ChatEvent>) {
        self.finished = true;
        self.parts.stop_all(self.upstream_id.as_deref(), events);
        let reason = settle_reason(reason, self.parts.has_calls(), self.parts.has_refusal());
        events.push(ChatEvent::Finish(Finish {
            reason,
            native: native.map(str::to_owned),
            stop_sequence: None,
        }));
    }

    /// The end mark. Without a finish reason before it the answer still ended in order, provided
    /// that there was one.
    fn close(&mut self) -> Result<Vec<ChatEvent>, Failure> {
        let mut events = Vec::new();
        if !self.finished {
            if self.parts.is_empty() {
                return Err(protocol("ended without an answer"));
            }
            self.finish(FinishReason::Stop, None, &mut events);
        }
        Ok(events)
    }

    fn fail(&mut self, wire: &WireAnswer<'_>, error: &[u8]) -> StreamStep {
        let failure = decode_inner_error(error).unwrap_or_else(|| protocol("reports an error"));
        self.fail_with(wire, failure)
    }

    fn fail_with(&mut self, wire: &WireAnswer<'_>, failure: Failure) -> StreamStep {
        self.closed = true;
        let mut events = Vec::with_capacity(2);
        // What was used until then is still owed.
        if let Some(usage) = read_usage(wire, None) {
            events.push(ChatEvent::Usage(usage));
        }
        events.push(ChatEvent::Error(failure));
        step(events)
    }
}

fn step(events: Vec<ChatEvent>) -> StreamStep {
    StreamStep {
        events,
        verbatim: None,
    }
}

/// Some hosts say only in the finish reason that they failed.
fn gave_up() -> Failure {
    Failure::new(FailureKind::Server, "the provider failed while answering")
}

fn protocol(what: &str) -> Failure {
    Failure::new(
        FailureKind::Protocol,
        format!("the provider's stream {what}"),
    )
}
