//! The effective configuration: compiled-in defaults, then a file, then the environment. All
//! faults are found before anything starts and reported together.

mod key_guard;
mod layers;
mod people;
mod values;

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use axum::http::HeaderName;
use switchyard_telemetry::logs::LogFormat;
use switchyard_upstream::{
    egress::{Cidr, EgressPolicy},
    limits::Timeouts,
};

pub(crate) use key_guard::KeyGuard;
pub(crate) use layers::Layers;
pub(crate) use people::{Accounts, MailServer};
use values::Reader;

/// Everything that can be set, parsed.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) data_dir: PathBuf,
    pub(crate) server: Server,
    pub(crate) admin_listen: SocketAddr,
    /// `None`: the embedded database.
    pub(crate) database_url: Option<String>,
    pub(crate) migrate_on_start: bool,
    pub(crate) redis_url: Option<String>,
    pub(crate) catalog_dir: PathBuf,
    pub(crate) keyring: PathBuf,
    pub(crate) key_guard: KeyGuard,
    /// Rows a second that a rotation of keys changes; `None` is as many as it can.
    pub(crate) rotation_rate: Option<NonZeroU32>,
    pub(crate) journal_dir: PathBuf,
    pub(crate) fsync_interval: Duration,
    pub(crate) upstream: Timeouts,
    pub(crate) egress: EgressPolicy,
    pub(crate) sticky_ttl: Duration,
    pub(crate) signed_receipts: bool,
    /// Whether programs may ask for keys without proving who they are by a digest.
    pub(crate) allows_plain_challenges: bool,
    pub(crate) accounts: Accounts,
    /// `None`: no mail is sent.
    pub(crate) mail: Option<MailServer>,
    pub(crate) log_level: String,
    pub(crate) log_format: LogFormat,
    /// Whether this is the demo; no setting says so.
    pub(crate) is_demo: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) listen: SocketAddr,
    pub(crate) drain_grace: Duration,
    pub(crate) drain_delay: Duration,
    pub(crate) worker_threads: usize,
    /// `None`: nobody is trusted to say where callers are.
    pub(crate) country_header: Option<HeaderName>,
    pub(crate) public_url: Option<String>,
}

/// What is wrong with the configuration; all of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .faults.join("\n"))]
pub(crate) struct ConfigFaults {
    pub(crate) faults: Vec<String>,
}

impl Config {
    /// Parses the layers. Fails with every fault there is.
    pub(crate) fn from_layers(layers: &Layers) -> Result<Self, ConfigFaults> {
        let mut reader = Reader::new(layers);
        let data_dir: PathBuf = reader.path("data_dir");
        let below =
            |path: Option<PathBuf>, default: &str| path.unwrap_or_else(|| data_dir.join(default));
        let config = Self {
            server: Server {
                listen: reader.parsed("server.listen", "an address such as 127.0.0.1:8080"),
                drain_grace: reader.duration("server.drain_grace"),
                drain_delay: reader.duration("server.drain_delay"),
                worker_threads: reader.parsed("server.worker_threads", "a number of threads"),
                country_header: reader.header("server.country_header"),
                public_url: Some(reader.text("server.public_url")).filter(|url| !url.is_empty()),
            },
            admin_listen: reader.parsed("admin.listen", "an address such as 127.0.0.1:9090"),
            database_url: reader.database_url("database.url"),
            migrate_on_start: reader.parsed("database.migrate_on_start", "true or false"),
            redis_url: reader.redis_url("redis.url"),
            catalog_dir: reader.path("catalog.dir"),
            keyring: below(reader.optional_path("vault.keyring"), "keys/keyring.json"),
            key_guard: KeyGuard::read(&mut reader),
            rotation_rate: NonZeroU32::new(
                reader.parsed("vault.rotation_rate", "a number of rows a second"),
            ),
            journal_dir: below(reader.optional_path("journal.dir"), "journal"),
            fsync_interval: reader.duration("journal.fsync_interval"),
            upstream: Timeouts {
                connect: reader.positive_duration("upstream.connect_timeout"),
                first_byte: reader.positive_duration("upstream.first_byte_timeout"),
                idle: reader.positive_duration("upstream.idle_timeout"),
                total: reader.positive_duration("upstream.total_timeout"),
            },
            egress: EgressPolicy {
                private_cidrs: reader.list::<Cidr>("egress.operator_private_cidrs"),
            },
            sticky_ttl: reader.positive_duration("routing.sticky_ttl"),
            signed_receipts: reader.parsed("privacy.signed_receipts", "true or false"),
            allows_plain_challenges: reader.parsed("oauth.allow_plain", "true or false"),
            accounts: Accounts::read(&mut reader),
            mail: MailServer::read(&mut reader),
            log_level: reader.text("log.level"),
            log_format: reader.choice(
                "log.format",
                &[("json", LogFormat::Json), ("text", LogFormat::Text)],
            ),
            is_demo: false,
            data_dir,
        };
        reader.finish(config)
    }

    /// The database to use.
    pub(crate) fn database_url(&self) -> String {
        match &self.database_url {
            Some(url) => url.clone(),
            None => format!(
                "sqlite:{}",
                self.data_dir.join("db/switchyard.sqlite").display()
            ),
        }
    }
}

#[cfg(test)]
mod tests;
