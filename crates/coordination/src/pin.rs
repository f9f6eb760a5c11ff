//! Sticky pins: the endpoint whose prompt cache is warm for a conversation.

use std::fmt;

use switchyard_domain::{endpoint::EndpointId, id::CredentialId};

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

/// Where a conversation was last served. A prompt cache belongs to the credential as much as to
/// the endpoint, so both are remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The credential it was called with; `None` is shared capacity.
    pub credential: Option<CredentialId>,
}
