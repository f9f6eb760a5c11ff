//! The warm cache as a record keeps it, so that the decision can be made again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use switchyard_domain::endpoint::EndpointId;

use crate::{credentials::CredentialUse, stickiness::WarmCache};

/// How warm a conversation's prompt cache was when it was decided where to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmRecord {
    /// Whose account at the provider the cache is in.
    #[serde(default, skip_serializing_if = "CredentialUse::is_shared")]
    pub credential: CredentialUse,
    /// Tokens of the conversation that were in the cache.
    pub warm_tokens: u64,
    /// How long ago it was last used, in milliseconds.
    pub idle_ms: u64,
    /// How long the provider keeps it unused, in milliseconds.
    pub ttl_ms: u64,
    /// The share of expected cache hits that came, in parts per million.
    pub hit_ppm: u32,
    /// Turns in a row for which another endpoint would have been markedly cheaper.
    pub dearer_turns: u8,
    /// Turns that the endpoint has served of it.
    #[serde(default)]
    pub turns: u32,
    /// How long the pin holds unused, in milliseconds.
    pub lifetime_ms: u64,
    /// What the conversation has in common with others of its account.
    pub prefix_digest: u64,
}

impl From<&WarmCache> for WarmRecord {
    fn from(warm: &WarmCache) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            credential: warm.credential,
            warm_tokens: warm.warm_tokens,
            idle_ms: millis(warm.idle),
            ttl_ms: millis(warm.ttl),
            hit_ppm: warm.hit_ppm,
            dearer_turns: warm.dearer_turns,
            turns: warm.turns,
            lifetime_ms: millis(warm.lifetime),
            prefix_digest: warm.prefix_digest,
        }
    }
}

impl WarmRecord {
    /// The cache as it was, at the endpoint that the record's `pin` names.
    pub fn at(&self, endpoint: EndpointId) -> WarmCache {
        WarmCache {
            endpoint,
            credential: self.credential,
            warm_tokens: self.warm_tokens,
            idle: Duration::from_millis(self.idle_ms),
            ttl: Duration::from_millis(self.ttl_ms),
            hit_ppm: self.hit_ppm,
            dearer_turns: self.dearer_turns,
            turns: self.turns,
            lifetime: Duration::from_millis(self.lifetime_ms),
            prefix_digest: self.prefix_digest,
        }
    }
}
