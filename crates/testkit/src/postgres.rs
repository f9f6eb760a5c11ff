//! A PostgreSQL server of the tests' own: in a folder of its own, reachable through its socket only,
//! gone when the test process is.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// A running server. One serves all tests of a process.
#[derive(Debug)]
pub struct PostgresServer {
    folder: String,
    databases: AtomicU32,
    // The server's keeper waits for this pipe to close, and the operating system closes it.
    _lifeline: ChildStdin,
    _keeper: Child,
}

impl PostgresServer {
    /// The server of this process, started by the first caller; the others wait for it.
    ///
    /// # Panics
    /// When no server can be started: tests that need one fail, they never skip.
    pub fn shared() -> &'static Self {
        static SERVER: OnceLock<PostgresServer> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let script = include_str!("postgres.sh");
        let mut keeper = Command::new("sh")
            .args(["-c", script, "sh", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("a shell starts");
        let lifeline = keeper.stdin.take().expect("the pipe was asked for");
        let output = keeper.stdout.take().expect("the pipe was asked for");
        let mut folder = String::new();
        BufReader::new(output)
            .read_line(&mut folder)
            .expect("the keeper speaks UTF-8");
        let folder = folder.trim().to_owned();
        assert!(
            !folder.is_empty(),
            "PostgreSQL did not start; its messages are above"
        );
        Self {
            folder,
            databases: AtomicU32::new(0),
            _lifeline: lifeline,
            _keeper: keeper,
        }
    }

    /// Makes an empty database and returns its URL.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn fresh_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let made = Command::new("psql")
            .args([
                "-X",
                "-q",
                "-h",
                &self.folder,
                "-U",
                "postgres",
                "-d",
                "postgres",
            ])
            .args([
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                &format!("CREATE DATABASE {name}"),
            ])
            .status()
            .expect("psql is installed with the server");
        assert!(made.success(), "{name} could not be made");
        format!("postgres://postgres@localhost/{name}?host={}", self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_separate_and_answer() {
        let server = PostgresServer::shared();
        let (first, second) = (server.fresh_database(), server.fresh_database());
        assert_ne!(first, second);
        for (url, table_exists) in [(&first, false), (&first, true), (&second, false)] {
            let made = Command::new("psql")
                .args([
                    "-X",
                    "-q",
                    url,
                    "-v",
                    "ON_ERROR_STOP=1",
                    "-c",
                    "CREATE TABLE t (x int)",
                ])
                .stderr(Stdio::null())
                .status()
                .expect("psql runs");
            assert_eq!(made.success(), !table_exists, "{url}");
        }
    }
}
