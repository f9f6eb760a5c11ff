//! A crash writes no memory to the disk.

use std::{
    fs, os::unix::process::ExitStatusExt as _, path::Path, process::ExitStatus, time::Duration,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::world::*;

const SEGFAULT: i32 = 11;
const ABORT: i32 = 6;
const SOON: Duration = Duration::from_secs(20);

/// Lets whatever this process starts dump its memory, as far as the system allows.
fn allow_core_dumps() {
    let limit = getrlimit(Resource::Core);
    setrlimit(
        Resource::Core,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    )
    .expect("up to its maximum a limit can be raised");
}

/// The limit on core dumps that a process goes by.
fn core_limit(pid: u32) -> Vec<String> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("it runs");
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .expect("the limit is listed");
    let words = line.split_whitespace().skip(4).take(2);
    words.map(str::to_owned).collect()
}

fn is_core_file(path: &Path) -> bool {
    let name = path.file_name().expect("a file").to_string_lossy();
    name == "core" || name.starts_with("core.") || name.ends_with(".core")
}

/// Makes a process crash, and tells how it ended.
async fn crash(signal: Signal, pid: u32, exit: impl Future<Output = ExitStatus>) -> ExitStatus {
    if signal == Signal::Segfault {
        // The first is looked at by the language's own handler, which steps aside and lets a real
        // fault happen again.
        send(signal, pid).await;
        wait::until("the handler to step aside", SOON, || async {
            (!catches_segfaults(pid)).then_some(())
        })
        .await;
    }
    send(signal, pid).await;
    exit.await
}

/// Whether a process has a handler for it.
fn catches_segfaults(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = u64::from_str_radix(mask.expect("it is listed").trim(), 16).expect("a mask");
    mask & (1 << (SEGFAULT - 1)) != 0
}

fn no_core_file(deployment: &Deployment) {
    let files = deployment.files();
    assert!(!files.iter().any(|file| is_core_file(file)), "{files:?}");
}

story!(t10_a_crash_of_a_node_leaves_no_core_file, configuration => {
    allow_core_dumps();
    let mut world = start(configuration, Setup::default()).await;
    for (signal, number) in [(Signal::Segfault, SEGFAULT), (Signal::Abort, ABORT)] {
        // It holds an open credential.
        world.ask(&question(OAK)).await.ok();
        assert_eq!(core_limit(world.node.pid()), ["0", "0"]);
        let pid = world.node.pid();
        let status = crash(signal, pid, world.node.exit()).await;
        assert_eq!(status.signal(), Some(number));
        assert!(!status.core_dumped());
        no_core_file(&world.deployment);
        world.node.restart(&world.deployment).await;
    }
});

/// It waits for a secret on its standard input, before it has read any file.
#[tokio::test]
async fn t10_a_crash_of_a_command_leaves_no_core_file() {
    allow_core_dumps();
    let world = start(Configuration::Embedded, Setup::default()).await;
    let mut command = world
        .deployment
        .start_command(&["provider-key", "set", "alder"]);
    let pid = command.id().expect("it runs");
    wait::until("the command to forbid core dumps", SOON, || async {
        (core_limit(pid) == ["0", "0"]).then_some(())
    })
    .await;
    let exit = async { command.wait().await.expect("it is ours to wait for") };
    let status = crash(Signal::Segfault, pid, exit).await;
    assert_eq!(status.signal(), Some(SEGFAULT));
    assert!(!status.core_dumped());
    no_core_file(&world.deployment);
}
