//! The request's `provider` object: which endpoints may serve it and in which order. Fields that
//! OpenRouter has mean what they mean there; the others are ours, or another system's under our
//! roof.
//!
//! Serialised only for decision records, from which a decision can be replayed; the wire form is
//! the front codecs' business.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use switchyard_domain::money::Price;

/// Provider preferences of one request. `None` and empty mean "not stated".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProviderPreferences {
    /// Providers or endpoint tags to try first, in this order; replaces every sort of the listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<String>>,
    /// Whether endpoints beyond the first choice (or beyond `order`) may serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_fallbacks: Option<bool>,
    /// Only endpoints that support every parameter of the request.
    #[serde(skip_serializing_if = "is_false")]
    pub require_parameters: bool,
    /// `deny` excludes endpoints that may train on the prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_collection: Option<DataCollection>,
    /// Only zero-data-retention endpoints.
    #[serde(skip_serializing_if = "is_false")]
    pub zdr: bool,
    /// Only models whose author allows distillation.
    #[serde(skip_serializing_if = "is_false")]
    pub enforce_distillable_text: bool,
    /// Only these providers or tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<String>>,
    /// Never these; wins over `only`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Only these weight formats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantizations: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<Sort>,
    #[serde(skip_serializing_if = "MaxPrice::is_empty")]
    pub max_price: MaxPrice,
    /// Thousandths of a token per second an endpoint should reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_min_throughput: Option<Percentiles>,
    /// Milliseconds to the first token an endpoint should stay under (the wire states seconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_max_latency: Option<Percentiles>,
    /// What an endpoint must be able to do, whether or not the request uses it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub has: Vec<Capability>,
    /// Whether a warm prompt cache weighs more than other wishes.
    #[serde(skip_serializing_if = "is_default")]
    pub sticky: Sticky,
    /// Who places cache marks where the provider needs them.
    #[serde(skip_serializing_if = "is_default")]
    pub caching: Caching,
    /// How long a provider (or tag) may take to the first token before the next is tried, in
    /// milliseconds.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub first_token_timeouts_ms: BTreeMap<String, u64>,
    /// When the first token must be there, over all attempts, in milliseconds from admission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token_deadline_ms: Option<u64>,
    /// Start the next attempt beside a slow one. Off unless asked for.
    #[serde(skip_serializing_if = "is_false")]
    pub hedge: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataCollection {
    Allow,
    Deny,
}

/// An explicit order that replaces load balancing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sort {
    pub by: SortKey,
    /// Whether fallback models keep to themselves or compete in one list.
    #[serde(default, skip_serializing_if = "is_default")]
    pub partition: Partition,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortKey {
    Price,
    Throughput,
    Latency,
    /// Tool-calling quality.
    Exacto,
    /// What this request will really cost: a warm cache and the chance of failure weighed in.
    ExpectedCost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Partition {
    #[default]
    Model,
    None,
}

/// Whether a conversation stays where its prompt cache is warm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sticky {
    /// Unless `order` says where to go.
    #[default]
    Auto,
    /// Also under `order`.
    Prefer,
    /// Never.
    Off,
}

/// Who places cache marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caching {
    /// The caller, where it wants any.
    #[default]
    AsMarked,
    /// The router, at the end of what does not change, at providers that cache only what is
    /// marked.
    Auto,
}

/// Something an endpoint can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    ImplicitCaching,
    Reasoning,
    StructuredOutput,
    ToolUse,
    Vision,
    /// Weights in this format.
    Quantization(String),
    /// Weights in any disclosed format but this.
    NotQuantization(String),
}

/// Price ceilings, inclusive, in pico-dollars per token, request or unit (the wire states token
/// prices per million).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaxPrice {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<Price>,
}

impl MaxPrice {
    /// Whether no ceiling is stated.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Figures by percentile, in thousandths of the unit so that they compare exactly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Percentiles {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p75: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99: Option<u64>,
}

/// A tier the caller asked for; which tier serves is the router's outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestedTier {
    Auto,
    Default,
    Flex,
    /// `priority`, `fast` or `scale`.
    Priority,
}

/// How a router model (`switchyard/auto`) may choose.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RouterOptions {
    /// Patterns such as `anthropic/*`; empty allows all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_models: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_models: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_tier: Option<CostTier>,
    /// The model to take as long as it may serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin_model: Option<String>,
}

/// How much a router model may spend, least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostTier {
    Low,
    Medium,
    High,
    Max,
}
