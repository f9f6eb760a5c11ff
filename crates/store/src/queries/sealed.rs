//! Sealed records as a rotation of keys sees them.

use async_trait::async_trait;
use sqlx::{FromRow, types::Uuid};
use switchyard_domain::{
    id::{AccountId, CredentialId, WorkspaceId},
    provider::ProviderSlug,
};

use super::{Engine, TRIES_MAX, credentials::WrappedRow};
use crate::{
    credential::TenantKeyRow,
    directory::DirectoryError,
    failure::Failure,
    sealed::{KeyVersionCount, SealedKind, SealedRow, SealedStore},
};

const TENANTS_AFTER: &str = "
    SELECT DISTINCT tenant FROM tenant_keys WHERE tenant > $1 ORDER BY tenant LIMIT $2";

const OWN_NOT_UNDER: &str = "
    SELECT
        credential_id, account_id, workspace_id, provider, endpoint_host, record_version, sealed
    FROM own_credentials
    WHERE account_id = $1 AND tenant_key_version <> $2 AND sealed IS NOT NULL
    ORDER BY credential_id LIMIT $3";

const SHARED: &str = "
    SELECT credential_id, provider, record_version, sealed FROM provider_credentials
    ORDER BY credential_id";

const SIGNING: &str = "SELECT key_id, public_key, sealed FROM signing_keys ORDER BY key_id";

const REWRAP_OWN: &str = "
    UPDATE own_credentials SET sealed = $2, tenant_key_version = $3
    WHERE credential_id = $1 AND sealed = $4";

const REWRAP_SHARED: &str =
    "UPDATE provider_credentials SET sealed = $2 WHERE credential_id = $1 AND sealed = $3";

const REWRAP_SIGNING: &str =
    "UPDATE signing_keys SET sealed = $2 WHERE key_id = $1 AND sealed = $3";

const BY_KEK: &str = "
    SELECT kek_id, kek_version, COUNT(*) FROM tenant_keys
    GROUP BY kek_id, kek_version ORDER BY kek_id, kek_version";

const BY_TENANT_KEY: &str = "
    SELECT account_id, tenant_key_version, COUNT(*) FROM own_credentials
    WHERE sealed IS NOT NULL
    GROUP BY account_id, tenant_key_version ORDER BY account_id, tenant_key_version";

const VERSIONS: &str = "
    SELECT tenant, version, kek_id, kek_version, wrapped FROM tenant_keys
    WHERE tenant = $1 ORDER BY version";

const NEWEST_LOCKED: &str = "SELECT MAX(version) FROM tenant_keys WHERE tenant = $1";

/// What was sealed for a repeated request does not say under which version; it is gone in a day.
const RECORDS_LEFT: &str = "
    SELECT EXISTS (
        SELECT 1 FROM own_credentials
        WHERE account_id = $1 AND tenant_key_version = $2 AND sealed IS NOT NULL
    ) OR EXISTS (
        SELECT 1 FROM idempotent_requests WHERE account_id = $1 AND sealed IS NOT NULL
    )";

const DELETE_VERSION: &str = "DELETE FROM tenant_keys WHERE tenant = $1 AND version = $2";

const SHRED: &str = "DELETE FROM tenant_keys WHERE tenant = $1";

#[derive(FromRow)]
struct OwnRow {
    credential_id: Uuid,
    account_id: Uuid,
    workspace_id: Option<Uuid>,
    provider: String,
    endpoint_host: Option<String>,
    record_version: i32,
    sealed: Vec<u8>,
}

impl From<OwnRow> for SealedRow {
    fn from(row: OwnRow) -> Self {
        let id = CredentialId::from_uuid(row.credential_id);
        Self {
            kind: SealedKind::OwnCredential,
            key: id.to_string(),
            account_id: Some(AccountId::from_uuid(row.account_id)),
            workspace_id: row.workspace_id.map(WorkspaceId::from_uuid),
            provider: ProviderSlug::new(row.provider),
            endpoint_host: row.endpoint_host,
            record: Some(id),
            public_key: None,
            record_version: row.record_version,
            sealed: row.sealed,
        }
    }
}

impl Engine {
    async fn select_tenants(&self, after: &str, limit: u32) -> Result<Vec<String>, Failure> {
        Ok(sqlx::query_scalar(TENANTS_AFTER)
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await?)
    }

    async fn select_sealed(
        &self,
        account: Option<AccountId>,
        tenant_key_version: i32,
        limit: u32,
    ) -> Result<Vec<SealedRow>, Failure> {
        let Some(account) = account else {
            return self.select_operator_sealed().await;
        };
        let rows: Vec<OwnRow> = sqlx::query_as(OWN_NOT_UNDER)
            .bind(account.as_uuid())
            .bind(tenant_key_version)
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn select_operator_sealed(&self) -> Result<Vec<SealedRow>, Failure> {
        let shared: Vec<(Uuid, String, i32, Vec<u8>)> =
            sqlx::query_as(SHARED).fetch_all(&self.reader).await?;
        let signing: Vec<(String, Vec<u8>, Vec<u8>)> =
            sqlx::query_as(SIGNING).fetch_all(&self.reader).await?;
        let shared = shared.into_iter().map(|(id, provider, version, sealed)| {
            let id = CredentialId::from_uuid(id);
            Ok(SealedRow {
                kind: SealedKind::SharedCredential,
                key: id.to_string(),
                account_id: None,
                workspace_id: None,
                provider: ProviderSlug::new(provider),
                endpoint_host: None,
                record: Some(id),
                public_key: None,
                record_version: version,
                sealed,
            })
        });
        let signing = signing.into_iter().map(|(key, public_key, sealed)| {
            let public_key = public_key
                .try_into()
                .map_err(|_| Failure::Inconsistent(format!("{key} has no public key")))?;
            Ok(SealedRow {
                kind: SealedKind::SigningKey,
                key,
                account_id: None,
                workspace_id: None,
                provider: ProviderSlug::new(""),
                endpoint_host: None,
                record: None,
                public_key: Some(public_key),
                record_version: 1,
                sealed,
            })
        });
        shared.chain(signing).collect()
    }

    async fn replace_sealed(
        &self,
        expected: &SealedRow,
        sealed: &[u8],
        tenant_key_version: i32,
    ) -> Result<bool, Failure> {
        let record = expected.record.map(CredentialId::as_uuid);
        let update = match expected.kind {
            SealedKind::OwnCredential => sqlx::query(REWRAP_OWN)
                .bind(record)
                .bind(sealed)
                .bind(tenant_key_version),
            SealedKind::SharedCredential => sqlx::query(REWRAP_SHARED).bind(record).bind(sealed),
            SealedKind::SigningKey => sqlx::query(REWRAP_SIGNING).bind(&expected.key).bind(sealed),
        };
        let updated = update
            .bind(expected.sealed.as_slice())
            .execute(&self.writer)
            .await?;
        Ok(updated.rows_affected() == 1)
    }

    async fn count_by_kek(&self) -> Result<Vec<KeyVersionCount>, Failure> {
        let rows: Vec<(String, i32, i64)> = sqlx::query_as(BY_KEK).fetch_all(&self.reader).await?;
        Ok(rows.into_iter().map(counted).collect())
    }

    async fn count_by_tenant_key(&self) -> Result<Vec<KeyVersionCount>, Failure> {
        let rows: Vec<(Uuid, i32, i64)> = sqlx::query_as(BY_TENANT_KEY)
            .fetch_all(&self.reader)
            .await?;
        let named = rows.into_iter().map(|(account, version, count)| {
            (AccountId::from_uuid(account).to_string(), version, count)
        });
        Ok(named.map(counted).collect())
    }

    async fn select_versions(&self, tenant: &str) -> Result<Vec<TenantKeyRow>, Failure> {
        let rows: Vec<WrappedRow> = sqlx::query_as(VERSIONS)
            .bind(tenant)
            .fetch_all(&self.reader)
            .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    async fn delete_version(&self, tenant: &str, version: i32) -> Result<(), Failure> {
        // The operator's records do not say what seals them; there are few, and so are its keys.
        let account: AccountId = tenant.parse().map_err(|_| Failure::Refused("operator"))?;
        let mut transaction = self.begin().await?;
        let newest: Option<i32> = sqlx::query_scalar(NEWEST_LOCKED)
            .bind(tenant)
            .fetch_one(&mut *transaction)
            .await?;
        if newest == Some(version) {
            return Err(Failure::Refused("newest"));
        }
        let left: bool = sqlx::query_scalar(RECORDS_LEFT)
            .bind(account.as_uuid())
            .bind(version)
            .fetch_one(&mut *transaction)
            .await?;
        if left {
            return Err(Failure::Refused("records_left"));
        }
        let deleted = sqlx::query(DELETE_VERSION)
            .bind(tenant)
            .bind(version)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if deleted == 0 {
            return Err(Failure::Missing(format!("{tenant} version {version}")));
        }
        Ok(transaction.commit().await?)
    }

    async fn delete_versions(&self, tenant: &str) -> Result<u64, Failure> {
        let deleted = sqlx::query(SHRED)
            .bind(tenant)
            .execute(&self.writer)
            .await?;
        Ok(deleted.rows_affected())
    }
}

fn counted((key, version, count): (String, i32, i64)) -> KeyVersionCount {
    KeyVersionCount {
        key,
        version,
        count: u64::try_from(count).unwrap_or_default(),
    }
}

#[async_trait]
impl SealedStore for Engine {
    async fn tenants_after(&self, tenant: &str, limit: u32) -> Result<Vec<String>, DirectoryError> {
        retried!(self.select_tenants(tenant, limit))
    }

    async fn sealed_rows_not_under(
        &self,
        account: Option<AccountId>,
        tenant_key_version: i32,
        limit: u32,
    ) -> Result<Vec<SealedRow>, DirectoryError> {
        retried!(self.select_sealed(account, tenant_key_version, limit))
    }

    async fn rewrap_sealed_row(
        &self,
        expected: &SealedRow,
        sealed: &[u8],
        tenant_key_version: i32,
    ) -> Result<bool, DirectoryError> {
        retried!(self.replace_sealed(expected, sealed, tenant_key_version))
    }

    async fn tenant_keys_by_kek(&self) -> Result<Vec<KeyVersionCount>, DirectoryError> {
        retried!(self.count_by_kek())
    }

    async fn records_by_tenant_key(&self) -> Result<Vec<KeyVersionCount>, DirectoryError> {
        retried!(self.count_by_tenant_key())
    }

    async fn tenant_key_versions(&self, tenant: &str) -> Result<Vec<TenantKeyRow>, DirectoryError> {
        retried!(self.select_versions(tenant))
    }

    async fn delete_tenant_key(&self, tenant: &str, version: i32) -> Result<(), DirectoryError> {
        retried!(self.delete_version(tenant, version))
    }

    async fn shred_tenant(&self, tenant: &str) -> Result<u64, DirectoryError> {
        retried!(self.delete_versions(tenant))
    }
}
