//! The stretch of time that a page is about.

use std::time::Duration;

use switchyard_app::activity::{Interval, Range, Step};
use switchyard_domain::clock::Timestamp;
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
    pub(crate) fn from_field(&self) -> String {
        field(self.range.from)
    }

    /// Its end, likewise.
    pub(crate) fn until_field(&self) -> String {
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

    /// Into how many pieces a chart cuts it: a length that gives between 24 and 120.
    pub(crate) fn cut(&self) -> Cut {
        let seconds = self.range.until.since(self.range.from).as_secs();
        if seconds <= 2 * HOUR {
            return Cut::new(self.range, Step::Calendar(Interval::Minute), 60);
        }
        let hours = seconds.div_ceil(HOUR);
        let piece = [1, 2, 3, 6, 12, 24, 48, 168, 336]
            .into_iter()
            .find(|piece| hours.div_ceil(u64::from(*piece)) <= 100)
            .unwrap_or(720);
        Cut::new(self.range, Step::Hours(piece), u64::from(piece) * HOUR)
    }
}

/// A stretch in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) step: Step,
    first: Timestamp,
    until: Timestamp,
    seconds: u64,
}

impl Cut {
    fn new(range: Range, step: Step, seconds: u64) -> Self {
        let grain = if seconds < HOUR { 60 } else { 3_600 };
        let first = range.from.seconds().div_euclid(grain) * grain;
        Self {
            step,
            first: Timestamp::from_seconds(first),
            until: range.until,
            seconds,
        }
    }

    /// When each piece begins.
    pub(crate) fn pieces(self) -> Vec<Timestamp> {
        let mut pieces = Vec::new();
        let mut at = self.first;
        while at < self.until && pieces.len() < 200 {
            pieces.push(at);
            at = self.end_of(at);
        }
        pieces
    }

    /// When the piece that begins then ends.
    pub(crate) fn end_of(self, at: Timestamp) -> Timestamp {
        at.plus(Duration::from_secs(self.seconds))
    }

    /// Which piece an instant is in.
    pub(crate) fn piece_of(self, at: Timestamp) -> Option<usize> {
        let seconds = at.seconds() - self.first.seconds();
        let length = i64::try_from(self.seconds).ok()?;
        usize::try_from(seconds.div_euclid(length)).ok()
    }

    /// What to call a piece.
    pub(crate) fn label(self, at: Timestamp) -> String {
        if self.seconds >= DAY {
            day(at)
        } else {
            short(at)
        }
    }

    /// How long a piece is, in words.
    pub(crate) fn words(self) -> String {
        match self.seconds {
            60 => "minute".to_owned(),
            3_600 => "hour".to_owned(),
            86_400 => "day".to_owned(),
            604_800 => "week".to_owned(),
            seconds if seconds.is_multiple_of(DAY) => format!("{} days", seconds / DAY),
            seconds => format!("{} hours", seconds / HOUR),
        }
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
            let cut = Window::named(preset, NOW).cut();
            let pieces = cut.pieces();
            assert!(
                (24..=121).contains(&pieces.len()),
                "{preset:?}: {}",
                pieces.len()
            );
            for (place, at) in pieces.iter().enumerate() {
                assert_eq!(cut.piece_of(*at), Some(place));
                let last = cut.end_of(*at).minus(Duration::from_micros(1));
                assert_eq!(cut.piece_of(last), Some(place));
            }
        }
    }
}
