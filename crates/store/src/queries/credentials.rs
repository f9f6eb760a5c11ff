//! Sealed provider credentials and wrapped tenant keys.

use sqlx::{FromRow, types::Uuid};
use switchyard_domain::{id::CredentialId, provider::ProviderSlug};

use super::{Engine, rows};
use crate::{
    credential::{NewProviderCredential, StoredCredential, TenantKeyRow},
    failure::Failure,
    portable::{At, without_nul},
};

const PUT_CREDENTIAL: &str = "
    INSERT INTO provider_credentials
        (credential_id, provider, label, sealed, record_version, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (provider, label) DO UPDATE SET
        credential_id = excluded.credential_id, sealed = excluded.sealed,
        record_version = excluded.record_version, created_at = excluded.created_at";

const DELETE_CREDENTIAL: &str =
    "DELETE FROM provider_credentials WHERE provider = $1 AND label = $2";

const CREDENTIALS: &str = "
    SELECT credential_id, provider, label, sealed, record_version, created_at
    FROM provider_credentials ORDER BY provider, label";

const TENANT_KEY: &str = "
    SELECT tenant, version, kek_id, kek_version, wrapped FROM tenant_keys
    WHERE tenant = $1 AND version = $2";

const LATEST_TENANT_KEY: &str = "
    SELECT tenant, version, kek_id, kek_version, wrapped FROM tenant_keys
    WHERE tenant = $1 ORDER BY version DESC LIMIT 1";

const INSERT_TENANT_KEY: &str = "
    INSERT INTO tenant_keys (tenant, version, kek_id, kek_version, wrapped)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (tenant, version) DO NOTHING";

const REWRAP_TENANT_KEY: &str = "
    UPDATE tenant_keys SET kek_id = $3, kek_version = $4, wrapped = $5
    WHERE tenant = $1 AND version = $2 AND kek_id = $6 AND kek_version = $7 AND wrapped = $8";

const TENANT_KEYS_NOT_UNDER: &str = "
    SELECT tenant, version, kek_id, kek_version, wrapped FROM tenant_keys
    WHERE (kek_id <> $1 OR kek_version <> $2) AND (tenant, version) > ($3, $4)
    ORDER BY tenant, version LIMIT $5";

/// API keys are not sealed, but verified under a pepper that the keyring holds as well.
const SEALED_ROWS_EXIST: &str = "
    SELECT EXISTS (SELECT 1 FROM tenant_keys)
        OR EXISTS (SELECT 1 FROM provider_credentials)
        OR EXISTS (SELECT 1 FROM own_credentials WHERE sealed IS NOT NULL)
        OR EXISTS (SELECT 1 FROM signing_keys)
        OR EXISTS (SELECT 1 FROM person_authenticators)
        OR EXISTS (SELECT 1 FROM idempotent_requests WHERE sealed IS NOT NULL)
        OR EXISTS (SELECT 1 FROM api_keys WHERE deleted_at IS NULL)";

#[derive(FromRow)]
struct CredentialRow {
    credential_id: Uuid,
    provider: String,
    label: String,
    sealed: Vec<u8>,
    record_version: i32,
    created_at: At,
}

impl From<CredentialRow> for StoredCredential {
    fn from(row: CredentialRow) -> Self {
        Self {
            credential_id: CredentialId::from_uuid(row.credential_id),
            provider: ProviderSlug::new(row.provider),
            label: row.label,
            sealed: row.sealed,
            record_version: row.record_version,
            created_at: row.created_at.0,
        }
    }
}

#[derive(FromRow)]
pub(super) struct WrappedRow {
    tenant: String,
    version: i32,
    kek_id: String,
    kek_version: i32,
    wrapped: Vec<u8>,
}

impl From<WrappedRow> for TenantKeyRow {
    fn from(row: WrappedRow) -> Self {
        Self {
            tenant: row.tenant,
            version: row.version,
            kek_id: row.kek_id,
            kek_version: row.kek_version,
            wrapped: row.wrapped,
        }
    }
}

impl Engine {
    pub(super) async fn upsert_provider_credential(
        &self,
        credential: &NewProviderCredential,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        rows::next_revision(&mut transaction, rows::PROVIDER_CREDENTIALS).await?;
        sqlx::query(PUT_CREDENTIAL)
            .bind(credential.credential_id.as_uuid())
            .bind(credential.provider.as_str())
            .bind(without_nul(&credential.label))
            .bind(credential.sealed.as_slice())
            .bind(credential.record_version)
            .bind(At(credential.at))
            .execute(&mut *transaction)
            .await
            .map_err(|error| Failure::from(error).or_conflict("credential_id"))?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn remove_provider_credential(
        &self,
        provider: &ProviderSlug,
        label: &str,
    ) -> Result<bool, Failure> {
        let mut transaction = self.begin().await?;
        rows::next_revision(&mut transaction, rows::PROVIDER_CREDENTIALS).await?;
        let deleted = sqlx::query(DELETE_CREDENTIAL)
            .bind(provider.as_str())
            .bind(without_nul(label))
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if deleted == 0 {
            return Ok(false);
        }
        transaction.commit().await?;
        Ok(true)
    }

    pub(super) async fn select_provider_credentials(
        &self,
    ) -> Result<Vec<StoredCredential>, Failure> {
        let rows: Vec<CredentialRow> = sqlx::query_as(CREDENTIALS).fetch_all(&self.reader).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    pub(super) async fn select_tenant_key(
        &self,
        tenant: &str,
        version: i32,
    ) -> Result<Option<TenantKeyRow>, Failure> {
        let row: Option<WrappedRow> = sqlx::query_as(TENANT_KEY)
            .bind(tenant)
            .bind(version)
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(Into::into))
    }

    pub(super) async fn select_latest_tenant_key(
        &self,
        tenant: &str,
    ) -> Result<Option<TenantKeyRow>, Failure> {
        let row: Option<WrappedRow> = sqlx::query_as(LATEST_TENANT_KEY)
            .bind(tenant)
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(Into::into))
    }

    pub(super) async fn insert_tenant_key(
        &self,
        row: &TenantKeyRow,
    ) -> Result<TenantKeyRow, Failure> {
        let mut transaction = self.begin().await?;
        sqlx::query(INSERT_TENANT_KEY)
            .bind(&row.tenant)
            .bind(row.version)
            .bind(&row.kek_id)
            .bind(row.kek_version)
            .bind(row.wrapped.as_slice())
            .execute(&mut *transaction)
            .await?;
        let there: WrappedRow = sqlx::query_as(TENANT_KEY)
            .bind(&row.tenant)
            .bind(row.version)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(there.into())
    }

    pub(super) async fn update_tenant_key(
        &self,
        expected: &TenantKeyRow,
        rewrapped: &TenantKeyRow,
    ) -> Result<bool, Failure> {
        let mut transaction = self.begin().await?;
        let updated = sqlx::query(REWRAP_TENANT_KEY)
            .bind(&expected.tenant)
            .bind(expected.version)
            .bind(&rewrapped.kek_id)
            .bind(rewrapped.kek_version)
            .bind(rewrapped.wrapped.as_slice())
            .bind(&expected.kek_id)
            .bind(expected.kek_version)
            .bind(expected.wrapped.as_slice())
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        transaction.commit().await?;
        Ok(updated == 1)
    }

    pub(super) async fn select_tenant_keys_not_under(
        &self,
        kek_id: &str,
        kek_version: i32,
        after: Option<&TenantKeyRow>,
        limit: u32,
    ) -> Result<Vec<TenantKeyRow>, Failure> {
        let rows: Vec<WrappedRow> = sqlx::query_as(TENANT_KEYS_NOT_UNDER)
            .bind(kek_id)
            .bind(kek_version)
            .bind(after.map_or("", |row| &row.tenant))
            .bind(after.map_or(0, |row| row.version))
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    pub(super) async fn select_sealed_rows_exist(&self) -> Result<bool, Failure> {
        Ok(sqlx::query_scalar(SEALED_ROWS_EXIST)
            .fetch_one(&self.reader)
            .await?)
    }
}
