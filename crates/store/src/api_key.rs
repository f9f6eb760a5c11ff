//! API keys as a database may know them: a public lookup id and a keyed verifier, never the key.

use async_trait::async_trait;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId, CredentialId, PersonId, WorkspaceId},
    money::UsdNanos,
    patch::Patch,
    tenancy::{ApiKey, KeyLimit},
};

use crate::{audit::AuditEvent, directory::DirectoryError};

/// The label of the keys that the console calls models with for whoever is signed in. Nobody knows their
/// text; they are in no list and nobody's to manage, and keep no workspace and no member from going.
pub const CONSOLE_LABEL: &str = "console";

/// A key to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// What a request needs to know about it.
    pub key: ApiKey,
    /// The indexed, non-secret id inside the presented key.
    pub lookup_id: String,
    /// HMAC-SHA-256 of the whole key under the pepper.
    pub verifier: [u8; 32],
    /// Which pepper.
    pub pepper_version: i32,
}

/// A stored key with what a presented key is checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// What a request needs to know about it.
    pub key: ApiKey,
    /// HMAC-SHA-256 of the whole key under the pepper; compare in constant time.
    pub verifier: [u8; 32],
    /// Which pepper.
    pub pepper_version: i32,
}

/// What a presented key is checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyVerifier {
    /// HMAC-SHA-256 of the whole key under the pepper.
    pub mac: [u8; 32],
    /// Which pepper.
    pub pepper_version: i32,
}

/// One change to one key. Revisions rise with every commit that makes, changes or deletes a key and
/// are never seen out of order, so a node that polls after the last one it saw misses nothing. A key
/// is listed with its latest revision only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRevision {
    /// Position in the order of all changes, from 1.
    pub revision: i64,
    /// The key that changed.
    pub api_key_id: ApiKeyId,
    /// What caches know it by.
    pub lookup_id: String,
}

/// A stretch of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Rows to skip.
    pub offset: u32,
    /// Rows to return at most.
    pub limit: u32,
}

/// Sums over the windows the API shows: all time, and the current UTC day, week (from Monday) and
/// month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WindowSums {
    /// Since the key was made.
    pub total: UsdNanos,
    /// Since midnight UTC.
    pub daily: UsdNanos,
    /// Since Monday, midnight UTC.
    pub weekly: UsdNanos,
    /// Since the first of the month, midnight UTC.
    pub monthly: UsdNanos,
}

/// What one key used. A generation counts for the day of its admission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyUsage {
    /// What was charged.
    pub usage: WindowSums,
    /// The list price of what the customer's own credentials served.
    pub byok_usage: WindowSums,
    /// Settled generations since the key was made.
    pub requests: u64,
    /// What counts toward its limit in the limit's present window: of this key, and of those that
    /// share the limit.
    pub limit_used: UsdNanos,
}

/// What a key used on one UTC day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyDay {
    /// Midnight, when it began.
    pub day: Timestamp,
    /// What was charged.
    pub charge: UsdNanos,
    /// The list price of what the customer's own credentials served.
    pub byok_list_price: UsdNanos,
    /// Settled generations.
    pub requests: u64,
}

/// Whom a key was made for, by a partner's own names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// The partner's name for its user.
    pub user: String,
    /// SHA-256 in hex of a key that the partner gave its user.
    pub key_hash: Option<String>,
}

/// A key as its managers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedKey {
    /// What a request needs to know about it.
    pub key: ApiKey,
    /// What caches know it by.
    pub lookup_id: String,
    /// When it was changed last; `None` when it never was.
    pub updated_at: Option<Timestamp>,
    /// When it was presented last, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// The partner's user that it was made for.
    pub external_user: Option<String>,
    /// The number of its latest change.
    pub revision: i64,
    /// The public hash of the key that it came from by rotation.
    pub rotated_from: Option<String>,
    /// The public hash of the key that took its place by rotation.
    pub rotated_to: Option<String>,
    /// What it used.
    pub usage: KeyUsage,
}

/// Which of an account's keys somebody sees. What is not seen does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySight {
    /// Only those of this person.
    pub creator: Option<PersonId>,
    /// Also keys that manage.
    pub management: bool,
}

impl KeySight {
    /// All that call models, and no others.
    pub const CALLING: Self = Self {
        creator: None,
        management: false,
    };
}

/// Which keys to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFilter {
    /// Those of one workspace.
    pub workspace: WorkspaceId,
    /// Of these.
    pub sight: KeySight,
    /// Only those that are switched off, or only those that are not.
    pub disabled: Option<bool>,
    /// Only those whose time is over, or only those whose time is not.
    pub expired: Option<bool>,
    /// Only those that were never presented.
    pub never_used: bool,
    /// Only those with this in their name, their label or at the start of their hash.
    pub text: Option<String>,
}

/// A key that takes another one's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRotation {
    /// The new key. It shares the old one's limit.
    pub successor: NewApiKey,
    /// When the old key's time is over, if it is not earlier.
    pub old_expires_at: Timestamp,
    /// The revision that this was decided on; `Conflict` on `revision` if it moved on.
    pub expected_revision: i64,
    /// Now.
    pub at: Timestamp,
}

/// What a rotation changed, for caches to forget.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RotatedKey {
    /// Both keys.
    pub keys: Vec<KeyRevision>,
    /// Credentials that were for the old key, and are now for the new one, too.
    pub credentials: Vec<CredentialId>,
    /// Whether the old key's standing rules hold for the new one, too.
    pub policy: bool,
}

/// A change to a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChange {
    /// The name it shall have.
    pub name: String,
    /// Whether it shall be off.
    pub disabled: bool,
    /// The limit it shall have.
    pub limit: Patch<KeyLimit>,
    /// The revision that the change was made from; `Conflict` on `revision` if it moved on.
    pub expected_revision: i64,
    /// Now.
    pub at: Timestamp,
}

/// The keys of an account, for those who manage them. A key is named by its public hash; one of
/// another account is missing, and so is one that is out of sight.
#[async_trait]
pub trait ApiKeyStore: Send + Sync + 'static {
    /// Stores a key. `Missing` when its workspace is not one of its account's; `Refused` on
    /// `creator` when whoever it is for does not belong to the account.
    async fn create_key(
        &self,
        key: &NewApiKey,
        external: Option<&ExternalIdentity>,
        audit: &AuditEvent,
    ) -> Result<KeyRevision, DirectoryError>;

    /// Changes a key. A new limit counts what the key used in the limit's present window already,
    /// so that no change of limits gives a key more to spend. Keys that share the limit change with it;
    /// the key itself is the first of the answer.
    async fn change_key(
        &self,
        account: AccountId,
        sight: KeySight,
        hash: &str,
        change: &KeyChange,
        audit: &AuditEvent,
    ) -> Result<Vec<KeyRevision>, DirectoryError>;

    /// Makes a key's successor, which has its limit, its standing rules and its place in the filters
    /// of credentials, and ends the old key's time. `Refused` with `rotated` when it has a successor
    /// already.
    async fn rotate_key(
        &self,
        account: AccountId,
        sight: KeySight,
        hash: &str,
        rotation: &KeyRotation,
        audit: &AuditEvent,
    ) -> Result<RotatedKey, DirectoryError>;

    /// Deletes a key for good; its row stays for the books.
    async fn remove_key(
        &self,
        account: AccountId,
        sight: KeySight,
        hash: &str,
        audit: &AuditEvent,
    ) -> Result<KeyRevision, DirectoryError>;

    /// One key with what it used up to `now`.
    async fn managed_key(
        &self,
        account: AccountId,
        sight: KeySight,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<ManagedKey>, DirectoryError>;

    /// A stretch of the keys, newest first, with what each used up to `now`, and how many there are
    /// in all; not beyond the end.
    async fn managed_keys(
        &self,
        account: AccountId,
        filter: &KeyFilter,
        page: Page,
        now: Timestamp,
    ) -> Result<(Vec<ManagedKey>, u64), DirectoryError>;

    /// What a key used, day by day, from the day of `from` on. Days without are left out.
    async fn key_days(&self, key: ApiKeyId, from: Timestamp)
    -> Result<Vec<KeyDay>, DirectoryError>;

    /// Whether the account has this workspace.
    async fn has_workspace(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
    ) -> Result<bool, DirectoryError>;

    /// Notes when keys of any kind were presented last.
    async fn note_key_uses(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<(), DirectoryError>;
}
