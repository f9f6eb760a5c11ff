//! A clock that moves when it is told to.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use switchyard_domain::clock::{Clock, Timestamp};

/// 2026-11-24T06:00:00Z.
const START: Timestamp = Timestamp::from_seconds(1_795_500_000);

#[derive(Default)]
pub(crate) struct ManualClock(AtomicU64);

impl ManualClock {
    pub(crate) fn advance(&self, by: Duration) {
        let micros = u64::try_from(by.as_micros()).expect("tests last less than 500,000 years");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        START.plus(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::SeqCst))
    }
}
