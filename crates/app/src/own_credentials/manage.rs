//! What owners do with their credentials. Each change is audited in its transaction and told to
//! every node; what is wrong with one is said without saying what the secret is.

use serde_json::json;
use switchyard_catalog::snapshot::{Catalog, Family};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, CredentialId, WorkspaceId},
    patch::Patch,
    provider::ProviderSlug,
    secret::Secret,
};
use switchyard_store::{
    DirectoryError,
    api_key::Page,
    audit::AuditEvent,
    own_credential::{
        CredentialSettings, NewOwnCredential, OwnCredentialChange, OwnCredentialFilter,
        OwnCredentialRow, OwnerEvent, SealedRecord, SecretFacts,
    },
};
use switchyard_upstream::credential::inspect;
use switchyard_vault::{SealError, SecretContext, Tenant};

use super::{
    OwnCredentials,
    settings::{check_together, family_of},
};
use crate::{
    audit::Actor,
    limits::{OWN_CREDENTIAL_TRIES_MAX, OWN_CREDENTIALS_PER_ACCOUNT_MAX},
};

/// A credential to be stored. What is not stated is open and off.
#[derive(Debug)]
pub struct NewCredential {
    /// Where it is used; `None` is every workspace of the account.
    pub workspace_id: Option<WorkspaceId>,
    pub provider: ProviderSlug,
    pub secret: Secret<Vec<u8>>,
    pub settings: CredentialSettings,
}

/// A change to a stored credential: what is not mentioned stays.
#[derive(Debug, Default)]
pub struct CredentialChange {
    pub name: Patch<String>,
    pub disabled: Option<bool>,
    pub is_fallback: Option<bool>,
    pub is_required: Option<bool>,
    pub is_byok_only: Option<bool>,
    pub declared_zdr: Patch<bool>,
    pub declared_region: Patch<String>,
    pub allowed_models: Patch<Vec<String>>,
    pub allowed_api_key_hashes: Patch<Vec<String>>,
    pub allowed_user_ids: Patch<Vec<String>>,
    /// A new secret in place of the old one.
    pub secret: Option<Secret<Vec<u8>>>,
}

/// Why a credential was not stored, changed or found.
#[derive(Debug, thiserror::Error)]
pub enum OwnCredentialError {
    /// What was sent is wrong, in this field where it is about one.
    #[error("{}{message}", field.as_ref().map_or(String::new(), |field| format!("`{field}` ")))]
    Invalid {
        field: Option<String>,
        /// Reads on after the field's name; holds nothing of a secret.
        message: String,
    },
    /// The account has no such thing; whether another has is not told.
    #[error("{0} was not found")]
    Missing(&'static str),
    /// The account has the same secret at this provider, in the same place.
    #[error("this secret is stored already for this provider in the same workspace")]
    Duplicate,
    /// Others keep changing it, or the key that it was sealed under.
    #[error("the credential, or the key that seals it, was changed at the same moment")]
    Contended,
    /// The account has as many as it may.
    #[error("an account may store {OWN_CREDENTIALS_PER_ACCOUNT_MAX} credentials")]
    TooMany,
    /// Secrets cannot be sealed at the moment.
    #[error("secrets cannot be sealed at the moment")]
    Sealing(#[source] SealError),
    #[error(transparent)]
    Directory(DirectoryError),
}

impl From<DirectoryError> for OwnCredentialError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Conflict("fingerprint") => Self::Duplicate,
            DirectoryError::Conflict("revision") | DirectoryError::Refused("tenant_key_gone") => {
                Self::Contended
            }
            DirectoryError::Missing(what) if what.starts_with(WorkspaceId::PREFIX) => {
                Self::Missing("the workspace")
            }
            DirectoryError::Missing(_) => Self::Missing("the credential"),
            other => Self::Directory(other),
        }
    }
}

/// What a new secret is stored as.
struct Sealed {
    record: SealedRecord,
    facts: SecretFacts,
}

impl OwnCredentials {
    /// Stores a credential behind the others of its provider.
    pub async fn create(
        &self,
        account: AccountId,
        catalog: &Catalog,
        new: NewCredential,
        by: &Actor,
    ) -> Result<OwnCredentialRow, OwnCredentialError> {
        let NewCredential {
            workspace_id,
            provider,
            secret,
            settings,
        } = new;
        let family = family_of(catalog, &provider)?;
        check_together(&settings)?;
        let stated = CredentialChange::stating(&settings);
        self.check_mentioned(account, catalog, &stated).await?;
        self.expect_room(account).await?;
        let at = self.clock.now();
        let id = CredentialId::from_uuid(self.random.uuid(at));
        let place = SecretContext {
            tenant: Tenant::Account(account),
            workspace: workspace_id,
            provider: provider.clone(),
            endpoint_host: None,
            record: id,
            record_version: 1,
        };
        let sealed = self.seal(account, family, place.clone(), &secret).await?;
        let detail = json!({
            "provider": provider.as_str(),
            "kind": sealed.facts.kind,
            "section": settings.section.as_str(),
        });
        let audit = audited(
            by,
            at,
            "credential.create",
            account,
            workspace_id,
            id,
            detail,
        );
        let mut new = NewOwnCredential {
            id,
            account_id: account,
            workspace_id,
            provider,
            secret: sealed.record,
            facts: sealed.facts,
            settings,
            created_by: by.id.clone(),
            at,
        };
        let mut tries_left = OWN_CREDENTIAL_TRIES_MAX;
        while let Err(error) = self.store.insert_own_credential(&new, &audit).await {
            tries_left -= 1;
            let error = OwnCredentialError::from(error);
            if tries_left == 0 || !matches!(error, OwnCredentialError::Contended) {
                return Err(error);
            }
            // The tenant's key was rotated since the secret was sealed. The newest one is asked for.
            let sealed = self.seal(account, family, place.clone(), &secret).await?;
            new.secret = sealed.record;
        }
        self.tell(account, id).await;
        self.get(account, id).await
    }

    async fn expect_room(&self, account: AccountId) -> Result<(), OwnCredentialError> {
        let everything = OwnCredentialFilter::default();
        let one = Page {
            offset: 0,
            limit: 1,
        };
        let (_, count) = self
            .store
            .list_own_credentials(account, &everything, one)
            .await?;
        if count < OWN_CREDENTIALS_PER_ACCOUNT_MAX {
            Ok(())
        } else {
            Err(OwnCredentialError::TooMany)
        }
    }

    /// An account's credentials by provider and place, and how many there are in all.
    pub async fn list(
        &self,
        account: AccountId,
        filter: &OwnCredentialFilter,
        page: Page,
    ) -> Result<(Vec<OwnCredentialRow>, u64), OwnCredentialError> {
        Ok(self
            .store
            .list_own_credentials(account, filter, page)
            .await?)
    }

    /// One of an account's credentials.
    pub async fn get(
        &self,
        account: AccountId,
        id: CredentialId,
    ) -> Result<OwnCredentialRow, OwnCredentialError> {
        let found = self.store.own_credential(account, id).await?;
        found.ok_or(OwnCredentialError::Missing("the credential"))
    }

    /// How often a credential was opened since `from`, by hours.
    pub async fn openings(
        &self,
        account: AccountId,
        id: CredentialId,
        from: Timestamp,
    ) -> Result<u64, OwnCredentialError> {
        self.get(account, id).await?;
        Ok(self.store.openings(id, from).await?)
    }

    /// What an account's owners should hear of, after the event with this number.
    pub async fn events_after(
        &self,
        account: AccountId,
        number: i64,
        limit: u32,
    ) -> Result<Vec<OwnerEvent>, OwnCredentialError> {
        Ok(self.store.events_after(account, number, limit).await?)
    }

    /// The same before the event with this number, the latest first.
    pub async fn events_before(
        &self,
        account: AccountId,
        number: i64,
        limit: u32,
    ) -> Result<Vec<OwnerEvent>, DirectoryError> {
        self.store.events_before(account, number, limit).await
    }

    /// Changes what is mentioned; a new secret takes the place of the old one, whose bytes go.
    pub async fn change(
        &self,
        account: AccountId,
        catalog: &Catalog,
        id: CredentialId,
        mut change: CredentialChange,
        by: &Actor,
    ) -> Result<OwnCredentialRow, OwnCredentialError> {
        self.check_mentioned(account, catalog, &change).await?;
        let mentioned = change.mentioned();
        let secret = change.secret.take();
        for _ in 0..OWN_CREDENTIAL_TRIES_MAX {
            let row = self.get(account, id).await?;
            let settings = change.over(&row.settings);
            check_together(&settings)?;
            let secret = match &secret {
                Some(secret) => {
                    let family = family_of(catalog, &row.provider)?;
                    Some(self.reseal(&row, family, secret).await?)
                }
                None => None,
            };
            let at = self.clock.now();
            let detail = json!({
                "changed": mentioned,
                "record_version": secret.as_ref().map(|sealed| sealed.record.record_version),
            });
            let action = if secret.is_some() {
                "credential.rotate"
            } else {
                "credential.change"
            };
            let audit = audited(by, at, action, account, row.workspace_id, id, detail);
            let change = OwnCredentialChange {
                settings,
                secret: secret.map(|sealed| (sealed.record, sealed.facts)),
                expected_revision: row.revision,
                at,
            };
            let changed = self
                .store
                .change_own_credential(account, id, &change, &audit);
            match changed.await.map_err(OwnCredentialError::from) {
                Ok(_) => {
                    self.tell(account, id).await;
                    return self.get(account, id).await;
                }
                Err(OwnCredentialError::Contended) => {}
                Err(error) => return Err(error),
            }
        }
        Err(OwnCredentialError::Contended)
    }

    /// Puts a new secret in place of the old one.
    pub async fn rotate(
        &self,
        account: AccountId,
        catalog: &Catalog,
        id: CredentialId,
        secret: Secret<Vec<u8>>,
        by: &Actor,
    ) -> Result<OwnCredentialRow, OwnCredentialError> {
        let change = CredentialChange {
            secret: Some(secret),
            ..CredentialChange::default()
        };
        self.change(account, catalog, id, change, by).await
    }

    /// Puts an account's credentials at a provider in this order; those not named follow in their
    /// old one.
    pub async fn order(
        &self,
        account: AccountId,
        provider: &ProviderSlug,
        ids: &[CredentialId],
        by: &Actor,
    ) -> Result<(), OwnCredentialError> {
        if (1..ids.len()).any(|place| ids[..place].contains(&ids[place])) {
            return Err(OwnCredentialError::Invalid {
                field: Some("ids".to_owned()),
                message: "names a credential twice".to_owned(),
            });
        }
        let at = self.clock.now();
        let detail = json!({ "provider": provider.as_str(), "ids": ids });
        let mut audit = by.did(at, "credential.order", account, detail);
        audit.origin.account_id = Some(account);
        let moved = self
            .store
            .order_own_credentials(account, provider, ids, &audit)
            .await?;
        // One is enough to have all of the account's looked up anew.
        if let Some(first) = moved.first() {
            self.tell(account, first.id).await;
        }
        Ok(())
    }

    /// Deletes a credential: its secret is gone for good, its row stays for the books.
    pub async fn delete(
        &self,
        account: AccountId,
        id: CredentialId,
        by: &Actor,
    ) -> Result<(), OwnCredentialError> {
        let row = self.get(account, id).await?;
        let detail = json!({ "provider": row.provider.as_str() });
        let audit = audited(
            by,
            self.clock.now(),
            "credential.delete",
            account,
            row.workspace_id,
            id,
            detail,
        );
        self.store
            .delete_own_credential(account, id, &audit)
            .await?;
        self.tell(account, id).await;
        Ok(())
    }

    /// Checks a secret offline and seals it for its place. The hosts that it names become a part of
    /// what the seal is bound to.
    async fn seal(
        &self,
        account: AccountId,
        family: Family,
        mut place: SecretContext,
        secret: &Secret<Vec<u8>>,
    ) -> Result<Sealed, OwnCredentialError> {
        let secret = Secret::new(secret.expose().trim_ascii().to_vec());
        let known = inspect(family, &place.provider, &secret).map_err(|invalid| {
            OwnCredentialError::Invalid {
                field: Some(match invalid.field {
                    Some(field) => format!("key.{field}"),
                    None => "key".to_owned(),
                }),
                message: invalid.message,
            }
        })?;
        let hosts = (!known.hosts.is_empty()).then(|| known.hosts.join(","));
        place.endpoint_host = hosts.as_deref().map(Into::into);
        let sealed = self
            .vault
            .seal(&place, &secret)
            .await
            .map_err(|error| match error {
                SealError::TooLarge { bytes } => OwnCredentialError::Invalid {
                    field: Some("key".to_owned()),
                    message: format!("is too long: {bytes} bytes"),
                },
                other => OwnCredentialError::Sealing(other),
            })?;
        let version = |version: Option<u32>| version.and_then(|number| i32::try_from(number).ok());
        let (fingerprint, _) = self.fingerprints.digest(&[
            account.as_uuid().as_bytes(),
            place.provider.as_str().as_bytes(),
            secret.expose(),
        ]);
        Ok(Sealed {
            record: SealedRecord {
                sealed: sealed.as_bytes().to_vec(),
                record_version: version(Some(place.record_version)).unwrap_or(i32::MAX),
                tenant_key_version: version(sealed.tenant_key_version()).unwrap_or_default(),
            },
            facts: SecretFacts {
                kind: known.kind.to_owned(),
                label: known.label,
                endpoint_host: hosts,
                fingerprint,
            },
        })
    }

    async fn reseal(
        &self,
        row: &OwnCredentialRow,
        family: Family,
        secret: &Secret<Vec<u8>>,
    ) -> Result<Sealed, OwnCredentialError> {
        let before = row.secret.as_ref().map_or(0, |old| old.record_version);
        let place = SecretContext {
            tenant: Tenant::Account(row.account_id),
            workspace: row.workspace_id,
            provider: row.provider.clone(),
            endpoint_host: None,
            record: row.id,
            record_version: u32::try_from(before).unwrap_or(0).saturating_add(1),
        };
        self.seal(row.account_id, family, place, secret).await
    }
}

fn audited(
    by: &Actor,
    at: Timestamp,
    action: &str,
    account: AccountId,
    workspace: Option<WorkspaceId>,
    id: CredentialId,
    detail: serde_json::Value,
) -> AuditEvent {
    let mut event = by.did(at, action, id, detail);
    event.origin.account_id = Some(account);
    event.origin.workspace_id = workspace;
    event
}
