//! A private Redis: its own socket and directory, nothing saved, gone with the test.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

pub(crate) struct RedisServer {
    directory: PathBuf,
    process: Option<Child>,
}

impl RedisServer {
    /// A server that accepts connections. Without a `redis-server` to start, the test fails.
    pub(crate) fn start() -> Self {
        let mut server = Self::prepare();
        server.start_again();
        server
    }

    /// The address of a server that is not running yet.
    pub(crate) fn prepare() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "switchyard-redis-{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir(&directory).expect("a directory of its own");
        Self {
            directory,
            process: None,
        }
    }

    /// Starts the server at its address, empty.
    pub(crate) fn start_again(&mut self) {
        self.stop();
        // `setpriv` ends the server with this test even when the test is killed.
        let mut process = Command::new("setpriv")
            .args([
                "--pdeathsig",
                "KILL",
                "redis-server",
                "--port",
                "0",
                "--save",
                "",
            ])
            .args([
                "--appendonly",
                "no",
                "--daemonize",
                "no",
                "--loglevel",
                "notice",
            ])
            .args([Path::new("--dir"), &self.directory])
            .args([Path::new("--unixsocket"), &self.socket()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-server and setpriv are installed");
        let output = BufReader::new(process.stdout.take().expect("its output is piped"));
        let ready = output
            .lines()
            .map_while(Result::ok)
            .any(|line| line.to_lowercase().contains("ready to accept connections"));
        self.process = Some(process);
        assert!(ready, "redis-server ended before it was ready");
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("a child can be killed");
            process.wait().expect("a child can be awaited");
        }
    }

    /// Stops the server from running, without closing anything.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    /// Something else that listens at the server's address.
    pub(crate) fn impostor(&self) -> tokio::net::UnixListener {
        tokio::net::UnixListener::bind(self.socket()).expect("nobody else listens there")
    }

    pub(crate) fn address(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.directory.join("redis.sock")
    }

    fn signal(&self, signal: &str) {
        let id = self
            .process
            .as_ref()
            .expect("the server is running")
            .id()
            .to_string();
        let status = Command::new("kill")
            .args([signal, &id])
            .status()
            .expect("kill is installed");
        assert!(status.success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
        // Left over, an empty directory under /tmp harms nobody.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
