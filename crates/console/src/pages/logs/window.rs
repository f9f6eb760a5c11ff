//! The stretch of time that a page is about.

use std::time::Duration;

use switchyard_app::activity::{Interval, Range, Step};
use switchyard_domain::clock::{ResetInterval, Timestamp};
use time::{OffsetDateTime, macros::format_description};

use super::address::Address;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// A stretch with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Preset {
    pub(crate) name: &'static str,
    pub(crate) words: &'static str,
    seconds: u64,
}

/// From the shortest to the longest.
pub(crate) const PRESETS: [Preset; 6] = [
    preset("1h", "Last hour", HOUR),
    preset("24h", "Last 24 hours", DAY),
    preset("7d", "Last 7 days", 7 * DAY),
    preset("30d", "Last 30 days", 30 * DAY),
    preset("90d", "Last 90 days", 90 * DAY),
    preset("365d", "Last year", 365 * DAY),
];

const fn preset(name: &'static str, words: &'static str, seconds: u64) -> Preset {
    Preset {
        name,
        words,
        seconds,
    }
}

/// What is shown where the address does not say.
const USUAL: Preset = PRESETS[2];

/// A stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) range: Range,
    /// Its name, where it has one.
    pub(crate) preset: Option<&'static str>,
    /// What to call it.
    pub(crate) words: String,
}

impl Window {
    /// What an address says: `range` by name, or `from` and `until`.
    pub(crate) fn of(address: &Address, now: Timestamp) -> Self {
        let from = address.get("from").and_then(instant);
        if let Some(from) = from {
            let until = address.get("until").and_then(instant).unwrap_or(now);
            if from < until {
                return Self {
                    range: Range { from, until },
                    preset: None,
                    words: format!("{} to {} UTC", short(from), short(until)),
                };
            }
        }
        let name = address.get("range");
        let preset = PRESETS.iter().find(|one| Some(one.name) == name);
        Self::named(*preset.unwrap_or(&USUAL), now)
    }

    /// The stretch of that name that ends now.
    pub(crate) fn named(preset: Preset, now: Timestamp) -> Self {
        Self {
            range: Range {
                from: now.minus(Duration::from_secs(preset.seconds)),
                // What is admitted while the page is made belongs to it.
                until: now.plus(Duration::from_secs(60)),
            },
            preset: Some(preset.name),
            words: preset.words.to_owned(),
        }
    }

    /// Its beginning, as a field for date and time takes it.
    pub(crate) fn begin_field(&self) -> String {
        field(self.range.from)
    }

    /// Its end, likewise.
    pub(crate) fn end_field(&self) -> String {
        field(self.range.until)
    }

    /// The stretch before, of the same length.
    pub(crate) fn before(&self) -> Range {
        let length = self.range.until.since(self.range.from);
        Range {
            from: self.range.from.minus(length),
            until: self.range.from,
        }
    }

    /// The pieces that a chart cuts it into: by what is asked for, or as many as are read well.
    pub(crate) fn cut(&self, rollup: Option<Rollup>) -> Cut {
        let seconds = self.range.until.since(self.range.from).as_secs();
        let hours = seconds.div_ceil(HOUR);
        match rollup {
            Some(rollup) => Cut::calendar(self.range, rollup),
            None if seconds <= 2 * HOUR => Cut::calendar(self.range, Rollup::Minute),
            None => {
                let piece = [1, 2, 3, 6, 12, 24, 48, 168, 336]
                    .into_iter()
                    .find(|piece| hours.div_ceil(u64::from(*piece)) <= PIECES_MAX)
                    .unwrap_or(720);
                Cut::hours(self.range, piece)
            }
        }
    }
}

/// More are not read well.
const PIECES_MAX: u64 = 62;

/// How long a piece is, by choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rollup {
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

impl Rollup {
    /// Those that can be chosen.
    pub(crate) const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// In addresses and on pages.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// The one of this name, where it cuts a stretch into no more pieces than can be drawn.
    pub(crate) fn of(name: &str, range: Range) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|one| one.as_str() == name)?;
        (Cut::calendar(range, found).starts.len() < DRAWN_MAX).then_some(found)
    }

    const fn interval(self) -> Interval {
        match self {
            Self::Minute => Interval::Minute,
            Self::Hour => Interval::Hour,
            Self::Day => Interval::Day,
            Self::Week => Interval::Week,
            Self::Month => Interval::Month,
        }
    }

    /// When the piece that an instant is in begins.
    fn start(self, at: Timestamp) -> Timestamp {
        let by = |grain: i64| Timestamp::from_seconds(at.seconds().div_euclid(grain) * grain);
        match self {
            Self::Minute => by(60),
            Self::Hour => by(3_600),
            Self::Day => ResetInterval::Daily.window_start(at),
            Self::Week => ResetInterval::Weekly.window_start(at),
            Self::Month => ResetInterval::Monthly.window_start(at),
        }
    }

    fn end(self, start: Timestamp) -> Timestamp {
        match self {
            Self::Minute => start.plus(Duration::from_secs(60)),
            Self::Hour => start.plus(Duration::from_secs(HOUR)),
            Self::Day => ResetInterval::Daily.window_end(start),
            Self::Week => ResetInterval::Weekly.window_end(start),
            Self::Month => ResetInterval::Monthly.window_end(start),
        }
    }
}

/// Charts draw no more pieces.
const DRAWN_MAX: usize = 200;

/// A stretch in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) step: Step,
    /// When each piece begins.
    pub(crate) starts: Vec<Timestamp>,
    end: Timestamp,
    /// How long a piece is, in words.
    pub(crate) words: String,
    is_by_day: bool,
}

impl Cut {
    fn hours(range: Range, hours: u32) -> Self {
        let length = Duration::from_secs(u64::from(hours) * HOUR);
        let words = match hours {
            1 => "hour".to_owned(),
            24 => "day".to_owned(),
            168 => "week".to_owned(),
            hours if hours.is_multiple_of(24) => format!("{} days", hours / 24),
            hours => format!("{hours} hours"),
        };
        let first = Rollup::Hour.start(range.from);
        let is_by_day = hours >= 24;
        Self::of(range, Step::Hours(hours), first, words, is_by_day, |at| {
            at.plus(length)
        })
    }

    fn calendar(range: Range, rollup: Rollup) -> Self {
        let is_by_day = !matches!(rollup, Rollup::Minute | Rollup::Hour);
        Self::of(
            range,
            Step::Calendar(rollup.interval()),
            rollup.start(range.from),
            rollup.as_str().to_owned(),
            is_by_day,
            |at| rollup.end(at),
        )
    }

    fn of(
        range: Range,
        step: Step,
        first: Timestamp,
        words: String,
        is_by_day: bool,
        next: impl Fn(Timestamp) -> Timestamp,
    ) -> Self {
        let mut starts = Vec::new();
        let mut end = first;
        while end < range.until && starts.len() < DRAWN_MAX {
            starts.push(end);
            end = next(end);
        }
        Self {
            step,
            starts,
            end,
            words,
            is_by_day,
        }
    }

    /// When a piece ends, by its place.
    pub(crate) fn end_of(&self, place: usize) -> Timestamp {
        self.starts.get(place + 1).copied().unwrap_or(self.end)
    }

    /// Which piece an instant is in.
    pub(crate) fn piece_of(&self, at: Timestamp) -> Option<usize> {
        let before = self.starts.partition_point(|start| *start <= at);
        before.checked_sub(1).filter(|_| at < self.end)
    }

    /// What to call a piece.
    pub(crate) fn label(&self, at: Timestamp) -> String {
        if self.is_by_day { day(at) } else { short(at) }
    }
}

/// RFC 3339, or what a browser's field for date and time sends, which is taken as UTC.
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let bare = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        _ => text.to_owned(),
    };
    Timestamp::parse_rfc3339(&bare)
}

fn field(at: Timestamp) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    utc(at).format(form).unwrap_or_default()
}

/// `24 Nov 14:05`.
pub(crate) fn short(at: Timestamp) -> String {
    let form = format_description!("[day padding:none] [month repr:short] [hour]:[minute]");
    utc(at).format(form).unwrap_or_default()
}

fn day(at: Timestamp) -> String {
    let form = format_description!("[day padding:none] [month repr:short]");
    utc(at).format(form).unwrap_or_default()
}

fn utc(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_500_030);

    fn window(query: &str) -> Window {
        Window::of(&Address::parse(&format!("/logs?{query}")), NOW)
    }

    #[test]
    fn addresses_name_stretches() {
        assert_eq!(window("").preset, Some("7d"));
        assert_eq!(window("range=1h").words, "Last hour");
        assert_eq!(window("range=moon").preset, Some("7d"));
        let own = window("from=2026-11-20T00:00&until=2026-11-21");
        assert_eq!(own.words, "20 Nov 00:00 to 21 Nov 00:00 UTC");
        assert_eq!(own.before().until, own.range.from);
        let upside_down = window("from=2026-11-21&until=2026-11-20");
        assert_eq!(upside_down.preset, Some("7d"));
    }

    #[test]
    fn charts_have_enough_pieces_and_not_too_many() {
        for preset in PRESETS {
            let cut = Window::named(preset, NOW).cut(None);
            let pieces = cut.starts.len();
            assert!((24..=62).contains(&pieces), "{preset:?}: {pieces}");
            assert_whole(&cut);
        }
    }

    /// Pieces follow each other without a gap, and each knows what is in it.
    fn assert_whole(cut: &Cut) {
        for (place, at) in cut.starts.iter().enumerate() {
            assert_eq!(cut.piece_of(*at), Some(place));
            let last = cut.end_of(place).minus(Duration::from_micros(1));
            assert_eq!(cut.piece_of(last), Some(place));
        }
    }

    #[test]
    fn pieces_of_the_calendar_are_as_long_as_it_says() {
        let window = window("from=2026-01-30&until=2026-04-02");
        let cut = window.cut(Rollup::of("month", window.range));
        let labels: Vec<_> = cut.starts.iter().map(|at| cut.label(*at)).collect();
        assert_eq!(labels, ["1 Jan", "1 Feb", "1 Mar", "1 Apr"]);
        assert_whole(&cut);
        let weeks = window.cut(Some(Rollup::Week));
        assert_eq!(weeks.label(weeks.starts[0]), "26 Jan");
        assert_whole(&weeks);
        assert_eq!(Rollup::of("hour", window.range), None, "too many");
        assert_eq!(Rollup::of("day", window.range), Some(Rollup::Day));
    }
}
