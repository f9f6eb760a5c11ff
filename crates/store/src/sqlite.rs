//! SQLite: one connection that writes, a few that read, and the forms in which it holds what engines
//! hold differently.

use sqlx::{
    Connection, QueryBuilder, Sqlite, SqliteConnection, Transaction,
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
/// Sees one state of the database however many statements follow.
const BEGIN_REPORT: &str = "BEGIN";
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
        .busy_timeout(options.statement_timeout)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
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
    let reader = pool
        .max_connections(options.connections_max.clamp(1, 4))
        .connect_lazy_with(connect.clone().read_only(true).create_if_missing(false));
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

/// Statements that need no answer, run one after the other. Every call to SQLite is a trip to another
/// thread and back, which costs more than most statements; so these make the trip together.
pub(crate) struct Script(QueryBuilder<Db>);

impl Script {
    fn new() -> Self {
        Self(QueryBuilder::new(""))
    }

    fn begin(&mut self, head: &'static str) -> &mut QueryBuilder<Db> {
        if !self.0.sql().as_str().is_empty() {
            self.0.push(";\n");
        }
        self.0.push(head)
    }

    async fn run(mut self, connection: &mut SqliteConnection) -> Result<(), Failure> {
        if self.0.sql().as_str().is_empty() {
            return Ok(());
        }
        // Hardly any two scripts are the same: preparing one is cheap, keeping all of them is not.
        self.0.build().persistent(false).execute(connection).await?;
        Ok(())
    }
}

/// Statements are not kept, so they may have any size.
fn rows_per_statement(left: usize) -> usize {
    left.min(queries::ROWS_MAX)
}

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
