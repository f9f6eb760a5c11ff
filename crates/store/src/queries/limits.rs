//! Limits of keys that change while money is in motion. A limit's window is a fund; another interval
//! is another fund, which must not begin as if nothing had been spent in its window.
//!
//! Whoever changes a limit locks its row and then reads what was posted; whoever posts keeps the rows
//! of the limits as they are. So every charge is counted in the window that holds now, by one or by
//! the other.

use std::collections::BTreeMap;

use sqlx::{Database, types::Uuid};
use switchyard_billing::{fund::FundId, settlement::Settlement};
use switchyard_domain::{
    clock::{ResetInterval, Timestamp},
    id::ApiKeyId,
    money::UsdNanos,
    patch::Patch,
    tenancy::KeyLimit,
};

use super::{
    super::Db,
    leases::{FundRow, OPEN_FUND},
    rows::{Script, fetch_rows_on},
};
use crate::{failure::Failure, portable::Day};

const SET_LIMIT: &str = "
    INSERT INTO api_key_limits (api_key_id, limit_nanos, reset_interval, include_byok)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (api_key_id) DO UPDATE SET
        limit_nanos = excluded.limit_nanos, reset_interval = excluded.reset_interval,
        include_byok = excluded.include_byok";

const CLEAR_LIMIT: &str = "DELETE FROM api_key_limits WHERE api_key_id = $1";

const USED_SINCE: &str = "
    SELECT CAST(COALESCE(SUM(charge + CASE WHEN $3 THEN byok_list_price ELSE 0 END), 0) AS BIGINT)
    FROM key_spend WHERE day >= $2 AND api_key_id IN (
        SELECT api_key_id FROM api_keys WHERE api_key_id = $1 OR limit_key_id = $1
    )";

const SPEND: &str = "UPDATE funds SET spent = spent + $2 WHERE fund_id = $1";

const CHARGE: &str =
    "INSERT INTO fund_charges (fund_id, generation_id, amount) VALUES ($1, $2, $3)";

/// The fund of a limit in the window that `at` falls into.
fn fund_of(key: ApiKeyId, reset: Option<ResetInterval>, at: Timestamp) -> FundId {
    FundId::KeyLimit {
        key,
        window_start: reset.map(|reset| reset.window_start(at)),
    }
}

/// Gives a key another limit, or none; and with it all keys that share the limit, which is known by
/// `key`. The fund of the present window has the new capacity at once,
/// and has spent what the key used in the window, under whatever limit. `revision` names the change.
pub(super) async fn set_limit(
    connection: &mut <Db as Database>::Connection,
    key: ApiKeyId,
    limit: Patch<KeyLimit>,
    revision: i64,
    at: Timestamp,
) -> Result<(), Failure> {
    let limit = match limit {
        Patch::Keep => return Ok(()),
        Patch::Clear => {
            sqlx::query(CLEAR_LIMIT)
                .bind(key.as_uuid())
                .execute(connection)
                .await?;
            return Ok(());
        }
        Patch::Set(limit) => limit,
    };
    // Funds are locked before limits, as whoever posts does it.
    let fund = fund_of(key, limit.reset, at);
    let fund_id = fund.to_string();
    let opened: FundRow = sqlx::query_as(OPEN_FUND)
        .bind(&fund_id)
        .bind(limit.limit.get())
        .fetch_one(&mut *connection)
        .await?;
    sqlx::query(SET_LIMIT)
        .bind(key.as_uuid())
        .bind(limit.limit.get())
        .bind(limit.reset.map(ResetInterval::as_str))
        .bind(limit.include_byok)
        .execute(&mut *connection)
        .await?;
    let FundId::KeyLimit { window_start, .. } = fund else {
        return Err(Failure::Inconsistent(format!("{fund_id} is no limit")));
    };
    let used: i64 = sqlx::query_scalar(USED_SINCE)
        .bind(key.as_uuid())
        .bind(Day::of(window_start.unwrap_or_default()))
        .bind(limit.include_byok)
        .fetch_one(&mut *connection)
        .await?;
    let missing = UsdNanos::new(used).saturating_sub(UsdNanos::new(opened.spent));
    if missing.is_positive() {
        sqlx::query(CHARGE)
            .bind(&fund_id)
            .bind(format!("opening:{revision}"))
            .bind(missing.get())
            .execute(&mut *connection)
            .await?;
        sqlx::query(SPEND)
            .bind(&fund_id)
            .bind(missing.get())
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// A key's limit as it is now.
struct Present {
    /// The key that it is known by.
    of: ApiKeyId,
    reset: Option<ResetInterval>,
    include_byok: bool,
}

impl Present {
    /// What a settlement spends of it.
    fn share_of(&self, settlement: &Settlement) -> i64 {
        let byok = if self.include_byok {
            settlement.byok_list_price()
        } else {
            UsdNanos::ZERO
        };
        settlement.charge.total.saturating_add(byok).get()
    }
}

/// Charges what was held under an earlier limit of a key also to the window of its present one, as
/// far as that one counts it.
pub(super) async fn charge_present_windows(
    connection: &mut <Db as Database>::Connection,
    settlements: &[&Settlement],
) -> Result<(), Failure> {
    let held: Vec<&Settlement> = settlements
        .iter()
        .filter(|settlement| settlement.holds.iter().any(|hold| hold.fund.is_key_limit()))
        .copied()
        .collect();
    if held.is_empty() {
        return Ok(());
    }
    let present = present_limits(connection, &held).await?;
    let late = held.into_iter().filter_map(|settlement| {
        let key = settlement.api_key_id;
        let limit = present.get(&key)?;
        let fund = fund_of(limit.of, limit.reset, settlement.admitted_at);
        let amount = limit.share_of(settlement);
        let is_late = settlement.holds.iter().all(|hold| hold.fund != fund);
        (is_late && amount != 0).then_some((fund, settlement, amount))
    });
    let late = late.collect();
    push_late(connection, late).await
}

async fn present_limits(
    connection: &mut <Db as Database>::Connection,
    settlements: &[&Settlement],
) -> Result<BTreeMap<ApiKeyId, Present>, Failure> {
    let mut keys: Vec<ApiKeyId> = settlements.iter().map(|one| one.api_key_id).collect();
    keys.sort_unstable();
    keys.dedup();
    let rows: Vec<(Uuid, Uuid, Option<String>, bool)> = fetch_rows_on(
        connection,
        "WITH asked (api_key_id) AS (",
        &keys,
        |row, key| {
            row.push_bind(key.as_uuid());
        },
        super::super::LIMITS_KEPT,
    )
    .await?;
    let present = rows.into_iter().map(|(key, of, reset, include_byok)| {
        let key = ApiKeyId::from_uuid(key);
        let named = |name: String| {
            ResetInterval::from_name(&name).ok_or_else(|| {
                Failure::Inconsistent(format!("{key} has an unknown reset interval"))
            })
        };
        let reset = reset.map(named).transpose()?;
        Ok((
            key,
            Present {
                of: ApiKeyId::from_uuid(of),
                reset,
                include_byok,
            },
        ))
    });
    present.collect()
}

async fn push_late(
    connection: &mut <Db as Database>::Connection,
    late: Vec<(FundId, &Settlement, i64)>,
) -> Result<(), Failure> {
    let mut funds = BTreeMap::<String, i64>::new();
    for (fund, _, amount) in &late {
        let spent = funds.entry(fund.to_string()).or_default();
        *spent = spent.saturating_add(*amount);
    }
    let mut script = Script::default();
    script.push_rows(
        "INSERT INTO funds (fund_id, capacity, spent, held)",
        funds,
        |row, (fund_id, charge)| {
            row.push_bind(fund_id)
                .push_bind(0_i64)
                .push_bind(charge)
                .push_bind(0_i64);
        },
        " ON CONFLICT (fund_id) DO UPDATE SET spent = funds.spent + excluded.spent",
    );
    script.push_rows(
        "INSERT INTO fund_charges (fund_id, generation_id, amount)",
        late,
        |row, (fund, settlement, amount)| {
            row.push_bind(fund.to_string())
                .push_bind(settlement.generation_id.as_str().to_owned())
                .push_bind(amount);
        },
        "",
    );
    script.run(connection).await
}
