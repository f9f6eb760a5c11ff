//! An account's API keys as its management keys and its people see, make and change them. What
//! somebody does not see does not exist for them: no key makes or changes a management key, and a
//! member sees their own.

mod rotation;
mod spending;

pub use self::{
    rotation::{OLD_KEY_LIVES, Rotated},
    spending::{SpendLayer, SpendLayerKind, SpendingRoom},
};
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
pub use switchyard_store::api_key::{KeyDay, KeySight, ManagedKey};
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
    /// There is a successor already, which could be rotated in its turn.
    #[error("the key was rotated already")]
    Rotated,
    /// Its time is over: there is nothing to carry over.
    #[error("the key has expired")]
    Expired,
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
            DirectoryError::Refused("rotated") => Self::Rotated,
            other => Self::Directory(other),
        }
    }
}

/// A key to be made.
#[derive(Debug)]
pub struct NewKey {
    pub name: String,
    /// What it may be used for. Whether the actor may make such a key is for whoever calls to know.
    pub kind: KeyKind,
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
#[derive(Debug, Clone)]
pub struct KeyQuery {
    /// `None` is the account's default workspace.
    pub workspace_id: Option<WorkspaceId>,
    /// Which of its keys there are for whoever asks.
    pub sight: KeySight,
    /// Only those that are switched off, or only those that are not.
    pub disabled: Option<bool>,
    /// Only those whose time is over, or only those whose time is not.
    pub expired: Option<bool>,
    /// Only those that were never presented.
    pub never_used: bool,
    /// Only those with this in their name, their label or at the start of their hash.
    pub text: Option<String>,
    /// Keys to skip.
    pub offset: u32,
    /// Keys to list at most.
    pub limit: u32,
}

impl Default for KeyQuery {
    fn default() -> Self {
        Self {
            workspace_id: None,
            sight: KeySight::CALLING,
            disabled: None,
            expired: None,
            never_used: false,
            text: None,
            offset: 0,
            limit: KEYS_PER_PAGE,
        }
    }
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
    /// A page of the account's keys, newest first, and how many there are in all; not beyond the end.
    pub async fn api_keys(
        &self,
        account: AccountId,
        query: KeyQuery,
    ) -> Result<(Vec<ManagedKey>, u64), ApiKeyError> {
        let workspace = match query.workspace_id {
            Some(workspace) => {
                let has = self.key_store.has_workspace(account, workspace).await?;
                has.then_some(workspace)
            }
            None => self.default_workspace(account).await?,
        };
        let filter = KeyFilter {
            workspace: workspace.ok_or(ApiKeyError::NoSuchWorkspace)?,
            sight: query.sight,
            disabled: query.disabled,
            expired: query.expired,
            never_used: query.never_used,
            text: query.text,
        };
        let page = Page {
            offset: query.offset,
            limit: query.limit,
        };
        self.poster.flush(FLUSH_PATIENCE).await;
        let now = self.clock.now();
        let store = &self.key_store;
        Ok(store.managed_keys(account, &filter, page, now).await?)
    }

    /// One of the account's keys, by its public hash.
    pub async fn api_key(
        &self,
        account: AccountId,
        sight: KeySight,
        hash: &str,
    ) -> Result<ManagedKey, ApiKeyError> {
        self.poster.flush(FLUSH_PATIENCE).await;
        let now = self.clock.now();
        let found = self.key_store.managed_key(account, sight, hash, now);
        let found = found.await?;
        found.ok_or(ApiKeyError::NoSuchKey)
    }

    /// Makes a key.
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
            kind: wanted.kind,
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
                "kind": key.kind.as_str(),
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
                rotated_from: None,
                rotated_to: None,
                usage: KeyUsage::default(),
            },
        })
    }

    /// Changes a key; every node goes by it within seconds.
    pub async fn change_api_key(
        &self,
        actor: &ActingCaller,
        sight: KeySight,
        hash: &str,
        wishes: &KeyWishes,
    ) -> Result<ManagedKey, ApiKeyError> {
        for _ in 0..CHANGE_TRIES_MAX {
            let before = self.api_key(actor.account_id(), sight, hash).await?;
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
            match self.store_change(actor, sight, &before, &after.key).await {
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
        sight: KeySight,
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
            .change_key(actor.account_id(), sight, &after.hash, &change, &event)
            .await?;
        // The key itself is the first.
        let revision = stored.first().map_or(0, |changed| changed.revision);
        for changed in stored {
            self.keys.tell_changed(changed.lookup_id).await;
        }
        Ok((revision, at))
    }

    /// Deletes a key for good; every node refuses it within seconds.
    pub async fn delete_api_key(
        &self,
        actor: &ActingCaller,
        sight: KeySight,
        hash: &str,
    ) -> Result<(), ApiKeyError> {
        let before = self.api_key(actor.account_id(), sight, hash).await?;
        let at = self.clock.now();
        let deed = Deed {
            action: "api_key.delete",
            subject: before.key.id.to_string(),
            workspace_id: Some(before.key.workspace_id),
            detail: json!({ "hash": before.key.hash, "before": said(&before.key) }),
        };
        let event = actor.did(deed, at);
        let account = actor.account_id();
        let stored = self.key_store.remove_key(account, sight, hash, &event);
        let stored = stored.await?;
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
