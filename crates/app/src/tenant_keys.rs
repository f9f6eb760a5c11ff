//! The vault's tenant keys, kept in the directory.

use std::sync::Arc;

use async_trait::async_trait;
use switchyard_store::{Directory, credential::TenantKeyRow as StoredRow};
use switchyard_vault::{Tenant, TenantKeyRow, TenantKeyStore, TenantKeyStoreError, WrappedKey};

/// Keeps wrapped tenant keys in the database.
pub struct DirectoryTenantKeys {
    directory: Arc<dyn Directory>,
}

impl DirectoryTenantKeys {
    pub fn new(directory: Arc<dyn Directory>) -> Self {
        Self { directory }
    }
}

#[async_trait]
impl TenantKeyStore for DirectoryTenantKeys {
    async fn newest(&self, tenant: Tenant) -> Result<Option<TenantKeyRow>, TenantKeyStoreError> {
        let row = self
            .directory
            .latest_tenant_key(&tenant.to_string())
            .await
            .map_err(boxed)?;
        row.map(unstored).transpose()
    }

    async fn get(
        &self,
        tenant: Tenant,
        version: u32,
    ) -> Result<Option<TenantKeyRow>, TenantKeyStoreError> {
        let version = i32::try_from(version).map_err(boxed)?;
        let row = self
            .directory
            .tenant_key(&tenant.to_string(), version)
            .await
            .map_err(boxed)?;
        row.map(unstored).transpose()
    }

    async fn insert(&self, row: TenantKeyRow) -> Result<TenantKeyRow, TenantKeyStoreError> {
        unstored(
            self.directory
                .put_tenant_key(&stored(row)?)
                .await
                .map_err(boxed)?,
        )
    }
}

/// The form that the database keeps.
pub(crate) fn stored(row: TenantKeyRow) -> Result<StoredRow, TenantKeyStoreError> {
    Ok(StoredRow {
        tenant: row.tenant.to_string(),
        version: i32::try_from(row.version).map_err(boxed)?,
        kek_id: row.wrapped.kek_id,
        kek_version: i32::try_from(row.wrapped.kek_version).map_err(boxed)?,
        wrapped: row.wrapped.bytes,
    })
}

/// The form that the vault knows.
pub(crate) fn unstored(row: StoredRow) -> Result<TenantKeyRow, TenantKeyStoreError> {
    Ok(TenantKeyRow {
        tenant: row.tenant.parse().map_err(boxed)?,
        version: u32::try_from(row.version).map_err(boxed)?,
        wrapped: WrappedKey {
            kek_id: row.kek_id,
            kek_version: u32::try_from(row.kek_version).map_err(boxed)?,
            bytes: row.wrapped,
        },
    })
}

fn boxed(error: impl std::error::Error + Send + Sync + 'static) -> TenantKeyStoreError {
    TenantKeyStoreError(Box::new(error))
}
