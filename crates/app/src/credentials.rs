//! The operators' provider credentials: sealed in the database, opened for the length of one
//! send.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arc_swap::ArcSwap;
use serde_json::json;
use switchyard_domain::{clock::Clock, id::CredentialId, provider::ProviderSlug, secret::Secret};
use switchyard_interchange::failure::{Failure, FailureKind};
use switchyard_store::{
    Directory, DirectoryError,
    credential::{NewProviderCredential, StoredCredential},
};
use switchyard_vault::{
    SealedSecret, Vault,
    context::{SecretContext, Tenant},
};

use crate::{
    audit::{self, Actor, Unnoted},
    random::RandomSource,
    vault_upkeep::note_integrity_failure,
};

/// The label of a provider's one shared credential.
pub const DEFAULT_LABEL: &str = "default";

/// Sealed credentials by provider, and the vault that can open them.
pub struct Credentials {
    directory: Arc<dyn Directory>,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
    sealed: ArcSwap<Shelf>,
}

/// The sealed credentials at one moment.
#[derive(Default)]
pub(crate) struct Shelf {
    revision: i64,
    providers: HashSet<ProviderSlug>,
    by_provider: HashMap<ProviderSlug, Sealed>,
}

impl Shelf {
    /// Whom there is a credential for.
    pub(crate) fn providers(&self) -> &HashSet<ProviderSlug> {
        &self.providers
    }
}

struct Sealed {
    context: SecretContext,
    blob: SealedSecret,
}

/// Why a credential cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum PutCredentialError {
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error("the credential cannot be sealed")]
    Seal(#[source] switchyard_vault::SealError),
    /// A header cannot carry it: it has control characters, or is empty.
    #[error("the credential is empty or contains characters that no HTTP header can carry")]
    Unusable,
    #[error(transparent)]
    Unnoted(#[from] Unnoted),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

impl Credentials {
    pub fn new(
        directory: Arc<dyn Directory>,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn RandomSource>,
    ) -> Self {
        Self {
            directory,
            vault,
            clock,
            random,
            sealed: ArcSwap::default(),
        }
    }

    /// Seals and stores an operator's credential, replacing an earlier one.
    pub async fn put(
        &self,
        provider: ProviderSlug,
        secret: Secret<Vec<u8>>,
    ) -> Result<(), PutCredentialError> {
        let usable = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
        if secret.expose().is_empty() || !secret.expose().iter().all(usable) {
            return Err(PutCredentialError::Unusable);
        }
        let at = self.clock.now();
        let credential_id = CredentialId::from_uuid(self.random.uuid(at));
        let context = context(credential_id, &provider, 1);
        let blob = self
            .vault
            .seal(&context, &secret)
            .await
            .map_err(PutCredentialError::Seal)?;
        let row = NewProviderCredential {
            credential_id,
            provider,
            label: DEFAULT_LABEL.to_owned(),
            sealed: blob.as_bytes().to_vec(),
            record_version: 1,
            at,
        };
        self.directory.put_provider_credential(&row).await?;
        // Who looks for it knows the provider; the row's own id is nobody's concern.
        let detail = json!({ "label": row.label, "credential": row.credential_id });
        let event = Actor::operator().did(at, "provider_credential.set", row.provider, detail);
        audit::note(&*self.directory, &event).await?;
        Ok(())
    }

    /// The plain credential of a provider, for one send.
    pub async fn open(&self, provider: &ProviderSlug) -> Result<Arc<Secret<Vec<u8>>>, Failure> {
        let shelf = self.sealed.load();
        let Some(sealed) = shelf.by_provider.get(provider) else {
            return Err(Failure::new(
                FailureKind::Auth,
                "the operator has stored no credential for this provider",
            ));
        };
        self.vault
            .open(&sealed.context, &sealed.blob)
            .await
            .map_err(|error| {
                note_integrity_failure(&error);
                tracing::error!(
                    provider = %provider,
                    error = &error as &dyn std::error::Error,
                    "a provider credential cannot be opened"
                );
                Failure::new(
                    FailureKind::Auth,
                    "the provider's credential cannot be opened",
                )
            })
    }

    /// What opens them.
    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// What is stored at the moment.
    pub(crate) fn shelf(&self) -> Arc<Shelf> {
        self.sealed.load_full()
    }

    /// Whether a provider can be called.
    pub fn has(&self, provider: &ProviderSlug) -> bool {
        self.sealed.load().by_provider.contains_key(provider)
    }

    /// Takes up changes other processes made.
    pub async fn follow(&self) -> Result<(), DirectoryError> {
        let revision = self.directory.credential_revision().await?;
        if revision == self.sealed.load().revision {
            return Ok(());
        }
        let rows = self.directory.provider_credentials().await?;
        let by_provider: HashMap<_, _> = rows.into_iter().map(sealed_of).collect();
        self.sealed.store(Arc::new(Shelf {
            revision,
            providers: by_provider.keys().cloned().collect(),
            by_provider,
        }));
        Ok(())
    }

    /// The plaintext cache may hold what was replaced or deleted.
    pub fn forget_plaintext(&self) {
        self.vault.forget_everything();
    }
}

fn sealed_of(row: StoredCredential) -> (ProviderSlug, Sealed) {
    let version = u32::try_from(row.record_version).unwrap_or(0);
    let context = context(row.credential_id, &row.provider, version);
    (
        row.provider,
        Sealed {
            context,
            blob: SealedSecret::from_bytes(row.sealed),
        },
    )
}

fn context(record: CredentialId, provider: &ProviderSlug, record_version: u32) -> SecretContext {
    SecretContext {
        tenant: Tenant::Operator,
        workspace: None,
        provider: provider.clone(),
        endpoint_host: None,
        record,
        record_version,
    }
}
