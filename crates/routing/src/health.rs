//! What is known of endpoints' health, as an immutable snapshot.

use std::collections::HashMap;

use serde::Serialize;
use switchyard_domain::{clock::Timestamp, endpoint::EndpointId};

/// How well an endpoint has been doing, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
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

/// One endpoint's health.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EndpointHealth {
    /// The summary that ranking goes by.
    pub rank: HealthRank,
    /// A provider's `Retry-After` keeps the endpoint back until then.
    pub benched_until: Option<Timestamp>,
    /// Median tokens per second over the last minutes, in thousandths.
    pub throughput_p50_milli_tps: Option<u64>,
    /// Median time to the first token over the last minutes.
    pub latency_p50_ms: Option<u64>,
}

/// All endpoints' health at one moment; an absent endpoint is stable and unmeasured.
#[derive(Debug, Clone, Default)]
pub struct HealthSnapshot {
    /// By endpoint.
    pub endpoints: HashMap<EndpointId, EndpointHealth>,
}

impl HealthSnapshot {
    /// What is known of one endpoint at `now`; a bench that ran out no longer counts.
    pub fn of(&self, endpoint: &EndpointId, now: Timestamp) -> EndpointHealth {
        let mut health = self.endpoints.get(endpoint).copied().unwrap_or_default();
        if health.benched_until.is_some_and(|until| now < until) {
            health.rank = HealthRank::Down;
        } else {
            health.benched_until = None;
        }
        health
    }
}
