//! Hedging: where the caller asked for it and the first token is late for this endpoint, the next
//! candidate is asked as well. The first to begin wins, the other is cancelled; the caller pays
//! the winner only. Bounded by a budget, off where endpoints of the plan are in trouble, and never
//! after the first token.

use std::{pin::pin, time::Duration};

use switchyard_interchange::{
    failure::{Failure, FailureKind},
    preferences::Percentiles,
};
use switchyard_routing::{health::HealthRank, record::HedgeRecord, select::TryWhen};
use tokio::{
    sync::mpsc::Sender,
    time::{Instant, sleep, timeout_at},
};

use super::{
    Interruption, Try,
    deadline::Allotment,
    millis,
    open::Begun,
    schedule::{Round, Schedule},
};
use crate::{
    App,
    generation::{ReplyStep, plan::Planned},
    health::Permit,
};

/// The try that goes on, or the last that failed.
pub(super) struct Opened {
    pub(super) tried: Try,
    pub(super) index: usize,
    pub(super) begun: Result<Begun, Interruption>,
    /// The one beside it: failed, or cancelled because it was slower.
    pub(super) other: Option<(usize, Try, Failure)>,
}

/// How a race ended.
struct Raced {
    winner: Side,
    result: Result<Begun, Failure>,
    /// Why the other side is out; `None` where it was never started.
    other: Option<Failure>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    First,
    Second,
}

impl App {
    /// Opens a candidate, and perhaps the one after it.
    pub(super) async fn open_first(
        &self,
        planned: &mut Planned,
        schedule: &mut Schedule,
        (index, mut first): (usize, Try),
        allotment: Allotment,
        ends_at: Instant,
        replies: &Sender<ReplyStep>,
    ) -> Opened {
        let mut second: Option<(usize, Try)> = None;
        let race = self.race(planned, schedule, allotment, &mut first, &mut second);
        let raced = self.unless_interrupted(race, ends_at, replies).await;
        if let Some((_, second)) = &second {
            let won = matches!(&raced, Ok(raced) if raced.winner == Side::Second);
            planned.plan.record.hedge = Some(hedge_record(planned, &first, second, won));
        }
        let (winner, begun, other) = match raced {
            Ok(raced) => (
                raced.winner,
                raced.result.map_err(Interruption::Failure),
                raced.other,
            ),
            Err(interruption) => (Side::First, Err(interruption), Some(lost())),
        };
        let first = (index, first);
        let ((index, tried), beside) = match (winner, second) {
            (Side::Second, Some(second)) => (second, Some(first)),
            (Side::First | Side::Second, second) => (first, second),
        };
        Opened {
            tried,
            index,
            begun,
            other: beside
                .zip(other)
                .map(|((index, tried), failure)| (index, tried, failure)),
        }
    }

    async fn race(
        &self,
        planned: &Planned,
        schedule: &mut Schedule,
        allotment: Allotment,
        first: &mut Try,
        second: &mut Option<(usize, Try)>,
    ) -> Raced {
        let alone = |result| Raced {
            winner: Side::First,
            result,
            other: None,
        };
        let patience = self.hedge_after(planned, first);
        let mut first = pin!(self.open_in_time(planned, first, allotment));
        let Some(patience) = patience else {
            return alone(first.await);
        };
        tokio::select! {
            biased;
            result = &mut first => return alone(result),
            () = sleep(patience) => {}
        }
        let Some((index, permit, allotment)) = self.hedge_with(planned, schedule) else {
            return alone(first.await);
        };
        // Whatever keeps its credential from being opened, the first one goes on alone.
        let endpoint = &planned.plan.candidates[index].vetted;
        let opened = tokio::select! {
            biased;
            result = &mut first => return alone(result),
            opened = self.open_credential(planned, endpoint) => opened,
        };
        let Ok(credential) = opened else {
            return alone(first.await);
        };
        let beside = self.begin_try(planned, index, credential, permit);
        let (_, beside) = second.insert((index, beside));
        let mut second = pin!(self.open_in_time(planned, beside, allotment));
        let (winner, result, other) = tokio::select! {
            biased;
            result = &mut first => match result {
                Ok(begun) => (Side::First, Ok(begun), lost()),
                Err(failure) => (Side::Second, second.await, failure),
            },
            result = &mut second => match result {
                Ok(begun) => (Side::Second, Ok(begun), lost()),
                Err(failure) => (Side::First, first.await, failure),
            },
        };
        Raced {
            winner,
            result,
            other: Some(other),
        }
    }

    async fn open_in_time(
        &self,
        planned: &Planned,
        tried: &mut Try,
        allotment: Allotment,
    ) -> Result<Begun, Failure> {
        let credential = tried
            .credential
            .take()
            .expect("a try is opened once, with its credential");
        let open = self.open(
            planned,
            &tried.endpoint,
            credential,
            &tried.permit,
            &mut tried.meter,
        );
        let Some(first_token_by) = allotment.0 else {
            return open.await;
        };
        timeout_at(first_token_by, open).await.unwrap_or_else(|_| {
            tried.ran_out_of_time = true;
            Err(Failure::new(
                FailureKind::Timeout,
                "no first token came within the time that the request allows",
            ))
        })
    }

    /// How long the first token may take before it is late: what all but one in twenty stay
    /// within. `None`: no hedge.
    fn hedge_after(&self, planned: &Planned, first: &Try) -> Option<Duration> {
        if !planned.admitted.needs.preferences.hedge || !planned.admitted.chat.stream {
            return None;
        }
        let endpoint = &first.endpoint;
        let health = planned.health.of(
            &endpoint.endpoint().id,
            endpoint.credential(),
            first.started_at,
        );
        self.hedges.admit(planned.admitted.caller.account_id());
        late_after(health.latency_ms).map(Duration::from_millis)
    }

    /// The candidate to hedge with, if one is well and the budget allows it.
    fn hedge_with(
        &self,
        planned: &Planned,
        schedule: &mut Schedule,
    ) -> Option<(usize, Permit, Allotment)> {
        let candidates = &planned.plan.candidates;
        let index = schedule.peek(candidates)?;
        let now = self.clock.now();
        let is_well = |index: usize| {
            let vetted = &candidates[index].vetted;
            let health = planned
                .health
                .of(&vetted.endpoint().id, vetted.credential(), now);
            health.rank == HealthRank::Stable
        };
        let well = (0..candidates.len())
            .filter(|index| is_well(*index))
            .count();
        let is_broad_trouble = well * 2 < candidates.len();
        if candidates[index].when != TryWhen::Always || !is_well(index) || is_broad_trouble {
            return None;
        }
        let allotment = self.allot(planned, schedule, index).ok()?;
        let permit = self.permit(planned, &candidates[index].vetted, Round::First)?;
        if !self.hedges.spend(planned.admitted.caller.account_id()) {
            return None;
        }
        Some((schedule.next(candidates)?, permit, allotment))
    }
}

/// The time that 95 % stay within, between the percentiles that are measured.
fn late_after(latency_ms: Percentiles) -> Option<u64> {
    let (p90, p99) = (latency_ms.p90?, latency_ms.p99?);
    Some(p90 + p99.saturating_sub(p90) / 2)
}

fn lost() -> Failure {
    Failure::new(FailureKind::Cancelled, "another attempt was faster")
}

fn hedge_record(planned: &Planned, first: &Try, second: &Try, won: bool) -> HedgeRecord {
    let loser = if won { first } else { second };
    let rows = &planned.plan.record.candidates;
    let id = &loser.endpoint.endpoint().id;
    HedgeRecord {
        endpoint: second.endpoint.endpoint().id.clone(),
        after_ms: millis(second.started_at.since(first.started_at)),
        won,
        loser_cost_nanos: rows
            .iter()
            .find(|row| row.endpoint == *id && row.credential == loser.endpoint.credential())
            .and_then(|row| row.expected_cost_nanos),
    }
}
