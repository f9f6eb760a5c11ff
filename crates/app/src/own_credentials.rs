//! Provider credentials that customers brought: kept sealed by this node, chosen for a request by
//! their owners' wishes, opened for the length of one send.
//!
//! A node keeps what an account's requests may be served with in memory, and what of it is open to
//! an API key, put together once: a request costs one look-up, and one of an account without any
//! costs nothing beside it. A change empties the account's entries, at once through coordination,
//! within half a second through the database's revision counter where nothing else tells. Where it
//! cannot be told which credentials there are, requests are refused: one of them may say that paid
//! capacity is not to be used.
//!
//! Read `eligible.rs` for whom a credential is open to, `opening.rs` for how it becomes plain,
//! `manage.rs` for what owners do with theirs, `settings.rs` for what they may say of them.

mod check;
mod eligible;
mod manage;
mod opening;
mod openings;
mod settings;
#[cfg(test)]
mod tests;
mod watch;

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use switchyard_coordination::{Coordination, Invalidation};
use switchyard_domain::{
    clock::Clock,
    id::{AccountId, ApiKeyId, CredentialId},
    tenancy::{ApiKey, Caller},
};
use switchyard_routing::credentials::OwnCredential;
use switchyard_store::{Directory, DirectoryError, OwnCredentialStore};
use switchyard_vault::{Vault, keyed_digest::DigestKeys};

pub use self::{
    check::CredentialCheck,
    eligible::Eligible,
    manage::{CredentialChange, NewCredential, OwnCredentialError},
    opening::{OpenedCredential, OpeningError},
    watch::{Refusal, Seen},
};
pub use switchyard_store::api_key::Page;
pub use switchyard_store::own_credential::{
    CredentialCondition, CredentialFilters, CredentialSettings, CredentialState,
    OwnCredentialFilter, OwnCredentialRow, OwnerEvent, StoredSection,
};

pub(crate) use self::{check::ping, settings::family_of};
use self::{
    eligible::{Held, Holding, is_open_to},
    openings::Openings,
    watch::Watch,
};
use crate::{
    limits::{OWN_CREDENTIAL_CACHE_ENTRIES_MAX, OWN_CREDENTIAL_STALE_LIFE},
    random::RandomSource,
};

/// What [`OwnCredentials`] stands on.
pub struct OwnCredentialParts {
    pub store: Arc<dyn OwnCredentialStore>,
    pub directory: Arc<dyn Directory>,
    pub vault: Arc<Vault>,
    /// Tells whether a secret is there already.
    pub fingerprints: DigestKeys,
    pub coordination: Arc<dyn Coordination>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn RandomSource>,
}

/// The customers' credentials that this node knows, and what can be done with them.
pub struct OwnCredentials {
    store: Arc<dyn OwnCredentialStore>,
    directory: Arc<dyn Directory>,
    vault: Arc<Vault>,
    fingerprints: DigestKeys,
    coordination: Arc<dyn Coordination>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
    cache: RwLock<Cache>,
    /// The last revision this node has seen.
    revision: AtomicI64,
    /// What an account has that has none.
    none: Arc<Eligible>,
    openings: Openings,
    watch: Watch,
}

#[derive(Default)]
struct Cache {
    by_key: HashMap<ApiKeyId, (AccountId, Arc<Eligible>)>,
    by_account: HashMap<AccountId, Arc<Holding>>,
    /// Counts invalidations, so that a look-up that started before one does not undo it.
    generation: u64,
    /// When it was last certain that nothing here is outdated, on the monotonic clock.
    confirmed_at: Duration,
}

/// It cannot be told which credentials an account has. The request is refused: one that is to be
/// used always might be passed over.
#[derive(Debug, Clone, thiserror::Error)]
#[error("an account's own provider credentials cannot be read at the moment")]
pub struct Unreadable(#[source] pub Arc<DirectoryError>);

impl std::fmt::Debug for OwnCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnCredentials")
    }
}

impl OwnCredentials {
    pub fn new(parts: OwnCredentialParts) -> Self {
        Self {
            store: parts.store,
            directory: parts.directory,
            vault: parts.vault,
            fingerprints: parts.fingerprints,
            coordination: parts.coordination,
            clock: parts.clock,
            random: parts.random,
            cache: RwLock::default(),
            revision: AtomicI64::new(0),
            none: Arc::default(),
            openings: Openings::default(),
            watch: Watch::default(),
        }
    }

    /// What a caller's requests may be served with, in their owner's order.
    pub async fn open_to(&self, caller: &Caller) -> Result<Arc<Eligible>, Unreadable> {
        let (cached, generation) = self.cached(|cache| {
            let (_, eligible) = cache.by_key.get(&caller.key.id)?;
            Some(Arc::clone(eligible))
        });
        if let Some(eligible) = cached {
            return Ok(eligible);
        }
        let holding = self.holding(caller.account_id()).await?;
        let eligible = holding
            .open_to(&caller.key)
            .map_or_else(|| Arc::clone(&self.none), Arc::new);
        let mut cache = self.write();
        if cache.generation == generation {
            if cache.by_key.len() >= OWN_CREDENTIAL_CACHE_ENTRIES_MAX {
                cache.by_key.clear();
            }
            let entry = (caller.account_id(), Arc::clone(&eligible));
            cache.by_key.insert(caller.key.id, entry);
        }
        Ok(eligible)
    }

    /// The same for whoever looks after them: as they are stored, for any key of theirs.
    pub async fn open_to_key(
        &self,
        key: &ApiKey,
    ) -> Result<Vec<OwnCredentialRow>, OwnCredentialError> {
        let account = key.account_id;
        let rows = self.store.own_credentials_of(account).await?;
        let open = rows.into_iter().filter(|row| is_open_to(row, key));
        Ok(open.collect())
    }

    /// The same as provider selection knows them.
    pub(crate) async fn choices_for_key(
        &self,
        key: &ApiKey,
    ) -> Result<Vec<OwnCredential>, OwnCredentialError> {
        let rows = self.open_to_key(key).await?.into_iter();
        let held = rows.filter_map(|row| Held::of(key.account_id, row));
        Ok(held.map(|held| held.for_routing()).collect())
    }

    /// What requests of such a key would be served with. Nothing is kept for it: it need not exist.
    pub(crate) async fn open_to_such(&self, key: &ApiKey) -> Result<Option<Eligible>, Unreadable> {
        Ok(self.holding(key.account_id).await?.open_to(key))
    }

    /// Everything that an account's requests may be served with.
    async fn holding(&self, account: AccountId) -> Result<Arc<Holding>, Unreadable> {
        let (cached, generation) = self.cached(|cache| cache.by_account.get(&account).cloned());
        if let Some(holding) = cached {
            return Ok(holding);
        }
        let rows = self
            .store
            .own_credentials_of(account)
            .await
            .map_err(|error| Unreadable(Arc::new(error)))?;
        let holding = Arc::new(Holding::of(account, rows));
        let mut cache = self.write();
        if cache.generation == generation {
            if cache.by_account.len() >= OWN_CREDENTIAL_CACHE_ENTRIES_MAX {
                cache.by_account.clear();
            }
            cache.by_account.insert(account, Arc::clone(&holding));
        }
        Ok(holding)
    }

    fn cached<T>(&self, find: impl FnOnce(&Cache) -> Option<T>) -> (Option<T>, u64) {
        let now = self.clock.monotonic();
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
        let is_trusted = now.saturating_sub(cache.confirmed_at) < OWN_CREDENTIAL_STALE_LIFE;
        let found = if is_trusted { find(&cache) } else { None };
        (found, cache.generation)
    }

    /// Starts from the current revision; nothing cached before it can exist.
    pub async fn start_following(&self) -> Result<(), DirectoryError> {
        let asked_at = self.clock.monotonic();
        let revision = self.store.own_credential_revision().await?;
        self.revision.store(revision, Ordering::Release);
        self.confirm(asked_at);
        Ok(())
    }

    /// Forgets the credentials of every account where one changed since the last call; answers
    /// which have changed.
    pub async fn follow(&self) -> Result<Vec<CredentialId>, DirectoryError> {
        let mut changed = Vec::new();
        loop {
            let asked_at = self.clock.monotonic();
            let seen = self.revision.load(Ordering::Acquire);
            let changes = self.store.own_credential_revisions_after(seen).await?;
            let Some(last) = changes.last() else {
                self.confirm(asked_at);
                return Ok(changed);
            };
            for change in &changes {
                self.forget(change.account_id, change.id);
            }
            changed.extend(changes.iter().map(|change| change.id));
            self.revision.store(last.revision, Ordering::Release);
        }
    }

    fn confirm(&self, at: Duration) {
        let mut cache = self.write();
        cache.confirmed_at = cache.confirmed_at.max(at);
    }

    /// One of an account's credentials is not what it was: what is known of any is asked for anew,
    /// and its plain form is gone. Requests that are under way notice before they use it.
    pub fn forget(&self, account: AccountId, credential: CredentialId) {
        let mut cache = self.write();
        cache.generation += 1;
        cache.by_key.retain(|_, (owner, _)| *owner != account);
        if let Some(holding) = cache.by_account.remove(&account) {
            holding.withdraw();
        }
        drop(cache);
        self.vault.forget(credential);
    }

    /// News was missed: everything is asked for anew.
    pub fn forget_all(&self) {
        let mut cache = self.write();
        cache.generation += 1;
        cache.by_key.clear();
        for holding in cache.by_account.drain().map(|(_, holding)| holding) {
            holding.withdraw();
        }
        drop(cache);
        self.vault.forget_everything();
    }

    /// Wipes what was opened a while ago and nobody asked for again; to be called now and then.
    pub fn sweep(&self) {
        self.vault.sweep();
    }

    /// Tells every node, this one first.
    pub(crate) async fn tell(&self, account_id: AccountId, credential_id: CredentialId) {
        self.forget(account_id, credential_id);
        let news = Invalidation::OwnCredential {
            account_id,
            credential_id,
        };
        if let Err(degraded) = self.coordination.publish(news).await {
            tracing::warn!(error = %degraded, "other nodes learn of the credential by polling");
        }
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Cache> {
        // Only changed by single map operations, so a panic cannot tear it.
        self.cache.write().unwrap_or_else(PoisonError::into_inner)
    }
}
