//! Tenant keys, unwrapped, for a few minutes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use switchyard_domain::clock::Clock;

use super::VaultSettings;
use crate::{
    context::{Tenant, tenant_key_data},
    envelope::TenantKey,
    key_provider::{KekRef, KeyProvider, KeyProviderError, WrappedKey},
    random::{Random, draw_key},
    tenant_key::{TenantKeyRow, TenantKeyStore, TenantKeyStoreError},
};

/// How many unwrapped keys are kept at most.
const CACHED_MAX: usize = 10_000;

#[derive(Debug, thiserror::Error)]
pub(super) enum TenantKeyError {
    #[error("a tenant key failed authentication")]
    Rejected,
    #[error("tenant {tenant} has no key version {version}")]
    Missing { tenant: Tenant, version: u32 },
    #[error("tenant keys are unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<TenantKeyStoreError> for TenantKeyError {
    fn from(error: TenantKeyStoreError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

impl From<KeyProviderError> for TenantKeyError {
    fn from(error: KeyProviderError) -> Self {
        match error {
            KeyProviderError::Rejected => Self::Rejected,
            // Not the row's fault: this node was started with the wrong keys, or too few.
            KeyProviderError::UnknownKey(_) | KeyProviderError::Unavailable(_) => {
                Self::Unavailable(Box::new(error))
            }
        }
    }
}

pub(super) struct TenantKeys {
    key_provider: Arc<dyn KeyProvider>,
    store: Arc<dyn TenantKeyStore>,
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
    cached: Mutex<Cached>,
    ttl: Duration,
    outage_grace: Duration,
}

#[derive(Default)]
struct Cached {
    keys: HashMap<(Tenant, u32), Held>,
    /// Counts how often everything was forgotten, so that a slow unwrap cannot bring back a key.
    forgotten: u64,
}

struct Held {
    key: Arc<TenantKey>,
    /// What it was unwrapped from.
    wrapped: WrappedKey,
    unwrapped_at: Duration,
}

impl TenantKeys {
    pub(super) fn new(
        key_provider: Arc<dyn KeyProvider>,
        store: Arc<dyn TenantKeyStore>,
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
        settings: VaultSettings,
    ) -> Self {
        Self {
            key_provider,
            store,
            random,
            clock,
            cached: Mutex::default(),
            ttl: settings.tenant_key_ttl,
            outage_grace: settings.outage_grace,
        }
    }

    /// The key with this version. While it cannot be fetched, one that was fetched lately does.
    pub(super) async fn get(
        &self,
        tenant: Tenant,
        version: u32,
    ) -> Result<Arc<TenantKey>, TenantKeyError> {
        if let Some(key) = self.held(tenant, version, self.ttl) {
            return Ok(key);
        }
        match self.fetch(tenant, version).await {
            Err(TenantKeyError::Unavailable(cause)) => self
                .held(tenant, version, self.ttl.saturating_add(self.outage_grace))
                .ok_or(TenantKeyError::Unavailable(cause)),
            answer => answer,
        }
    }

    /// The key that new seals use; made now, if the tenant has none.
    pub(super) async fn newest_or_new(
        &self,
        tenant: Tenant,
    ) -> Result<Arc<TenantKey>, TenantKeyError> {
        match self.store.newest(tenant).await? {
            Some(row) => self.unwrap(&row).await,
            None => self.make(tenant, 1).await,
        }
    }

    /// The key that rewraps use.
    pub(super) async fn newest(&self, tenant: Tenant) -> Result<Arc<TenantKey>, TenantKeyError> {
        let row = self.store.newest(tenant).await?;
        let row = row.ok_or(TenantKeyError::Missing { tenant, version: 0 })?;
        self.unwrap(&row).await
    }

    /// Makes the next version. Of two nodes that rotate at once, both get the same one.
    pub(super) async fn rotate(&self, tenant: Tenant) -> Result<Arc<TenantKey>, TenantKeyError> {
        let newest = self
            .store
            .newest(tenant)
            .await?
            .map_or(0, |row| row.version);
        self.make(tenant, newest.saturating_add(1)).await
    }

    /// The row under the provider's current key; `None` if it is there already.
    pub(super) async fn rewrap(
        &self,
        row: &TenantKeyRow,
    ) -> Result<Option<TenantKeyRow>, TenantKeyError> {
        let current = self.key_provider.current().await?;
        if (current.id.as_str(), current.version)
            == (row.wrapped.kek_id.as_str(), row.wrapped.kek_version)
        {
            return Ok(None);
        }
        let data = tenant_key_data(row.tenant, row.version);
        let plain = self
            .key_provider
            .unwrap(data.as_bytes(), &row.wrapped)
            .await?;
        let wrapped = self.key_provider.wrap(data.as_bytes(), &plain).await?;
        Ok(Some(TenantKeyRow {
            tenant: row.tenant,
            version: row.version,
            wrapped,
        }))
    }

    /// Whether a stored row can be unwrapped. Nothing is remembered, and nothing remembered helps.
    pub(super) async fn check(&self, row: &TenantKeyRow) -> Result<(), TenantKeyError> {
        let data = tenant_key_data(row.tenant, row.version);
        self.key_provider
            .unwrap(data.as_bytes(), &row.wrapped)
            .await?;
        Ok(())
    }

    /// What new wraps use.
    pub(super) async fn guarded_by(&self) -> Result<KekRef, KeyProviderError> {
        self.key_provider.current().await
    }

    pub(super) async fn refresh(&self) -> Result<(), KeyProviderError> {
        self.key_provider.refresh().await
    }

    pub(super) async fn health(&self) -> Result<(), KeyProviderError> {
        self.key_provider.health().await
    }

    pub(super) const fn outage_grace(&self) -> Duration {
        self.outage_grace
    }

    pub(super) fn forget(&self) {
        let mut cached = self.lock();
        cached.keys.clear();
        cached.forgotten += 1;
    }

    async fn fetch(&self, tenant: Tenant, version: u32) -> Result<Arc<TenantKey>, TenantKeyError> {
        let forgotten = self.lock().forgotten;
        let row = self.store.get(tenant, version).await?;
        let row = row.ok_or(TenantKeyError::Missing { tenant, version })?;
        self.unwrap_asking(&row, forgotten).await
    }

    async fn make(&self, tenant: Tenant, version: u32) -> Result<Arc<TenantKey>, TenantKeyError> {
        let key = draw_key(&*self.random)
            .map_err(|error| TenantKeyError::Unavailable(Box::new(error)))?;
        let data = tenant_key_data(tenant, version);
        let wrapped = self.key_provider.wrap(data.as_bytes(), &key).await?;
        let stored = self
            .store
            .insert(TenantKeyRow {
                tenant,
                version,
                wrapped,
            })
            .await?;
        // What is stored decides, whoever stored it.
        self.unwrap(&stored).await
    }

    /// The key in a row that was just read. One held from other bytes does not count: a tenant
    /// that was shredded and came back has a new key under the same version.
    async fn unwrap(&self, row: &TenantKeyRow) -> Result<Arc<TenantKey>, TenantKeyError> {
        let forgotten = {
            let cached = self.lock();
            let held = cached.keys.get(&(row.tenant, row.version));
            if let Some(held) = held.filter(|held| held.wrapped == row.wrapped) {
                return Ok(Arc::clone(&held.key));
            }
            cached.forgotten
        };
        self.unwrap_asking(row, forgotten).await
    }

    async fn unwrap_asking(
        &self,
        row: &TenantKeyRow,
        forgotten: u64,
    ) -> Result<Arc<TenantKey>, TenantKeyError> {
        let (tenant, version) = (row.tenant, row.version);
        let data = tenant_key_data(tenant, version);
        let key = self
            .key_provider
            .unwrap(data.as_bytes(), &row.wrapped)
            .await?;
        let key = Arc::new(TenantKey {
            tenant,
            version,
            key,
        });
        self.hold(&key, &row.wrapped, forgotten);
        Ok(key)
    }

    fn held(&self, tenant: Tenant, version: u32, for_at_most: Duration) -> Option<Arc<TenantKey>> {
        let now = self.clock.monotonic();
        let cached = self.lock();
        let held = cached.keys.get(&(tenant, version))?;
        (now.saturating_sub(held.unwrapped_at) < for_at_most).then(|| Arc::clone(&held.key))
    }

    fn hold(&self, key: &Arc<TenantKey>, wrapped: &WrappedKey, forgotten: u64) {
        let now = self.clock.monotonic();
        let kept_for = self.ttl.saturating_add(self.outage_grace);
        let mut cached = self.lock();
        if cached.forgotten != forgotten {
            return;
        }
        if cached.keys.len() >= CACHED_MAX {
            cached
                .keys
                .retain(|_, held| now.saturating_sub(held.unwrapped_at) < kept_for);
        }
        if cached.keys.len() >= CACHED_MAX {
            // Rare, and cheaper than order kept at every use: start afresh.
            cached.keys.clear();
        }
        let held = Held {
            key: Arc::clone(key),
            wrapped: wrapped.clone(),
            unwrapped_at: now,
        };
        cached.keys.insert((key.tenant, key.version), held);
    }

    fn lock(&self) -> MutexGuard<'_, Cached> {
        // Changed by single map operations only, so a panic cannot tear it.
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
