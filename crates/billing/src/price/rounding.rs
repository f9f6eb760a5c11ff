//! Discounts as exact fractions, and the one rounding at the end.

use switchyard_domain::{
    money::{Overflow, Ppm, UsdNanos, UsdPicos, divide_half_even},
    price_list::PriceList,
};

use super::{PriceError, Terms};

const PICOS_PER_NANO: i128 = 1_000;

/// The share of the stated prices that is paid, as a fraction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    numerator: i128,
    denominator: i128,
}

impl Rate {
    /// What anyone pays at this endpoint.
    pub(crate) fn list(list: &PriceList) -> Result<Self, PriceError> {
        Self {
            numerator: 1,
            denominator: 1,
        }
        .less(list.discount)
    }

    /// What is paid under these terms.
    pub(crate) fn contract(list: &PriceList, terms: &Terms) -> Result<Self, PriceError> {
        Self::list(list)?
            .less(terms.account_discount)?
            .times(terms.batch)
    }

    fn less(self, discount: Ppm) -> Result<Self, PriceError> {
        let share = Ppm::ONE.get().checked_sub(discount.get()).ok_or(Overflow)?;
        self.times(Ppm::new(share))
    }

    fn times(self, share: Ppm) -> Result<Self, PriceError> {
        if share < Ppm::ZERO {
            return Err(PriceError::NegativeRate(share.get()));
        }
        // Leaving the whole out keeps the common case far from any limit.
        if share == Ppm::ONE {
            return Ok(self);
        }
        let multiply = |factor: i128, ppm: Ppm| factor.checked_mul(i128::from(ppm.get()));
        Ok(Self {
            numerator: multiply(self.numerator, share).ok_or(Overflow)?,
            denominator: multiply(self.denominator, Ppm::ONE).ok_or(Overflow)?,
        })
    }

    /// The exact amount at this rate.
    pub(crate) fn apply(self, amount: UsdPicos) -> Result<Exact, Overflow> {
        Ok(Exact {
            numerator: amount.get().checked_mul(self.numerator).ok_or(Overflow)?,
            denominator: self.denominator,
        })
    }

    /// The largest amount that costs no more than `limit` at this rate; `None` when any does.
    pub(crate) fn largest_within(self, limit: UsdPicos) -> Result<Option<UsdPicos>, Overflow> {
        if self.numerator == 0 {
            return Ok(None);
        }
        let scaled = limit.get().checked_mul(self.denominator).ok_or(Overflow)?;
        Ok(Some(UsdPicos::new(scaled.div_euclid(self.numerator))))
    }

    /// Splits a rounded total into the parts of two amounts that both bear this rate.
    pub(crate) fn split(
        self,
        total: UsdNanos,
        first: UsdPicos,
        second: UsdPicos,
    ) -> Result<(UsdNanos, UsdNanos), Overflow> {
        by_largest_remainder(total, self.apply(first)?, self.apply(second)?)
    }

    /// Splits a rounded total into the part that bears this rate and the part that bears none.
    pub(crate) fn split_beside(
        self,
        total: UsdNanos,
        rated: UsdPicos,
        flat: UsdPicos,
    ) -> Result<(UsdNanos, UsdNanos), Overflow> {
        let zero = Exact {
            numerator: 0,
            denominator: self.denominator,
        };
        by_largest_remainder(total, self.apply(rated)?, zero.plus(flat)?)
    }
}

/// An amount in pico-dollars as a fraction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exact {
    numerator: i128,
    denominator: i128,
}

impl Exact {
    pub(crate) fn plus(self, amount: UsdPicos) -> Result<Self, Overflow> {
        let scaled = amount.get().checked_mul(self.denominator).ok_or(Overflow)?;
        let numerator = self.numerator.checked_add(scaled).ok_or(Overflow)?;
        Ok(Self { numerator, ..self })
    }

    pub(crate) fn round_half_even(self) -> Result<UsdNanos, Overflow> {
        nanos(divide_half_even(self.numerator, self.nano_denominator()?)?)
    }

    pub(crate) fn round_up(self) -> Result<UsdNanos, Overflow> {
        let (floor, remainder) = self.floor()?;
        nanos(floor + i128::from(remainder > 0))
    }

    /// Whole nano-dollars below, and what is left over in units of the denominator.
    fn floor(self) -> Result<(i128, i128), Overflow> {
        let denominator = self.nano_denominator()?;
        Ok((
            self.numerator.div_euclid(denominator),
            self.numerator.rem_euclid(denominator),
        ))
    }

    fn nano_denominator(self) -> Result<i128, Overflow> {
        self.denominator.checked_mul(PICOS_PER_NANO).ok_or(Overflow)
    }
}

/// Whole parts first, then the nano-dollars still missing from `total` to the largest remainders,
/// so that what is shown adds up. Both fractions have one denominator.
fn by_largest_remainder(
    total: UsdNanos,
    first: Exact,
    second: Exact,
) -> Result<(UsdNanos, UsdNanos), Overflow> {
    let ((first, first_over), (second, second_over)) = (first.floor()?, second.floor()?);
    let missing = i128::from(total.get()) - first - second;
    let to_first = match missing {
        0 => 0,
        1 => i128::from(first_over >= second_over),
        // Both remainders were a half or more; no rounding leaves more than one each.
        _ => 1,
    };
    let first = first + to_first;
    Ok((nanos(first)?, nanos(i128::from(total.get()) - first)?))
}

fn nanos(amount: i128) -> Result<UsdNanos, Overflow> {
    i64::try_from(amount)
        .map(UsdNanos::new)
        .map_err(|_| Overflow)
}
