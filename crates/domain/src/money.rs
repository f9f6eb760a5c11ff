//! Money as integers. Prices are pico-dollars per unit, exact sums are 128-bit pico-dollars, and
//! everything the ledger holds is whole nano-dollars. Rounding happens once, half to even, when
//! a generation is settled.

use std::{fmt, iter::Sum, ops, str::FromStr};

use serde::{Deserialize, Serialize};

/// An amount left the range its type can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("amount out of range")]
pub struct Overflow;

/// Why a decimal text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseAmountError {
    /// Not of the form `digits[.digits]`, optionally with a leading minus.
    #[error("not a plain decimal number")]
    Malformed,
    /// More fractional digits than the unit can hold.
    #[error("more than {0} fractional digits")]
    TooPrecise(u32),
    /// Outside the type's range.
    #[error("amount out of range")]
    OutOfRange,
}

/// US dollars in nano-dollars (1e-9 USD); the ledger's unit. Range ±9.22e9 USD.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UsdNanos(i64);

impl UsdNanos {
    /// No money.
    pub const ZERO: Self = Self(0);
    /// The largest amount.
    pub const MAX: Self = Self(i64::MAX);

    /// Wraps a count of nano-dollars.
    pub const fn new(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The count of nano-dollars.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Sum, or an error where it leaves the range.
    pub fn checked_add(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).map(Self).ok_or(Overflow)
    }

    /// Difference, or an error where it leaves the range.
    pub fn checked_sub(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_sub(other.0).map(Self).ok_or(Overflow)
    }

    /// Difference, clamped to the range.
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Sum, clamped to the range.
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// True above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The smaller of two amounts.
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The larger of two amounts.
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }
}

impl ops::Neg for UsdNanos {
    type Output = Self;

    /// Negation; the lowest value, which no ledger reaches, saturates.
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Sum for UsdNanos {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Self::saturating_add)
    }
}

impl fmt::Display for UsdNanos {
    /// A decimal dollar literal without trailing zeros, such as `0.000213038`; valid JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, self.0, 9)
    }
}

impl FromStr for UsdNanos {
    type Err = ParseAmountError;

    /// Parses decimal dollars with at most nine fractional digits.
    fn from_str(text: &str) -> Result<Self, ParseAmountError> {
        let nanos = parse_decimal(text, 9)?;
        i64::try_from(nanos)
            .map(Self)
            .map_err(|_| ParseAmountError::OutOfRange)
    }
}

/// An exact, unrounded amount in pico-dollars (1e-12 USD).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UsdPicos(i128);

impl UsdPicos {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// Wraps a count of pico-dollars.
    pub const fn new(picos: i128) -> Self {
        Self(picos)
    }

    /// The count of pico-dollars.
    pub const fn get(self) -> i128 {
        self.0
    }

    /// Sum, or an error where it leaves the range.
    pub fn checked_add(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).map(Self).ok_or(Overflow)
    }

    /// Rounds to whole nano-dollars, halves to even.
    #[inline]
    pub fn round_half_even(self) -> Result<UsdNanos, Overflow> {
        let nanos = divide_half_even(self.0, 1_000)?;
        i64::try_from(nanos).map(UsdNanos).map_err(|_| Overflow)
    }

    /// Rounds up to whole nano-dollars, for holds, which must never be short.
    pub fn round_up(self) -> Result<UsdNanos, Overflow> {
        let nanos = self.0.div_euclid(1_000) + i128::from(self.0.rem_euclid(1_000) != 0);
        i64::try_from(nanos).map(UsdNanos).map_err(|_| Overflow)
    }
}

/// Divides and rounds halves to even. `divisor` must be positive.
#[inline]
pub fn divide_half_even(amount: i128, divisor: i128) -> Result<i128, Overflow> {
    if divisor <= 0 {
        return Err(Overflow);
    }
    // Dividing half the width takes a fraction of the time, and almost every amount fits.
    let (quotient, remainder) = match (i64::try_from(amount), i64::try_from(divisor)) {
        (Ok(amount), Ok(divisor)) => (
            i128::from(amount.div_euclid(divisor)),
            i128::from(amount.rem_euclid(divisor)),
        ),
        _ => (amount.div_euclid(divisor), amount.rem_euclid(divisor)),
    };
    let twice = remainder.checked_mul(2).ok_or(Overflow)?;
    let round_up = match twice.cmp(&divisor) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient.rem_euclid(2) == 1,
    };
    Ok(quotient + i128::from(round_up))
}

/// A price in pico-dollars per unit (token, request, image, …). Never negative.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Price(i64);

impl Price {
    /// Free.
    pub const ZERO: Self = Self(0);

    /// Wraps a count of pico-dollars per unit; `None` when negative.
    pub const fn from_picos(picos: i64) -> Option<Self> {
        if picos < 0 { None } else { Some(Self(picos)) }
    }

    /// Pico-dollars per unit.
    pub const fn picos(self) -> i64 {
        self.0
    }

    /// Exact cost of `count` units, unrounded. Fails only on overflow.
    pub fn times(self, count: u64) -> Result<UsdPicos, Overflow> {
        i128::from(self.0)
            .checked_mul(i128::from(count))
            .map(UsdPicos)
            .ok_or(Overflow)
    }
}

impl fmt::Display for Price {
    /// Decimal dollars per unit, such as `0.000000075`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, self.0, 12)
    }
}

impl FromStr for Price {
    type Err = ParseAmountError;

    /// Parses decimal dollars per unit with at most twelve fractional digits, never through a
    /// floating-point number.
    fn from_str(text: &str) -> Result<Self, ParseAmountError> {
        let picos = parse_decimal(text, 12)?;
        i64::try_from(picos)
            .ok()
            .and_then(Self::from_picos)
            .ok_or(ParseAmountError::OutOfRange)
    }
}

/// A share in parts per million: 50,000 is 5 %.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Ppm(i64);

impl Ppm {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The whole: 1,000,000.
    pub const ONE: Self = Self(1_000_000);

    /// Wraps parts per million.
    pub const fn new(ppm: i64) -> Self {
        Self(ppm)
    }

    /// Parts per million.
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// Parses a plain decimal into an integer of `10^-digits` units.
pub fn parse_decimal(text: &str, digits: u32) -> Result<i128, ParseAmountError> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return Err(ParseAmountError::Malformed);
    }
    let fraction = fraction.trim_end_matches('0');
    let shift = digits
        .checked_sub(u32::try_from(fraction.len()).map_err(|_| ParseAmountError::OutOfRange)?)
        .ok_or(ParseAmountError::TooPrecise(digits))?;
    let joined: i128 = format!("{whole}{fraction}")
        .parse()
        .map_err(|_| ParseAmountError::OutOfRange)?;
    let amount = joined
        .checked_mul(10_i128.pow(shift))
        .ok_or(ParseAmountError::OutOfRange)?;
    Ok(if negative { -amount } else { amount })
}

/// Every answer tells several amounts, so this allocates nothing and stays in 64 bits.
fn write_decimal(f: &mut fmt::Formatter<'_>, amount: i64, digits: usize) -> fmt::Result {
    let scale = 10_u64.pow(digits as u32);
    let magnitude = amount.unsigned_abs();
    let (whole, mut rest) = (magnitude / scale, magnitude % scale);
    let sign = if amount < 0 { "-" } else { "" };
    if rest == 0 {
        return write!(f, "{sign}{whole}");
    }
    let mut places = digits;
    while rest.is_multiple_of(10) {
        rest /= 10;
        places -= 1;
    }
    write!(f, "{sign}{whole}.{rest:0places$}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_go_to_even() {
        for (picos, nanos) in [
            (500, 0),
            (1_500, 2),
            (2_500, 2),
            (1_499, 1),
            (-500, 0),
            (-1_500, -2),
        ] {
            assert_eq!(
                UsdPicos::new(picos).round_half_even(),
                Ok(UsdNanos::new(nanos)),
                "{picos}"
            );
        }
    }

    #[test]
    fn holds_round_up() {
        assert_eq!(UsdPicos::new(1).round_up(), Ok(UsdNanos::new(1)));
        assert_eq!(UsdPicos::new(2_000).round_up(), Ok(UsdNanos::new(2)));
    }

    #[test]
    fn prices_refuse_what_they_cannot_hold() {
        assert_eq!("0.000000075".parse(), Ok(Price(75_000)));
        assert_eq!(
            "0.0000000000001".parse::<Price>(),
            Err(ParseAmountError::TooPrecise(12))
        );
        assert_eq!("-1".parse::<Price>(), Err(ParseAmountError::OutOfRange));
        for bad in ["", "1e-6", ".5", "1.", "1,0", "+1", " 1"] {
            assert_eq!(
                bad.parse::<Price>(),
                Err(ParseAmountError::Malformed),
                "{bad}"
            );
        }
    }

    proptest! {
        #[test]
        fn nanos_print_as_they_parse(nanos in any::<i64>()) {
            let amount = UsdNanos::new(nanos);
            prop_assert_eq!(amount.to_string().parse(), Ok(amount));
        }

        #[test]
        fn rounding_is_off_by_half_at_most(picos in -1_000_000_000_000_i128..1_000_000_000_000) {
            let nanos = UsdPicos::new(picos).round_half_even().expect("in range");
            prop_assert!((i128::from(nanos.get()) * 1_000 - picos).abs() <= 500);
        }
    }
}
