//! The real clock, the real randomness, and what the process asks of the operating system.

#![expect(
    clippy::disallowed_methods,
    reason = "the one place where the program touches real time, randomness and environment"
)]

use std::time::{Duration, Instant, SystemTime};

use rand::Rng as _;
use switchyard_app::random::RandomSource;
use switchyard_domain::clock::{Clock, Timestamp};

/// The operating system's clocks.
#[derive(Debug)]
pub(crate) struct SystemClock {
    started: Instant,
}

impl SystemClock {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let micros = since_epoch.map_or(0, |elapsed| elapsed.as_micros());
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// The thread's generator, seeded by the operating system.
#[derive(Debug)]
pub(crate) struct SystemRandom;

impl RandomSource for SystemRandom {
    fn u64(&self) -> u64 {
        rand::rng().next_u64()
    }
}

/// Unix seconds, for what is made before there is a clock to pass on.
pub(crate) fn now_seconds() -> i64 {
    SystemClock::new().now().seconds()
}

/// The process' environment, as far as it is text.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Lets no crash write memory, and with it plain credentials, to the disk.
pub(crate) fn forbid_core_dumps() -> std::io::Result<()> {
    rlimit::no_core_dumps()
}

/// Allows as many open files, and so connections, as the system permits.
pub(crate) fn raise_file_limit() -> std::io::Result<u64> {
    rlimit::raise_files()
}

mod rlimit {
    use std::io;

    use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, setrlimit};

    pub(super) fn no_core_dumps() -> io::Result<()> {
        setrlimit(
            Resource::Core,
            Rlimit {
                current: Some(0),
                maximum: Some(0),
            },
        )?;
        rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        Ok(())
    }

    pub(super) fn raise_files() -> io::Result<u64> {
        let limit = getrlimit(Resource::Nofile);
        setrlimit(
            Resource::Nofile,
            Rlimit {
                current: limit.maximum,
                ..limit
            },
        )?;
        Ok(limit.maximum.unwrap_or(u64::MAX))
    }
}
