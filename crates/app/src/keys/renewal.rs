//! API keys move to the newest pepper when they are used, without their owners noticing. So an
//! older version of the keyring can be retired one day.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use switchyard_domain::id::ApiKeyId;
use switchyard_store::{Directory, DirectoryError, api_key::KeyVerifier};
use switchyard_vault::api_key::Verifier;

use crate::limits::VERIFIER_RENEWALS_MAX;

/// Verifiers that wait to be replaced.
#[derive(Default)]
pub(super) struct Renewals(Mutex<HashMap<ApiKeyId, Renewal>>);

#[derive(Clone, Copy)]
struct Renewal {
    from: KeyVerifier,
    to: KeyVerifier,
}

impl Renewals {
    /// Notes that a key that was just verified can be verified by `to` as well. What is too much
    /// is left for the next time that the key is used.
    pub(super) fn note(&self, key: ApiKeyId, from: KeyVerifier, to: &Verifier) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < VERIFIER_RENEWALS_MAX {
            let to = stored(to);
            waiting.insert(key, Renewal { from, to });
        }
    }

    /// Stores what waits.
    pub(super) async fn store(&self, directory: &dyn Directory) -> Result<(), DirectoryError> {
        let waiting = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for (key, renewal) in waiting {
            // Where somebody else was faster, that one's is as good.
            directory
                .replace_verifier(key, &renewal.from, &renewal.to)
                .await?;
        }
        Ok(())
    }
}

/// The form that the database keeps.
pub(super) fn stored(verifier: &Verifier) -> KeyVerifier {
    KeyVerifier {
        mac: verifier.mac,
        pepper_version: i32::try_from(verifier.pepper_version).unwrap_or(i32::MAX),
    }
}

#[cfg(test)]
mod tests;
