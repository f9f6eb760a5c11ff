//! The outermost key: one row per tenant key moves to its newest version.

use switchyard_store::credential::TenantKeyRow as StoredRow;
use switchyard_vault::{KekRef, OpenError};

use super::{OutermostReport, Rotation, RotationError};
use crate::tenant_keys::{stored, unstored};

/// A provider that fails this often in a row is not asked on for every row there is.
const UNAVAILABLE_MAX: u32 = 5;

impl Rotation {
    /// Whether a tenant key is elsewhere than under the provider's current key: an earlier
    /// rotation was not finished.
    pub async fn is_outermost_unfinished(&self) -> Result<bool, RotationError> {
        let current = self.current_key().await?;
        let rows = self
            .directory
            .tenant_keys_not_under(&current.id, version_of(&current), None, 1)
            .await?;
        Ok(!rows.is_empty())
    }

    /// Moves every tenant key to the provider's current key.
    pub async fn rewrap_tenant_keys(&self) -> Result<OutermostReport, RotationError> {
        let current = self.current_key().await?;
        let mut report = OutermostReport {
            kek_id: current.id.clone(),
            kek_version: current.version,
            ..OutermostReport::default()
        };
        self.outermost_pass(&current, &mut report).await?;
        if report.rewrapped > 0 {
            // A node that had not heard of the current key may have wrapped under an older one.
            self.settle().await;
            self.outermost_pass(&current, &mut report).await?;
        }
        let counts = self.sealed.tenant_keys_by_kek().await?;
        let elsewhere = counts.iter().filter(|count| {
            (count.key.as_str(), count.version) != (current.id.as_str(), version_of(&current))
        });
        report.left = elsewhere.map(|count| count.count).sum();
        Ok(report)
    }

    async fn outermost_pass(
        &self,
        current: &KekRef,
        report: &mut OutermostReport,
    ) -> Result<(), RotationError> {
        report.failed = Default::default();
        let mut unavailable = 0;
        let mut turns = self.pace.start();
        let mut after: Option<StoredRow> = None;
        loop {
            let rows = self
                .directory
                .tenant_keys_not_under(
                    &current.id,
                    version_of(current),
                    after.as_ref(),
                    self.pace.batch(),
                )
                .await?;
            for row in &rows {
                match self.rewrap_tenant_key(row).await? {
                    Ok(is_moved) => {
                        report.rewrapped += u64::from(is_moved);
                        unavailable = 0;
                    }
                    Err(error @ OpenError::Unavailable(_)) if unavailable == UNAVAILABLE_MAX => {
                        return Err(RotationError::Provider(error));
                    }
                    Err(error) => {
                        unavailable += u32::from(matches!(error, OpenError::Unavailable(_)));
                        let name = format!("{} version {}", row.tenant, row.version);
                        report.failed.note_error(name, &error);
                    }
                }
            }
            turns.took(rows.len()).await;
            after = rows.last().cloned();
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Whether this row was moved by this call.
    async fn rewrap_tenant_key(
        &self,
        row: &StoredRow,
    ) -> Result<Result<bool, OpenError>, RotationError> {
        let known = match unstored(row.clone()) {
            Ok(known) => known,
            Err(error) => return Ok(Err(OpenError::Unavailable(Box::new(error)))),
        };
        let rewrapped = match self.vault.rewrap_tenant_key(&known).await {
            Ok(Some(rewrapped)) => rewrapped,
            Ok(None) => return Ok(Ok(false)),
            Err(error) => return Ok(Err(error)),
        };
        let rewrapped = match stored(rewrapped) {
            Ok(rewrapped) => rewrapped,
            Err(error) => return Ok(Err(OpenError::Unavailable(Box::new(error)))),
        };
        Ok(Ok(self
            .directory
            .rewrap_tenant_key(row, &rewrapped)
            .await?))
    }

    pub(super) async fn current_key(&self) -> Result<KekRef, RotationError> {
        self.vault
            .current_key()
            .await
            .map_err(RotationError::Provider)
    }
}

pub(super) fn version_of(key: &KekRef) -> i32 {
    i32::try_from(key.version).unwrap_or(i32::MAX)
}
