//! Accounts, and what is left on them.

use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, WorkspaceId},
    money::UsdNanos,
};

/// An account to be created together with its default workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Its id.
    pub account_id: AccountId,
    /// The id of its default workspace.
    pub workspace_id: WorkspaceId,
    /// The owner's address; no two accounts share one, whatever its case.
    pub email: String,
    /// What to call it.
    pub name: String,
    /// Now.
    pub at: Timestamp,
}

/// Who pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub account_id: AccountId,
    /// The workspace made with it.
    pub default_workspace_id: WorkspaceId,
    /// The owner's address as it was given.
    pub email: String,
    /// What to call it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What an account was ever granted and what it used of that. What nodes hold for requests in
/// flight is in neither figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Credits {
    /// All that was bought or granted.
    pub total_credits: UsdNanos,
    /// All that was charged.
    pub total_usage: UsdNanos,
}
