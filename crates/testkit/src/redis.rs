//! A Redis server of the tests' own, on a free port of the loopback interface, gone when it is dropped
//! or when the test process is.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
};

/// Somebody else may take a free port before the server does.
const TRIES_MAX: usize = 10;

/// A running server.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    // The server's keeper waits for this pipe to close.
    lifeline: Option<ChildStdin>,
    keeper: Child,
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    ///
    /// # Panics
    /// When none can be started: tests that need one fail, they never skip.
    pub fn start() -> Self {
        let started = (0..TRIES_MAX).find_map(|_| {
            let free = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
            let port = free
                .local_addr()
                .expect("a bound socket has an address")
                .port();
            drop(free);
            Self::try_start(port)
        });
        started.expect("Redis did not start; its messages are above")
    }

    /// Starts a server on the port of one that was stopped, as after a restart.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_on(port: u16) -> Self {
        Self::try_start(port).expect("Redis did not start; its messages are above")
    }

    fn try_start(port: u16) -> Option<Self> {
        let mut keeper = Command::new("sh")
            .args(["-c", include_str!("redis.sh"), "sh", "-", &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("a shell starts");
        let lifeline = keeper.stdin.take();
        let output = keeper.stdout.take().expect("the pipe was asked for");
        let server = Self {
            port,
            lifeline,
            keeper,
        };
        wait_until_ready(output).then_some(server)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for RedisServer {
    /// Stops the server and waits until it is gone.
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // Nothing is left to be done about a keeper that cannot be waited for.
        let _ = self.keeper.wait();
    }
}

/// Reads the server's log up to the line that says it serves; `false` when the log ends before. What
/// follows is read away, so that the server never waits for a reader.
fn wait_until_ready(output: ChildStdout) -> bool {
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let ready = lines.any(|line| line.contains("Ready to accept connections"));
    if ready {
        thread::spawn(move || lines.for_each(drop));
    }
    ready
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };

    use super::*;

    fn ping(port: u16) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.write_all(b"PING\r\n")?;
        let mut answer = [0; 7];
        stream.read_exact(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    #[test]
    fn a_server_answers_until_it_is_dropped_and_can_come_back() {
        let server = RedisServer::start();
        let port = server.port();
        assert_eq!(ping(port).expect("it serves"), "+PONG\r\n");
        drop(server);
        assert!(ping(port).is_err(), "it is gone");
        let again = RedisServer::start_on(port);
        assert_eq!(ping(port).expect("it serves again"), "+PONG\r\n");
        drop(again);
    }
}
