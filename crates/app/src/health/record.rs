//! One endpoint with one credential: its windows, its breaker, its benches, and what they come to.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use switchyard_coordination::health::{EndpointDigest, Opening, OutcomeCounts};
use switchyard_domain::{clock::Timestamp, endpoint::EndpointId};
use switchyard_routing::{
    credentials::CredentialUse,
    health::{EndpointHealth, HealthRank, ToolQuality},
};

use super::{
    breaker::{Breaker, Stand, Ticket, Word},
    measured::{Measured, Windows},
    outcome::{AttemptEnd, Grade, Outcome, Ownership},
    state::{Change, EndpointState},
};

/// Failures within 30 seconds that make an outage, if they are at least half of all attempts.
const OUTAGE_FAILURES_MIN: u32 = 2;
/// Attempts within five minutes that a share of failures is taken of, at least.
pub(super) const RANKED_ATTEMPTS_MIN: u32 = 20;
/// Above this share of failures, in parts per million, an endpoint is degraded: an uptime below
/// 95 %.
const DEGRADED_FAILURE_PPM: u32 = 50_000;
/// The longest that a provider is left alone for its asking.
const BENCH_MAX: Duration = Duration::from_secs(300);
/// A bench that grows by less is not worth telling at once.
const BENCH_GROWTH_MIN: Duration = Duration::from_secs(1);
/// How often what ages by itself is computed anew.
const AGEING: Duration = Duration::from_secs(1);

/// What a record is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) endpoint: EndpointId,
    pub(super) credential: CredentialUse,
}

impl Key {
    pub(super) fn ownership(&self) -> Ownership {
        if self.credential.is_shared() {
            Ownership::Shared
        } else {
            Ownership::Own
        }
    }
}

#[derive(Debug)]
pub(super) struct Record {
    pub(super) key: Key,
    /// Blurs how long its breaker stays open.
    seed: u64,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    windows: Windows,
    breaker: Breaker,
    /// Failures were noted that a success has not answered yet.
    has_failed: bool,
    /// The provider asked this node to stay away until then.
    asked_until: Option<Timestamp>,
    /// It asked another node.
    others_asked_until: Option<Timestamp>,
    tools: ToolQuality,
    notes: u64,
    last_used: Timestamp,
    /// Something was noted that is not shown yet.
    is_dirty: bool,
    shown: Shown,
}

/// What readers have been told.
#[derive(Debug)]
struct Shown {
    health: EndpointHealth,
    state: EndpointState,
    at: Timestamp,
}

/// What other nodes count of the same.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OthersCount {
    pub(super) recent: OutcomeCounts,
    pub(super) since_return: OutcomeCounts,
}

impl From<&Measured> for OthersCount {
    fn from(others: &Measured) -> Self {
        Self {
            recent: others.recent,
            since_return: others.since_return,
        }
    }
}

/// Whether readers should hear of an outcome before the next turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    AtOnce,
    NextTurn,
}

impl Record {
    pub(super) fn new(key: Key, seed: u64, now: Timestamp) -> Self {
        let windows = match key.ownership() {
            Ownership::Shared => Windows::with_statistics(),
            // Speed is the endpoint's, and is measured with the operator's credential.
            Ownership::Own => Windows::without_statistics(),
        };
        Self {
            key,
            seed,
            inner: Mutex::new(Inner {
                windows,
                breaker: Breaker::default(),
                has_failed: false,
                asked_until: None,
                others_asked_until: None,
                tools: ToolQuality::Unknown,
                notes: 0,
                last_used: now,
                is_dirty: false,
                shown: Shown {
                    health: EndpointHealth::default(),
                    state: EndpointState::Stable,
                    at: now,
                },
            }),
        }
    }

    /// Leave for one attempt; `None` while it is held back.
    pub(super) fn ask(&self, now: Timestamp) -> Option<Ticket> {
        let mut inner = self.lock();
        inner.last_used = now;
        if inner.benched_until().is_some_and(|until| now < until) {
            return None;
        }
        match inner.breaker.ask(now) {
            Word::Go(ticket) => Some(ticket),
            Word::Held => None,
        }
    }

    /// Leave for one attempt, held back or not.
    pub(super) fn insist(&self, now: Timestamp) -> Ticket {
        let mut inner = self.lock();
        inner.last_used = now;
        inner.breaker.insist(now)
    }

    /// An attempt ended without an outcome.
    pub(super) fn abandon(&self, ticket: Ticket) {
        self.lock().breaker.abandon(ticket);
    }

    /// The first token came: enough for a probe to have succeeded.
    pub(super) fn began(&self, ticket: Ticket, now: Timestamp) -> Urgency {
        if ticket.is_probe {
            self.lock()
                .note_in_breaker(ticket, Grade::Success, self.seed, now)
        } else {
            Urgency::NextTurn
        }
    }

    /// The provider asked to be left alone for a while.
    pub(super) fn bench(&self, wait: Duration, now: Timestamp) -> Urgency {
        self.lock().bench(wait, now)
    }

    /// Takes note of an outcome.
    pub(super) fn note(
        &self,
        ticket: Ticket,
        outcome: &Outcome<'_>,
        others: impl FnOnce() -> OthersCount,
        now: Timestamp,
    ) -> Urgency {
        let grade = Grade::of(outcome.end, self.key.ownership());
        let mut inner = self.lock();
        inner.last_used = now;
        inner.is_dirty = true;
        if grade == Grade::Success && inner.has_failed {
            inner.answer_failures(now);
        }
        inner.windows.note(grade, outcome, now);
        let urgency = inner.note_in_breaker(ticket, grade, self.seed, now);
        match grade {
            // What gets better can wait for the next turn.
            Grade::Success | Grade::Forbidden | Grade::Nothing => urgency,
            Grade::Failure | Grade::Limited => {
                inner.has_failed |= grade == Grade::Failure;
                if let AttemptEnd::Failed(failure) = outcome.end
                    && let Some(wait) = failure.retry_after
                {
                    inner.bench(wait, now);
                }
                inner.urgency(others(), now)
            }
        }
    }

    /// What another node said of the same. `opening`: its breaker has opened since it last spoke.
    pub(super) fn hear(
        &self,
        benched: Option<Duration>,
        opening: Option<Duration>,
        now: Timestamp,
    ) -> Urgency {
        let mut inner = self.lock();
        inner.last_used = now;
        inner.is_dirty = true;
        if let Some(wait) = benched {
            let until = now.plus(wait.min(BENCH_MAX));
            inner.others_asked_until = inner.others_asked_until.max(Some(until));
        }
        if let Some(left) = opening {
            inner.breaker.follow(now, left);
        }
        inner.urgency(OthersCount::default(), now)
    }

    pub(super) fn set_tools(&self, tools: ToolQuality) {
        let mut inner = self.lock();
        inner.is_dirty |= inner.tools != tools;
        inner.tools = tools;
    }

    /// Computes what readers are to be told, where something happened or enough time has passed,
    /// and what has changed since they were told last.
    pub(super) fn show(
        &self,
        others: Option<&Measured>,
        now: Timestamp,
    ) -> (EndpointHealth, Option<Change>) {
        let mut inner = self.lock();
        inner.breaker.tick(now);
        if !inner.is_dirty && now.since(inner.shown.at) < AGEING {
            return (inner.shown.health, None);
        }
        let health = inner.health(others, now);
        let state = EndpointState::of(&health, now);
        let change = (state != inner.shown.state).then_some(Change {
            from: inner.shown.state,
            to: state,
        });
        inner.is_dirty = false;
        inner.shown = Shown {
            health,
            state,
            at: now,
        };
        (health, change)
    }

    pub(super) fn measured(&self, now: Timestamp) -> Measured {
        self.lock().windows.measured(now)
    }

    /// What other nodes should know; `None` where that is nothing.
    pub(super) fn digest(&self, now: Timestamp) -> Option<EndpointDigest> {
        let inner = self.lock();
        let mut digest = EndpointDigest::new(self.key.endpoint.clone(), self.key.credential.own());
        digest.benched_ms = inner
            .asked_until
            .map(|until| millis(until.since(now)))
            .filter(|left| *left > 0);
        digest.opening = inner.breaker.opening(now).map(|(number, left)| Opening {
            number,
            left_ms: millis(left),
        });
        let is_troubled = digest.benched_ms.is_some() || digest.opening.is_some();
        if self.key.ownership() == Ownership::Own {
            return is_troubled.then_some(digest);
        }
        let measured = inner.windows.measured(now);
        let is_used = measured.day.requests() > 0 || measured != Measured::default();
        measured.write_to(&mut digest);
        (is_troubled || is_used).then_some(digest)
    }

    /// Whether there is nothing left to remember.
    pub(super) fn is_forgotten(&self, now: Timestamp) -> bool {
        let memory = match self.key.ownership() {
            Ownership::Shared => Duration::from_secs(24 * 3_600),
            Ownership::Own => Duration::from_secs(15 * 60),
        };
        now.since(self.lock().last_used) > memory
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Counters and plain values: what a panic leaves is as good as an outcome not noted.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn note_in_breaker(
        &mut self,
        ticket: Ticket,
        grade: Grade,
        seed: u64,
        now: Timestamp,
    ) -> Urgency {
        self.notes += 1;
        let random = scrambled(seed ^ self.notes);
        if !self.breaker.note(ticket, grade, now, random) {
            return Urgency::NextTurn;
        }
        self.windows.start_afresh();
        self.has_failed = false;
        self.is_dirty = true;
        // All took it for stable, as only one could probe. Now that any number can, few may.
        Urgency::AtOnce
    }

    /// A success came after failures: if they made an outage, it is over.
    fn answer_failures(&mut self, now: Timestamp) {
        let recent = self.windows.recent(now);
        if is_outage(recent) {
            self.windows.end_outage();
            self.has_failed = false;
        } else if recent.failed == 0 {
            self.has_failed = false;
        }
    }

    fn bench(&mut self, wait: Duration, now: Timestamp) -> Urgency {
        let until = now.plus(wait.min(BENCH_MAX));
        let before = self.benched_until().unwrap_or(now).max(now);
        self.asked_until = self.asked_until.max(Some(until));
        self.is_dirty = true;
        if until.since(before) >= BENCH_GROWTH_MIN {
            Urgency::AtOnce
        } else {
            Urgency::NextTurn
        }
    }

    fn benched_until(&self) -> Option<Timestamp> {
        self.asked_until.max(self.others_asked_until)
    }

    /// Whether things are worse than readers have been told.
    fn urgency(&self, others: OthersCount, now: Timestamp) -> Urgency {
        let shown = &self.shown.health;
        let told_until = shown.benched_until.unwrap_or(now).max(now);
        let (held_until, rank) = (self.held_until(now), self.rank(others, now));
        let is_held_longer =
            held_until.is_some_and(|until| until.since(told_until) >= BENCH_GROWTH_MIN);
        if is_held_longer || rank > shown.rank {
            Urgency::AtOnce
        } else {
            Urgency::NextTurn
        }
    }

    fn health(&self, others: Option<&Measured>, now: Timestamp) -> EndpointHealth {
        let mut speeds = self.windows.five_minutes(now);
        if let Some(others) = others {
            speeds.add(&others.five_minutes);
        }
        let others = others.map(OthersCount::from).unwrap_or_default();
        EndpointHealth {
            rank: self.rank(others, now),
            benched_until: self.held_until(now),
            probation_ppm: self.breaker.probation_ppm(),
            throughput_milli_tps: speeds.throughput.percentiles_reached(),
            latency_ms: speeds.latency.percentiles_within(),
            failure_ppm: failure_ppm(self.since_return(others, now), RANKED_ATTEMPTS_MIN),
            tools: self.tools,
        }
    }

    /// The provider's wish and the breaker's, whichever lasts longer.
    fn held_until(&self, now: Timestamp) -> Option<Timestamp> {
        let by_breaker = match self.breaker.stand(now) {
            Stand::Open { until } => Some(until),
            Stand::Closed | Stand::HalfOpen | Stand::Probation => None,
        };
        self.benched_until()
            .max(by_breaker)
            .filter(|until| now < *until)
    }

    /// The rank beside what holds it back altogether.
    fn rank(&self, others: OthersCount, now: Timestamp) -> HealthRank {
        // While it comes back, its share of requests says how far it is trusted.
        if self.breaker.stand(now) != Stand::Closed {
            return HealthRank::Stable;
        }
        let failure_ppm = failure_ppm(self.since_return(others, now), RANKED_ATTEMPTS_MIN);
        if failure_ppm.is_some_and(|ppm| ppm > DEGRADED_FAILURE_PPM) {
            return HealthRank::Degraded;
        }
        let mut recent = self.windows.recent(now);
        recent.add(&others.recent);
        if is_outage(recent) {
            HealthRank::Outage
        } else {
            HealthRank::Stable
        }
    }

    fn since_return(&self, others: OthersCount, now: Timestamp) -> OutcomeCounts {
        let mut counts = self.windows.since_return(now);
        counts.add(&others.since_return);
        counts
    }
}

fn is_outage(recent: OutcomeCounts) -> bool {
    recent.failed >= OUTAGE_FAILURES_MIN && recent.failed >= recent.attempts().div_ceil(2)
}

/// The share of failures in parts per million, where there were enough attempts to tell.
pub(super) fn failure_ppm(counts: OutcomeCounts, attempts_min: u32) -> Option<u32> {
    let attempts = counts.attempts();
    (attempts >= attempts_min.max(1)).then(|| {
        let ppm = u64::from(counts.failed) * 1_000_000 / u64::from(attempts);
        u32::try_from(ppm).unwrap_or(u32::MAX)
    })
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Scrambles a number, as SplitMix64 does at its end.
fn scrambled(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
