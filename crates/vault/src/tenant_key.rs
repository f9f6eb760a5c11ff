//! Tenant keys: one per tenant and version, stored wrapped. Deleting a tenant's rows makes
//! everything it sealed unreadable for good.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

use crate::{context::Tenant, key_provider::WrappedKey};

/// One stored tenant key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantKeyRow {
    /// Whose.
    pub tenant: Tenant,
    /// Counts up from 1.
    pub version: u32,
    /// The key, wrapped by the key provider.
    pub wrapped: WrappedKey,
}

/// Where wrapped tenant keys are kept. One method is one transaction.
#[async_trait]
pub trait TenantKeyStore: Send + Sync + 'static {
    /// The tenant's row with the highest version: what new seals use.
    async fn newest(&self, tenant: Tenant) -> Result<Option<TenantKeyRow>, TenantKeyStoreError>;

    /// The row with exactly this version.
    async fn get(
        &self,
        tenant: Tenant,
        version: u32,
    ) -> Result<Option<TenantKeyRow>, TenantKeyStoreError>;

    /// Stores a row unless the tenant already has this version, and returns the row that is there
    /// afterwards: of two nodes that make a tenant's first key, one wins and both use it.
    async fn insert(&self, row: TenantKeyRow) -> Result<TenantKeyRow, TenantKeyStoreError>;
}

/// The rows cannot be read or written at the moment.
#[derive(Debug, thiserror::Error)]
#[error("tenant keys cannot be read or stored at the moment")]
pub struct TenantKeyStoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Rows in memory, for tests and for programs that keep nothing.
#[derive(Debug, Default)]
pub struct InMemoryTenantKeys {
    rows: Mutex<BTreeMap<(String, u32), TenantKeyRow>>,
}

impl InMemoryTenantKeys {
    /// Deletes a tenant's keys, and with them the means to open anything it sealed.
    pub fn shred(&self, tenant: Tenant) {
        let tenant = tenant.to_string();
        self.lock().retain(|(owner, _), _| *owner != tenant);
    }

    /// Puts `row` in place of whatever is there, as a restore or an intruder would.
    pub fn overwrite(&self, row: TenantKeyRow) {
        self.lock()
            .insert((row.tenant.to_string(), row.version), row);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, u32), TenantKeyRow>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TenantKeyStore for InMemoryTenantKeys {
    async fn newest(&self, tenant: Tenant) -> Result<Option<TenantKeyRow>, TenantKeyStoreError> {
        let tenant = tenant.to_string();
        let range = (tenant.clone(), 0)..=(tenant, u32::MAX);
        Ok(self
            .lock()
            .range(range)
            .next_back()
            .map(|(_, row)| row.clone()))
    }

    async fn get(
        &self,
        tenant: Tenant,
        version: u32,
    ) -> Result<Option<TenantKeyRow>, TenantKeyStoreError> {
        Ok(self.lock().get(&(tenant.to_string(), version)).cloned())
    }

    async fn insert(&self, row: TenantKeyRow) -> Result<TenantKeyRow, TenantKeyStoreError> {
        let mut rows = self.lock();
        Ok(rows
            .entry((row.tenant.to_string(), row.version))
            .or_insert(row)
            .clone())
    }
}
