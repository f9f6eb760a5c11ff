//! Which parts of a range are read from where: whole days and hours from roll-ups, what is left at its
//! ends from generations.

use switchyard_domain::clock::{ResetInterval, Timestamp};

use super::{
    super::super::{HOUR_OF_ROW, MINUTE_OF_ROW},
    DAY_HOURS, Source, at_hour, hour_of,
};
use crate::activity::{Interval, Range, Step};

const MINUTE_MICROS: i64 = 60_000_000;
const WEEK_HOURS: i32 = 7 * DAY_HOURS;
/// From the Monday before 1970, a Thursday, to its first hour.
const MONDAY_OFFSET: i32 = 3 * DAY_HOURS;

/// A part of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment {
    /// From roll-ups over `span` hours each, from an hour until before another.
    RolledUp { span: i32, from: i32, until: i32 },
    /// From generations.
    Rows(Range),
}

impl Segment {
    pub(super) const fn source(self) -> Source {
        match self {
            Self::RolledUp { .. } => Source::RollUps,
            Self::Rows(_) => Source::Rows,
        }
    }
}

/// Cuts a range into what roll-ups tell and what they do not.
pub(super) fn segments(range: Range, step: Step) -> Vec<Segment> {
    let mut segments = Vec::new();
    let (first, last) = (ceil_hour(range.from), hour_of(range.until));
    if range.until <= range.from {
        return segments;
    }
    if first >= last {
        return vec![Segment::Rows(range)];
    }
    let mut rows = |from: Timestamp, until: Timestamp| {
        if from < until {
            segments.push(Segment::Rows(Range { from, until }));
        }
    };
    rows(range.from, at_hour(first));
    rows(at_hour(last), range.until);
    let (first_day, last_day) = (
        first + (-first).rem_euclid(DAY_HOURS),
        last - last.rem_euclid(DAY_HOURS),
    );
    let mut rolled_up = |span: i32, from: i32, until: i32| {
        if from < until {
            segments.push(Segment::RolledUp { span, from, until });
        }
    };
    if cuts_days(range, step) || first_day >= last_day {
        rolled_up(1, first, last);
    } else {
        rolled_up(1, first, first_day);
        rolled_up(DAY_HOURS, first_day, last_day);
        rolled_up(1, last_day, last);
    }
    segments
}

/// Whether steps end within days.
fn cuts_days(range: Range, step: Step) -> bool {
    match step {
        Step::Whole => false,
        Step::Calendar(interval) => matches!(interval, Interval::Minute | Interval::Hour),
        Step::Hours(hours) => {
            !hours.is_multiple_of(24) || hour_of(range.from).rem_euclid(DAY_HOURS) != 0
        }
    }
}

fn ceil_hour(at: Timestamp) -> i32 {
    let hour = hour_of(at);
    if at_hour(hour) < at { hour + 1 } else { hour }
}

/// How a step numbers its pieces in SQL, and what the numbers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbering {
    Minutes,
    /// Pieces of `width` hours, the first of which begins `offset` hours before 1970.
    Hours {
        width: i32,
        offset: i32,
    },
    /// By days, which are then put together.
    Months,
}

impl Numbering {
    /// `None` where time is not cut.
    pub(super) fn of(step: Step, range: Range) -> Option<Self> {
        let hours = |width, offset| Self::Hours { width, offset };
        Some(match step {
            Step::Whole => return None,
            Step::Calendar(Interval::Minute) => Self::Minutes,
            Step::Calendar(Interval::Hour) => hours(1, 0),
            Step::Calendar(Interval::Day) => hours(DAY_HOURS, 0),
            Step::Calendar(Interval::Week) => hours(WEEK_HOURS, MONDAY_OFFSET),
            Step::Calendar(Interval::Month) => Self::Months,
            Step::Hours(width) => {
                let width = i32::try_from(width).unwrap_or(i32::MAX).max(1);
                hours(width, -hour_of(range.from))
            }
        })
    }

    /// The number of the piece that a row belongs to.
    pub(super) fn expression(self, source: Source) -> String {
        let hour = match source {
            Source::Rows => HOUR_OF_ROW,
            Source::RollUps => "h.starts_at",
        };
        match self {
            Self::Minutes => format!("CAST({MINUTE_OF_ROW} AS BIGINT)"),
            Self::Hours { width, offset } => {
                format!("CAST(({hour} + ({offset})) / {width} AS BIGINT)")
            }
            Self::Months => format!("CAST({hour} / {DAY_HOURS} AS BIGINT)"),
        }
    }

    /// When the piece with a number begins.
    pub(super) fn start(self, number: i64) -> Timestamp {
        let hour = |number: i64| at_hour(i32::try_from(number).unwrap_or(i32::MAX));
        match self {
            Self::Minutes => Timestamp::from_micros(number.saturating_mul(MINUTE_MICROS)),
            Self::Hours { width, offset } => {
                hour(number.saturating_mul(i64::from(width)) - i64::from(offset))
            }
            Self::Months => {
                let day = hour(number.saturating_mul(i64::from(DAY_HOURS)));
                ResetInterval::Monthly.window_start(day)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a valid instant")
    }

    fn range(from: &str, until: &str) -> Range {
        Range {
            from: at(from),
            until: at(until),
        }
    }

    /// The segments in the order of time.
    fn cut(range: Range, step: Step) -> Vec<(i32, Timestamp, Timestamp)> {
        let mut told: Vec<_> = segments(range, step)
            .into_iter()
            .map(|segment| match segment {
                Segment::RolledUp { span, from, until } => (span, at_hour(from), at_hour(until)),
                Segment::Rows(range) => (0, range.from, range.until),
            })
            .collect();
        told.sort_by_key(|(_, from, _)| *from);
        told
    }

    #[test]
    fn a_range_is_cut_without_gaps_or_overlaps() {
        let whole = range("2026-11-22T21:30:00Z", "2026-11-25T01:15:00Z");
        let spans = |step| -> Vec<i32> {
            let told = cut(whole, step);
            assert_eq!(told.first().expect("one").1, whole.from);
            assert_eq!(told.last().expect("one").2, whole.until);
            for pair in told.windows(2) {
                assert_eq!(pair[0].2, pair[1].1);
            }
            told.iter().map(|(span, ..)| *span).collect()
        };
        assert_eq!(spans(Step::Whole), [0, 1, 24, 1, 0]);
        assert_eq!(spans(Step::Calendar(Interval::Month)), [0, 1, 24, 1, 0]);
        assert_eq!(spans(Step::Calendar(Interval::Hour)), [0, 1, 0]);
        assert_eq!(spans(Step::Hours(24)), [0, 1, 0]);
        let within = range("2026-11-22T21:30:00Z", "2026-11-22T21:40:00Z");
        assert_eq!(cut(within, Step::Whole), [(0, within.from, within.until)]);
        let days = range("2026-11-22T00:00:00Z", "2026-11-24T00:00:00Z");
        assert_eq!(cut(days, Step::Hours(48)), [(24, days.from, days.until)]);
        let nothing = range("2026-11-22T00:00:00Z", "2026-11-21T00:00:00Z");
        assert_eq!(cut(nothing, Step::Whole), []);
    }

    #[test]
    fn pieces_begin_where_the_calendar_says() {
        let range = range("2026-11-24T05:30:00Z", "2026-11-25T00:00:00Z");
        let hour = i64::from(hour_of(at("2026-11-24T06:00:00Z")));
        for (step, start) in [
            (Step::Calendar(Interval::Hour), "2026-11-24T06:00:00Z"),
            (Step::Calendar(Interval::Day), "2026-11-24T00:00:00Z"),
            (Step::Calendar(Interval::Week), "2026-11-23T00:00:00Z"),
            (Step::Calendar(Interval::Month), "2026-11-01T00:00:00Z"),
            (Step::Hours(2), "2026-11-24T05:00:00Z"),
        ] {
            let numbering = Numbering::of(step, range).expect("cut");
            let number = match numbering {
                Numbering::Minutes => hour * 60,
                Numbering::Hours { width, offset } => (hour + i64::from(offset)) / i64::from(width),
                Numbering::Months => hour / 24,
            };
            assert_eq!(numbering.start(number), at(start), "{step:?}");
        }
        assert_eq!(Numbering::of(Step::Whole, range), None);
    }
}
