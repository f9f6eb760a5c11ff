//! The decision record: everything needed to see why a request went where it went. Stored with
//! the generation; holds no content, no secret.

use std::{borrow::Cow, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use switchyard_domain::{endpoint::EndpointId, model::ModelId};
use switchyard_interchange::needs::Needs;

use crate::{credentials::CredentialUse, health::HealthRank, stickiness::WarmCache};

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
    pub needs: Option<Box<Needs>>,
    /// Every endpoint of every requested model.
    pub candidates: Vec<CandidateRecord>,
}

/// The standing rules that held for a request, without saying them again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// SHA-256 in lower-case hex over the layers as canonical JSON.
    pub digest: String,
    /// Who had set rules, outermost first.
    pub scopes: Vec<Scope>,
}

/// How warm a conversation's prompt cache was when it was decided where to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarmRecord {
    /// Whose account at the provider the cache is in.
    #[serde(default, skip_serializing_if = "CredentialUse::is_shared")]
    pub credential: CredentialUse,
    /// Tokens of the conversation that were in the cache.
    pub warm_tokens: u64,
    /// How long ago it was last used, in milliseconds.
    pub idle_ms: u64,
    /// How long the provider keeps it unused, in milliseconds.
    pub ttl_ms: u64,
    /// The share of expected cache hits that came, in parts per million.
    pub hit_ppm: u32,
    /// Turns in a row for which another endpoint would have been markedly cheaper.
    pub dearer_turns: u8,
}

impl From<&WarmCache> for WarmRecord {
    fn from(warm: &WarmCache) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            credential: warm.credential,
            warm_tokens: warm.warm_tokens,
            idle_ms: millis(warm.idle),
            ttl_ms: millis(warm.ttl),
            hit_ppm: warm.hit_ppm,
            dearer_turns: warm.dearer_turns,
        }
    }
}

impl WarmRecord {
    /// The cache as it was, at the endpoint that the record's `pin` names.
    pub fn at(&self, endpoint: EndpointId) -> WarmCache {
        WarmCache {
            endpoint,
            credential: self.credential,
            warm_tokens: self.warm_tokens,
            idle: Duration::from_millis(self.idle_ms),
            ttl: Duration::from_millis(self.ttl_ms),
            hit_ppm: self.hit_ppm,
            dearer_turns: self.dearer_turns,
        }
    }
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
}

/// One endpoint's fate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateRecord {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// Its provider's display name.
    pub provider: String,
    /// Its model.
    pub model: ModelId,
    /// Whose credential it would be called with.
    #[serde(skip_serializing_if = "CredentialUse::is_shared")]
    pub credential: CredentialUse,
    /// Its place in the plan, from 0; `None` when ruled out or cut off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// The first rule that removed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ruled_out: Option<RuledOut>,
    /// The expected cost of this request there, in nano-dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_cost_nanos: Option<i64>,
    /// The chance the draw gave it against the others drawn from, in parts per million. A warm
    /// cache or a listed endpoint still goes before the drawn one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draw_ppm: Option<u64>,
    /// Its health at the time.
    pub health: HealthRank,
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
    pub detail: Cow<'static, str>,
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
    /// Not among the allowed providers.
    AllowedProviders,
    /// Among the ignored providers.
    Ignored,
    /// It may train on prompts.
    Training,
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
            Self::AllowedProviders => "allowed_providers",
            Self::Ignored => "ignored",
            Self::Training => "training",
            Self::Zdr => "zdr",
            Self::Distillable => "distillable",
            Self::WrongApi => "wrong_api",
            Self::Modality => "modality",
            Self::ContextLength => "context_length",
            Self::RequireParameters => "require_parameters",
            Self::Quantization => "quantization",
            Self::MaxPrice => "max_price",
            Self::Features => "features",
        }
    }
}
