//! What lists of endpoints show.

use switchyard_coordination::health::OutcomeCounts;
use switchyard_interchange::preferences::Percentiles;

use super::{
    measured::Measured,
    record::{RANKED_ATTEMPTS_MIN, failure_ppm},
    state::EndpointState,
};

/// Attempts that an uptime is told of, at least. That of the last five minutes takes as many as
/// ranking by it does, so that it shows what the router goes by.
const UPTIME_ATTEMPTS_MIN: u32 = 100;

/// How an endpoint has been doing with the operator's credential, on all nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndpointFigures {
    /// How it stands.
    pub state: EndpointState,
    /// Successes among successes and failures, in parts per million; `None`: too few to tell.
    pub uptime_5m_ppm: Option<u32>,
    /// The same over half an hour.
    pub uptime_30m_ppm: Option<u32>,
    /// The same over a day.
    pub uptime_1d_ppm: Option<u32>,
    /// Milliseconds to the first token, over half an hour; pN is what N % stay within.
    pub latency_ms: Percentiles,
    /// The same for 95 %, which endpoint lists in the console show.
    pub latency_p95_ms: Option<u64>,
    /// Thousandths of a token per second, over half an hour; pN is what N % reach or beat.
    pub throughput_milli_tps: Percentiles,
}

impl EndpointFigures {
    pub(super) fn new(state: EndpointState, measured: &Measured) -> Self {
        Self {
            state,
            uptime_5m_ppm: uptime_ppm(measured.five_minutes.outcomes, RANKED_ATTEMPTS_MIN),
            uptime_30m_ppm: uptime_ppm(measured.half_hour.outcomes, UPTIME_ATTEMPTS_MIN),
            uptime_1d_ppm: uptime_ppm(measured.day, UPTIME_ATTEMPTS_MIN),
            latency_ms: measured.half_hour.latency.percentiles_within(),
            latency_p95_ms: measured.half_hour.latency.within(95),
            throughput_milli_tps: measured.half_hour.throughput.percentiles_reached(),
        }
    }
}

fn uptime_ppm(counts: OutcomeCounts, attempts_min: u32) -> Option<u32> {
    failure_ppm(counts, attempts_min).map(|ppm| 1_000_000 - ppm)
}
