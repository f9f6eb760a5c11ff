//! Segment files: `journal-<number>.log`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use switchyard_billing::settlement::Settlement;

use super::{
    JournalError,
    record::{Decoded, claimed_length, decode},
};

/// One file of the journal.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) bytes: u64,
    /// Settlements in it, or on their way there, that SQL does not have.
    pub(super) unposted: usize,
    file: Option<Arc<File>>,
}

impl Segment {
    pub(super) fn create(dir: &Path, number: u64) -> Result<Self, JournalError> {
        let path = path(dir, number);
        let file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(&path)
            .map_err(JournalError::io(&path))?;
        // The name must survive a power loss as well as the content.
        File::open(dir)
            .and_then(|dir| dir.sync_all())
            .map_err(JournalError::io(dir))?;
        Ok(Self {
            number,
            bytes: 0,
            unposted: 0,
            file: Some(Arc::new(file)),
        })
    }

    /// A segment of an earlier process.
    pub(super) fn closed(number: u64, unposted: usize) -> Self {
        Self {
            number,
            bytes: 0,
            unposted,
            file: None,
        }
    }

    pub(super) fn file(&self) -> &Arc<File> {
        self.file
            .as_ref()
            .expect("only a closed segment has no file, and it is never appended to")
    }

    /// Starts over. Where a power loss brings back what was in it, that is found posted.
    pub(super) fn empty(&mut self) -> io::Result<()> {
        self.file().set_len(0)?;
        self.bytes = 0;
        Ok(())
    }

    /// Appends whole records.
    pub(super) fn append(&mut self, records: &[u8]) -> io::Result<()> {
        let file = self.file();
        if let Err(error) = (&**file).write_all(records) {
            // Half a record must not stand before the next one.
            file.set_len(self.bytes)?;
            return Err(error);
        }
        self.bytes += records.len() as u64;
        Ok(())
    }
}

/// The numbers of the segments in `dir`, ascending.
pub(super) fn list(dir: &Path) -> Result<Vec<u64>, JournalError> {
    let entries = fs::read_dir(dir).map_err(JournalError::io(dir))?;
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.map_err(JournalError::io(dir))?.file_name();
        let number: Option<u64> = name
            .to_str()
            .and_then(|name| name.strip_prefix("journal-"))
            .and_then(|name| name.strip_suffix(".log"))
            .and_then(|number| number.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Reads a whole segment. A torn end is cut off in the last segment, where a crash may leave one.
pub(super) fn read(
    dir: &Path,
    number: u64,
    is_last: bool,
) -> Result<Vec<Settlement>, JournalError> {
    let path = path(dir, number);
    let bytes = fs::read(&path).map_err(JournalError::io(&path))?;
    let mut settlements = Vec::new();
    let mut offset = 0;
    while offset < bytes.len() {
        match decode(&bytes[offset..]) {
            Decoded::Record(settlement, length) => {
                settlements.push(*settlement);
                offset += length;
            }
            Decoded::Torn | Decoded::Damaged if is_last && is_crash_tail(&bytes[offset..]) => {
                tracing::warn!(
                    segment = number,
                    offset,
                    "the journal ends in a torn record; its generation never reached its caller's end"
                );
                cut(&path, offset as u64)?;
                break;
            }
            Decoded::Torn | Decoded::Damaged => {
                return Err(JournalError::Damaged {
                    path,
                    offset: offset as u64,
                });
            }
        }
    }
    Ok(settlements)
}

/// Whether these bytes are what a crash leaves of an append: a record that would reach to the end
/// of the file or beyond, or zeros that a file system put where data had not arrived yet.
fn is_crash_tail(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
        || !matches!(claimed_length(bytes), Some(n) if n < bytes.len())
}

/// Cuts the torn end off, or the next start would find it in the middle of the journal.
fn cut(path: &Path, length: u64) -> Result<(), JournalError> {
    OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|file| file.set_len(length).and_then(|()| file.sync_all()))
        .map_err(JournalError::io(path))
}

/// Deletes a segment. Failing to is harmless: its settlements would be replayed and found posted.
pub(super) fn remove(dir: &Path, number: u64) {
    if let Err(error) = fs::remove_file(path(dir, number)) {
        tracing::warn!(segment = number, error = %error, "cannot delete a posted journal segment");
    }
}

fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("journal-{number:010}.log"))
}
