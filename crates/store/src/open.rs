//! From a database URL to the ports.

use std::{sync::Arc, time::Duration};

use switchyard_billing::store::LedgerStore;

use crate::{
    activity::ActivityStore,
    api_key::ApiKeyStore,
    audit::{AuditLinker, AuditStore},
    directory::Directory,
    idempotency::IdempotencyStore,
    oauth::OAuthStore,
    organization::OrganizationStore,
    own_credential::OwnCredentialStore,
    person::PersonStore,
    postgres,
    proof::ProofStore,
    receipts::ReceiptStore,
    sealed::SealedStore,
    sqlite,
    tenancy::TenancyStore,
};

/// How a database is talked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOptions {
    /// Connections at most. SQLite has one that writes and up to four of these that read.
    pub connections_max: u32,
    /// How long a call may wait for a connection.
    pub acquire_timeout: Duration,
    /// How long one statement may take on PostgreSQL, and wait for a lock on SQLite.
    pub statement_timeout: Duration,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            connections_max: 10,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(2),
        }
    }
}

/// Why there is no open database.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL starts with neither `sqlite:` nor `postgres:`.
    #[error("a database URL starts with `sqlite:` or `postgres:`")]
    Scheme,
    /// The URL cannot be read.
    #[error("the database URL is malformed")]
    Url(#[source] sqlx::Error),
    /// A database in memory has one connection and is lost with it; the books need a file.
    #[error("the database must be a file")]
    InMemory,
    /// The server or the file cannot be reached.
    #[error("the database cannot be reached")]
    Connect(#[source] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the schema cannot be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
}

/// An open database.
#[derive(Clone)]
pub struct Store {
    /// Money.
    pub ledger: Arc<dyn LedgerStore>,
    /// Everything else.
    pub directory: Arc<dyn Directory>,
    /// Receipts and the keys that sign them.
    pub receipts: Arc<dyn ReceiptStore>,
    /// API keys, for those who manage them.
    pub api_keys: Arc<dyn ApiKeyStore>,
    /// Credentials that customers brought.
    pub own_credentials: Arc<dyn OwnCredentialStore>,
    /// Everything sealed, for rotations.
    pub sealed: Arc<dyn SealedStore>,
    /// Changes that may be asked for twice.
    pub idempotency: Arc<dyn IdempotencyStore>,
    /// The audit log, for readers.
    pub audit: Arc<dyn AuditStore>,
    /// Workspaces and people.
    pub tenancy: Arc<dyn TenancyStore>,
    /// Organizations and who belongs to them.
    pub organizations: Arc<dyn OrganizationStore>,
    /// Codes that programs exchange for keys.
    pub oauth: Arc<dyn OAuthStore>,
    /// People who sign in.
    pub people: Arc<dyn PersonStore>,
    /// How they prove to be who they say.
    pub proofs: Arc<dyn ProofStore>,
    /// What the traffic was.
    pub activity: Arc<dyn ActivityStore>,
    schema: Schema,
}

#[derive(Clone)]
enum Schema {
    Postgres(Arc<postgres::Engine>),
    Sqlite(Arc<sqlite::Engine>),
}

/// Opens a database by its URL: `postgres://…`, or `sqlite:` with a path, whose file is made when it
/// is missing. The schema is not touched; see [`Store::migrate`].
pub async fn open(url: &str, options: &OpenOptions) -> Result<Store, OpenError> {
    if url.starts_with("sqlite:") {
        let engine = Arc::new(sqlite::open(url, options).await?);
        let schema = Schema::Sqlite(Arc::clone(&engine));
        return Ok(Store::over(engine, schema));
    }
    if url.starts_with("postgres:") || url.starts_with("postgresql:") {
        let engine = Arc::new(postgres::open(url, options).await?);
        let schema = Schema::Postgres(Arc::clone(&engine));
        return Ok(Store::over(engine, schema));
    }
    Err(OpenError::Scheme)
}

impl Store {
    fn over<E>(engine: Arc<E>, schema: Schema) -> Self
    where
        E: LedgerStore
            + Directory
            + ReceiptStore
            + ApiKeyStore
            + OwnCredentialStore
            + SealedStore
            + IdempotencyStore
            + AuditStore
            + TenancyStore
            + OrganizationStore
            + OAuthStore
            + PersonStore
            + ProofStore
            + ActivityStore,
    {
        Self {
            ledger: engine.clone(),
            directory: engine.clone(),
            receipts: engine.clone(),
            api_keys: engine.clone(),
            own_credentials: engine.clone(),
            sealed: engine.clone(),
            idempotency: engine.clone(),
            audit: engine.clone(),
            tenancy: engine.clone(),
            organizations: engine.clone(),
            oauth: engine.clone(),
            people: engine.clone(),
            proofs: engine.clone(),
            activity: engine,
            schema,
        }
    }

    /// Says what links the audit log's entries; the first one counts. Nothing that leaves an entry
    /// there can be done before.
    pub fn link_audit_with(&self, linker: Arc<dyn AuditLinker>) {
        match &self.schema {
            Schema::Postgres(engine) => engine.link_audit_with(linker),
            Schema::Sqlite(engine) => engine.link_audit_with(linker),
        }
    }

    /// Brings the schema up to date; nothing to do when it is. Newer migrations than this binary
    /// knows are left alone, so that the previous binary can start during a deploy.
    pub async fn migrate(&self) -> Result<(), OpenError> {
        match &self.schema {
            Schema::Postgres(engine) => postgres::migrate(engine.connect_options()).await,
            Schema::Sqlite(engine) => sqlite::migrate(engine.connect_options()).await,
        }
    }
}

/// The migrations of an engine's folder. One list for both, so that neither can miss one.
macro_rules! migrations {
    ($folder:literal) => {
        $crate::open::migrator([
            $crate::open::migrations!(@one $folder, 20261124000001, "accounts_and_keys"),
            $crate::open::migrations!(@one $folder, 20261124000002, "money"),
            $crate::open::migrations!(@one $folder, 20261124000003, "generations"),
            $crate::open::migrations!(@one $folder, 20261124000004, "policies"),
            $crate::open::migrations!(@one $folder, 20261124000005, "receipts"),
            $crate::open::migrations!(@one $folder, 20261124000006, "own_credentials"),
            $crate::open::migrations!(@one $folder, 20261124000007, "sign_in"),
            $crate::open::migrations!(@one $folder, 20261124000008, "activity"),
            $crate::open::migrations!(@one $folder, 20261124000009, "proofs"),
            $crate::open::migrations!(@one $folder, 20261124000010, "key_rotation"),
            $crate::open::migrations!(@one $folder, 20261124000011, "organizations"),
        ])
    };
    (@one $folder:literal, $version:literal, $name:literal) => {
        (
            $version,
            $name,
            include_str!(concat!("../../../migrations/", $folder, "/", $version, "_", $name, ".sql")),
        )
    };
}
pub(crate) use migrations;

pub(crate) fn migrator(
    files: impl IntoIterator<Item = (i64, &'static str, &'static str)>,
) -> sqlx::migrate::Migrator {
    use sqlx::{
        SqlSafeStr,
        migrate::{Migration, MigrationType, Migrator},
    };
    let migrations = files.into_iter().map(|(version, name, sql)| {
        let alone = sql.starts_with("-- no-transaction");
        Migration::new(
            version,
            name.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            alone,
        )
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    // PostgreSQL's lock is taken by the caller, SQLite's is its file's.
    migrator.set_ignore_missing(true).set_locking(false);
    migrator
}
