//! Between attempts and the health of endpoints: leave before, an account after.

use switchyard_domain::clock::Timestamp;
use switchyard_interchange::{
    event::FinishReason,
    failure::{Failure, FailureKind},
};
use switchyard_routing::vetted::Vetted;

use crate::{
    App,
    generation::{
        attempt::{Round, millis},
        meter::Meter,
        plan::Planned,
    },
    health::{AttemptEnd, Outcome, Permit},
};

impl App {
    /// Leave to ask a candidate; `None` while it is left alone. Who lists providers has them asked
    /// in that order, whatever their health; and where nothing else is left, the least bad serves.
    pub(super) fn permit(
        &self,
        planned: &Planned,
        candidate: &Vetted,
        round: Round,
    ) -> Option<Permit> {
        let now = self.clock.now();
        let (id, credential) = (&candidate.endpoint().id, candidate.credential());
        let preferences = &planned.admitted.needs.preferences;
        let is_listed = preferences
            .order
            .as_ref()
            .is_some_and(|order| !order.is_empty());
        // An order is about endpoints. A customer's credential that is refused there stays aside.
        if is_listed && credential.is_shared() || round == Round::Last {
            return Some(self.health.insist(id, credential, now));
        }
        self.health.begin(id, credential, now)
    }

    /// Accounts for an attempt that is over.
    pub(super) fn account_for(
        &self,
        permit: Permit,
        planned: &Planned,
        meter: &Meter,
        started_at: Timestamp,
        failure: Option<&Failure>,
        is_finished: bool,
    ) {
        let now = self.clock.now();
        let is_ours = self.aborting.is_cancelled();
        let end = match failure {
            Some(failure) if is_ours && failure.kind == FailureKind::Timeout => {
                AttemptEnd::Withdrawn
            }
            Some(failure) => AttemptEnd::Failed(failure),
            None if !is_finished => AttemptEnd::Withdrawn,
            None if meter.finish_reason() == Some(FinishReason::Error) => {
                AttemptEnd::FinishedInError
            }
            None => AttemptEnd::Finished,
        };
        let since_start = |at: Timestamp| millis(at.since(started_at));
        let streams = planned.admitted.chat.stream;
        let (usage, _) = meter.final_usage(0);
        let outcome = Outcome {
            end,
            // What comes in one piece has no first token to speak of.
            first_token_ms: meter.first_token_at.filter(|_| streams).map(since_start),
            duration_ms: since_start(now),
            output_tokens: usage.output_total(),
            tool_calls: meter.tools.verdict(meter.finish.as_ref()),
        };
        self.health.finish(permit, &outcome, now);
    }
}
