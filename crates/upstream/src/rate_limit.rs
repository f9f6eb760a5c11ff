//! What a provider's rate-limit headers say is used up, and until when.
//!
//! Two families of names occur: `x-ratelimit-remaining-<what>` with `x-ratelimit-reset-<what>`, and
//! `anthropic-ratelimit-<what>-remaining` with `-reset`. What is limited (requests, tokens, input
//! tokens, a day's or a minute's) does not matter: whatever has nothing left refuses the next request.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use switchyard_domain::clock::Timestamp;

use crate::limits::RETRY_AFTER_MAX;

const REMAINING: &str = "x-ratelimit-remaining";
const RESET: &str = "x-ratelimit-reset";
const ANTHROPIC: &str = "anthropic-ratelimit-";

/// Numbers from here on are seconds since 1970, not from now.
const EPOCH_SECONDS_MIN: f64 = 1e9;
/// Numbers from here on are milliseconds since 1970.
const EPOCH_MILLIS_MIN: f64 = 1e12;

/// How long until all of what is used up has been filled again; `None` while something is left of
/// everything. A limit that does not say when it is filled again does not count.
pub(crate) fn exhausted_for(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    headers
        .iter()
        .filter(|(_, value)| is_used_up(value))
        .filter_map(|(name, _)| headers.get(reset_name(name)?))
        .filter_map(|value| until(value.to_str().ok()?.trim(), now))
        .filter(|wait| !wait.is_zero())
        .max()
        .map(|wait| wait.min(RETRY_AFTER_MAX))
}

fn is_used_up(value: &HeaderValue) -> bool {
    // Nearly every value fails the first test.
    matches!(value.as_bytes().first(), Some(b'0' | b'-'))
        && value
            .to_str()
            .is_ok_and(|text| text.trim().parse::<f64>().is_ok_and(|left| left <= 0.0))
}

/// The header that says when the limit counted by `remaining` is filled again.
fn reset_name(remaining: &HeaderName) -> Option<String> {
    let name = remaining.as_str();
    if let Some(what) = name.strip_prefix(REMAINING) {
        return Some(format!("{RESET}{what}"));
    }
    let limit = name.strip_suffix("-remaining")?;
    limit
        .starts_with(ANTHROPIC)
        .then(|| format!("{limit}-reset"))
}

/// Reads an instant (RFC 3339, or a number since 1970), or a span (`6m0s`, `120ms`, or a number of
/// seconds).
fn until(text: &str, now: Timestamp) -> Option<Duration> {
    if let Some(at) = Timestamp::parse_rfc3339(text) {
        return Some(at.since(now));
    }
    if let Ok(number) = text.parse::<f64>() {
        let since_epoch = if number >= EPOCH_MILLIS_MIN {
            number / 1_000.0
        } else if number >= EPOCH_SECONDS_MIN {
            number
        } else {
            return Duration::try_from_secs_f64(number).ok();
        };
        let since_epoch = Duration::try_from_secs_f64(since_epoch).ok()?;
        return Some(Timestamp::default().plus(since_epoch).since(now));
    }
    span(text)
}

/// A span of numbers with units, largest first: `1h2m3.5s`.
fn span(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(digits);
        let letters = behind
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        let seconds = match unit {
            "d" => 86_400.0,
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        let part = number.parse::<f64>().ok()? * seconds;
        total = total.checked_add(Duration::try_from_secs_f64(part).ok()?)?;
        rest = behind;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(headers: &[(&'static str, &'static str)], expected_ms: Option<u128>) {
        let now = Timestamp::parse_rfc3339("2026-11-24T10:00:00Z").expect("an instant");
        let map: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        let found = exhausted_for(&map, now).map(|wait| wait.as_millis());
        assert_eq!(found, expected_ms, "{headers:?}");
    }

    #[test]
    fn only_what_is_used_up_counts_and_the_last_to_be_filled_decides() {
        let requests = ("x-ratelimit-remaining-requests", "0");
        let tokens = ("x-ratelimit-remaining-tokens", "0");
        let requests_reset = ("x-ratelimit-reset-requests", "12ms");
        let tokens_reset = ("x-ratelimit-reset-tokens", "6m0s");
        check(&[requests, requests_reset, tokens_reset], Some(12));
        check(
            &[
                requests,
                ("x-ratelimit-remaining-tokens", "149984"),
                requests_reset,
                tokens_reset,
            ],
            Some(12),
        );
        // Six minutes are believed up to the longest that any hint is.
        check(
            &[requests, tokens, requests_reset, tokens_reset],
            Some(300_000),
        );
        check(&[requests, tokens_reset], None);
        check(&[requests], None);
        check(&[requests_reset, tokens_reset], None);
        check(&[], None);
    }

    #[test]
    fn both_families_of_names_are_known() {
        let reset = "2026-11-24T10:00:17Z";
        check(
            &[
                ("anthropic-ratelimit-requests-remaining", "49"),
                ("anthropic-ratelimit-requests-reset", "2026-11-24T10:04:00Z"),
                ("anthropic-ratelimit-input-tokens-remaining", "0"),
                ("anthropic-ratelimit-input-tokens-reset", reset),
            ],
            Some(17_000),
        );
        check(
            &[
                ("x-ratelimit-remaining-tokens-minute", "-3"),
                ("x-ratelimit-reset-tokens-minute", "31.5"),
            ],
            Some(31_500),
        );
        check(
            &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset)],
            Some(17_000),
        );
        check(
            &[("content-length", "0"), ("x-ratelimit-reset", reset)],
            None,
        );
    }

    #[test]
    fn every_way_to_say_when() {
        for (reset, expected_ms) in [
            ("1s", Some(1_000)),
            ("59.56s", Some(59_560)),
            ("1m2.5s", Some(62_500)),
            ("1h0m0s", Some(300_000)),
            ("350us", Some(0)),
            ("20", Some(20_000)),
            ("0.25", Some(250)),
            // 2026-11-24T10:00:30Z.
            ("1795514430", Some(30_000)),
            ("1795514430000", Some(30_000)),
            ("2026-11-24T10:00:30.5+00:00", Some(30_500)),
            ("2026-11-24T09:00:00Z", None),
            ("0s", None),
            ("-1", None),
            ("soon", None),
            ("5x", None),
            ("5", Some(5_000)),
            ("", None),
            ("s", None),
            ("1e300", None),
        ] {
            check(
                &[
                    ("x-ratelimit-remaining-requests", "0"),
                    ("x-ratelimit-reset-requests", reset),
                ],
                expected_ms,
            );
        }
    }
}
