//! Who a request belongs to. A [`Caller`] is made only from a verified API key; nothing in a
//! request body can name an account or a workspace.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    authority::Standing,
    clock::{ResetInterval, Timestamp},
    id::{AccountId, ApiKeyId, PersonId, WorkspaceId},
    money::UsdNanos,
};

/// What an API key may be used for. The two kinds do not overlap: a management key cannot infer,
/// an inference key cannot manage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// Calls models.
    Inference,
    /// Manages keys, credentials and workspaces; reads the account.
    Management,
}

impl KeyKind {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inference => "inference",
            Self::Management => "management",
        }
    }

    /// The kind with this stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "inference" => Some(Self::Inference),
            "management" => Some(Self::Management),
            _ => None,
        }
    }
}

/// What a person is to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May do everything; there is always one.
    Owner,
    /// Everything but what ends or hands over the account.
    Admin,
    /// What is about money.
    Billing,
    /// Calls models with keys of their own.
    Member,
    /// Looks.
    Viewer,
}

impl Role {
    /// Every role, the widest first.
    pub const ALL: [Self; 5] = [
        Self::Owner,
        Self::Admin,
        Self::Billing,
        Self::Member,
        Self::Viewer,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Billing => "billing",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    /// Whether it is this role or a wider one. Nobody gives more than they have.
    pub fn is_at_least(self, other: Self) -> bool {
        let place = |role| Self::ALL.iter().position(|one| *one == role);
        place(self) <= place(other)
    }

    /// The role with this stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// A spending limit on one API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLimit {
    /// What may be spent in one window (or ever, without a reset).
    pub limit: UsdNanos,
    /// How often spending starts from zero again; `None` is never.
    pub reset: Option<ResetInterval>,
    /// Whether the list price of traffic on the customer's own credentials counts.
    pub include_byok: bool,
}

/// Everything about a verified API key that a request needs. Shared and immutable: a change to
/// the key makes a new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The key's row.
    pub id: ApiKeyId,
    /// Who pays.
    pub account_id: AccountId,
    /// Where it lives.
    pub workspace_id: WorkspaceId,
    /// What it may do.
    pub kind: KeyKind,
    /// The owner's name for it.
    pub name: String,
    /// Masked form for display, such as `sk-sy-v1-abc…xyz`.
    pub label: String,
    /// SHA-256 of the key in lower-case hex: the public identifier, never the verifier.
    pub hash: String,
    /// The spending limit, if any.
    pub limit: Option<KeyLimit>,
    /// Unusable from this instant on.
    pub expires_at: Option<Timestamp>,
    /// Switched off by its owner.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it; `None` for a key that is the workspace's own.
    pub creator_id: Option<PersonId>,
    /// The key whose limit holds for this one, too, and counts what both spend: the first of those
    /// that it came from by rotation. `None` for a key of its own.
    pub shares_limit_of: Option<ApiKeyId>,
}

impl ApiKey {
    /// Whether the key may be used at `now`.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        !self.disabled && self.expires_at.is_none_or(|end| now < end)
    }

    /// By which key its limit is known.
    pub fn limit_key(&self) -> ApiKeyId {
        self.shares_limit_of.unwrap_or(self.id)
    }
}

/// The authenticated party behind a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The key that was presented.
    pub key: Arc<ApiKey>,
}

impl Caller {
    /// Who pays.
    pub fn account_id(&self) -> AccountId {
        self.key.account_id
    }

    /// The tenancy wall the request stands behind.
    pub fn workspace_id(&self) -> WorkspaceId {
        self.key.workspace_id
    }

    /// What the caller is, for what it may do.
    pub fn standing(&self) -> Standing {
        Standing::Key(self.key.kind)
    }
}
