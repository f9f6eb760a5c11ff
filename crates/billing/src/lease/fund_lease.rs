//! One lease: what SQL holds for this node, and what of it is used.

use std::time::Duration;

use switchyard_domain::{clock::Timestamp, id::LeaseId, money::UsdNanos};

/// A lease as the book sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseState {
    /// Its name in SQL.
    pub lease: LeaseId,
    /// What SQL holds under it, without what is on its way back.
    pub granted: UsdNanos,
    /// Set aside for requests in flight.
    pub reserved: UsdNanos,
    /// Charged, but not yet posted.
    pub spent_unposted: UsdNanos,
    /// On its way back to the fund.
    pub returning: UsdNanos,
    /// When it lapses unless it is renewed.
    pub expires_at: Timestamp,
}

#[derive(Debug)]
pub(super) struct FundLease {
    state: LeaseState,
    last_used_at: Timestamp,
    /// SQL has granted something once, so the fund was not overdrawn then.
    is_open: bool,
    /// Asks that SQL has not answered yet.
    asks: u32,
    /// How much was wanted at the last ask, and when that was.
    last_ask: Option<(Timestamp, UsdNanos)>,
}

/// A lease that has to be enlarged sooner than this was too small.
const ASKS_APART: Duration = Duration::from_secs(2);

impl FundLease {
    /// A lease that SQL is about to be asked for, until `expires_at`.
    pub(super) const fn new(lease: LeaseId, now: Timestamp, expires_at: Timestamp) -> Self {
        let state = LeaseState {
            lease,
            granted: UsdNanos::ZERO,
            reserved: UsdNanos::ZERO,
            spent_unposted: UsdNanos::ZERO,
            returning: UsdNanos::ZERO,
            expires_at,
        };
        Self {
            state,
            last_used_at: now,
            is_open: false,
            asks: 0,
            last_ask: None,
        }
    }

    /// How much to ask for when `suggested` would do for now: twice as much as last time if that
    /// did not last, so that a busy fund is asked for every few seconds and not every few
    /// requests. What turns out idle goes back.
    pub(super) fn wanted(&mut self, suggested: UsdNanos, now: Timestamp) -> UsdNanos {
        let wanted = match self.last_ask {
            Some((at, last)) if now.since(at) < ASKS_APART => {
                suggested.max(last.saturating_add(last))
            }
            Some(_) | None => suggested,
        };
        self.last_ask = Some((now, wanted));
        wanted
    }

    pub(super) const fn id(&self) -> LeaseId {
        self.state.lease
    }

    pub(super) const fn state(&self) -> LeaseState {
        self.state
    }

    pub(super) const fn last_used_at(&self) -> Timestamp {
        self.last_used_at
    }

    /// What can be reserved; negative when more was charged than is held.
    pub(super) fn free(&self) -> UsdNanos {
        let LeaseState {
            granted,
            reserved,
            spent_unposted,
            ..
        } = self.state;
        granted
            .saturating_sub(reserved)
            .saturating_sub(spent_unposted)
    }

    /// A lease that lapsed is never used again, whatever SQL says later: its money may have gone
    /// to others in between.
    pub(super) fn is_lapsed(&self, now: Timestamp) -> bool {
        self.state.expires_at <= now
    }

    /// Granted before and not lapsed since.
    pub(super) fn is_usable(&self, now: Timestamp) -> bool {
        self.is_open && !self.is_lapsed(now)
    }

    pub(super) fn is_used_up(&self) -> bool {
        let LeaseState {
            granted,
            reserved,
            spent_unposted,
            returning,
            ..
        } = self.state;
        self.asks == 0
            && [granted, reserved, spent_unposted, returning]
                .iter()
                .all(|m| *m == UsdNanos::ZERO)
    }

    pub(super) fn reserve(&mut self, amount: UsdNanos, now: Timestamp) {
        self.state.reserved = self.state.reserved.saturating_add(amount);
        self.last_used_at = self.last_used_at.max(now);
    }

    pub(super) fn release(&mut self, amount: UsdNanos) {
        self.state.reserved = self.state.reserved.saturating_sub(amount);
    }

    pub(super) fn settle(&mut self, amount: UsdNanos, charge: UsdNanos) {
        self.release(amount);
        self.state.spent_unposted = self.state.spent_unposted.saturating_add(charge);
    }

    /// As SQL does it: the lease bears what it can, the rest is spent from the fund directly.
    pub(super) fn posted(&mut self, charge: UsdNanos) {
        self.state.spent_unposted = self.state.spent_unposted.saturating_sub(charge);
        self.state.granted = self
            .state
            .granted
            .saturating_sub(charge)
            .max(UsdNanos::ZERO);
    }

    pub(super) const fn asked(&mut self) {
        self.asks = self.asks.saturating_add(1);
    }

    pub(super) const fn refused(&mut self) {
        self.asks = self.asks.saturating_sub(1);
    }

    /// Whether the amount was taken up; not by a lease that lapsed while SQL was asked.
    pub(super) fn granted(
        &mut self,
        amount: UsdNanos,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> bool {
        self.asks = self.asks.saturating_sub(1);
        if self.is_lapsed(now) {
            return false;
        }
        self.is_open = true;
        self.state.granted = self.state.granted.saturating_add(amount);
        self.state.expires_at = self.state.expires_at.max(expires_at);
        true
    }

    pub(super) fn renewed(&mut self, expires_at: Timestamp, now: Timestamp) {
        if self.is_usable(now) {
            self.state.expires_at = self.state.expires_at.max(expires_at);
        }
    }

    /// Sets all that is free apart; the caller has seen that it is positive.
    pub(super) fn take_free(&mut self) -> UsdNanos {
        let amount = self.free();
        self.state.granted = self.state.granted.saturating_sub(amount);
        self.state.returning = self.state.returning.saturating_add(amount);
        amount
    }

    pub(super) fn returned(&mut self, amount: UsdNanos) {
        self.state.returning = self.state.returning.saturating_sub(amount);
    }

    pub(super) fn not_returned(&mut self, amount: UsdNanos) {
        self.returned(amount);
        self.state.granted = self.state.granted.saturating_add(amount);
    }
}
