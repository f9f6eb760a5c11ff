//! Coordination inside one process: what a deployment of one node uses, and what every node falls
//! back to for rate limits.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use switchyard_domain::clock::{Clock, Timestamp};

use crate::{
    Coordination, Degraded, HealthDigest, Invalidation, Invalidations, PeerHealth, Pin, PinKey,
    Rate, RateDecision, RateKey,
    invalidation::Bulletin,
    rate::{Window, millis},
};

/// How much is remembered at most. When it is full, what would run out first makes room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Pinned conversations.
    pub pins: usize,
    /// Rate-limit buckets.
    pub buckets: usize,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            pins: 200_000,
            buckets: 200_000,
        }
    }
}

/// The in-process implementation. Never [`Degraded`].
pub struct InProcess {
    clock: Arc<dyn Clock>,
    pins: Bounded<PinKey, Pin, Duration>,
    buckets: Bounded<RateKey, Window, u64>,
    bulletin: Bulletin,
}

impl InProcess {
    /// With the default [`Capacity`].
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_capacity(clock, Capacity::default())
    }

    /// With a chosen capacity.
    pub fn with_capacity(clock: Arc<dyn Clock>, capacity: Capacity) -> Self {
        Self {
            clock,
            pins: Bounded::new(capacity.pins),
            buckets: Bounded::new(capacity.buckets),
            bulletin: Bulletin::new(),
        }
    }

    /// [`Coordination::take`] without the future: it never waits.
    pub fn take_now(&self, bucket: &RateKey, limit: Rate, now: Timestamp) -> RateDecision {
        self.buckets.with(bucket, |shard, capacity| {
            if let Some(kept) = shard.get_mut(bucket) {
                let decision = kept.value.take(limit, now);
                kept.expires_at = kept.value.forgotten_at_ms();
                return decision;
            }
            let mut window = Window::starting(limit, now);
            let decision = window.take(limit, now);
            let expires_at = window.forgotten_at_ms();
            make_room(shard, capacity, millis(now));
            shard.insert(
                bucket.clone(),
                Kept {
                    value: window,
                    expires_at,
                },
            );
            decision
        })
    }
}

#[async_trait]
impl Coordination for InProcess {
    async fn pin(&self, key: &PinKey) -> Result<Option<Pin>, Degraded> {
        let now = self.clock.monotonic();
        Ok(self.pins.with(key, |shard, _| {
            shard
                .get(key)
                .filter(|kept| now < kept.expires_at)
                .map(|kept| kept.value.clone())
        }))
    }

    async fn set_pin(&self, key: &PinKey, pin: &Pin, ttl: Duration) -> Result<(), Degraded> {
        let now = self.clock.monotonic();
        self.pins.with(key, |shard, capacity| {
            if !shard.contains_key(key) {
                make_room(shard, capacity, now);
            }
            shard.insert(
                *key,
                Kept {
                    value: pin.clone(),
                    expires_at: now.saturating_add(ttl),
                },
            );
        });
        Ok(())
    }

    async fn touch_pin(&self, key: &PinKey, ttl: Duration) -> Result<(), Degraded> {
        let now = self.clock.monotonic();
        self.pins.with(key, |shard, _| {
            if let Some(kept) = shard.get_mut(key).filter(|kept| now < kept.expires_at) {
                kept.expires_at = now.saturating_add(ttl);
            }
        });
        Ok(())
    }

    async fn take(
        &self,
        bucket: &RateKey,
        limit: Rate,
        now: Timestamp,
    ) -> Result<RateDecision, Degraded> {
        Ok(self.take_now(bucket, limit, now))
    }

    fn is_alone(&self) -> bool {
        true
    }

    /// There is nobody to tell.
    async fn publish_health(&self, _: &HealthDigest, _: Duration) -> Result<(), Degraded> {
        Ok(())
    }

    async fn health_of_peers(&self) -> Result<Vec<PeerHealth>, Degraded> {
        Ok(Vec::new())
    }

    async fn publish(&self, what: Invalidation) -> Result<(), Degraded> {
        self.bulletin.tell(what);
        Ok(())
    }

    fn subscribe(&self) -> Invalidations {
        self.bulletin.subscribe()
    }
}

struct Kept<V, T> {
    value: V,
    expires_at: T,
}

type Shard<K, V, T> = HashMap<K, Kept<V, T>>;

/// A map that cannot outgrow its capacity. Split into shards so that neither the locks nor the
/// search for what to evict is ever long.
struct Bounded<K, V, T> {
    hasher: RandomState,
    shards: Box<[Mutex<Shard<K, V, T>>]>,
    shard_capacity: usize,
}

impl<K: Hash + Eq, V, T> Bounded<K, V, T> {
    const SHARDS: usize = 256;

    fn new(capacity: usize) -> Self {
        let shards = Self::SHARDS.min(capacity.max(1));
        Self {
            hasher: RandomState::new(),
            shards: (0..shards).map(|_| Mutex::new(HashMap::new())).collect(),
            shard_capacity: (capacity / shards).max(1),
        }
    }

    fn with<R>(&self, key: &K, act: impl FnOnce(&mut Shard<K, V, T>, usize) -> R) -> R {
        let shard = self.hasher.hash_one(key) as usize % self.shards.len();
        // A shard is only ever changed by single map operations, so a panic cannot tear it.
        let mut shard: MutexGuard<'_, _> = self.shards[shard]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        act(&mut shard, self.shard_capacity)
    }
}

/// Leaves room for one more: what has expired goes, else what expires first.
fn make_room<K: Hash + Eq + Clone, V, T: Ord + Copy>(
    shard: &mut Shard<K, V, T>,
    capacity: usize,
    now: T,
) {
    if shard.len() < capacity {
        return;
    }
    shard.retain(|_, kept| now < kept.expires_at);
    while shard.len() >= capacity {
        let Some(first) = shard
            .iter()
            .min_by_key(|(_, kept)| kept.expires_at)
            .map(|(key, _)| key.clone())
        else {
            return;
        };
        shard.remove(&first);
    }
}
