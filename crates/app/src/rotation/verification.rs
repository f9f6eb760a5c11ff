//! Whether everything sealed can be opened: after a rotation, and after a backup was restored.

use std::collections::BTreeSet;

use serde::Serialize;
use switchyard_store::sealed::SealedRow;
use switchyard_vault::{OpenError, Tenant};

use super::{Failures, Place, Rotation, RotationError, account_of, place_of, sealed_secret};
use crate::tenant_keys::unstored;

const ROWS_AT_ONCE: u32 = 500;

/// What could be opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Tenants that have a key or a record.
    pub tenants: u64,
    /// Tenant keys that were unwrapped.
    pub tenant_keys: u64,
    /// Records that were opened.
    pub records: u64,
    /// What could not be.
    pub failed: Failures,
}

impl Verification {
    /// Whether everything that was tried could be opened.
    pub const fn holds(&self) -> bool {
        self.failed.count == 0
    }
}

impl Rotation {
    /// Unwraps every tenant key and opens every record, or at most `sample` of each tenant.
    pub async fn verify(&self, sample: Option<u32>) -> Result<Verification, RotationError> {
        let mut found = Verification::default();
        for name in self.names_of_tenants().await? {
            found.tenants += 1;
            let Ok(tenant) = name.parse::<Tenant>() else {
                found
                    .failed
                    .note(name, "no such tenant can be".to_owned(), true);
                continue;
            };
            self.verify_keys(&name, &mut found).await?;
            self.verify_records(tenant, sample, &mut found).await?;
        }
        Ok(found)
    }

    /// All who have a key or a record: a record whose tenant has no key must be noticed.
    async fn names_of_tenants(&self) -> Result<BTreeSet<String>, RotationError> {
        let mut names = BTreeSet::from([Tenant::Operator.to_string()]);
        let mut after = String::new();
        loop {
            let page = self.sealed.tenants_after(&after, ROWS_AT_ONCE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.tenant);
            names.extend(page.into_iter().map(|versions| versions.tenant));
        }
        let owners = self.sealed.records_by_tenant_key().await?;
        names.extend(owners.into_iter().map(|count| count.key));
        Ok(names)
    }

    async fn verify_keys(
        &self,
        tenant: &str,
        found: &mut Verification,
    ) -> Result<(), RotationError> {
        for row in self.sealed.tenant_key_versions(tenant).await? {
            let name = format!("{} version {}", row.tenant, row.version);
            let checked = match unstored(row) {
                Ok(row) => self.vault.check_tenant_key(&row).await,
                Err(error) => Err(OpenError::Unavailable(Box::new(error))),
            };
            match checked {
                Ok(()) => found.tenant_keys += 1,
                Err(error) => found.failed.note_error(name, &error),
            }
        }
        Ok(())
    }

    async fn verify_records(
        &self,
        tenant: Tenant,
        sample: Option<u32>,
        found: &mut Verification,
    ) -> Result<(), RotationError> {
        /// No key has it, so every record is listed.
        const NO_VERSION: i32 = 0;
        let mut wanted = sample.unwrap_or(u32::MAX);
        let mut after = None;
        while wanted > 0 {
            let limit = wanted.min(ROWS_AT_ONCE);
            let rows = self
                .sealed
                .sealed_rows_not_under(account_of(tenant), NO_VERSION, after, limit)
                .await?;
            after = rows.last().and_then(|row| row.record);
            for row in rows.into_iter().take(wanted as usize) {
                wanted -= 1;
                match self.open(&row).await {
                    Ok(()) => found.records += 1,
                    Err(error) => found.failed.note_error(row.key, &error),
                }
            }
            // The operator's come all at once.
            if after.is_none() || tenant == Tenant::Operator {
                break;
            }
        }
        Ok(())
    }

    async fn open(&self, row: &SealedRow) -> Result<(), OpenError> {
        let sealed = sealed_secret(row);
        match place_of(row).map_err(|_| OpenError::Rejected)? {
            Place::Secret(context) => {
                self.vault.open(&context, &sealed).await?;
                self.vault.forget(context.record);
            }
            Place::SigningKey(public) => {
                self.vault.open_signing_key(&public, &sealed).await?;
            }
        }
        Ok(())
    }
}
