//! How an endpoint stands, in one word: for operators' metrics, logs and lists.

use switchyard_domain::clock::Timestamp;
use switchyard_routing::{
    credentials::CredentialUse,
    health::{EndpointHealth, HealthRank},
};

use super::record::Key;

/// How an endpoint stands, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum EndpointState {
    /// Well.
    #[default]
    Stable,
    /// Coming back after trouble, with a share of the requests.
    Returning,
    /// Failing at the moment.
    Outage,
    /// Failing too often over the last minutes.
    Degraded,
    /// Left alone: its breaker is open, or its provider asked for it.
    Down,
}

/// From one state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) from: EndpointState,
    pub(super) to: EndpointState,
}

impl EndpointState {
    pub(super) fn of(health: &EndpointHealth, now: Timestamp) -> Self {
        if health.benched_until.is_some_and(|until| now < until) {
            return Self::Down;
        }
        match health.rank {
            HealthRank::Stable if health.probation_ppm.is_some() => Self::Returning,
            HealthRank::Stable => Self::Stable,
            HealthRank::Outage => Self::Outage,
            HealthRank::Degraded => Self::Degraded,
            HealthRank::Down => Self::Down,
        }
    }

    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Returning => "returning",
            Self::Outage => "outage",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }

    /// The value of the gauge: 0 is well, higher is worse.
    const fn level(self) -> u8 {
        match self {
            Self::Stable => 0,
            Self::Returning => 1,
            Self::Outage => 2,
            Self::Degraded => 3,
            Self::Down => 4,
        }
    }
}

/// Tells operators. The gauge is by endpoint, of which the catalogue has so many; customers'
/// credentials, of which there may be any number, are only counted.
pub(super) fn report(key: &Key, change: Change) {
    let owner = match key.credential {
        CredentialUse::Shared => "shared",
        CredentialUse::Own(_) | CredentialUse::Supplied(_) => "own",
    };
    metrics::counter!(
        "switchyard_endpoint_state_changes_total",
        "credential" => owner,
        "state" => change.to.as_str(),
    )
    .increment(1);
    let (from, to) = (change.from.as_str(), change.to.as_str());
    match key.credential {
        CredentialUse::Shared => {
            metrics::gauge!("switchyard_endpoint_state", "endpoint" => key.endpoint.to_string())
                .set(f64::from(change.to.level()));
            tracing::info!(endpoint.id = %key.endpoint, from, to, "an endpoint's health changed");
        }
        CredentialUse::Own(credential) => tracing::info!(
            endpoint.id = %key.endpoint,
            credential.id = %credential,
            from,
            to,
            "an endpoint's health changed for a customer's credential"
        ),
        // Never on record.
        CredentialUse::Supplied(_) => {}
    }
}
