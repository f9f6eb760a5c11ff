//! Health of endpoints: measured here, shared between nodes, read by routing.
//!
//! An attempt takes a [`Permit`] from the [`HealthBoard`] and hands it back with its [`Outcome`].
//! Each endpoint with each credential has a record of its own; what happens to a customer's
//! credential is kept apart from the endpoint itself and never counts against it. Readers get an
//! immutable snapshot. A turn of the board, a few times a second, replaces it; what puts an endpoint
//! behind others is in it at once.
//!
//! Read `outcome.rs` for what counts against whom, `breaker.rs` for how an endpoint is left alone
//! and comes back, `record.rs` for what a record comes to.

mod breaker;
mod figures;
mod measured;
mod outcome;
mod peers;
mod permit;
mod record;
mod records;
mod sketch;
mod state;
#[cfg(test)]
mod tests;
mod tool_calls;
mod tool_quality;
mod window;

use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use switchyard_coordination::{HealthDigest, PeerHealth, health::DIGEST_TTL};
use switchyard_domain::{clock::Timestamp, endpoint::EndpointId, id::CredentialId};
use switchyard_routing::{
    credentials::CredentialUse,
    health::{EndpointHealth, HealthSnapshot},
};

use self::{
    measured::Measured,
    peers::{Others, Peers},
    record::{Key, OthersCount, Record, Urgency},
    records::Records,
    state::report,
    tool_quality::{Sample, judge, model_and_provider},
};
use crate::App;

pub use self::{
    figures::EndpointFigures,
    outcome::{AttemptEnd, Outcome},
    permit::Permit,
    state::EndpointState,
    tool_calls::{ToolCallWatch, ToolCallsVerdict},
};

/// How often endpoints are compared by how they handle tools, and old records are dropped.
const UPKEEP: Duration = Duration::from_secs(10);

/// The health of all endpoints.
#[derive(Debug)]
pub struct HealthBoard {
    records: Records,
    snapshot: ArcSwap<HealthSnapshot>,
    /// What other nodes count.
    others: ArcSwap<Others>,
    peers: Mutex<Peers>,
    /// Held by whoever replaces the snapshot; remembers the last upkeep.
    publishing: Mutex<Option<Timestamp>>,
    turn: AtomicU64,
}

impl HealthBoard {
    /// A board that knows nothing yet. `seed` decides how the times are blurred that breakers stay
    /// open.
    pub fn new(seed: u64) -> Self {
        Self {
            records: Records::new(seed),
            snapshot: ArcSwap::default(),
            others: ArcSwap::default(),
            peers: Mutex::default(),
            publishing: Mutex::default(),
            turn: AtomicU64::new(0),
        }
    }

    /// What is known now.
    pub fn snapshot(&self) -> Arc<HealthSnapshot> {
        self.snapshot.load_full()
    }

    /// Leave for one attempt. `None`: the endpoint is left alone for now, or somebody else is
    /// already finding out whether it is back. Ask the next one, and [`insist`](Self::insist) only
    /// where there is no other.
    pub fn begin(
        &self,
        endpoint: &EndpointId,
        credential: CredentialUse,
        now: Timestamp,
    ) -> Option<Permit> {
        let Some(record) = self.record(endpoint, credential, now) else {
            return Some(Permit::untracked());
        };
        let ticket = record.ask(now)?;
        Some(Permit::new(record, ticket))
    }

    /// Leave for one attempt whatever the endpoint's health: for what the caller listed by name, and
    /// for the least bad where all are bad.
    pub fn insist(
        &self,
        endpoint: &EndpointId,
        credential: CredentialUse,
        now: Timestamp,
    ) -> Permit {
        match self.record(endpoint, credential, now) {
            Some(record) => {
                let ticket = record.insist(now);
                Permit::new(record, ticket)
            }
            None => Permit::untracked(),
        }
    }

    /// The first token of an attempt came. That is enough for a probe; without this call it goes on
    /// until its answer ends.
    pub fn began(&self, permit: &Permit, now: Timestamp) {
        if let Some((record, ticket)) = permit.held()
            && record.began(*ticket, now) == Urgency::AtOnce
        {
            self.publish(record, now);
        }
    }

    /// The provider said, beside an answer, that nothing more is to be had for a while.
    pub fn bench(&self, permit: &Permit, wait: Duration, now: Timestamp) {
        if let Some((record, _)) = permit.held()
            && record.bench(wait, now) == Urgency::AtOnce
        {
            self.publish(record, now);
        }
    }

    /// An attempt is over.
    pub fn finish(&self, permit: Permit, outcome: &Outcome<'_>, now: Timestamp) {
        let Some((record, ticket)) = permit.take() else {
            return;
        };
        let others = || {
            let others = self.others.load();
            let known = others
                .get(&record.key)
                .map(|known| OthersCount::from(&**known));
            known.unwrap_or_default()
        };
        if record.note(ticket, outcome, others, now) == Urgency::AtOnce {
            self.publish(&record, now);
        }
    }

    /// Brings the snapshot up to date. To be called a few times a second.
    pub fn take_turn(&self, now: Timestamp) {
        let mut last_upkeep = lock(&self.publishing);
        let records = self.records.all();
        let others = self.others.load();
        if last_upkeep.is_none_or(|last| now.since(last) >= UPKEEP) {
            *last_upkeep = Some(now);
            compare_tools(&records, &others, now);
        }
        let mut next = HealthSnapshot::default();
        for record in &records {
            let (health, change) = record.show(others.get(&record.key).map(|known| &**known), now);
            if let Some(change) = change {
                report(&record.key, change);
            }
            insert(&mut next, &record.key, health);
        }
        self.snapshot.store(Arc::new(next));
        drop(records);
        if *last_upkeep == Some(now) {
            self.records.forget(now);
        }
    }

    /// What this node knows, for the others.
    pub fn digest(&self, now: Timestamp) -> HealthDigest {
        let records = self.records.all();
        let mut endpoints: Vec<_> = records
            .iter()
            .filter_map(|record| record.digest(now))
            .collect();
        endpoints.sort_by_key(|one| {
            let is_held = one.opening.is_some() || one.benched_ms.is_some();
            let used = one.five_minutes.outcomes.requests();
            Reverse((is_held, used, one.half_hour.outcomes.requests()))
        });
        endpoints.truncate(HealthDigest::ENDPOINTS_MAX);
        HealthDigest {
            turn: self.turn.fetch_add(1, Ordering::Relaxed) + 1,
            endpoints,
        }
    }

    /// Takes in what all the other nodes know. Whoever is not among them is forgotten.
    pub fn hear(&self, peers: Vec<PeerHealth>, now: Timestamp) {
        let mut known = lock(&self.peers);
        let hints = known.hear(peers, now);
        let sum = known.sum();
        drop(known);
        // What only others use is ranked by what they say.
        for key in sum.keys() {
            self.records.find_or_make(key, now);
        }
        self.others.store(Arc::new(sum));
        for hint in hints {
            if let Some(record) = self.records.find_or_make(&hint.key, now)
                && record.hear(hint.benched, hint.opening, now) == Urgency::AtOnce
            {
                self.publish(&record, now);
            }
        }
    }

    /// The others could not be heard: their counts are believed for a moment longer.
    pub fn hear_nothing(&self, now: Timestamp) {
        let mut known = lock(&self.peers);
        known.hear_nothing(now);
        self.others.store(Arc::new(known.sum()));
    }

    /// A customer's credential is not what it was: how it did before says nothing any more.
    pub fn forget_own(&self, credential: CredentialId) {
        let _turn = lock(&self.publishing);
        self.records.forget_own(credential);
        let shown = self.snapshot.load();
        if shown.own.keys().any(|(_, known)| *known == credential) {
            let mut next = HealthSnapshot::clone(&shown);
            next.own.retain(|(_, known), _| *known != credential);
            self.snapshot.store(Arc::new(next));
        }
    }

    /// How an endpoint has been doing with the operator's credential, on all nodes.
    pub fn figures(&self, endpoint: &EndpointId, now: Timestamp) -> EndpointFigures {
        let key = Key {
            endpoint: endpoint.clone(),
            credential: CredentialUse::Shared,
        };
        let own = self.records.find(&key).map(|record| record.measured(now));
        let mut measured = own.unwrap_or_default();
        if let Some(others) = self.others.load().get(&key) {
            measured.add(others);
        }
        let health = self
            .snapshot
            .load()
            .of(endpoint, CredentialUse::Shared, now);
        EndpointFigures::new(EndpointState::of(&health, now), &measured)
    }

    fn record(
        &self,
        endpoint: &EndpointId,
        credential: CredentialUse,
        now: Timestamp,
    ) -> Option<Arc<Record>> {
        // What a request supplied is gone with it, and with it all that could be said of it.
        if matches!(credential, CredentialUse::Supplied(_)) {
            return None;
        }
        let key = Key {
            endpoint: endpoint.clone(),
            credential,
        };
        self.records.find_or_make(&key, now)
    }

    /// Puts one record's health into the snapshot now.
    fn publish(&self, record: &Record, now: Timestamp) {
        let _turn = lock(&self.publishing);
        let others = self.others.load();
        let (health, change) = record.show(others.get(&record.key).map(|known| &**known), now);
        let mut next = HealthSnapshot::clone(&self.snapshot.load());
        insert(&mut next, &record.key, health);
        self.snapshot.store(Arc::new(next));
        if let Some(change) = change {
            report(&record.key, change);
        }
    }
}

impl App {
    /// How an endpoint has been doing.
    pub fn endpoint_figures(&self, endpoint: &EndpointId) -> EndpointFigures {
        self.health.figures(endpoint, self.clock.now())
    }

    /// Tells the other nodes how endpoints are doing here, and hears it from them. Without contact
    /// this node goes by what it sees itself.
    pub(crate) async fn exchange_health(&self) {
        if self.coordination.is_alone() {
            return;
        }
        let digest = self.health.digest(self.clock.now());
        let told = self.coordination.publish_health(&digest, DIGEST_TTL).await;
        let heard = self.coordination.health_of_peers().await;
        for degraded in [told.as_ref().err(), heard.as_ref().err()]
            .into_iter()
            .flatten()
        {
            metrics::counter!("switchyard_coordination_degraded_total", "reason" => degraded.reason())
                .increment(1);
        }
        let now = self.clock.now();
        match heard {
            Ok(peers) => self.health.hear(peers, now),
            Err(_) => self.health.hear_nothing(now),
        }
    }
}

/// What is well and unmeasured needs no entry.
fn insert(snapshot: &mut HealthSnapshot, key: &Key, health: EndpointHealth) {
    let is_telling = health != EndpointHealth::default();
    match key.credential {
        CredentialUse::Shared if is_telling => {
            snapshot.endpoints.insert(key.endpoint.clone(), health);
        }
        CredentialUse::Shared => {
            snapshot.endpoints.remove(&key.endpoint);
        }
        CredentialUse::Own(id) if is_telling => {
            snapshot.own.insert((key.endpoint.clone(), id), health);
        }
        CredentialUse::Own(id) => {
            snapshot.own.remove(&(key.endpoint.clone(), id));
        }
        // Never on record.
        CredentialUse::Supplied(_) => {}
    }
}

/// Compares the endpoints of each model by how they handle tools.
fn compare_tools(records: &[Arc<Record>], others: &Others, now: Timestamp) {
    let mut models: HashMap<&str, Vec<(&Record, &str, Measured)>> = HashMap::new();
    for record in records {
        if !record.key.credential.is_shared() {
            continue;
        }
        let mut measured = record.measured(now);
        if let Some(others) = others.get(&record.key) {
            measured.add(others);
        }
        let (model, provider) = model_and_provider(record.key.endpoint.as_str());
        models
            .entry(model)
            .or_default()
            .push((record, provider, measured));
    }
    for endpoints in models.values() {
        let samples: Vec<Sample<'_>> = endpoints
            .iter()
            .map(|(_, provider, measured)| Sample {
                provider,
                requests: measured.half_hour.outcomes.requests(),
                tools: measured.tools,
                throughput_milli_tps: measured.half_hour.throughput.percentiles_reached().p50,
            })
            .collect();
        for ((record, ..), quality) in endpoints.iter().zip(judge(&samples)) {
            record.set_tools(quality);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is behind is replaced whole, so a panic cannot leave it half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
