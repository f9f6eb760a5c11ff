//! Standing policies: rules that hold for every request of an account, a workspace or a key. What
//! the rules mean is not known here; they are a JSON object.

use serde_json::value::RawValue;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId, WorkspaceId},
};
use uuid::Uuid;

/// Whom a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicySubject {
    /// Every request of the account.
    Account(AccountId),
    /// Every request of the workspace.
    Workspace(WorkspaceId),
    /// Every request with the key.
    Key(ApiKeyId),
}

impl PolicySubject {
    /// The stored name of its kind.
    pub const fn scope(self) -> &'static str {
        match self {
            Self::Account(_) => "account",
            Self::Workspace(_) => "workspace",
            Self::Key(_) => "key",
        }
    }

    pub(crate) const fn uuid(self) -> Uuid {
        match self {
            Self::Account(id) => id.as_uuid(),
            Self::Workspace(id) => id.as_uuid(),
            Self::Key(id) => id.as_uuid(),
        }
    }

    /// The subject with this stored name and id; `None` for kinds nobody here knows.
    pub(crate) fn from_stored(scope: &str, id: Uuid) -> Option<Self> {
        match scope {
            "account" => Some(Self::Account(AccountId::from_uuid(id))),
            "workspace" => Some(Self::Workspace(WorkspaceId::from_uuid(id))),
            "key" => Some(Self::Key(ApiKeyId::from_uuid(id))),
            _ => None,
        }
    }
}

impl std::fmt::Display for PolicySubject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Account(id) => id.fmt(f),
            Self::Workspace(id) => id.fmt(f),
            Self::Key(id) => id.fmt(f),
        }
    }
}

/// A change to a policy: who makes it, when, and for whom.
#[derive(Debug, Clone)]
pub struct PolicyChange {
    /// The account it must belong to.
    pub account_id: AccountId,
    /// Whom it is for.
    pub subject: PolicySubject,
    /// Who makes it: an id or `operator`.
    pub by: String,
    /// Now.
    pub at: Timestamp,
}

/// A policy as stored.
#[derive(Debug, Clone)]
pub struct StoredPolicy {
    /// The account it belongs to.
    pub account_id: AccountId,
    /// Whom it is for.
    pub subject: PolicySubject,
    /// The rules, a JSON object.
    pub rules: Box<RawValue>,
    /// The number of its latest change.
    pub revision: i64,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
}

/// A policy that was set or cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyRevision {
    /// The number of the change.
    pub revision: i64,
    /// The account whose policies are no longer what they were.
    pub account_id: AccountId,
}
