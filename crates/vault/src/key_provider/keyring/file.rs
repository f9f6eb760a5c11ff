//! The file itself: how it appears, and when it is trusted.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::KeyringError;
use crate::random::{Random, draw};

const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Makes the file, unless one is there already; then that one stays.
pub(super) fn create(path: &Path, json: &[u8], random: &dyn Random) -> Result<(), KeyringError> {
    if let Some(directory) = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty())
    {
        fs::create_dir_all(directory).map_err(|source| io_error(path, source))?;
    }
    let temporary = write_beside(path, json, random)?;
    // A link appears whole or not at all, and never over a file that is already there: of two
    // processes that boot at once, both end up with the same keys.
    let linked = fs::hard_link(&temporary, path);
    let removed = fs::remove_file(&temporary);
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked.and(removed).and_then(|()| sync_directory(path)),
    }
    .map_err(|source| io_error(path, source))
}

/// Keeps other processes from changing the file until it is dropped. They may read it. The lock is
/// on the folder, since the file itself is replaced.
pub(super) fn lock(path: &Path) -> Result<fs::File, KeyringError> {
    let folder = fs::File::open(directory_of(path)).map_err(|source| io_error(path, source))?;
    folder.lock().map_err(|source| io_error(path, source))?;
    Ok(folder)
}

/// Puts new content in place of the old, at once and whole; owner and mode stay.
pub(super) fn replace(path: &Path, json: &[u8], random: &dyn Random) -> Result<(), KeyringError> {
    let temporary = write_beside(path, json, random)?;
    let replaced = keep_owner_and_mode(path, &temporary)
        .and_then(|()| fs::rename(&temporary, path))
        .and_then(|()| sync_directory(path));
    replaced.map_err(|source| {
        // Keys should not lie about under another name; failing at that changes nothing.
        let _ = fs::remove_file(&temporary);
        io_error(path, source)
    })
}

/// A service must be able to read what an administrator wrote for it.
#[cfg(unix)]
fn keep_owner_and_mode(old: &Path, new: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let (was, is) = (fs::metadata(old)?, fs::metadata(new)?);
    if (was.uid(), was.gid()) != (is.uid(), is.gid()) {
        chown(new, Some(was.uid()), Some(was.gid()))?;
    }
    fs::set_permissions(new, was.permissions())
}

#[cfg(not(unix))]
fn keep_owner_and_mode(_: &Path, _: &Path) -> io::Result<()> {
    Ok(())
}

/// Tells one content of the file from the next without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp([i64; 7]);

/// The stamp of what is there at the moment; `None` where nothing can be seen.
#[cfg(unix)]
pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::symlink_metadata(path).ok()?;
    Some(Stamp([
        metadata.dev().cast_signed(),
        metadata.ino().cast_signed(),
        metadata.size().cast_signed(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    ]))
}

#[cfg(not(unix))]
pub(super) fn stamp(_: &Path) -> Option<Stamp> {
    None
}

/// A new file beside `path`, readable by its owner only, with its content on the disk.
fn write_beside(path: &Path, json: &[u8], random: &dyn Random) -> Result<PathBuf, KeyringError> {
    let suffix = u64::from_be_bytes(draw(random)?);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{suffix:016x}.new"));
    let temporary = PathBuf::from(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options
        .open(&temporary)
        .map_err(|source| io_error(path, source))?;
    if let Err(source) = file.write_all(json).and_then(|()| file.sync_all()) {
        // Half a keyring is of no use, and should not lie about; failing at that changes nothing.
        let _ = fs::remove_file(&temporary);
        return Err(io_error(path, source));
    }
    Ok(temporary)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        fs::File::open(directory_of(path))?.sync_all()?;
    }
    Ok(())
}

fn directory_of(path: &Path) -> &Path {
    path.parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Reads the file if nobody else can have read or changed it.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
    let io = |source| io_error(path, source);
    let named = fs::symlink_metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => KeyringError::Missing(path.to_owned()),
        _ => io(error),
    })?;
    if !named.is_file() {
        return Err(KeyringError::NotAFile(path.to_owned()));
    }
    let file = fs::File::open(path).map_err(io)?;
    let opened = file.metadata().map_err(io)?;
    if !is_same_file(&named, &opened) {
        // Somebody swapped it between the two looks.
        return Err(KeyringError::NotAFile(path.to_owned()));
    }
    refuse_exposed(path, &opened)?;
    if opened.len() > FILE_BYTES_MAX {
        return Err(KeyringError::Invalid {
            path: path.to_owned(),
            fault: "it is too large",
        });
    }
    let size = usize::try_from(FILE_BYTES_MAX).expect("64 KiB fit any address space");
    let mut text = Zeroizing::new(Vec::with_capacity(size));
    file.take(FILE_BYTES_MAX)
        .read_to_end(&mut text)
        .map_err(io)?;
    Ok(text)
}

#[cfg(unix)]
fn is_same_file(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same_file(_: &fs::Metadata, other: &fs::Metadata) -> bool {
    other.is_file()
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, metadata: &fs::Metadata) -> Result<(), KeyringError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(KeyringError::Exposed {
        path: path.to_owned(),
        mode,
    })
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &fs::Metadata) -> Result<(), KeyringError> {
    Ok(())
}

fn io_error(path: &Path, source: io::Error) -> KeyringError {
    KeyringError::Io {
        path: path.to_owned(),
        source,
    }
}
