//! How often each credential was opened, hour by hour: counted in memory, written in the
//! background.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use switchyard_domain::{clock::Timestamp, id::CredentialId};
use switchyard_store::DirectoryError;

use super::OwnCredentials;
use crate::limits::OPENINGS_UNWRITTEN_MAX;

const HOUR_SECONDS: i64 = 3_600;

/// What was counted since it was last written.
#[derive(Debug, Default)]
pub(super) struct Openings(Mutex<HashMap<(CredentialId, i64), u64>>);

impl Openings {
    pub(super) fn count(&self, id: CredentialId, at: Timestamp) {
        let hour = at.seconds().div_euclid(HOUR_SECONDS) * HOUR_SECONDS;
        let mut counts = self.lock();
        // While the database is down only what is counted already goes on: bounded, and said.
        if counts.len() < OPENINGS_UNWRITTEN_MAX || counts.contains_key(&(id, hour)) {
            *counts.entry((id, hour)).or_default() += 1;
        } else {
            metrics::counter!("switchyard_credential_openings_uncounted_total").increment(1);
        }
    }

    fn take(&self) -> HashMap<(CredentialId, i64), u64> {
        std::mem::take(&mut *self.lock())
    }

    fn put_back(&self, counts: HashMap<(CredentialId, i64), u64>) {
        let mut held = self.lock();
        for (key, count) in counts {
            *held.entry(key).or_default() += count;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(CredentialId, i64), u64>> {
        // Counters: what a panic leaves is as good as one not counted.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OwnCredentials {
    /// Writes down how often credentials were opened.
    pub async fn write_openings(&self) -> Result<(), DirectoryError> {
        let counts = self.openings.take();
        if counts.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = counts
            .iter()
            .map(|((id, hour), count)| (*id, Timestamp::from_seconds(*hour), *count))
            .collect();
        let written = self.store.count_openings(&rows).await;
        if written.is_err() {
            self.openings.put_back(counts);
        }
        written
    }
}
