//! What is known of endpoints' health, as an immutable snapshot.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use serde::{Deserialize, Serialize};
use switchyard_domain::{clock::Timestamp, endpoint::EndpointId, id::CredentialId};
use switchyard_interchange::preferences::Percentiles;

use crate::credentials::CredentialUse;

/// How well an endpoint has been doing, best first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum HealthRank {
    /// No significant trouble lately.
    #[default]
    Stable,
    /// Failing right now: at least two failures and half of all attempts in the last 30 seconds.
    Outage,
    /// Failing too often over the last minutes, though not in the last 30 seconds.
    Degraded,
    /// Not to be tried before [`EndpointHealth::benched_until`].
    Down,
}

/// How well an endpoint handles tools, best first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ToolQuality {
    /// As good as its peers.
    Good,
    /// Too few requests to tell.
    #[default]
    Unknown,
    /// Markedly worse than its peers.
    Demoted,
}

/// One endpoint's health with one credential.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EndpointHealth {
    /// The summary that ranking goes by.
    pub rank: HealthRank,
    /// A provider's `Retry-After` or an open breaker keeps the endpoint back until then.
    pub benched_until: Option<Timestamp>,
    /// It comes back after trouble: this share of requests, in parts per million, takes it for
    /// stable already; for the others it is degraded. `None`: it has recovered.
    pub probation_ppm: Option<u32>,
    /// Tokens per second over the last five minutes, in thousandths; pN is what N % of requests
    /// reach or beat, so p90 is below p50.
    pub throughput_milli_tps: Percentiles,
    /// Milliseconds to the first token over the last five minutes; pN is what N % of requests stay
    /// within.
    pub latency_ms: Percentiles,
    /// Failures among the last five minutes' attempts, in parts per million; `None`: too few.
    pub failure_ppm: Option<u32>,
    /// How it does with tools.
    pub tools: ToolQuality,
}

/// Of the attempts at an endpoint in an outage, the share that is taken to fail at least.
const OUTAGE_FAILURE_PPM: u32 = 500_000;

/// The same where an endpoint is degraded and nobody counted.
const DEGRADED_FAILURE_PPM: u32 = 200_000;

const ONE_MILLION: u32 = 1_000_000;

impl EndpointHealth {
    /// Settles for one request what an endpoint is that comes back after trouble: stable for the
    /// share that its probation allows, degraded for the others. `fraction` is evenly spread over
    /// the unit interval, in units of 2^-64.
    pub(crate) fn settle_probation(&mut self, fraction: u64) {
        let drawn_ppm = (u128::from(fraction) * u128::from(ONE_MILLION)) >> u64::BITS;
        if self
            .probation_ppm
            .is_some_and(|allowed| drawn_ppm >= u128::from(allowed))
        {
            self.rank = self.rank.max(HealthRank::Degraded);
        }
    }

    /// Whether it comes back after trouble, and not for this request.
    pub(crate) fn is_held_back(&self) -> bool {
        self.probation_ppm.is_some() && self.rank >= HealthRank::Degraded
    }

    /// The chance that an attempt fails, in parts per million.
    pub(crate) fn expected_failure_ppm(&self) -> u32 {
        let measured = self.failure_ppm;
        match self.rank {
            HealthRank::Stable => measured.unwrap_or(0),
            HealthRank::Outage => measured.unwrap_or(0).max(OUTAGE_FAILURE_PPM),
            HealthRank::Degraded => measured.unwrap_or(DEGRADED_FAILURE_PPM),
            HealthRank::Down => ONE_MILLION,
        }
    }
}

/// A map that is asked for every candidate of every request.
pub type ByEndpoint<V> = HashMap<EndpointId, V, BuildHasherDefault<EndpointHasher>>;

/// A quick hash. Ids come from the operator's catalogue, so nobody can choose them to collide.
#[derive(Debug, Clone, Copy, Default)]
pub struct EndpointHasher(u64);

impl EndpointHasher {
    fn mix(&mut self, word: u64) {
        /// An odd number without a pattern in its bits: those of the golden ratio.
        const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(SPREAD);
    }
}

impl Hasher for EndpointHasher {
    /// Whole words, and then the last eight bytes whether or not they were in one of those: a fixed
    /// length is read in one step.
    fn write(&mut self, bytes: &[u8]) {
        let (words, _) = bytes.as_chunks();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        match bytes.last_chunk() {
            Some(last) => self.mix(u64::from_le_bytes(*last)),
            None => bytes.iter().for_each(|byte| self.mix(u64::from(*byte))),
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.mix(u64::from(byte));
    }

    /// Multiplication leaves the best bits on top, and maps look at both ends.
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}

/// All endpoints' health at one moment; an absent endpoint is stable and unmeasured.
#[derive(Debug, Clone, Default)]
pub struct HealthSnapshot {
    /// With the operator's credentials, by endpoint.
    pub endpoints: ByEndpoint<EndpointHealth>,
    /// With customers' own credentials: what happens to one says nothing about the endpoint.
    pub own: HashMap<(EndpointId, CredentialId), EndpointHealth>,
}

impl HealthSnapshot {
    /// What is known of one endpoint at `now`; a bench that ran out no longer counts.
    pub fn of(
        &self,
        endpoint: &EndpointId,
        credential: CredentialUse,
        now: Timestamp,
    ) -> EndpointHealth {
        let mut health = self.endpoints.get(endpoint).copied().unwrap_or_default();
        if !credential.is_shared() {
            // Of what a request supplied nothing is remembered.
            let own = credential.own();
            let own = own.and_then(|id| self.own.get(&(endpoint.clone(), id)).copied());
            // Speed is the endpoint's; trouble may be the credential's own.
            health = EndpointHealth {
                throughput_milli_tps: health.throughput_milli_tps,
                latency_ms: health.latency_ms,
                tools: health.tools,
                ..own.unwrap_or_default()
            };
        }
        if health.benched_until.is_some_and(|until| now < until) {
            health.rank = HealthRank::Down;
        } else {
            health.benched_until = None;
        }
        health
    }
}
