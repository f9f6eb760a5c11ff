//! The port to everything stored that is not money in motion: accounts, API keys, sealed
//! credentials, settled generations, the audit log, nodes. One method is one transaction, and what
//! a method promises holds on every engine.

use async_trait::async_trait;
use serde_json::value::RawValue;
use switchyard_billing::ledger::Posting;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId, GenerationId, LedgerTransactionId, NodeId, WorkspaceId},
    provider::ProviderSlug,
    tenancy::ApiKey,
};

use crate::{
    account::{Account, Credits, NewAccount},
    api_key::{KeyRevision, KeyUsage, KeyVerifier, NewApiKey, Page, StoredKey},
    audit::AuditEvent,
    credential::{NewProviderCredential, StoredCredential, TenantKeyRow},
    generation::{DecidedGeneration, GenerationView, Walk},
    policy::{PolicyChange, PolicyRevision, PolicySubject, StoredPolicy},
};

/// Why the directory could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The database cannot be reached or is too slow; the same call may succeed later.
    #[error("the directory is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another row already has what must be unique; names the field, such as `email`.
    #[error("{0} is already taken")]
    Conflict(&'static str),
    /// The row the call names does not exist, or not in the tenant it names.
    #[error("{0} does not exist")]
    Missing(String),
    /// The state of things does not allow it; names the rule, such as `live_keys`.
    #[error("refused: {0}")]
    Refused(&'static str),
    /// The database answered something that cannot be; a human must look.
    #[error("the directory is inconsistent: {0}")]
    Inconsistent(String),
}

/// Everything stored that is not money in motion.
#[async_trait]
pub trait Directory: Send + Sync + 'static {
    /// Creates an account, its default workspace and its empty credits. `Conflict` on `email` or
    /// `account_id`.
    async fn create_account(&self, account: &NewAccount) -> Result<(), DirectoryError>;

    /// The account with this address, whatever its case.
    async fn account_by_email(&self, email: &str) -> Result<Option<Account>, DirectoryError>;

    /// The account with this id.
    async fn account_by_id(&self, id: AccountId) -> Result<Option<Account>, DirectoryError>;

    /// What an account was granted and used; zeros when nothing ever touched it.
    async fn credits(&self, account: AccountId) -> Result<Credits, DirectoryError>;

    /// Stores a key. `Missing` when its workspace is not one of its account's; `Conflict` on
    /// `lookup_id` or `api_key_id`.
    async fn insert_key(&self, key: &NewApiKey) -> Result<KeyRevision, DirectoryError>;

    /// The key that caches and requests know by this id; never a deleted one. Disabled and
    /// expired keys are returned, so that the caller can say which it is.
    async fn key_by_lookup_id(&self, lookup_id: &str) -> Result<Option<StoredKey>, DirectoryError>;

    /// A workspace's keys, newest first, without deleted ones.
    async fn list_keys(
        &self,
        workspace: WorkspaceId,
        page: Page,
    ) -> Result<Vec<ApiKey>, DirectoryError>;

    /// Replaces what a key is verified by, if it is still the one in `expected`; `false` when it is
    /// not, or the key is gone. Nobody's caches need to know.
    async fn replace_verifier(
        &self,
        key: ApiKeyId,
        expected: &KeyVerifier,
        verifier: &KeyVerifier,
    ) -> Result<bool, DirectoryError>;

    /// Switches a key off or on again. `Missing` when the workspace has no such key.
    async fn set_key_disabled(
        &self,
        workspace: WorkspaceId,
        key: ApiKeyId,
        disabled: bool,
        at: Timestamp,
    ) -> Result<KeyRevision, DirectoryError>;

    /// Deletes a key for good; its row stays for the books. `Missing` when the workspace has no
    /// such key.
    async fn delete_key(
        &self,
        workspace: WorkspaceId,
        key: ApiKeyId,
        at: Timestamp,
    ) -> Result<KeyRevision, DirectoryError>;

    /// Keys changed since `revision`, in order, at most 1,000; ask again after the last one. For
    /// nodes that hear of changes in no other way.
    async fn key_revisions_after(&self, revision: i64) -> Result<Vec<KeyRevision>, DirectoryError>;

    /// The revision of the latest change to any key; 0 when there was none. Where a node starts
    /// polling.
    async fn key_revision(&self) -> Result<i64, DirectoryError>;

    /// What a key used up to `now`.
    async fn key_usage(&self, key: ApiKeyId, now: Timestamp) -> Result<KeyUsage, DirectoryError>;

    /// Stores a provider credential, replacing the one with the same provider and label.
    async fn put_provider_credential(
        &self,
        credential: &NewProviderCredential,
    ) -> Result<(), DirectoryError>;

    /// Deletes a provider credential; `false` when there was none.
    async fn delete_provider_credential(
        &self,
        provider: &ProviderSlug,
        label: &str,
    ) -> Result<bool, DirectoryError>;

    /// All provider credentials, by provider and label.
    async fn provider_credentials(&self) -> Result<Vec<StoredCredential>, DirectoryError>;

    /// A number that changes whenever a provider credential does.
    async fn credential_revision(&self) -> Result<i64, DirectoryError>;

    /// One version of a tenant's wrapped key.
    async fn tenant_key(
        &self,
        tenant: &str,
        version: i32,
    ) -> Result<Option<TenantKeyRow>, DirectoryError>;

    /// The newest version of a tenant's wrapped key.
    async fn latest_tenant_key(&self, tenant: &str)
    -> Result<Option<TenantKeyRow>, DirectoryError>;

    /// Stores a version of a tenant's key unless it exists: the first writer wins, and everyone
    /// gets the row that is there.
    async fn put_tenant_key(&self, row: &TenantKeyRow) -> Result<TenantKeyRow, DirectoryError>;

    /// Replaces the wrapping of an existing version if it is still the one in `expected`; `false`
    /// when somebody else was faster.
    async fn rewrap_tenant_key(
        &self,
        expected: &TenantKeyRow,
        rewrapped: &TenantKeyRow,
    ) -> Result<bool, DirectoryError>;

    /// Tenant keys that other versions than this wrapping key's wrap, in order, behind the one
    /// after which to go on, at most `limit`: the work list of a rotation.
    async fn tenant_keys_not_under(
        &self,
        kek_id: &str,
        kek_version: i32,
        after: Option<&TenantKeyRow>,
        limit: u32,
    ) -> Result<Vec<TenantKeyRow>, DirectoryError>;

    /// Whether anything is stored that is worth nothing without the keyring, sealed or verified
    /// with its help: then a missing keyring is a loss and not a first start.
    async fn holds_sealed_rows(&self) -> Result<bool, DirectoryError>;

    /// A settled generation of an account; `None` for one that is another account's, unknown or not
    /// posted yet.
    async fn generation(
        &self,
        account: AccountId,
        id: &GenerationId,
    ) -> Result<Option<GenerationView>, DirectoryError>;

    /// The account's first generation, by when it was admitted.
    async fn first_generation(
        &self,
        account: AccountId,
    ) -> Result<Option<GenerationId>, DirectoryError>;

    /// What a transaction booked, in order; nothing where there is no such transaction.
    async fn postings_of(
        &self,
        transaction: LedgerTransactionId,
    ) -> Result<Vec<Posting>, DirectoryError>;

    /// Settled generations with their decisions, in an order of the store's own that `after` goes on
    /// from; the walk is over when fewer than `limit` come.
    async fn decided_generations(
        &self,
        walk: &Walk,
    ) -> Result<Vec<DecidedGeneration>, DirectoryError>;

    /// Sets a standing policy, replacing an earlier one, and notes it in the audit log. `Missing` when
    /// the subject is not the account's own.
    async fn put_policy(
        &self,
        change: &PolicyChange,
        rules: &RawValue,
    ) -> Result<PolicyRevision, DirectoryError>;

    /// Takes a standing policy back, and notes it in the audit log. `Missing` when the account has no
    /// such policy.
    async fn delete_policy(&self, change: &PolicyChange) -> Result<PolicyRevision, DirectoryError>;

    /// One standing policy of an account.
    async fn policy(
        &self,
        account: AccountId,
        subject: PolicySubject,
    ) -> Result<Option<StoredPolicy>, DirectoryError>;

    /// All standing policies of an account, outermost first.
    async fn policies_of_account(
        &self,
        account: AccountId,
    ) -> Result<Vec<StoredPolicy>, DirectoryError>;

    /// The standing policies that hold for a key's requests, outermost first.
    async fn policies_for(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        key: ApiKeyId,
    ) -> Result<Vec<StoredPolicy>, DirectoryError>;

    /// Policies set or cleared since `revision`, in order, at most 1,000; ask again after the last one.
    async fn policy_revisions_after(
        &self,
        revision: i64,
    ) -> Result<Vec<PolicyRevision>, DirectoryError>;

    /// The revision of the latest change to any policy; 0 when there was none.
    async fn policy_revision(&self) -> Result<i64, DirectoryError>;

    /// Appends to the audit log.
    async fn append_audit(&self, event: &AuditEvent) -> Result<(), DirectoryError>;

    /// Records that a node started; the same node may start again.
    async fn register_node(&self, node: NodeId, at: Timestamp) -> Result<(), DirectoryError>;

    /// Makes room for generations admitted in the month of `now` and the two after it; run at
    /// start and daily. Without it they are stored all the same, only less conveniently.
    async fn ensure_partitions(&self, now: Timestamp) -> Result<(), DirectoryError>;

    /// Whether the database answers.
    async fn ping(&self) -> Result<(), DirectoryError>;
}
