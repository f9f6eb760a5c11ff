//! Keys change, secrets stay: rotating the outermost key and tenants' keys while requests are
//! served.
//!
//! What is left to do is always a question to the database, so a rotation that was killed is taken
//! up by running it again. Rows are replaced by compare-and-set: what somebody else changed
//! meanwhile is looked at again. Nothing that a running node may still hold is deleted before that
//! node has had time to hear of its replacement.

mod outermost;
mod report;
mod status;
mod tenant_keys;
mod verification;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use switchyard_domain::provider::ProviderSlug;
use switchyard_store::{
    Directory, DirectoryError, Store,
    sealed::{SealedKind, SealedRow, SealedStore},
};
use switchyard_vault::{
    OpenError, SealError, SealedSecret, SecretContext, Tenant, Vault, signing::PublicKey,
};
use tokio::time::{Instant, sleep_until};

pub use self::{
    report::{FailedRow, Failures, OutermostReport, TenantKeysReport},
    status::{KeyRows, PepperRows, Status},
    tenant_keys::Tenants,
    verification::Verification,
};

/// Rows in one transaction at most: it must not keep writers waiting.
const BATCH_MAX: u32 = 64;

/// How fast, and how careful.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Rows a second at most; `None` is as fast as it goes.
    pub rows_per_second: Option<NonZeroU32>,
    /// How long news may take to reach every node.
    pub settling: Duration,
}

impl Pace {
    /// Rows of a batch: at least ten batches a second, so that a low rate is smooth.
    fn batch(&self) -> u32 {
        self.rows_per_second
            .map_or(BATCH_MAX, |rate| (rate.get() / 10).clamp(1, BATCH_MAX))
    }

    fn start(&self) -> Turns {
        Turns {
            rows_per_second: self.rows_per_second,
            next: Instant::now(),
        }
    }
}

/// When the next rows may be written.
struct Turns {
    rows_per_second: Option<NonZeroU32>,
    next: Instant,
}

impl Turns {
    /// Waits for as long as these rows may take.
    async fn took(&mut self, rows: usize) {
        let Some(rate) = self.rows_per_second else {
            return;
        };
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        self.next = self.next.max(Instant::now()) + Duration::from_secs(1) * rows / rate.get();
        sleep_until(self.next).await;
    }
}

/// Why a rotation stopped. Run again, it goes on.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    #[error(transparent)]
    Store(#[from] DirectoryError),
    #[error("a tenant's new key cannot be made")]
    Seal(#[from] SealError),
    #[error("the key provider cannot be asked")]
    Provider(#[source] OpenError),
}

/// Rotates keys, and tells how far that is.
pub struct Rotation {
    directory: Arc<dyn Directory>,
    sealed: Arc<dyn SealedStore>,
    vault: Arc<Vault>,
    pace: Pace,
}

impl std::fmt::Debug for Rotation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rotation")
    }
}

impl Rotation {
    pub fn new(store: &Store, vault: Arc<Vault>, pace: Pace) -> Self {
        Self {
            directory: Arc::clone(&store.directory),
            sealed: Arc::clone(&store.sealed),
            vault,
            pace,
        }
    }

    /// Waits until every running node can have heard of what was done so far.
    async fn settle(&self) {
        tokio::time::sleep(self.pace.settling).await;
    }
}

/// A stored row, as the vault knows it.
enum Place {
    Secret(SecretContext),
    SigningKey(PublicKey),
}

/// A row says of itself what no row of ours says.
struct Misplaced;

fn place_of(row: &SealedRow) -> Result<Place, Misplaced> {
    let record_version = u32::try_from(row.record_version).map_err(|_| Misplaced)?;
    let tenant = row.account_id.map_or(Tenant::Operator, Tenant::Account);
    match row.kind {
        SealedKind::OwnCredential | SealedKind::SharedCredential | SealedKind::Authenticator => {
            Ok(Place::Secret(SecretContext {
                tenant,
                workspace: row.workspace_id,
                provider: ProviderSlug::new(row.provider.as_str()),
                endpoint_host: row.endpoint_host.as_deref().map(Arc::from),
                record: row.record.ok_or(Misplaced)?,
                record_version,
            }))
        }
        SealedKind::SigningKey => {
            let public_key = row.public_key.ok_or(Misplaced)?;
            Ok(Place::SigningKey(PublicKey::from_bytes(public_key)))
        }
    }
}

fn sealed_secret(row: &SealedRow) -> SealedSecret {
    SealedSecret::from_bytes(row.sealed.as_slice())
}

/// The account behind a tenant's name; `None` is the operator.
fn account_of(tenant: Tenant) -> Option<switchyard_domain::id::AccountId> {
    match tenant {
        Tenant::Operator => None,
        Tenant::Account(account) => Some(account),
    }
}

#[cfg(test)]
mod tests;
