//! What the router adds to an answer: its identity, its price, its failure.

use std::time::Duration;

use serde_json::value::RawValue;
use switchyard_domain::{id::GenerationId, money::UsdNanos, tokens::TokenUsage};

/// What every chunk or body of one answer says about itself.
#[derive(Debug, Clone)]
pub struct ReplyHead {
    pub generation_id: GenerationId,
    /// Unix seconds.
    pub created_seconds: i64,
    /// The model that serves, never an alias.
    pub model: String,
    /// The provider's display name.
    pub provider: String,
}

/// How an answer ended, for the terminal event: what it used and what it cost.
#[derive(Debug, Clone)]
pub struct ReplyTail {
    pub tokens: TokenUsage,
    /// What the account was charged.
    pub cost: UsdNanos,
    /// Whether the customer's own credential served.
    pub is_byok: bool,
    /// What the tokens cost at list price, in total and in parts that add up to it.
    pub list_cost: UsdNanos,
    pub list_cost_prompt: UsdNanos,
    pub list_cost_completion: UsdNanos,
    /// The tier that served, where the provider said.
    pub service_tier: Option<String>,
    /// The router's own account of what it did, when the caller asked for it.
    pub metadata: Option<Box<RawValue>>,
}

/// A failure as a caller may see it. Internal text cannot get in here by type: it is made from
/// constants and from values the caller may know.
#[derive(Debug, Clone)]
pub struct PublicFailure {
    /// HTTP status, and `error.code`.
    pub status: u16,
    /// Stable machine-readable type, such as `provider_unavailable`.
    pub error_type: &'static str,
    /// What happened and what to do.
    pub message: String,
    pub retry_after: Option<Duration>,
    /// Extra `error.metadata` fields, a JSON object.
    pub metadata: Option<Box<RawValue>>,
    /// `error.availability`, a JSON object.
    pub availability: Option<Box<RawValue>>,
}
