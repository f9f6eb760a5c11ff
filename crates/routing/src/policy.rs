//! What the account and workspace allow, whatever a request asks for. A narrower scope can only
//! tighten these.

use switchyard_interchange::preferences::SortKey;

/// The account's and workspace's standing rules, already combined.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy {
    /// Only zero-data-retention endpoints.
    pub zdr: bool,
    /// Never endpoints that may train on prompts.
    pub deny_training: bool,
    /// Only these providers; `None` is all, an empty list none.
    pub allowed_providers: Option<Vec<String>>,
    /// Never these providers.
    pub ignored_providers: Vec<String>,
    /// The sort that applies where the request states none.
    pub default_sort: Option<SortKey>,
    /// What happens to tools and strict schemas that an endpoint does not support.
    pub unsupported_features: UnsupportedFeatures,
}

/// What to do about a feature that changes the meaning of the answer (tools, a strict JSON
/// schema) where an endpoint does not declare support for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnsupportedFeatures {
    /// Never use such an endpoint; a request that no endpoint can honour fails.
    #[default]
    Refuse,
    /// Prefer endpoints that support it, but drop the feature where none does.
    Drop,
}
