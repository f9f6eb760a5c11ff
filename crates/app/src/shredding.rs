//! Destroying an account's keys, and with them everything they ever sealed, in every copy of the
//! database that has only the wrapped ones.

use serde_json::json;
use switchyard_coordination::{Coordination, Invalidation};
use switchyard_domain::{clock::Clock, id::AccountId};
use switchyard_store::{
    Directory, DirectoryError, Store,
    audit::{AuditEvent, AuditOrigin},
    sealed::Shredded,
};

/// Why nothing was destroyed.
#[derive(Debug, thiserror::Error)]
pub enum ShredError {
    #[error("there is no account {0}")]
    Unknown(AccountId),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

/// Destroys an account's tenant keys. Nodes that remember them forget them at once where news
/// reaches them, and with their next question to the database otherwise.
pub async fn shred(
    store: &Store,
    coordination: &dyn Coordination,
    clock: &dyn Clock,
    account: AccountId,
) -> Result<Shredded, ShredError> {
    let directory: &dyn Directory = &*store.directory;
    if directory.account_by_id(account).await?.is_none() {
        return Err(ShredError::Unknown(account));
    }
    let audit = AuditEvent {
        at: clock.now(),
        actor: "operator".to_owned(),
        action: "vault.shred".to_owned(),
        subject: account.to_string(),
        detail: json!({}),
        origin: AuditOrigin {
            account_id: Some(account),
            ..AuditOrigin::default()
        },
    };
    let shredded = store.sealed.shred_account(account, &audit).await?;
    // Which of its records are remembered where, only the nodes know.
    if let Err(degraded) = coordination.publish(Invalidation::Everything).await {
        tracing::warn!(error = %degraded, "other nodes learn of the shredding by polling");
    }
    Ok(shredded)
}
