//! Sticky pins: the endpoint whose prompt cache is warm for a conversation.

use std::{fmt, time::Duration};

use switchyard_domain::{clock::Timestamp, endpoint::EndpointId, id::CredentialId};

/// A conversation: a digest over tenant, model and conversation that the caller of this crate
/// computes. It must contain the tenant, or one customer could move another's traffic.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PinKey([u8; 32]);

impl PinKey {
    /// Wraps a digest.
    pub const fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for PinKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::rate::hex(&self.0[..8]))
    }
}

/// Where a conversation was last served, and what is known of the cache that it left there. A prompt
/// cache belongs to the credential as much as to the endpoint, so both are remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The credential it was called with; `None` is shared capacity.
    pub credential: Option<CredentialId>,
    /// Tokens of the conversation that are in the cache, as far as the last answer told.
    pub warm_tokens: u64,
    /// When it was last used.
    pub touched_at: Timestamp,
    /// How long the provider keeps it unused. How long the pin itself is kept is said when it is set.
    pub ttl: Duration,
    /// Of the cache hits expected so far, the share that came, in parts per million.
    pub hit_ppm: u32,
    /// Turns in a row for which another endpoint would have been markedly cheaper.
    pub dearer_turns: u8,
}
