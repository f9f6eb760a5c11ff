//! The words that questions about activity are made of.

use serde_json::value::RawValue;
use switchyard_app::activity::{Dimension, Interval, RowMeasure, Sums};
use switchyard_domain::money::UsdNanos;

/// How a metric is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Number,
    Currency,
    Percent,
    Latency,
    Throughput,
}

impl Format {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Currency => "currency",
            Self::Percent => "percent",
            Self::Latency => "latency",
            Self::Throughput => "throughput",
        }
    }
}

/// How far back something can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// 31 days.
    Month,
    /// 365 days.
    Year,
}

impl Reach {
    pub(super) const fn days(self) -> u32 {
        match self {
            Self::Month => 31,
            Self::Year => 365,
        }
    }
}

/// What a metric is over some generations.
#[derive(Debug, Clone, Copy)]
pub(super) enum Measure {
    Count(fn(&Sums) -> u64),
    Money(fn(&Sums) -> UsdNanos),
    /// The first as a share of the second.
    Share(fn(&Sums) -> (u64, u64)),
    /// In thousandths; nothing where nothing was measured.
    Milli(fn(&Sums) -> Option<u64>),
}

/// Something that is measured.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) format: Format,
    pub(super) reach: Reach,
    pub(super) measure: Measure,
}

impl Metric {
    pub(super) const fn is_rate(&self) -> bool {
        matches!(self.measure, Measure::Share(_) | Measure::Milli(_))
    }

    /// Whether it takes times.
    pub(super) const fn is_timed(&self) -> bool {
        matches!(self.measure, Measure::Milli(_))
    }

    /// As in an answer: counts are strings, money and rates numbers.
    pub(super) fn told(&self, sums: &Sums) -> Box<RawValue> {
        raw(match self.measure {
            Measure::Count(of) => format!("\"{}\"", of(sums)),
            Measure::Money(of) => of(sums).to_string(),
            Measure::Share(of) => match of(sums) {
                (_, 0) => NOTHING.to_owned(),
                (part, whole) => decimal(u128::from(part) * 1_000_000 / u128::from(whole), 6),
            },
            Measure::Milli(of) => {
                of(sums).map_or_else(|| NOTHING.to_owned(), |milli| decimal(milli.into(), 3))
            }
        })
    }

    /// For putting in order.
    pub(super) fn rank(&self, sums: &Sums) -> i128 {
        match self.measure {
            Measure::Count(of) => of(sums).into(),
            Measure::Money(of) => of(sums).get().into(),
            Measure::Share(of) => match of(sums) {
                (_, 0) => -1,
                (part, whole) => i128::from(part) * 1_000_000_000 / i128::from(whole),
            },
            Measure::Milli(of) => of(sums).map_or(-1, i128::from),
        }
    }
}

const NOTHING: &str = "null";

fn decimal(scaled: u128, places: u32) -> String {
    let one = 10_u128.pow(places);
    let width = places as usize;
    format!("{}.{:0width$}", scaled / one, scaled % one)
}

/// A JSON text as it is, so that numbers keep all of their digits.
fn raw(text: String) -> Box<RawValue> {
    RawValue::from_string(text).expect("digits, or digits in quotes")
}

const fn count(
    name: &'static str,
    label: &'static str,
    reach: Reach,
    of: fn(&Sums) -> u64,
) -> Metric {
    Metric {
        name,
        label,
        format: Format::Number,
        reach,
        measure: Measure::Count(of),
    }
}

const fn money(
    name: &'static str,
    label: &'static str,
    reach: Reach,
    of: fn(&Sums) -> UsdNanos,
) -> Metric {
    Metric {
        name,
        label,
        format: Format::Currency,
        reach,
        measure: Measure::Money(of),
    }
}

const fn share(
    name: &'static str,
    label: &'static str,
    reach: Reach,
    of: fn(&Sums) -> (u64, u64),
) -> Metric {
    Metric {
        name,
        label,
        format: Format::Percent,
        reach,
        measure: Measure::Share(of),
    }
}

const fn timed(
    name: &'static str,
    label: &'static str,
    format: Format,
    of: fn(&Sums) -> Option<u64>,
) -> Metric {
    Metric {
        name,
        label,
        format,
        reach: Reach::Month,
        measure: Measure::Milli(of),
    }
}

fn latency(sums: &Sums, per_mille: u32) -> Option<u64> {
    let ms = sums.latency.percentile_ms(per_mille)?;
    Some(ms.saturating_mul(1_000))
}

fn thousandths(whole: u64, parts: u64) -> Option<u64> {
    let milli = u128::from(whole) * 1_000;
    u64::try_from(milli.checked_div(u128::from(parts))?).ok()
}

/// Everything that can be asked for.
pub(super) const METRICS: &[Metric] = &[
    count("request_count", "Requests", Reach::Year, |sums| {
        sums.requests
    }),
    count(
        "byok_request_count",
        "Requests on own credentials",
        Reach::Year,
        |sums| sums.byok_requests,
    ),
    count("error_count", "Failed requests", Reach::Year, |sums| {
        sums.errors
    }),
    count(
        "cancelled_count",
        "Cancelled requests",
        Reach::Year,
        |sums| sums.cancelled,
    ),
    share("error_rate", "Error rate", Reach::Year, |sums| {
        (sums.errors, sums.requests)
    }),
    count("tokens_total", "Tokens", Reach::Year, Sums::total_tokens),
    count("tokens_prompt", "Prompt tokens", Reach::Year, |sums| {
        sums.prompt_tokens
    }),
    count(
        "tokens_completion",
        "Completion tokens",
        Reach::Year,
        |sums| sums.completion_tokens,
    ),
    count(
        "reasoning_tokens",
        "Reasoning tokens",
        Reach::Year,
        |sums| sums.reasoning_tokens,
    ),
    count(
        "cached_tokens",
        "Tokens read from caches",
        Reach::Year,
        |sums| sums.cached_tokens,
    ),
    count(
        "cache_write_tokens",
        "Tokens written to caches",
        Reach::Year,
        |sums| sums.cache_write_tokens,
    ),
    share("cache_hit_rate", "Cache hit rate", Reach::Year, |sums| {
        (sums.cached_tokens, sums.prompt_tokens)
    }),
    money(
        "total_usage",
        "Credits and own credentials",
        Reach::Year,
        |sums| sums.charge.saturating_add(sums.byok_list_price),
    ),
    money("credits_usage", "Credits used", Reach::Year, |sums| {
        sums.charge
    }),
    money(
        "byok_usage",
        "Own credentials, by list price",
        Reach::Year,
        |sums| sums.byok_list_price,
    ),
    money(
        "usage_upstream",
        "Inference at shared capacity",
        Reach::Year,
        |sums| {
            sums.charge
                .saturating_sub(sums.byok_charge)
                .saturating_sub(sums.tools_charge)
        },
    ),
    money("cache_discount", "Saved by caching", Reach::Year, |sums| {
        sums.cache_discount
    }),
    money(
        "byok_fees",
        "Fees on own credentials",
        Reach::Month,
        |sums| sums.byok_charge,
    ),
    timed(
        "avg_latency",
        "Mean time to first token",
        Format::Latency,
        |sums| thousandths(sums.latency_ms, sums.latency.count()),
    ),
    timed(
        "p50_latency",
        "Median time to first token",
        Format::Latency,
        |sums| latency(sums, 500),
    ),
    timed(
        "p90_latency",
        "P90 time to first token",
        Format::Latency,
        |sums| latency(sums, 900),
    ),
    timed(
        "p95_latency",
        "P95 time to first token",
        Format::Latency,
        |sums| latency(sums, 950),
    ),
    timed(
        "p99_latency",
        "P99 time to first token",
        Format::Latency,
        |sums| latency(sums, 990),
    ),
    timed(
        "avg_throughput",
        "Mean tokens per second",
        Format::Throughput,
        |sums| thousandths(sums.timed_tokens.saturating_mul(1_000), sums.timed_ms),
    ),
    timed(
        "p50_throughput",
        "Median tokens per second",
        Format::Throughput,
        |sums| sums.throughput.percentile_milli(500),
    ),
    timed(
        "p90_throughput",
        "P90 tokens per second",
        Format::Throughput,
        |sums| sums.throughput.percentile_milli(900),
    ),
    timed(
        "p99_throughput",
        "P99 tokens per second",
        Format::Throughput,
        |sums| sums.throughput.percentile_milli(990),
    ),
];

/// What others measure and this service does not.
pub(super) const UNMEASURED: &[&str] = &[
    "usage_cache",
    "usage_data",
    "usage_web",
    "usage_upstream_web",
    "usage_file",
    "usage_upstream_file",
    "usage_web_fetch",
    "usage_upstream_web_fetch",
    "openrouter_usage",
    "guardrail_invoked_count",
    "guardrail_invoked_rate",
    "response_cached_count",
    "response_cached_rate",
    "country",
];

/// Something that generations are told apart by.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) reach: Reach,
    pub(super) dimension: Dimension,
}

const fn word(name: &'static str, label: &'static str, reach: Reach, dimension: Dimension) -> Word {
    Word {
        name,
        label,
        reach,
        dimension,
    }
}

pub(super) const DIMENSIONS: &[Word] = &[
    word("model", "Model", Reach::Year, Dimension::Model),
    word("variant", "Variant", Reach::Year, Dimension::Variant),
    word("api_key_id", "API key", Reach::Year, Dimension::ApiKey),
    word("user", "User", Reach::Year, Dimension::User),
    word("workspace", "Workspace", Reach::Year, Dimension::Workspace),
    word("app", "App", Reach::Year, Dimension::App),
    word("provider", "Provider", Reach::Month, Dimension::Provider),
    word("endpoint", "Endpoint", Reach::Month, Dimension::Endpoint),
    word("status", "Status", Reach::Month, Dimension::Status),
    word("origin", "Origin", Reach::Month, Dimension::App),
    word(
        "finish_reason",
        "Finish reason",
        Reach::Month,
        Dimension::FinishReason,
    ),
    word("is_byok", "Own credential", Reach::Month, Dimension::Byok),
    word(
        "credential_id",
        "Credential",
        Reach::Month,
        Dimension::Credential,
    ),
    word("session_id", "Session", Reach::Month, Dimension::Session),
    word(
        "external_user",
        "End user",
        Reach::Month,
        Dimension::ExternalUser,
    ),
    word(
        "context_length_bucket",
        "Prompt length",
        Reach::Month,
        Dimension::ContextLength,
    ),
    word(
        "generation_id",
        "Generation",
        Reach::Month,
        Dimension::Generation,
    ),
];

/// Numbers of single generations that filters compare, and whether they are US dollars.
pub(super) const NUMBERS: &[(&str, RowMeasure, bool)] = &[
    ("credits_usage", RowMeasure::Charge, true),
    ("list_price", RowMeasure::ListPrice, true),
    ("tokens_prompt", RowMeasure::PromptTokens, false),
    ("tokens_completion", RowMeasure::CompletionTokens, false),
    ("latency", RowMeasure::FirstToken, false),
    ("generation_time", RowMeasure::Duration, false),
];

pub(super) const GRANULARITIES: &[(&str, &str, Interval)] = &[
    ("minute", "Minute", Interval::Minute),
    ("hour", "Hour", Interval::Hour),
    ("day", "Day", Interval::Day),
    ("week", "Week", Interval::Week),
    ("month", "Month", Interval::Month),
];

pub(super) const OPERATORS: &[(&str, &str)] = &[
    ("eq", "scalar"),
    ("neq", "scalar"),
    ("in", "array"),
    ("not_in", "array"),
    ("gt", "scalar"),
    ("gte", "scalar"),
    ("lt", "scalar"),
    ("lte", "scalar"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_nothing_unmeasured_is_offered() {
        let mut seen = BTreeSet::new();
        let offered = METRICS.iter().map(|one| one.name);
        for name in offered.chain(UNMEASURED.iter().copied()) {
            assert!(seen.insert(name), "{name}");
        }
        let mut seen = BTreeSet::new();
        for word in DIMENSIONS {
            assert!(seen.insert(word.name), "{}", word.name);
            assert!(!UNMEASURED.contains(&word.name));
        }
    }

    #[test]
    fn counts_are_strings_and_the_rest_numbers() {
        let sums = Sums {
            requests: 3,
            errors: 1,
            charge: UsdNanos::new(1_500_000_001),
            ..Sums::default()
        };
        let told = |name: &str| {
            let metric = METRICS.iter().find(|one| one.name == name).expect("one");
            metric.told(&sums).to_string()
        };
        assert_eq!(told("request_count"), "\"3\"");
        assert_eq!(told("credits_usage"), "1.500000001");
        assert_eq!(told("error_rate"), "0.333333");
        assert_eq!(told("cache_hit_rate"), "null");
        assert_eq!(told("p50_latency"), "null");
    }
}
