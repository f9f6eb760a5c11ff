//! Which keys are in use, and by how much.

use serde::Serialize;
use switchyard_store::sealed::TenantVersions;
use switchyard_vault::Tenant;

use super::{Rotation, RotationError};

const TENANTS_AT_ONCE: u32 = 1_000;

/// Which keys are in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Whether the key provider answers.
    pub healthy: bool,
    /// The key that wraps tenant keys from now on.
    pub kek_id: String,
    /// And its version.
    pub kek_version: u32,
    /// How many tenant keys each version of each outermost key wraps.
    pub tenant_keys: Vec<KeyRows>,
    /// Tenants that have a key.
    pub tenants: u64,
    /// Tenants that still have an older key beside their newest.
    pub tenants_with_old_keys: u64,
    /// Records under their tenant's newest key.
    pub records_under_newest: u64,
    /// Records under an older one.
    pub records_under_older: u64,
    /// How many live API keys are verified under each version of the keyring.
    pub api_keys: Vec<PepperRows>,
}

/// Tenant keys under one outermost key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyRows {
    pub kek_id: String,
    pub kek_version: i32,
    pub rows: u64,
}

/// API keys under one version of the pepper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PepperRows {
    pub keyring_version: i32,
    pub rows: u64,
}

impl Rotation {
    pub async fn status(&self) -> Result<Status, RotationError> {
        let current = self.current_key().await?;
        let by_kek = self.sealed.tenant_keys_by_kek().await?;
        let by_pepper = self.sealed.api_keys_by_pepper().await?;
        let mut status = Status {
            healthy: self.vault.health().await.is_ok(),
            kek_id: current.id,
            kek_version: current.version,
            tenant_keys: by_kek
                .into_iter()
                .map(|count| KeyRows {
                    kek_id: count.key,
                    kek_version: count.version,
                    rows: count.count,
                })
                .collect(),
            tenants: 0,
            tenants_with_old_keys: 0,
            records_under_newest: 0,
            records_under_older: 0,
            api_keys: by_pepper
                .into_iter()
                .map(|(keyring_version, rows)| PepperRows {
                    keyring_version,
                    rows,
                })
                .collect(),
        };
        self.count_records(&mut status).await?;
        Ok(status)
    }

    async fn count_records(&self, status: &mut Status) -> Result<(), RotationError> {
        let mut after = String::new();
        loop {
            let page = self.sealed.tenants_after(&after, TENANTS_AT_ONCE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.tenant);
            for versions in &page {
                status.tenants += 1;
                status.tenants_with_old_keys += u64::from(versions.count > 1);
                self.count_records_of(versions, status).await?;
            }
        }
    }

    async fn count_records_of(
        &self,
        versions: &TenantVersions,
        status: &mut Status,
    ) -> Result<(), RotationError> {
        let Ok(tenant) = versions.tenant.parse::<Tenant>() else {
            // `verify` tells of it.
            return Ok(());
        };
        let all: u64 = match tenant {
            Tenant::Operator => {
                let rows = self.sealed.sealed_rows_not_under(None, 0, None, u32::MAX);
                rows.await?.len() as u64
            }
            Tenant::Account(account) => {
                let counts = self.sealed.records_of_account(account).await?;
                counts.into_iter().map(|(_, count)| count).sum()
            }
        };
        let older = self.records_left(tenant, versions.newest).await?;
        status.records_under_older += older;
        status.records_under_newest += all.saturating_sub(older);
        Ok(())
    }
}
