//! Sums over generations.

use std::ops::AddAssign;

use switchyard_billing::settlement::Settlement;
use switchyard_domain::{clock::Timestamp, money::UsdNanos};

use super::{
    filter::{Dimension, Scope, Value},
    histogram::{LatencyHistogram, ThroughputHistogram},
    log::LogStatus,
};

/// What was asked for, used and paid over some generations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums {
    /// Generations.
    pub requests: u64,
    /// Of them, those that a credential of the customer's own served.
    pub byok_requests: u64,
    /// Of them, those without an answer or whose answer broke off.
    pub errors: u64,
    /// Of them, those whose caller left.
    pub cancelled: u64,
    /// All prompt tokens: fresh, read from caches and written to them.
    pub prompt_tokens: u64,
    /// All completion tokens, reasoning among them.
    pub completion_tokens: u64,
    /// Reasoning tokens.
    pub reasoning_tokens: u64,
    /// Prompt tokens that came from caches.
    pub cached_tokens: u64,
    /// Prompt tokens that were written to caches.
    pub cache_write_tokens: u64,
    /// What the account was charged.
    pub charge: UsdNanos,
    /// Of it, what was charged where the customer's own credential served: fees.
    pub byok_charge: UsdNanos,
    /// The part of the charge for tools.
    pub tools_charge: UsdNanos,
    /// The list price of the tokens, whoever paid for them.
    pub list_price: UsdNanos,
    /// The list price of what customers' own credentials served.
    pub byok_list_price: UsdNanos,
    /// What caching saved; negative where writing caches cost more.
    pub cache_discount: UsdNanos,
    /// Generations whose first token was timed.
    pub latency: LatencyHistogram,
    /// Milliseconds to first tokens, added up.
    pub latency_ms: u64,
    /// Generations whose throughput is known.
    pub throughput: ThroughputHistogram,
    /// The completion tokens of those.
    pub timed_tokens: u64,
    /// Milliseconds from their first to their last tokens, added up.
    pub timed_ms: u64,
}

/// How long a step in time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interval {
    /// 60 seconds; told from generations, not from roll-ups.
    Minute,
    /// From the full hour.
    Hour,
    /// From midnight UTC.
    Day,
    /// From Monday, midnight UTC.
    Week,
    /// From the first, midnight UTC.
    Month,
}

/// How sums are cut along time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Not at all.
    Whole,
    /// By the calendar.
    Calendar(Interval),
    /// Into pieces of so many hours, counted from the hour in which the range begins.
    Hours(u32),
}

/// How much of [`Sums`] is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Detail {
    /// Requests, of which kinds, and what was charged; the rest stays zero. For the course of things
    /// over many hours.
    Outline,
    /// All but times: those stay zero. Costs half.
    Counts,
    /// Everything.
    Timed,
}

/// Sums by time and by dimensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breakdown {
    /// Of which generations.
    pub scope: Scope,
    /// How they are cut along time.
    pub step: Step,
    /// How else they are cut, at most two.
    pub dimensions: Vec<Dimension>,
    /// How much is told of each slice.
    pub detail: Detail,
    /// How many slices at most.
    pub limit: u32,
}

/// One piece of a breakdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// When it begins; `None` where time is not cut.
    pub at: Option<Timestamp>,
    /// Its value of each dimension asked for; `None` is having none.
    pub values: Vec<Option<Value>>,
    /// What it adds up to.
    pub sums: Sums,
}

/// How a scope divides along one dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// Along which.
    pub dimension: Dimension,
    /// The most frequent values.
    pub values: Vec<FacetCount>,
    /// Whether there are more values.
    pub is_cut: bool,
}

/// How many generations have a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetCount {
    /// The value; `None` is having none.
    pub value: Option<Value>,
    /// So many.
    pub requests: u64,
    /// What they were charged.
    pub charge: UsdNanos,
}

impl Sums {
    /// What one settled generation adds.
    pub fn of(settlement: &Settlement) -> Self {
        let (usage, charge) = (&settlement.usage, &settlement.charge);
        let status = LogStatus::of(settlement);
        let is_byok = settlement.is_byok();
        let served = settlement.served.as_ref();
        let first_token_ms = served.and_then(|served| served.latency_ms);
        let duration_ms = served.and_then(|served| served.generation_time_ms);
        let mut sums = Self {
            requests: 1,
            byok_requests: u64::from(is_byok),
            errors: u64::from(status == LogStatus::Error),
            cancelled: u64::from(status == LogStatus::Cancelled),
            prompt_tokens: usage.input_total(),
            completion_tokens: usage.output_total(),
            reasoning_tokens: usage.reasoning,
            cached_tokens: usage.cache_read,
            cache_write_tokens: usage.cache_write_5m.saturating_add(usage.cache_write_1h),
            charge: charge.total,
            byok_charge: if is_byok {
                charge.total
            } else {
                UsdNanos::ZERO
            },
            tools_charge: charge.tools,
            list_price: charge.list,
            byok_list_price: settlement.byok_list_price(),
            cache_discount: charge.cache_discount,
            ..Self::default()
        };
        sums.time(first_token_ms, duration_ms);
        sums
    }

    /// Notes how long one generation's parts took.
    pub(crate) fn time(&mut self, first_token_ms: Option<u64>, duration_ms: Option<u64>) {
        let Some(first_token_ms) = first_token_ms else {
            return;
        };
        self.latency.add(first_token_ms);
        self.latency_ms = first_token_ms;
        let streaming_ms = duration_ms.map(|whole| whole.saturating_sub(first_token_ms));
        let Some(streaming_ms) = streaming_ms.filter(|ms| *ms > 0) else {
            return;
        };
        if self.completion_tokens > 0 {
            let tokens = self.completion_tokens;
            self.throughput
                .add(tokens.saturating_mul(1_000) / streaming_ms);
            self.timed_tokens = tokens;
            self.timed_ms = streaming_ms;
        }
    }

    /// All tokens.
    pub const fn total_tokens(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }
}

impl AddAssign<&Self> for Sums {
    fn add_assign(&mut self, other: &Self) {
        for (sum, addend) in [
            (&mut self.requests, other.requests),
            (&mut self.byok_requests, other.byok_requests),
            (&mut self.errors, other.errors),
            (&mut self.cancelled, other.cancelled),
            (&mut self.prompt_tokens, other.prompt_tokens),
            (&mut self.completion_tokens, other.completion_tokens),
            (&mut self.reasoning_tokens, other.reasoning_tokens),
            (&mut self.cached_tokens, other.cached_tokens),
            (&mut self.cache_write_tokens, other.cache_write_tokens),
            (&mut self.latency_ms, other.latency_ms),
            (&mut self.timed_tokens, other.timed_tokens),
            (&mut self.timed_ms, other.timed_ms),
        ] {
            *sum = sum.saturating_add(addend);
        }
        for (sum, addend) in [
            (&mut self.charge, other.charge),
            (&mut self.byok_charge, other.byok_charge),
            (&mut self.tools_charge, other.tools_charge),
            (&mut self.list_price, other.list_price),
            (&mut self.byok_list_price, other.byok_list_price),
            (&mut self.cache_discount, other.cache_discount),
        ] {
            *sum = sum.saturating_add(addend);
        }
        self.latency += &other.latency;
        self.throughput += &other.throughput;
    }
}
