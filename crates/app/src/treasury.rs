//! Funds on this node: leases taken from SQL, reservations made in memory.
//!
//! A request reserves its worst case from leases that the node already holds, without asking SQL.
//! Only when a lease runs short is one enlarged, in a guarded transaction; idle leases go back
//! within a second. So no number of nodes or parallel requests can spend more than there is.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use switchyard_billing::{
    fund::{FundId, FundRef},
    lease::{LeaseBook, Reservation, Shortfall},
    settlement::{ConsumedHold, Settlement},
    store::{LeaseOutcome, LedgerStore, PostOutcome, StoreError},
};
use switchyard_domain::{clock::Clock, id::NodeId, money::UsdNanos};

use crate::limits::{CLOCK_TOLERANCE, LEASE_LIFE, LEASE_QUIET, LEASE_RENEWAL, LEASE_SWEEP};

/// Why money could not be reserved.
#[derive(Debug, thiserror::Error)]
pub enum ReserveError {
    /// A fund cannot bear the request.
    #[error("{fund} cannot bear {needed} USD, only {available} USD")]
    Insufficient {
        fund: FundId,
        needed: UsdNanos,
        available: UsdNanos,
    },
    /// The books cannot be asked, and no lease covers the request.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// This node's leases.
pub struct Treasury {
    node: NodeId,
    ledger: Arc<dyn LedgerStore>,
    clock: Arc<dyn Clock>,
    book: Mutex<LeaseBook>,
    /// One request at a time asks SQL for more of a fund; the others wait for what it brings.
    asking: Mutex<HashMap<FundId, Arc<tokio::sync::Mutex<()>>>>,
    upkeep: Mutex<Upkeep>,
}

/// When the periodic work was last done, on the monotonic clock.
#[derive(Debug, Default)]
struct Upkeep {
    renewed_at: Duration,
    swept_at: Duration,
}

/// Money held for one request. Dropping it without settling releases it, so not even a panic
/// leaves anything held.
#[derive(Debug)]
pub struct Hold {
    treasury: Arc<Treasury>,
    reservation: Option<Reservation>,
}

/// What a request takes from one fund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    pub fund: FundRef,
    pub amount: UsdNanos,
}

impl Hold {
    /// Replaces the hold by what is really charged: `charge`, and to the limits of API keys
    /// `counted`, which may be more where customers' own credentials count. Answers what the
    /// settlement is to name.
    pub fn settle(mut self, charge: UsdNanos, counted: UsdNanos) -> Vec<ConsumedHold> {
        let reservation = self
            .reservation
            .take()
            .expect("a hold is settled once, by value");
        let share = |fund: FundId| {
            if fund.is_key_limit() { counted } else { charge }
        };
        self.treasury.book().settle_each(reservation, charge, share)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(reservation) = self.reservation.take() {
            self.treasury.book().release(reservation);
        }
    }
}

impl std::fmt::Debug for Treasury {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Treasury")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

impl Treasury {
    pub fn new(node: NodeId, ledger: Arc<dyn LedgerStore>, clock: Arc<dyn Clock>) -> Self {
        let book = LeaseBook::new(node, clock.now());
        Self {
            node,
            ledger,
            book: Mutex::new(book),
            asking: Mutex::default(),
            upkeep: Mutex::new(Upkeep {
                renewed_at: clock.monotonic(),
                swept_at: clock.monotonic(),
            }),
            clock,
        }
    }

    /// Reserves from every fund what is drawn on it, or nothing from any.
    pub async fn reserve(self: &Arc<Self>, draws: &[Draw]) -> Result<Hold, ReserveError> {
        let amounts: Vec<_> = draws
            .iter()
            .map(|draw| (draw.fund.id, draw.amount))
            .collect();
        loop {
            let shortfall = match self.try_reserve(&amounts) {
                Ok(hold) => return Ok(hold),
                Err(shortfall) => shortfall,
            };
            let turn = self.turn(shortfall.fund);
            let _turn = turn.lock().await;
            // What the one before us brought may be enough for us too.
            let missing = match self.try_reserve(&amounts) {
                Ok(hold) => return Ok(hold),
                Err(again) if again.fund != shortfall.fund => continue,
                Err(again) => again.missing,
            };
            let draw = draws
                .iter()
                .find(|draw| draw.fund.id == shortfall.fund)
                .expect("only an asked-for fund can fall short");
            self.ask(draw.fund, missing, draw.amount).await?;
        }
    }

    fn try_reserve(self: &Arc<Self>, amounts: &[(FundId, UsdNanos)]) -> Result<Hold, Shortfall> {
        let reservation = self.book().reserve_each(amounts, self.clock.now())?;
        Ok(Hold {
            treasury: Arc::clone(self),
            reservation: Some(reservation),
        })
    }

    async fn ask(
        &self,
        fund: FundRef,
        missing: UsdNanos,
        amount: UsdNanos,
    ) -> Result<(), ReserveError> {
        let ask = self.book().ask(fund, missing, LEASE_LIFE, self.clock.now());
        metrics::counter!("switchyard_lease_asks_total").increment(1);
        match self.ledger.take_lease(&ask).await {
            Ok(LeaseOutcome::Granted(granted)) => {
                if !self.book().granted(&ask, granted, self.clock.now()) {
                    self.ledger.return_lease(ask.lease, granted).await?;
                }
                Ok(())
            }
            Ok(LeaseOutcome::Insufficient { available }) => {
                self.book().refused(&ask);
                // What this node holds idle is available to the request as well.
                let available = available.saturating_add(amount.saturating_sub(missing));
                Err(ReserveError::Insufficient {
                    fund: fund.id,
                    needed: amount,
                    available,
                })
            }
            Err(error) => {
                self.book().refused(&ask);
                Err(error.into())
            }
        }
    }

    fn turn(&self, fund: FundId) -> Arc<tokio::sync::Mutex<()>> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody else holds or waits for a turn that only this map knows.
        asking.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(asking.entry(fund).or_default())
    }

    /// SQL has these settlements and consumed their holds.
    pub fn posted(&self, settlements: &[Settlement], outcomes: &[PostOutcome]) {
        let mut book = self.book();
        for (settlement, outcome) in settlements.iter().zip(outcomes) {
            // Found posted means that an earlier try arrived although its answer did not.
            if *outcome != PostOutcome::Conflict {
                for hold in &settlement.holds {
                    book.posted(hold, settlement.charge.total);
                }
            }
        }
    }

    /// Renews leases, gives idle ones back and sweeps lapsed ones of nodes that are gone.
    pub async fn tend(&self) {
        let outcome = async {
            self.renew().await?;
            self.give_back(LEASE_QUIET).await?;
            self.sweep().await
        };
        if let Err(error) = outcome.await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot tend the leases"
            );
        }
    }

    async fn renew(&self) -> Result<(), StoreError> {
        let monotonic = self.clock.monotonic();
        if monotonic.saturating_sub(self.upkeep().renewed_at) < LEASE_RENEWAL {
            return Ok(());
        }
        if self.book().states().next().is_some() {
            let expires_at = self.clock.now().plus(LEASE_LIFE);
            self.ledger.renew_leases(self.node, expires_at).await?;
            self.book().renewed(expires_at, self.clock.now());
        }
        self.upkeep().renewed_at = monotonic;
        Ok(())
    }

    async fn give_back(&self, quiet: Duration) -> Result<(), StoreError> {
        let given_up = self.book().take_given_up();
        for lease in given_up {
            self.ledger.return_lease(lease, UsdNanos::MAX).await?;
        }
        let parts = self.book().take_returnable(self.clock.now(), quiet);
        for part in parts {
            let outcome = self.ledger.return_lease(part.lease(), part.amount()).await;
            // Whether a failed call arrived is unknown; what may be gone must not be spent.
            self.book().returned(part);
            outcome?;
        }
        Ok(())
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        let monotonic = self.clock.monotonic();
        if monotonic.saturating_sub(self.upkeep().swept_at) < LEASE_SWEEP {
            return Ok(());
        }
        self.upkeep().swept_at = monotonic;
        // Clocks differ: what lapsed by ours a moment ago may still be held by its owner's.
        let lapsed_by = self.clock.now().minus(CLOCK_TOLERANCE);
        let swept = self.ledger.sweep_expired(lapsed_by).await?;
        if swept.is_positive() {
            tracing::warn!(amount_usd = %swept, "gave back what a lost node had held");
        }
        Ok(())
    }

    /// Gives back everything this node holds: at its start, for what an earlier run left, and at
    /// its stop.
    pub async fn release_all(&self) -> Result<UsdNanos, StoreError> {
        self.ledger.release_node(self.node).await
    }

    fn book(&self) -> MutexGuard<'_, LeaseBook> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn upkeep(&self) -> MutexGuard<'_, Upkeep> {
        self.upkeep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(crate) mod tests;
