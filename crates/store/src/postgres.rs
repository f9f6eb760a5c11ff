//! PostgreSQL: connections, migrations, and the forms in which it holds what engines hold
//! differently.

use sqlx::{
    Connection, PgConnection, Postgres, Transaction,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgConnectOptions, PgPoolOptions, PgTypeInfo, PgValueRef},
};
use switchyard_domain::clock::Timestamp;
use time::OffsetDateTime;

use crate::{
    failure::Failure,
    open::{OpenError, OpenOptions, migrations},
    portable::{At, Day, JsonText},
};

#[expect(
    clippy::duplicate_mod,
    reason = "each statement is written once and compiled per engine"
)]
#[path = "queries/mod.rs"]
mod queries;

pub(crate) use queries::Engine;

pub(crate) type Db = Postgres;

/// Rows are locked as they are touched.
const BEGIN_WRITE: &str = "BEGIN";
/// Ids are claimed in a table of their own, which is not partitioned.
const CLAIMS_APART: bool = true;
/// Keeps the limits that were read as they are until the transaction ends.
const LIMITS_KEPT: &str = ") SELECT k.api_key_id, l.api_key_id, l.reset_interval, l.include_byok
    FROM asked JOIN api_keys AS k ON k.api_key_id = asked.api_key_id
    JOIN api_key_limits AS l ON l.api_key_id = COALESCE(k.limit_key_id, k.api_key_id) FOR SHARE OF l";
/// The hour in which a generation was admitted, counted from 1970.
const HOUR_OF_ROW: &str = "CAST(FLOOR(EXTRACT(EPOCH FROM g.admitted_at) / 3600) AS INTEGER)";
/// The same by minutes.
const MINUTE_OF_ROW: &str = "CAST(FLOOR(EXTRACT(EPOCH FROM g.admitted_at) / 60) AS BIGINT)";
/// Leaves to others what others are at.
const TAKE_ROWS: &str = " FOR UPDATE OF g SKIP LOCKED";
/// Sees one state of the database however many statements follow.
const BEGIN_REPORT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// A tenant's key versions, which nobody deletes until this transaction is over.
const KEEP_TENANT_KEYS: &str =
    "SELECT version FROM tenant_keys WHERE tenant = $1 ORDER BY version FOR KEY SHARE";
/// The same, which nobody names in a new record until this transaction is over.
const TAKE_TENANT_KEYS: &str =
    "SELECT version FROM tenant_keys WHERE tenant = $1 ORDER BY version FOR UPDATE";
/// Reports read whole tables: the limit for statements on the request path is not for them, and row by
/// row is never the way to join, whatever the planner expects of tables it has not looked at yet.
const UNHURRIED: [&str; 2] = [
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL enable_nestloop = off",
];
const ENSURE_PARTITIONS: &str = "SELECT create_generation_partitions($1, 3)";
/// A few sizes only, so that each statement is prepared once per connection and kept: preparing is a
/// trip to the server. The largest times the widest table stays below the 65,535 values that can be
/// bound, and what the server keeps of it stays small.
const ROWS_PER_STATEMENT: [usize; 8] = [128, 64, 32, 16, 8, 4, 2, 1];
/// Room for each table in each of those sizes.
const STATEMENTS_KEPT: usize = 200;
/// Names the lock that one migrator at a time holds; any number that nobody else uses.
const MIGRATION_LOCK: i64 = 0x5357_5944_4d49_4752;
const EPOCH_2000_MICROS: i64 = 946_684_800_000_000;
const EPOCH_2000_DAYS: i32 = 10_957;
/// The Julian day that is 1970-01-01.
const EPOCH_1970_JULIAN_DAYS: i32 = 2_440_588;

pub(crate) async fn open(url: &str, options: &OpenOptions) -> Result<Engine, OpenError> {
    let connect: PgConnectOptions = url.parse().map_err(OpenError::Url)?;
    let connect = connect
        .application_name("switchyard")
        .statement_cache_capacity(STATEMENTS_KEPT);
    let statement_timeout_ms = options.statement_timeout.as_millis().to_string();
    let pool = PgPoolOptions::new()
        .max_connections(options.connections_max)
        .acquire_timeout(options.acquire_timeout)
        .connect_with(
            connect
                .clone()
                .options([("statement_timeout", statement_timeout_ms)]),
        )
        .await
        .map_err(OpenError::Connect)?;
    Ok(Engine::new(pool.clone(), pool, connect))
}

/// Brings the schema up to date, on a connection without time limits. Waiting for another migrator
/// may take as long as it takes; waiting for a table stops the traffic behind it, so that is short.
pub(crate) async fn migrate(connect: &PgConnectOptions) -> Result<(), OpenError> {
    let mut connection = PgConnection::connect_with(connect)
        .await
        .map_err(OpenError::Connect)?;
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(MIGRATION_LOCK)
        .execute(&mut connection)
        .await
        .map_err(OpenError::Connect)?;
    sqlx::query("SET lock_timeout = '2s'")
        .execute(&mut connection)
        .await
        .map_err(OpenError::Connect)?;
    let outcome = migrations!("postgres")
        .run_direct(None, &mut connection, false)
        .await;
    // The lock ends with its session, so an error on closing leaves nothing behind.
    let closed = connection.close().await;
    outcome.map_err(OpenError::Migrate)?;
    closed.map_err(OpenError::Connect)
}

pub(crate) type ConnectOptions = PgConnectOptions;

async fn ensure_partitions(
    transaction: &mut Transaction<'static, Db>,
    now: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(ENSURE_PARTITIONS)
        .bind(At(now))
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

async fn unhurried(transaction: &mut Transaction<'static, Db>) -> Result<(), Failure> {
    for setting in UNHURRIED {
        sqlx::query(setting).execute(&mut **transaction).await?;
    }
    Ok(())
}

impl sqlx::Type<Postgres> for At {
    fn type_info() -> PgTypeInfo {
        <OffsetDateTime as sqlx::Type<Postgres>>::type_info()
    }
}

impl sqlx::Encode<'_, Postgres> for At {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let micros = self.0.micros().saturating_sub(EPOCH_2000_MICROS);
        sqlx::Encode::<Postgres>::encode(micros, buffer)
    }
}

impl<'r> sqlx::Decode<'r, Postgres> for At {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let at = <OffsetDateTime as sqlx::Decode<Postgres>>::decode(value)?;
        Ok(Self(Timestamp::from_utc(at)))
    }
}

impl sqlx::Type<Postgres> for Day {
    fn type_info() -> PgTypeInfo {
        <time::Date as sqlx::Type<Postgres>>::type_info()
    }
}

impl sqlx::Encode<'_, Postgres> for Day {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        sqlx::Encode::<Postgres>::encode(self.number.saturating_sub(EPOCH_2000_DAYS), buffer)
    }
}

impl<'r> sqlx::Decode<'r, Postgres> for Day {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let date = <time::Date as sqlx::Decode<Postgres>>::decode(value)?;
        let number = date.to_julian_day().saturating_sub(EPOCH_1970_JULIAN_DAYS);
        Ok(Self { number })
    }
}

impl sqlx::Type<Postgres> for JsonText {
    fn type_info() -> PgTypeInfo {
        <sqlx::types::JsonValue as sqlx::Type<Postgres>>::type_info()
    }
}

impl sqlx::Encode<'_, Postgres> for JsonText {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        // The binary form of jsonb is a version and the text.
        buffer.push(1);
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}
