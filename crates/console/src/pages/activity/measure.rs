//! What can be measured, and how it is drawn and told.

use switchyard_app::activity::Sums;
use switchyard_domain::money::UsdNanos;

use crate::ui::{chart::Unit, count, milliseconds, percent, usd_exact};

/// How values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// What adds up.
    Bars,
    /// What does not.
    Lines,
    /// The middle solid, the slowest twentieth dashed.
    Percentiles,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Spend,
    Requests,
    Tokens,
    Errors,
    ErrorRate,
    CacheRate,
    CacheSavings,
    FirstToken,
    Throughput,
}

/// Something that can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measure {
    /// In addresses.
    pub(super) name: &'static str,
    pub(super) words: &'static str,
    /// Its metrics in the API.
    pub(super) api: &'static [&'static str],
    pub(super) unit: Unit,
    pub(super) shape: Shape,
    what: What,
}

/// All of them.
pub(super) const MEASURES: [Measure; 9] = [
    measure(
        "spend",
        "Spend",
        &["total_usage"],
        Unit::Usd,
        Shape::Bars,
        What::Spend,
    ),
    measure(
        "requests",
        "Requests",
        &["request_count"],
        Unit::Count,
        Shape::Bars,
        What::Requests,
    ),
    measure(
        "tokens",
        "Tokens",
        &["tokens_total"],
        Unit::Tokens,
        Shape::Bars,
        What::Tokens,
    ),
    measure(
        "first_token",
        "First token",
        &["p50_latency", "p90_latency"],
        Unit::Milliseconds,
        Shape::Percentiles,
        What::FirstToken,
    ),
    measure(
        "throughput",
        "Throughput",
        &["p50_throughput"],
        Unit::TokensPerSecond,
        Shape::Lines,
        What::Throughput,
    ),
    measure(
        "errors",
        "Errors",
        &["request_count"],
        Unit::Count,
        Shape::Bars,
        What::Errors,
    ),
    measure(
        "error_rate",
        "Error rate",
        &["request_count"],
        Unit::PerMille,
        Shape::Lines,
        What::ErrorRate,
    ),
    measure(
        "cache_rate",
        "Cache rate",
        &["cache_hit_rate"],
        Unit::PerMille,
        Shape::Lines,
        What::CacheRate,
    ),
    measure(
        "cache_savings",
        "Cache savings",
        &["usage_cache"],
        Unit::Usd,
        Shape::Bars,
        What::CacheSavings,
    ),
];

const fn measure(
    name: &'static str,
    words: &'static str,
    api: &'static [&'static str],
    unit: Unit,
    shape: Shape,
    what: What,
) -> Measure {
    Measure {
        name,
        words,
        api,
        unit,
        shape,
        what,
    }
}

type Values = Vec<Option<u64>>;

impl Measure {
    /// The one of this name; spend where it is none, or where spend is all that may be seen.
    pub(super) fn of(name: Option<&str>, is_spend_only: bool) -> Self {
        let found = MEASURES.iter().find(|one| Some(one.name) == name);
        match found {
            Some(found) if !is_spend_only => *found,
            _ => MEASURES[0],
        }
    }

    pub(super) fn is_spend(&self) -> bool {
        self.what == What::Spend
    }

    /// Whether times are needed, which cost more to read.
    pub(super) const fn is_timed(&self) -> bool {
        matches!(self.what, What::FirstToken | What::Throughput)
    }

    /// The value of some sums; `None` is no data.
    pub(super) fn value(&self, sums: &Sums) -> Option<u64> {
        let rate = |part: u64, whole: u64| (whole > 0).then(|| part.saturating_mul(1_000) / whole);
        match self.what {
            What::Spend => Some(nanos(sums.charge)),
            What::Requests => Some(sums.requests),
            What::Tokens => Some(sums.total_tokens()),
            What::Errors => Some(sums.errors),
            What::ErrorRate => rate(sums.errors, sums.requests),
            What::CacheRate => rate(sums.cached_tokens, sums.prompt_tokens),
            What::CacheSavings => Some(nanos(sums.cache_discount)),
            What::FirstToken => sums.latency.percentile_ms(500),
            What::Throughput => sums
                .throughput
                .percentile_milli(500)
                .map(|milli| milli / 100),
        }
    }

    /// Its series without groups.
    pub(super) fn series(&self, sums: &[Sums]) -> Vec<(&'static str, Values)> {
        let each = |value: fn(&Sums) -> u64| sums.iter().map(|one| Some(value(one))).collect();
        match self.what {
            What::Tokens => vec![
                (
                    "Fresh input",
                    each(|one| {
                        let cached = one.cached_tokens.saturating_add(one.cache_write_tokens);
                        one.prompt_tokens.saturating_sub(cached)
                    }),
                ),
                ("Written to cache", each(|one| one.cache_write_tokens)),
                ("Read from cache", each(|one| one.cached_tokens)),
                (
                    "Output",
                    each(|one| one.completion_tokens.saturating_sub(one.reasoning_tokens)),
                ),
                ("Reasoning", each(|one| one.reasoning_tokens)),
            ],
            What::FirstToken => vec![
                ("p50", percentile(sums, 500)),
                ("p95", percentile(sums, 950)),
            ],
            _ => vec![(self.words, sums.iter().map(|one| self.value(one)).collect())],
        }
    }

    /// The same of one group; each with what to call it beside the group's name.
    pub(super) fn values(&self, sums: &[Sums]) -> Vec<(Option<&'static str>, Values)> {
        if self.shape == Shape::Percentiles {
            let series = self.series(sums).into_iter();
            return series.map(|(name, values)| (Some(name), values)).collect();
        }
        vec![(None, sums.iter().map(|one| self.value(one)).collect())]
    }

    /// Written out.
    pub(super) fn told(&self, sums: &Sums) -> String {
        let Some(value) = self.value(sums) else {
            return "\u{2013}".to_owned();
        };
        match self.unit {
            Unit::Usd => crate::ui::usd_plain(signed(self.what, sums), crate::ui::Places::Four),
            Unit::Tokens | Unit::Count => count(value),
            Unit::Milliseconds => milliseconds(value),
            Unit::PerMille => percent(value, 1_000),
            Unit::TokensPerSecond => format!("{}.{} tokens/s", value / 10, value % 10),
        }
    }

    /// What the chart says.
    pub(super) fn fact(&self, total: &Sums, window: &str, first: Option<&str>) -> String {
        let words = match self.what {
            What::FirstToken => {
                let slow = total.latency.percentile_ms(950);
                format!(
                    "First token: half within {}, 95% within {}",
                    self.told(total),
                    slow.map_or_else(|| "\u{2013}".to_owned(), milliseconds)
                )
            }
            What::Spend => format!("Spent {}", usd_exact(total.charge)),
            _ => format!("{}: {}", self.words, self.told(total)),
        };
        match first {
            Some(first) if self.shape == Shape::Bars => {
                format!("{words}, most by {first} \u{b7} {window}")
            }
            _ => format!("{words} \u{b7} {window}"),
        }
    }

    /// How one stretch compares with the one before.
    pub(super) fn change(&self, now: &Sums, before: &Sums) -> String {
        match (self.value(now), self.value(before)) {
            (Some(_), None | Some(0)) => "nothing to compare with".to_owned(),
            (None, _) => "no data".to_owned(),
            (Some(now), Some(before)) => {
                let tenths = (i128::from(now) - i128::from(before)) * 1_000 / i128::from(before);
                let sign = if tenths < 0 { "\u{2212}" } else { "+" };
                let size = tenths.unsigned_abs();
                format!(
                    "{sign}{}.{}% against the period before",
                    size / 10,
                    size % 10
                )
            }
        }
    }
}

fn percentile(sums: &[Sums], per_mille: u32) -> Values {
    let each = sums.iter();
    each.map(|one| one.latency.percentile_ms(per_mille))
        .collect()
}

/// Charts have no room below nothing.
fn nanos(amount: UsdNanos) -> u64 {
    u64::try_from(amount.get()).unwrap_or(0)
}

const fn signed(what: What, sums: &Sums) -> UsdNanos {
    match what {
        What::CacheSavings => sums.cache_discount,
        _ => sums.charge,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(requests: u64, errors: u64) -> Sums {
        Sums {
            requests,
            errors,
            charge: UsdNanos::new(1_500_000_000),
            prompt_tokens: 100,
            cached_tokens: 25,
            cache_write_tokens: 5,
            completion_tokens: 40,
            reasoning_tokens: 10,
            ..Sums::default()
        }
    }

    #[test]
    fn every_measure_tells_its_value() {
        let told: Vec<_> = MEASURES.iter().map(|one| one.told(&sums(200, 3))).collect();
        let expected = [
            "$1.5000", "200", "140", "\u{2013}", "\u{2013}", "3", "1.5%", "25.0%", "$0.0000",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn tokens_add_up_to_all_of_them() {
        let tokens = Measure::of(Some("tokens"), false);
        let parts = tokens.series(&[sums(1, 0)]);
        let sum: u64 = parts.iter().filter_map(|(_, values)| values[0]).sum();
        assert_eq!(Some(sum), tokens.value(&sums(1, 0)));
    }

    #[test]
    fn those_who_see_spend_see_nothing_else() {
        assert_eq!(Measure::of(Some("tokens"), true).name, "spend");
        assert_eq!(Measure::of(Some("moon"), false).name, "spend");
        assert_eq!(Measure::of(Some("errors"), false).name, "errors");
    }

    #[test]
    fn periods_are_compared_in_tenths_of_a_percent() {
        let requests = Measure::of(Some("requests"), false);
        for (now, before, words) in [
            (150, 100, "+50.0% against the period before"),
            (50, 100, "\u{2212}50.0% against the period before"),
            (5, 0, "nothing to compare with"),
        ] {
            assert_eq!(requests.change(&sums(now, 0), &sums(before, 0)), words);
        }
    }
}
