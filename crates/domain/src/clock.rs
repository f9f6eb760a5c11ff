//! Time as an argument. Code that needs "now" takes a [`Clock`]; only the binary holds a real one.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// A wall-clock instant: microseconds since 1970-01-01T00:00:00Z, the precision databases keep.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Wraps microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Wraps whole seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The same instant as a calendar value in UTC.
    pub fn to_utc(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// From a calendar value; what is finer than a microsecond is cut.
    pub fn from_utc(at: OffsetDateTime) -> Self {
        Self(i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000)).unwrap_or(i64::MAX))
    }

    /// RFC 3339 in UTC, such as `2026-11-24T06:00:00Z`.
    pub fn to_rfc3339(self) -> String {
        self.to_utc().format(&Rfc3339).unwrap_or_default()
    }

    /// Parses RFC 3339 with any offset.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        OffsetDateTime::parse(text, &Rfc3339)
            .ok()
            .map(Self::from_utc)
    }

    /// Later by `duration`, saturating.
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// Earlier by `duration`, saturating.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// Time since `earlier`; zero when the clock went backwards.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

/// How often a limit starts afresh. Windows turn at midnight UTC; weeks start on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetInterval {
    /// Each UTC day.
    Daily,
    /// Each week from Monday 00:00 UTC.
    Weekly,
    /// Each calendar month in UTC.
    Monthly,
}

impl ResetInterval {
    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
        }
    }

    /// The interval with this public name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Daily, Self::Weekly, Self::Monthly]
            .into_iter()
            .find(|interval| interval.as_str() == name)
    }

    /// When the window that `at` falls into ends and the next one starts.
    pub fn window_end(self, at: Timestamp) -> Timestamp {
        let longest = match self {
            Self::Daily => Duration::from_secs(24 * 3_600),
            Self::Weekly => Duration::from_secs(7 * 24 * 3_600),
            Self::Monthly => Duration::from_secs(31 * 24 * 3_600),
        };
        // The first of a month is reached from any day of the month before, but skipped from none.
        self.window_start(self.window_start(at).plus(longest))
    }

    /// The start of the window that `at` falls into.
    pub fn window_start(self, at: Timestamp) -> Timestamp {
        let date = at.to_utc().date();
        let first: Date = match self {
            Self::Daily => date,
            Self::Weekly => date
                .checked_sub(time::Duration::days(i64::from(
                    date.weekday().number_days_from_monday(),
                )))
                .unwrap_or(date),
            Self::Monthly => date.replace_day(1).unwrap_or(date),
        };
        Timestamp::from_utc(first.midnight().assume_offset(UtcOffset::UTC))
    }
}

/// A source of time. The wall clock stamps and windows; the monotonic one measures durations.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary fixed point; never goes backwards.
    fn monotonic(&self) -> Duration;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a valid instant")
    }

    #[test]
    fn windows_turn_at_midnight_utc() {
        for (interval, instant, start) in [
            (
                ResetInterval::Daily,
                "2026-11-24T23:59:59.999999Z",
                "2026-11-24T00:00:00Z",
            ),
            (
                ResetInterval::Weekly,
                "2026-11-24T12:00:00Z",
                "2026-11-23T00:00:00Z",
            ),
            (
                ResetInterval::Weekly,
                "2026-11-23T00:00:00Z",
                "2026-11-23T00:00:00Z",
            ),
            (
                ResetInterval::Monthly,
                "2026-12-31T23:00:00-02:00",
                "2027-01-01T00:00:00Z",
            ),
        ] {
            assert_eq!(
                interval.window_start(at(instant)),
                at(start),
                "{interval:?} {instant}"
            );
        }
    }

    #[test]
    fn windows_end_where_the_next_begin() {
        for (interval, instant, end) in [
            (
                ResetInterval::Daily,
                "2026-12-31T12:00:00Z",
                "2027-01-01T00:00:00Z",
            ),
            (
                ResetInterval::Weekly,
                "2026-11-24T12:00:00Z",
                "2026-11-30T00:00:00Z",
            ),
            (
                ResetInterval::Monthly,
                "2026-02-01T00:00:00Z",
                "2026-03-01T00:00:00Z",
            ),
            (
                ResetInterval::Monthly,
                "2026-12-31T23:59:59Z",
                "2027-01-01T00:00:00Z",
            ),
        ] {
            assert_eq!(interval.window_end(at(instant)), at(end), "{interval:?}");
            assert_eq!(ResetInterval::from_name(interval.as_str()), Some(interval));
        }
        assert_eq!(ResetInterval::from_name("hourly"), None);
    }

    #[test]
    fn a_backward_clock_measures_nothing() {
        assert_eq!(
            at("2026-01-01T00:00:00Z").since(at("2026-01-02T00:00:00Z")),
            Duration::ZERO
        );
    }
}
