//! Codes that programs exchange for keys: each once, for a key that was described when its owner
//! agreed.

use async_trait::async_trait;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, PersonId, WorkspaceId},
    tenancy::KeyLimit,
};

use crate::{
    api_key::{KeyRevision, NewApiKey},
    audit::AuditEvent,
    directory::DirectoryError,
};

/// How a verifier becomes a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeMethod {
    /// The challenge is the verifier's SHA-256, in base64url without padding.
    S256,
    /// The challenge is the verifier.
    Plain,
}

impl ChallengeMethod {
    /// The public and stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S256 => "S256",
            Self::Plain => "plain",
        }
    }

    /// The method with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::S256, Self::Plain]
            .into_iter()
            .find(|method| method.as_str() == name)
    }
}

/// What whoever exchanges a code must prove to know the verifier of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// How it was made.
    pub method: ChallengeMethod,
    /// What was made.
    pub text: String,
}

/// What is agreed to with a code: whose key it will be, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthGrant {
    /// Who pays.
    pub account_id: AccountId,
    /// Where the key will live.
    pub workspace_id: WorkspaceId,
    /// Whose it will be.
    pub person_id: Option<PersonId>,
    /// Where the code goes; `None` where it is shown.
    pub callback_url: Option<String>,
    /// What must be proved.
    pub challenge: Option<Challenge>,
    /// What the key will be called.
    pub key_name: String,
    /// What may be spent with it.
    pub limit: Option<KeyLimit>,
    /// Until when it will work.
    pub key_expires_at: Option<Timestamp>,
}

/// A code to be kept.
#[derive(Debug, Clone)]
pub struct NewOAuthCode {
    /// SHA-256 of the code.
    pub code_hash: [u8; 32],
    /// Where the program is.
    pub origin: String,
    /// What is agreed to.
    pub grant: OAuthGrant,
    /// Now.
    pub at: Timestamp,
    /// Useless from then on.
    pub expires_at: Timestamp,
}

/// A code as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthCode {
    /// What is agreed to.
    pub grant: OAuthGrant,
    /// Where the program is.
    pub origin: String,
    /// Useless from then on.
    pub expires_at: Timestamp,
    /// When it was exchanged.
    pub used_at: Option<Timestamp>,
    /// The public hash of the key that it was exchanged for.
    pub key_hash: Option<String>,
}

/// Keeps codes.
#[async_trait]
pub trait OAuthStore: Send + Sync + 'static {
    /// Keeps a code; tells the number of the program. `Missing` when the account has no such
    /// workspace.
    async fn insert_oauth_code(
        &self,
        code: &NewOAuthCode,
        audit: &AuditEvent,
    ) -> Result<i64, DirectoryError>;

    /// A code, whether it was used or not.
    async fn oauth_code(&self, code_hash: &[u8; 32]) -> Result<Option<OAuthCode>, DirectoryError>;

    /// Uses a code up and stores the key that it is exchanged for, both or neither. `Conflict` on
    /// `code` when it was used or its time is over; else refuses as
    /// [`create_key`](crate::api_key::ApiKeyStore::create_key) does.
    async fn redeem_oauth_code(
        &self,
        code_hash: &[u8; 32],
        key: &NewApiKey,
        audit: &AuditEvent,
    ) -> Result<KeyRevision, DirectoryError>;
}
