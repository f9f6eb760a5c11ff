//! API keys: from what a caller presents to a [`Caller`], from memory on the hot path.
//!
//! The cache is keyed by the digest of the whole key, so keys that share a beginning never share
//! an entry. A revocation empties the entry on the node that hears of it: at once through
//! coordination, within half a second through the database's revision counter where nothing else
//! tells. While the database is down, entries are trusted for five minutes.

mod renewal;

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use switchyard_coordination::{Coordination, Invalidation};
use switchyard_domain::{
    clock::{Clock, Timestamp},
    id::{AccountId, ApiKeyId, PersonId, WorkspaceId},
    secret::Secret,
    tenancy::{ApiKey, Caller, KeyKind, KeyLimit},
};
use switchyard_store::{
    Directory, DirectoryError,
    api_key::{KeyVerifier, NewApiKey, StoredKey},
};
use switchyard_vault::{
    api_key::{KeyVerification, MintedKey, PresentedKey, Verifier, parse_key},
    random::{OsRandom, RandomUnavailable},
};

use self::renewal::Renewals;
use crate::{
    api_keys::said,
    audit::{self, Actor, Unnoted},
    limits::{KEY_CACHE_ENTRIES_MAX, KEY_CACHE_LIFE, KEY_CACHE_STALE_LIFE},
    random::RandomSource,
};

/// Why a caller is not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Unknown, malformed, expired, disabled: the answer to all of them is the same.
    #[error("no such API key")]
    Unknown,
    /// The directory cannot be asked and the key is not in memory.
    #[error("API keys cannot be checked at the moment")]
    Unavailable(#[source] DirectoryError),
}

/// Why a key cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Random(#[from] RandomUnavailable),
    #[error(transparent)]
    Unnoted(#[from] Unnoted),
}

/// Why a key cannot be deleted.
#[derive(Debug, thiserror::Error)]
pub enum RevokeKeyError {
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Unnoted(#[from] Unnoted),
}

/// A key to be made.
#[derive(Debug, Clone)]
pub struct KeyRequest {
    pub account_id: AccountId,
    pub workspace_id: WorkspaceId,
    pub name: String,
    pub kind: KeyKind,
    pub limit: Option<KeyLimit>,
    pub expires_at: Option<Timestamp>,
    /// Whose key it is; `None` for the workspace's own.
    pub creator_id: Option<PersonId>,
}

/// A new key: its text is shown once.
#[derive(Debug)]
pub struct CreatedKey {
    pub text: Secret<String>,
    pub key: ApiKey,
}

/// The keys this node knows.
pub struct Keys {
    directory: Arc<dyn Directory>,
    coordination: Arc<dyn Coordination>,
    peppers: Box<dyn KeyVerification>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
    cache: RwLock<Cache>,
    renewals: Renewals,
    /// The last key revision this node has seen.
    revision: AtomicI64,
}

#[derive(Default)]
struct Cache {
    by_digest: HashMap<[u8; 32], Entry>,
    /// Counts invalidations, so that a look-up that started before one does not undo it.
    generation: u64,
}

struct Entry {
    caller: Caller,
    lookup_id: String,
    checked_at: Duration,
    uses: Uses,
}

/// When a key was presented, in microseconds since 1970: last, and last as the database knows it.
struct Uses {
    last: AtomicI64,
    noted: AtomicI64,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    pub fn new(
        directory: Arc<dyn Directory>,
        coordination: Arc<dyn Coordination>,
        peppers: impl KeyVerification,
        clock: Arc<dyn Clock>,
        random: Arc<dyn RandomSource>,
    ) -> Self {
        Self {
            directory,
            coordination,
            peppers: Box::new(peppers),
            clock,
            random,
            cache: RwLock::default(),
            renewals: Renewals::default(),
            revision: AtomicI64::new(0),
        }
    }

    /// The caller behind a presented key.
    pub async fn authenticate(&self, presented: &str) -> Result<Caller, AuthError> {
        let presented = parse_key(presented).map_err(|_| AuthError::Unknown)?;
        let (cached, generation) = self.cached(presented.digest());
        let now = self.clock.monotonic();
        let caller = match cached {
            Some((caller, checked_at)) if now.saturating_sub(checked_at) < KEY_CACHE_LIFE => caller,
            stale => match self.look_up(&presented, generation).await {
                Ok(caller) => caller,
                Err(AuthError::Unavailable(error)) => match stale {
                    Some((caller, at)) if now.saturating_sub(at) < KEY_CACHE_STALE_LIFE => caller,
                    Some(_) | None => return Err(AuthError::Unavailable(error)),
                },
                Err(unknown) => return Err(unknown),
            },
        };
        if caller.key.is_usable(self.clock.now()) {
            Ok(caller)
        } else {
            Err(AuthError::Unknown)
        }
    }

    fn cached(&self, digest: &[u8; 32]) -> (Option<(Caller, Duration)>, u64) {
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
        let entry = cache.by_digest.get(digest);
        if let Some(entry) = entry {
            let now = self.clock.now().micros();
            entry.uses.last.store(now, Ordering::Relaxed);
        }
        (
            entry.map(|entry| (entry.caller.clone(), entry.checked_at)),
            cache.generation,
        )
    }

    async fn look_up(
        &self,
        presented: &PresentedKey<'_>,
        generation: u64,
    ) -> Result<Caller, AuthError> {
        let lookup_id = presented.lookup_id();
        let stored = self
            .directory
            .key_by_lookup_id(&lookup_id)
            .await
            .map_err(AuthError::Unavailable)?;
        let verifier = stored.as_ref().and_then(verifier_of);
        if !self.peppers.verify(presented, verifier.as_ref()) {
            self.forget(&lookup_id);
            return Err(AuthError::Unknown);
        }
        let stored = stored.expect("only a stored key verifies");
        self.renew_verifier(presented, &stored);
        let caller = Caller {
            key: Arc::new(stored.key),
        };
        let entry = Entry {
            caller: caller.clone(),
            lookup_id,
            checked_at: self.clock.monotonic(),
            uses: Uses {
                last: AtomicI64::new(self.clock.now().micros()),
                noted: AtomicI64::new(0),
            },
        };
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.generation == generation {
            if cache.by_digest.len() >= KEY_CACHE_ENTRIES_MAX {
                cache.by_digest.clear();
            }
            cache.by_digest.insert(*presented.digest(), entry);
        }
        Ok(caller)
    }

    /// Lets a key that was just verified move to the newest pepper.
    fn renew_verifier(&self, presented: &PresentedKey<'_>, stored: &StoredKey) {
        let is_outdated =
            verifier_of(stored).is_some_and(|verifier| self.peppers.is_outdated(&verifier));
        if is_outdated {
            let from = KeyVerifier {
                mac: stored.verifier,
                pepper_version: stored.pepper_version,
            };
            let to = self.peppers.verifier(presented);
            self.renewals.note(stored.key.id, from, &to);
        }
    }

    /// Stores the verifiers of keys that moved to a newer pepper.
    pub async fn store_renewals(&self) -> Result<(), DirectoryError> {
        self.renewals.store(&*self.directory).await
    }

    /// Makes a key for an operator and stores what is needed to recognise it.
    pub async fn create(&self, request: KeyRequest) -> Result<CreatedKey, CreateKeyError> {
        let (row, text) = self.mint(request)?;
        self.directory.insert_key(&row).await?;
        let key = row.key;
        self.note("api_key.create", &key, key.created_at).await?;
        Ok(CreatedKey { text, key })
    }

    /// Makes a key; what is to be stored of it, and its text.
    pub(crate) fn mint(
        &self,
        request: KeyRequest,
    ) -> Result<(NewApiKey, Secret<String>), RandomUnavailable> {
        let minted = MintedKey::mint(&OsRandom)?;
        let presented = minted.presented();
        let verifier = self.peppers.verifier(&presented);
        let now = self.clock.now();
        let key = ApiKey {
            id: ApiKeyId::from_uuid(self.random.uuid(now)),
            account_id: request.account_id,
            workspace_id: request.workspace_id,
            kind: request.kind,
            name: request.name,
            label: minted.label(),
            hash: presented.public_hash(),
            limit: request.limit,
            expires_at: request.expires_at,
            disabled: false,
            created_at: now,
            creator_id: request.creator_id,
            shares_limit_of: None,
        };
        let row = NewApiKey {
            key,
            lookup_id: presented.lookup_id(),
            verifier: verifier.mac,
            pepper_version: i32::try_from(verifier.pepper_version).unwrap_or(i32::MAX),
        };
        Ok((row, Secret::new(minted.text().expose().clone())))
    }

    /// Deletes a key for an operator, by its public hash. `Missing` when the workspace has no such
    /// key.
    pub async fn revoke(&self, workspace: WorkspaceId, hash: &str) -> Result<(), RevokeKeyError> {
        let missing = || DirectoryError::Missing(format!("API key {hash}"));
        let lookup_id: String = hash.chars().take(32).collect();
        let stored = self.directory.key_by_lookup_id(&lookup_id).await?;
        let stored = stored
            .filter(|stored| stored.key.hash == hash)
            .ok_or_else(missing)?;
        let (key, at) = (&stored.key, self.clock.now());
        self.directory.delete_key(workspace, key.id, at).await?;
        self.tell_changed(lookup_id).await;
        Ok(self.note("api_key.delete", key, at).await?)
    }

    /// Notes what an operator did to a key.
    async fn note(&self, action: &str, key: &ApiKey, at: Timestamp) -> Result<(), Unnoted> {
        let detail = json!({
            "hash": key.hash,
            "label": key.label,
            "kind": key.kind.as_str(),
            "key": said(key),
            "expires_at": key.expires_at.map(Timestamp::to_rfc3339),
        });
        let mut event = Actor::operator().did(at, action, key.id, detail);
        event.origin.account_id = Some(key.account_id);
        event.origin.workspace_id = Some(key.workspace_id);
        audit::note(&*self.directory, &event).await
    }

    /// A key was changed or deleted: this node forgets it at once, the others as soon as they hear
    /// of it.
    pub(crate) async fn tell_changed(&self, lookup_id: String) {
        self.forget(&lookup_id);
        let news = Invalidation::ApiKey {
            lookup_id: lookup_id.into(),
        };
        if let Err(degraded) = self.coordination.publish(news).await {
            tracing::warn!(error = %degraded, "other nodes learn of a changed key by polling");
        }
    }

    /// When keys were presented since this was asked last.
    pub(crate) fn take_uses(&self) -> Vec<(ApiKeyId, Timestamp)> {
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
        let entries = cache.by_digest.values();
        let fresh = entries.filter_map(|entry| {
            let last = entry.uses.last.load(Ordering::Relaxed);
            let noted = entry.uses.noted.swap(last, Ordering::Relaxed);
            (last != noted).then(|| (entry.caller.key.id, Timestamp::from_micros(last)))
        });
        fresh.collect()
    }

    /// Starts from the current revision; nothing cached before it can exist.
    pub async fn start_following(&self) -> Result<(), DirectoryError> {
        self.revision
            .store(self.directory.key_revision().await?, Ordering::Release);
        Ok(())
    }

    /// Forgets every key that changed since the last call.
    pub async fn follow(&self) -> Result<(), DirectoryError> {
        loop {
            let seen = self.revision.load(Ordering::Acquire);
            let changes = self.directory.key_revisions_after(seen).await?;
            let Some(last) = changes.last() else {
                return Ok(());
            };
            self.revision.store(last.revision, Ordering::Release);
            for change in &changes {
                self.forget(&change.lookup_id);
            }
        }
    }

    /// Forgets one key.
    pub fn forget(&self, lookup_id: &str) {
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        cache.generation += 1;
        cache
            .by_digest
            .retain(|_, entry| entry.lookup_id != lookup_id);
    }

    /// Forgets every key.
    pub fn forget_all(&self) {
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        cache.generation += 1;
        cache.by_digest.clear();
    }
}

fn verifier_of(stored: &StoredKey) -> Option<Verifier> {
    let pepper_version = u32::try_from(stored.pepper_version).ok()?;
    Some(Verifier {
        pepper_version,
        mac: stored.verifier,
    })
}

#[cfg(test)]
mod tests;
