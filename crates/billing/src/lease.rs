//! The money a node holds, in memory. A lease is taken from a fund in SQL, rarely; each request
//! then reserves its worst case from the lease here, without I/O. Since every nano-dollar that can
//! be reserved is held in SQL by this node alone, many nodes together cannot overspend a fund.
//!
//! The book mirrors the leases' rows: it is told what SQL granted, posted and took back. Where
//! the outcome of a call to SQL is unknown, assume the one that leaves less to spend here; what
//! is then held too much comes back when the node's leases are released.

mod fund_lease;
mod reservation;

use std::{collections::BTreeMap, time::Duration};

use sha2::{Digest, Sha256};
use switchyard_domain::{
    clock::Timestamp,
    id::{LeaseId, NodeId},
    money::UsdNanos,
};

use self::fund_lease::FundLease;
pub use self::{
    fund_lease::LeaseState,
    reservation::{Reservation, Returning, Shortfall},
};
use crate::{
    fund::{FundId, FundRef},
    settlement::ConsumedHold,
    store::LeaseAsk,
};

/// How many requests like the one that is short a lease should carry.
const REQUESTS_PER_LEASE: i64 = 32;

/// All leases of one node. One owner, called under its lock; nothing here waits.
#[derive(Debug)]
pub struct LeaseBook {
    node: NodeId,
    opened_at: Timestamp,
    leases_named: u64,
    funds: BTreeMap<FundId, FundLease>,
    given_up: Vec<LeaseId>,
}

impl LeaseBook {
    /// An empty book. `opened_at` keeps the names of leases apart from those of earlier runs of
    /// the same node.
    pub const fn new(node: NodeId, opened_at: Timestamp) -> Self {
        Self {
            node,
            opened_at,
            leases_named: 0,
            funds: BTreeMap::new(),
            given_up: Vec::new(),
        }
    }

    /// Reserves `amount` from every fund, as [`reserve_each`](Self::reserve_each) does.
    pub fn reserve(
        &mut self,
        funds: &[FundId],
        amount: UsdNanos,
        now: Timestamp,
    ) -> Result<Reservation, Shortfall> {
        let draws: Vec<_> = funds.iter().map(|fund| (*fund, amount)).collect();
        self.reserve_each(&draws, now)
    }

    /// Reserves from each fund its amount, or nothing from any. Funds are asked in a fixed order
    /// and count once however often they are named, with the largest amount.
    ///
    /// A fund that no lease is held on bears nothing, not even an amount of zero: SQL must say
    /// first that it is not overdrawn. Nor does a lease that lapsed, for others may hold its money
    /// by now.
    pub fn reserve_each(
        &mut self,
        draws: &[(FundId, UsdNanos)],
        now: Timestamp,
    ) -> Result<Reservation, Shortfall> {
        let mut draws = draws.to_vec();
        draws.sort_unstable_by_key(|(fund, amount)| (*fund, std::cmp::Reverse(*amount)));
        draws.dedup_by_key(|(fund, _)| *fund);
        for (fund, amount) in &draws {
            let free = self.usable(*fund, now);
            if free.is_none_or(|free| free < *amount) {
                let missing = amount.saturating_sub(free.unwrap_or_default());
                return Err(Shortfall {
                    fund: *fund,
                    missing,
                });
            }
        }
        let mut parts = Vec::with_capacity(draws.len());
        for (fund, amount) in draws {
            if let Some(lease) = self.funds.get_mut(&fund) {
                lease.reserve(amount, now);
                parts.push((ConsumedHold::new(fund, lease.id()), amount));
            }
        }
        Ok(Reservation::new(parts))
    }

    /// Replaces a reservation by what was really charged, as
    /// [`settle_each`](Self::settle_each) does, the whole charge to every fund.
    pub fn settle(&mut self, reservation: Reservation, charge: UsdNanos) -> Vec<ConsumedHold> {
        self.settle_each(reservation, charge, |_| charge)
    }

    /// Replaces a reservation by what was really charged, which may be more, to each fund as
    /// `share` says. Answers the holds that the settlement over `charge` is to name; the money stays
    /// used until it is [`Self::posted`].
    pub fn settle_each(
        &mut self,
        reservation: Reservation,
        charge: UsdNanos,
        share: impl Fn(FundId) -> UsdNanos,
    ) -> Vec<ConsumedHold> {
        let settled = reservation.into_parts().map(|(mut hold, amount)| {
            let share = share(hold.fund);
            hold.amount = (share != charge).then_some(share);
            self.change(&hold, |lease| lease.settle(amount, share));
            hold
        });
        settled.collect()
    }

    /// Cancels a reservation.
    pub fn release(&mut self, reservation: Reservation) {
        for (hold, amount) in reservation.into_parts() {
            self.reduce(&hold, |lease| lease.release(amount));
        }
    }

    /// A settlement over `charge` with this hold has reached SQL, which consumed the lease by the
    /// hold's share.
    pub fn posted(&mut self, hold: &ConsumedHold, charge: UsdNanos) {
        let share = hold.share_of(charge);
        self.reduce(hold, |lease| lease.posted(share));
    }

    /// What to ask SQL for when `needed` is missing: more under the lease that is there, or a new
    /// lease when there is none or it lapsed. Every ask is followed by [`Self::granted`] or
    /// [`Self::refused`].
    pub fn ask(
        &mut self,
        fund: FundRef,
        needed: UsdNanos,
        life: Duration,
        now: Timestamp,
    ) -> LeaseAsk {
        let node = self.node;
        let expires_at = now.plus(life);
        let lease = self.open(fund.id, now, expires_at);
        lease.asked();
        let wanted = lease.wanted(Self::suggested_wanted(needed), now);
        LeaseAsk {
            fund,
            lease: lease.id(),
            node,
            needed,
            wanted,
            expires_at,
            now,
        }
    }

    /// How much to hold if the fund is ample, so that most requests find a lease that carries
    /// them.
    pub fn suggested_wanted(needed: UsdNanos) -> UsdNanos {
        UsdNanos::new(needed.get().saturating_mul(REQUESTS_PER_LEASE))
    }

    /// SQL granted this much. `false` when the lease lapsed before the answer came: the caller is
    /// to return the amount to SQL and ask again, for what the lease held before may be lost.
    #[must_use = "an amount that is not taken must be returned to its fund"]
    pub fn granted(&mut self, ask: &LeaseAsk, amount: UsdNanos, now: Timestamp) -> bool {
        let mut taken = false;
        self.change(&hold_of(ask), |lease| {
            taken = lease.granted(amount, ask.expires_at, now);
        });
        taken
    }

    /// SQL granted nothing, or its answer is unknown.
    pub fn refused(&mut self, ask: &LeaseAsk) {
        self.reduce(&hold_of(ask), FundLease::refused);
    }

    /// SQL moved the expiry of all of this node's leases. Leases that lapsed before `now` stay
    /// lapsed: SQL may have swept them before it was asked to renew them.
    pub fn renewed(&mut self, expires_at: Timestamp, now: Timestamp) {
        for lease in self.funds.values_mut() {
            lease.renewed(expires_at, now);
        }
    }

    /// What could be reserved or given back; negative after an overrun.
    pub fn idle(&self, fund: FundId) -> UsdNanos {
        self.funds
            .get(&fund)
            .map_or(UsdNanos::ZERO, FundLease::free)
    }

    /// Takes all idle money out of the leases that nothing was reserved from for `quiet`. Each
    /// part is to be given back to SQL, then reported with [`Self::returned`] or
    /// [`Self::not_returned`]; until then nobody can reserve it.
    pub fn take_returnable(&mut self, now: Timestamp, quiet: Duration) -> Vec<Returning> {
        let quiet_leases = self.funds.iter_mut().filter(|(_, lease)| {
            lease.free().is_positive() && now.since(lease.last_used_at()) >= quiet
        });
        let part = |(fund, lease): (&FundId, &mut FundLease)| {
            let hold = ConsumedHold::new(*fund, lease.id());
            Returning::new(hold, lease.take_free())
        };
        quiet_leases.map(part).collect()
    }

    /// The part is back in its fund, or may be.
    pub fn returned(&mut self, part: Returning) {
        let (hold, amount) = part.into_parts();
        self.reduce(&hold, |lease| lease.returned(amount));
    }

    /// The part was certainly not given back; it can be reserved again.
    pub fn not_returned(&mut self, part: Returning) {
        let (hold, amount) = part.into_parts();
        self.change(&hold, |lease| lease.not_returned(amount));
    }

    /// Leases that lapsed and were replaced. All that SQL still holds under them is to be given
    /// back; they are named once and never asked for again.
    pub fn take_given_up(&mut self) -> Vec<LeaseId> {
        std::mem::take(&mut self.given_up)
    }

    /// Every lease, for gauges and for a look inside.
    pub fn states(&self) -> impl Iterator<Item = (FundId, LeaseState)> {
        self.funds
            .iter()
            .map(|(fund, lease)| (*fund, lease.state()))
    }

    fn usable(&self, fund: FundId, now: Timestamp) -> Option<UsdNanos> {
        self.funds
            .get(&fund)
            .filter(|lease| lease.is_usable(now))
            .map(FundLease::free)
    }

    /// The lease on this fund. A lapsed one is given up: what is still reserved or unposted under
    /// it will be spent from the fund without a hold, and the new lease knows nothing of it.
    fn open(&mut self, fund: FundId, now: Timestamp, expires_at: Timestamp) -> &mut FundLease {
        let (node, opened_at, named) = (self.node, self.opened_at, &mut self.leases_named);
        let mut new_lease = || {
            *named += 1;
            FundLease::new(lease_name(node, opened_at, *named), now, expires_at)
        };
        let lease = self.funds.entry(fund).or_insert_with(&mut new_lease);
        if lease.is_lapsed(now) {
            self.given_up.push(lease.id());
            *lease = new_lease();
        }
        lease
    }

    /// Changes the lease that a hold names, unless it was given up since.
    fn change(&mut self, hold: &ConsumedHold, change: impl FnOnce(&mut FundLease)) {
        let lease = self
            .funds
            .get_mut(&hold.fund)
            .filter(|lease| lease.id() == hold.lease);
        if let Some(lease) = lease {
            change(lease);
        }
    }

    /// Changes a lease in a way that may leave nothing of it. Then it is forgotten, as its row is:
    /// the next request asks SQL, and windows that have passed leave nothing behind.
    fn reduce(&mut self, hold: &ConsumedHold, change: impl FnOnce(&mut FundLease)) {
        self.change(hold, change);
        if self
            .funds
            .get(&hold.fund)
            .is_some_and(FundLease::is_used_up)
        {
            self.funds.remove(&hold.fund);
        }
    }
}

const fn hold_of(ask: &LeaseAsk) -> ConsumedHold {
    ConsumedHold::new(ask.fund.id, ask.lease)
}

/// Follows from who names it, since when, and how many came before; so no two are alike.
fn lease_name(node: NodeId, opened_at: Timestamp, number: u64) -> LeaseId {
    let hash: [u8; 32] = Sha256::new_with_prefix(b"switchyard lease")
        .chain_update(node.as_uuid().as_bytes())
        .chain_update(opened_at.micros().to_le_bytes())
        .chain_update(number.to_le_bytes())
        .finalize()
        .into();
    let mut bits = [0; 16];
    bits.copy_from_slice(&hash[..16]);
    LeaseId::from_uuid(uuid::Builder::from_random_bytes(bits).into_uuid())
}

#[cfg(test)]
mod tests;
