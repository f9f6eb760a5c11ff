//! What a node does for its vault without being asked: it takes up new versions of keys, forgets
//! what was shredded elsewhere, wipes what expired, and counts.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use switchyard_store::{DirectoryError, sealed::SealedStore};
use switchyard_vault::{OpenError, Vault};

/// Looks after one node's vault.
pub struct VaultUpkeep {
    vault: Arc<Vault>,
    sealed: Arc<dyn SealedStore>,
    /// The last shredding that this node has heard of.
    shred_revision: AtomicI64,
    /// What was counted last, so that what is gone is told as none.
    counted: Mutex<BTreeSet<(String, i32)>>,
}

impl std::fmt::Debug for VaultUpkeep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VaultUpkeep")
    }
}

impl VaultUpkeep {
    pub fn new(vault: Arc<Vault>, sealed: Arc<dyn SealedStore>) -> Self {
        Self {
            vault,
            sealed,
            shred_revision: AtomicI64::new(0),
            counted: Mutex::default(),
        }
    }

    /// Starts from what was shredded so far; nothing remembered before it can exist.
    pub async fn start(&self) -> Result<(), DirectoryError> {
        let revision = self.sealed.shred_revision().await?;
        self.shred_revision.store(revision, Ordering::Release);
        Ok(())
    }

    /// Forgets everything if an account was shredded since the last call, and wipes what expired.
    pub async fn turn(&self) {
        self.vault.sweep();
        if let Err(error) = self.vault.refresh_keys().await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "cannot look for new versions of the vault's keys; those that are known stay in force"
            );
        }
        match self.sealed.shred_revision().await {
            Ok(revision) => {
                if self.shred_revision.swap(revision, Ordering::AcqRel) != revision {
                    self.vault.forget_everything();
                }
            }
            Err(error) => tracing::warn!(error = %error, "cannot ask for shredded accounts"),
        }
    }

    /// Tells how many tenant keys each version of the outermost key wraps.
    pub async fn count(&self) {
        let counts = match self.sealed.tenant_keys_by_kek().await {
            Ok(counts) => counts,
            Err(error) => {
                tracing::warn!(error = %error, "cannot count tenant keys");
                return;
            }
        };
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, version) in std::mem::take(&mut *counted) {
            gauge(&key, version).set(0.0);
        }
        for count in counts {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a gauge is a float, and there are far fewer than 2^53 rows"
            )]
            gauge(&count.key, count.version).set(count.count as f64);
            counted.insert((count.key, count.version));
        }
    }
}

fn gauge(kek_id: &str, kek_version: i32) -> metrics::Gauge {
    metrics::gauge!(
        "switchyard_vault_rows",
        "kek_id" => kek_id.to_owned(),
        "kek_version" => kek_version.to_string()
    )
}

/// Counts what somebody may have tampered with: it should wake somebody.
pub(crate) fn note_integrity_failure(error: &OpenError) {
    if error.is_integrity_failure() {
        metrics::counter!("switchyard_vault_integrity_failures_total").increment(1);
    }
}
