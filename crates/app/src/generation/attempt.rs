//! Attempts: try the plan's endpoints in order until one begins to answer, then pass its answer
//! on. Until the first token another endpoint may take over unseen; after it, never.

use std::time::Duration;

use switchyard_billing::settlement::AttemptFacts;
use switchyard_domain::clock::Timestamp;
use switchyard_interchange::{
    convert::{Collector, ReasoningFilter},
    event::{Completion, StreamStep},
    failure::{Failure, FailureKind, Retry},
    reply::ReplyHead,
};
use switchyard_routing::vetted::Vetted;
use switchyard_upstream::{
    answer::{Answer, AnswerStream},
    call::{Answered, Call},
};
use tokio::sync::mpsc::Sender;

use crate::{
    App,
    generation::{
        AttemptFailure, GenerateError, ReplyStep, meter::Meter, plan::Planned, reserve::Reserved,
    },
    health::Permit,
    limits::{ATTEMPTS_MAX, READER_STALL_MAX},
};

/// What came of a request's attempts.
pub(super) struct Outcome {
    pub(super) attempts: Vec<AttemptFacts>,
    /// The endpoint that began to answer, and what it gave.
    pub(super) served: Option<Served>,
    pub(super) end: End,
}

/// The endpoint that answered.
pub(super) struct Served {
    pub(super) endpoint: Vetted,
    pub(super) dispatched_at: Timestamp,
    pub(super) meter: Meter,
}

/// How it ended.
pub(super) enum End {
    /// The answer is complete. One that was not streamed travels with its tail.
    Finished(Option<Box<Completion>>),
    /// The caller left.
    Cancelled,
    Failed(GenerateError),
}

/// How one attempt ended.
enum AttemptEnd {
    Finished(Option<Box<Completion>>),
    Cancelled,
    /// Nothing reached the caller: another endpoint may be tried.
    NotBegun(Failure),
    /// The caller has seen part of it.
    BrokenOff(Failure),
}

impl App {
    /// Runs a reserved request to its end. This is the task that the caller cannot drop.
    pub(super) async fn serve(&self, mut reserved: Reserved, replies: Sender<ReplyStep>) {
        let outcome = self.attempt_all(&mut reserved.planned, &replies).await;
        self.settle(reserved, outcome, replies).await;
    }

    async fn attempt_all(&self, planned: &mut Planned, replies: &Sender<ReplyStep>) -> Outcome {
        let mut attempts = Vec::new();
        let mut failures: Vec<AttemptFailure> = Vec::new();
        let candidates = planned.plan.candidates.len();
        // Those that are left alone are passed over, and asked after all where nobody else was.
        for step in 0..2 * candidates {
            let is_last_resort = step >= candidates;
            if step == candidates && !attempts.is_empty() {
                break;
            }
            let candidate = &planned.plan.candidates[step % candidates].vetted.clone();
            if attempts.len() == ATTEMPTS_MAX || !may_try(candidate, planned, &failures) {
                continue;
            }
            let Some(permit) = self.permit(planned, candidate, is_last_resort) else {
                continue;
            };
            let started_at = self.clock.now();
            let mut meter = Meter::for_tools(&planned.admitted.chat.tools);
            let end = self
                .attempt(planned, candidate, &permit, &mut meter, replies)
                .await;
            let failure = match &end {
                AttemptEnd::NotBegun(failure) | AttemptEnd::BrokenOff(failure) => Some(failure),
                AttemptEnd::Finished(_) | AttemptEnd::Cancelled => None,
            };
            let is_finished = matches!(end, AttemptEnd::Finished(_));
            self.account_for(permit, planned, &meter, started_at, failure, is_finished);
            attempts.push(self.facts(candidate, started_at, &meter, failure, attempts.len()));
            let served = Served {
                endpoint: candidate.clone(),
                dispatched_at: started_at,
                meter,
            };
            let end = match end {
                AttemptEnd::Finished(completion) => End::Finished(completion),
                AttemptEnd::Cancelled => End::Cancelled,
                AttemptEnd::BrokenOff(failure) => End::Failed(GenerateError::BrokenOff(Box::new(
                    described(candidate, failure),
                ))),
                AttemptEnd::NotBegun(failure) => {
                    let stop = failure.kind.retry() == Retry::Never;
                    failures.push(described(candidate, failure));
                    if stop {
                        break;
                    }
                    continue;
                }
            };
            return Outcome {
                attempts,
                served: Some(served),
                end,
            };
        }
        let retry_after = failures
            .iter()
            .filter_map(|one| one.failure.retry_after)
            .min();
        let end = End::Failed(GenerateError::AttemptsFailed {
            attempts: failures,
            retry_after,
        });
        Outcome {
            attempts,
            served: None,
            end,
        }
    }

    async fn attempt(
        &self,
        planned: &mut Planned,
        candidate: &Vetted,
        permit: &Permit,
        meter: &mut Meter,
        replies: &Sender<ReplyStep>,
    ) -> AttemptEnd {
        let deadline = tokio::time::sleep(self.settings.attempt_timeout);
        tokio::pin!(deadline);
        tokio::select! {
            biased;
            end = self.attempt_undisturbed(planned, candidate, permit, meter, replies) => return end,
            () = replies.closed() => return AttemptEnd::Cancelled,
            () = self.aborting.cancelled() => {}
            () = &mut deadline => {}
        }
        let message = if self.aborting.is_cancelled() {
            "the service had to stop before the answer was complete"
        } else {
            "the answer took longer than is allowed in total"
        };
        let failure = Failure::new(FailureKind::Timeout, message);
        if meter.has_begun {
            AttemptEnd::BrokenOff(failure)
        } else {
            AttemptEnd::NotBegun(failure)
        }
    }

    async fn attempt_undisturbed(
        &self,
        planned: &mut Planned,
        candidate: &Vetted,
        permit: &Permit,
        meter: &mut Meter,
        replies: &Sender<ReplyStep>,
    ) -> AttemptEnd {
        let credential = match self.credentials.open(&candidate.provider().slug).await {
            Ok(credential) => credential,
            Err(failure) => return AttemptEnd::NotBegun(failure),
        };
        let chat = &planned.admitted.chat;
        let streams = chat.stream;
        let call = Call {
            endpoint: candidate,
            credential: &credential,
            request: chat,
        };
        let sent = self.upstream.send(call).await;
        drop(credential);
        if let Ok(Answered {
            exhausted_for: Some(wait),
            ..
        }) = &sent
        {
            self.health.bench(permit, *wait, self.clock.now());
        }
        match sent.map(|answered| answered.answer) {
            Err(failure) => AttemptEnd::NotBegun(failure),
            Ok(Answer::Complete(completion)) if streams => {
                meter.observe_completion(&completion, self.clock.now());
                let steps = vec![shown(completion, planned).into_step()];
                if begin(planned, candidate, replies).await
                    && replies.send(ReplyStep::Steps(steps)).await.is_ok()
                {
                    AttemptEnd::Finished(None)
                } else {
                    AttemptEnd::Cancelled
                }
            }
            Ok(Answer::Complete(completion)) => {
                meter.observe_completion(&completion, self.clock.now());
                let completion = shown(completion, planned);
                if begin(planned, candidate, replies).await {
                    AttemptEnd::Finished(Some(completion))
                } else {
                    AttemptEnd::Cancelled
                }
            }
            Ok(Answer::Stream(stream)) if streams => {
                self.pass_on(*stream, planned, candidate, permit, meter, replies)
                    .await
            }
            Ok(Answer::Stream(stream)) => {
                self.gather(*stream, planned, candidate, meter, replies)
                    .await
            }
        }
    }

    /// Passes a stream on as it comes.
    async fn pass_on(
        &self,
        mut stream: AnswerStream,
        planned: &mut Planned,
        candidate: &Vetted,
        permit: &Permit,
        meter: &mut Meter,
        replies: &Sender<ReplyStep>,
    ) -> AttemptEnd {
        let mut steps: Vec<StreamStep> = Vec::new();
        let mut is_committed = false;
        let mut filter = planned
            .admitted
            .chat
            .reasoning
            .exclude
            .then(ReasoningFilter::default);
        loop {
            let fresh = steps.len();
            let read = stream.read(&mut steps).await;
            let failure = self
                .observe(meter, &mut steps, fresh)
                .or_else(|| read.clone().err());
            if meter.has_begun && !steps.is_empty() {
                if !is_committed {
                    is_committed = true;
                    self.health.began(permit, self.clock.now());
                    if !begin(planned, candidate, replies).await {
                        return AttemptEnd::Cancelled;
                    }
                    // Nobody else will be asked, and the answer may take long.
                    planned.admitted.chat.release_content();
                }
                let mut batch = std::mem::take(&mut steps);
                if let Some(filter) = &mut filter {
                    batch = batch.into_iter().map(|step| filter.step(step)).collect();
                }
                let batch = ReplyStep::Steps(batch);
                if replies.send_timeout(batch, READER_STALL_MAX).await.is_err() {
                    return AttemptEnd::Cancelled;
                }
            }
            match (failure, read) {
                (Some(failure), _) | (None, Err(failure)) if is_committed => {
                    return AttemptEnd::BrokenOff(failure);
                }
                (Some(failure), _) | (None, Err(failure)) => return AttemptEnd::NotBegun(failure),
                (None, Ok(true)) => {}
                (None, Ok(false)) if is_committed => return AttemptEnd::Finished(None),
                (None, Ok(false)) => return AttemptEnd::NotBegun(empty_answer()),
            }
        }
    }

    /// Gathers a stream into one answer, for a caller that did not ask for a stream.
    async fn gather(
        &self,
        mut stream: AnswerStream,
        planned: &Planned,
        candidate: &Vetted,
        meter: &mut Meter,
        replies: &Sender<ReplyStep>,
    ) -> AttemptEnd {
        let mut collector = Collector::default();
        let mut steps = Vec::new();
        loop {
            let more = match stream.read(&mut steps).await {
                Ok(more) => more,
                Err(failure) => return AttemptEnd::NotBegun(failure),
            };
            if let Some(failure) = self.observe(meter, &mut steps, 0) {
                return AttemptEnd::NotBegun(failure);
            }
            for event in steps.drain(..).flat_map(|step| step.events) {
                if let Err(failure) = collector.push(event) {
                    return AttemptEnd::NotBegun(failure);
                }
            }
            if !more {
                break;
            }
        }
        match collector.finish() {
            Err(failure) => AttemptEnd::NotBegun(failure),
            Ok(completion) if begin(planned, candidate, replies).await => {
                AttemptEnd::Finished(Some(shown(Box::new(completion), planned)))
            }
            Ok(_) => AttemptEnd::Cancelled,
        }
    }

    /// Meters the steps from index `fresh` on. A step that reports an error is cut off: the
    /// caller hears of it in our words.
    fn observe(
        &self,
        meter: &mut Meter,
        steps: &mut Vec<StreamStep>,
        fresh: usize,
    ) -> Option<Failure> {
        let now = self.clock.now();
        for index in fresh..steps.len() {
            if let Some(failure) = meter.observe(&steps[index], now) {
                steps.truncate(index);
                return Some(failure);
            }
        }
        None
    }

    fn facts(
        &self,
        candidate: &Vetted,
        started_at: Timestamp,
        meter: &Meter,
        failure: Option<&Failure>,
        before: usize,
    ) -> AttemptFacts {
        let status = match failure {
            Some(failure) => failure.status,
            None => Some(200),
        };
        AttemptFacts {
            number: u32::try_from(before + 1).unwrap_or(u32::MAX),
            endpoint_id: candidate.endpoint().id.clone(),
            provider: candidate.provider().slug.clone(),
            is_byok: false,
            started_at,
            duration_ms: millis(self.clock.now().since(started_at)),
            first_token_ms: meter.first_token_at.map(|at| millis(at.since(started_at))),
            status,
            failure: failure.map(|failure| failure.kind.as_str().to_owned()),
        }
    }
}

/// The answer as its caller wants to see it. What is hidden is charged all the same.
fn shown(completion: Box<Completion>, planned: &Planned) -> Box<Completion> {
    if planned.admitted.chat.reasoning.exclude {
        Box::new(completion.without_reasoning())
    } else {
        completion
    }
}

/// Tells the caller who serves. `false` when the caller has left.
async fn begin(planned: &Planned, candidate: &Vetted, replies: &Sender<ReplyStep>) -> bool {
    let head = ReplyHead {
        generation_id: planned.admitted.generation_id.clone(),
        created_seconds: planned.admitted.at.seconds(),
        model: candidate.model().id.to_string(),
        provider: candidate.provider().name.clone(),
    };
    replies.send(ReplyStep::Head(Box::new(head))).await.is_ok()
}

/// Whether what failed so far leaves a chance for this candidate.
fn may_try(candidate: &Vetted, planned: &Planned, failures: &[AttemptFailure]) -> bool {
    let model = &candidate.model().id;
    planned
        .plan
        .candidates
        .iter()
        .zip(failures_by_candidate(planned, failures))
        .all(|(tried, failure)| {
            let Some(failure) = failure else { return true };
            let tried = &tried.vetted;
            let same_model = tried.model().id == *model;
            match failure.kind.retry() {
                Retry::NextCandidate => true,
                Retry::LargerContext => {
                    !same_model
                        || candidate.endpoint().context_length > tried.endpoint().context_length
                }
                Retry::NextModel => !same_model,
                Retry::Never => false,
            }
        })
}

fn failures_by_candidate<'a>(
    planned: &'a Planned,
    failures: &'a [AttemptFailure],
) -> impl Iterator<Item = Option<&'a Failure>> {
    planned.plan.candidates.iter().map(move |candidate| {
        failures
            .iter()
            .find(|one| one.endpoint_id == candidate.vetted.endpoint().id)
            .map(|one| &one.failure)
    })
}

fn described(candidate: &Vetted, failure: Failure) -> AttemptFailure {
    AttemptFailure {
        endpoint_id: candidate.endpoint().id.clone(),
        provider: candidate.provider().slug.clone(),
        provider_name: candidate.provider().name.clone(),
        is_byok: false,
        failure,
    }
}

fn empty_answer() -> Failure {
    Failure::new(FailureKind::Protocol, "the provider gave an empty answer")
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
