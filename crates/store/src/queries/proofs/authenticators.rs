//! Authenticator apps, and the recovery codes that stand in for them.

use sqlx::{Database, FromRow, types::Uuid};
use switchyard_domain::{
    clock::Timestamp,
    id::{CredentialId, PersonId},
};

use super::super::{super::Db, Engine};
use crate::{audit::AuditEvent, failure::Failure, portable::At, proof::KeptAuthenticator};

const AUTHENTICATOR: &str = "
    SELECT record_id, sealed, confirmed_at, last_step FROM person_authenticators
    WHERE person_id = $1";

const SET_UP: &str = "
    INSERT INTO person_authenticators (person_id, record_id, sealed, created_at)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (person_id) DO UPDATE SET record_id = $2, sealed = $3, created_at = $4
    WHERE person_authenticators.confirmed_at IS NULL
    RETURNING 1";

const CONFIRM: &str = "
    UPDATE person_authenticators SET confirmed_at = $3, last_step = $4
    WHERE person_id = $1 AND record_id = $2 AND confirmed_at IS NULL RETURNING 1";

const USE_STEP: &str = "
    UPDATE person_authenticators SET last_step = $2
    WHERE person_id = $1 AND (last_step IS NULL OR last_step < $2) RETURNING 1";

const REMOVE: &str = "DELETE FROM person_authenticators WHERE person_id = $1 RETURNING 1";

const FORGET_CODES: &str = "DELETE FROM person_recovery_codes WHERE person_id = $1";

const INSERT_CODE: &str =
    "INSERT INTO person_recovery_codes (person_id, code_hash) VALUES ($1, $2)";

const USE_CODE: &str = "
    UPDATE person_recovery_codes SET used_at = $3
    WHERE person_id = $1 AND code_hash = $2 AND used_at IS NULL RETURNING 1";

const COUNT_CODES: &str =
    "SELECT COUNT(*) FROM person_recovery_codes WHERE person_id = $1 AND used_at IS NULL";

#[derive(FromRow)]
struct Row {
    record_id: Uuid,
    sealed: Vec<u8>,
    confirmed_at: Option<At>,
    last_step: Option<i64>,
}

impl Engine {
    pub(super) async fn select_authenticator(
        &self,
        person: PersonId,
    ) -> Result<Option<KeptAuthenticator>, Failure> {
        let row: Option<Row> = sqlx::query_as(AUTHENTICATOR)
            .bind(person.as_uuid())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(|row| KeptAuthenticator {
            record: CredentialId::from_uuid(row.record_id),
            sealed: row.sealed,
            confirmed_at: row.confirmed_at.map(|at| at.0),
            last_step: row.last_step.and_then(|step| u64::try_from(step).ok()),
        }))
    }

    pub(super) async fn upsert_authenticator(
        &self,
        person: PersonId,
        record: CredentialId,
        sealed: &[u8],
        at: Timestamp,
    ) -> Result<(), Failure> {
        let set_up: Option<i32> = sqlx::query_scalar(SET_UP)
            .bind(person.as_uuid())
            .bind(record.as_uuid())
            .bind(sealed)
            .bind(At(at))
            .fetch_optional(&self.writer)
            .await?;
        set_up.map(|_| ()).ok_or(Failure::Conflict("authenticator"))
    }

    pub(super) async fn mark_authenticator_confirmed(
        &self,
        person: PersonId,
        record: CredentialId,
        step: u64,
        code_hashes: &[[u8; 32]],
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        let confirmed: Option<i32> = sqlx::query_scalar(CONFIRM)
            .bind(person.as_uuid())
            .bind(record.as_uuid())
            .bind(At(audit.at))
            .bind(signed(step))
            .fetch_optional(&mut *transaction)
            .await?;
        if confirmed.is_none() {
            return Err(Failure::Missing("authenticator".to_owned()));
        }
        replace_codes(&mut transaction, person, code_hashes).await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn update_last_step(
        &self,
        person: PersonId,
        step: u64,
    ) -> Result<bool, Failure> {
        let used: Option<i32> = sqlx::query_scalar(USE_STEP)
            .bind(person.as_uuid())
            .bind(signed(step))
            .fetch_optional(&self.writer)
            .await?;
        Ok(used.is_some())
    }

    pub(super) async fn delete_authenticator(
        &self,
        person: PersonId,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        let removed: Option<i32> = sqlx::query_scalar(REMOVE)
            .bind(person.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
        if removed.is_none() {
            return Err(Failure::Missing("authenticator".to_owned()));
        }
        replace_codes(&mut transaction, person, &[]).await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn rewrite_recovery_codes(
        &self,
        person: PersonId,
        code_hashes: &[[u8; 32]],
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        replace_codes(&mut transaction, person, code_hashes).await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn consume_recovery_code(
        &self,
        person: PersonId,
        code_hash: &[u8; 32],
        audit: &AuditEvent,
    ) -> Result<bool, Failure> {
        let mut transaction = self.begin().await?;
        let used: Option<i32> = sqlx::query_scalar(USE_CODE)
            .bind(person.as_uuid())
            .bind(&code_hash[..])
            .bind(At(audit.at))
            .fetch_optional(&mut *transaction)
            .await?;
        if used.is_none() {
            return Ok(false);
        }
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(true)
    }

    pub(super) async fn count_recovery_codes(&self, person: PersonId) -> Result<u32, Failure> {
        let count: i64 = sqlx::query_scalar(COUNT_CODES)
            .bind(person.as_uuid())
            .fetch_one(&self.reader)
            .await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

async fn replace_codes(
    connection: &mut <Db as Database>::Connection,
    person: PersonId,
    code_hashes: &[[u8; 32]],
) -> Result<(), Failure> {
    sqlx::query(FORGET_CODES)
        .bind(person.as_uuid())
        .execute(&mut *connection)
        .await?;
    for hash in code_hashes {
        sqlx::query(INSERT_CODE)
            .bind(person.as_uuid())
            .bind(&hash[..])
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Steps of 30 seconds since 1970 are far below what an i64 holds.
fn signed(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}
