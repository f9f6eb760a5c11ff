//! The decision record: everything needed to see why a request went where it went. Stored with
//! the generation; holds no content, no secret.

mod detail;
mod warm;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use switchyard_domain::{endpoint::EndpointId, model::ModelId};
use switchyard_interchange::needs::Needs;

use crate::{
    credentials::{CredentialUse, Section},
    health::HealthRank,
    select::TryWhen,
    stickiness::PinVerdict,
};

pub use self::{
    detail::{Detail, Figures},
    warm::WarmRecord,
};

/// One routing decision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecisionRecord {
    /// The models as asked for.
    pub requested_models: Vec<String>,
    /// How the models were named.
    pub route: Route,
    /// How the order came about: `default`, `order`, `cheapest`, `sort:price`, ….
    pub strategy: &'static str,
    /// Which catalogue was read.
    pub catalog_version: String,
    /// The seed of the random draw.
    pub seed: u64,
    /// The endpoint a warm prompt cache points to, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<EndpointId>,
    /// What becomes of that pin; `None` where the request keeps no conversation at an endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin_verdict: Option<PinVerdict>,
    /// The attempt that was made beside a slow one, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hedge: Option<HedgeRecord>,
    /// How warm that cache was. This and what follows is noted by whoever stores the record; with it
    /// the decision can be made again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm: Option<WarmRecord>,
    /// The country that the request came from, where it was known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Which standing rules held; absent where there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Arc<PolicyRecord>>,
    /// What the request needed of an endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<Arc<Needs>>,
    /// The account's credits did not cover what the operator's credentials would serve, so only the
    /// customer's own were tried.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub own_only: bool,
    /// Every endpoint of every requested model.
    pub candidates: Vec<CandidateRecord>,
}

impl DecisionRecord {
    /// Takes what the operator's credentials would serve out of the plan.
    pub fn leave_out_shared(&mut self) {
        self.own_only = true;
        let mut planned: Vec<_> = self
            .candidates
            .iter_mut()
            .filter(|row| row.rank.is_some())
            .collect();
        planned.sort_by_key(|row| row.rank);
        let mut next = 0;
        for row in planned {
            row.rank = (!row.credential.is_shared()).then_some(next);
            next += usize::from(row.rank.is_some());
        }
    }
}

/// An attempt beside a slow one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HedgeRecord {
    /// Where it went.
    pub endpoint: EndpointId,
    /// How long after the first one it began.
    pub after_ms: u64,
    /// Whether it was the one to answer.
    pub won: bool,
    /// What the cancelled one may cost whoever's credential it used, in nano-dollars. The caller
    /// is not charged for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loser_cost_nanos: Option<i64>,
}

/// The standing rules that held for a request, without saying them again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// SHA-256 in lower-case hex over the layers as canonical JSON.
    pub digest: String,
    /// Who had set rules, outermost first.
    pub scopes: Vec<Scope>,
}

/// How a request named its models, in OpenRouter's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// One model by its id.
    Direct,
    /// One moving name that follows a model family's newest member.
    Latest,
    /// Another moving name.
    Alias,
    /// Several models.
    Fallback,
    /// A router model, which chooses by what the request needs.
    Auto,
    /// A router model, which chooses among free models.
    Free,
}

/// One endpoint's fate; that of one copy of it, where it can be called with several credentials.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateRecord {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Its provider's display name.
    pub provider: Arc<str>,
    /// Its model.
    pub model: ModelId,
    /// Whose credential it would be called with.
    #[serde(skip_serializing_if = "CredentialUse::is_shared")]
    pub credential: CredentialUse,
    /// Where the customer's own credential stands; `None` is the operator's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section: Option<Section>,
    /// It may serve under zero data retention only because the credential's owner states that
    /// nothing is kept, and the account trusts that.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub declared_zdr: bool,
    /// What must happen before its model is tried.
    #[serde(skip_serializing_if = "is_always")]
    pub when: TryWhen,
    /// Its place in the plan, from 0; `None` when ruled out or cut off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// The first rule that removed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ruled_out: Option<RuledOut>,
    /// The expected cost of this request there, in nano-dollars; where a cache is warm, or cost with
    /// everything weighed in decides, with the cache and the chance of failure weighed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_cost_nanos: Option<i64>,
    /// The chance the draw gave it against the others drawn from, in parts per million. A warm
    /// cache or a listed endpoint still goes before the drawn one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draw_ppm: Option<u64>,
    /// Its health at the time.
    pub health: HealthRank,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn is_always(when: &TryWhen) -> bool {
    *when == TryWhen::Always
}

/// Why an endpoint was removed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RuledOut {
    /// The rule, by its stable name.
    pub rule: Rule,
    /// Who set it.
    pub scope: Scope,
    /// The request field or setting that it compares with, such as `provider.only`.
    pub field: &'static str,
    /// The compared values, in words.
    pub detail: Detail,
}

/// Who set a rule, widest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The facts about the endpoint.
    Catalog,
    /// The account's standing rules.
    Account,
    /// The workspace's.
    Workspace,
    /// The member's who owns the key.
    Member,
    /// The API key's.
    Key,
    /// The preset's that the request names.
    Preset,
    /// The request itself.
    Request,
}

impl Scope {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Account => "account",
            Self::Workspace => "workspace",
            Self::Member => "member",
            Self::Key => "key",
            Self::Preset => "preset",
            Self::Request => "request",
        }
    }
}

/// The filters, in the order in which they are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// It cannot be called: no price, no upstream id, no address, or an unsupported wire format.
    NotCallable,
    /// Its service tier was not asked for.
    ServiceTier,
    /// Its provider or its model is not offered in the country that the request comes from.
    Geo,
    /// It serves, or may serve, outside the allowed data regions.
    DataRegion,
    /// Its model is not allowed, or is ignored.
    ModelNotAllowed,
    /// Not among the allowed providers.
    AllowedProviders,
    /// Among the ignored providers.
    Ignored,
    /// It may train on prompts.
    Training,
    /// It may publish prompts.
    Publication,
    /// It may keep prompts.
    Zdr,
    /// The author does not allow distillation.
    Distillable,
    /// Its model answers in a kind that belongs to another API, such as embeddings.
    WrongApi,
    /// It does not take this kind of input, or give this kind of output.
    Modality,
    /// Prompt and output do not fit.
    ContextLength,
    /// It lacks a parameter that must be supported.
    RequireParameters,
    /// It cannot do something that the caller wants an endpoint to be able to do.
    Capability,
    /// Its weights are in another format.
    Quantization,
    /// It costs more than the ceiling.
    MaxPrice,
    /// It lacks tools, structured output or another feature that the request uses.
    Features,
}

impl Rule {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotCallable => "not_callable",
            Self::ServiceTier => "service_tier",
            Self::Geo => "geo",
            Self::DataRegion => "data_region",
            Self::ModelNotAllowed => "model_not_allowed",
            Self::AllowedProviders => "allowed_providers",
            Self::Ignored => "ignored",
            Self::Training => "training",
            Self::Publication => "publication",
            Self::Zdr => "zdr",
            Self::Distillable => "distillable",
            Self::WrongApi => "wrong_api",
            Self::Modality => "modality",
            Self::ContextLength => "context_length",
            Self::RequireParameters => "require_parameters",
            Self::Capability => "capability",
            Self::Quantization => "quantization",
            Self::MaxPrice => "max_price",
            Self::Features => "features",
        }
    }
}
