//! All records, found by endpoint and credential. Bounded, and split so that requests to different
//! endpoints seldom wait for the same lock.

use std::{
    collections::HashMap,
    hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use switchyard_domain::{clock::Timestamp, id::CredentialId};

use super::{
    outcome::Ownership,
    record::{Key, Record},
};

/// Endpoints with shared credentials; a catalogue has fewer.
const SHARED_MAX: usize = 10_000;
/// Endpoints with customers' credentials, used lately.
const OWN_MAX: usize = 20_000;

#[derive(Debug)]
pub(super) struct Records {
    seed: u64,
    hasher: RandomState,
    shards: Box<[Mutex<Shard>]>,
    shared: AtomicUsize,
    own: AtomicUsize,
}

type Shard = HashMap<Key, Arc<Record>>;

impl Records {
    const SHARDS: usize = 64;

    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            hasher: RandomState::new(),
            shards: (0..Self::SHARDS).map(|_| Mutex::default()).collect(),
            shared: AtomicUsize::new(0),
            own: AtomicUsize::new(0),
        }
    }

    pub(super) fn find(&self, key: &Key) -> Option<Arc<Record>> {
        self.shard(key).get(key).cloned()
    }

    /// The record, made if there is none yet; `None` when there are too many.
    pub(super) fn find_or_make(&self, key: &Key, now: Timestamp) -> Option<Arc<Record>> {
        let mut shard = self.shard(key);
        if let Some(record) = shard.get(key) {
            return Some(Arc::clone(record));
        }
        let (count, max) = match key.ownership() {
            Ownership::Shared => (&self.shared, SHARED_MAX),
            Ownership::Own => (&self.own, OWN_MAX),
        };
        if count.load(Ordering::Relaxed) >= max {
            return None;
        }
        count.fetch_add(1, Ordering::Relaxed);
        let record = Arc::new(Record::new(key.clone(), self.seed_of(key), now));
        shard.insert(key.clone(), Arc::clone(&record));
        Some(record)
    }

    /// Every record there is, without holding a lock while they are looked at.
    pub(super) fn all(&self) -> Vec<Arc<Record>> {
        let mut all = Vec::new();
        for shard in &self.shards {
            all.extend(lock(shard).values().cloned());
        }
        all
    }

    /// Drops what is remembered of a customer's credential, at every endpoint.
    pub(super) fn forget_own(&self, credential: CredentialId) {
        for shard in &self.shards {
            lock(shard).retain(|key, _| {
                let is_kept = key.credential.own() != Some(credential);
                if !is_kept {
                    self.own.fetch_sub(1, Ordering::Relaxed);
                }
                is_kept
            });
        }
    }

    /// Drops what has nothing left to remember.
    pub(super) fn forget(&self, now: Timestamp) {
        for shard in &self.shards {
            lock(shard).retain(|key, record| {
                // An attempt under way, or a reader, still holds it.
                let is_kept = Arc::strong_count(record) > 1 || !record.is_forgotten(now);
                if !is_kept {
                    match key.ownership() {
                        Ownership::Shared => self.shared.fetch_sub(1, Ordering::Relaxed),
                        Ownership::Own => self.own.fetch_sub(1, Ordering::Relaxed),
                    };
                }
                is_kept
            });
        }
    }

    fn shard(&self, key: &Key) -> MutexGuard<'_, Shard> {
        let hash = self.hasher.hash_one(key);
        let shards = self.shards.len() as u64;
        lock(&self.shards[usize::try_from(hash % shards).unwrap_or(0)])
    }

    /// Different for each key, and the same in each run with the same seed.
    fn seed_of(&self, key: &Key) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.seed, key).hash(&mut hasher);
        hasher.finish()
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // Only changed by single map operations, so a panic cannot tear it.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
