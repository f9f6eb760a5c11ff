//! Tenant keys go: one version that nothing names any more, or all that an account has.

use sqlx::{Database, types::Uuid};
use switchyard_domain::id::AccountId;

use super::super::{super::Db, Engine, rows};
use crate::{audit::AuditEvent, failure::Failure, portable::At, sealed::Shredded};

/// What was sealed for a repeated request does not say under which version; it is gone in a day.
const RECORDS_LEFT: &str = "
    SELECT EXISTS (
        SELECT 1 FROM own_credentials
        WHERE account_id = $1 AND tenant_key_version = $2 AND sealed IS NOT NULL
    ) OR EXISTS (
        SELECT 1 FROM idempotent_requests WHERE account_id = $1 AND sealed IS NOT NULL
    )";

const DELETE_VERSION: &str = "DELETE FROM tenant_keys WHERE tenant = $1 AND version = $2";

const DELETE_VERSIONS: &str = "DELETE FROM tenant_keys WHERE tenant = $1";

const SEALED_IDS: &str = "
    SELECT credential_id FROM own_credentials
    WHERE account_id = $1 AND sealed IS NOT NULL ORDER BY credential_id";

const WIPE: &str = "
    UPDATE own_credentials SET
        sealed = NULL, fingerprint = NULL, deleted_at = $2, updated_at = $2, revision = $3
    WHERE credential_id = $1";

const FORGET_ANSWERS: &str =
    "DELETE FROM idempotent_requests WHERE account_id = $1 AND sealed IS NOT NULL";

/// The row is made by the first who shreds.
const COUNT_SHREDDING: &str = "
    INSERT INTO revisions (subject, revision) VALUES ($1, 1)
    ON CONFLICT (subject) DO UPDATE SET revision = revisions.revision + 1";

const SHRED_REVISION: &str =
    "SELECT CAST(COALESCE(MAX(revision), 0) AS BIGINT) FROM revisions WHERE subject = $1";

impl Engine {
    /// Sees to it that the version of a key that a record is about to name stays until the record
    /// is there: nobody deletes a key between the sealing and the storing. An account without any
    /// key has nothing that could go missing.
    pub(in super::super) async fn keep_tenant_key(
        &self,
        connection: &mut <Db as Database>::Connection,
        account: AccountId,
        version: i32,
    ) -> Result<(), Failure> {
        let versions: Vec<i32> = sqlx::query_scalar(super::super::super::KEEP_TENANT_KEYS)
            .bind(account.to_string())
            .fetch_all(connection)
            .await?;
        if versions.is_empty() || versions.contains(&version) {
            Ok(())
        } else {
            Err(Failure::Refused("tenant_key_gone"))
        }
    }

    pub(super) async fn delete_version(&self, tenant: &str, version: i32) -> Result<(), Failure> {
        // The operator's records do not say what seals them; there are few, and so are its keys.
        let account: AccountId = tenant.parse().map_err(|_| Failure::Refused("operator"))?;
        let mut transaction = self.begin().await?;
        let versions: Vec<i32> = sqlx::query_scalar(super::super::super::TAKE_TENANT_KEYS)
            .bind(tenant)
            .fetch_all(&mut *transaction)
            .await?;
        if versions.last() == Some(&version) {
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

    pub(super) async fn shred(
        &self,
        account: AccountId,
        audit: &AuditEvent,
    ) -> Result<Shredded, Failure> {
        let tenant = account.to_string();
        let mut transaction = self.begin().await?;
        // Changes of credentials come one after the other from here on.
        rows::next_revision(&mut transaction, rows::OWN_CREDENTIALS).await?;
        let _: Vec<i32> = sqlx::query_scalar(super::super::super::TAKE_TENANT_KEYS)
            .bind(&tenant)
            .fetch_all(&mut *transaction)
            .await?;
        let ids: Vec<Uuid> = sqlx::query_scalar(SEALED_IDS)
            .bind(account.as_uuid())
            .fetch_all(&mut *transaction)
            .await?;
        let first =
            rows::next_revisions(&mut transaction, rows::OWN_CREDENTIALS, ids.len()).await?;
        for (id, revision) in ids.iter().zip(first..) {
            sqlx::query(WIPE)
                .bind(id)
                .bind(At(audit.at))
                .bind(revision)
                .execute(&mut *transaction)
                .await?;
        }
        sqlx::query(FORGET_ANSWERS)
            .bind(account.as_uuid())
            .execute(&mut *transaction)
            .await?;
        let keys = sqlx::query(DELETE_VERSIONS)
            .bind(&tenant)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        sqlx::query(COUNT_SHREDDING)
            .bind(rows::SHREDDED)
            .execute(&mut *transaction)
            .await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(Shredded {
            keys,
            records: ids.len() as u64,
        })
    }

    pub(super) async fn select_shred_revision(&self) -> Result<i64, Failure> {
        Ok(sqlx::query_scalar(SHRED_REVISION)
            .bind(rows::SHREDDED)
            .fetch_one(&self.reader)
            .await?)
    }
}
