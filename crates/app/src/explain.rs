//! A dry run: where a request would go and why, without going there.
//!
//! The same selection runs on the same facts as for a real request: the caller's standing policy,
//! health, the conversation's warm cache, whose credentials there are. Nothing is dispatched,
//! reserved or recorded, no credential is opened, and of the request's content nothing is kept.

mod attempts;
mod decision;
#[cfg(test)]
mod tests;
mod words;

use serde_json::value::{RawValue, to_raw_value};
use switchyard_domain::{clock::Timestamp, endpoint::EndpointId, money::UsdNanos, tenancy::Caller};
use switchyard_interchange::request::ChatRequest;
use switchyard_routing::{
    credentials::{CredentialUse, Credentials, Shared},
    record::{CandidateRecord, DecisionRecord, RuledOut},
    select::{NoCandidates, Situation, select},
};

pub use self::{
    attempts::{AttemptList, AttemptListError, PlannedAttempt, any_key_of},
    decision::{DecidedView, Exclusion},
    words::{RankingWords, strategy as strategy_in_words},
};
use crate::{App, generation::GenerateError, policies::StandingPolicy, unavailable::Unavailable};

/// A request to be explained.
#[derive(Debug)]
pub struct ExplainRequest {
    pub caller: Caller,
    pub chat: ChatRequest,
    /// The seed of the random draw; a fresh one where it is not given.
    pub seed: Option<u64>,
    /// When the request would come; now where it is not given.
    pub at: Option<Timestamp>,
    /// Where it would come from, as two letters.
    pub country: Option<String>,
}

/// Where a request would go and why.
#[derive(Debug)]
pub struct Explanation {
    /// The models as asked for.
    pub requested: Vec<String>,
    /// How the order came about.
    pub strategy: &'static str,
    pub seed: u64,
    pub at: Timestamp,
    pub catalog_version: String,
    /// The standing rules, outermost first.
    pub policy: Vec<PolicyLayer>,
    /// Where the conversation's prompt cache is warm.
    pub pin: Option<EndpointId>,
    /// Every endpoint of every requested model.
    pub candidates: Vec<ExplainedCandidate>,
    /// The endpoints that would be tried, in order.
    pub plan: Vec<EndpointId>,
    /// The least that would have to change for an answer, where there would be none and it helps.
    pub relaxation: Option<Relaxation>,
    /// What the caller would be told, where there would be no answer.
    pub unavailable: Option<Unavailable>,
}

/// One scope's standing rules.
#[derive(Debug)]
pub struct PolicyLayer {
    pub scope: &'static str,
    /// A JSON object.
    pub rules: Box<RawValue>,
}

/// What would have to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relaxation {
    pub text: String,
    pub steps: Vec<String>,
}

/// What would become of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Tried first.
    Selected,
    /// Tried when those before it fail.
    Planned,
    /// A rule stands against it.
    RuledOut,
    /// It may serve, but fallbacks are off.
    CutOff,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Selected => "selected",
            Self::Planned => "planned",
            Self::RuledOut => "ruled_out",
            Self::CutOff => "cut_off",
        }
    }
}

/// One endpoint and what would become of it.
#[derive(Debug)]
pub struct ExplainedCandidate {
    pub endpoint: EndpointId,
    /// Its provider's display name.
    pub provider: String,
    pub model: String,
    /// `shared`, or which of the customer's own, by number: `own 1`.
    pub credential: String,
    pub verdict: Verdict,
    pub rank: Option<usize>,
    /// Its chance in the random draw, in parts per million.
    pub draw_ppm: Option<u64>,
    pub expected_cost: Option<UsdNanos>,
    pub health: &'static str,
    pub ruled_out: Option<Exclusion>,
    /// Why it stands where it stands; only of those that may serve.
    pub ranking: Option<RankingWords>,
}

impl App {
    /// Tells where a request would go and why.
    ///
    /// Where nothing could serve it that is the explanation and no error; a model that does not
    /// exist is one, as for a real request.
    pub async fn explain(&self, request: ExplainRequest) -> Result<Explanation, GenerateError> {
        let ExplainRequest {
            caller,
            chat,
            seed,
            at,
            country,
        } = request;
        let standing = self.policies.policy_of(&caller).await?;
        let needs = chat.needs();
        let now = at.unwrap_or_else(|| self.clock.now());
        let pinning = self.pinning(&caller, &chat, &needs).await;
        let warm = pinning
            .as_ref()
            .and_then(|pinning| self.warm_cache(&caller, &chat, pinning, now));
        let catalog = self.catalog.current();
        let own = self
            .own_set(&caller, &chat.supplied_credentials, &catalog)
            .await?;
        let (health, shelf) = (self.health.snapshot(), self.credentials.shelf());
        let situation = Situation {
            catalog: &catalog,
            credentials: Credentials {
                shared: Shared::Only(shelf.providers()),
                own: own.own(),
            },
            health: &health,
            policy: &standing.policy,
            pin: warm.as_ref(),
            country: country.as_deref(),
            now,
            seed: seed.unwrap_or_else(|| self.random.u64()),
        };
        let outcome = select(&needs, &situation);
        told(outcome, situation.now, &standing)
    }
}

fn told(
    outcome: Result<switchyard_routing::select::Plan, NoCandidates>,
    at: Timestamp,
    standing: &StandingPolicy,
) -> Result<Explanation, GenerateError> {
    let (record, plan, relaxation, unavailable) = match outcome {
        Ok(plan) => {
            let endpoints = plan
                .candidates
                .iter()
                .map(|candidate| candidate.vetted.endpoint().id.clone());
            (plan.record, endpoints.collect(), None, None)
        }
        Err(error) => {
            let NoCandidates::RuledOut {
                record, relaxation, ..
            } = &error
            else {
                return Err(GenerateError::NoCandidates(Box::new(error.into())));
            };
            let (record, relaxation) = (*record.clone(), relaxation.clone());
            let relaxation = relaxation.map(Relaxation::of);
            (record, Vec::new(), relaxation, Some(error.into()))
        }
    };
    Ok(Explanation {
        candidates: candidates(&record),
        requested: record.requested_models,
        strategy: record.strategy,
        seed: record.seed,
        at,
        catalog_version: record.catalog_version,
        policy: layers(standing),
        pin: record.pin,
        plan,
        relaxation,
        unavailable,
    })
}

impl Relaxation {
    fn of(text: String) -> Self {
        Self {
            steps: text.split(", and ").map(str::to_owned).collect(),
            text,
        }
    }
}

fn layers(standing: &StandingPolicy) -> Vec<PolicyLayer> {
    let layers = standing.policy.layers.iter();
    layers
        .filter_map(|layer| {
            Some(PolicyLayer {
                scope: layer.scope.as_str(),
                rules: to_raw_value(&layer.rules).ok()?,
            })
        })
        .collect()
}

fn candidates(record: &DecisionRecord) -> Vec<ExplainedCandidate> {
    // Ids of credentials are nobody's business here; which is which is told by number.
    let mut own: Vec<CredentialUse> = Vec::new();
    record
        .candidates
        .iter()
        .map(|row| candidate(record, row, name_of(row.credential, &mut own)))
        .collect()
}

fn name_of(credential: CredentialUse, own: &mut Vec<CredentialUse>) -> String {
    match credential {
        CredentialUse::Shared => "shared".to_owned(),
        CredentialUse::Supplied(place) => format!("supplied {}", place.saturating_add(1)),
        CredentialUse::Own(_) => {
            let known = own.iter().position(|known| *known == credential);
            let place = known.unwrap_or_else(|| {
                own.push(credential);
                own.len() - 1
            });
            format!("own {}", place + 1)
        }
    }
}

fn candidate(
    record: &DecisionRecord,
    row: &CandidateRecord,
    credential: String,
) -> ExplainedCandidate {
    let verdict = match (&row.ruled_out, row.rank) {
        (Some(_), _) => Verdict::RuledOut,
        (None, None) => Verdict::CutOff,
        (None, Some(0)) => Verdict::Selected,
        (None, Some(_)) => Verdict::Planned,
    };
    let ranking =
        (verdict != Verdict::RuledOut).then(|| RankingWords::of(record, row, &credential));
    ExplainedCandidate {
        endpoint: row.endpoint.clone(),
        provider: row.provider.to_string(),
        model: row.model.to_string(),
        credential,
        verdict,
        rank: row.rank,
        draw_ppm: row.draw_ppm,
        expected_cost: row.expected_cost_nanos.map(UsdNanos::new),
        health: words::health(row.health),
        ruled_out: row.ruled_out.as_ref().map(|why| exclusion(row, why)),
        ranking,
    }
}

fn exclusion(row: &CandidateRecord, why: &RuledOut) -> Exclusion {
    Exclusion::of(&row.endpoint, &row.provider, row.model.as_str(), why)
}
