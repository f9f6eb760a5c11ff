//! Prometheus metrics: what `/metrics` on the admin listener shows.

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Why metrics cannot be collected.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be collected")]
pub struct MetricsError(#[source] metrics_exporter_prometheus::BuildError);

/// Bounds, in seconds, that latencies are counted into.
const LATENCY_SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 120.0,
];

/// Renders what was collected.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// Starts collecting for the whole process.
    pub fn start() -> Result<Self, MetricsError> {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &LATENCY_SECONDS)
            .and_then(PrometheusBuilder::install_recorder)
            .map_err(MetricsError)?;
        describe();
        Ok(Self { handle })
    }

    /// All metrics in Prometheus' text form.
    pub fn render(&self) -> String {
        self.handle.run_upkeep();
        self.handle.render()
    }
}

fn describe() {
    metrics::describe_counter!("switchyard_generations_total", "Generations settled.");
    metrics::describe_counter!(
        "switchyard_settlements_posted_total",
        "Settlements written to the ledger."
    );
    metrics::describe_counter!(
        "switchyard_settlement_conflicts_total",
        "Generations that were settled twice with different content. Page on any."
    );
    metrics::describe_counter!(
        "switchyard_lease_asks_total",
        "Times a node asked the database to hold money."
    );
    metrics::describe_counter!(
        "switchyard_egress_blocked_total",
        "Outbound addresses that were refused, by who chose them. Page on operator: the catalogue has an address that may not be called."
    );
    metrics::describe_counter!(
        "switchyard_coordination_degraded_total",
        "Coordination calls that were done without."
    );
    metrics::describe_counter!(
        "switchyard_endpoint_state_changes_total",
        "Changes of an endpoint's health, by the state that it came to and whose credential it was."
    );
    metrics::describe_gauge!(
        "switchyard_endpoint_state",
        "An endpoint's health since its last change: 0 stable, 1 returning, 2 outage, 3 degraded, 4 down."
    );
    metrics::describe_counter!(
        "switchyard_key_service_calls_total",
        "Questions to the service that guards the outermost keys, by what came of them."
    );
    metrics::describe_gauge!(
        "switchyard_key_service_resting",
        "1 while that service keeps failing and is left alone. Page on 1."
    );
    metrics::describe_gauge!(
        "switchyard_generations_in_flight",
        "Generations being served now."
    );
    metrics::describe_gauge!(
        "switchyard_settlements_unposted",
        "Settlements that wait for the database."
    );
    metrics::describe_gauge!(
        "switchyard_journal_writable",
        "1 while charges can be recorded; 0 admits nothing. Page on 0."
    );
}
