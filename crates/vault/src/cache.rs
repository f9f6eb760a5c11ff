//! Opened secrets, for a minute.
//!
//! Readers never wait: they look into an immutable map behind an atomic pointer. Writers copy one
//! small shard of it. A shard counts its invalidations, and what was opened before the count rose
//! is not let in after it, so nothing that was taken back can return through a slow opening.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use switchyard_domain::{id::CredentialId, secret::Secret};

use crate::{context::SecretContext, envelope::SealedSecret};

pub(crate) type Plaintext = Arc<Secret<Vec<u8>>>;

pub(crate) struct PlaintextCache {
    shards: Box<[Shard]>,
    shard_entries_max: usize,
    ttl: Duration,
}

#[derive(Default)]
struct Shard {
    entries: ArcSwap<HashMap<(CredentialId, u32), Arc<Entry>>>,
    writers: Mutex<()>,
    invalidations: AtomicU64,
}

struct Entry {
    /// Whose, and where it may go: an entry answers only the context it was opened for.
    context: SecretContext,
    sealed: SealedSecret,
    plaintext: Plaintext,
    expires_at: Duration,
}

/// A shard's count of invalidations at the moment when an opening began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket(u64);

impl PlaintextCache {
    const SHARDS: usize = 64;

    pub(crate) fn new(entries_max: usize, ttl: Duration) -> Self {
        let shards = Self::SHARDS.min(entries_max.max(1));
        Self {
            shards: (0..shards).map(|_| Shard::default()).collect(),
            shard_entries_max: entries_max / shards,
            ttl,
        }
    }

    pub(crate) fn get(
        &self,
        context: &SecretContext,
        sealed: &SealedSecret,
        now: Duration,
    ) -> Option<Plaintext> {
        let entries = self.shard(context.record).entries.load();
        let entry = entries.get(&(context.record, context.record_version))?;
        let answers =
            now < entry.expires_at && entry.context == *context && entry.sealed == *sealed;
        answers.then(|| Arc::clone(&entry.plaintext))
    }

    /// To be drawn before opening, and handed back with what was opened.
    pub(crate) fn ticket(&self, record: CredentialId) -> Ticket {
        Ticket(self.shard(record).invalidations.load(Ordering::Acquire))
    }

    pub(crate) fn put(
        &self,
        ticket: Ticket,
        context: &SecretContext,
        sealed: &SealedSecret,
        plaintext: &Plaintext,
        now: Duration,
    ) {
        let shard = self.shard(context.record);
        let _writer = shard.write();
        if shard.invalidations.load(Ordering::Acquire) != ticket.0 || self.shard_entries_max == 0 {
            return;
        }
        let mut entries = HashMap::clone(&shard.entries.load());
        entries.retain(|_, entry| now < entry.expires_at);
        let key = (context.record, context.record_version);
        while entries.len() >= self.shard_entries_max && !entries.contains_key(&key) {
            let first = entries.iter().min_by_key(|(_, entry)| entry.expires_at);
            let Some(first) = first.map(|(key, _)| *key) else {
                break;
            };
            entries.remove(&first);
        }
        let entry = Entry {
            context: context.clone(),
            sealed: sealed.clone(),
            plaintext: Arc::clone(plaintext),
            expires_at: now.saturating_add(self.ttl),
        };
        entries.insert(key, Arc::new(entry));
        shard.entries.store(Arc::new(entries));
    }

    pub(crate) fn invalidate(&self, record: CredentialId) {
        let shard = self.shard(record);
        let _writer = shard.write();
        shard.invalidations.fetch_add(1, Ordering::AcqRel);
        let mut entries = HashMap::clone(&shard.entries.load());
        entries.retain(|(held, _), _| *held != record);
        shard.entries.store(Arc::new(entries));
    }

    pub(crate) fn invalidate_all(&self) {
        for shard in &self.shards {
            let _writer = shard.write();
            shard.invalidations.fetch_add(1, Ordering::AcqRel);
            shard.entries.store(Arc::default());
        }
    }

    /// Wipes what has expired but was never asked for again.
    pub(crate) fn sweep(&self, now: Duration) {
        for shard in &self.shards {
            let _writer = shard.write();
            let held = shard.entries.load();
            if held.values().all(|entry| now < entry.expires_at) {
                continue;
            }
            let mut entries = HashMap::clone(&held);
            entries.retain(|_, entry| now < entry.expires_at);
            shard.entries.store(Arc::new(entries));
        }
    }

    fn shard(&self, record: CredentialId) -> &Shard {
        // The last byte of a UUID is random in every version that is made here.
        let [.., last] = *record.as_uuid().as_bytes();
        &self.shards[usize::from(last) % self.shards.len()]
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.entries.load().len())
            .sum()
    }
}

impl Shard {
    fn write(&self) -> MutexGuard<'_, ()> {
        // The lock guards no data of its own; the map is replaced whole or not at all.
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
