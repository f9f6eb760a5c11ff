//! The availability object, its codes, and which rule leads to which.

use serde::Serialize;

use crate::record::Rule;

/// `error.availability` but for its `docs_url`, which the API's address decides.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Availability {
    /// What clients switch on.
    pub code: AvailabilityCode,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// The models as asked for.
    pub requested_models: Vec<String>,
    /// Which kinds of constraint removed endpoints, the deciding one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_by: Vec<&'static str>,
    /// Providers that the deciding constraint removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub affected_providers: Vec<String>,
    /// Models to try instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fallback_models: Vec<String>,
    /// The deciding constraint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraint: Option<Constraint>,
}

/// A constraint that could not be met.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Constraint {
    /// The request field or account setting.
    pub field: &'static str,
    /// The compared values, in words.
    pub detail: String,
}

/// OpenRouter's availability codes. Provider selection itself gives the permanent ones; the
/// retryable ones are for a plan whose every attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AvailabilityCode {
    /// Unknown id.
    ModelNotFound,
    /// The model answers another API.
    WrongEndpoint,
    /// None configured, or removed by provider preferences.
    NoEndpoints,
    /// Removed by a data policy.
    PrivacyRestricted,
    /// Removed by price, context, parameters, weights or kind of input.
    ConstraintFiltered,
    /// Withdrawn by its author.
    ModelDeprecated,
    /// No longer offered for free.
    FreeVariantEnded,
    /// Not offered in the country that the request comes from.
    RegionRestricted,
    /// Every provider said that it does not know the model.
    ModelUnavailableUpstream,
    /// Every attempt was refused for its rate.
    CapacityExhausted,
    /// Every attempt failed, and may not next time.
    TemporarilyUnavailable,
}

impl AvailabilityCode {
    /// The wire name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ModelNotFound => "model_not_found",
            Self::WrongEndpoint => "wrong_endpoint",
            Self::NoEndpoints => "no_endpoints",
            Self::PrivacyRestricted => "privacy_restricted",
            Self::ConstraintFiltered => "constraint_filtered",
            Self::ModelDeprecated => "model_deprecated",
            Self::FreeVariantEnded => "free_variant_ended",
            Self::RegionRestricted => "region_restricted",
            Self::ModelUnavailableUpstream => "model_unavailable_upstream",
            Self::CapacityExhausted => "capacity_exhausted",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }

    /// The HTTP status that goes with it. A permanent failure is never 5xx: clients retry those.
    pub const fn status(self) -> u16 {
        match self {
            Self::ModelNotFound | Self::WrongEndpoint => 400,
            Self::RegionRestricted => 403,
            Self::NoEndpoints
            | Self::PrivacyRestricted
            | Self::ConstraintFiltered
            | Self::ModelDeprecated
            | Self::FreeVariantEnded
            | Self::ModelUnavailableUpstream => 404,
            Self::CapacityExhausted => 429,
            Self::TemporarilyUnavailable => 503,
        }
    }

    /// Whether the same request may succeed later.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::CapacityExhausted | Self::TemporarilyUnavailable)
    }
}

impl Rule {
    /// OpenRouter's word for what this rule excludes by; it has none for what the catalogue alone
    /// decides, and lends its nearest to rules of ours.
    pub const fn excluded_by(self) -> Option<&'static str> {
        match self {
            Self::NotCallable | Self::ServiceTier | Self::ModelNotAllowed | Self::WrongApi => None,
            Self::Geo => Some("geo"),
            Self::DataRegion => Some("data_region"),
            Self::AllowedProviders | Self::Ignored => Some("allowed_providers"),
            Self::Training | Self::Publication | Self::Distillable => Some("data_policy:training"),
            Self::Zdr => Some("data_policy:zdr"),
            Self::ContextLength => Some("context_length"),
            Self::Modality | Self::RequireParameters | Self::Capability | Self::Features => {
                Some("require_parameters")
            }
            Self::Quantization => Some("quantization"),
            Self::MaxPrice => Some("max_price"),
        }
    }

    /// The vocabulary has no code for a model that an owner's rules forbid, so it shares that of
    /// forbidden providers; the status tells them apart ([`NoCandidates::status`]).
    pub(super) const fn code(self) -> AvailabilityCode {
        match self {
            Self::NotCallable | Self::ModelNotAllowed | Self::AllowedProviders | Self::Ignored => {
                AvailabilityCode::NoEndpoints
            }
            Self::Geo => AvailabilityCode::RegionRestricted,
            Self::Training | Self::Publication | Self::Zdr => AvailabilityCode::PrivacyRestricted,
            Self::WrongApi => AvailabilityCode::WrongEndpoint,
            Self::ServiceTier
            | Self::DataRegion
            | Self::Capability
            | Self::Distillable
            | Self::Modality
            | Self::ContextLength
            | Self::RequireParameters
            | Self::Quantization
            | Self::MaxPrice
            | Self::Features => AvailabilityCode::ConstraintFiltered,
        }
    }
}
