//! Token counts: as providers of this dialect state them, and as we state them to clients.
//!
//! `input_tokens` leaves cached tokens out, so the counts are nearly disjoint as they come; what
//! is left to do is to split cache writes by life and thinking from the rest of the output.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};
use switchyard_domain::tokens::TokenUsage;
use switchyard_interchange::{event::UsageReport, reply::ReplyTail};

use super::object_writer::ObjectWriter;
use crate::json::{Text, wire_object};

/// The tier name of this dialect for what the others call `default`.
const STANDARD_TIER: &str = "standard";
const DEFAULT_TIER: &str = "default";

wire_object! {
    /// A `usage` object.
    lenient struct UsageWire<'a> {
        "input_tokens" => input: Count,
        "output_tokens" => output: Count,
        "cache_read_input_tokens" => cache_read: Count,
        "cache_creation_input_tokens" => cache_write: Count,
        "cache_creation" => cache_creation: CacheCreationWire<'a>,
        "output_tokens_details" => output_details: OutputDetailsWire<'a>,
        "service_tier" => service_tier: Text<'a>,
        /// Every billed pass, where there was more than one: the counts above are then only the
        /// last pass's.
        "iterations" => iterations: Vec<PassWire<'a>>,
    }
}

wire_object! {
    lenient struct CacheCreationWire<'a> {
        "ephemeral_5m_input_tokens" => short: Count,
        "ephemeral_1h_input_tokens" => one_hour: Count,
    }
}

wire_object! {
    lenient struct OutputDetailsWire<'a> {
        "thinking_tokens" => thinking: Count,
    }
}

wire_object! {
    lenient struct PassWire<'a> {
        "input_tokens" => input: Count,
        "output_tokens" => output: Count,
        "cache_read_input_tokens" => cache_read: Count,
        "cache_creation_input_tokens" => cache_write: Count,
    }
}

/// More tokens than any answer has; a larger count is taken for this one, so that sums of counts
/// cannot overflow.
const COUNT_MAX: u64 = 1 << 40;

/// A count, however a provider spells numbers. What is none counts as zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count(pub(super) u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountVisitor;

        impl Visitor<'_> for CountVisitor {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a count")
            }

            fn visit_u64<E: de::Error>(self, count: u64) -> Result<Count, E> {
                Ok(Count(count.min(COUNT_MAX)))
            }

            fn visit_i64<E: de::Error>(self, count: i64) -> Result<Count, E> {
                self.visit_u64(u64::try_from(count).unwrap_or(0))
            }

            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a float cast saturates, and so should a count"
            )]
            fn visit_f64<E: de::Error>(self, count: f64) -> Result<Count, E> {
                self.visit_u64(count as u64)
            }

            fn visit_str<E: de::Error>(self, count: &str) -> Result<Count, E> {
                self.visit_u64(count.parse().unwrap_or(0))
            }
        }

        deserializer.deserialize_any(CountVisitor)
    }
}

/// Counts collected over an answer. Each statement replaces earlier ones field by field, because
/// late ones may leave out what did not change.
#[derive(Debug, Clone, Default)]
pub(super) struct UsageCounts {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
    cache_write_one_hour: Option<u64>,
    thinking: Option<u64>,
    passes: Option<Passes>,
    service_tier: Option<String>,
}

/// The sums over all billed passes.
#[derive(Debug, Clone, Copy, Default)]
struct Passes {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
}

impl UsageCounts {
    /// Takes in a later statement.
    pub(super) fn merge(&mut self, later: &UsageWire<'_>) {
        let replace = |count: &mut Option<u64>, later: Option<Count>| {
            if let Some(Count(later)) = later {
                *count = Some(later);
            }
        };
        replace(&mut self.input, later.input);
        replace(&mut self.output, later.output);
        replace(&mut self.cache_read, later.cache_read);
        replace(&mut self.cache_write, later.cache_write);
        if let Some(split) = &later.cache_creation {
            replace(&mut self.cache_write_one_hour, split.one_hour);
            if later.cache_write.is_none() {
                let Count(short) = split.short.unwrap_or_default();
                let Count(one_hour) = split.one_hour.unwrap_or_default();
                self.cache_write = Some(short.saturating_add(one_hour));
            }
        }
        replace(
            &mut self.thinking,
            later
                .output_details
                .as_ref()
                .and_then(|details| details.thinking),
        );
        if let Some(passes) = later
            .iterations
            .as_deref()
            .filter(|passes| !passes.is_empty())
        {
            self.passes = Some(Passes::sum(passes));
        }
        if let Some(tier) = later.service_tier.as_deref() {
            let tier = if tier == STANDARD_TIER {
                DEFAULT_TIER
            } else {
                tier
            };
            self.service_tier = Some(tier.to_owned());
        }
    }

    /// The counts so far, in disjoint buckets; `None` when nothing was stated.
    pub(super) fn report(&self) -> Option<UsageReport> {
        if self.input.is_none() && self.output.is_none() {
            return None;
        }
        let passes = self.passes.unwrap_or_default();
        let count = |count: Option<u64>, of_passes: u64| count.unwrap_or(0).max(of_passes);
        let cache_write = count(self.cache_write, passes.cache_write);
        let cache_write_1h = self.cache_write_one_hour.unwrap_or(0).min(cache_write);
        let output = count(self.output, passes.output);
        let reasoning = self.thinking.unwrap_or(0).min(output);
        Some(UsageReport {
            tokens: TokenUsage {
                input_uncached: count(self.input, passes.input),
                cache_read: count(self.cache_read, passes.cache_read),
                cache_write_5m: cache_write - cache_write_1h,
                cache_write_1h,
                output_text: output - reasoning,
                reasoning,
                ..TokenUsage::default()
            },
            service_tier: self.service_tier.clone(),
        })
    }
}

impl Passes {
    fn sum(passes: &[PassWire<'_>]) -> Self {
        let add = |sum: u64, count: Option<Count>| sum.saturating_add(count.unwrap_or_default().0);
        passes.iter().fold(Self::default(), |sum, pass| Self {
            input: add(sum.input, pass.input),
            output: add(sum.output, pass.output),
            cache_read: add(sum.cache_read, pass.cache_read),
            cache_write: add(sum.cache_write, pass.cache_write),
        })
    }
}

/// The keys that [`write_counts`] and [`write_cost`] write, which a spliced usage must not repeat.
pub(super) const OUR_KEYS: [&str; 12] = [
    "input_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "output_tokens",
    "output_tokens_details",
    "service_tier",
    "cost",
    "is_byok",
    "cost_details",
    // The counts we state are the sums already.
    "iterations",
    "speed",
];

/// Writes counts the way this dialect counts.
pub(super) fn write_counts(usage: &mut ObjectWriter<'_>, tokens: &TokenUsage, tier: Option<&str>) {
    usage.value("input_tokens", &(tokens.input_uncached + tokens.audio_in));
    let written = tokens.cache_write_5m + tokens.cache_write_1h;
    usage.value("cache_creation_input_tokens", &written);
    usage.value("cache_read_input_tokens", &tokens.cache_read);
    usage.object("cache_creation", |split| {
        split.value("ephemeral_5m_input_tokens", &tokens.cache_write_5m);
        split.value("ephemeral_1h_input_tokens", &tokens.cache_write_1h);
    });
    usage.value("output_tokens", &tokens.output_total());
    usage.object("output_tokens_details", |details| {
        details.value("thinking_tokens", &tokens.reasoning);
    });
    usage.value(
        "service_tier",
        match tier {
            None | Some(DEFAULT_TIER) => STANDARD_TIER,
            Some(tier) => tier,
        },
    );
}

/// Writes what the answer cost.
pub(super) fn write_cost(usage: &mut ObjectWriter<'_>, tail: &ReplyTail) {
    usage.raw("cost", tail.cost.to_string());
    usage.value("is_byok", &tail.is_byok);
    usage.object("cost_details", |details| {
        details.raw("upstream_inference_cost", tail.list_cost.to_string());
        details.raw(
            "upstream_inference_prompt_cost",
            tail.list_cost_prompt.to_string(),
        );
        details.raw(
            "upstream_inference_completions_cost",
            tail.list_cost_completion.to_string(),
        );
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(statements: &[&str], expected: TokenUsage) {
        let mut counts = UsageCounts::default();
        for statement in statements {
            counts.merge(&serde_json::from_str(statement).expect("a usage object"));
        }
        assert_eq!(
            counts.report().expect("stated").tokens,
            expected,
            "{statements:?}"
        );
    }

    #[test]
    fn counts_become_disjoint_buckets() {
        let base = TokenUsage::default();
        check(
            &[
                r#"{"input_tokens":4,"cache_creation_input_tokens":1163,"cache_read_input_tokens":7,"output_tokens":187}"#,
            ],
            TokenUsage {
                input_uncached: 4,
                cache_read: 7,
                cache_write_5m: 1_163,
                output_text: 187,
                ..base
            },
        );
        check(
            &[
                r#"{"input_tokens":1,"output_tokens":44,"output_tokens_details":{"thinking_tokens":29},
                "cache_creation_input_tokens":30,
                "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20}}"#,
            ],
            TokenUsage {
                input_uncached: 1,
                cache_write_5m: 10,
                cache_write_1h: 20,
                output_text: 15,
                reasoning: 29,
                ..base
            },
        );
        check(
            &[r#"{"input_tokens":"12","output_tokens":3.0,"cache_read_input_tokens":null}"#],
            TokenUsage {
                input_uncached: 12,
                output_text: 3,
                ..base
            },
        );
    }

    #[test]
    fn later_statements_replace_what_they_name() {
        check(
            &[
                r#"{"input_tokens":4,"cache_read_input_tokens":1167,"output_tokens":1}"#,
                r#"{"output_tokens":256}"#,
            ],
            TokenUsage {
                input_uncached: 4,
                cache_read: 1_167,
                output_text: 256,
                ..TokenUsage::default()
            },
        );
        check(
            &[
                r#"{"input_tokens":2225,"output_tokens":25}"#,
                r#"{"input_tokens":9447,"output_tokens":114}"#,
            ],
            TokenUsage {
                input_uncached: 9_447,
                output_text: 114,
                ..TokenUsage::default()
            },
        );
    }

    #[test]
    fn absurd_counts_are_bounded() {
        check(
            &[
                r#"{"input_tokens":18446744073709551615,"output_tokens":1e99,"cache_read_input_tokens":-4}"#,
            ],
            TokenUsage {
                input_uncached: COUNT_MAX,
                output_text: COUNT_MAX,
                ..TokenUsage::default()
            },
        );
    }

    #[test]
    fn every_billed_pass_counts() {
        check(
            &[r#"{"input_tokens":10,"output_tokens":5,"iterations":[
                {"type":"compaction","input_tokens":180,"output_tokens":35},
                {"type":"message","input_tokens":10,"output_tokens":5}]}"#],
            TokenUsage {
                input_uncached: 190,
                output_text: 40,
                ..TokenUsage::default()
            },
        );
    }
}
