//! Sealed records as a rotation of keys sees them.

mod deletion;

use std::collections::BTreeSet;

use async_trait::async_trait;
use sqlx::{Database, FromRow, types::Uuid};
use switchyard_domain::{
    id::{AccountId, CredentialId, WorkspaceId},
    provider::ProviderSlug,
};

use super::{super::Db, Engine, TRIES_MAX, credentials::WrappedRow, rows};
use crate::{
    audit::AuditEvent,
    credential::TenantKeyRow,
    directory::DirectoryError,
    failure::Failure,
    sealed::{
        AUTHENTICATOR, KeyVersionCount, RewrappedRow, SealedKind, SealedRow, SealedStore, Shredded,
        TenantVersions,
    },
};

const TENANTS_AFTER: &str = "
    SELECT tenant, MAX(version), COUNT(*) FROM tenant_keys
    WHERE tenant > $1 GROUP BY tenant ORDER BY tenant LIMIT $2";

const OWN_NOT_UNDER: &str = "
    SELECT
        credential_id, account_id, workspace_id, provider, endpoint_host, record_version, sealed
    FROM own_credentials
    WHERE account_id = $1 AND tenant_key_version <> $2 AND sealed IS NOT NULL
        AND credential_id > $3
    ORDER BY credential_id LIMIT $4";

const SHARED: &str = "
    SELECT credential_id, provider, record_version, sealed FROM provider_credentials
    ORDER BY credential_id";

const SIGNING: &str = "SELECT key_id, public_key, sealed FROM signing_keys ORDER BY key_id";

const SEEDS: &str = "SELECT record_id, sealed FROM person_authenticators ORDER BY record_id";

const REWRAP_SEED: &str =
    "UPDATE person_authenticators SET sealed = $2 WHERE record_id = $1 AND sealed = $3";

const REWRAP_OWN: &str = "
    UPDATE own_credentials SET sealed = $2, tenant_key_version = $3, revision = $5
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

const OF_ACCOUNT: &str = "
    SELECT tenant_key_version, COUNT(*) FROM own_credentials
    WHERE account_id = $1 AND sealed IS NOT NULL
    GROUP BY tenant_key_version ORDER BY tenant_key_version";

const BY_PEPPER: &str = "
    SELECT pepper_version, COUNT(*) FROM api_keys
    WHERE deleted_at IS NULL AND label <> 'console'
    GROUP BY pepper_version ORDER BY pepper_version";

const VERSIONS: &str = "
    SELECT tenant, version, kek_id, kek_version, wrapped FROM tenant_keys
    WHERE tenant = $1 ORDER BY version";

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
    async fn select_tenants(
        &self,
        after: &str,
        limit: u32,
    ) -> Result<Vec<TenantVersions>, Failure> {
        let rows: Vec<(String, i32, i64)> = sqlx::query_as(TENANTS_AFTER)
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await?;
        let versions = |(tenant, newest, count)| TenantVersions {
            tenant,
            newest,
            count: whole(count),
        };
        Ok(rows.into_iter().map(versions).collect())
    }

    async fn select_sealed(
        &self,
        account: Option<AccountId>,
        tenant_key_version: i32,
        after: Option<CredentialId>,
        limit: u32,
    ) -> Result<Vec<SealedRow>, Failure> {
        let Some(account) = account else {
            return self.select_operator_sealed().await;
        };
        let rows: Vec<OwnRow> = sqlx::query_as(OWN_NOT_UNDER)
            .bind(account.as_uuid())
            .bind(tenant_key_version)
            .bind(after.map_or(Uuid::nil(), CredentialId::as_uuid))
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
        let seeds: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(SEEDS).fetch_all(&self.reader).await?;
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
        let seeds = seeds.into_iter().map(|(id, sealed)| {
            let id = CredentialId::from_uuid(id);
            Ok(SealedRow {
                kind: SealedKind::Authenticator,
                key: id.to_string(),
                account_id: None,
                workspace_id: None,
                provider: ProviderSlug::new(AUTHENTICATOR),
                endpoint_host: None,
                record: Some(id),
                public_key: None,
                record_version: 1,
                sealed,
            })
        });
        shared.chain(signing).chain(seeds).collect()
    }

    async fn replace_sealed(&self, rows: &[RewrappedRow]) -> Result<u64, Failure> {
        let mut transaction = self.begin().await?;
        let owns = |row: &&RewrappedRow| row.expected.kind == SealedKind::OwnCredential;
        let (own, operators): (Vec<_>, Vec<_>) = rows.iter().partition(owns);
        let mut replaced = 0;
        if !own.is_empty() {
            replaced += self.replace_own(&mut transaction, &own).await?;
        }
        if !operators.is_empty() {
            replaced += replace_operators(&mut transaction, &operators).await?;
        }
        transaction.commit().await?;
        Ok(replaced)
    }

    async fn replace_own(
        &self,
        connection: &mut <Db as Database>::Connection,
        rows: &[&RewrappedRow],
    ) -> Result<u64, Failure> {
        // So that running nodes read them again.
        let mut revision =
            rows::next_revisions(connection, rows::OWN_CREDENTIALS, rows.len()).await?;
        let keys: BTreeSet<_> = rows
            .iter()
            .filter_map(|row| Some((row.expected.account_id?, row.tenant_key_version)))
            .collect();
        for (account, version) in keys {
            self.keep_tenant_key(connection, account, version).await?;
        }
        let mut replaced = 0;
        for row in rows {
            let updated = sqlx::query(REWRAP_OWN)
                .bind(row.expected.record.map(CredentialId::as_uuid))
                .bind(row.sealed.as_slice())
                .bind(row.tenant_key_version)
                .bind(row.expected.sealed.as_slice())
                .bind(revision)
                .execute(&mut *connection)
                .await?;
            replaced += updated.rows_affected();
            revision += 1;
        }
        Ok(replaced)
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

    async fn count_of_account(&self, account: AccountId) -> Result<Vec<(i32, u64)>, Failure> {
        let rows: Vec<(i32, i64)> = sqlx::query_as(OF_ACCOUNT)
            .bind(account.as_uuid())
            .fetch_all(&self.reader)
            .await?;
        let counted = |(version, count)| (version, whole(count));
        Ok(rows.into_iter().map(counted).collect())
    }

    async fn count_by_pepper(&self) -> Result<Vec<(i32, u64)>, Failure> {
        let rows: Vec<(i32, i64)> = sqlx::query_as(BY_PEPPER).fetch_all(&self.reader).await?;
        let counted = |(version, count)| (version, whole(count));
        Ok(rows.into_iter().map(counted).collect())
    }
}

async fn replace_operators(
    connection: &mut <Db as Database>::Connection,
    rows: &[&RewrappedRow],
) -> Result<u64, Failure> {
    // So that running nodes read them again.
    rows::next_revision(connection, rows::PROVIDER_CREDENTIALS).await?;
    let mut replaced = 0;
    for row in rows {
        let update = match (row.expected.kind, row.expected.record) {
            (SealedKind::Authenticator, Some(record)) => {
                sqlx::query(REWRAP_SEED).bind(record.as_uuid())
            }
            (_, Some(record)) => sqlx::query(REWRAP_SHARED).bind(record.as_uuid()),
            (_, None) => sqlx::query(REWRAP_SIGNING).bind(&row.expected.key),
        };
        let updated = update
            .bind(row.sealed.as_slice())
            .bind(row.expected.sealed.as_slice())
            .execute(&mut *connection)
            .await?;
        replaced += updated.rows_affected();
    }
    Ok(replaced)
}

fn counted((key, version, count): (String, i32, i64)) -> KeyVersionCount {
    KeyVersionCount {
        key,
        version,
        count: whole(count),
    }
}

fn whole(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

#[async_trait]
impl SealedStore for Engine {
    async fn tenants_after(
        &self,
        tenant: &str,
        limit: u32,
    ) -> Result<Vec<TenantVersions>, DirectoryError> {
        retried!(self.select_tenants(tenant, limit))
    }

    async fn sealed_rows_not_under(
        &self,
        account: Option<AccountId>,
        tenant_key_version: i32,
        after: Option<CredentialId>,
        limit: u32,
    ) -> Result<Vec<SealedRow>, DirectoryError> {
        retried!(self.select_sealed(account, tenant_key_version, after, limit))
    }

    async fn rewrap_sealed_rows(&self, rows: &[RewrappedRow]) -> Result<u64, DirectoryError> {
        retried!(self.replace_sealed(rows))
    }

    async fn tenant_keys_by_kek(&self) -> Result<Vec<KeyVersionCount>, DirectoryError> {
        retried!(self.count_by_kek())
    }

    async fn records_by_tenant_key(&self) -> Result<Vec<KeyVersionCount>, DirectoryError> {
        retried!(self.count_by_tenant_key())
    }

    async fn records_of_account(
        &self,
        account: AccountId,
    ) -> Result<Vec<(i32, u64)>, DirectoryError> {
        retried!(self.count_of_account(account))
    }

    async fn api_keys_by_pepper(&self) -> Result<Vec<(i32, u64)>, DirectoryError> {
        retried!(self.count_by_pepper())
    }

    async fn tenant_key_versions(&self, tenant: &str) -> Result<Vec<TenantKeyRow>, DirectoryError> {
        retried!(self.select_versions(tenant))
    }

    async fn delete_tenant_key(&self, tenant: &str, version: i32) -> Result<(), DirectoryError> {
        retried!(self.delete_version(tenant, version))
    }

    async fn shred_account(
        &self,
        account: AccountId,
        audit: &AuditEvent,
    ) -> Result<Shredded, DirectoryError> {
        retried!(self.shred(account, audit))
    }

    async fn shred_revision(&self) -> Result<i64, DirectoryError> {
        retried!(self.select_shred_revision())
    }
}
