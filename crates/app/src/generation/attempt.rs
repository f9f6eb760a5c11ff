//! Attempts: try the plan's endpoints in order until one begins to answer, then pass its answer
//! on. Until the first token another endpoint may take over unseen (`open`, `hedge`); after it,
//! never (`relay`).

mod credential;
mod deadline;
mod hedge;
mod open;
mod relay;
mod schedule;

use std::{pin::pin, time::Duration};

use switchyard_billing::settlement::AttemptFacts;
use switchyard_domain::{clock::Timestamp, id::CredentialId};
use switchyard_interchange::{
    event::Completion,
    failure::{Failure, FailureKind},
};
use switchyard_routing::{credentials::CredentialUse, vetted::Vetted};
use tokio::{sync::mpsc::Sender, time::Instant};

pub(super) use self::schedule::Round;

use self::{
    credential::NotOpened, deadline::Allotment, hedge::Opened, open::Begun, schedule::Schedule,
};
use crate::{
    App,
    budgets::{Party, Under},
    generation::{
        AttemptFailure, GenerateError, ReplyStep, credentials::OpenedCredential, meter::Meter,
        plan::Planned, reserve::Reserved,
    },
    health::Permit,
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

/// One try at one endpoint, under way or over.
struct Try {
    endpoint: Vetted,
    started_at: Timestamp,
    meter: Meter,
    /// Whose credential is used: gone once the request is written.
    credential: Option<OpenedCredential>,
    /// Of a customer's stored one, which and which of its secrets.
    stored: Option<(CredentialId, i32)>,
    /// Tells the endpoint's health how it went.
    permit: Permit,
    /// Its caller allowed it too little time, which says nothing about the endpoint.
    ran_out_of_time: bool,
}

/// How one try ended.
enum TryEnd {
    Finished(Option<Box<Completion>>),
    Cancelled,
    /// Nothing reached the caller: another endpoint may be tried.
    NotBegun(Failure),
    /// The caller has seen part of it.
    BrokenOff(Failure),
}

/// A candidate about to be tried.
struct Step<'a> {
    index: usize,
    credential: OpenedCredential,
    allotment: Allotment,
    permit: Permit,
    /// Its place in the retry budget, until it has begun.
    under_way: Under<'a>,
}

/// What ends a try from outside.
enum Interruption {
    CallerLeft,
    /// The service stops, or the try took too long.
    Failure(Failure),
}

impl App {
    /// Runs a reserved request to its end. This is the task that the caller cannot drop.
    pub(super) async fn serve(&self, mut reserved: Box<Reserved>, replies: Sender<ReplyStep>) {
        let outcome = self.attempt_all(&mut reserved.planned, &replies).await;
        self.settle(reserved, outcome, replies).await;
    }

    async fn attempt_all(&self, planned: &mut Planned, replies: &Sender<ReplyStep>) -> Outcome {
        let mut attempts = Vec::new();
        let mut schedule = Schedule::default();
        while let Some(index) = schedule.next(&planned.plan.candidates) {
            let endpoint = &planned.plan.candidates[index].vetted;
            let Some(permit) = self.permit(planned, endpoint, schedule.round()) else {
                schedule.passed_over();
                continue;
            };
            let allotment = match self.allot(planned, &schedule, index) {
                Ok(allotment) => allotment,
                Err(failure) => {
                    schedule.skipped(index, described(endpoint, failure));
                    continue;
                }
            };
            let credential = match self.credential_of(planned, endpoint, replies).await {
                Ok(credential) => credential,
                Err(NotOpened::Passed(failure)) => {
                    schedule.skipped(index, described(endpoint, failure));
                    continue;
                }
                Err(NotOpened::Fatal(end)) => {
                    return Outcome {
                        attempts,
                        served: None,
                        end,
                    };
                }
            };
            let parties = parties_of(planned, endpoint);
            let under_way = if schedule.is_retrying() {
                match self.retries.enter_again(parties).await {
                    Some(under_way) => under_way,
                    None => break,
                }
            } else {
                self.retries.enter(parties)
            };
            let step = Step {
                index,
                credential,
                allotment,
                permit,
                under_way,
            };
            let tried = self
                .try_one(planned, &mut schedule, step, &mut attempts, replies)
                .await;
            if let Some((served, end)) = tried {
                return Outcome {
                    attempts,
                    served: Some(served),
                    end,
                };
            }
        }
        Outcome {
            attempts,
            served: None,
            end: End::Failed(schedule.into_error()),
        }
    }

    /// Tries one candidate (and, hedged, the one after it). `None`: it failed unseen, and the
    /// schedule knows.
    async fn try_one(
        &self,
        planned: &mut Planned,
        schedule: &mut Schedule,
        step: Step<'_>,
        attempts: &mut Vec<AttemptFacts>,
        replies: &Sender<ReplyStep>,
    ) -> Option<(Served, End)> {
        let Step {
            index,
            credential,
            allotment,
            permit,
            under_way,
        } = step;
        let first = self.begin_try(planned, index, credential, permit);
        let ends_at = Instant::now() + self.settings.attempt_timeout;
        // Boxed: what opening needs, perhaps twice, is not kept while the answer is passed on.
        let Opened {
            mut tried,
            index,
            begun,
            other,
        } = Box::pin(self.open_first(
            planned,
            schedule,
            (index, first),
            allotment,
            ends_at,
            replies,
        ))
        .await;
        drop(under_way);
        if let Some((index, other, failure)) = other {
            let Served { endpoint, .. } =
                self.note(planned, other, Some(&failure), false, attempts);
            if failure.kind != FailureKind::Cancelled {
                schedule.failed(index, described(&endpoint, failure));
            }
        }
        let end = match begun {
            Ok(begun) => {
                self.relay_within(planned, &mut tried, begun, ends_at, replies)
                    .await
            }
            Err(Interruption::CallerLeft) => TryEnd::Cancelled,
            Err(Interruption::Failure(failure)) => TryEnd::NotBegun(failure),
        };
        let is_finished = matches!(end, TryEnd::Finished(_));
        let failure = match &end {
            TryEnd::NotBegun(failure) | TryEnd::BrokenOff(failure) => Some(failure),
            TryEnd::Finished(_) | TryEnd::Cancelled => None,
        };
        let endpoint = tried.endpoint.clone();
        let served = self.note(planned, tried, failure, is_finished, attempts);
        let end = match end {
            TryEnd::Finished(completion) => End::Finished(completion),
            TryEnd::Cancelled => End::Cancelled,
            TryEnd::BrokenOff(failure) => End::Failed(GenerateError::BrokenOff(Box::new(
                described(&endpoint, failure),
            ))),
            TryEnd::NotBegun(failure) => {
                schedule.failed(index, described(&endpoint, failure));
                return None;
            }
        };
        Some((served, end))
    }

    async fn relay_within(
        &self,
        planned: &mut Planned,
        tried: &mut Try,
        begun: Begun,
        ends_at: Instant,
        replies: &Sender<ReplyStep>,
    ) -> TryEnd {
        // Pinned here, because whoever takes it over would have room for it twice, for as long as the
        // answer lasts.
        let relay = pin!(self.relay(planned, tried, begun, replies));
        match self.unless_interrupted(relay, ends_at, replies).await {
            Ok(end) => end,
            Err(Interruption::CallerLeft) => TryEnd::Cancelled,
            Err(Interruption::Failure(failure)) => TryEnd::BrokenOff(failure),
        }
    }

    /// Lets `work` go on until the caller leaves, the service must stop, or its time is over.
    async fn unless_interrupted<T>(
        &self,
        work: impl Future<Output = T>,
        ends_at: Instant,
        replies: &Sender<ReplyStep>,
    ) -> Result<T, Interruption> {
        let message = tokio::select! {
            biased;
            done = work => return Ok(done),
            () = replies.closed() => return Err(Interruption::CallerLeft),
            () = self.aborting.cancelled() => {
                "the service had to stop before the answer was complete"
            }
            () = tokio::time::sleep_until(ends_at) => {
                "the answer took longer than is allowed in total"
            }
        };
        Err(Interruption::Failure(Failure::new(
            FailureKind::Timeout,
            message,
        )))
    }

    fn begin_try(
        &self,
        planned: &Planned,
        index: usize,
        credential: OpenedCredential,
        permit: Permit,
    ) -> Try {
        Try {
            endpoint: planned.plan.candidates[index].vetted.clone(),
            started_at: self.clock.now(),
            stored: credential.stored,
            credential: Some(credential),
            meter: Meter::for_tools(&planned.admitted.chat.tools),
            permit,
            ran_out_of_time: false,
        }
    }

    /// Records a try that is over, for the books and for the endpoint's health.
    fn note(
        &self,
        planned: &Planned,
        tried: Try,
        failure: Option<&Failure>,
        is_finished: bool,
        attempts: &mut Vec<AttemptFacts>,
    ) -> Served {
        let since_start = |at: Timestamp| millis(at.since(tried.started_at));
        let status = match failure {
            Some(failure) => failure.status,
            None => Some(200),
        };
        attempts.push(AttemptFacts {
            number: u32::try_from(attempts.len() + 1).unwrap_or(u32::MAX),
            endpoint_id: tried.endpoint.endpoint().id.clone(),
            provider: tried.endpoint.provider().slug.clone(),
            is_byok: !tried.endpoint.credential().is_shared(),
            supplied: matches!(tried.endpoint.credential(), CredentialUse::Supplied(_)),
            started_at: tried.started_at,
            duration_ms: since_start(self.clock.now()),
            first_token_ms: tried.meter.first_token_at.map(since_start),
            status,
            failure: failure.map(|failure| failure.kind.as_str().to_owned()),
        });
        let Try {
            endpoint,
            started_at,
            credential: _,
            stored,
            meter,
            permit,
            ran_out_of_time,
        } = tried;
        let told = failure.filter(|_| !ran_out_of_time);
        if let Some((id, record_version)) = stored {
            self.watch_credential(planned, id, record_version, told, is_finished);
        }
        self.account_for(permit, planned, &meter, started_at, told, is_finished);
        Served {
            endpoint,
            dispatched_at: started_at,
            meter,
        }
    }
}

/// Whose budgets an attempt is bounded by. What an owner's credential brings about is its account's
/// affair, and takes no room from others at the provider.
fn parties_of(planned: &Planned, endpoint: &Vetted) -> Vec<Party> {
    let mut parties = vec![Party::Account(planned.admitted.caller.account_id())];
    if endpoint.credential().is_shared() {
        parties.push(Party::Provider(endpoint.provider().slug.clone()));
    }
    parties
}

fn described(endpoint: &Vetted, failure: Failure) -> AttemptFailure {
    AttemptFailure {
        endpoint_id: endpoint.endpoint().id.clone(),
        provider: endpoint.provider().slug.clone(),
        provider_name: endpoint.provider().name.to_string(),
        is_byok: !endpoint.credential().is_shared(),
        failure,
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
