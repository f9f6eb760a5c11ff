//! The real binary as operators run it: a deployment with its database, its commands, its nodes.

mod node;
mod secrets;

pub use node::{Node, Signal, send};

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use self::secrets::Secrets;
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
};

use crate::{PostgresServer, RedisServer, catalog::TestCatalog, folder::Folder};

/// What a deployment stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Configuration {
    /// One process with nothing beside it.
    Embedded,
    /// Processes that share PostgreSQL and Redis.
    PostgresRedis,
}

/// An installation: binary, settings, database, and a folder for all it writes.
#[derive(Debug)]
pub struct Deployment {
    binary: PathBuf,
    environment: Vec<(String, String)>,
    nodes: u32,
    postgres: Option<String>,
    redis: Option<RedisServer>,
    secrets: Secrets,
    // Removed last.
    folder: Folder,
}

impl Deployment {
    /// Prepares an installation of `binary` that serves `catalog`.
    ///
    /// # Panics
    /// When its folder cannot be written, or a server it stands on does not start.
    pub fn new(binary: &Path, configuration: Configuration, catalog: &TestCatalog) -> Self {
        let mut deployment = Self {
            binary: binary.to_owned(),
            environment: Vec::new(),
            nodes: 0,
            postgres: None,
            redis: None,
            secrets: Secrets::default(),
            folder: Folder::fresh(),
        };
        deployment.write_catalog(catalog);
        deployment.set(
            "catalog.dir",
            &deployment.catalog_folder().display().to_string(),
        );
        let keyring = deployment.keyring();
        deployment.set("vault.keyring", &keyring.display().to_string());
        deployment.set("egress.operator_private_cidrs", "127.0.0.0/8");
        match configuration {
            Configuration::Embedded => {}
            Configuration::PostgresRedis => {
                let redis = RedisServer::start();
                deployment.set("redis.url", &redis.url());
                deployment.redis = Some(redis);
                let database = PostgresServer::shared().fresh_database();
                deployment.set("database.url", &database);
                deployment.postgres = Some(database);
            }
        }
        deployment
    }

    /// Changes a setting for every command and node from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        let variable = format!("SWITCHYARD__{}", name.to_uppercase().replace('.', "__"));
        self.set_variable(&variable, value);
    }

    /// Sets a variable of the environment.
    pub fn set_variable(&mut self, variable: &str, value: &str) {
        self.environment.retain(|(known, _)| known != variable);
        self.environment
            .push((variable.to_owned(), value.to_owned()));
    }

    /// Says that a text is a secret, as everything is that commands read from their standard input and
    /// every key that they make: no node may log it.
    pub fn guard(&self, secret: &str) {
        self.secrets.note(secret);
    }

    /// The folder of everything it writes: data, journal, keys, logs.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Its keyring.
    pub fn keyring(&self) -> PathBuf {
        self.path().join("keys/keyring.json")
    }

    /// The database that its first node and its commands use.
    pub fn database_url(&self) -> String {
        self.postgres
            .clone()
            .unwrap_or_else(|| format!("sqlite:{}", self.embedded_database().display()))
    }

    fn embedded_database(&self) -> PathBuf {
        self.path().join("node-1/db/switchyard.sqlite")
    }

    /// Every file it has written, the catalogue excepted.
    pub fn files(&self) -> Vec<PathBuf> {
        let catalog = self.catalog_folder();
        self.folder
            .files()
            .into_iter()
            .filter(|file| !file.starts_with(&catalog))
            .collect()
    }

    /// Where its catalogue is read from.
    pub fn catalog_folder(&self) -> PathBuf {
        self.path().join("catalog")
    }

    /// Replaces the catalogue's files. Nodes that run read them when told to.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn write_catalog(&self, catalog: &TestCatalog) {
        catalog
            .write(&self.catalog_folder())
            .expect("the deployment's folder is writable");
    }

    /// A command line with this deployment's settings and nothing else from outside.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .env_clear()
            .env("SWITCHYARD__DATA_DIR", self.path().join("node-1"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Starts a command and leaves it to itself, with its standard input open.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_command(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.binary.display()))
    }

    /// Runs a command with `input` on its standard input, and hands back what it printed.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn output(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.binary.display()));
        let mut stdin = child.stdin.take().expect("the pipe was asked for");
        // A command that reads nothing may be gone before it is written to.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        child.wait_with_output().await.expect("the command ends")
    }

    /// Runs a command and reads the JSON that it prints.
    ///
    /// # Panics
    /// When it fails, or prints something else.
    pub async fn run(&self, arguments: &[&str]) -> Value {
        self.run_with_input(arguments, "").await
    }

    /// As [`Deployment::run`], with something on standard input.
    ///
    /// # Panics
    /// When it fails, or prints something else.
    pub async fn run_with_input(&self, arguments: &[&str], input: &str) -> Value {
        self.guard(input);
        let output = self.output(&[&["--json"], arguments].concat(), input).await;
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{arguments:?}: {}\n{said}\n{complained}",
            output.status
        );
        let printed: Value =
            serde_json::from_str(&said).unwrap_or_else(|_| panic!("{arguments:?} printed: {said}"));
        if let Some(key) = printed["key"].as_str() {
            self.guard(key);
        }
        printed
    }

    /// Starts another node and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn start_node(&mut self) -> Node {
        self.nodes += 1;
        Node::start(self, self.nodes).await
    }

    /// The Redis server it stands on, if any.
    pub fn redis(&self) -> Option<&RedisServer> {
        self.redis.as_ref()
    }

    /// Changes the database behind the back of whoever runs on it: all of the statements, or none.
    ///
    /// # Panics
    /// When it refuses.
    pub async fn tamper(&self, statements: &str) {
        match &self.postgres {
            Some(url) => {
                sql(url, statements).await;
            }
            None => tamper_with_file(&self.embedded_database(), statements).await,
        }
    }

    /// Stops the Redis server under the nodes that use it, and hands back its port.
    ///
    /// # Panics
    /// When there is none.
    pub fn stop_redis(&mut self) -> u16 {
        let redis = self.redis.take().expect("a Redis server runs");
        redis.port()
    }

    /// Starts a Redis server where one was stopped. It has forgotten everything.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_redis_on(&mut self, port: u16) {
        self.redis = Some(RedisServer::start_on(port));
    }

    /// Every byte of every row in the shared database; nothing where there is none, as the embedded one
    /// is among [`Deployment::files`].
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn database_bytes(&self) -> Vec<u8> {
        let Some(url) = &self.postgres else {
            return Vec::new();
        };
        let ask = async |statement: &str| sql(url, statement).await;
        let tables = ask("SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace").await;
        let tables = String::from_utf8(tables).expect("table names are text");
        let mut bytes = Vec::new();
        for table in tables.lines() {
            bytes.extend(ask(&format!("COPY {table} TO STDOUT (FORMAT binary)")).await);
        }
        assert!(!bytes.is_empty(), "the database has tables");
        bytes
    }
}

async fn sql(url: &str, statement: &str) -> Vec<u8> {
    let output = Command::new("psql")
        .args([
            "-X",
            "-A",
            "-t",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            url,
            "-c",
            statement,
        ])
        .output()
        .await
        .expect("psql is installed with the server");
    assert!(output.status.success(), "{statement}: {output:?}");
    output.stdout
}

/// A program for `python3`, whose own SQLite writes what a node's would refuse. The node writes too, so
/// it waits for its turn.
const TAMPER: &str = r#"
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
database.executescript("BEGIN IMMEDIATE;" + sys.argv[2] + ";COMMIT;")
database.close()
"#;

async fn tamper_with_file(file: &Path, statements: &str) {
    assert!(file.exists(), "{} is the database", file.display());
    let output = Command::new("python3")
        .args(["-I", "-c", TAMPER])
        .arg(file)
        .arg(statements)
        .output()
        .await
        .expect("python3 is installed");
    assert!(output.status.success(), "{statements}: {output:?}");
}
