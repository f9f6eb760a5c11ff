//! Money, from whole nano-dollars. A minus is U+2212; what is cut off is shown on focus, hover and copy.

use switchyard_domain::money::UsdNanos;

use super::Markup;

/// Digits behind the point in a column, so that points align.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Places {
    Two,
    Four,
    Six,
    Nine,
}

impl Places {
    const fn digits(self) -> u32 {
        match self {
            Self::Two => 2,
            Self::Four => 4,
            Self::Six => 6,
            Self::Nine => 9,
        }
    }
}

const NANOS: u64 = 1_000_000_000;
const HALF_A_CENT: u64 = 5_000_000;

/// A sum: two places, `<$0.01` below half a cent, exact on focus and hover.
pub(crate) fn usd(amount: UsdNanos) -> Markup {
    let nanos = amount.get();
    let size = nanos.unsigned_abs();
    let text = if size > 0 && size < HALF_A_CENT {
        format!("{}&lt;$0.01", sign(nanos))
    } else {
        fixed(nanos, Places::Two)
    };
    let exact = usd_exact(amount);
    Markup::trusted(format!(
        r#"<data class="money" value="{value}" title="{exact}">{text}</data>"#,
        value = amount
    ))
}

/// An amount in a column.
pub(crate) fn usd_fixed(amount: UsdNanos, places: Places) -> Markup {
    let exact = usd_exact(amount);
    let text = fixed(amount.get(), places);
    Markup::trusted(format!(
        r#"<data class="money" value="{amount}" title="{exact}">{text}</data>"#
    ))
}

/// The same where there is only room for text.
pub(crate) fn usd_plain(amount: UsdNanos, places: Places) -> String {
    fixed(amount.get(), places)
}

/// All nine places, as in the ledger.
pub(crate) fn usd_exact(amount: UsdNanos) -> String {
    fixed(amount.get(), Places::Nine)
}

/// The same with what is past the cents set back.
pub(crate) fn usd_ledger(amount: UsdNanos) -> Markup {
    let exact = usd_exact(amount);
    let (near, far) = exact.split_at(exact.len() - 7);
    Markup::trusted(format!(
        r#"<data class="money" value="{amount}">{near}<span class="cents">{far}</span></data>"#
    ))
}

/// A price per million tokens, from pico-dollars for one: two to six places.
pub(crate) fn usd_per_million(picos_per_token: i64) -> String {
    // A pico-dollar a token is a micro-dollar a million tokens.
    let micros = picos_per_token.unsigned_abs();
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let mut end = text.len();
    while text.as_bytes()[end - 1] == b'0' && end > text.len() - 4 {
        end -= 1;
    }
    format!("{}${}", sign(picos_per_token), &text[..end])
}

const fn sign(amount: i64) -> &'static str {
    if amount < 0 { "\u{2212}" } else { "" }
}

/// Rounded half away from zero to the places of its column.
fn fixed(nanos: i64, places: Places) -> String {
    let digits = places.digits();
    let step = 10_u64.pow(9 - digits);
    let rounded = (nanos.unsigned_abs() + step / 2) / step;
    let unit = NANOS / step;
    let whole = grouped(rounded / unit);
    let width = digits as usize;
    let shown = if rounded == 0 { "" } else { sign(nanos) };
    format!("{shown}${whole}.{:0width$}", rounded % unit)
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_by_their_places() {
        for (nanos, places, text) in [
            (0, Places::Two, "$0.00"),
            (1_043_834_000_000, Places::Two, "$1,043.83"),
            (-1_500_000_000, Places::Two, "\u{2212}$1.50"),
            (-1, Places::Two, "$0.00"),
            (5_000_000, Places::Two, "$0.01"),
            (123_456_789, Places::Four, "$0.1235"),
            (123_456_789, Places::Nine, "$0.123456789"),
            (i64::MIN, Places::Nine, "\u{2212}$9,223,372,036.854775808"),
        ] {
            assert_eq!(fixed(nanos, places), text);
        }
    }

    #[test]
    fn the_ledger_has_all_places() {
        let written = usd_ledger(UsdNanos::new(-1_234_567_891)).to_string();
        assert!(
            written.contains("\u{2212}$1.23<span class=\"cents\">4567891</span>"),
            "{written}"
        );
    }

    #[test]
    fn prices_are_per_million() {
        for (picos, text) in [
            (0, "$0.00"),
            (3_000_000, "$3.00"),
            (150_000, "$0.15"),
            (37_500, "$0.0375"),
            (1, "$0.000001"),
        ] {
            assert_eq!(usd_per_million(picos), text);
        }
    }
}
