//! SQLite: one connection that writes, a few that read, and the forms in which it holds what engines
//! hold differently.

use sqlx::{
    Connection, Sqlite, SqliteConnection, Transaction,
    encode::IsNull,
    error::BoxDynError,
    sqlite::{
        SqliteArgumentsBuffer, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions,
        SqliteSynchronous, SqliteTypeInfo, SqliteValueRef,
    },
};
use switchyard_domain::clock::Timestamp;

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

pub(crate) type Db = Sqlite;

/// Takes the write lock at once: a transaction that reads first and then writes could not be retried.
const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";
/// An id is claimed by its generation's own row.
const CLAIMS_APART: bool = false;
/// Nobody else writes while a transaction that began for writing lasts.
const LIMITS_KEPT: &str = ") SELECT k.api_key_id, l.api_key_id, l.reset_interval, l.include_byok
    FROM asked JOIN api_keys AS k ON k.api_key_id = asked.api_key_id
    JOIN api_key_limits AS l ON l.api_key_id = COALESCE(k.limit_key_id, k.api_key_id)";
/// The hour in which a generation was admitted, counted from 1970.
const HOUR_OF_ROW: &str = "(g.admitted_at / 3600000000)";
/// The same by minutes.
const MINUTE_OF_ROW: &str = "(g.admitted_at / 60000000)";
/// Nobody else writes meanwhile.
const TAKE_ROWS: &str = "";
/// Sees one state of the database however many statements follow.
const BEGIN_REPORT: &str = "BEGIN";
/// A tenant's key versions. Writers come one after the other, so nobody deletes one meanwhile.
const KEEP_TENANT_KEYS: &str = "SELECT version FROM tenant_keys WHERE tenant = $1 ORDER BY version";
/// The same; and so nobody names one.
const TAKE_TENANT_KEYS: &str = KEEP_TENANT_KEYS;
/// A call to SQLite is a trip to another thread and back, which costs more than the parsing of a small
/// statement; so any number of rows shall need few statements. The largest times the widest table
/// stays below the 32,766 values that can be bound.
const ROWS_PER_STATEMENT: [usize; 24] = [
    256, 192, 128, 96, 64, 48, 32, 24, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1,
];
/// Room for each table in each of those sizes.
const STATEMENTS_KEPT: usize = 400;
/// A generation's row is about half of SQLite's usual page, which would hold only one.
const PAGE_BYTES: u32 = 8_192;
/// Memory for pages per connection, in the form SQLite wants: negative kibibytes.
const CACHE_KIB: &str = "-16000";
/// How many pages the log may grow by before it is folded back: fewer folds write each page less
/// often.
const CHECKPOINT_PAGES: &str = "4000";

pub(crate) async fn open(url: &str, options: &OpenOptions) -> Result<Engine, OpenError> {
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(OpenError::InMemory);
    }
    let connect: SqliteConnectOptions = url.parse().map_err(OpenError::Url)?;
    let connect = connect
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .statement_cache_capacity(STATEMENTS_KEPT)
        .busy_timeout(options.statement_timeout)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .page_size(PAGE_BYTES)
        .pragma("cache_size", CACHE_KIB)
        .pragma("temp_store", "memory");
    // Connections keep their prepared statements, so they are kept.
    let pool = SqlitePoolOptions::new()
        .acquire_timeout(options.acquire_timeout)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false);
    let writer = pool
        .clone()
        .max_connections(1)
        .connect_with(connect.clone())
        .await
        .map_err(OpenError::Connect)?;
    // The ledger check sorts and joins whole tables: what of that outgrows a cache goes to files.
    let reading = connect
        .clone()
        .read_only(true)
        .create_if_missing(false)
        .pragma("temp_store", "file");
    let reader = pool
        .max_connections(options.connections_max.clamp(1, 4))
        .connect_lazy_with(reading);
    Ok(Engine::new(reader, writer, connect))
}

/// Brings the schema up to date.
pub(crate) async fn migrate(connect: &SqliteConnectOptions) -> Result<(), OpenError> {
    let mut connection = SqliteConnection::connect_with(connect)
        .await
        .map_err(OpenError::Connect)?;
    let outcome = migrations!("sqlite")
        .run_direct(None, &mut connection, false)
        .await;
    let closed = connection.close().await;
    outcome.map_err(OpenError::Migrate)?;
    closed.map_err(OpenError::Connect)
}

pub(crate) type ConnectOptions = SqliteConnectOptions;

#[expect(
    clippy::unused_async,
    reason = "the other engine has something to wait for"
)]
async fn ensure_partitions(_: &mut Transaction<'static, Db>, _: Timestamp) -> Result<(), Failure> {
    Ok(())
}

#[expect(
    clippy::unused_async,
    reason = "the other engine has something to wait for"
)]
async fn unhurried(_: &mut Transaction<'static, Db>) -> Result<(), Failure> {
    Ok(())
}

impl sqlx::Type<Sqlite> for At {
    fn type_info() -> SqliteTypeInfo {
        <i64 as sqlx::Type<Sqlite>>::type_info()
    }

    fn compatible(ty: &SqliteTypeInfo) -> bool {
        <i64 as sqlx::Type<Sqlite>>::compatible(ty)
    }
}

impl sqlx::Encode<'_, Sqlite> for At {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        sqlx::Encode::<Sqlite>::encode(self.0.micros(), buffer)
    }
}

impl<'r> sqlx::Decode<'r, Sqlite> for At {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        let micros = <i64 as sqlx::Decode<Sqlite>>::decode(value)?;
        Ok(Self(Timestamp::from_micros(micros)))
    }
}

impl sqlx::Type<Sqlite> for Day {
    fn type_info() -> SqliteTypeInfo {
        <i32 as sqlx::Type<Sqlite>>::type_info()
    }

    fn compatible(ty: &SqliteTypeInfo) -> bool {
        <i32 as sqlx::Type<Sqlite>>::compatible(ty)
    }
}

impl<'r> sqlx::Decode<'r, Sqlite> for Day {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        let number = <i32 as sqlx::Decode<Sqlite>>::decode(value)?;
        Ok(Self { number })
    }
}

impl sqlx::Encode<'_, Sqlite> for Day {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        sqlx::Encode::<Sqlite>::encode(self.number, buffer)
    }
}

impl sqlx::Type<Sqlite> for JsonText {
    fn type_info() -> SqliteTypeInfo {
        <String as sqlx::Type<Sqlite>>::type_info()
    }
}

impl sqlx::Encode<'_, Sqlite> for JsonText {
    fn encode(self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        sqlx::Encode::<Sqlite>::encode(self.0, buffer)
    }

    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        sqlx::Encode::<Sqlite>::encode_by_ref(&self.0, buffer)
    }
}
