//! One running `switchyard serve`.

use std::{
    fs::{self, OpenOptions},
    path::PathBuf,
    process::ExitStatus,
    time::Duration,
};

use http::StatusCode;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use super::{Deployment, secrets::Secrets};
use crate::{http_client::HttpClient, port::Port, wait};

/// A debug build on a busy machine may take its time.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// Longer than any grace that tests configure.
const EXIT_PATIENCE: Duration = Duration::from_secs(60);

/// What a process can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Stop in good order.
    Terminate,
    /// Read the catalogue again.
    HangUp,
    /// Die at once.
    Kill,
    /// Die as of a fault in memory.
    Segfault,
    /// Die as of a broken promise.
    Abort,
}

impl Signal {
    const fn name(self) -> &'static str {
        match self {
            Self::Terminate => "TERM",
            Self::HangUp => "HUP",
            Self::Kill => "KILL",
            Self::Segfault => "SEGV",
            Self::Abort => "ABRT",
        }
    }
}

/// A running node. Dropping it kills the process, and checks that its log is one JSON object a line
/// without any of the deployment's secrets.
#[derive(Debug)]
pub struct Node {
    /// A client of the public API.
    pub api: HttpClient,
    /// A client of the operators' listener.
    pub admin: HttpClient,
    number: u32,
    listen: Port,
    admin_listen: Port,
    log: PathBuf,
    secrets: Secrets,
    child: Child,
}

/// Sends a process of ours a signal.
///
/// # Panics
/// When it is gone already.
pub async fn send(signal: Signal, pid: u32) {
    let sent = Command::new("sh")
        .args([
            "-c",
            "kill -s \"$1\" \"$2\"",
            "sh",
            signal.name(),
            &pid.to_string(),
        ])
        .status()
        .await
        .expect("a shell starts");
    assert!(sent.success(), "the process runs");
}

impl Node {
    pub(super) async fn start(deployment: &Deployment, number: u32) -> Self {
        let (listen, admin_listen) = (Port::reserve(), Port::reserve());
        let log = deployment.path().join(format!("node-{number}.log"));
        let mut node = Self {
            api: HttpClient::new(&listen.address()),
            admin: HttpClient::new(&admin_listen.address()),
            child: spawn(deployment, number, &listen, &admin_listen, &log),
            number,
            listen,
            admin_listen,
            log,
            secrets: deployment.secrets.clone(),
        };
        node.become_ready().await;
        node
    }

    /// Starts the node again, with its data and at its addresses.
    ///
    /// # Panics
    /// When it still runs, or does not become ready.
    pub async fn restart(&mut self, deployment: &Deployment) {
        let ended = self
            .child
            .try_wait()
            .expect("the process is ours to wait for");
        assert!(ended.is_some(), "the node still runs");
        self.child = spawn(
            deployment,
            self.number,
            &self.listen,
            &self.admin_listen,
            &self.log,
        );
        self.become_ready().await;
    }

    async fn become_ready(&mut self) {
        let admin = self.admin.clone();
        let ready = wait::until("readiness", START_PATIENCE, || {
            let ended = self
                .child
                .try_wait()
                .expect("the process is ours to wait for");
            let call = admin.get("/readyz");
            async move {
                if let Some(status) = ended {
                    return Some(Err(status));
                }
                let reply = call.try_send().await.ok()?;
                (reply.status == StatusCode::OK).then_some(Ok(()))
            }
        });
        if let Err(status) = ready.await {
            panic!(
                "the node ended before it was ready: {status}\n{}",
                self.logs()
            );
        }
    }

    /// Sends the process a signal.
    ///
    /// # Panics
    /// When it is gone already.
    pub async fn signal(&self, signal: Signal) {
        send(signal, self.pid()).await;
    }

    /// The process's number.
    ///
    /// # Panics
    /// When it is gone already.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the process runs")
    }

    /// Waits until the process ends by itself.
    ///
    /// # Panics
    /// When it does not.
    pub async fn exit(&mut self) -> ExitStatus {
        timeout(EXIT_PATIENCE, self.child.wait())
            .await
            .unwrap_or_else(|_| panic!("the node does not end\n{}", self.logs()))
            .expect("the process is ours to wait for")
    }

    /// Kills the process and waits until it is gone.
    pub async fn kill(&mut self) {
        self.signal(Signal::Kill).await;
        self.exit().await;
    }

    /// Stops the process in good order.
    ///
    /// # Panics
    /// When it does not end well.
    pub async fn stop(&mut self) {
        self.signal(Signal::Terminate).await;
        let status = self.exit().await;
        assert!(status.success(), "{status}\n{}", self.logs());
    }

    /// Everything it logged.
    ///
    /// # Panics
    /// When the log is gone.
    pub fn logs(&self) -> String {
        let bytes = fs::read(&self.log).expect("the log is there");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = self.logs();
            let last = logs.lines().rev().take(40).collect::<Vec<_>>();
            for line in last.into_iter().rev() {
                eprintln!("node {}: {line}", self.number);
            }
            return;
        }
        // What is written after this is nobody's; a line half written would not be its fault.
        let _ = self.child.start_kill();
        let logs = self.logs();
        let whole = logs.rfind('\n').map_or("", |end| &logs[..end]);
        self.secrets.check_log(whole);
    }
}

fn spawn(
    deployment: &Deployment,
    number: u32,
    listen: &Port,
    admin_listen: &Port,
    log: &PathBuf,
) -> Child {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .expect("a log can be made");
    let errors = log.try_clone().expect("the log can be shared");
    deployment
        .command(&["serve"])
        .env(
            "SWITCHYARD__DATA_DIR",
            deployment.path().join(format!("node-{number}")),
        )
        .env("SWITCHYARD__SERVER__LISTEN", listen.address())
        .env("SWITCHYARD__ADMIN__LISTEN", admin_listen.address())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .expect("the binary starts")
}
