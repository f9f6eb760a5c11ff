//! The request's `provider` object: which endpoints may serve it and in which order.

use std::time::Duration;

use switchyard_domain::money::Price;

/// Provider preferences of one request. `None` and empty mean "not stated".
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProviderPreferences {
    /// Providers or endpoint tags to try first, in this order; replaces every sort.
    pub order: Option<Vec<String>>,
    /// Whether endpoints beyond the first choice (or beyond `order`) may serve.
    pub allow_fallbacks: Option<bool>,
    /// Only endpoints that support every parameter of the request.
    pub require_parameters: bool,
    /// `deny` excludes endpoints that may train on the prompt.
    pub data_collection: Option<DataCollection>,
    /// Only zero-data-retention endpoints.
    pub zdr: bool,
    /// Only models whose author allows distillation.
    pub enforce_distillable_text: bool,
    /// Only these providers or tags.
    pub only: Option<Vec<String>>,
    /// Never these; wins over `only`.
    pub ignore: Vec<String>,
    /// Only these weight formats.
    pub quantizations: Option<Vec<String>>,
    pub sort: Option<Sort>,
    pub max_price: MaxPrice,
    /// Tokens per second an endpoint should reach.
    pub preferred_min_throughput: Option<Percentiles>,
    /// Seconds to the first token an endpoint should stay under.
    pub preferred_max_latency: Option<Percentiles>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataCollection {
    Allow,
    Deny,
}

/// An explicit order that replaces load balancing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    pub by: SortKey,
    /// Whether fallback models keep to themselves or compete in one list.
    pub partition: Partition,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    Price,
    Throughput,
    Latency,
    /// Tool-calling quality.
    Exacto,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Partition {
    #[default]
    Model,
    None,
}

/// Price ceilings, inclusive, in pico-dollars per token, request or unit (the wire states token
/// prices per million).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MaxPrice {
    pub prompt: Option<Price>,
    pub completion: Option<Price>,
    pub request: Option<Price>,
    pub image: Option<Price>,
    pub audio: Option<Price>,
}

/// Cut-offs by percentile, in thousandths of the unit so that they compare exactly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Percentiles {
    pub p50: Option<u64>,
    pub p75: Option<u64>,
    pub p90: Option<u64>,
    pub p99: Option<u64>,
}

/// A tier the caller asked for; which tier serves is the router's outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedTier {
    Auto,
    Default,
    Flex,
    /// `priority`, `fast` or `scale`.
    Priority,
}

/// How long a caller is willing to wait; seams for per-request deadlines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deadlines {
    pub first_token: Option<Duration>,
}
