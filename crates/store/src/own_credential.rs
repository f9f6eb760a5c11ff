//! Provider credentials that customers brought: sealed, owned, filtered, in an order of their
//! owner's. What is inside only the vault can read.

use async_trait::async_trait;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, CredentialId, PersonId, WorkspaceId},
    provider::ProviderSlug,
};

use crate::{api_key::Page, audit::AuditEvent, directory::DirectoryError};

/// When a credential is tried: before the operator's, or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredSection {
    /// Before every shared one.
    Prioritized,
    /// After every shared one.
    Fallback,
}

impl StoredSection {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prioritized => "prioritized",
            Self::Fallback => "fallback",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Prioritized, Self::Fallback]
            .into_iter()
            .find(|section| section.as_str() == name)
    }
}

/// What a credential is for. `None` is everything; a list is never empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct CredentialFilters {
    /// Models by id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// API keys by public hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_hashes: Option<Vec<String>>,
    /// People by id, as the makers of API keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_ids: Option<Vec<String>>,
}

/// A sealed secret with what it is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRecord {
    /// What only the vault can read.
    pub sealed: Vec<u8>,
    /// Counts the secrets that the record has held, from 1.
    pub record_version: i32,
    /// The version of the tenant's key that it is sealed under.
    pub tenant_key_version: i32,
}

/// What is known of a secret without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFacts {
    /// The form of the secret, such as `api_key`.
    pub kind: String,
    /// Masked ends, for display.
    pub label: String,
    /// The hosts that its owner chose, joined by commas; the seal is bound to them.
    pub endpoint_host: Option<String>,
    /// A keyed digest: the same for the same secret of the same account.
    pub fingerprint: [u8; 32],
}

/// What an owner can set beside the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialSettings {
    /// The owner's name for it.
    pub name: Option<String>,
    /// Not used while set.
    pub disabled: bool,
    /// Where it stands.
    pub section: StoredSection,
    /// The operator's credentials are not used at this provider for models it covers.
    pub is_required: bool,
    /// The operator's credentials are not used at this provider at all.
    pub is_byok_only: bool,
    /// Whether its owner states that the provider keeps nothing of what is sent with it.
    pub declared_zdr: Option<bool>,
    /// Where its owner states that it is served: `global`, `europe` or `us`.
    pub declared_region: Option<String>,
    /// What it is for.
    pub filters: CredentialFilters,
}

impl Default for CredentialSettings {
    /// Of which nothing was said: tried first, for everything.
    fn default() -> Self {
        Self {
            name: None,
            disabled: false,
            section: StoredSection::Prioritized,
            is_required: false,
            is_byok_only: false,
            declared_zdr: None,
            declared_region: None,
            filters: CredentialFilters::default(),
        }
    }
}

/// A credential to be stored, behind the others of its provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOwnCredential {
    /// The id it was sealed under.
    pub id: CredentialId,
    /// Whose it is.
    pub account_id: AccountId,
    /// Where it is used; `None` is every workspace of the account.
    pub workspace_id: Option<WorkspaceId>,
    /// Where it is good.
    pub provider: ProviderSlug,
    /// The secret, sealed.
    pub secret: SealedRecord,
    /// What is known of it.
    pub facts: SecretFacts,
    /// What its owner set.
    pub settings: CredentialSettings,
    /// Who stores it: an id.
    pub created_by: String,
    /// Now.
    pub at: Timestamp,
}

/// A change to a stored credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCredentialChange {
    /// All settings as they shall be.
    pub settings: CredentialSettings,
    /// A new secret in place of the old one, whose bytes go.
    pub secret: Option<(SealedRecord, SecretFacts)>,
    /// The revision that the change was made from; `Conflict` on `revision` if it moved on.
    pub expected_revision: i64,
    /// Now.
    pub at: Timestamp,
}

/// How a credential's secret is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialCondition {
    /// Never used, or not since it was replaced.
    Unchecked,
    /// Its provider took it last.
    Ok,
    /// Its provider refused it last.
    Failing,
}

impl CredentialCondition {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Ok => "ok",
            Self::Failing => "failing",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Unchecked, Self::Ok, Self::Failing]
            .into_iter()
            .find(|condition| condition.as_str() == name)
    }
}

/// What was seen of a credential's secret in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialState {
    /// Which of its secrets.
    pub record_version: i32,
    /// How it is doing.
    pub condition: CredentialCondition,
    /// Since when.
    pub changed_at: Timestamp,
    /// When its provider took it last.
    pub last_ok_at: Option<Timestamp>,
    /// What its provider said last when it refused, without secrets.
    pub last_error: Option<String>,
    /// With which HTTP status.
    pub last_error_status: Option<u16>,
    /// And when.
    pub last_error_at: Option<Timestamp>,
}

/// A credential as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCredentialRow {
    /// Its id.
    pub id: CredentialId,
    /// Whose it is.
    pub account_id: AccountId,
    /// Where it is used; `None` is every workspace of the account.
    pub workspace_id: Option<WorkspaceId>,
    /// Where it is good.
    pub provider: ProviderSlug,
    /// The secret, sealed; `None` once it is deleted.
    pub secret: Option<SealedRecord>,
    /// The form of the secret.
    pub kind: String,
    /// Masked ends.
    pub label: String,
    /// The hosts that its owner chose.
    pub endpoint_host: Option<String>,
    /// What its owner set.
    pub settings: CredentialSettings,
    /// Its place among the credentials of its provider, from 0.
    pub sort_order: i32,
    /// Who stored it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// The number of its latest change.
    pub revision: i64,
    /// What was seen of it in use; `None` before anything was.
    pub state: Option<CredentialState>,
}

/// Which credentials to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnCredentialFilter {
    /// Those used in this workspace: its own, and those of every workspace.
    pub workspace: Option<WorkspaceId>,
    /// Those of one provider.
    pub provider: Option<ProviderSlug>,
}

/// A credential that was made, changed or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnCredentialRevision {
    /// Position in the order of all changes, from 1.
    pub revision: i64,
    /// Which.
    pub id: CredentialId,
    /// Whose.
    pub account_id: AccountId,
}

/// Something that an account's owners should hear of.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnerEvent {
    /// Its place in the order of all, from 1; ignored when it is stored.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub account_id: AccountId,
    /// Where, if it is about one workspace.
    pub workspace_id: Option<WorkspaceId>,
    /// What: a dotted name such as `credential.failing`.
    pub kind: String,
    /// Of what: an id.
    pub subject: String,
    /// What else matters, a JSON object without secrets.
    pub detail: serde_json::Value,
}

/// Keeps customers' credentials.
#[async_trait]
pub trait OwnCredentialStore: Send + Sync + 'static {
    /// Stores a credential. `Missing` when its workspace is not the account's; `Conflict` on
    /// `fingerprint` when the account has the same secret at the same provider in the same place
    /// already.
    async fn insert_own_credential(
        &self,
        credential: &NewOwnCredential,
        audit: &AuditEvent,
    ) -> Result<OwnCredentialRevision, DirectoryError>;

    /// Changes a credential. `Missing` when the account has no such one.
    async fn change_own_credential(
        &self,
        account: AccountId,
        id: CredentialId,
        change: &OwnCredentialChange,
        audit: &AuditEvent,
    ) -> Result<OwnCredentialRevision, DirectoryError>;

    /// Puts the credentials of one provider in this order. `Missing` when one of them is not the
    /// account's at this provider; those not named follow in their old order.
    async fn order_own_credentials(
        &self,
        account: AccountId,
        provider: &ProviderSlug,
        ids: &[CredentialId],
        audit: &AuditEvent,
    ) -> Result<Vec<OwnCredentialRevision>, DirectoryError>;

    /// Deletes a credential: its row stays, its secret and all that could open it go. `Missing`
    /// when the account has no such one.
    async fn delete_own_credential(
        &self,
        account: AccountId,
        id: CredentialId,
        audit: &AuditEvent,
    ) -> Result<OwnCredentialRevision, DirectoryError>;

    /// One credential of an account; never a deleted one.
    async fn own_credential(
        &self,
        account: AccountId,
        id: CredentialId,
    ) -> Result<Option<OwnCredentialRow>, DirectoryError>;

    /// An account's credentials by provider and place, and how many there are in all.
    async fn list_own_credentials(
        &self,
        account: AccountId,
        filter: &OwnCredentialFilter,
        page: Page,
    ) -> Result<(Vec<OwnCredentialRow>, u64), DirectoryError>;

    /// Everything that an account's requests may be served with, by provider and place, disabled
    /// ones too.
    async fn own_credentials_of(
        &self,
        account: AccountId,
    ) -> Result<Vec<OwnCredentialRow>, DirectoryError>;

    /// Credentials changed since `revision`, in order, at most 1,000; ask again after the last one.
    async fn own_credential_revisions_after(
        &self,
        revision: i64,
    ) -> Result<Vec<OwnCredentialRevision>, DirectoryError>;

    /// The revision of the latest change to any; 0 when there was none.
    async fn own_credential_revision(&self) -> Result<i64, DirectoryError>;

    /// Notes how a credential's secret is doing. The event is told to its owners where it begins to
    /// fail, or does no longer: once, however many nodes notice. `changed_at` is when this was seen; a
    /// condition that goes on keeps the time it has. What is known of a newer secret, or changed
    /// later, stays; `false` then.
    async fn note_credential_state(
        &self,
        id: CredentialId,
        state: &CredentialState,
        event: Option<&OwnerEvent>,
    ) -> Result<bool, DirectoryError>;

    /// Adds to the count of a credential's openings in an hour.
    async fn count_openings(
        &self,
        openings: &[(CredentialId, Timestamp, u64)],
    ) -> Result<(), DirectoryError>;

    /// How often a credential was opened since `from`.
    async fn openings(&self, id: CredentialId, from: Timestamp) -> Result<u64, DirectoryError>;

    /// Those of these people who are members of the account.
    async fn members_among(
        &self,
        account: AccountId,
        people: &[PersonId],
    ) -> Result<Vec<PersonId>, DirectoryError>;

    /// Stores many credentials at once, unchecked: scenery for tests.
    #[cfg(feature = "test-suite")]
    async fn insert_many(&self, credentials: &[NewOwnCredential]) -> Result<(), DirectoryError>;

    /// What an account's owners should hear of, after the event with this number, in order.
    async fn events_after(
        &self,
        account: AccountId,
        number: i64,
        limit: u32,
    ) -> Result<Vec<OwnerEvent>, DirectoryError>;

    /// The same before the event with this number, the latest first.
    async fn events_before(
        &self,
        account: AccountId,
        number: i64,
        limit: u32,
    ) -> Result<Vec<OwnerEvent>, DirectoryError>;
}
