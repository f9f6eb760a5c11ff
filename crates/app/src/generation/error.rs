//! Why a generation was not served, one variant per answer a caller can get.

use std::time::Duration;

use switchyard_billing::fund::FundId;
use switchyard_domain::{endpoint::EndpointId, money::UsdNanos, provider::ProviderSlug};
use switchyard_interchange::failure::{Failure, FailureKind};

use crate::{
    own_credentials::{OpeningError, Unreadable},
    policies::PolicyError,
    unavailable::Unavailable,
};

/// A failed attempt, with what may be said about it.
#[derive(Debug, Clone)]
pub struct AttemptFailure {
    pub endpoint_id: EndpointId,
    pub provider: ProviderSlug,
    pub provider_name: String,
    pub is_byok: bool,
    pub failure: Failure,
}

impl AttemptFailure {
    /// Whether a provider refused a customer's own credential: it is not valid, may not use this
    /// model, has run dry, or is used too fast.
    pub fn is_refusal(&self) -> bool {
        self.is_byok
            && matches!(
                self.failure.kind,
                FailureKind::Auth
                    | FailureKind::Permission
                    | FailureKind::QuotaBilling
                    | FailureKind::RateLimit
            )
    }

    /// The model that was tried.
    pub fn model(&self) -> &str {
        let id = self.endpoint_id.as_str();
        id.split_once('|').map_or(id, |(model, _)| model)
    }
}

/// Why a generation was not served, or was cut short.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GenerateError {
    /// A management key cannot call models.
    #[error("a management key cannot call models")]
    ManagementKey,
    /// This node is stopping.
    #[error("the service is shutting down")]
    ShuttingDown,
    /// This node serves as much as it can.
    #[error("too many requests are being served")]
    Overloaded,
    /// Charges cannot be recorded, so nothing is served.
    #[error("charges cannot be recorded at the moment")]
    LedgerUnavailable,
    /// It cannot be told what the account allows, so nothing is served.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// It cannot be told which credentials of its own the account has, so nothing is served.
    #[error(transparent)]
    OwnCredentials(#[from] Unreadable),
    /// One of the account's own credentials cannot be opened. Nothing else was tried.
    #[error(transparent)]
    Credential(#[from] OpeningError),
    /// A credential that came with the request is none.
    #[error("the credential {place} that came with the request, for {provider}, is wrong")]
    SuppliedCredential {
        /// Its place among them, from 0.
        place: usize,
        provider: ProviderSlug,
        /// What is wrong with it; holds nothing of it.
        message: String,
    },
    /// No endpoint can serve the request.
    #[error("no endpoint can serve the request")]
    NoCandidates(Box<Unavailable>),
    /// Nobody who owns the account has shown that they read mail at their address, so it may spend
    /// nothing.
    #[error("the address of the account's owner is not confirmed")]
    EmailUnverified,
    /// A fund cannot bear the request.
    #[error("{fund} cannot bear the request: {needed} USD needed, {available} USD available")]
    Insufficient {
        fund: FundId,
        needed: UsdNanos,
        available: UsdNanos,
        /// The output limit that was asked for or assumed.
        requested_output_tokens: u64,
        /// The largest output limit the fund affords; 0 when not even the prompt.
        affordable_output_tokens: u64,
    },
    /// Every attempt failed before anything reached the caller; there is at least one.
    #[error("all {} attempts failed", attempts.len())]
    AttemptsFailed {
        attempts: Vec<AttemptFailure>,
        retry_after: Option<Duration>,
    },
    /// The answer broke off after it had begun.
    #[error("the answer broke off")]
    BrokenOff(Box<AttemptFailure>),
    /// A price or an amount left the range of money.
    #[error("the request's cost cannot be computed")]
    CostOverflow,
}
