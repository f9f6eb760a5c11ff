//! Funds and the leases that nodes hold on them. Every change of a lease first locks its fund's row,
//! so what a fund holds is the sum of its leases at every commit.

use sqlx::{Database, FromRow};
use switchyard_billing::{
    fund::{FundBalance, FundId},
    store::{LeaseAsk, LeaseOutcome},
};
use switchyard_domain::{
    clock::Timestamp,
    id::{LeaseId, NodeId},
    money::UsdNanos,
};

use super::{super::Db, Engine};
use crate::{failure::Failure, portable::At};

/// A fund is asked for at most this part of what is free beyond what is needed, so that leases
/// shrink as it runs dry.
const SHARE: i64 = 8;

const FUND: &str = "SELECT capacity, spent, held FROM funds WHERE fund_id = $1";

const LOCK_FUND: &str =
    "UPDATE funds SET held = held WHERE fund_id = $1 RETURNING capacity, spent, held";

/// Opens a fund at first sight, takes over a changed capacity, and locks it either way.
pub(super) const OPEN_FUND: &str = "
    INSERT INTO funds (fund_id, capacity, spent, held) VALUES ($1, $2, 0, 0)
    ON CONFLICT (fund_id) DO UPDATE SET capacity = excluded.capacity
    RETURNING capacity, spent, held";

/// The guard that no other code path can get around: nothing is held that is not there.
const HOLD: &str = "
    UPDATE funds SET held = held + $2
    WHERE fund_id = $1 AND capacity - spent - held >= $2";

const FREE: &str = "UPDATE funds SET held = held - $2 WHERE fund_id = $1";

/// Asks may arrive in another order than they were made, so an expiry only moves to later.
const ENLARGE_LEASE: &str = "
    INSERT INTO leases (lease_id, fund_id, node_id, amount, expires_at)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (lease_id) DO UPDATE SET
        amount = leases.amount + excluded.amount,
        expires_at = CASE
            WHEN excluded.expires_at > leases.expires_at THEN excluded.expires_at
            ELSE leases.expires_at
        END
    WHERE leases.fund_id = excluded.fund_id";

const FUND_OF_LEASE: &str = "SELECT fund_id FROM leases WHERE lease_id = $1";

const AMOUNT_OF_LEASE: &str = "SELECT amount FROM leases WHERE lease_id = $1";

const SHRINK_LEASE: &str = "UPDATE leases SET amount = amount - $2 WHERE lease_id = $1";

const END_LEASE: &str = "DELETE FROM leases WHERE lease_id = $1";

const RENEW: &str = "UPDATE leases SET expires_at = $2 WHERE node_id = $1 AND expires_at < $2";

const FUNDS_OF_NODE: &str = "SELECT DISTINCT fund_id FROM leases WHERE node_id = $1";

const END_LEASES_OF_NODE: &str =
    "DELETE FROM leases WHERE fund_id = $1 AND node_id = $2 RETURNING amount";

const FUNDS_WITH_LAPSED: &str = "SELECT DISTINCT fund_id FROM leases WHERE expires_at <= $1";

const END_LAPSED_LEASES: &str =
    "DELETE FROM leases WHERE fund_id = $1 AND expires_at <= $2 RETURNING amount";

#[derive(FromRow)]
pub(super) struct FundRow {
    capacity: i64,
    pub(super) spent: i64,
    held: i64,
}

impl From<FundRow> for FundBalance {
    fn from(row: FundRow) -> Self {
        Self {
            capacity: UsdNanos::new(row.capacity),
            spent: UsdNanos::new(row.spent),
            held: UsdNanos::new(row.held),
        }
    }
}

impl Engine {
    pub(super) async fn fund_balance(&self, id: FundId) -> Result<FundBalance, Failure> {
        let row: Option<FundRow> = sqlx::query_as(FUND)
            .bind(id.to_string())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(Into::into).unwrap_or_default())
    }

    pub(super) async fn take_lease_once(&self, ask: &LeaseAsk) -> Result<LeaseOutcome, Failure> {
        let fund_id = ask.fund.id.to_string();
        let mut transaction = self.begin().await?;
        let fund: Option<FundRow> = match ask.fund.capacity {
            Some(capacity) => {
                sqlx::query_as(OPEN_FUND)
                    .bind(&fund_id)
                    .bind(capacity.get())
                    .fetch_optional(&mut *transaction)
                    .await?
            }
            None => lock_fund(&mut transaction, &fund_id).await?,
        };
        let available = fund.map(FundBalance::from).unwrap_or_default().available();
        if available < ask.needed {
            // A changed capacity stays changed, whether or not it suffices.
            transaction.commit().await?;
            return Ok(LeaseOutcome::Insufficient { available });
        }
        let granted = ask
            .needed
            .max(ask.wanted.min(UsdNanos::new(available.get() / SHARE)));
        if granted.is_positive() {
            hold(&mut transaction, &fund_id, ask, granted).await?;
        }
        transaction.commit().await?;
        Ok(LeaseOutcome::Granted(granted))
    }

    pub(super) async fn return_lease_once(
        &self,
        lease: LeaseId,
        amount: UsdNanos,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        let fund_id: Option<String> = sqlx::query_scalar(FUND_OF_LEASE)
            .bind(lease.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(fund_id) = fund_id else {
            return Ok(());
        };
        lock_fund(&mut transaction, &fund_id).await?;
        let left: Option<i64> = sqlx::query_scalar(AMOUNT_OF_LEASE)
            .bind(lease.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
        let left = left.unwrap_or_default();
        let returned = amount.get().min(left);
        if returned <= 0 {
            return Ok(());
        }
        if returned == left {
            sqlx::query(END_LEASE)
                .bind(lease.as_uuid())
                .execute(&mut *transaction)
                .await?;
        } else {
            sqlx::query(SHRINK_LEASE)
                .bind(lease.as_uuid())
                .bind(returned)
                .execute(&mut *transaction)
                .await?;
        }
        free(&mut transaction, &fund_id, returned).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn renew_leases_once(
        &self,
        node: NodeId,
        expires_at: Timestamp,
    ) -> Result<(), Failure> {
        sqlx::query(RENEW)
            .bind(node.as_uuid())
            .bind(At(expires_at))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub(super) async fn release_node_once(&self, node: NodeId) -> Result<UsdNanos, Failure> {
        let mut transaction = self.begin().await?;
        let mut fund_ids: Vec<String> = sqlx::query_scalar(FUNDS_OF_NODE)
            .bind(node.as_uuid())
            .fetch_all(&mut *transaction)
            .await?;
        fund_ids.sort_unstable();
        let mut released = UsdNanos::ZERO;
        for fund_id in &fund_ids {
            lock_fund(&mut transaction, fund_id).await?;
            let amounts: Vec<i64> = sqlx::query_scalar(END_LEASES_OF_NODE)
                .bind(fund_id)
                .bind(node.as_uuid())
                .fetch_all(&mut *transaction)
                .await?;
            let amount = amounts.iter().sum();
            free(&mut transaction, fund_id, amount).await?;
            released = released.saturating_add(UsdNanos::new(amount));
        }
        transaction.commit().await?;
        Ok(released)
    }

    pub(super) async fn sweep_expired_once(&self, now: Timestamp) -> Result<UsdNanos, Failure> {
        let mut fund_ids: Vec<String> = sqlx::query_scalar(FUNDS_WITH_LAPSED)
            .bind(At(now))
            .fetch_all(&self.reader)
            .await?;
        if fund_ids.is_empty() {
            return Ok(UsdNanos::ZERO);
        }
        fund_ids.sort_unstable();
        let mut transaction = self.begin().await?;
        let mut swept = UsdNanos::ZERO;
        for fund_id in &fund_ids {
            lock_fund(&mut transaction, fund_id).await?;
            let amounts: Vec<i64> = sqlx::query_scalar(END_LAPSED_LEASES)
                .bind(fund_id)
                .bind(At(now))
                .fetch_all(&mut *transaction)
                .await?;
            let amount = amounts.iter().sum();
            free(&mut transaction, fund_id, amount).await?;
            swept = swept.saturating_add(UsdNanos::new(amount));
        }
        transaction.commit().await?;
        Ok(swept)
    }
}

async fn lock_fund(
    connection: &mut <Db as Database>::Connection,
    fund_id: &str,
) -> Result<Option<FundRow>, Failure> {
    Ok(sqlx::query_as(LOCK_FUND)
        .bind(fund_id)
        .fetch_optional(connection)
        .await?)
}

async fn hold(
    connection: &mut <Db as Database>::Connection,
    fund_id: &str,
    ask: &LeaseAsk,
    granted: UsdNanos,
) -> Result<(), Failure> {
    let held = sqlx::query(HOLD)
        .bind(fund_id)
        .bind(granted.get())
        .execute(&mut *connection)
        .await?
        .rows_affected();
    if held != 1 {
        return Err(Failure::Inconsistent(format!(
            "{fund_id} changed while it was locked"
        )));
    }
    let enlarged = sqlx::query(ENLARGE_LEASE)
        .bind(ask.lease.as_uuid())
        .bind(fund_id)
        .bind(ask.node.as_uuid())
        .bind(granted.get())
        .bind(At(ask.expires_at))
        .execute(connection)
        .await?
        .rows_affected();
    if enlarged != 1 {
        return Err(Failure::Inconsistent(format!(
            "{} is a lease of another fund",
            ask.lease
        )));
    }
    Ok(())
}

async fn free(
    connection: &mut <Db as Database>::Connection,
    fund_id: &str,
    amount: i64,
) -> Result<(), Failure> {
    sqlx::query(FREE)
        .bind(fund_id)
        .bind(amount)
        .execute(connection)
        .await?;
    Ok(())
}
