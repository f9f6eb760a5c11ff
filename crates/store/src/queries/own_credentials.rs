//! Customers' credentials: making, changing, ordering, deleting.

mod listing;
mod states;

use async_trait::async_trait;
use sqlx::{Database, types::Uuid};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, CredentialId, PersonId, WorkspaceId},
    provider::ProviderSlug,
};

pub(super) use self::listing::filters_text;
use super::{super::Db, Engine, TRIES_MAX, rows};
use crate::{
    api_key::Page,
    audit::AuditEvent,
    directory::DirectoryError,
    failure::Failure,
    own_credential::{
        CredentialState, NewOwnCredential, OwnCredentialChange, OwnCredentialFilter,
        OwnCredentialRevision, OwnCredentialRow, OwnCredentialStore, OwnerEvent, SealedRecord,
        SecretFacts,
    },
    portable::{At, without_nul},
};

const WORKSPACE_OF_ACCOUNT: &str = "
    SELECT 1 FROM workspaces
    WHERE workspace_id = $1 AND account_id = $2 AND deleted_at IS NULL";

/// In the same place: in the same workspace, or both in all of them.
const SAME_SECRET: &str = "
    SELECT 1 FROM own_credentials
    WHERE account_id = $1 AND provider = $2 AND fingerprint = $3 AND deleted_at IS NULL
        AND credential_id <> $4
        AND COALESCE(workspace_id, account_id) = COALESCE($5, account_id)";

const NEXT_PLACE: &str = "
    SELECT CAST(COALESCE(MAX(sort_order) + 1, 0) AS INTEGER) FROM own_credentials
    WHERE account_id = $1 AND provider = $2 AND deleted_at IS NULL";

const INSERT: &str = "
    INSERT INTO own_credentials (
        credential_id, account_id, workspace_id, provider, kind, name, label, sealed,
        record_version, tenant_key_version, endpoint_host, fingerprint, disabled, section,
        sort_order, is_required, is_byok_only, declared_zdr, declared_region, filters,
        created_by, created_at, updated_at, revision
    )
    VALUES (
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
        $21, $22, $22, $23
    )";

const LOCKED: &str = "
    SELECT provider, workspace_id, revision FROM own_credentials
    WHERE credential_id = $1 AND account_id = $2 AND deleted_at IS NULL";

const CHANGE: &str = "
    UPDATE own_credentials SET
        name = $2, disabled = $3, section = $4, is_required = $5, is_byok_only = $6,
        declared_zdr = $7, declared_region = $8, filters = $9, updated_at = $10, revision = $11
    WHERE credential_id = $1";

const REPLACE_SECRET: &str = "
    UPDATE own_credentials SET
        sealed = $2, record_version = $3, tenant_key_version = $4, kind = $5, label = $6,
        endpoint_host = $7, fingerprint = $8
    WHERE credential_id = $1";

const MOVE: &str = "
    UPDATE own_credentials SET sort_order = $2, updated_at = $3, revision = $4
    WHERE credential_id = $1";

const DELETE: &str = "
    UPDATE own_credentials SET
        sealed = NULL, fingerprint = NULL, deleted_at = $3, updated_at = $3, revision = $4
    WHERE credential_id = $1 AND account_id = $2 AND deleted_at IS NULL";

impl Engine {
    async fn insert_own(
        &self,
        new: &NewOwnCredential,
        audit: &AuditEvent,
    ) -> Result<OwnCredentialRevision, Failure> {
        let mut transaction = self.begin().await?;
        // Changes come one after the other from here on, so what is asked next stays true.
        let revision = rows::next_revision(&mut transaction, rows::OWN_CREDENTIALS).await?;
        if let Some(workspace) = new.workspace_id {
            let found: Option<i32> = sqlx::query_scalar(WORKSPACE_OF_ACCOUNT)
                .bind(workspace.as_uuid())
                .bind(new.account_id.as_uuid())
                .fetch_optional(&mut *transaction)
                .await?;
            found.ok_or_else(|| Failure::Missing(workspace.to_string()))?;
        }
        let place = (new.account_id, new.workspace_id, &new.provider, new.id);
        expect_new_secret(&mut transaction, place, &new.facts).await?;
        self.keep_tenant_key(
            &mut transaction,
            new.account_id,
            new.secret.tenant_key_version,
        )
        .await?;
        let sort_order: i32 = sqlx::query_scalar(NEXT_PLACE)
            .bind(new.account_id.as_uuid())
            .bind(new.provider.as_str())
            .fetch_one(&mut *transaction)
            .await?;
        insert_row(&mut transaction, new, sort_order, revision).await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(OwnCredentialRevision {
            revision,
            id: new.id,
            account_id: new.account_id,
        })
    }

    #[cfg(feature = "test-suite")]
    async fn insert_all(&self, credentials: &[NewOwnCredential]) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        for (place, new) in (0_i32..).zip(credentials) {
            let revision = rows::next_revision(&mut transaction, rows::OWN_CREDENTIALS).await?;
            insert_row(&mut transaction, new, place, revision).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn change_own(
        &self,
        account: AccountId,
        id: CredentialId,
        change: &OwnCredentialChange,
        audit: &AuditEvent,
    ) -> Result<OwnCredentialRevision, Failure> {
        let mut transaction = self.begin().await?;
        let revision = rows::next_revision(&mut transaction, rows::OWN_CREDENTIALS).await?;
        let row: Option<(String, Option<Uuid>, i64)> = sqlx::query_as(LOCKED)
            .bind(id.as_uuid())
            .bind(account.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
        let (provider, workspace, from) = row.ok_or_else(|| Failure::Missing(id.to_string()))?;
        if from != change.expected_revision {
            return Err(Failure::Conflict("revision"));
        }
        if let Some((secret, facts)) = &change.secret {
            let provider = ProviderSlug::new(provider);
            let workspace = workspace.map(WorkspaceId::from_uuid);
            let place = (account, workspace, &provider, id);
            expect_new_secret(&mut transaction, place, facts).await?;
            self.keep_tenant_key(&mut transaction, account, secret.tenant_key_version)
                .await?;
            replace_secret(&mut transaction, id, secret, facts).await?;
        }
        let settings = &change.settings;
        sqlx::query(CHANGE)
            .bind(id.as_uuid())
            .bind(settings.name.as_deref().map(without_nul))
            .bind(settings.disabled)
            .bind(settings.section.as_str())
            .bind(settings.is_required)
            .bind(settings.is_byok_only)
            .bind(settings.declared_zdr)
            .bind(settings.declared_region.as_deref())
            .bind(filters_text(&settings.filters)?)
            .bind(At(change.at))
            .bind(revision)
            .execute(&mut *transaction)
            .await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(OwnCredentialRevision {
            revision,
            id,
            account_id: account,
        })
    }

    async fn order_own(
        &self,
        account: AccountId,
        provider: &ProviderSlug,
        ids: &[CredentialId],
        audit: &AuditEvent,
    ) -> Result<Vec<OwnCredentialRevision>, Failure> {
        let mut transaction = self.begin().await?;
        let mut revision = rows::next_revision(&mut transaction, rows::OWN_CREDENTIALS).await?;
        let present = listing::ids_of_provider(&mut transaction, account, provider).await?;
        if let Some(stranger) = ids.iter().find(|id| !present.contains(id)) {
            return Err(Failure::Missing(stranger.to_string()));
        }
        let others = present.iter().filter(|id| !ids.contains(id));
        let mut moved = Vec::with_capacity(present.len());
        for (place, id) in (0_i32..).zip(ids.iter().chain(others)) {
            if !moved.is_empty() {
                revision = rows::next_revision(&mut transaction, rows::OWN_CREDENTIALS).await?;
            }
            sqlx::query(MOVE)
                .bind(id.as_uuid())
                .bind(place)
                .bind(At(audit.at))
                .bind(revision)
                .execute(&mut *transaction)
                .await?;
            moved.push(OwnCredentialRevision {
                revision,
                id: *id,
                account_id: account,
            });
        }
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(moved)
    }

    async fn delete_own(
        &self,
        account: AccountId,
        id: CredentialId,
        audit: &AuditEvent,
    ) -> Result<OwnCredentialRevision, Failure> {
        let mut transaction = self.begin().await?;
        let revision = rows::next_revision(&mut transaction, rows::OWN_CREDENTIALS).await?;
        let gone = OwnCredentialRevision {
            revision,
            id,
            account_id: account,
        };
        if !wipe(&mut transaction, gone, audit.at).await? {
            return Err(Failure::Missing(id.to_string()));
        }
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(gone)
    }
}

/// Deletes a credential with its secret; `false` when the account has no such one.
pub(super) async fn wipe(
    connection: &mut <Db as Database>::Connection,
    gone: OwnCredentialRevision,
    at: Timestamp,
) -> Result<bool, Failure> {
    let deleted = sqlx::query(DELETE)
        .bind(gone.id.as_uuid())
        .bind(gone.account_id.as_uuid())
        .bind(At(at))
        .bind(gone.revision)
        .execute(connection)
        .await?
        .rows_affected();
    Ok(deleted > 0)
}

type Place<'a> = (
    AccountId,
    Option<WorkspaceId>,
    &'a ProviderSlug,
    CredentialId,
);

async fn expect_new_secret(
    connection: &mut <Db as Database>::Connection,
    (account, workspace, provider, id): Place<'_>,
    facts: &SecretFacts,
) -> Result<(), Failure> {
    let same: Option<i32> = sqlx::query_scalar(SAME_SECRET)
        .bind(account.as_uuid())
        .bind(provider.as_str())
        .bind(facts.fingerprint.as_slice())
        .bind(id.as_uuid())
        .bind(workspace.map(WorkspaceId::as_uuid))
        .fetch_optional(connection)
        .await?;
    match same {
        Some(_) => Err(Failure::Conflict("fingerprint")),
        None => Ok(()),
    }
}

async fn insert_row(
    connection: &mut <Db as Database>::Connection,
    new: &NewOwnCredential,
    sort_order: i32,
    revision: i64,
) -> Result<(), Failure> {
    let (facts, settings) = (&new.facts, &new.settings);
    sqlx::query(INSERT)
        .bind(new.id.as_uuid())
        .bind(new.account_id.as_uuid())
        .bind(new.workspace_id.map(WorkspaceId::as_uuid))
        .bind(new.provider.as_str())
        .bind(&facts.kind)
        .bind(settings.name.as_deref().map(without_nul))
        .bind(without_nul(&facts.label))
        .bind(new.secret.sealed.as_slice())
        .bind(new.secret.record_version)
        .bind(new.secret.tenant_key_version)
        .bind(facts.endpoint_host.as_deref())
        .bind(facts.fingerprint.as_slice())
        .bind(settings.disabled)
        .bind(settings.section.as_str())
        .bind(sort_order)
        .bind(settings.is_required)
        .bind(settings.is_byok_only)
        .bind(settings.declared_zdr)
        .bind(settings.declared_region.as_deref())
        .bind(filters_text(&settings.filters)?)
        .bind(without_nul(&new.created_by))
        .bind(At(new.at))
        .bind(revision)
        .execute(connection)
        .await
        .map_err(|error| Failure::from(error).or_conflict("credential_id"))?;
    Ok(())
}

async fn replace_secret(
    connection: &mut <Db as Database>::Connection,
    id: CredentialId,
    secret: &SealedRecord,
    facts: &SecretFacts,
) -> Result<(), Failure> {
    sqlx::query(REPLACE_SECRET)
        .bind(id.as_uuid())
        .bind(secret.sealed.as_slice())
        .bind(secret.record_version)
        .bind(secret.tenant_key_version)
        .bind(&facts.kind)
        .bind(without_nul(&facts.label))
        .bind(facts.endpoint_host.as_deref())
        .bind(facts.fingerprint.as_slice())
        .execute(connection)
        .await?;
    Ok(())
}

#[async_trait]
impl OwnCredentialStore for Engine {
    async fn insert_own_credential(
        &self,
        credential: &NewOwnCredential,
        audit: &AuditEvent,
    ) -> Result<OwnCredentialRevision, DirectoryError> {
        retried!(self.insert_own(credential, audit))
    }

    async fn change_own_credential(
        &self,
        account: AccountId,
        id: CredentialId,
        change: &OwnCredentialChange,
        audit: &AuditEvent,
    ) -> Result<OwnCredentialRevision, DirectoryError> {
        retried!(self.change_own(account, id, change, audit))
    }

    async fn order_own_credentials(
        &self,
        account: AccountId,
        provider: &ProviderSlug,
        ids: &[CredentialId],
        audit: &AuditEvent,
    ) -> Result<Vec<OwnCredentialRevision>, DirectoryError> {
        retried!(self.order_own(account, provider, ids, audit))
    }

    async fn delete_own_credential(
        &self,
        account: AccountId,
        id: CredentialId,
        audit: &AuditEvent,
    ) -> Result<OwnCredentialRevision, DirectoryError> {
        retried!(self.delete_own(account, id, audit))
    }

    async fn own_credential(
        &self,
        account: AccountId,
        id: CredentialId,
    ) -> Result<Option<OwnCredentialRow>, DirectoryError> {
        retried!(self.select_own(account, id))
    }

    async fn list_own_credentials(
        &self,
        account: AccountId,
        filter: &OwnCredentialFilter,
        page: Page,
    ) -> Result<(Vec<OwnCredentialRow>, u64), DirectoryError> {
        retried!(self.select_own_page(account, filter, page))
    }

    async fn own_credentials_of(
        &self,
        account: AccountId,
    ) -> Result<Vec<OwnCredentialRow>, DirectoryError> {
        retried!(self.select_all_own(account))
    }

    async fn own_credential_revisions_after(
        &self,
        revision: i64,
    ) -> Result<Vec<OwnCredentialRevision>, DirectoryError> {
        retried!(self.select_own_revisions(revision))
    }

    async fn own_credential_revision(&self) -> Result<i64, DirectoryError> {
        retried!(self.select_revision(rows::OWN_CREDENTIALS))
    }

    async fn note_credential_state(
        &self,
        id: CredentialId,
        state: &CredentialState,
        event: Option<&OwnerEvent>,
    ) -> Result<bool, DirectoryError> {
        retried!(self.upsert_credential_state(id, state, event))
    }

    async fn count_openings(
        &self,
        openings: &[(CredentialId, Timestamp, u64)],
    ) -> Result<(), DirectoryError> {
        retried!(self.add_openings(openings))
    }

    async fn openings(&self, id: CredentialId, from: Timestamp) -> Result<u64, DirectoryError> {
        retried!(self.select_openings(id, from))
    }

    async fn members_among(
        &self,
        account: AccountId,
        people: &[PersonId],
    ) -> Result<Vec<PersonId>, DirectoryError> {
        retried!(self.select_members_among(account, people))
    }

    #[cfg(feature = "test-suite")]
    async fn insert_many(&self, credentials: &[NewOwnCredential]) -> Result<(), DirectoryError> {
        retried!(self.insert_all(credentials))
    }

    async fn events_after(
        &self,
        account: AccountId,
        number: i64,
        limit: u32,
    ) -> Result<Vec<OwnerEvent>, DirectoryError> {
        retried!(self.select_events(account, number, limit))
    }

    async fn events_before(
        &self,
        account: AccountId,
        number: i64,
        limit: u32,
    ) -> Result<Vec<OwnerEvent>, DirectoryError> {
        retried!(self.select_latest_events(account, number, limit))
    }
}
