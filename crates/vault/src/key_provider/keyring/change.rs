//! How a keyring changes: under a lock, from what is in the file, at once and whole. What old
//! versions wrapped goes on opening until they are retired.

use std::{path::Path, sync::Arc};

use switchyard_domain::secret::Secret;

use super::{AUDIT_PURPOSE, Keyring, KeyringError, LocalKey, RetiredKey, file};
use crate::random::{Random, draw_key};

impl Keyring {
    /// Adds a version that nothing uses yet, so that every machine can have it before the first
    /// one wraps with it.
    pub fn stage_version(path: &Path, random: Arc<dyn Random>) -> Result<Self, KeyringError> {
        Self::change(path, random, |keyring| keyring.add(path))
    }

    /// Makes the newest version the primary, and adds one for that where the newest is it already.
    pub fn advance_primary(path: &Path, random: Arc<dyn Random>) -> Result<Self, KeyringError> {
        Self::change(path, random, |keyring| {
            let primary = keyring.primary.version;
            if keyring.others.iter().all(|key| key.version < primary) {
                keyring.add(path)?;
            }
            let newest = keyring
                .others
                .iter_mut()
                .max_by_key(|key| key.version)
                .expect("there is a newer one than the primary, or one was added");
            std::mem::swap(&mut keyring.primary, newest);
            Ok(())
        })
    }

    /// Removes a version for good; only what checks the audit log's links stays of it. Whatever it
    /// wraps, and every API key whose verifier names it, is lost with it: the caller has counted.
    pub fn retire_version(
        path: &Path,
        version: u32,
        random: Arc<dyn Random>,
    ) -> Result<Self, KeyringError> {
        let refused = |rule| KeyringError::Refused {
            path: path.to_owned(),
            rule,
        };
        Self::change(path, random, |keyring| {
            if keyring.primary.version == version {
                return Err(refused("new wraps use this version"));
            }
            let place = keyring.others.iter().position(|key| key.version == version);
            let key = keyring
                .others
                .remove(place.ok_or_else(|| refused("it has no such version"))?);
            keyring.retired.push(RetiredKey {
                version,
                audit_key: key.derived(AUDIT_PURPOSE),
            });
            Ok(())
        })
    }

    fn change(
        path: &Path,
        random: Arc<dyn Random>,
        change: impl FnOnce(&mut Self) -> Result<(), KeyringError>,
    ) -> Result<Self, KeyringError> {
        let _lock = file::lock(path)?;
        let mut keyring = Self::open(path, random)?;
        change(&mut keyring)?;
        file::replace(path, &keyring.to_json(), &*keyring.random)?;
        Ok(keyring)
    }

    fn add(&mut self, path: &Path) -> Result<(), KeyringError> {
        let retired = self.retired.iter().map(|key| key.version);
        let newest = self.keys().map(|key| key.version).chain(retired).max();
        let version = newest.unwrap_or(0).checked_add(1);
        let version = version.ok_or(KeyringError::Refused {
            path: path.to_owned(),
            rule: "it has no room for another version",
        })?;
        let key: Secret<[u8; 32]> = draw_key(&*self.random)?;
        self.others.push(LocalKey::new(version, key));
        Ok(())
    }
}
