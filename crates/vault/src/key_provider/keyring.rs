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
//!
//! A version that is retired leaves `"retired": [{"version": 1, "audit_key": "<base64>"}]` behind:
//! what checks the audit log's old links, and opens nothing.
//!
//! [`Keyring`] is a file's content at one moment, and how it changes; [`LiveKeyring`] follows the
//! file while a program runs.

mod change;
mod file;
mod live;
mod stored;

pub use self::live::{LiveAuditKeys, LiveKeyring, LivePeppers};

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use switchyard_domain::secret::Secret;
use zeroize::Zeroizing;

use self::stored::{
    FORMAT, StoredKey, StoredKeyRef, StoredKeyring, StoredKeyringRef, StoredRetired,
    StoredRetiredRef,
};
use super::{
    KekRef, KeyProvider, KeyProviderError, WrappedKey,
    local::{LocalKey, unknown},
};
use crate::{
    api_key::Peppers,
    keyed_digest::{DigestKey, DigestKeys},
    random::{Random, RandomUnavailable, draw, draw_key},
};

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
    /// There is no file, and none may be made: a new one would open nothing.
    #[error(
        "the keyring {} is missing; what the database holds sealed needs exactly this file, so \
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
    /// The file is sound, but what was asked of it makes no sense.
    #[error("the keyring {} stays as it is: {rule}", .path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        rule: &'static str,
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
    retired: Vec<RetiredKey>,
    random: Arc<dyn Random>,
}

/// What is left of a version.
struct RetiredKey {
    version: u32,
    audit_key: Secret<[u8; 32]>,
}

const AUDIT_PURPOSE: &str = "switchyard.keyring.v1 audit log";

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
                file::create(
                    path,
                    &Self::generate(Arc::clone(&random))?.to_json(),
                    &*random,
                )?;
                // What is there decides: another process may have been first.
                Self::open(path, random)
            }
            (result, _) => result,
        }
    }

    /// Reads the file at `path`.
    pub fn open(path: &Path, random: Arc<dyn Random>) -> Result<Self, KeyringError> {
        let text = file::read(path)?;
        let invalid = |fault| KeyringError::Invalid {
            path: path.to_owned(),
            fault,
        };
        let stored: StoredKeyring =
            serde_json::from_slice(&text).map_err(|_| invalid("it is not a keyring in JSON"))?;
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
        versions.extend(stored.retired.iter().map(|key| key.version));
        versions.sort_unstable();
        if versions.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("it holds two keys of the same version");
        }
        let (primary, others) = stored
            .keys
            .into_iter()
            .map(|StoredKey { version, key }| LocalKey::new(version, key))
            .partition::<Vec<_>, _>(|key| key.version == stored.primary);
        let primary = primary
            .into_iter()
            .next()
            .ok_or("it lacks the key it calls primary")?;
        let retired = stored
            .retired
            .into_iter()
            .map(|StoredRetired { version, audit_key }| RetiredKey { version, audit_key });
        Ok(Self {
            id: stored.id,
            primary,
            others,
            retired: retired.collect(),
            random,
        })
    }

    /// The version that new wraps use.
    pub fn primary_version(&self) -> u32 {
        self.primary.version
    }

    /// The versions that can unwrap, oldest first.
    pub fn versions(&self) -> Vec<u32> {
        let mut versions: Vec<u32> = self.keys().map(|key| key.version).collect();
        versions.sort_unstable();
        versions
    }

    /// The peppers for API keys, one per version; new verifiers use the primary's. So a version
    /// may be removed from the file only when no verifier names it either.
    pub fn peppers(&self) -> Peppers {
        Peppers::new(
            self.primary.pepper(),
            self.others.iter().map(LocalKey::pepper).collect(),
        )
    }

    /// What links the audit log: new links use the primary version; links of retired ones can
    /// still be checked.
    pub fn audit_keys(&self) -> DigestKeys {
        let key = |key: &LocalKey| key.digest_key(AUDIT_PURPOSE);
        let retired = self
            .retired
            .iter()
            .map(|key| DigestKey::new(key.version, Secret::new(*key.audit_key.expose())));
        let earlier = self.others.iter().map(key).chain(retired).collect();
        DigestKeys::new(key(&self.primary), earlier)
    }

    /// Makes the fingerprints by which a secret is recognised that is there already. Of the oldest
    /// version, so that it outlives new ones; once that is retired, duplicates are merely not
    /// noticed.
    pub fn fingerprint_key(&self) -> DigestKeys {
        let key = self
            .oldest()
            .digest_key("switchyard.keyring.v1 credential fingerprints");
        DigestKeys::new(key, Vec::new())
    }

    /// Keys the digests that conversations are remembered by, so that nobody outside can compute
    /// or compare them. Opens nothing. Of the oldest version, so that nodes that know different
    /// primaries agree; once it is retired, they merely forget.
    pub fn conversation_secret(&self) -> [u8; 32] {
        self.oldest().conversation_secret()
    }

    fn oldest(&self) -> &LocalKey {
        let oldest = self.keys().min_by_key(|key| key.version);
        oldest.unwrap_or(&self.primary)
    }

    /// Whether this can unwrap it.
    fn has(&self, wrapped: &WrappedKey) -> bool {
        self.key_of(wrapped).is_some()
    }

    fn key_of(&self, wrapped: &WrappedKey) -> Option<&LocalKey> {
        self.keys()
            .find(|key| wrapped.kek_id == self.id && wrapped.kek_version == key.version)
    }

    fn keys(&self) -> impl Iterator<Item = &LocalKey> {
        std::iter::once(&self.primary).chain(&self.others)
    }

    fn generate(random: Arc<dyn Random>) -> Result<Self, RandomUnavailable> {
        let id = format!("keyring-{:016x}", u64::from_be_bytes(draw(&*random)?));
        let primary = LocalKey::new(1, draw_key(&*random)?);
        Ok(Self {
            id,
            primary,
            others: Vec::new(),
            retired: Vec::new(),
            random,
        })
    }

    fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let mut keys: Vec<_> = self.keys().map(StoredKeyRef).collect();
        keys.sort_unstable_by_key(|key| key.0.version);
        let primary = self.primary.version;
        StoredKeyringRef {
            format: FORMAT,
            id: &self.id,
            primary,
            keys,
            retired: self.retired.iter().map(StoredRetiredRef).collect(),
        }
        .to_json()
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
        self.key_of(wrapped)
            .ok_or_else(|| unknown(&wrapped.kek_id, wrapped.kek_version))?
            .unwrap(&self.id, context, &wrapped.bytes)
    }

    async fn current(&self) -> Result<KekRef, KeyProviderError> {
        Ok(KekRef {
            id: self.id.clone(),
            version: self.primary.version,
        })
    }

    async fn health(&self) -> Result<(), KeyProviderError> {
        Ok(())
    }
}
