//! What rules would exclude, before they are set: models that would be left without an endpoint, above
//! all those that were used, and requests of the last month that would have failed.

use std::{collections::HashMap, sync::Arc, time::Duration};

use switchyard_catalog::snapshot::Catalog;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, WorkspaceId},
};
use switchyard_routing::{
    credentials::{Credentials, OwnCredential, Shared},
    health::HealthSnapshot,
    policy::{Layer, Policy, Rules},
    record::{DecisionRecord, Scope},
    select::{NoCandidates, Situation, select},
};

use super::{PolicySubject, StandingPolicy, scope_of};
use crate::{
    App,
    explain::{AttemptListError, any_key_of},
    own_credentials::{OwnCredentialError, ping},
    replay::{ReplayReport, ReplayRequest, replay},
};

const MONTH: Duration = Duration::from_secs(30 * 86_400);
/// Requests that are replayed at most, so that a form is answered in time.
const REQUESTS_MAX: u64 = 5_000;

/// A model that would lose endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelLoss {
    /// Its id.
    pub model: String,
    /// Endpoints that can serve it now.
    pub before: usize,
    /// And then.
    pub after: usize,
    /// Its requests of the last month, of those that were looked at.
    pub requests: u64,
}

impl ModelLoss {
    /// Whether nothing would serve it any more.
    pub const fn dies(&self) -> bool {
        self.after == 0
    }
}

/// What rules would change.
#[derive(Debug, Clone)]
pub struct RulesPreview {
    /// Models that would lose endpoints: the most used first, then those that would have none left.
    pub losses: Vec<ModelLoss>,
    /// Models that would have endpoints more than now.
    pub gains: usize,
    /// The last month's requests under the new rules.
    pub requests: ReplayReport,
}

impl RulesPreview {
    /// Models that were used in the last month and would be left without an endpoint.
    pub fn used_and_dead(&self) -> impl Iterator<Item = &ModelLoss> {
        let losses = self.losses.iter();
        losses.filter(|loss| loss.dies() && loss.requests > 0)
    }

    /// Requests of the last month that would have failed.
    pub fn failing(&self) -> u64 {
        self.requests.failing.iter().map(|one| one.requests).sum()
    }
}

/// What models are counted on.
struct Ground<'a> {
    catalog: &'a Arc<Catalog>,
    credentials: Credentials<'a>,
    health: &'a HealthSnapshot,
    now: Timestamp,
}

impl App {
    /// What would change if these were the rules of `subject`, as seen from a workspace.
    pub async fn preview_rules(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        subject: PolicySubject,
        rules: &Rules,
    ) -> Result<RulesPreview, AttemptListError> {
        let scope = scope_of(subject);
        let standing = self.policies.policy_at(account, workspace).await?;
        let proposed = with_layer(&standing, scope, rules);
        let key = any_key_of(account, workspace, None);
        let own: Vec<OwnCredential> = self.own_credentials.choices_for_key(&key).await?;
        let (catalog, shelf) = (self.catalog.current(), self.credentials.shelf());
        let now = self.clock.now();
        let request = ReplayRequest {
            account: Some(account),
            workspace: match subject {
                PolicySubject::Workspace(id) => Some(id),
                PolicySubject::Account(_) | PolicySubject::Key(_) => None,
            },
            requests_max: Some(REQUESTS_MAX),
            since: now.minus(MONTH),
            until: now,
            scope,
            rules: rules.clone(),
        };
        let requests = replay(&*self.directory, &catalog, &request)
            .await
            .map_err(OwnCredentialError::from)?;
        let ground = Ground {
            catalog: &catalog,
            credentials: Credentials {
                shared: Shared::Only(shelf.providers()),
                own: &own,
            },
            health: &self.health.snapshot(),
            now,
        };
        let (losses, gains) = ground.compare(&standing.policy, &proposed, &requests);
        Ok(RulesPreview {
            losses,
            gains,
            requests,
        })
    }
}

fn with_layer(standing: &StandingPolicy, scope: Scope, rules: &Rules) -> Policy {
    let mut layers = standing.policy.layers.clone();
    layers.retain(|layer| layer.scope != scope);
    let place = layers.partition_point(|layer| layer.scope < scope);
    let rules = rules.clone();
    layers.insert(place, Layer { scope, rules });
    Policy { layers }
}

impl Ground<'_> {
    fn compare(
        &self,
        in_force: &Policy,
        proposed: &Policy,
        requests: &ReplayReport,
    ) -> (Vec<ModelLoss>, usize) {
        let used = requests.models.iter();
        let used: HashMap<&str, u64> = used.map(|one| (one.model.as_str(), one.requests)).collect();
        let mut losses = Vec::new();
        let mut gains = 0;
        for model in &self.catalog.models {
            let id = model.id.as_str();
            let before = self.endpoints(id, in_force);
            let after = self.endpoints(id, proposed);
            gains += usize::from(after > before);
            if after < before {
                losses.push(ModelLoss {
                    model: id.to_owned(),
                    before,
                    after,
                    requests: used.get(id).copied().unwrap_or(0),
                });
            }
        }
        losses.sort_by(|one, other| {
            let key = |of: &ModelLoss| (std::cmp::Reverse(of.requests), of.after > 0);
            key(one)
                .cmp(&key(other))
                .then_with(|| one.model.cmp(&other.model))
        });
        (losses, gains)
    }

    /// Endpoints that a plain request for a model could be served by.
    fn endpoints(&self, model: &str, policy: &Policy) -> usize {
        let situation = Situation {
            catalog: self.catalog,
            credentials: self.credentials,
            health: self.health,
            policy,
            pin: None,
            country: None,
            now: self.now,
            seed: 0,
        };
        match select(&ping(model, None).needs(), &situation) {
            Ok(plan) => served(&plan.record),
            Err(NoCandidates::RuledOut { record, .. }) => served(&record),
            Err(_) => 0,
        }
    }
}

fn served(record: &DecisionRecord) -> usize {
    let left = record.candidates.iter();
    let mut left: Vec<&str> = left
        .filter(|row| row.ruled_out.is_none())
        .map(|row| row.endpoint.as_str())
        .collect();
    left.sort_unstable();
    left.dedup();
    left.len()
}
