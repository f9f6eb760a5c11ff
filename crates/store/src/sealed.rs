//! Everything sealed, wherever it is stored, as a rotation of tenant keys sees it: bytes that name
//! a key version, replaced by compare-and-set.

use async_trait::async_trait;
use switchyard_domain::{
    id::{AccountId, CredentialId, WorkspaceId},
    provider::ProviderSlug,
};

use crate::{audit::AuditEvent, credential::TenantKeyRow, directory::DirectoryError};

/// Which table a sealed record lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SealedKind {
    /// A customer's credential.
    OwnCredential,
    /// An operator's.
    SharedCredential,
    /// The private half of a key that signs receipts.
    SigningKey,
    /// The seed of somebody's authenticator app.
    Authenticator,
}

/// What such a seed is bound to, in the place of a provider. No provider's slug has a colon.
pub const AUTHENTICATOR: &str = "switchyard:authenticator";

/// A sealed record with what its seal is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// Where it lies.
    pub kind: SealedKind,
    /// Its row: a credential's id, or a signing key's name.
    pub key: String,
    /// Whose; `None` is the operator.
    pub account_id: Option<AccountId>,
    /// The workspace it is bound to.
    pub workspace_id: Option<WorkspaceId>,
    /// The provider it is bound to; empty for signing keys.
    pub provider: ProviderSlug,
    /// The hosts it is bound to.
    pub endpoint_host: Option<String>,
    /// The record it was sealed as; `None` for signing keys, whose public half says it.
    pub record: Option<CredentialId>,
    /// The public half of a signing key.
    pub public_key: Option<[u8; 32]>,
    /// The version of the record it was sealed as.
    pub record_version: i32,
    /// The bytes.
    pub sealed: Vec<u8>,
}

/// A record's bytes under another key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewrappedRow {
    /// What was read; replaced only if it is still there.
    pub expected: SealedRow,
    /// The same secret, wrapped anew.
    pub sealed: Vec<u8>,
    /// The version of the tenant's key that these bytes name.
    pub tenant_key_version: i32,
}

/// Which versions of its key a tenant has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantVersions {
    /// The tenant.
    pub tenant: String,
    /// The newest version, which seals.
    pub newest: i32,
    /// How many there are; more than one while a rotation is not finished.
    pub count: u64,
}

/// What went with a tenant's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shredded {
    /// Keys that were deleted.
    pub keys: u64,
    /// Records that can no longer be opened.
    pub records: u64,
}

/// How many records name a version of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyVersionCount {
    /// The key: a key-encryption key's id, or a tenant.
    pub key: String,
    /// Its version.
    pub version: i32,
    /// Records.
    pub count: u64,
}

/// Sealed records for whoever rotates keys.
#[async_trait]
pub trait SealedStore: Send + Sync + 'static {
    /// Tenants that have a key, in order, after `tenant`, at most `limit`.
    async fn tenants_after(
        &self,
        tenant: &str,
        limit: u32,
    ) -> Result<Vec<TenantVersions>, DirectoryError>;

    /// An account's sealed records that do not name this version of its key, in order, after
    /// `after`, at most `limit`; for the operator (`None`) all its records, since there are few.
    async fn sealed_rows_not_under(
        &self,
        account: Option<AccountId>,
        tenant_key_version: i32,
        after: Option<CredentialId>,
        limit: u32,
    ) -> Result<Vec<SealedRow>, DirectoryError>;

    /// Replaces records' bytes where they are still those that were read, and counts those: the
    /// others were changed by somebody who was faster. Running nodes hear of it as of any change.
    async fn rewrap_sealed_rows(&self, rows: &[RewrappedRow]) -> Result<u64, DirectoryError>;

    /// How many tenant keys each version of a key-encryption key wraps.
    async fn tenant_keys_by_kek(&self) -> Result<Vec<KeyVersionCount>, DirectoryError>;

    /// How many customers' records each version of their tenant's key wraps.
    async fn records_by_tenant_key(&self) -> Result<Vec<KeyVersionCount>, DirectoryError>;

    /// How many of an account's records each version of its key wraps.
    async fn records_of_account(
        &self,
        account: AccountId,
    ) -> Result<Vec<(i32, u64)>, DirectoryError>;

    /// How many live API keys are verified under each version of the pepper.
    async fn api_keys_by_pepper(&self) -> Result<Vec<(i32, u64)>, DirectoryError>;

    /// All versions of a tenant's key, oldest first.
    async fn tenant_key_versions(&self, tenant: &str) -> Result<Vec<TenantKeyRow>, DirectoryError>;

    /// Deletes a version of a tenant's key that is not the newest and that no record names.
    /// `Refused` on `records_left` while one does, on `newest` for the newest.
    async fn delete_tenant_key(&self, tenant: &str, version: i32) -> Result<(), DirectoryError>;

    /// Deletes every key of an account, and with them what they sealed: for good. Its credentials
    /// count as deleted then.
    async fn shred_account(
        &self,
        account: AccountId,
        audit: &AuditEvent,
    ) -> Result<Shredded, DirectoryError>;

    /// A number that rises whenever an account was shredded: what was remembered of its keys must
    /// be forgotten then.
    async fn shred_revision(&self) -> Result<i64, DirectoryError>;
}
