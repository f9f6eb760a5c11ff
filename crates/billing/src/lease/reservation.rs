//! Tickets for money that is set aside. None of them can be copied or made outside the book, so
//! each is redeemed once at most.

use switchyard_domain::{id::LeaseId, money::UsdNanos};

use crate::{fund::FundId, settlement::ConsumedHold};

/// Money set aside for one request, in every fund it draws on.
#[derive(Debug)]
#[must_use = "a reservation must be settled or released, else its money stays set aside"]
pub struct Reservation {
    holds: Vec<ConsumedHold>,
    /// How much is set aside under each of them.
    amounts: Vec<UsdNanos>,
}

impl Reservation {
    pub(super) fn new(parts: Vec<(ConsumedHold, UsdNanos)>) -> Self {
        let (holds, amounts) = parts.into_iter().unzip();
        Self { holds, amounts }
    }

    /// How much, in the fund with the most.
    pub fn amount(&self) -> UsdNanos {
        self.amounts.iter().copied().max().unwrap_or_default()
    }

    /// Where it is set aside.
    pub fn holds(&self) -> &[ConsumedHold] {
        &self.holds
    }

    pub(super) fn into_parts(self) -> impl Iterator<Item = (ConsumedHold, UsdNanos)> {
        self.holds.into_iter().zip(self.amounts)
    }
}

/// The first fund whose lease cannot bear a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lease on {fund} is short by {missing} USD")]
pub struct Shortfall {
    /// The fund.
    pub fund: FundId,
    /// What must be granted first. Zero when nothing is to be reserved, but no lease is held.
    pub missing: UsdNanos,
}

/// Idle money on its way back to its fund.
#[derive(Debug)]
#[must_use = "money on its way back must be reported as returned or not returned"]
pub struct Returning {
    hold: ConsumedHold,
    amount: UsdNanos,
}

impl Returning {
    pub(super) const fn new(hold: ConsumedHold, amount: UsdNanos) -> Self {
        Self { hold, amount }
    }

    /// The fund it goes to.
    pub const fn fund(&self) -> FundId {
        self.hold.fund
    }

    /// The lease it comes from.
    pub const fn lease(&self) -> LeaseId {
        self.hold.lease
    }

    /// How much.
    pub const fn amount(&self) -> UsdNanos {
        self.amount
    }

    pub(super) const fn into_parts(self) -> (ConsumedHold, UsdNanos) {
        (self.hold, self.amount)
    }
}
