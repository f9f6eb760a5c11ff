//! From a sealed credential to a plain one, for one send.

use std::sync::Arc;

use serde_json::json;
use switchyard_domain::{
    id::CredentialId, provider::ProviderSlug, secret::Secret, tenancy::Caller,
};
use switchyard_store::{
    DirectoryError,
    audit::{AuditOutcome, AuditVia},
};
use switchyard_vault::OpenError;

use super::{Eligible, OwnCredentials, Unreadable, eligible::Held};
use crate::audit::Actor;

/// A credential in plain form. Dropped when the request is written.
#[derive(Debug)]
pub struct OpenedCredential {
    /// Of which of its secrets it is.
    pub record_version: i32,
    pub secret: Arc<Secret<Vec<u8>>>,
}

/// Why a credential was not opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpeningError {
    /// It was deleted, switched off or closed to this caller since the request was planned.
    #[error("the credential was withdrawn")]
    Withdrawn,
    /// The stored bytes are not what was sealed: somebody changed the database. Nothing else is
    /// tried for the request.
    #[error("a stored credential for {provider} failed its integrity check")]
    Rejected { provider: ProviderSlug },
    /// The key it was sealed under was destroyed; it has to be stored anew.
    #[error("a stored credential for {provider} can no longer be opened")]
    Gone { provider: ProviderSlug },
    /// Try again later. Nothing else is tried for the request.
    #[error("stored credentials cannot be opened at the moment")]
    Unavailable,
}

impl From<Unreadable> for OpeningError {
    fn from(error: Unreadable) -> Self {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "a withdrawn credential cannot be looked up"
        );
        Self::Unavailable
    }
}

impl OwnCredentials {
    /// The plain form of one of the credentials that are open to the caller.
    pub async fn open(
        &self,
        caller: &Caller,
        eligible: &Eligible,
        id: CredentialId,
    ) -> Result<OpenedCredential, OpeningError> {
        let held = eligible.get(id).ok_or(OpeningError::Withdrawn)?;
        if !held.is_withdrawn() {
            return self.open_held(held).await;
        }
        // It changed while the request was under way. What it is now decides.
        let holding = self.holding(caller.account_id()).await?;
        match holding.get(id) {
            Some(held) if held.is_open_to(&caller.key) => self.open_held(held).await,
            Some(_) | None => Err(OpeningError::Withdrawn),
        }
    }

    pub(super) async fn open_held(&self, held: &Held) -> Result<OpenedCredential, OpeningError> {
        let opened = match self.vault.opened(&held.context, &held.sealed) {
            Some(secret) => Ok(secret),
            None => self.vault.open(&held.context, &held.sealed).await,
        };
        match opened {
            Ok(secret) => {
                self.openings.count(held.row.id, self.clock.now());
                Ok(OpenedCredential {
                    record_version: version_of(held),
                    secret,
                })
            }
            Err(error) => Err(self.not_opened(held, &error).await),
        }
    }

    async fn not_opened(&self, held: &Held, error: &OpenError) -> OpeningError {
        let row = &held.row;
        let provider = row.provider.clone();
        tracing::error!(
            credential = %row.id,
            account = %row.account_id,
            provider = %provider,
            error = error as &dyn std::error::Error,
            "a customer's credential cannot be opened"
        );
        match error {
            OpenError::Unavailable(_) => OpeningError::Unavailable,
            OpenError::Shredded { .. } => OpeningError::Gone { provider },
            OpenError::Malformed(_) | OpenError::Rejected => {
                metrics::counter!("switchyard_vault_integrity_failures_total").increment(1);
                if let Err(error) = self.report_rejection(held).await {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a rejected credential could not be written to the audit log"
                    );
                }
                OpeningError::Rejected { provider }
            }
        }
    }

    async fn report_rejection(&self, held: &Held) -> Result<(), DirectoryError> {
        let row = &held.row;
        let service = Actor::of("service", AuditVia::Service);
        let mut event = service.did(
            self.clock.now(),
            "credential.open_rejected",
            row.id,
            json!({
                "provider": row.provider.as_str(),
                "record_version": version_of(held),
                "tenant_key_version": held.sealed.tenant_key_version(),
            }),
        );
        event.origin.account_id = Some(row.account_id);
        event.origin.workspace_id = row.workspace_id;
        event.origin.outcome = AuditOutcome::Failed;
        self.directory.append_audit(&event).await
    }
}

fn version_of(held: &Held) -> i32 {
    held.row
        .secret
        .as_ref()
        .map_or(0, |secret| secret.record_version)
}
