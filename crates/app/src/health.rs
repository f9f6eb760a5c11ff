//! Endpoint health as this node sees it: recent failures, and benches that providers asked for.
//!
//! Readers get an immutable snapshot; writers replace it. A success at an endpoint that has no
//! failures to forget, which is nearly every request, changes nothing and takes no lock.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use switchyard_domain::{clock::Timestamp, endpoint::EndpointId};
use switchyard_interchange::failure::{Failure, FailureKind, Fault};
use switchyard_routing::health::{EndpointHealth, HealthRank, HealthSnapshot};

/// How far back failures count.
const WINDOW: Duration = Duration::from_secs(30);
/// Failures in the window that make an outage, if they are at least half of all attempts.
const OUTAGE_FAILURES_MIN: usize = 2;
/// Outcomes remembered per troubled endpoint.
const OUTCOMES_MAX: usize = 256;

/// The health of all endpoints.
#[derive(Debug, Default)]
pub struct HealthBoard {
    snapshot: ArcSwap<HealthSnapshot>,
    troubled: Mutex<HashMap<EndpointId, Record>>,
}

#[derive(Debug, Default)]
struct Record {
    outcomes: VecDeque<(Timestamp, bool)>,
    benched_until: Option<Timestamp>,
}

impl HealthBoard {
    /// What is known now.
    pub fn snapshot(&self) -> Arc<HealthSnapshot> {
        self.snapshot.load_full()
    }

    /// An attempt succeeded.
    pub fn succeeded(&self, endpoint: &EndpointId, now: Timestamp) {
        if !self.snapshot.load().endpoints.contains_key(endpoint) {
            return;
        }
        self.update(endpoint, now, |record| record.note(now, true));
    }

    /// An attempt failed. What the caller or our own credential did wrong says nothing about the
    /// endpoint.
    pub fn failed(&self, endpoint: &EndpointId, failure: &Failure, now: Timestamp) {
        if failure.kind.fault() != Fault::Upstream {
            return;
        }
        self.update(endpoint, now, |record| {
            // A rate limit is not an outage; it only keeps the endpoint back for as long as asked.
            if failure.kind != FailureKind::RateLimit {
                record.note(now, false);
            }
            if let Some(wait) = failure.retry_after {
                let until = now.plus(wait);
                record.benched_until = Some(record.benched_until.map_or(until, |b| b.max(until)));
            }
        });
    }

    fn update(&self, endpoint: &EndpointId, now: Timestamp, change: impl FnOnce(&mut Record)) {
        let mut troubled = self.troubled.lock().unwrap_or_else(PoisonError::into_inner);
        change(troubled.entry(endpoint.clone()).or_default());
        troubled.retain(|_, record| !record.is_forgotten(now));
        let endpoints = troubled
            .iter()
            .map(|(id, record)| (id.clone(), record.health(now)))
            .collect();
        self.snapshot.store(Arc::new(HealthSnapshot {
            endpoints,
            ..HealthSnapshot::default()
        }));
    }
}

impl Record {
    fn note(&mut self, now: Timestamp, success: bool) {
        if self.outcomes.len() == OUTCOMES_MAX {
            self.outcomes.pop_front();
        }
        self.outcomes.push_back((now, success));
    }

    fn recent(&self, now: Timestamp) -> impl Iterator<Item = bool> {
        self.outcomes
            .iter()
            .filter(move |(at, _)| now.since(*at) < WINDOW)
            .map(|(_, success)| *success)
    }

    fn is_forgotten(&self, now: Timestamp) -> bool {
        self.benched_until.is_none_or(|until| until <= now) && self.recent(now).next().is_none()
    }

    fn health(&self, now: Timestamp) -> EndpointHealth {
        let attempts = self.recent(now).count();
        let failures = self.recent(now).filter(|success| !success).count();
        let last_failed = self.outcomes.back().is_some_and(|(_, success)| !success);
        // A success clears the flag at once.
        let is_outage = last_failed && failures >= OUTAGE_FAILURES_MIN && failures * 2 >= attempts;
        EndpointHealth {
            rank: if is_outage {
                HealthRank::Outage
            } else {
                HealthRank::Stable
            },
            benched_until: self.benched_until,
            ..EndpointHealth::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_764_000_000 + seconds)
    }

    fn rank(board: &HealthBoard, endpoint: &EndpointId, now: Timestamp) -> HealthRank {
        board
            .snapshot()
            .of(
                endpoint,
                switchyard_routing::credentials::CredentialUse::Shared,
                now,
            )
            .rank
    }

    #[test]
    fn two_failures_flag_and_one_success_clears() {
        let (board, endpoint) = (HealthBoard::default(), EndpointId::new("m|acme"));
        let failure = Failure::new(FailureKind::Server, "boom");
        board.failed(&endpoint, &failure, at(0));
        assert_eq!(rank(&board, &endpoint, at(0)), HealthRank::Stable);
        board.failed(&endpoint, &failure, at(1));
        assert_eq!(rank(&board, &endpoint, at(1)), HealthRank::Outage);
        board.succeeded(&endpoint, at(2));
        assert_eq!(rank(&board, &endpoint, at(2)), HealthRank::Stable);
    }

    #[test]
    fn a_bench_lasts_as_long_as_the_provider_asked() {
        let (board, endpoint) = (HealthBoard::default(), EndpointId::new("m|acme"));
        let mut failure = Failure::new(FailureKind::RateLimit, "slow down");
        failure.retry_after = Some(Duration::from_secs(20));
        board.failed(&endpoint, &failure, at(0));
        assert_eq!(rank(&board, &endpoint, at(19)), HealthRank::Down);
        assert_eq!(rank(&board, &endpoint, at(20)), HealthRank::Stable);
    }

    #[test]
    fn what_callers_do_wrong_counts_for_nothing() {
        let (board, endpoint) = (HealthBoard::default(), EndpointId::new("m|acme"));
        for kind in [
            FailureKind::BadRequest,
            FailureKind::Auth,
            FailureKind::Cancelled,
        ] {
            board.failed(&endpoint, &Failure::new(kind, "no"), at(0));
        }
        assert!(board.snapshot().endpoints.is_empty());
    }
}
