//! Workspaces and the people who work in them, as an account manages them.
//!
//! A workspace is the wall between parts of an account: API keys live in it, and so may standing
//! rules and credentials. Its owner may name it by its id or by its slug. What a workspace sorts
//! providers by is part of its standing policy; it is shown and set here as well, and there is one
//! truth about it.
//!
//! Read `check.rs` for what may be said of a workspace, `members.rs` for who works in it.

mod check;
mod members;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::{json, value::RawValue, value::to_raw_value};
use switchyard_domain::{
    clock::Clock,
    id::{AccountId, WorkspaceId},
    patch::Patch,
};
use switchyard_interchange::preferences::SortKey;
use switchyard_routing::policy::Rules;
use switchyard_store::{
    Directory, DirectoryError,
    policy::StoredPolicy,
    tenancy::{
        DEFAULT_WORKSPACE, LIVE_KEYS, NewWorkspace, RulesChange, TenancyStore, WorkspaceChange,
        WorkspaceName,
    },
};

pub use switchyard_store::{
    api_key::Page,
    tenancy::{AccountPerson, Member, WorkspaceRole, WorkspaceRow},
};

use self::check::{Checked, name_of};
use crate::{
    acting_caller::{ActingCaller, Deed},
    limits::WORKSPACE_TRIES_MAX,
    own_credentials::OwnCredentials,
    policies::{Policies, PolicySubject, read_rules},
    random::RandomSource,
};

/// A workspace to be made.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceDraft {
    pub name: String,
    pub slug: String,
    pub description: Option<String>,
    /// What providers are sorted by where a request does not say.
    pub default_provider_sort: Option<String>,
}

/// A change to a workspace: what is not mentioned stays.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceEdit {
    pub name: Option<String>,
    pub slug: Option<String>,
    pub description: Patch<String>,
    /// What providers are sorted by where a request does not say.
    pub default_provider_sort: Patch<String>,
}

/// A workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    pub row: WorkspaceRow,
    /// What its standing policy sorts providers by.
    pub default_provider_sort: Option<SortKey>,
}

/// Why a workspace was not made, changed or found.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// What was sent is wrong.
    #[error("`{field}` {message}")]
    Invalid {
        field: String,
        /// Reads on after the field's name.
        message: String,
    },
    /// The account has no such one; whether another has is not told.
    #[error("the workspace was not found")]
    Missing,
    /// The account has another one with this slug.
    #[error("the slug is taken by another workspace of this account")]
    SlugTaken,
    /// The default workspace is not deleted.
    #[error("the default workspace cannot be deleted")]
    DefaultStays,
    /// The default workspace has no members of its own.
    #[error("everybody of the account works in the default workspace")]
    DefaultIsEverybodys,
    /// A workspace is not deleted over the heads of API keys.
    #[error("the workspace has API keys; delete them first")]
    HasKeys,
    /// Nobody is sent away whose API keys would go on.
    #[error("a member has API keys in the workspace; delete them first")]
    MemberHasKeys,
    /// Its standing policy holds what this version does not know, so it cannot be changed in part.
    #[error("the workspace's standing policy cannot be understood; set it anew or clear it first")]
    PolicyUnreadable,
    /// Others keep changing its standing policy.
    #[error("the workspace's policy was changed by somebody else at the same moment")]
    Contended,
    #[error(transparent)]
    Directory(DirectoryError),
}

impl From<DirectoryError> for WorkspaceError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Conflict("slug") => Self::SlugTaken,
            DirectoryError::Conflict("rules") => Self::Contended,
            DirectoryError::Missing(_) => Self::Missing,
            DirectoryError::Refused(LIVE_KEYS) => Self::HasKeys,
            DirectoryError::Refused(DEFAULT_WORKSPACE) => Self::DefaultStays,
            other => Self::Directory(other),
        }
    }
}

/// What [`Workspaces`] stands on.
pub struct WorkspaceParts {
    pub store: Arc<dyn TenancyStore>,
    pub directory: Arc<dyn Directory>,
    pub policies: Arc<Policies>,
    pub own_credentials: Arc<OwnCredentials>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn RandomSource>,
}

/// Manages workspaces.
pub struct Workspaces(WorkspaceParts);

impl std::fmt::Debug for Workspaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Workspaces")
    }
}

impl Workspaces {
    pub const fn new(parts: WorkspaceParts) -> Self {
        Self(parts)
    }

    /// An account's workspaces, the default one first, and how many there are in all.
    pub async fn list(
        &self,
        account: AccountId,
        page: Page,
    ) -> Result<(Vec<Workspace>, u64), WorkspaceError> {
        let (rows, count) = self.0.store.list_workspaces(account, page).await?;
        let policies = self.0.directory.policies_of_account(account).await?;
        let workspaces = rows.into_iter().map(|row| {
            let subject = PolicySubject::Workspace(row.id);
            let policy = policies.iter().find(|policy| policy.subject == subject);
            Workspace::of(row, policy)
        });
        Ok((workspaces.collect(), count))
    }

    /// One of an account's workspaces, by its id or its slug.
    pub async fn get(&self, account: AccountId, name: &str) -> Result<Workspace, WorkspaceError> {
        let row = self.row(account, name).await?;
        self.shown(row).await
    }

    /// The id of one of an account's workspaces, which must be given by its id.
    pub async fn expect(
        &self,
        account: AccountId,
        id: WorkspaceId,
    ) -> Result<WorkspaceId, WorkspaceError> {
        let found = self
            .0
            .store
            .workspace(account, &WorkspaceName::Id(id))
            .await?;
        found.map(|row| row.id).ok_or(WorkspaceError::Missing)
    }

    /// The workspace that was made with the account.
    pub async fn default_of(&self, account: AccountId) -> Result<WorkspaceId, WorkspaceError> {
        let found = self.0.directory.account_by_id(account).await?;
        found
            .map(|account| account.default_workspace_id)
            .ok_or(WorkspaceError::Missing)
    }

    /// Makes a workspace. Whose key makes it becomes its first member.
    pub async fn create(
        &self,
        by: &ActingCaller,
        draft: WorkspaceDraft,
    ) -> Result<Workspace, WorkspaceError> {
        let edit = WorkspaceEdit {
            name: Some(draft.name.clone()),
            slug: Some(draft.slug.clone()),
            description: draft.description.clone().map_or(Patch::Keep, Patch::Set),
            default_provider_sort: draft.default_provider_sort.map_or(Patch::Keep, Patch::Set),
        };
        let checked = edit.checked()?;
        let (account, at) = (by.account_id(), self.0.clock.now());
        let id = WorkspaceId::from_uuid(self.0.random.uuid(at));
        let audit = by.did(
            Deed {
                action: "workspace.create",
                subject: id.to_string(),
                workspace_id: Some(id),
                detail: json!({ "after": checked.told() }),
            },
            at,
        );
        let rules = match checked.sort.flatten() {
            Some(sort) => Some(document(&Rules {
                default_sort: Some(sort),
                ..Rules::default()
            })?),
            None => None,
        };
        let new = NewWorkspace {
            id,
            account_id: account,
            name: draft.name,
            slug: draft.slug,
            description: draft.description,
            created_by: by.person(),
            rules,
            at,
        };
        let policy = self.0.store.insert_workspace(&new, &audit).await?;
        if policy.is_some() {
            self.0.policies.tell(account).await;
        }
        self.get(account, &id.to_string()).await
    }

    /// Changes what is mentioned.
    pub async fn change(
        &self,
        by: &ActingCaller,
        name: &str,
        edit: WorkspaceEdit,
    ) -> Result<Workspace, WorkspaceError> {
        let checked = edit.checked()?;
        for _ in 0..WORKSPACE_TRIES_MAX {
            let before = self.get(by.account_id(), name).await?;
            if checked.is_nothing() {
                return Ok(before);
            }
            let id = before.row.id;
            match self.change_from(by, before, &checked).await {
                Ok(()) => return self.get(by.account_id(), &id.to_string()).await,
                Err(WorkspaceError::Contended) => {}
                Err(error) => return Err(error),
            }
        }
        Err(WorkspaceError::Contended)
    }

    async fn change_from(
        &self,
        by: &ActingCaller,
        before: Workspace,
        to: &Checked,
    ) -> Result<(), WorkspaceError> {
        let (account, id, at) = (by.account_id(), before.row.id, self.0.clock.now());
        let rules = match to.sort {
            Some(sort) => Some(self.rules_with(account, id, sort).await?),
            None => None,
        };
        let audit = by.did(
            Deed {
                action: "workspace.change",
                subject: id.to_string(),
                workspace_id: Some(id),
                detail: json!({ "before": to.told_before(&before), "after": to.told() }),
            },
            at,
        );
        let change = WorkspaceChange {
            name: to.name.clone(),
            slug: to.slug.clone(),
            description: to.description.clone(),
            rules,
            at,
        };
        let policy = self
            .0
            .store
            .change_workspace(account, id, &change, &audit)
            .await?;
        if policy.is_some() {
            self.0.policies.tell(account).await;
        }
        Ok(())
    }

    /// The workspace's standing rules with another sort.
    async fn rules_with(
        &self,
        account: AccountId,
        id: WorkspaceId,
        sort: Option<SortKey>,
    ) -> Result<RulesChange, WorkspaceError> {
        let stored = self.policy(account, id).await?;
        let mut rules = match &stored {
            Some(policy) => {
                read_rules(policy.rules.get()).map_err(|_| WorkspaceError::PolicyUnreadable)?
            }
            None => Rules::default(),
        };
        rules.default_sort = sort;
        Ok(RulesChange {
            rules: document(&rules)?,
            expected_revision: stored.map(|policy| policy.revision),
        })
    }

    /// Deletes a workspace with its members, its standing rules and its credentials.
    pub async fn delete(&self, by: &ActingCaller, name: &str) -> Result<(), WorkspaceError> {
        let account = by.account_id();
        let row = self.row(account, name).await?;
        let audit = by.did(
            Deed {
                action: "workspace.delete",
                subject: row.id.to_string(),
                workspace_id: Some(row.id),
                detail: json!({ "before": { "name": row.name, "slug": row.slug } }),
            },
            self.0.clock.now(),
        );
        let deleted = self.0.store.delete_workspace(account, row.id, &audit);
        let deleted = deleted.await?;
        if deleted.policy.is_some() {
            self.0.policies.tell(account).await;
        }
        for credential in deleted.credentials {
            self.0.own_credentials.tell(account, credential.id).await;
        }
        Ok(())
    }

    async fn row(&self, account: AccountId, name: &str) -> Result<WorkspaceRow, WorkspaceError> {
        let name = name_of(name).ok_or(WorkspaceError::Missing)?;
        let found = self.0.store.workspace(account, &name).await?;
        found.ok_or(WorkspaceError::Missing)
    }

    async fn shown(&self, row: WorkspaceRow) -> Result<Workspace, WorkspaceError> {
        let policy = self.policy(row.account_id, row.id).await?;
        Ok(Workspace::of(row, policy.as_ref()))
    }

    async fn policy(
        &self,
        account: AccountId,
        id: WorkspaceId,
    ) -> Result<Option<StoredPolicy>, WorkspaceError> {
        let subject = PolicySubject::Workspace(id);
        Ok(self.0.directory.policy(account, subject).await?)
    }
}

impl Workspace {
    fn of(row: WorkspaceRow, policy: Option<&StoredPolicy>) -> Self {
        // Rules that cannot be understood say nothing here; requests under them are refused.
        let rules = policy.and_then(|policy| read_rules(policy.rules.get()).ok());
        Self {
            row,
            default_provider_sort: rules.and_then(|rules| rules.default_sort),
        }
    }
}

fn document(rules: &Rules) -> Result<Box<RawValue>, WorkspaceError> {
    to_raw_value(rules).map_err(|error| {
        WorkspaceError::Directory(DirectoryError::Inconsistent(format!("rules: {error}")))
    })
}
