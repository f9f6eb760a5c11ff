//! Changes that a client may ask for twice: the first asking is claimed, and its outcome kept for a
//! day for whoever asks again.

use async_trait::async_trait;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, CredentialId},
};

use crate::directory::DirectoryError;

/// An asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// Whose.
    pub account_id: AccountId,
    /// The method and route, such as `POST /keys`.
    pub route: String,
    /// The client's key.
    pub key: String,
    /// SHA-256 over what is asked for.
    pub digest: [u8; 32],
    /// Names the record that the outcome will be sealed as.
    pub record: CredentialId,
    /// Until when nobody else may take it up, in case the first asker dies.
    pub claimed_until: Timestamp,
    /// When it is forgotten.
    pub expires_at: Timestamp,
    /// Now.
    pub at: Timestamp,
}

/// What became of an asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdempotencyClaim {
    /// It is the caller's to carry out.
    Claimed,
    /// It was carried out.
    Done {
        /// The HTTP status of its answer.
        status: u16,
        /// The answer, sealed.
        sealed: Vec<u8>,
        /// The record it was sealed as.
        record: CredentialId,
    },
    /// Somebody is at it.
    InFlight,
    /// The key was used for something else.
    Mismatch,
}

/// Keeps askings.
#[async_trait]
pub trait IdempotencyStore: Send + Sync + 'static {
    /// Claims an asking, or tells what became of it. One that expired counts as new.
    async fn claim(&self, request: &IdempotentRequest) -> Result<IdempotencyClaim, DirectoryError>;

    /// Keeps the outcome of a claimed asking.
    async fn finish(
        &self,
        request: &IdempotentRequest,
        status: u16,
        sealed: &[u8],
    ) -> Result<(), DirectoryError>;

    /// Gives a claim up, so that the same asking can be tried again.
    async fn abandon(&self, request: &IdempotentRequest) -> Result<(), DirectoryError>;

    /// Forgets what expired.
    async fn forget_expired(&self, now: Timestamp) -> Result<u64, DirectoryError>;
}
