//! What a proposed policy would have done to requests that were served already.
//!
//! A stored decision holds what it was made from, so it can be made again. Both the rules in force
//! and the proposed ones are applied to the same reconstruction (today's catalogue, the health and
//! the seed of then), so that what differs between the two is the policy's doing and nothing
//! else's. What nobody ever tried is told as unknown: an endpoint that the old rules could not have
//! chosen left no evidence of what it would have cost.

mod evidence;

use std::sync::Arc;

use serde::Deserialize;
use switchyard_catalog::snapshot::Catalog;
use switchyard_domain::{clock::Timestamp, endpoint::EndpointId, model::ModelId, money::UsdNanos};
use switchyard_interchange::needs::Needs;

pub use self::evidence::Evidence;
use crate::{
    credentials::{CredentialUse, Credentials, OwnCredential, OwnCredentialId, Section, Shared},
    explain::AvailabilityCode,
    health::{EndpointHealth, HealthRank, HealthSnapshot},
    policy::Policy,
    record::{DecisionRecord, PolicyRecord, Scope, WarmRecord},
    select::{NoCandidates, Plan, Situation, select},
};

/// A stored decision, as far as it takes to make it again.
#[derive(Debug, Clone, Deserialize)]
pub struct Recorded {
    /// The seed of the random draw.
    pub seed: u64,
    /// Which catalogue was read.
    pub catalog_version: String,
    /// Where a prompt cache was warm.
    #[serde(default)]
    pub pin: Option<EndpointId>,
    /// How warm.
    #[serde(default)]
    pub warm: Option<WarmRecord>,
    /// Where the request came from.
    #[serde(default)]
    pub country: Option<String>,
    /// Which standing rules held.
    #[serde(default)]
    pub policy: Option<PolicyRecord>,
    /// What the request needed; records that were written before it was noted have none.
    #[serde(default)]
    pub needs: Option<Box<Needs>>,
    /// Every endpoint of every requested model.
    pub candidates: Vec<RecordedCandidate>,
}

/// One endpoint's fate, as stored.
#[derive(Debug, Clone, Deserialize)]
pub struct RecordedCandidate {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Its model.
    pub model: ModelId,
    /// Whose credential.
    #[serde(default)]
    pub credential: CredentialUse,
    /// Its place in the plan.
    #[serde(default)]
    pub rank: Option<usize>,
    /// The chance the draw gave it, in parts per million.
    #[serde(default)]
    pub draw_ppm: Option<u64>,
    /// Its health at the time.
    #[serde(default)]
    pub health: HealthRank,
}

/// A request that was served.
#[derive(Debug, Clone, Copy)]
pub struct ServedRequest<'a> {
    /// How it was decided where it goes.
    pub decision: &'a Recorded,
    /// When.
    pub at: Timestamp,
    /// Which endpoint answered; `None`: none did.
    pub endpoint: Option<&'a EndpointId>,
    /// What it cost.
    pub charge: UsdNanos,
}

/// What a request is replayed on.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// Today's catalogue.
    pub catalog: &'a Arc<Catalog>,
    /// Whom the operator has a credential for today.
    pub shared: Shared<'a>,
    /// The rules in force.
    pub in_force: &'a Policy,
    /// The rules that might be.
    pub proposed: &'a Policy,
}

/// What came of a replay.
#[derive(Debug, Clone, PartialEq)]
pub enum Replayed {
    /// The record does not say what the request needed.
    NotReplayable,
    /// Today nothing could serve it even under the rules in force, so the proposed ones cannot be
    /// compared with them.
    NotServable(Refusal),
    /// The decision was made again, twice.
    Compared(Box<Comparison>),
}

/// One decision under the rules in force and under the proposed ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The first choice under the rules in force.
    pub before: Choice,
    /// Whether that is what was really chosen first. It is not where the catalogue changed since, or
    /// where the order went by speeds that are measured differently today.
    pub is_as_recorded: bool,
    /// The first choice under the proposed rules, or why there would be none.
    pub after: Result<Choice, Refusal>,
    /// What the request's real charge says about the proposed rules.
    pub evidence: Evidence,
}

/// A first choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Where.
    pub endpoint: EndpointId,
    /// Its provider's display name.
    pub provider: String,
    /// What it was expected to cost there.
    pub expected_cost: UsdNanos,
}

/// Why nothing would serve a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// What its caller would be told.
    pub code: AvailabilityCode,
    /// The rule that removes the last endpoint, by its stable name.
    pub rule: Option<&'static str>,
    /// Who set it.
    pub scope: Option<Scope>,
}

/// Makes a served request's decision again, under the rules in force and under the proposed ones.
pub fn replay(request: &ServedRequest<'_>, ground: &Ground<'_>) -> Replayed {
    let recorded = request.decision;
    let Some(needs) = recorded.needs.as_deref() else {
        return Replayed::NotReplayable;
    };
    let past = Past::of(recorded, ground.catalog);
    let under = |policy| select(needs, &past.situation(request, ground, policy));
    let before = match under(ground.in_force) {
        Ok(plan) => plan,
        Err(error) => return Replayed::NotServable(Refusal::of(&error)),
    };
    let after = under(ground.proposed);
    let chosen_then = recorded.candidates.iter().find(|row| row.rank == Some(0));
    let first = Choice::first_of(&before);
    Replayed::Compared(Box::new(Comparison {
        is_as_recorded: chosen_then.is_some_and(|row| row.endpoint == first.endpoint),
        before: first,
        evidence: Evidence::of(request, after.as_ref().ok()),
        after: match &after {
            Ok(plan) => Ok(Choice::first_of(plan)),
            Err(error) => Err(Refusal::of(error)),
        },
    }))
}

impl Choice {
    fn first_of(plan: &Plan) -> Self {
        let vetted = &plan.candidates[0].vetted;
        let row = first_row(&plan.record);
        Self {
            endpoint: vetted.endpoint().id.clone(),
            provider: vetted.provider().name.to_string(),
            expected_cost: UsdNanos::new(row.and_then(|row| row.expected_cost_nanos).unwrap_or(0)),
        }
    }
}

fn first_row(record: &DecisionRecord) -> Option<&crate::record::CandidateRecord> {
    record.candidates.iter().find(|row| row.rank == Some(0))
}

impl Refusal {
    fn of(error: &NoCandidates) -> Self {
        let mut refusal = Self {
            code: error.code(),
            rule: None,
            scope: None,
        };
        if let NoCandidates::RuledOut {
            last: Some(last),
            record,
            ..
        } = error
        {
            let rows = record.candidates.iter();
            let reasons = rows.filter_map(|row| row.ruled_out.as_ref());
            refusal.rule = Some(last.as_str());
            refusal.scope = reasons
                .filter(|why| why.rule == *last)
                .map(|why| why.scope)
                .min();
        }
        refusal
    }
}

/// What a decision depended on then, beside the catalogue and the policy.
struct Past {
    health: HealthSnapshot,
    own: Vec<OwnCredential>,
    warm: Option<crate::stickiness::WarmCache>,
}

impl Past {
    fn of(recorded: &Recorded, catalog: &Catalog) -> Self {
        let mut health = HealthSnapshot::default();
        for row in &recorded.candidates {
            let then = EndpointHealth {
                rank: row.health,
                ..EndpointHealth::default()
            };
            match row.credential {
                CredentialUse::Shared => health.endpoints.insert(row.endpoint.clone(), then),
                CredentialUse::Own(id) => health.own.insert((row.endpoint.clone(), id), then),
                CredentialUse::Supplied(_) => None,
            };
        }
        let pin = recorded.pin.clone();
        Self {
            health,
            own: own_credentials(recorded, catalog),
            warm: recorded
                .warm
                .zip(pin)
                .map(|(warm, endpoint)| warm.at(endpoint)),
        }
    }

    fn situation<'a>(
        &'a self,
        request: &ServedRequest<'a>,
        ground: &Ground<'a>,
        policy: &'a Policy,
    ) -> Situation<'a> {
        Situation {
            catalog: ground.catalog,
            credentials: Credentials {
                shared: ground.shared,
                own: &self.own,
            },
            health: &self.health,
            policy,
            pin: self.warm.as_ref(),
            country: request.decision.country.as_deref(),
            now: request.at,
            seed: request.decision.seed,
        }
    }
}

/// The customer's own credentials that the record shows in use. What their owner declared about
/// them is not on record, so it does not count: rather too strict than too lax.
fn own_credentials(recorded: &Recorded, catalog: &Catalog) -> Vec<OwnCredential> {
    let mut own: Vec<OwnCredential> = Vec::new();
    for row in &recorded.candidates {
        let (Some(id), Some(endpoint)) = (row.credential.owned(), catalog.endpoint(&row.endpoint))
        else {
            continue;
        };
        let shared = recorded
            .candidates
            .iter()
            .find(|other| other.endpoint == row.endpoint && other.credential.is_shared());
        let section = match (row.rank, shared.and_then(|shared| shared.rank)) {
            (Some(mine), Some(shared)) if mine > shared => Section::Fallback,
            _ => Section::Prioritized,
        };
        match own
            .iter_mut()
            .find(|known: &&mut OwnCredential| known.id == id)
        {
            Some(known) => allow(known, &row.model),
            None => own.push(OwnCredential {
                id,
                provider: catalog.provider_of(endpoint).slug.clone(),
                section,
                allowed_models: Some(vec![row.model.clone()]),
                is_required: shared.is_none(),
                is_byok_only: false,
                declared_zdr: false,
            }),
        }
    }
    let rank_of = |id: OwnCredentialId| {
        let rows = recorded.candidates.iter();
        rows.filter(|row| row.credential.owned() == Some(id))
            .filter_map(|row| row.rank)
            .min()
    };
    own.sort_by_key(|credential| rank_of(credential.id).unwrap_or(usize::MAX));
    own
}

fn allow(credential: &mut OwnCredential, model: &ModelId) {
    let allowed = credential.allowed_models.get_or_insert_default();
    if !allowed.contains(model) {
        allowed.push(model.clone());
    }
}
