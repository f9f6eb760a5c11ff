//! Numbers as integers of a small unit, straight from their digits and never through a float.

/// Exponents beyond this leave every unit we use.
const EXPONENT_MAX: i64 = 40;

/// How many units of `10^-digits` a non-negative JSON number (or the same in a string) comes to,
/// rounded down. `None` where it is negative, no number, or out of range.
pub(super) fn floor_units(text: &str, digits: i64) -> Option<i64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(split) => split,
        None => (mantissa, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    if exponent.abs() > EXPONENT_MAX {
        return None;
    }
    // The digits that are whole units; what lies beyond them is cut off.
    let keep = whole.len() as i64 + exponent + digits;
    let mut units: i64 = 0;
    let mut figures = whole.bytes().chain(fraction.bytes());
    for _ in 0..keep.max(0) {
        let figure = figures.next().map_or(0, |byte| i64::from(byte - b'0'));
        units = units.checked_mul(10)?.checked_add(figure)?;
    }
    Some(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_survive_exactly() {
        for (text, digits, units) in [
            ("1", 6, Some(1_000_000)),
            ("0.5", 6, Some(500_000)),
            ("0.0000019", 6, Some(1)),
            ("1e-3", 6, Some(1_000)),
            ("2.5E+2", 3, Some(250_000)),
            ("12.3456", 3, Some(12_345)),
            ("1e-30", 6, Some(0)),
            ("0", 12, Some(0)),
            ("00000000000000000000000000001", 0, Some(1)),
            ("99999999999999999999", 6, None),
            ("-1", 6, None),
            ("1.", 6, None),
            (".5", 6, None),
            ("", 6, None),
            ("1e999999999", 6, None),
            ("NaN", 6, None),
        ] {
            assert_eq!(floor_units(text, digits), units, "{text}");
        }
    }
}
