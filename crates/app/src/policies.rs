//! Standing policies: what an account, a workspace or a key allows, whatever a request asks for.
//!
//! A node keeps the layers that hold for a key in memory, put together once: a request costs one
//! look-up. A change empties the account's entries, at once through coordination, within half a
//! second through the database's revision counter where nothing else tells. A policy that cannot
//! be read is not "no policy": the requests under it are refused until somebody sets it right.

mod check;
mod preview;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use serde_json::value::to_raw_value;
use sha2::{Digest, Sha256};
use switchyard_coordination::{Coordination, Invalidation};
use switchyard_domain::{
    clock::Clock,
    id::{AccountId, ApiKeyId, WorkspaceId},
    tenancy::Caller,
};
use switchyard_routing::{
    policy::{Layer, Policy},
    record::{PolicyRecord, Scope},
};
use switchyard_store::{
    Directory, DirectoryError,
    policy::{PolicyChange, StoredPolicy},
};

pub use self::{
    check::{CheckedRules, RulesFault, check_rules, read_rules},
    preview::{ModelLoss, RulesPreview},
};
pub use switchyard_interchange::preferences::SortKey;
pub use switchyard_routing::policy::{Rules, UnsupportedFeatures, ZdrGroups};
pub use switchyard_store::policy::PolicySubject;

use crate::limits::{POLICY_CACHE_ENTRIES_MAX, POLICY_STALE_LIFE};

/// Why it cannot be told what is allowed. The request is refused: routing it without the policy
/// could send it where it must not go.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PolicyError {
    /// The database cannot be asked, and the node does not know.
    #[error("standing policies cannot be read at the moment")]
    Unavailable(#[source] Arc<DirectoryError>),
    /// What is stored is no policy that this version understands.
    #[error("the standing policy of the {} cannot be understood", .0.scope())]
    Unreadable(PolicySubject),
}

/// The standing rules that hold for a key's requests.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StandingPolicy {
    /// The layers, outermost first; those that say nothing are left out.
    pub policy: Policy,
    /// What decision records keep of it; `None` where nobody set a rule.
    pub record: Option<Arc<PolicyRecord>>,
}

/// The standing policies that this node knows.
pub struct Policies {
    directory: Arc<dyn Directory>,
    coordination: Arc<dyn Coordination>,
    clock: Arc<dyn Clock>,
    cache: RwLock<Cache>,
    /// The last revision this node has seen.
    revision: AtomicI64,
}

#[derive(Default)]
struct Cache {
    by_key: HashMap<ApiKeyId, Entry>,
    /// Counts invalidations, so that a look-up that started before one does not undo it.
    generation: u64,
    /// When it was last certain that nothing here is outdated, on the monotonic clock.
    confirmed_at: Duration,
}

struct Entry {
    account: AccountId,
    /// What cannot be understood is remembered, too: asking again would not help.
    found: Result<Arc<StandingPolicy>, PolicyError>,
}

impl std::fmt::Debug for Policies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Policies")
    }
}

impl Policies {
    pub fn new(
        directory: Arc<dyn Directory>,
        coordination: Arc<dyn Coordination>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            directory,
            coordination,
            clock,
            cache: RwLock::default(),
            revision: AtomicI64::new(0),
        }
    }

    /// What holds for a caller's requests: the account's rules, then the workspace's, then the
    /// key's.
    pub async fn policy_of(&self, caller: &Caller) -> Result<Arc<StandingPolicy>, PolicyError> {
        let (cached, generation) = self.cached(caller.key.id);
        match cached {
            Some(found) => found,
            None => self.look_up(caller, generation).await,
        }
    }

    /// What holds for everybody in a workspace, whatever the key.
    pub async fn policy_at(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
    ) -> Result<StandingPolicy, PolicyError> {
        // No key has this id, so no key's rules are among them.
        let nobody = ApiKeyId::from_uuid(uuid::Uuid::nil());
        self.policy_for(account, workspace, nobody).await
    }

    /// What holds for a key's requests, as it is stored now.
    pub(crate) async fn policy_for(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        key: ApiKeyId,
    ) -> Result<StandingPolicy, PolicyError> {
        let stored = self
            .directory
            .policies_for(account, workspace, key)
            .await
            .map_err(|error| PolicyError::Unavailable(Arc::new(error)))?;
        StandingPolicy::of(&stored)
    }

    /// What was set for an account, a workspace or a key, and the number of that change. `None` where
    /// nothing is.
    pub async fn set_for(
        &self,
        account: AccountId,
        subject: PolicySubject,
    ) -> Result<Option<(Rules, i64)>, PolicyError> {
        let stored = self.directory.policy(account, subject).await;
        let stored = stored.map_err(|error| PolicyError::Unavailable(Arc::new(error)))?;
        let Some(stored) = stored else {
            return Ok(None);
        };
        let rules = read_rules(stored.rules.get());
        let rules = rules.map_err(|_| PolicyError::Unreadable(subject))?;
        Ok(Some((rules, stored.revision)))
    }

    fn cached(&self, key: ApiKeyId) -> (Option<Result<Arc<StandingPolicy>, PolicyError>>, u64) {
        let now = self.clock.monotonic();
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
        let is_trusted = now.saturating_sub(cache.confirmed_at) < POLICY_STALE_LIFE;
        let entry = cache.by_key.get(&key).filter(|_| is_trusted);
        (entry.map(|entry| entry.found.clone()), cache.generation)
    }

    async fn look_up(
        &self,
        caller: &Caller,
        generation: u64,
    ) -> Result<Arc<StandingPolicy>, PolicyError> {
        let (account, key) = (caller.account_id(), caller.key.id);
        let stored = self
            .directory
            .policies_for(account, caller.workspace_id(), key)
            .await
            .map_err(|error| PolicyError::Unavailable(Arc::new(error)))?;
        let found = StandingPolicy::of(&stored).map(Arc::new);
        if let Err(error) = &found {
            tracing::error!(
                account = %account,
                error = %error,
                "requests are refused until the policy is set anew or cleared"
            );
        }
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.generation == generation {
            if cache.by_key.len() >= POLICY_CACHE_ENTRIES_MAX {
                cache.by_key.clear();
            }
            let found = found.clone();
            cache.by_key.insert(key, Entry { account, found });
        }
        found
    }

    /// Sets a policy, replacing an earlier one, and tells every node.
    pub async fn put(
        &self,
        account_id: AccountId,
        subject: PolicySubject,
        rules: &Rules,
        by: &str,
    ) -> Result<(), DirectoryError> {
        let document = to_raw_value(rules)
            .map_err(|error| DirectoryError::Inconsistent(format!("rules: {error}")))?;
        let change = self.change(account_id, subject, by);
        self.directory.put_policy(&change, &document).await?;
        self.tell(account_id).await;
        Ok(())
    }

    /// Takes a policy back and tells every node. `Missing` when there is none.
    pub async fn clear(
        &self,
        account_id: AccountId,
        subject: PolicySubject,
        by: &str,
    ) -> Result<(), DirectoryError> {
        let change = self.change(account_id, subject, by);
        self.directory.delete_policy(&change).await?;
        self.tell(account_id).await;
        Ok(())
    }

    fn change(&self, account_id: AccountId, subject: PolicySubject, by: &str) -> PolicyChange {
        PolicyChange {
            account_id,
            subject,
            by: by.to_owned(),
            at: self.clock.now(),
        }
    }

    /// Tells every node, this one first, that policies of an account are not what they were.
    pub(crate) async fn tell(&self, account_id: AccountId) {
        self.forget(account_id);
        let news = Invalidation::Policy { account_id };
        if let Err(degraded) = self.coordination.publish(news).await {
            tracing::warn!(error = %degraded, "other nodes learn of the policy by polling");
        }
    }

    /// Starts from the current revision; nothing cached before it can exist.
    pub async fn start_following(&self) -> Result<(), DirectoryError> {
        let asked_at = self.clock.monotonic();
        let revision = self.directory.policy_revision().await?;
        self.revision.store(revision, Ordering::Release);
        self.confirm(asked_at);
        Ok(())
    }

    /// Forgets the policies of every account where one changed since the last call.
    pub async fn follow(&self) -> Result<(), DirectoryError> {
        loop {
            let asked_at = self.clock.monotonic();
            let seen = self.revision.load(Ordering::Acquire);
            let changes = self.directory.policy_revisions_after(seen).await?;
            let Some(last) = changes.last() else {
                self.confirm(asked_at);
                return Ok(());
            };
            for change in &changes {
                self.forget(change.account_id);
            }
            self.revision.store(last.revision, Ordering::Release);
        }
    }

    fn confirm(&self, at: Duration) {
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        cache.confirmed_at = cache.confirmed_at.max(at);
    }

    /// Forgets the policies of one account.
    pub fn forget(&self, account: AccountId) {
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        cache.generation += 1;
        cache.by_key.retain(|_, entry| entry.account != account);
    }

    /// Forgets every policy.
    pub fn forget_all(&self) {
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        cache.generation += 1;
        cache.by_key.clear();
    }
}

impl StandingPolicy {
    /// Puts stored policies together, outermost first.
    pub fn of(stored: &[StoredPolicy]) -> Result<Self, PolicyError> {
        let mut layers = Vec::with_capacity(stored.len());
        for policy in stored {
            let rules = read_rules(policy.rules.get()).map_err(|error| {
                tracing::warn!(subject = %policy.subject, error = %error, "unreadable policy");
                PolicyError::Unreadable(policy.subject)
            })?;
            layers.push(Layer {
                scope: scope_of(policy.subject),
                rules,
            });
        }
        Ok(Self::of_layers(layers))
    }

    /// A policy of these layers, outermost first.
    pub fn of_layers(mut layers: Vec<Layer>) -> Self {
        layers.retain(|layer| layer.rules != Rules::default());
        if layers.is_empty() {
            return Self::default();
        }
        let record = PolicyRecord {
            digest: digest(&layers),
            scopes: layers.iter().map(|layer| layer.scope).collect(),
        };
        Self {
            policy: Policy { layers },
            record: Some(Arc::new(record)),
        }
    }
}

/// The layer that a subject's rules make.
pub const fn scope_of(subject: PolicySubject) -> Scope {
    match subject {
        PolicySubject::Account(_) => Scope::Account,
        PolicySubject::Workspace(_) => Scope::Workspace,
        PolicySubject::Key(_) => Scope::Key,
    }
}

/// SHA-256 over the layers as JSON without spaces, fields in the order of their declaration and
/// nothing that is left at its default.
fn digest(layers: &[Layer]) -> String {
    let mut hasher = Sha256::new();
    for layer in layers {
        hasher.update(layer.scope.as_str());
        hasher.update([0]);
        let rules = serde_json::to_vec(&layer.rules).expect("rules are lists and flags");
        hasher.update(rules);
        hasher.update([0]);
    }
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
