//! A keyring that follows its file: a node that started before a version was added must open what
//! the new one wraps.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use switchyard_domain::secret::Secret;

use super::{
    Keyring, KeyringError, SealedRows,
    file::{self, Stamp},
};
use crate::{
    api_key::{KeyVerification, Peppers, PresentedKey, Verifier},
    key_provider::{KekRef, KeyProvider, KeyProviderError, WrappedKey},
    keyed_digest::{DigestKeys, KeyedDigest},
    random::Random,
};

/// A [`Keyring`] for as long as a program runs. It looks at the file now and then and whenever a
/// version is asked for that it does not have, and reads it only if it is another one than before.
/// A file that cannot be used, or that takes steps back, changes nothing.
pub struct LiveKeyring {
    path: PathBuf,
    random: Arc<dyn Random>,
    known: ArcSwap<Known>,
    /// The file as it was looked at last.
    seen: Mutex<Option<Stamp>>,
}

struct Known {
    keyring: Keyring,
    peppers: Peppers,
    audit_keys: DigestKeys,
}

impl Known {
    fn of(keyring: Keyring) -> Arc<Self> {
        Arc::new(Self {
            peppers: keyring.peppers(),
            audit_keys: keyring.audit_keys(),
            keyring,
        })
    }
}

impl fmt::Debug for LiveKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.known.load().keyring.fmt(f)
    }
}

impl LiveKeyring {
    /// As [`Keyring::open_or_create`].
    pub fn open_or_create(
        path: &Path,
        sealed_rows: SealedRows,
        random: Arc<dyn Random>,
    ) -> Result<Self, KeyringError> {
        let keyring = Keyring::open_or_create(path, sealed_rows, Arc::clone(&random))?;
        Ok(Self {
            path: path.to_owned(),
            random,
            known: ArcSwap::new(Known::of(keyring)),
            // Nothing yet: what changed since it was read is seen by the first look.
            seen: Mutex::new(None),
        })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The keyring's name, which what it wraps carries.
    pub fn id(&self) -> String {
        self.known.load().keyring.id.clone()
    }

    /// The version that new wraps use, and all that can unwrap, oldest first.
    pub fn versions(&self) -> (u32, Vec<u32>) {
        let known = self.known.load();
        (known.keyring.primary_version(), known.keyring.versions())
    }

    /// As [`Keyring::stage_version`].
    pub fn stage_version(&self) -> Result<(), KeyringError> {
        self.adopt(Keyring::stage_version(
            &self.path,
            Arc::clone(&self.random),
        )?)
    }

    /// As [`Keyring::advance_primary`].
    pub fn advance_primary(&self) -> Result<(), KeyringError> {
        self.adopt(Keyring::advance_primary(
            &self.path,
            Arc::clone(&self.random),
        )?)
    }

    /// As [`Keyring::retire_version`].
    pub fn retire_version(&self, version: u32) -> Result<(), KeyringError> {
        self.adopt(Keyring::retire_version(
            &self.path,
            version,
            Arc::clone(&self.random),
        )?)
    }

    /// As [`Keyring::peppers`], always those that are known.
    pub fn peppers(self: &Arc<Self>) -> LivePeppers {
        LivePeppers(Arc::clone(self))
    }

    /// As [`Keyring::fingerprint_key`].
    pub fn fingerprint_key(&self) -> DigestKeys {
        self.known.load().keyring.fingerprint_key()
    }

    /// As [`Keyring::conversation_secret`].
    pub fn conversation_secret(&self) -> [u8; 32] {
        self.known.load().keyring.conversation_secret()
    }

    /// As [`Keyring::audit_keys`], always those that are known.
    pub fn audit_keys(self: &Arc<Self>) -> LiveAuditKeys {
        LiveAuditKeys(Arc::clone(self))
    }

    /// What is known, after another look at the file where that does not suffice.
    fn knowing(&self, suffices: impl Fn(&Known) -> bool) -> Arc<Known> {
        let known = self.known.load_full();
        if suffices(&known) {
            return known;
        }
        // A file that cannot be used is reported by the look that comes now and then; whoever
        // asks here hears that the version is not known.
        let _ = self.look();
        self.known.load_full()
    }

    /// Reads the file if it is another one than at the last look.
    fn look(&self) -> Result<(), KeyringError> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Taken before reading: a change in between is seen by the next look.
        let stamp = file::stamp(&self.path);
        if stamp.is_some() && *seen == stamp {
            return Ok(());
        }
        *seen = stamp;
        self.adopt(Keyring::open(&self.path, Arc::clone(&self.random))?)
    }

    fn adopt(&self, keyring: Keyring) -> Result<(), KeyringError> {
        let known = self.known.load();
        let invalid = |fault| KeyringError::Invalid {
            path: self.path.clone(),
            fault,
        };
        if keyring.id != known.keyring.id {
            return Err(invalid(
                "it is another keyring than this program started with",
            ));
        }
        if keyring.primary_version() < known.keyring.primary_version() {
            return Err(invalid("it is older than the one that is in use"));
        }
        self.known.store(Known::of(keyring));
        Ok(())
    }
}

/// What links the audit log, for as long as a program runs.
#[derive(Debug)]
pub struct LiveAuditKeys(Arc<LiveKeyring>);

impl KeyedDigest for LiveAuditKeys {
    fn digest(&self, parts: &[&[u8]]) -> ([u8; 32], u32) {
        self.0.known.load().audit_keys.digest(parts)
    }

    fn is_of(&self, parts: &[&[u8]], digest: &[u8], version: u32) -> bool {
        self.0
            .knowing(|known| known.audit_keys.knows(version))
            .audit_keys
            .is_of(parts, digest, version)
    }
}

#[async_trait]
impl KeyProvider for LiveKeyring {
    async fn wrap(
        &self,
        context: &[u8],
        plain: &Secret<[u8; 32]>,
    ) -> Result<WrappedKey, KeyProviderError> {
        let known = self.known.load_full();
        known.keyring.wrap(context, plain).await
    }

    async fn unwrap(
        &self,
        context: &[u8],
        wrapped: &WrappedKey,
    ) -> Result<Secret<[u8; 32]>, KeyProviderError> {
        let known = self.knowing(|known| known.keyring.has(wrapped));
        known.keyring.unwrap(context, wrapped).await
    }

    async fn current(&self) -> Result<KekRef, KeyProviderError> {
        let known = self.known.load_full();
        known.keyring.current().await
    }

    async fn health(&self) -> Result<(), KeyProviderError> {
        Ok(())
    }

    async fn refresh(&self) -> Result<(), KeyProviderError> {
        self.look()
            .map_err(|error| KeyProviderError::Unavailable(Box::new(error)))
    }
}

/// The peppers for API keys, for as long as a program runs.
#[derive(Debug)]
pub struct LivePeppers(Arc<LiveKeyring>);

impl KeyVerification for LivePeppers {
    fn verifier(&self, key: &PresentedKey<'_>) -> Verifier {
        self.0.known.load().peppers.verifier(key)
    }

    fn verify(&self, key: &PresentedKey<'_>, stored: Option<&Verifier>) -> bool {
        self.0
            .knowing(|known| stored.is_none_or(|stored| known.peppers.knows(stored)))
            .peppers
            .verify(key, stored)
    }

    fn is_outdated(&self, stored: &Verifier) -> bool {
        self.0.known.load().peppers.is_outdated(stored)
    }
}
