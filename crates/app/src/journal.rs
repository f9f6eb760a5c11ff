//! The node's journal: every settlement is written here before its caller sees the end of the
//! answer, and leaves once SQL has it.
//!
//! What was written is with the operating system, so `kill -9` loses nothing of it. Settlements that
//! end together share one `write`: each is staged, and the first of them to go on writes for all.
//! Syncing to the disk is grouped behind it (`fsync_interval` is the window that a power loss may
//! cost). Records carry a length and a CRC-32, segments are files in order; a torn last record is
//! what a crash leaves and is cut off at start-up, anything else that does not check out stops the
//! node.

mod record;
mod segment;
mod sync;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use switchyard_billing::settlement::Settlement;

use crate::journal::{segment::Segment, sync::Syncer};

/// A segment is closed once it holds this much.
const SEGMENT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Room for staged records that is kept when there are none.
const PENDING_BYTES_KEPT: usize = 256 * 1024;

/// Why the journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The directory or a file in it cannot be read or written.
    #[error("cannot use the journal at {path}")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A record in the middle of the journal does not check out: not a crash, but damage.
    #[error(
        "the journal segment {path} is damaged at byte {offset}; it holds charges that may not \
         have been posted. Move it aside to start without them, and keep it for recovery"
    )]
    Damaged { path: PathBuf, offset: u64 },
    /// Another process appends to this journal.
    #[error("the journal at {path} is in use by another process")]
    InUse { path: PathBuf },
}

impl JournalError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

/// Says which segment a settlement lies in, so that the segment can go when all of it is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    segment: u64,
}

/// The open journal.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    state: Mutex<State>,
    syncer: Syncer,
    writable: Arc<AtomicBool>,
    /// Held for as long as the journal is open; the lock goes with the process, however it ends.
    _lock: fs::File,
}

#[derive(Debug)]
struct State {
    current: Segment,
    /// Closed segments that still hold settlements SQL does not have.
    closed: Vec<Segment>,
    /// Records that are staged and not in the current segment's file yet.
    pending: Vec<u8>,
    /// How many settlements were ever staged.
    staged: u64,
    /// How many of them are in their files.
    written: u64,
}

/// A settlement that stands in line for its segment's file; [`Journal::write`] puts it there.
#[derive(Debug, Clone, Copy)]
#[must_use = "what is only staged is lost with the process"]
pub struct Staged {
    /// Where it will lie.
    pub position: Position,
    /// Its place among all that were staged, from 1.
    number: u64,
}

impl Journal {
    /// Opens the journal in `dir` and returns what an earlier process left in it, oldest first.
    pub fn open(
        dir: &Path,
        fsync_interval: Duration,
    ) -> Result<(Self, Vec<(Position, Settlement)>), JournalError> {
        fs::create_dir_all(dir).map_err(JournalError::io(dir))?;
        let lock = lock(dir)?;
        let mut left = Vec::new();
        let mut closed = Vec::new();
        let numbers = segment::list(dir)?;
        let next = numbers.last().map_or(1, |last| last + 1);
        for (index, number) in numbers.iter().enumerate() {
            let is_last = index + 1 == numbers.len();
            let settlements = segment::read(dir, *number, is_last)?;
            if settlements.is_empty() {
                segment::remove(dir, *number);
                continue;
            }
            closed.push(Segment::closed(*number, settlements.len()));
            let position = Position { segment: *number };
            left.extend(
                settlements
                    .into_iter()
                    .map(|settlement| (position, settlement)),
            );
        }
        let current = Segment::create(dir, next)?;
        let writable = Arc::new(AtomicBool::new(true));
        let syncer = Syncer::start(fsync_interval, Arc::clone(&writable));
        let state = Mutex::new(State {
            current,
            closed,
            pending: Vec::with_capacity(8 * 1024),
            staged: 0,
            written: 0,
        });
        Ok((
            Self {
                dir: dir.to_owned(),
                state,
                syncer,
                writable,
                _lock: lock,
            },
            left,
        ))
    }

    /// Puts a settlement in line for the file.
    pub fn stage(&self, settlement: &Settlement) -> io::Result<Staged> {
        let mut state = self.lock();
        let before = state.pending.len();
        if let Err(error) = record::encode(settlement, &mut state.pending) {
            state.pending.truncate(before);
            self.writable.store(false, Ordering::Release);
            return Err(error);
        }
        state.staged += 1;
        state.current.unposted += 1;
        Ok(Staged {
            position: Position {
                segment: state.current.number,
            },
            number: state.staged,
        })
    }

    /// Writes a staged settlement, and all others that are staged. When this returns, no crash of the
    /// process can lose it.
    pub fn write(&self, staged: Staged) -> io::Result<()> {
        let mut state = self.lock();
        if staged.number <= state.written {
            return Ok(());
        }
        self.write_pending(&mut state)
    }

    /// What could not be written stays in line.
    fn write_pending(&self, state: &mut State) -> io::Result<()> {
        let written = self.write_or_fail(state);
        if written.is_err() {
            self.writable.store(false, Ordering::Release);
        }
        written
    }

    fn write_or_fail(&self, state: &mut State) -> io::Result<()> {
        if state.pending.is_empty() {
            return Ok(());
        }
        state.current.append(&state.pending)?;
        state.pending.clear();
        // A burst must not be paid for in memory for good.
        state.pending.shrink_to(PENDING_BYTES_KEPT);
        state.written = state.staged;
        self.syncer.dirty(state.current.file());
        if state.current.bytes >= SEGMENT_BYTES_MAX {
            self.rotate(state)?;
        }
        Ok(())
    }

    fn rotate(&self, state: &mut State) -> io::Result<()> {
        let next = Segment::create(&self.dir, state.current.number + 1)
            .map_err(|error| io::Error::other(error.to_string()))?;
        let full = std::mem::replace(&mut state.current, next);
        if full.unposted > 0 {
            state.closed.push(full);
        } else {
            segment::remove(&self.dir, full.number);
        }
        Ok(())
    }

    /// SQL has this many settlements of a segment; a closed segment without any left is deleted.
    pub fn posted(&self, position: Position, count: usize) {
        let mut state = self.lock();
        if state.current.number == position.segment {
            state.current.unposted = state.current.unposted.saturating_sub(count);
            // A quiet node's file is emptied, so that a restart has nothing to replay. Another file in
            // its place would have to be made known to the disk, for which requests would wait.
            if state.current.unposted == 0
                && state.current.bytes > 0
                && state.pending.is_empty()
                && let Err(error) = state.current.empty()
            {
                self.writable.store(false, Ordering::Release);
                tracing::error!(error = %error, "cannot empty a journal segment");
            }
            return;
        }
        if let Some(index) = state
            .closed
            .iter()
            .position(|one| one.number == position.segment)
        {
            let segment = &mut state.closed[index];
            segment.unposted = segment.unposted.saturating_sub(count);
            if segment.unposted == 0 {
                segment::remove(&self.dir, segment.number);
                state.closed.remove(index);
            }
        }
    }

    /// Whether settlements can be written. When they cannot, nothing new may be admitted.
    pub fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Acquire)
    }

    /// Writes what is staged and waits until all of it is on the disk.
    pub fn sync(&self) -> io::Result<()> {
        let mut state = self.lock();
        self.write_pending(&mut state)?;
        state.current.file().sync_data()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Whoever staged it may have been stopped before its turn came.
        let mut state = self.lock();
        if let Err(error) = self.write_pending(&mut state) {
            tracing::error!(error = %error, "the last settlements cannot be journalled");
        }
    }
}

fn lock(dir: &Path) -> Result<fs::File, JournalError> {
    let path = dir.join("lock");
    let file = fs::File::create(&path).map_err(JournalError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(JournalError::InUse {
            path: dir.to_owned(),
        }),
        Err(fs::TryLockError::Error(source)) => Err(JournalError::Io { path, source }),
    }
}

#[cfg(test)]
pub(crate) mod tests;
