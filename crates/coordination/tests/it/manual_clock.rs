//! A clock that moves when told to.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use switchyard_domain::clock::{Clock, Timestamp};

#[derive(Default)]
pub(crate) struct ManualClock {
    elapsed_micros: AtomicU64,
}

impl ManualClock {
    pub(crate) fn advance(&self, by: Duration) {
        let micros = u64::try_from(by.as_micros()).expect("tests last less than 500,000 years");
        self.elapsed_micros.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000).plus(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.elapsed_micros.load(Ordering::SeqCst))
    }
}
