//! Before the first token: send the request and read until there is something for the caller to
//! see. Nothing of it is shown yet, so that another endpoint can still take over.

use switchyard_domain::clock::Clock;
use switchyard_interchange::{
    convert::Collector,
    event::{Completion, StreamStep},
    failure::{Failure, FailureKind},
};
use switchyard_routing::vetted::Vetted;
use switchyard_upstream::{
    answer::{Answer, AnswerStream},
    call::Call,
};

use crate::{
    App,
    generation::{
        affinity::demands_zero_retention, credentials::OpenedCredential, meter::Meter,
        plan::Planned,
    },
    health::Permit,
};

/// An answer whose first token is there.
pub(super) enum Begun {
    /// All of it.
    Whole(Box<Completion>),
    /// Its first steps, and where the rest comes from.
    Stream {
        stream: Box<AnswerStream>,
        steps: Vec<StreamStep>,
        rest: Rest,
    },
}

/// What follows the first steps.
pub(super) enum Rest {
    More,
    Nothing,
    Failure(Failure),
}

impl App {
    /// Sends the request and waits for the first token. For a caller that did not ask for a
    /// stream, an answer has begun when it is complete.
    pub(super) async fn open(
        &self,
        planned: &Planned,
        endpoint: &Vetted,
        credential: OpenedCredential,
        permit: &Permit,
        meter: &mut Meter,
    ) -> Result<Begun, Failure> {
        let chat = &planned.admitted.chat;
        let affinity = self.affinity(&planned.admitted);
        let call = Call {
            endpoint,
            credential: &credential.secret,
            request: chat,
            affinity: affinity.as_deref(),
            zero_retention: demands_zero_retention(planned, endpoint),
        };
        let answered = self.upstream.send(call).await?;
        drop(credential);
        if let Some(wait) = answered.exhausted_for {
            self.health.bench(permit, wait, self.clock.now());
        }
        match answered.answer {
            Answer::Complete(completion) => {
                meter.observe_completion(&completion, self.clock.now());
                Ok(Begun::Whole(completion))
            }
            Answer::Stream(stream) if chat.stream => self.read_first(stream, meter).await,
            Answer::Stream(stream) => self.gather(*stream, meter).await,
        }
    }

    async fn read_first(
        &self,
        mut stream: Box<AnswerStream>,
        meter: &mut Meter,
    ) -> Result<Begun, Failure> {
        let mut steps = Vec::new();
        loop {
            let fresh = steps.len();
            let read = stream.read(&mut steps).await;
            let failure = observe(meter, &mut steps, fresh, &*self.clock);
            let rest = match (failure, read) {
                (Some(failure), _) | (None, Err(failure)) => Rest::Failure(failure),
                (None, Ok(true)) => Rest::More,
                (None, Ok(false)) => Rest::Nothing,
            };
            if meter.has_begun && !steps.is_empty() {
                return Ok(Begun::Stream {
                    stream,
                    steps,
                    rest,
                });
            }
            match rest {
                Rest::More => {}
                Rest::Nothing => return Err(empty_answer()),
                Rest::Failure(failure) => return Err(failure),
            }
        }
    }

    /// Gathers a stream into one answer, for a caller that did not ask for a stream.
    async fn gather(&self, mut stream: AnswerStream, meter: &mut Meter) -> Result<Begun, Failure> {
        let mut collector = Collector::default();
        let mut steps = Vec::new();
        loop {
            let more = stream.read(&mut steps).await?;
            if let Some(failure) = observe(meter, &mut steps, 0, &*self.clock) {
                return Err(failure);
            }
            for event in steps.drain(..).flat_map(|step| step.events) {
                collector.push(event)?;
            }
            if !more {
                return collector
                    .finish()
                    .map(|completion| Begun::Whole(Box::new(completion)));
            }
        }
    }
}

/// Meters the steps from index `fresh` on. A step that reports an error is cut off: the caller
/// hears of it in our words.
pub(super) fn observe(
    meter: &mut Meter,
    steps: &mut Vec<StreamStep>,
    fresh: usize,
    clock: &dyn Clock,
) -> Option<Failure> {
    let now = clock.now();
    for index in fresh..steps.len() {
        if let Some(failure) = meter.observe(&steps[index], now) {
            steps.truncate(index);
            return Some(failure);
        }
    }
    None
}

fn empty_answer() -> Failure {
    Failure::new(FailureKind::Protocol, "the provider gave an empty answer")
}
