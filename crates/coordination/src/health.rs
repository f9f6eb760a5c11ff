//! What nodes tell each other about endpoints: counts of outcomes, how fast answers came, and which
//! endpoints are being left alone. Ids and numbers only; nothing of any request.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use switchyard_domain::{
    endpoint::EndpointId,
    id::{CredentialId, NodeId},
};

/// How attempts ended. What callers did wrong and what they gave up is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "[u32; 4]", into = "[u32; 4]")]
pub struct OutcomeCounts {
    /// Answers that came to a clean end.
    pub succeeded: u32,
    /// Failures that speak against the endpoint.
    pub failed: u32,
    /// Refusals for going too fast.
    pub limited: u32,
    /// Refusals of the credential for this model.
    pub forbidden: u32,
}

impl OutcomeCounts {
    /// Successes and failures: what an uptime is a share of.
    pub const fn attempts(&self) -> u32 {
        self.succeeded.saturating_add(self.failed)
    }

    /// Everything counted.
    pub const fn requests(&self) -> u32 {
        self.attempts()
            .saturating_add(self.limited)
            .saturating_add(self.forbidden)
    }

    /// Adds another count to this one.
    pub const fn add(&mut self, other: &Self) {
        self.succeeded = self.succeeded.saturating_add(other.succeeded);
        self.failed = self.failed.saturating_add(other.failed);
        self.limited = self.limited.saturating_add(other.limited);
        self.forbidden = self.forbidden.saturating_add(other.forbidden);
    }
}

impl From<[u32; 4]> for OutcomeCounts {
    fn from([succeeded, failed, limited, forbidden]: [u32; 4]) -> Self {
        Self {
            succeeded,
            failed,
            limited,
            forbidden,
        }
    }
}

impl From<OutcomeCounts> for [u32; 4] {
    fn from(counts: OutcomeCounts) -> Self {
        [
            counts.succeeded,
            counts.failed,
            counts.limited,
            counts.forbidden,
        ]
    }
}

/// Outcomes and speed over one window. Speeds are histograms: pairs of a bin and how many fell into
/// it, by bin. What a bin stands for is for those who fill and read them to agree on; histograms of
/// several nodes add up bin by bin.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Measures {
    /// How attempts ended.
    #[serde(rename = "c", default, skip_serializing_if = "is_default")]
    pub outcomes: OutcomeCounts,
    /// Time to the first token.
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    pub latency: Vec<(u8, u32)>,
    /// Output tokens in time.
    #[serde(rename = "t", default, skip_serializing_if = "Vec::is_empty")]
    pub throughput: Vec<(u8, u32)>,
}

/// Requests that finished with tool calls, and how many of them had a broken one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "[u32; 2]", into = "[u32; 2]")]
pub struct ToolCounts {
    /// Requests that finished with tool calls.
    pub requests: u32,
    /// Those of them with a call that cannot be carried out.
    pub broken: u32,
}

impl ToolCounts {
    /// Adds another count to this one.
    pub const fn add(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.broken = self.broken.saturating_add(other.broken);
    }
}

impl From<[u32; 2]> for ToolCounts {
    fn from([requests, broken]: [u32; 2]) -> Self {
        Self { requests, broken }
    }
}

impl From<ToolCounts> for [u32; 2] {
    fn from(counts: ToolCounts) -> Self {
        [counts.requests, counts.broken]
    }
}

/// A node's circuit breaker is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Counts a node's openings for one endpoint, so that one is told from the next.
    #[serde(rename = "n")]
    pub number: u64,
    /// For how many more milliseconds. A span and not an instant: clocks differ.
    #[serde(rename = "ms")]
    pub left_ms: u64,
}

/// What one node knows of one endpoint with one credential, from its own requests alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointDigest {
    /// The endpoint.
    #[serde(rename = "e")]
    pub endpoint: EndpointId,
    /// The customer's own credential; `None` is shared capacity.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialId>,
    /// The last 30 seconds.
    #[serde(rename = "r", default, skip_serializing_if = "is_default")]
    pub recent: OutcomeCounts,
    /// The last five minutes, without what came before the endpoint's latest return.
    #[serde(rename = "g", default, skip_serializing_if = "is_default")]
    pub since_return: OutcomeCounts,
    /// The last five minutes.
    #[serde(rename = "m", default, skip_serializing_if = "is_default")]
    pub five_minutes: Measures,
    /// The last half hour.
    #[serde(rename = "h", default, skip_serializing_if = "is_default")]
    pub half_hour: Measures,
    /// The last day.
    #[serde(rename = "d", default, skip_serializing_if = "is_default")]
    pub day: OutcomeCounts,
    /// The last two hours.
    #[serde(rename = "x", default, skip_serializing_if = "is_default")]
    pub tools: ToolCounts,
    /// The provider asked this node to stay away for so many more milliseconds.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub benched_ms: Option<u64>,
    /// This node's breaker.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<Opening>,
}

impl EndpointDigest {
    /// About an endpoint of which nothing is known.
    pub fn new(endpoint: EndpointId, credential: Option<CredentialId>) -> Self {
        Self {
            endpoint,
            credential,
            recent: OutcomeCounts::default(),
            since_return: OutcomeCounts::default(),
            five_minutes: Measures::default(),
            half_hour: Measures::default(),
            day: OutcomeCounts::default(),
            tools: ToolCounts::default(),
            benched_ms: None,
            opening: None,
        }
    }
}

/// What one node knows of the endpoints that it has used lately.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HealthDigest {
    /// Tells a node's digest from its last one.
    pub turn: u64,
    /// The most telling first: what does not fit is cut off at the end.
    pub endpoints: Vec<EndpointDigest>,
}

impl HealthDigest {
    /// How many endpoints a digest is about at most.
    pub const ENDPOINTS_MAX: usize = 1_000;
    /// How many bytes a digest travels in at most.
    pub const BYTES_MAX: usize = 512 * 1_024;
}

/// Another node's digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerHealth {
    /// Whose.
    pub node: NodeId,
    /// What it knows.
    pub digest: HealthDigest,
}

/// How long a node's digest is believed after it was published, unless the publisher says otherwise.
pub const DIGEST_TTL: Duration = Duration::from_secs(5);

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
