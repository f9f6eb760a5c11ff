//! Tenants' keys: each tenant gets a new one, its records move there, and the old one goes.

use switchyard_store::{
    DirectoryError,
    sealed::{RewrappedRow, SealedRow, TenantVersions},
};
use switchyard_vault::{OpenError, SealedSecret, Tenant};

use super::{
    Place, Rotation, RotationError, TenantKeysReport, Turns, account_of, place_of, sealed_secret,
};

const TENANTS_AT_ONCE: u32 = 100;

/// Whose keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenants {
    /// Everybody's. A tenant that still has an older key is in the middle of a rotation, which is
    /// brought to its end instead of beginning another.
    All,
    /// One tenant's, whatever keys it has.
    One(Tenant),
}

impl Rotation {
    /// Gives tenants new keys, moves their records, and deletes old keys that nothing names.
    pub async fn rotate_tenant_keys(
        &self,
        tenants: Tenants,
    ) -> Result<TenantKeysReport, RotationError> {
        let mut run = Run {
            rotation: self,
            tenants,
            turns: self.pace.start(),
            report: TenantKeysReport::default(),
        };
        run.rotate().await?;
        if run.report.tenants > 0 {
            // What a node read before its row was moved names the old key.
            self.settle().await;
            run.finish().await?;
        }
        Ok(run.report)
    }

    /// The row's bytes under a version of its tenant's key. `None` where there is nothing to
    /// write.
    async fn rewrap(
        &self,
        row: &SealedRow,
        version: i32,
    ) -> Result<Option<SealedSecret>, OpenError> {
        let version = u32::try_from(version).map_err(|_| OpenError::Rejected)?;
        let sealed = sealed_secret(row);
        let place = place_of(row).map_err(|_| OpenError::Rejected)?;
        let rewrapped = match place {
            Place::Secret(context) => self.vault.rewrap_to(&context, &sealed, version).await?,
            Place::SigningKey(public) => {
                let rewrapped = self.vault.rewrap_signing_key(&public, &sealed, version);
                rewrapped.await?
            }
        };
        // A customer's row that came says that it is under another key; if its bytes are not, then
        // that is corrected.
        let is_listed_by_version = row.account_id.is_some();
        Ok(rewrapped.or(is_listed_by_version.then_some(sealed)))
    }

    /// How many of a tenant's records are under another version of its key.
    pub(super) async fn records_left(
        &self,
        tenant: Tenant,
        newest: i32,
    ) -> Result<u64, RotationError> {
        let Tenant::Account(account) = tenant else {
            return self.operator_records_left(newest).await;
        };
        let counts = self.sealed.records_of_account(account).await?;
        let older = counts.into_iter().filter(|(version, _)| *version != newest);
        Ok(older.map(|(_, count)| count).sum())
    }

    async fn operator_records_left(&self, newest: i32) -> Result<u64, RotationError> {
        let rows = self
            .sealed
            .sealed_rows_not_under(None, newest, None, u32::MAX)
            .await?;
        let newest = u32::try_from(newest).ok();
        let left = rows
            .iter()
            .filter(|row| sealed_secret(row).tenant_key_version() != newest);
        Ok(left.count() as u64)
    }
}

/// One rotation under way.
struct Run<'a> {
    rotation: &'a Rotation,
    tenants: Tenants,
    turns: Turns,
    report: TenantKeysReport,
}

impl Run<'_> {
    async fn rotate(&mut self) -> Result<(), RotationError> {
        let mut after = String::new();
        loop {
            let page = self.page(&after).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.tenant);
            for versions in &page {
                self.report.tenants += 1;
                if let Some(tenant) = self.named(versions) {
                    self.rotate_one(tenant, versions).await?;
                }
            }
        }
    }

    /// What was stored meanwhile moves, too; then the old keys go.
    async fn finish(&mut self) -> Result<(), RotationError> {
        self.report.failed = Default::default();
        let mut after = String::new();
        loop {
            let page = self.page(&after).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after.clone_from(&last.tenant);
            for versions in page.iter().filter(|versions| versions.count > 1) {
                if let Some(tenant) = self.named(versions) {
                    self.finish_one(tenant, versions).await?;
                }
            }
        }
    }

    async fn page(&self, after: &str) -> Result<Vec<TenantVersions>, RotationError> {
        let sealed = &self.rotation.sealed;
        let Tenants::One(tenant) = self.tenants else {
            return Ok(sealed.tenants_after(after, TENANTS_AT_ONCE).await?);
        };
        let tenant = tenant.to_string();
        if after == tenant {
            return Ok(Vec::new());
        }
        let rows = sealed.tenant_key_versions(&tenant).await?;
        let count = rows.len() as u64;
        let newest = rows.last().map(|row| TenantVersions {
            tenant,
            newest: row.version,
            count,
        });
        Ok(newest.into_iter().collect())
    }

    fn named(&mut self, versions: &TenantVersions) -> Option<Tenant> {
        let tenant = versions.tenant.parse().ok();
        if tenant.is_none() {
            let reason = "no such tenant can be".to_owned();
            self.report
                .failed
                .note(versions.tenant.clone(), reason, true);
        }
        tenant
    }

    async fn rotate_one(
        &mut self,
        tenant: Tenant,
        versions: &TenantVersions,
    ) -> Result<(), RotationError> {
        let newest = if self.is_unfinished(tenant, versions).await? {
            self.report.resumed += 1;
            versions.newest
        } else {
            let version = self.rotation.vault.rotate_tenant_key(tenant).await?;
            self.report.rotated += 1;
            self.turns.took(1).await;
            i32::try_from(version).unwrap_or(i32::MAX)
        };
        self.move_records(tenant, newest).await
    }

    async fn is_unfinished(
        &self,
        tenant: Tenant,
        versions: &TenantVersions,
    ) -> Result<bool, RotationError> {
        if self.tenants != Tenants::All || versions.count < 2 {
            return Ok(false);
        }
        // The operator's old keys stay, so they tell nothing.
        Ok(match tenant {
            Tenant::Account(_) => true,
            Tenant::Operator => self.rotation.operator_records_left(versions.newest).await? > 0,
        })
    }

    async fn move_records(&mut self, tenant: Tenant, newest: i32) -> Result<(), RotationError> {
        let rotation = self.rotation;
        let mut after = None;
        loop {
            let rows = rotation
                .sealed
                .sealed_rows_not_under(account_of(tenant), newest, after, rotation.pace.batch())
                .await?;
            after = rows.last().and_then(|row| row.record);
            let mut moved = Vec::with_capacity(rows.len());
            for row in rows {
                match rotation.rewrap(&row, newest).await {
                    Ok(Some(sealed)) => moved.push(RewrappedRow {
                        sealed: sealed.as_bytes().to_vec(),
                        expected: row,
                        tenant_key_version: newest,
                    }),
                    Ok(None) => {}
                    Err(error) => self.report.failed.note_error(row.key, &error),
                }
            }
            if !moved.is_empty() {
                self.report.rewrapped += rotation.sealed.rewrap_sealed_rows(&moved).await?;
                self.turns.took(moved.len()).await;
            }
            // The operator's come all at once.
            if after.is_none() || tenant == Tenant::Operator {
                return Ok(());
            }
        }
    }

    async fn finish_one(
        &mut self,
        tenant: Tenant,
        versions: &TenantVersions,
    ) -> Result<(), RotationError> {
        self.move_records(tenant, versions.newest).await?;
        self.report.left += self.rotation.records_left(tenant, versions.newest).await?;
        let sealed = &self.rotation.sealed;
        for row in sealed.tenant_key_versions(&versions.tenant).await? {
            if row.version >= versions.newest {
                continue;
            }
            match sealed.delete_tenant_key(&row.tenant, row.version).await {
                Ok(()) => self.report.old_keys_deleted += 1,
                Err(DirectoryError::Refused(_)) => self.report.old_keys_kept += 1,
                // Somebody else did it.
                Err(DirectoryError::Missing(_)) => {}
                Err(error) => return Err(error.into()),
            }
            self.turns.took(1).await;
        }
        Ok(())
    }
}
