//! Instants: relative for a week, exact on focus and hover.

use switchyard_domain::clock::Timestamp;
use time::{OffsetDateTime, macros::format_description};

use super::Markup;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// When something was, or will be.
pub(crate) fn when(at: Timestamp, now: Timestamp) -> Markup {
    let exact = exact(at);
    let text = relative(at, now).unwrap_or_else(|| exact.clone());
    let machine = exact.replace(' ', "T").replace("TUTC", "Z");
    Markup::trusted(format!(
        r#"<time datetime="{machine}" title="{exact}">{text}</time>"#
    ))
}

fn exact(at: Timestamp) -> String {
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    let utc =
        OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    utc.format(form).unwrap_or_default()
}

fn relative(at: Timestamp, now: Timestamp) -> Option<String> {
    let seconds = now.seconds() - at.seconds();
    let (size, is_past) = (seconds.abs(), seconds >= 0);
    let text = match size {
        0..45 => return Some(if is_past { "just now" } else { "in a moment" }.to_owned()),
        45..HOUR => format!("{} min", (size / MINUTE).max(1)),
        HOUR..DAY => format!("{} h", size / HOUR),
        _ if size < 7 * DAY => format!("{} d", size / DAY),
        _ => return None,
    };
    Some(if is_past {
        format!("{text} ago")
    } else {
        format!("in {text}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_is_relative() {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let at = |seconds: i64| Timestamp::from_micros(now.micros() + seconds * 1_000_000);
        for (seconds, text) in [
            (0, Some("just now")),
            (-60, Some("1 min ago")),
            (-7_300, Some("2 h ago")),
            (3 * DAY + 5, Some("in 3 d")),
            (-8 * DAY, None),
        ] {
            assert_eq!(relative(at(seconds), now).as_deref(), text);
        }
        assert_eq!(exact(now), "2023-11-14 22:13:20 UTC");
    }
}
