//! When a provider asks to come back.

use std::time::Duration;

use http::HeaderMap;
use switchyard_domain::clock::Timestamp;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use crate::{limits::RETRY_AFTER_MAX, rate_limit::exhausted_for};

/// Reads the best hint there is: `retry-after-ms`, then `retry-after` in seconds (fractions
/// occur) or as an HTTP date, then when the limits that are used up are filled again. A zero
/// millisecond hint beside a real one does not count: one provider always sends it.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let milliseconds = text("retry-after-ms")
        .and_then(|value| value.trim().parse::<f64>().ok())
        .filter(|value| *value > 0.0)
        .and_then(|value| Duration::try_from_secs_f64(value / 1_000.0).ok());
    milliseconds
        .or_else(|| text("retry-after").and_then(|value| seconds_or_date(value.trim(), now)))
        .map(|wait| wait.min(RETRY_AFTER_MAX))
        .or_else(|| exhausted_for(headers, now))
}

fn seconds_or_date(value: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    // RFC 2822 differs from an HTTP date only in how it names the zone.
    let date = OffsetDateTime::parse(&value.replace("GMT", "+0000"), &Rfc2822).ok()?;
    Some(Timestamp::from_utc(date).since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_best_first() {
        let now = Timestamp::parse_rfc3339("2026-11-24T10:00:00Z").expect("an instant");
        for (headers, expected_ms) in [
            (vec![("retry-after", "2")], Some(2_000)),
            (vec![("retry-after", "0.5")], Some(500)),
            (
                vec![("retry-after-ms", "250"), ("retry-after", "9")],
                Some(250),
            ),
            (
                vec![("retry-after-ms", "0"), ("retry-after", "7")],
                Some(7_000),
            ),
            (
                vec![("retry-after", "Tue, 24 Nov 2026 10:00:30 GMT")],
                Some(30_000),
            ),
            (
                vec![("retry-after", "Tue, 24 Nov 2026 09:00:00 GMT")],
                Some(0),
            ),
            (vec![("retry-after", "86400")], Some(300_000)),
            (vec![("retry-after", "soon")], None),
            (
                vec![
                    ("x-ratelimit-remaining-tokens", "0"),
                    ("x-ratelimit-reset-tokens", "41s"),
                ],
                Some(41_000),
            ),
            (
                vec![
                    ("retry-after", "3"),
                    ("x-ratelimit-remaining-tokens", "0"),
                    ("x-ratelimit-reset-tokens", "41s"),
                ],
                Some(3_000),
            ),
            (vec![("retry-after", "-3")], None),
            (vec![], None),
        ] {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| {
                    (
                        http::HeaderName::from_bytes(name.as_bytes()).expect("a name"),
                        http::HeaderValue::from_str(value).expect("a value"),
                    )
                })
                .collect();
            let found = retry_after(&map, now).map(|wait| wait.as_millis());
            assert_eq!(found, expected_ms, "{headers:?}");
        }
    }
}
