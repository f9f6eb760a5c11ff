//! How fast the caller would like endpoints to be. A wish, not a filter: those that are not go
//! behind those that are.

use switchyard_catalog::snapshot::Endpoint;
use switchyard_interchange::preferences::{Percentiles, ProviderPreferences};

use crate::health::{EndpointHealth, HealthRank};

/// Cutoffs that all have to be met.
pub(super) struct Thresholds {
    min_throughput_milli_tps: Option<Percentiles>,
    max_latency_ms: Option<Percentiles>,
}

impl Thresholds {
    pub(super) fn of(preferences: &ProviderPreferences) -> Self {
        Self {
            min_throughput_milli_tps: preferences.preferred_min_throughput,
            max_latency_ms: preferences.preferred_max_latency,
        }
    }

    /// Whether an endpoint is known to meet every cutoff; what was not measured is not met, and what
    /// is down meets nothing.
    pub(super) fn are_met_by(&self, endpoint: &Endpoint, health: &EndpointHealth) -> bool {
        let throughput = || Percentiles {
            p50: throughput_milli_tps(endpoint, health),
            ..health.throughput_milli_tps
        };
        let latency = || Percentiles {
            p50: latency_ms(endpoint, health),
            ..health.latency_ms
        };
        if self.min_throughput_milli_tps.is_none() && self.max_latency_ms.is_none() {
            return true;
        }
        health.rank != HealthRank::Down
            && self.min_throughput_milli_tps.is_none_or(|cutoffs| {
                all(cutoffs, throughput(), |measured, cutoff| measured >= cutoff)
            })
            && self.max_latency_ms.is_none_or(|cutoffs| {
                all(cutoffs, latency(), |measured, cutoff| measured <= cutoff)
            })
    }
}

fn all(cutoffs: Percentiles, measured: Percentiles, meets: fn(u64, u64) -> bool) -> bool {
    [
        (cutoffs.p50, measured.p50),
        (cutoffs.p75, measured.p75),
        (cutoffs.p90, measured.p90),
        (cutoffs.p99, measured.p99),
    ]
    .into_iter()
    .all(|(cutoff, measured)| {
        cutoff.is_none_or(|cutoff| measured.is_some_and(|measured| meets(measured, cutoff)))
    })
}

/// The middle of our own measurements counts; before there are any, the figure that the catalogue
/// noted.
pub(super) fn throughput_milli_tps(endpoint: &Endpoint, health: &EndpointHealth) -> Option<u64> {
    let noted = endpoint.observed.throughput_p50_tps;
    let measured = health.throughput_milli_tps.p50;
    measured.or_else(|| noted.map(|tps| whole(tps * 1_000.0)))
}

/// As [`throughput_milli_tps`].
pub(super) fn latency_ms(endpoint: &Endpoint, health: &EndpointHealth) -> Option<u64> {
    let noted = endpoint.observed.latency_p50_ms;
    health.latency_ms.p50.or_else(|| noted.map(whole))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "such casts saturate, which is what a figure out of range should do"
)]
fn whole(figure: f64) -> u64 {
    figure as u64
}
