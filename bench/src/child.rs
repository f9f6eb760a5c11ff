//! Processes on a core of their own, killed when the benchmark ends, however it ends.

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::Path,
    process::{Command as BlockingCommand, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

const READY_TIMEOUT: Duration = Duration::from_secs(10);
const LISTENING: &str = "listening on ";

/// A running child. Dropping it kills the process it started, and no other.
pub(crate) struct Pinned {
    child: Child,
    pid: u32,
}

impl Pinned {
    /// Takes over a child that was spawned under [`on_core`].
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        let child = command.kill_on_drop(true).spawn()?;
        // `taskset` becomes the program it starts, so this is the program's id.
        let pid = child
            .id()
            .ok_or_else(|| io::Error::other("the child ended at once"))?;
        Ok(Self { child, pid })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        Some(status.to_string())
    }

    pub(crate) async fn kill(mut self) -> io::Result<()> {
        self.child.kill().await
    }
}

/// A command confined to one core.
pub(crate) fn on_core(core: usize, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.arg("-c").arg(core.to_string()).arg(program);
    command
}

/// Confines this process and every thread it starts later.
pub(crate) fn pin_this_process_to_core(core: usize) -> io::Result<()> {
    let status = BlockingCommand::new("taskset")
        .args(["-acp", &core.to_string(), &std::process::id().to_string()])
        .stdout(Stdio::null())
        .status()?;
    if status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "taskset could not confine the benchmark to core {core}"
    )))
}

/// Starts one of this program's own roles and waits for its address.
pub(crate) async fn start_role(
    core: usize,
    arguments: &[&str],
) -> io::Result<(Pinned, SocketAddr)> {
    let program = std::env::current_exe()?;
    let mut child = Pinned::spawn(
        on_core(core, &program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped()),
    )?;
    let stdout = child.child.stdout.take();
    let stdout = stdout.ok_or_else(|| io::Error::other("the child has no standard output"))?;
    let mut lines = BufReader::new(stdout).lines();
    let line = timeout(READY_TIMEOUT, lines.next_line())
        .await
        .map_err(|_| io::Error::other("the child did not start in time"))??;
    let address = line
        .as_deref()
        .and_then(|line| line.strip_prefix(LISTENING)?.parse().ok());
    let address =
        address.ok_or_else(|| io::Error::other("the child did not say where it listens"))?;
    Ok((child, address))
}

/// What a role prints once it listens.
pub(crate) fn announce(address: SocketAddr) -> io::Result<()> {
    let mut stdout = io::stdout();
    writeln!(stdout, "{LISTENING}{address}")?;
    stdout.flush()
}
