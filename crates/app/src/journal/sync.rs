//! Grouped syncing: a thread of its own syncs whatever was appended, at most once per interval.
//! A thread, because `fdatasync` blocks for milliseconds and must hold up nobody.

use std::{
    fs::File,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

#[derive(Debug)]
pub(super) struct Syncer {
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Files with bytes that are not on the disk; more than one only around a rotation.
    dirty: Vec<Arc<File>>,
    stop: bool,
}

impl Syncer {
    pub(super) fn start(interval: Duration, writable: Arc<AtomicBool>) -> Self {
        let shared = Arc::new(Shared::default());
        let for_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("journal-sync".to_owned())
            .spawn(move || run(&for_thread, interval, &writable))
            .expect("a process that cannot start a thread cannot serve");
        Self {
            shared,
            thread: Some(thread),
        }
    }

    /// Notes that `file` has bytes to sync.
    pub(super) fn dirty(&self, file: &Arc<File>) {
        let mut state = self
            .shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !state.dirty.iter().any(|other| Arc::ptr_eq(other, file)) {
            state.dirty.push(Arc::clone(file));
            self.shared.wake.notify_one();
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stop = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported already.
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared, interval: Duration, writable: &AtomicBool) {
    loop {
        let (dirty, stop) = {
            let state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
            let mut state = shared
                .wake
                .wait_while(state, |state| state.dirty.is_empty() && !state.stop)
                .unwrap_or_else(PoisonError::into_inner);
            (std::mem::take(&mut state.dirty), state.stop)
        };
        for file in dirty {
            if let Err(error) = file.sync_data() {
                // After a failed sync the kernel may drop the pages: nothing more can be promised.
                tracing::error!(error = %error, "the journal cannot be synced; admitting nothing");
                writable.store(false, Ordering::Release);
            }
        }
        if stop {
            return;
        }
        let state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = shared
            .wake
            .wait_timeout_while(state, interval, |state| !state.stop);
    }
}
