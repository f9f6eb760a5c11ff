//! What a proposed policy would have done to the generations that are stored: how many requests
//! would have failed and why, where the others would have gone, and what that would have cost.
//!
//! Reads only, and page by page. No credential is opened: whom there is one for is enough.

mod tally;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    sync::Arc,
};

use switchyard_catalog::snapshot::Catalog;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId, WorkspaceId},
    provider::ProviderSlug,
};
use switchyard_routing::{
    credentials::Shared,
    policy::{Layer, Policy, Rules},
    record::Scope,
    replay::{Ground, Recorded, Replayed, ServedRequest, replay as replay_one},
};
use switchyard_store::{
    Directory, DirectoryError,
    generation::{DecidedGeneration, Walk},
    policy::{PolicySubject, StoredPolicy},
};

use self::tally::Tally;
pub use self::tally::{Failing, Measured, ModelShare, Move, ProviderShare, ReplayReport};
use crate::{limits::REPLAY_PAGE_MAX, policies::StandingPolicy};

/// What to replay.
#[derive(Debug, Clone)]
pub struct ReplayRequest {
    /// Whose generations; `None` is everybody's.
    pub account: Option<AccountId>,
    /// Of this workspace only; `None` is all of them.
    pub workspace: Option<WorkspaceId>,
    /// Not more than so many; `None` is all.
    pub requests_max: Option<u64>,
    /// Admitted from then on.
    pub since: Timestamp,
    /// Admitted before then.
    pub until: Timestamp,
    /// Which layer the proposed rules take the place of, for each account, workspace or key.
    pub scope: Scope,
    /// The proposed rules.
    pub rules: Rules,
}

/// Replays stored generations under proposed rules.
pub async fn replay(
    directory: &dyn Directory,
    catalog: &Arc<Catalog>,
    request: &ReplayRequest,
) -> Result<ReplayReport, DirectoryError> {
    let shared: HashSet<ProviderSlug> = directory
        .provider_credentials()
        .await?
        .into_iter()
        .map(|credential| credential.provider)
        .collect();
    let mut rules = RulesInForce::new(request);
    let mut tally = Tally::default();
    let mut walk = Walk {
        account: request.account,
        since: request.since,
        until: request.until,
        after: None,
        limit: REPLAY_PAGE_MAX,
    };
    loop {
        let page = directory.decided_generations(&walk).await?;
        for generation in &page {
            if request
                .workspace
                .is_some_and(|one| one != generation.workspace_id)
            {
                continue;
            }
            if request
                .requests_max
                .is_some_and(|most| tally.requests() >= most)
            {
                return Ok(tally.cut().report());
            }
            rules.learn(directory, generation).await?;
            one(generation, catalog, &shared, &rules, &mut tally);
        }
        match page.last() {
            Some(last) if page.len() as u64 == u64::from(REPLAY_PAGE_MAX) => {
                walk.after = Some((last.admitted_at, last.generation_id.clone()));
            }
            _ => return Ok(tally.report()),
        }
    }
}

fn one(
    generation: &DecidedGeneration,
    catalog: &Arc<Catalog>,
    shared: &HashSet<ProviderSlug>,
    rules: &RulesInForce<'_>,
    tally: &mut Tally,
) {
    let stored = generation.decision.as_deref();
    let recorded: Option<Recorded> =
        stored.and_then(|document| serde_json::from_str(document.get()).ok());
    let (Some(recorded), Some(pair)) = (recorded, rules.of(generation.api_key_id)) else {
        tally.not_replayable();
        return;
    };
    let served = ServedRequest {
        decision: &recorded,
        at: generation.admitted_at,
        endpoint: generation.endpoint_id.as_ref(),
        charge: generation.charge,
    };
    let ground = Ground {
        catalog,
        shared: Shared::Only(shared),
        in_force: &pair.in_force,
        proposed: &pair.proposed,
    };
    let is_other_catalog = recorded.catalog_version != catalog.version;
    let replayed = replay_one(&served, &ground);
    tally.add(&replayed, generation.charge, is_other_catalog);
    if let Replayed::Compared(comparison) = &replayed {
        let endpoint = catalog.endpoint(&comparison.before.endpoint);
        let model = endpoint.map_or("", |endpoint| catalog.model_of(endpoint).id.as_str());
        tally.add_model(model, comparison.after.is_err());
    }
}

/// The rules of a key, as they are and as they might be.
struct RulePair {
    in_force: Policy,
    proposed: Policy,
}

/// The rules in force for each key met so far.
struct RulesInForce<'a> {
    request: &'a ReplayRequest,
    by_account: HashMap<AccountId, Vec<StoredPolicy>>,
    /// `None`: what is stored cannot be understood.
    by_key: HashMap<ApiKeyId, Option<RulePair>>,
}

impl<'a> RulesInForce<'a> {
    fn new(request: &'a ReplayRequest) -> Self {
        Self {
            request,
            by_account: HashMap::new(),
            by_key: HashMap::new(),
        }
    }

    fn of(&self, key: ApiKeyId) -> Option<&RulePair> {
        self.by_key.get(&key)?.as_ref()
    }

    async fn learn(
        &mut self,
        directory: &dyn Directory,
        generation: &DecidedGeneration,
    ) -> Result<(), DirectoryError> {
        if self.by_key.contains_key(&generation.api_key_id) {
            return Ok(());
        }
        let account = generation.account_id;
        let policies = match self.by_account.entry(account) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(directory.policies_of_account(account).await?),
        };
        let of_key = |policy: &&StoredPolicy| match policy.subject {
            PolicySubject::Account(_) => true,
            PolicySubject::Workspace(id) => id == generation.workspace_id,
            PolicySubject::Key(id) => id == generation.api_key_id,
        };
        let stored: Vec<StoredPolicy> = policies.iter().filter(of_key).cloned().collect();
        let pair = StandingPolicy::of(&stored).ok().map(|standing| RulePair {
            proposed: self.proposed(&standing.policy),
            in_force: standing.policy,
        });
        self.by_key.insert(generation.api_key_id, pair);
        Ok(())
    }

    fn proposed(&self, in_force: &Policy) -> Policy {
        let mut layers = in_force.layers.clone();
        let scope = self.request.scope;
        layers.retain(|layer| layer.scope != scope);
        let place = layers.partition_point(|layer| layer.scope < scope);
        layers.insert(
            place,
            Layer {
                scope,
                rules: self.request.rules.clone(),
            },
        );
        Policy { layers }
    }
}
