//! Readers of single values. None of them repeats a value in its complaint: it may be a secret.

use std::ops::RangeInclusive;

use serde_json::value::RawValue;
use switchyard_domain::{clock::Timestamp, money::UsdNanos};

use super::Problem;

/// A string of so many characters, none of them a control character.
pub(crate) fn text(
    chars: RangeInclusive<usize>,
) -> impl FnOnce(&RawValue) -> Result<String, Problem> {
    move |value| {
        let text: String =
            serde_json::from_str(value.get()).map_err(|_| "must be a string".to_owned())?;
        let (min, max) = (*chars.start(), *chars.end());
        if !chars.contains(&text.chars().count()) {
            return Err(if max == usize::MAX {
                format!("must have at least {min} characters").into()
            } else {
                format!("must have {min} to {max} characters").into()
            });
        }
        if text.chars().any(char::is_control) {
            return Err("must not have control characters".into());
        }
        Ok(text)
    }
}

/// `true` or `false`.
pub(crate) fn flag(value: &RawValue) -> Result<bool, Problem> {
    serde_json::from_str(value.get()).map_err(|_| "must be true or false".into())
}

/// One of a few words, by what it means.
pub(crate) fn one_of<T: Copy>(
    words: &'static [(&'static str, T)],
) -> impl FnOnce(&RawValue) -> Result<T, Problem> {
    move |value| {
        let given: Option<String> = serde_json::from_str(value.get()).ok();
        let found = words
            .iter()
            .find(|(word, _)| given.as_deref() == Some(*word));
        found.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            format!("must be one of `{}`", words.join("`, `")).into()
        })
    }
}

/// A list of so many strings.
pub(crate) fn list(
    items: RangeInclusive<usize>,
) -> impl FnOnce(&RawValue) -> Result<Vec<String>, Problem> {
    move |value| {
        let list: Vec<String> = serde_json::from_str(value.get())
            .map_err(|_| "must be a list of strings".to_owned())?;
        if items.contains(&list.len()) {
            return Ok(list);
        }
        Err(format!("must have {} to {} entries", items.start(), items.end()).into())
    }
}

/// A time in UTC, written as such.
pub(crate) fn instant_in_utc(value: &RawValue) -> Result<Timestamp, Problem> {
    const PROBLEM: &str = "must be a time in UTC, such as 2026-12-31T23:59:59Z";
    let text: String = serde_json::from_str(value.get()).map_err(|_| PROBLEM)?;
    let is_utc = ["Z", "z", "+00:00", "-00:00"]
        .iter()
        .any(|offset| text.ends_with(offset));
    Timestamp::parse_rfc3339(&text)
        .filter(|_| is_utc)
        .ok_or_else(|| PROBLEM.into())
}

/// US dollars, not negative, to the nano-dollar. The digits are taken as they are written, however
/// a client writes them; nothing passes through a floating-point value.
pub(crate) fn usd(value: &RawValue) -> Result<UsdNanos, Problem> {
    let text = value.get();
    let is_number = text
        .bytes()
        .next()
        .is_some_and(|first| first == b'-' || first.is_ascii_digit());
    if !is_number {
        return Err("must be a number of US dollars".into());
    }
    let amount =
        nanos_of(text).ok_or("must have at most nine decimal places and be below 9 billion")?;
    if amount < UsdNanos::ZERO {
        return Err("must not be negative".into());
    }
    Ok(amount)
}

/// A JSON number in nano-dollars, if it is a whole number of them and fits.
fn nanos_of(number: &str) -> Option<UsdNanos> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (is_negative, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = [whole, fraction].concat();
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some(UsdNanos::ZERO);
    }
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    // The power of ten of the last significant digit, counted in nano-dollars.
    let places = i64::try_from(zeros).ok()? - i64::try_from(fraction.len()).ok()?;
    let power = u32::try_from(places.checked_add(exponent)?.checked_add(9)?).ok()?;
    let amount: i64 = significant.parse().ok()?;
    let amount = amount.checked_mul(10_i64.checked_pow(power)?)?;
    Some(UsdNanos::new(if is_negative { -amount } else { amount }))
}
