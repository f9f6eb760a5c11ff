//! Workspaces, who works in them, and the people of an account.

use async_trait::async_trait;
use serde_json::value::RawValue;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, PersonId, WorkspaceId},
    tenancy::Role,
};

use crate::{
    api_key::Page, audit::AuditEvent, directory::DirectoryError,
    own_credential::OwnCredentialRevision, policy::PolicyRevision,
};

/// [`DirectoryError::Refused`]: it cannot be done to the workspace that was made with its account.
pub const DEFAULT_WORKSPACE: &str = "default_workspace";
/// [`DirectoryError::Refused`]: there are API keys that were not deleted.
pub const LIVE_KEYS: &str = "live_keys";

/// How somebody names a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkspaceName {
    /// By its id.
    Id(WorkspaceId),
    /// By the short name its owner gave it.
    Slug(String),
}

/// A workspace to be made.
#[derive(Debug, Clone)]
pub struct NewWorkspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What to call it.
    pub name: String,
    /// Its short name, of which the account has no other.
    pub slug: String,
    /// What it is for.
    pub description: Option<String>,
    /// Who makes it; becomes its first member.
    pub created_by: Option<PersonId>,
    /// Its standing policy from the start, a JSON object.
    pub rules: Option<Box<RawValue>>,
    /// Now.
    pub at: Timestamp,
}

/// A workspace as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceRow {
    /// Its id.
    pub id: WorkspaceId,
    /// Whose it is.
    pub account_id: AccountId,
    /// What to call it.
    pub name: String,
    /// Its short name.
    pub slug: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it is the one that was made with its account.
    pub is_default: bool,
    /// Who made it.
    pub created_by: Option<PersonId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

/// A change to a workspace. What is `None` stays.
#[derive(Debug, Clone)]
pub struct WorkspaceChange {
    /// What to call it.
    pub name: Option<String>,
    /// Its short name.
    pub slug: Option<String>,
    /// What it is for, or that nothing is said of it.
    pub description: Option<Option<String>>,
    /// Its standing policy.
    pub rules: Option<RulesChange>,
    /// Now.
    pub at: Timestamp,
}

/// A standing policy in place of another one.
#[derive(Debug, Clone)]
pub struct RulesChange {
    /// The rules as they shall be, a JSON object.
    pub rules: Box<RawValue>,
    /// The revision of those they were made from, `None` for none at all; `Conflict` on `rules` if
    /// somebody set others meanwhile.
    pub expected_revision: Option<i64>,
}

/// What went with a workspace, for caches to forget.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeletedWorkspace {
    /// Its standing policy.
    pub policy: Option<PolicyRevision>,
    /// Its credentials.
    pub credentials: Vec<OwnCredentialRevision>,
}

/// What a member may do in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkspaceRole {
    /// Manages it.
    Admin,
    /// Works in it.
    Member,
}

impl WorkspaceRole {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Admin, Self::Member]
            .into_iter()
            .find(|role| role.as_str() == name)
    }

    /// What somebody is in a workspace who is this in its account.
    pub const fn of(role: Role) -> Self {
        match role {
            Role::Owner | Role::Admin => Self::Admin,
            Role::Billing | Role::Member | Role::Viewer => Self::Member,
        }
    }
}

/// Somebody who works in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Where.
    pub workspace_id: WorkspaceId,
    /// Who.
    pub person_id: PersonId,
    /// As what.
    pub role: WorkspaceRole,
    /// Since when.
    pub created_at: Timestamp,
}

/// Somebody of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPerson {
    /// Who.
    pub id: PersonId,
    /// The address they sign in with.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they are to the account.
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
}

/// Keeps workspaces and their members. Of deleted ones nothing is told any more.
#[async_trait]
pub trait TenancyStore: Send + Sync + 'static {
    /// An account's workspaces, the default one first and then by age, and how many there are in
    /// all.
    async fn list_workspaces(
        &self,
        account: AccountId,
        page: Page,
    ) -> Result<(Vec<WorkspaceRow>, u64), DirectoryError>;

    /// One workspace of an account.
    async fn workspace(
        &self,
        account: AccountId,
        name: &WorkspaceName,
    ) -> Result<Option<WorkspaceRow>, DirectoryError>;

    /// Makes a workspace. `Conflict` on `slug`. The revision is that of its policy, if it has one.
    async fn insert_workspace(
        &self,
        workspace: &NewWorkspace,
        audit: &AuditEvent,
    ) -> Result<Option<PolicyRevision>, DirectoryError>;

    /// Changes a workspace. `Missing` when the account has no such one, `Conflict` on `slug` or
    /// `rules`. The revision is that of its policy, if that changed.
    async fn change_workspace(
        &self,
        account: AccountId,
        id: WorkspaceId,
        change: &WorkspaceChange,
        audit: &AuditEvent,
    ) -> Result<Option<PolicyRevision>, DirectoryError>;

    /// Deletes a workspace with its members, its policy and its credentials, whose secrets go for
    /// good. `Missing` when the account has no such one; `Refused` with [`DEFAULT_WORKSPACE`], and
    /// with [`LIVE_KEYS`] while it has API keys that were not deleted.
    async fn delete_workspace(
        &self,
        account: AccountId,
        id: WorkspaceId,
        audit: &AuditEvent,
    ) -> Result<DeletedWorkspace, DirectoryError>;

    /// Who works in a workspace, in the order they came, and how many they are in all; of the default
    /// one everybody of the account does. `Missing` when the account has no such one.
    async fn list_members(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        page: Page,
    ) -> Result<(Vec<Member>, u64), DirectoryError>;

    /// Lets people of the account work in a workspace, as what they are in the account. All or
    /// none: `Missing` names whom the account does not have. `Missing` when the account has no such
    /// workspace, `Refused` with [`DEFAULT_WORKSPACE`].
    async fn add_members(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        people: &[PersonId],
        audit: &AuditEvent,
    ) -> Result<Vec<Member>, DirectoryError>;

    /// Ends people's work in a workspace and tells how many of them did work there. All or none:
    /// `Refused` with [`LIVE_KEYS`] while one of them has API keys there, and with
    /// [`DEFAULT_WORKSPACE`]. `Missing` when the account has no such workspace.
    async fn remove_members(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        people: &[PersonId],
        audit: &AuditEvent,
    ) -> Result<u64, DirectoryError>;

    /// The people of an account in the order they came, and how many they are in all.
    async fn list_people(
        &self,
        account: AccountId,
        page: Page,
    ) -> Result<(Vec<AccountPerson>, u64), DirectoryError>;
}
