//! Tokens, counts, shares and durations.

use super::Markup;

/// A count of tokens: `12.4k`, exact on focus and hover.
pub(crate) fn tokens(count: u64) -> Markup {
    Markup::trusted(format!(
        r#"<data class="count" value="{count}" title="{exact} tokens">{short}</data>"#,
        exact = self::count(count),
        short = short(count)
    ))
}

/// A count of tokens where there is only room for the short form.
pub(crate) fn short_tokens(count: u64) -> String {
    short(count)
}

fn short(count: u64) -> String {
    for (unit, name) in [(1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")] {
        if count >= unit {
            let tenths = count / (unit / 10);
            return if tenths >= 1_000 {
                format!("{}{name}", tenths / 10)
            } else {
                format!("{}.{}{name}", tenths / 10, tenths % 10)
            };
        }
    }
    count.to_string()
}

/// A count with its digits grouped.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share with one place; a dash where there is nothing to have a share of.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "\u{2013}".to_owned();
    }
    let tenths = u128::from(part) * 1_000 / u128::from(whole);
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// A duration: milliseconds below a second, then seconds, then minutes.
pub(crate) fn milliseconds(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10),
        _ => format!("{} min {:02} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_short_and_exact() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1.0k"),
            (12_449, "12.4k"),
            (999_999, "999k"),
            (4_250_000, "4.2M"),
        ] {
            assert_eq!(short(number), text);
        }
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(percent(1, 3), "33.3%");
        assert_eq!(percent(0, 0), "\u{2013}");
        assert_eq!(milliseconds(61_000), "1 min 01 s");
    }
}
