//! A decision in sentences.

use switchyard_domain::money::UsdNanos;
use switchyard_routing::{
    credentials::CredentialUse,
    health::HealthRank,
    record::{CandidateRecord, DecisionRecord},
};

/// Why an endpoint stands where it stands, a sentence per part of the order's key. What does not
/// apply is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankingWords {
    /// What the order goes by.
    pub order: String,
    /// Whose credential.
    pub credential: String,
    /// The conversation's warm cache.
    pub cache: Option<String>,
    pub health: String,
    /// Its chance in the random draw.
    pub draw: Option<String>,
    /// What it is expected to cost.
    pub cost: Option<String>,
}

impl RankingWords {
    pub(super) fn of(record: &DecisionRecord, row: &CandidateRecord, credential: &str) -> Self {
        let is_pinned = record.pin.as_ref() == Some(&row.endpoint);
        Self {
            order: strategy(record.strategy),
            credential: match row.credential {
                CredentialUse::Shared => "the operator's credential".to_owned(),
                CredentialUse::Own(_) => format!("your own credential ({credential})"),
                CredentialUse::Supplied(_) => {
                    format!("a credential that the request brings ({credential})")
                }
            },
            cache: is_pinned.then(|| "the conversation's prompt cache is warm here".to_owned()),
            health: match row.health {
                HealthRank::Stable => "no trouble lately",
                HealthRank::Outage => "failing at the moment",
                HealthRank::Degraded => "failing too often over the last minutes",
                HealthRank::Down => "not to be tried for a while",
            }
            .to_owned(),
            draw: row
                .draw_ppm
                .map(|ppm| format!("drawn first with a chance of {}", percent(ppm))),
            cost: row
                .expected_cost_nanos
                .map(|nanos| format!("expected to cost {} USD", UsdNanos::new(nanos))),
        }
    }
}

/// The stored name.
pub(super) const fn health(rank: HealthRank) -> &'static str {
    match rank {
        HealthRank::Stable => "stable",
        HealthRank::Outage => "outage",
        HealthRank::Degraded => "degraded",
        HealthRank::Down => "down",
    }
}

/// How an order came about.
pub fn strategy(name: &str) -> String {
    match name {
        "default" => {
            "the healthy share the load, the cheaper the more; the rest by price".to_owned()
        }
        "order" => "the order that the request lists".to_owned(),
        "cheapest" => "fallbacks are off, so the cheapest alone".to_owned(),
        "none" => "nothing may serve".to_owned(),
        sort => match sort.strip_prefix("sort:") {
            Some(by) => format!("sorted by {}", by.replace('_', " ")),
            None => sort.replace('_', " "),
        },
    }
}

/// Parts per million as a percentage with one digit.
fn percent(ppm: u64) -> String {
    let tenths = (ppm + 500) / 1_000;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

/// One sentence about an endpoint that was left out.
pub(super) fn excluded(
    provider: &str,
    model: &str,
    rule: &str,
    scope: &str,
    detail: &str,
) -> String {
    let by = match scope {
        "catalog" => "by what the catalogue says of it",
        "account" => "by the account's settings",
        "workspace" => "by the workspace's settings",
        "member" => "by the member's settings",
        "key" => "by the API key's settings",
        "preset" => "by the preset",
        "request" => "by the request",
        other => other,
    };
    let rule = rule.replace('_', " ");
    format!("{provider} was left out for {model} {by} ({rule}): {detail}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_rounded_to_a_tenth() {
        for (ppm, shown) in [
            (0, "0.0 %"),
            (49, "0.0 %"),
            (734_693, "73.5 %"),
            (1_000_000, "100.0 %"),
        ] {
            assert_eq!(percent(ppm), shown);
        }
    }

    #[test]
    fn exclusions_name_who_and_why() {
        assert_eq!(
            excluded("Acme", "lab/m", "max_price", "request", "$1 exceeds $0.5"),
            "Acme was left out for lab/m by the request (max price): $1 exceeds $0.5."
        );
    }
}
