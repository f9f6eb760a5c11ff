//! A file of keys on this machine, the default provider.
//!
//! ```json
//! {"format": 1, "id": "keyring-4f1c…", "primary": 2,
//!  "keys": [{"version": 1, "key": "<base64>"}, {"version": 2, "key": "<base64>"}]}
//! ```
//!
//! New wraps use the primary version, old ones open with the version they name. The file must be
//! readable by its owner only, must not be a symbolic link, and belongs on another backup than the
//! database. It is created once, on a first boot; a database that already holds sealed rows wants
//! the file it was sealed with, and no new one is made in its place.

use std::{
    fmt, fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct as _};
use switchyard_domain::secret::Secret;
use zeroize::Zeroizing;

use super::{
    KekRef, KeyProvider, KeyProviderError, WrappedKey,
    local::{LocalKey, unknown},
};
use crate::{
    api_key::Peppers,
    random::{Random, RandomUnavailable, draw},
};

const FORMAT: u32 = 1;
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// What the caller knows about the database, which decides whether a missing file may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedRows {
    /// Nothing sealed is stored: a first boot.
    None,
    /// Sealed rows exist, and the file they need.
    Exist,
}

/// Why there is no keyring.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// Restore the file; a new one would open nothing.
    #[error(
        "the keyring {} is missing, but the database holds rows that were sealed with it; \
         restore it from its backup",
        .0.display()
    )]
    Missing(PathBuf),
    /// Others may have read it.
    #[error(
        "the keyring {} has mode {mode:04o}; it must be readable by its owner only (chmod 600)",
        .path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Something else is there.
    #[error("the keyring {} is not a regular file (symbolic links are refused)", .0.display())]
    NotAFile(PathBuf),
    /// The file is damaged.
    #[error("the keyring {} cannot be used: {fault}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong; never what is in it.
        fault: &'static str,
    },
    /// The file system said no.
    #[error("the keyring {} cannot be read or created", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No keys can be made.
    #[error(transparent)]
    Random(#[from] RandomUnavailable),
}

/// A [`KeyProvider`] of the keys in a file.
pub struct Keyring {
    id: String,
    primary: LocalKey,
    others: Vec<LocalKey>,
    random: Arc<dyn Random>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}, primary version {}]", self.id, self.primary.version)
    }
}

impl Keyring {
    /// Reads the file at `path`; where there is none and nothing sealed is stored, makes one.
    pub fn open_or_create(
        path: &Path,
        sealed_rows: SealedRows,
        random: Arc<dyn Random>,
    ) -> Result<Self, KeyringError> {
        match (Self::open(path, Arc::clone(&random)), sealed_rows) {
            (Err(KeyringError::Missing(_)), SealedRows::None) => {
                create(path, &*random)?;
                Self::open(path, random)
            }
            (result, _) => result,
        }
    }

    /// Reads the file at `path`.
    pub fn open(path: &Path, random: Arc<dyn Random>) -> Result<Self, KeyringError> {
        let text = read(path)?;
        let invalid = |fault| KeyringError::Invalid { path: path.to_owned(), fault };
        let stored: StoredKeyring = serde_json::from_slice(&text)
            .map_err(|_| invalid("it is not a keyring in JSON"))?;
        Self::from_stored(stored, random).map_err(invalid)
    }

    fn from_stored(stored: StoredKeyring, random: Arc<dyn Random>) -> Result<Self, &'static str> {
        if stored.format != FORMAT {
            return Err("its format is not one this program knows");
        }
        if stored.id.is_empty() {
            return Err("its id is empty");
        }
        let mut versions: Vec<u32> = stored.keys.iter().map(|key| key.version).collect();
        versions.sort_unstable();
        if versions.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("it holds two keys of the same version");
        }
        let (primary, others) = stored
            .keys
            .into_iter()
            .map(|StoredKey { version, key }| LocalKey::new(version, key))
            .partition::<Vec<_>, _>(|key| key.version == stored.primary);
        let primary = primary.into_iter().next().ok_or("it lacks the key it calls primary")?;
        Ok(Self { id: stored.id, primary, others, random })
    }

    /// Writes a copy of this keyring with one more version, which becomes the primary, over the
    /// file at `path`; what the old versions wrapped still opens.
    pub fn add_version(self, path: &Path) -> Result<Self, KeyringError> {
        let newest = self.keys().map(|key| key.version).max().unwrap_or(0);
        let version = newest.checked_add(1).ok_or(KeyringError::Invalid {
            path: path.to_owned(),
            fault: "it has no room for another version",
        })?;
        let added = LocalKey::new(version, Secret::new(draw(&*self.random)?));
        let mut others = self.others;
        others.push(self.primary);
        let grown = Self { id: self.id, primary: added, others, random: self.random };
        let io = |source| KeyringError::Io { path: path.to_owned(), source };
        let temporary = write_beside(path, &grown.to_json(), &*grown.random)?;
        fs::rename(&temporary, path).map_err(io)?;
        sync_directory(path).map_err(io)?;
        Ok(grown)
    }

    /// The peppers for API keys, one per version; new verifiers use the primary's. So a version
    /// may be removed from the file only when no verifier names it either.
    pub fn peppers(&self) -> Peppers {
        Peppers::new(self.primary.pepper(), self.others.iter().map(LocalKey::pepper).collect())
    }

    /// Keys the digests that conversations are remembered by, so that nobody outside can compute
    /// or compare them. Opens nothing; a new primary version only makes nodes forget.
    pub fn conversation_secret(&self) -> [u8; 32] {
        self.primary.conversation_secret()
    }

    fn keys(&self) -> impl Iterator<Item = &LocalKey> {
        std::iter::once(&self.primary).chain(&self.others)
    }

    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        // Room for every key beforehand: a growing buffer would leave copies behind.
        let mut json = Zeroizing::new(Vec::with_capacity(256 + 128 * (1 + self.others.len())));
        let mut keys: Vec<StoredKeyRef<'_>> = self.keys().map(StoredKeyRef).collect();
        keys.sort_unstable_by_key(|key| key.0.version);
        let stored = StoredKeyringRef {
            format: FORMAT,
            id: &self.id,
            primary: self.primary.version,
            keys,
        };
        serde_json::to_writer(&mut *json, &stored).expect("writing to memory cannot fail");
        json.push(b'\n');
        json
    }
}

#[async_trait]
impl KeyProvider for Keyring {
    async fn wrap(
        &self,
        context: &[u8],
        plain: &Secret<[u8; 32]>,
    ) -> Result<WrappedKey, KeyProviderError> {
        self.primary.wrap(&self.id, context, plain, &*self.random)
    }

    async fn unwrap(
        &self,
        context: &[u8],
        wrapped: &WrappedKey,
    ) -> Result<Secret<[u8; 32]>, KeyProviderError> {
        self.keys()
            .find(|key| wrapped.kek_id == self.id && wrapped.kek_version == key.version)
            .ok_or_else(|| unknown(&wrapped.kek_id, wrapped.kek_version))?
            .unwrap(&self.id, context, &wrapped.bytes)
    }

    async fn current(&self) -> Result<KekRef, KeyProviderError> {
        Ok(KekRef { id: self.id.clone(), version: self.primary.version })
    }

    async fn health(&self) -> Result<(), KeyProviderError> {
        Ok(())
    }
}

fn create(path: &Path, random: &dyn Random) -> Result<(), KeyringError> {
    let io = |source| KeyringError::Io { path: path.to_owned(), source };
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory).map_err(io)?;
    }
    let id = draw::<8>(random)?;
    let key = LocalKey::new(1, Secret::new(draw(random)?));
    let keyring = StoredKeyringRef {
        format: FORMAT,
        id: &format!("keyring-{:016x}", u64::from_be_bytes(id)),
        primary: key.version,
        keys: vec![StoredKeyRef(&key)],
    };
    let mut json = Zeroizing::new(Vec::with_capacity(512));
    serde_json::to_writer(&mut *json, &keyring).expect("writing to memory cannot fail");
    json.push(b'\n');

    let temporary = write_beside(path, &json, random)?;
    // A link appears whole or not at all, and never over a file that is already there: of two
    // processes that boot at once, both end up with the same keys.
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary).map_err(io)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(io(error)),
        _ => sync_directory(path).map_err(io),
    }
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
    options
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(json)?;
            file.sync_all()
        })
        .map_err(|source| KeyringError::Io { path: path.to_owned(), source })?;
    Ok(temporary)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        fs::File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
    let io = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => KeyringError::Missing(path.to_owned()),
        _ => KeyringError::Io { path: path.to_owned(), source },
    };
    let named = fs::symlink_metadata(path).map_err(io)?;
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
        return Err(KeyringError::Invalid { path: path.to_owned(), fault: "it is too large" });
    }
    let size = usize::try_from(FILE_BYTES_MAX).expect("64 KiB fit any address space");
    let mut text = Zeroizing::new(Vec::with_capacity(size));
    file.take(FILE_BYTES_MAX).read_to_end(&mut text).map_err(io)?;
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
    Err(KeyringError::Exposed { path: path.to_owned(), mode })
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &fs::Metadata) -> Result<(), KeyringError> {
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKeyring {
    format: u32,
    id: String,
    primary: u32,
    keys: Vec<StoredKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    version: u32,
    #[serde(deserialize_with = "key_from_base64")]
    key: Secret<[u8; 32]>,
}

/// Straight from the file's buffer into the secret, without a copy of the text in between.
fn key_from_base64<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Secret<[u8; 32]>, D::Error> {
    let text = <&str>::deserialize(deserializer)?;
    let mut bytes = Zeroizing::new([0_u8; 36]);
    let length = STANDARD
        .decode_slice(text, &mut *bytes)
        .map_err(|_| de::Error::custom("a key is not base64"))?;
    match (length, bytes.first_chunk()) {
        (32, Some(key)) => Ok(Secret::new(*key)),
        _ => Err(de::Error::custom("a key has not 32 bytes")),
    }
}

#[derive(Serialize)]
struct StoredKeyringRef<'a> {
    format: u32,
    id: &'a str,
    primary: u32,
    keys: Vec<StoredKeyRef<'a>>,
}

struct StoredKeyRef<'a>(&'a LocalKey);

impl Serialize for StoredKeyRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = Zeroizing::new(STANDARD.encode(self.0.material()));
        let mut stored = serializer.serialize_struct("StoredKey", 2)?;
        stored.serialize_field("version", &self.0.version)?;
        stored.serialize_field("key", &*text)?;
        stored.end()
    }
}
