//! What was counted and measured of one endpoint with one credential, on this node or on several.

use std::time::Duration;

use switchyard_coordination::health::{EndpointDigest, Measures, OutcomeCounts, ToolCounts};
use switchyard_domain::clock::Timestamp;

use super::{
    outcome::{Grade, Outcome},
    sketch::Sketch,
    tool_calls::ToolCallsVerdict,
    window::Ring,
};

/// Counters and distributions of every window. Those of several nodes add up.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Measured {
    /// 30 seconds.
    pub(super) recent: OutcomeCounts,
    /// Five minutes, without what came before the endpoint's latest return.
    pub(super) since_return: OutcomeCounts,
    pub(super) five_minutes: Speeds,
    pub(super) half_hour: Speeds,
    pub(super) day: OutcomeCounts,
    /// Two hours.
    pub(super) tools: ToolCounts,
}

/// Outcomes and speeds of one window.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Speeds {
    pub(super) outcomes: OutcomeCounts,
    /// Milliseconds to the first token.
    pub(super) latency: Sketch,
    /// Thousandths of a token per second.
    pub(super) throughput: Sketch,
}

impl Speeds {
    pub(super) fn add(&mut self, other: &Self) {
        self.outcomes.add(&other.outcomes);
        self.latency.add(&other.latency);
        self.throughput.add(&other.throughput);
    }

    fn to_digest(&self) -> Measures {
        Measures {
            outcomes: self.outcomes,
            latency: self.latency.counts().to_vec(),
            throughput: self.throughput.counts().to_vec(),
        }
    }

    fn of_digest(digest: &Measures) -> Option<Self> {
        Some(Self {
            outcomes: digest.outcomes,
            latency: Sketch::from_counts(&digest.latency)?,
            throughput: Sketch::from_counts(&digest.throughput)?,
        })
    }
}

impl Measured {
    pub(super) fn add(&mut self, other: &Self) {
        self.recent.add(&other.recent);
        self.since_return.add(&other.since_return);
        self.five_minutes.add(&other.five_minutes);
        self.half_hour.add(&other.half_hour);
        self.day.add(&other.day);
        self.tools.add(&other.tools);
    }

    pub(super) fn write_to(&self, digest: &mut EndpointDigest) {
        digest.recent = self.recent;
        digest.since_return = self.since_return;
        digest.five_minutes = self.five_minutes.to_digest();
        digest.half_hour = self.half_hour.to_digest();
        digest.day = self.day;
        digest.tools = self.tools;
    }

    /// `None` where the histograms are not of our making.
    pub(super) fn of_digest(digest: &EndpointDigest) -> Option<Self> {
        Some(Self {
            recent: digest.recent,
            since_return: digest.since_return,
            five_minutes: Speeds::of_digest(&digest.five_minutes)?,
            half_hour: Speeds::of_digest(&digest.half_hour)?,
            day: digest.day,
            tools: digest.tools,
        })
    }
}

/// The windows that a record keeps; those for show only of shared capacity.
#[derive(Debug)]
pub(super) struct Windows {
    /// By second, for the outage flag.
    recent: Ring<OutcomeCounts>,
    /// By quarter of a minute, for the rank.
    since_return: Ring<OutcomeCounts>,
    statistics: Option<Box<Statistics>>,
}

#[derive(Debug)]
struct Statistics {
    minutes: Ring<Speeds>,
    quarters: Ring<OutcomeCounts>,
    tools: Ring<ToolCounts>,
}

const RECENT_SECONDS: usize = 30;
const RETURN_SLOTS: usize = 20;
const RETURN_SLOT: Duration = Duration::from_secs(15);
const MINUTE: Duration = Duration::from_secs(60);
const QUARTER: Duration = Duration::from_secs(15 * 60);
const QUARTERS: usize = 96;
const TOOL_SLOT: Duration = Duration::from_secs(5 * 60);
const TOOL_SLOTS: usize = 24;

impl Windows {
    pub(super) fn with_statistics() -> Self {
        Self {
            statistics: Some(Box::new(Statistics {
                minutes: Ring::new(MINUTE, 30),
                quarters: Ring::new(QUARTER, QUARTERS),
                tools: Ring::new(TOOL_SLOT, TOOL_SLOTS),
            })),
            ..Self::without_statistics()
        }
    }

    pub(super) fn without_statistics() -> Self {
        Self {
            recent: Ring::new(Duration::from_secs(1), RECENT_SECONDS),
            since_return: Ring::new(RETURN_SLOT, RETURN_SLOTS),
            statistics: None,
        }
    }

    pub(super) fn note(&mut self, grade: Grade, outcome: &Outcome<'_>, now: Timestamp) {
        count(self.recent.now(now), grade);
        count(self.since_return.now(now), grade);
        let Some(statistics) = &mut self.statistics else {
            return;
        };
        count(statistics.quarters.now(now), grade);
        let minute = statistics.minutes.now(now);
        count(&mut minute.outcomes, grade);
        if let Some(latency_ms) = outcome.first_token_ms {
            minute.latency.record(latency_ms);
        }
        if grade != Grade::Success {
            return;
        }
        if outcome.output_tokens > 0 && outcome.duration_ms > 0 {
            // Tokens per millisecond are thousands per second.
            let milli_tps = outcome.output_tokens.saturating_mul(1_000_000) / outcome.duration_ms;
            minute.throughput.record(milli_tps);
        }
        if let Some(verdict) = outcome.tool_calls {
            let tools = statistics.tools.now(now);
            tools.requests = tools.requests.saturating_add(1);
            if verdict != ToolCallsVerdict::Sound {
                tools.broken = tools.broken.saturating_add(1);
            }
        }
    }

    /// A success ends an outage: what came before it no longer speaks for one.
    pub(super) fn end_outage(&mut self) {
        self.recent.clear();
    }

    /// The endpoint has come back: what it did before is no reason to rank it low.
    pub(super) fn start_afresh(&mut self) {
        self.recent.clear();
        self.since_return.clear();
    }

    pub(super) fn recent(&self, now: Timestamp) -> OutcomeCounts {
        sum(self.recent.last(RECENT_SECONDS, now))
    }

    pub(super) fn since_return(&self, now: Timestamp) -> OutcomeCounts {
        sum(self.since_return.last(RETURN_SLOTS, now))
    }

    pub(super) fn five_minutes(&self, now: Timestamp) -> Speeds {
        self.minutes(5, now)
    }

    pub(super) fn measured(&self, now: Timestamp) -> Measured {
        let mut measured = Measured {
            recent: self.recent(now),
            since_return: self.since_return(now),
            five_minutes: self.minutes(5, now),
            half_hour: self.minutes(30, now),
            ..Measured::default()
        };
        if let Some(statistics) = &self.statistics {
            measured.day = sum(statistics.quarters.last(QUARTERS, now));
            for slot in statistics.tools.last(TOOL_SLOTS, now) {
                measured.tools.add(slot);
            }
        }
        measured
    }

    fn minutes(&self, minutes: usize, now: Timestamp) -> Speeds {
        let mut speeds = Speeds::default();
        if let Some(statistics) = &self.statistics {
            for minute in statistics.minutes.last(minutes, now) {
                speeds.add(minute);
            }
        }
        speeds
    }
}

fn count(counts: &mut OutcomeCounts, grade: Grade) {
    let counter = match grade {
        Grade::Success => &mut counts.succeeded,
        Grade::Failure => &mut counts.failed,
        Grade::Limited => &mut counts.limited,
        Grade::Forbidden => &mut counts.forbidden,
        Grade::Nothing => return,
    };
    *counter = counter.saturating_add(1);
}

fn sum<'a>(slots: impl Iterator<Item = &'a OutcomeCounts>) -> OutcomeCounts {
    let mut sum = OutcomeCounts::default();
    slots.for_each(|slot| sum.add(slot));
    sum
}
