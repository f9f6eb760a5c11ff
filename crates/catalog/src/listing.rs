//! What public listings show about prices: the prices of this moment, and the words and numbers
//! that windows are written in.

use switchyard_domain::{
    clock::Timestamp,
    price_list::{DailyWindow, PriceList, PriceOverride, Prices},
};

/// The names of the weekdays, Monday first, as `utc_days` lists them.
pub const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// The prices a short request would pay at `now`: the base with the time windows that are open.
/// Long-context rows are listed apart, since they depend on the request.
pub fn prices_now(list: &PriceList, now: Timestamp) -> Prices {
    list.overrides
        .iter()
        .filter(|over| over.min_prompt_tokens.is_none() && is_open(over, now))
        .fold(list.base, |prices, over| prices.overridden_by(&over.prices))
}

/// Whether the time conditions of an override hold at `now`.
pub fn is_open(over: &PriceOverride, now: Timestamp) -> bool {
    let utc = now.to_utc();
    let weekday = utc.weekday().number_days_from_monday();
    let minute = u16::from(utc.hour()) * 60 + u16::from(utc.minute());
    let on_day = over.weekdays.is_empty() || over.weekdays.contains(&weekday);
    on_day && over.window.is_none_or(|window| contains(window, minute))
}

/// A minute of the day as the number HHMM; the end of the day is midnight again.
pub const fn hhmm(minute: u16) -> u16 {
    let minute = minute % 1_440;
    minute / 60 * 100 + minute % 60
}

const fn contains(window: DailyWindow, minute: u16) -> bool {
    if window.start_minute <= window.end_minute {
        window.start_minute <= minute && minute < window.end_minute
    } else {
        window.start_minute <= minute || minute < window.end_minute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start_minute: u16, end_minute: u16) -> DailyWindow {
        DailyWindow {
            start_minute,
            end_minute,
        }
    }

    #[test]
    fn windows_are_half_open_and_may_wrap() {
        for (open, minute, inside) in [
            (window(60, 120), 59, false),
            (window(60, 120), 60, true),
            (window(60, 120), 119, true),
            (window(60, 120), 120, false),
            (window(990, 30), 989, false),
            (window(990, 30), 990, true),
            (window(990, 30), 0, true),
            (window(990, 30), 29, true),
            (window(990, 30), 30, false),
            (window(600, 1_440), 1_439, true),
        ] {
            assert_eq!(contains(open, minute), inside, "{open:?} at {minute}");
        }
    }

    #[test]
    fn clock_times_are_written_without_a_colon() {
        assert_eq!(
            [0, 59, 60, 990, 1_439, 1_440].map(hhmm),
            [0, 59, 100, 1_630, 2_359, 0]
        );
    }
}
