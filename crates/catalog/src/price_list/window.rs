//! When an override holds: a window of the UTC day, and days of the week.

use switchyard_domain::price_list::DailyWindow;

use crate::{findings::shorten, listing::WEEKDAYS, reader::Reader};

/// Minutes of a day.
const DAY_MINUTES: u16 = 1_440;

/// `utc_start` and `utc_end`, clock times written as the numbers HHMM.
pub(super) fn daily(reader: &Reader<'_>) -> Option<DailyWindow> {
    let stated = ["utc_start", "utc_end"].map(|field| reader.known(field).is_some());
    if stated[0] != stated[1] {
        reader.fault(
            if stated[0] { "utc_end" } else { "utc_start" },
            "is missing",
            "a window has a start and an end",
        );
    }
    let start_minute = clock_time(reader, "utc_start");
    let end_minute = clock_time(reader, "utc_end");
    let (start_minute, end_minute) = (start_minute?, end_minute?);
    if start_minute == end_minute {
        reader.fault(
            "utc_end",
            "equals utc_start, which leaves no time between them",
            "leave both out for the whole day",
        );
    }
    Some(DailyWindow {
        start_minute,
        // As an end, midnight is the end of the day; written so, no window wraps without need.
        end_minute: if end_minute == 0 {
            DAY_MINUTES
        } else {
            end_minute
        },
    })
}

fn clock_time(reader: &Reader<'_>, field: &str) -> Option<u16> {
    let time = reader.whole(field)?;
    match (u16::try_from(time / 100), u16::try_from(time % 100)) {
        (Ok(hour @ 0..24), Ok(minute @ 0..60)) => Some(hour * 60 + minute),
        _ => {
            reader.fault(
                field,
                format!("is {time}"),
                "write a clock time as the number HHMM, from 0 to 2359",
            );
            None
        }
    }
}

/// `utc_days`, names of days; none stated is every day.
pub(super) fn weekdays(reader: &Reader<'_>) -> Vec<u8> {
    let Some(names) = reader.texts("utc_days") else {
        return Vec::new();
    };
    if names.is_empty() {
        reader.fault(
            "utc_days",
            "is empty",
            "leave it out where every day is meant",
        );
    }
    let mut days = Vec::with_capacity(names.len());
    for name in names {
        let day = (0..).zip(WEEKDAYS).find(|(_, weekday)| *weekday == name);
        match day {
            None => reader.unknown_name("utc_days", &name, &WEEKDAYS),
            Some((day, _)) if days.contains(&day) => reader.fault(
                "utc_days",
                format!("names `{}` twice", shorten(&name)),
                "name each day once",
            ),
            Some((day, _)) => days.push(day),
        }
    }
    days.sort_unstable();
    days
}
