//! An account's API keys as its management keys see, make and change them. Management keys
//! themselves are not among them: no key makes or changes one.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use switchyard_domain::{
    clock::{ResetInterval, Timestamp},
    id::{AccountId, PersonId, WorkspaceId},
    money::UsdNanos,
    patch::Patch,
    secret::Secret,
    tenancy::{ApiKey, KeyKind, KeyLimit},
};
pub use switchyard_store::api_key::ManagedKey;
use switchyard_store::{
    DirectoryError,
    api_key::{ExternalIdentity, KeyChange, KeyFilter, KeyUsage, Page},
};
use switchyard_vault::random::RandomUnavailable;

use crate::{
    App,
    acting_caller::{ActingCaller, Deed},
    keys::KeyRequest,
    limits::{CHANGE_TRIES_MAX, KEYS_PER_PAGE},
    reads::FLUSH_PATIENCE,
};

/// Why a key cannot be made, shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum ApiKeyError {
    /// The account has no such key.
    #[error("no such API key")]
    NoSuchKey,
    /// The account has no such workspace.
    #[error("no such workspace")]
    NoSuchWorkspace,
    /// The account has no such member.
    #[error("whoever the key is for is no member of the account")]
    NoSuchMember,
    /// How a limit is to be counted, but no limit.
    #[error("there is no limit that could be reset or count anything")]
    NoLimit,
    /// Others keep changing the key at the same time.
    #[error("the key is being changed by others")]
    Contended,
    #[error(transparent)]
    Directory(DirectoryError),
    #[error(transparent)]
    Random(#[from] RandomUnavailable),
}

impl From<DirectoryError> for ApiKeyError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Missing(what) if what.starts_with(WorkspaceId::PREFIX) => {
                Self::NoSuchWorkspace
            }
            DirectoryError::Missing(_) => Self::NoSuchKey,
            DirectoryError::Refused("creator") => Self::NoSuchMember,
            other => Self::Directory(other),
        }
    }
}

/// A key to be made.
#[derive(Debug)]
pub struct NewKey {
    pub name: String,
    /// `None` is the account's default workspace.
    pub workspace_id: Option<WorkspaceId>,
    pub limit: LimitWishes,
    pub expires_at: Option<Timestamp>,
    /// Whose key it shall be; `None` for whoever's key makes it.
    pub creator_id: Option<PersonId>,
    pub external: Option<NewExternalIdentity>,
}

/// Whom a key is made for, by a partner's own names.
#[derive(Debug)]
pub struct NewExternalIdentity {
    pub user: String,
    /// A key that the partner gave its user: only its digest is kept.
    pub api_key: Option<Secret<String>>,
}

impl NewExternalIdentity {
    fn into_stored(self) -> ExternalIdentity {
        ExternalIdentity {
            user: self.user,
            key_hash: self.api_key.map(|key| {
                let digest = Sha256::digest(key.expose().as_bytes());
                digest.iter().map(|byte| format!("{byte:02x}")).collect()
            }),
        }
    }
}

/// What shall become of a key.
#[derive(Debug, Default)]
pub struct KeyWishes {
    pub name: Option<String>,
    pub disabled: Option<bool>,
    pub limit: LimitWishes,
}

/// What shall become of a key's limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct LimitWishes {
    pub limit: Patch<UsdNanos>,
    pub reset: Patch<ResetInterval>,
    pub include_byok: Option<bool>,
}

/// Which keys to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeyQuery {
    /// `None` is the account's default workspace.
    pub workspace_id: Option<WorkspaceId>,
    pub include_disabled: bool,
    pub include_expired: bool,
    /// Keys to skip.
    pub offset: u32,
}

/// A key that was just made: its text is shown once.
#[derive(Debug)]
pub struct MadeKey {
    pub text: Secret<String>,
    pub key: ManagedKey,
}

impl LimitWishes {
    /// The limit as it shall be. Interval and counting are a limit's: without one there is neither.
    fn over(self, current: Option<KeyLimit>) -> Result<Option<KeyLimit>, ApiKeyError> {
        let Some(limit) = self.limit.over(current.map(|limit| limit.limit)) else {
            let asks_for_more =
                matches!(self.reset, Patch::Set(_)) || self.include_byok == Some(true);
            return if asks_for_more {
                Err(ApiKeyError::NoLimit)
            } else {
                Ok(None)
            };
        };
        let counted = current.is_some_and(|limit| limit.include_byok);
        Ok(Some(KeyLimit {
            limit,
            reset: self.reset.over(current.and_then(|limit| limit.reset)),
            include_byok: self.include_byok.unwrap_or(counted),
        }))
    }
}

impl App {
    /// A page of the account's keys, newest first.
    pub async fn api_keys(
        &self,
        account: AccountId,
        query: KeyQuery,
    ) -> Result<Vec<ManagedKey>, ApiKeyError> {
        let workspace = match query.workspace_id {
            Some(workspace) => {
                let has = self.key_store.has_workspace(account, workspace).await?;
                has.then_some(workspace)
            }
            None => self.default_workspace(account).await?,
        };
        let filter = KeyFilter {
            workspace: workspace.ok_or(ApiKeyError::NoSuchWorkspace)?,
            include_disabled: query.include_disabled,
            include_expired: query.include_expired,
        };
        let page = Page {
            offset: query.offset,
            limit: KEYS_PER_PAGE,
        };
        self.poster.flush(FLUSH_PATIENCE).await;
        let now = self.clock.now();
        let store = &self.key_store;
        Ok(store.managed_keys(account, filter, page, now).await?)
    }

    /// One of the account's keys, by its public hash.
    pub async fn api_key(&self, account: AccountId, hash: &str) -> Result<ManagedKey, ApiKeyError> {
        self.poster.flush(FLUSH_PATIENCE).await;
        let now = self.clock.now();
        let found = self.key_store.managed_key(account, hash, now).await?;
        found.ok_or(ApiKeyError::NoSuchKey)
    }

    /// Makes a key that calls models.
    pub async fn create_api_key(
        &self,
        actor: &ActingCaller,
        wanted: NewKey,
    ) -> Result<MadeKey, ApiKeyError> {
        let account_id = actor.account_id();
        let workspace_id = match wanted.workspace_id {
            Some(workspace) => Some(workspace),
            None => self.default_workspace(account_id).await?,
        };
        let request = KeyRequest {
            account_id,
            workspace_id: workspace_id.ok_or(ApiKeyError::NoSuchWorkspace)?,
            name: wanted.name,
            kind: KeyKind::Inference,
            limit: wanted.limit.over(None)?,
            expires_at: wanted.expires_at,
            creator_id: wanted.creator_id.or(actor.person()),
        };
        let external = wanted.external.map(NewExternalIdentity::into_stored);
        let (row, text) = self.keys.mint(request)?;
        let key = &row.key;
        let deed = Deed {
            action: "api_key.create",
            subject: key.id.to_string(),
            workspace_id: Some(key.workspace_id),
            detail: json!({
                "hash": key.hash,
                "label": key.label,
                "after": said(key),
                "expires_at": key.expires_at.map(Timestamp::to_rfc3339),
                "creator": key.creator_id,
                "external_user": external.as_ref().map(|external| &external.user),
            }),
        };
        let event = actor.did(deed, key.created_at);
        let stored = self
            .key_store
            .create_key(&row, external.as_ref(), &event)
            .await?;
        Ok(MadeKey {
            text,
            key: ManagedKey {
                key: row.key,
                lookup_id: row.lookup_id,
                updated_at: None,
                last_used_at: None,
                external_user: external.map(|external| external.user),
                revision: stored.revision,
                usage: KeyUsage::default(),
            },
        })
    }

    /// Changes a key; every node goes by it within seconds.
    pub async fn change_api_key(
        &self,
        actor: &ActingCaller,
        hash: &str,
        wishes: &KeyWishes,
    ) -> Result<ManagedKey, ApiKeyError> {
        for _ in 0..CHANGE_TRIES_MAX {
            let before = self.api_key(actor.account_id(), hash).await?;
            let mut after = before.clone();
            let key = &mut after.key;
            key.limit = wishes.limit.over(before.key.limit)?;
            if let Some(name) = &wishes.name {
                key.name.clone_from(name);
            }
            key.disabled = wishes.disabled.unwrap_or(before.key.disabled);
            if *key == before.key {
                return Ok(before);
            }
            match self.store_change(actor, &before, &after.key).await {
                Ok((revision, at)) => {
                    after.revision = revision;
                    after.updated_at = Some(at);
                    return Ok(after);
                }
                Err(DirectoryError::Conflict("revision")) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(ApiKeyError::Contended)
    }

    async fn store_change(
        &self,
        actor: &ActingCaller,
        before: &ManagedKey,
        after: &ApiKey,
    ) -> Result<(i64, Timestamp), DirectoryError> {
        let at = self.clock.now();
        let limit = match after.limit {
            same if same == before.key.limit => Patch::Keep,
            Some(limit) => Patch::Set(limit),
            None => Patch::Clear,
        };
        let change = KeyChange {
            name: after.name.clone(),
            disabled: after.disabled,
            limit,
            expected_revision: before.revision,
            at,
        };
        let deed = Deed {
            action: "api_key.update",
            subject: after.id.to_string(),
            workspace_id: Some(after.workspace_id),
            detail: json!({
                "hash": after.hash,
                "before": said(&before.key),
                "after": said(after),
            }),
        };
        let event = actor.did(deed, at);
        let stored = self
            .key_store
            .change_key(actor.account_id(), &after.hash, &change, &event)
            .await?;
        self.keys.tell_changed(stored.lookup_id).await;
        Ok((stored.revision, at))
    }

    /// Deletes a key for good; every node refuses it within seconds.
    pub async fn delete_api_key(
        &self,
        actor: &ActingCaller,
        hash: &str,
    ) -> Result<(), ApiKeyError> {
        let before = self.api_key(actor.account_id(), hash).await?;
        let at = self.clock.now();
        let deed = Deed {
            action: "api_key.delete",
            subject: before.key.id.to_string(),
            workspace_id: Some(before.key.workspace_id),
            detail: json!({ "hash": before.key.hash, "before": said(&before.key) }),
        };
        let event = actor.did(deed, at);
        let account = actor.account_id();
        let stored = self.key_store.remove_key(account, hash, &event).await?;
        self.keys.tell_changed(stored.lookup_id).await;
        Ok(())
    }

    async fn default_workspace(
        &self,
        account: AccountId,
    ) -> Result<Option<WorkspaceId>, DirectoryError> {
        let found = self.directory.account_by_id(account).await?;
        Ok(found.map(|account| account.default_workspace_id))
    }
}

/// What can be changed about a key, for the audit log.
pub(crate) fn said(key: &ApiKey) -> Value {
    json!({
        "name": key.name,
        "disabled": key.disabled,
        "limit_usd": key.limit.map(|limit| limit.limit.to_string()),
        "limit_reset": key.limit.and_then(|limit| limit.reset).map(ResetInterval::as_str),
        "include_byok_in_limit": key.limit.is_some_and(|limit| limit.include_byok),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(usd: i64, reset: Option<ResetInterval>, include_byok: bool) -> Option<KeyLimit> {
        Some(KeyLimit {
            limit: UsdNanos::new(usd),
            reset,
            include_byok,
        })
    }

    #[test]
    fn wishes_for_a_limit_change_what_they_mention() {
        use ResetInterval::{Daily, Weekly};
        let old = limit(5, Some(Daily), true);
        let amount = |nanos| Patch::Set(UsdNanos::new(nanos));
        for (current, limit_wish, reset, include_byok, expected) in [
            (None, Patch::Keep, Patch::Keep, None, None),
            (None, Patch::Clear, Patch::Clear, Some(false), None),
            (None, amount(7), Patch::Keep, None, limit(7, None, false)),
            (old, Patch::Keep, Patch::Keep, None, old),
            (
                old,
                amount(7),
                Patch::Keep,
                None,
                limit(7, Some(Daily), true),
            ),
            (
                old,
                Patch::Keep,
                Patch::Set(Weekly),
                None,
                limit(5, Some(Weekly), true),
            ),
            (old, Patch::Keep, Patch::Clear, None, limit(5, None, true)),
            (
                old,
                Patch::Keep,
                Patch::Keep,
                Some(false),
                limit(5, Some(Daily), false),
            ),
            (old, Patch::Clear, Patch::Keep, None, None),
            (old, Patch::Clear, Patch::Clear, Some(false), None),
        ] {
            let wishes = LimitWishes {
                limit: limit_wish,
                reset,
                include_byok,
            };
            assert_eq!(
                wishes.over(current).expect("possible"),
                expected,
                "{wishes:?}"
            );
        }
        for (current, limit_wish, reset, include_byok) in [
            (None, Patch::Keep, Patch::Set(Daily), None),
            (None, Patch::Clear, Patch::Keep, Some(true)),
            (old, Patch::Clear, Patch::Set(Weekly), None),
        ] {
            let wishes = LimitWishes {
                limit: limit_wish,
                reset,
                include_byok,
            };
            let refused = wishes.over(current);
            assert!(matches!(refused, Err(ApiKeyError::NoLimit)), "{wishes:?}");
        }
    }
}
