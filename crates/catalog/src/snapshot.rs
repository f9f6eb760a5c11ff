//! The catalogue as the rest of the house reads it: immutable, indexed, shared by `Arc`.

use std::{collections::HashMap, sync::Arc};

use switchyard_domain::{
    clock::Timestamp,
    endpoint::{DataPolicy, EndpointId, ServiceTier},
    model::{Modalities, ModelId, Parameters},
    money::Price,
    price_list::PriceList,
    provider::ProviderSlug,
};

use crate::{address, findings::Finding};

/// The wire format and conventions a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    OpenAiCompatible,
    Anthropic,
    /// Azure: OpenAI's dialect, or Anthropic's for its models, in resources of the credential's owner.
    Azure,
    /// Amazon Bedrock's runtime.
    Bedrock,
    /// Google Vertex AI.
    Vertex,
}

impl Family {
    /// The `{placeholders}` of an address that are filled in from the credential, request by request.
    pub const fn placeholders(self) -> &'static [&'static str] {
        match self {
            Self::OpenAiCompatible | Self::Anthropic => &[],
            Self::Azure => &["resource"],
            Self::Bedrock => &["region"],
            Self::Vertex => &["region", "project"],
        }
    }
}

/// A company that serves models.
#[derive(Debug, Clone)]
pub struct Provider {
    pub slug: ProviderSlug,
    pub name: Arc<str>,
    /// `None`: we cannot call it (yet), and its endpoints are listed but never candidates.
    pub family: Option<Family>,
    /// The family as the file names it, also where we do not speak it yet.
    pub family_name: Option<String>,
    /// As [`Endpoint::base_url`]; `{placeholders}` may stand in it.
    pub base_url: Option<String>,
    pub data_policy: DataPolicy,
    pub headquarters: Option<String>,
    pub datacenters: Option<Vec<String>>,
    /// Countries it does not serve, in two capital letters.
    pub blocked_countries: Vec<String>,
    pub privacy_policy_url: Option<String>,
    pub terms_of_service_url: Option<String>,
    pub status_page_url: Option<String>,
}

/// What a model can do about reasoning.
#[derive(Debug, Clone, Default)]
pub struct ReasoningSupport {
    pub supported: bool,
    pub mandatory: bool,
    pub default_enabled: Option<bool>,
    /// High to low; `None` is all.
    pub supported_efforts: Option<Vec<String>>,
    pub default_effort: Option<String>,
    pub supports_max_tokens: Option<bool>,
}

/// A model that can be asked for.
#[derive(Debug, Clone)]
pub struct Model {
    pub id: ModelId,
    pub canonical_slug: String,
    pub name: String,
    pub author: String,
    pub description: Option<String>,
    /// Unix seconds.
    pub created: Option<i64>,
    pub context_length: Option<u64>,
    pub max_completion_tokens: Option<u64>,
    pub modality: Option<String>,
    pub input_modalities: Modalities,
    pub output_modalities: Modalities,
    pub tokenizer: Option<String>,
    pub instruct_type: Option<String>,
    pub supported_parameters: Parameters,
    /// As in the file: a JSON object, or `None`.
    pub default_parameters: Option<Arc<serde_json::value::RawValue>>,
    pub reasoning: ReasoningSupport,
    pub knowledge_cutoff: Option<String>,
    /// The announced withdrawal date, `YYYY-MM-DD`.
    pub expiration_date: Option<String>,
    /// The first instant after that day; from then on the model has expired.
    pub expired_from: Option<Timestamp>,
    pub hugging_face_id: Option<String>,
    pub is_moderated: bool,
    /// The author allows training on outputs; unknown is no.
    pub is_distillable: bool,
    /// A `:free` row: all of its endpoints are free.
    pub free: bool,
    /// Countries its author does not let it be used from, in two capital letters.
    pub blocked_countries: Vec<String>,
    /// Indexes into [`Catalog::endpoints`], in the file's order.
    pub endpoints: Vec<usize>,
}

/// Figures noted when the row was gathered; a moment's health, seeds for simulation and for
/// display before we have our own.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Observed {
    pub uptime_percent: Option<f64>,
    pub latency_p50_ms: Option<f64>,
    pub throughput_p50_tps: Option<f64>,
}

/// Prices that a row states and that no usage bucket meters: shown in listings, billed as the
/// bucket their tokens fall into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UnmeteredPrices {
    /// The row's `image` price where it is a price per image token.
    pub image_per_token: Option<Price>,
    /// Per input image token.
    pub image_token: Option<Price>,
    /// Per cached audio input token.
    pub input_audio_cache: Option<Price>,
    /// Per input token written to a cache with the twelve-hour life.
    pub input_cache_write_12h: Option<Price>,
}

impl UnmeteredPrices {
    /// Whether any is stated.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }
}

/// One model served by one provider at one price.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub id: EndpointId,
    /// Index into [`Catalog::models`].
    pub model: usize,
    /// Index into [`Catalog::providers`].
    pub provider: usize,
    /// The id to send upstream; `None`: we do not know it, and the endpoint cannot be called.
    pub provider_model_id: Option<String>,
    /// Provider slug plus what sets the endpoint apart, such as `deepinfra/fp8`.
    pub tag: String,
    pub service_tier: ServiceTier,
    pub quantization: Option<String>,
    /// Effective: the model's where the row states none.
    pub context_length: Option<u64>,
    pub max_completion_tokens: Option<u64>,
    pub max_prompt_tokens: Option<u64>,
    /// `None` where prompt or completion price is unknown: such an endpoint cannot be called.
    pub prices: Option<Arc<PriceList>>,
    /// A content hash of the price list, stamped on every generation it prices.
    pub price_snapshot_id: Option<Arc<str>>,
    /// Prices beside the list, for display only.
    pub unmetered_prices: Option<Box<UnmeteredPrices>>,
    /// The row's `discount` figure, already taken off the prices; for display only.
    pub display_discount: f64,
    pub supported_parameters: Parameters,
    pub supports_implicit_caching: Option<bool>,
    pub regions: Option<Vec<String>>,
    /// Effective: the row's own policy, or its provider's. A provider's policy is about paid
    /// traffic: a free endpoint that states none of its own has an unknown one.
    pub data_policy: DataPolicy,
    /// The row's `zdr` flag where it states one (a contract can improve on the provider's policy,
    /// but not on the row's own); otherwise derived from the policy. Unknown is `false`.
    pub zero_data_retention: bool,
    pub free: bool,
    /// The catalogue's own health note, 0 healthy, below 0 deranked.
    pub status: i32,
    pub observed: Observed,
    /// Effective: the row's own, or its provider's. It includes the version and has no slash at
    /// the end, so that `/chat/completions` or `/messages` can be appended. `None`, or a `{placeholder}`
    /// that its family fills from no credential: the endpoint cannot be called.
    pub base_url: Option<String>,
}

/// A moving name.
#[derive(Debug, Clone)]
pub struct Alias {
    pub alias: String,
    pub model: ModelId,
}

/// Everything there is to call, at one moment.
#[derive(Debug, Default)]
pub struct Catalog {
    pub providers: Vec<Provider>,
    pub models: Vec<Model>,
    pub endpoints: Vec<Endpoint>,
    pub aliases: Vec<Alias>,
    /// A content hash of the files, named in decision records.
    pub version: String,
    /// When it was loaded.
    pub loaded_at: Timestamp,
    /// What the files give cause to remark, without being wrong.
    pub remarks: Vec<Finding>,
    pub(crate) models_by_id: HashMap<ModelId, usize>,
    pub(crate) providers_by_slug: HashMap<ProviderSlug, usize>,
    pub(crate) aliases_by_name: HashMap<String, ModelId>,
}

impl Catalog {
    /// A catalogue of rows whose indexes into each other are already right; the loader and test
    /// builders end here.
    pub fn from_parts(
        providers: Vec<Provider>,
        models: Vec<Model>,
        endpoints: Vec<Endpoint>,
        aliases: Vec<Alias>,
        version: String,
        loaded_at: Timestamp,
    ) -> Self {
        let models_by_id = models
            .iter()
            .enumerate()
            .map(|(index, model)| (model.id.clone(), index))
            .collect();
        let providers_by_slug = providers
            .iter()
            .enumerate()
            .map(|(index, provider)| (provider.slug.clone(), index))
            .collect();
        let aliases_by_name = aliases
            .iter()
            .map(|alias| (alias.alias.clone(), alias.model.clone()))
            .collect();
        Self {
            providers,
            models,
            endpoints,
            aliases,
            version,
            loaded_at,
            remarks: Vec::new(),
            models_by_id,
            providers_by_slug,
            aliases_by_name,
        }
    }

    /// The model with exactly this id.
    pub fn model(&self, id: &str) -> Option<&Model> {
        self.models_by_id.get(id).map(|index| &self.models[*index])
    }

    /// The model a moving name points to now.
    pub fn alias_target(&self, alias: &str) -> Option<&Model> {
        self.aliases_by_name
            .get(alias)
            .and_then(|id| self.model(id.as_str()))
    }

    /// The provider with this slug.
    pub fn provider(&self, slug: &str) -> Option<&Provider> {
        self.providers_by_slug
            .get(slug)
            .map(|index| &self.providers[*index])
    }

    /// The endpoint with this id.
    pub fn endpoint(&self, id: &EndpointId) -> Option<&Endpoint> {
        let model = id
            .as_str()
            .split_once('|')
            .map_or(id.as_str(), |(model, _)| model);
        self.endpoints_of(self.model(model)?)
            .find(|endpoint| endpoint.id == *id)
    }

    /// A model's endpoints, in the file's order.
    pub fn endpoints_of(&self, model: &Model) -> impl Iterator<Item = &Endpoint> {
        model.endpoints.iter().map(|index| &self.endpoints[*index])
    }

    /// Who serves an endpoint.
    pub fn provider_of(&self, endpoint: &Endpoint) -> &Provider {
        &self.providers[endpoint.provider]
    }

    /// What an endpoint serves.
    pub fn model_of(&self, endpoint: &Endpoint) -> &Model {
        &self.models[endpoint.model]
    }
}

impl Model {
    /// Whether its announced withdrawal date lies before the UTC day of `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expired_from.is_some_and(|from| from <= now)
    }
}

/// Why an endpoint that is listed cannot be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.as_str())]
pub enum Obstacle {
    UnknownPrice,
    UnknownModelId,
    UnknownFamily,
    UnsupportedFamily,
    UnsupportedFormat,
    UnknownAddress,
    UnfilledAddress,
}

impl Obstacle {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownPrice => "its price is unknown",
            Self::UnknownModelId => "the provider's id of the model is unknown",
            Self::UnknownFamily => "the provider's wire format is unknown",
            Self::UnsupportedFamily => "the provider's wire format is not supported yet",
            Self::UnsupportedFormat => {
                "the provider serves this model in a wire format that is not supported yet"
            }
            Self::UnknownAddress => "the provider's address is unknown",
            Self::UnfilledAddress => "the provider's address has a placeholder to fill in",
        }
    }
}

impl Endpoint {
    /// Whether a request can be sent to it at all: price, upstream id, address and wire format
    /// are known.
    pub fn is_callable(&self, provider: &Provider) -> bool {
        self.obstacle(provider).is_none()
    }

    /// The first thing that keeps requests from being sent to it.
    pub fn obstacle(&self, provider: &Provider) -> Option<Obstacle> {
        if self.prices.is_none() {
            return Some(Obstacle::UnknownPrice);
        }
        let Some(model_id) = &self.provider_model_id else {
            return Some(Obstacle::UnknownModelId);
        };
        let Some(family) = provider.family else {
            return Some(match provider.family_name {
                Some(_) => Obstacle::UnsupportedFamily,
                None => Obstacle::UnknownFamily,
            });
        };
        if !family.serves_in_spoken_format(model_id) {
            return Some(Obstacle::UnsupportedFormat);
        }
        let Some(url) = &self.base_url else {
            return Some(Obstacle::UnknownAddress);
        };
        let mut placeholders = address::placeholders(url);
        let all_are_filled = placeholders.all(|name| family.placeholders().contains(&name));
        (!all_are_filled).then_some(Obstacle::UnfilledAddress)
    }
}
