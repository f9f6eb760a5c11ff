//! Passkeys.

use serde_json::Value;
use sqlx::{
    FromRow,
    types::{Json, Uuid},
};
use switchyard_domain::{
    clock::Timestamp,
    id::{PasskeyId, PersonId},
};

use super::super::Engine;
use crate::{
    audit::AuditEvent,
    failure::Failure,
    portable::{At, JsonText, without_nul},
    proof::{KeptPasskey, NewPasskey},
};

const INSERT: &str = "
    INSERT INTO person_passkeys (passkey_id, person_id, credential_id, passkey, name, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)";

const OF_PERSON: &str = "
    SELECT passkey_id, person_id, passkey, name, created_at, last_used_at FROM person_passkeys
    WHERE person_id = $1 ORDER BY created_at, passkey_id";

const BY_CREDENTIAL: &str = "
    SELECT passkey_id, person_id, passkey, name, created_at, last_used_at FROM person_passkeys
    WHERE credential_id = $1";

const TOUCH: &str =
    "UPDATE person_passkeys SET passkey = $2, last_used_at = $3 WHERE passkey_id = $1";

const RENAME: &str = "
    UPDATE person_passkeys SET name = $3 WHERE person_id = $1 AND passkey_id = $2 RETURNING 1";

const REMOVE: &str =
    "DELETE FROM person_passkeys WHERE person_id = $1 AND passkey_id = $2 RETURNING 1";

#[derive(FromRow)]
struct Row {
    passkey_id: Uuid,
    person_id: Uuid,
    passkey: Json<Value>,
    name: String,
    created_at: At,
    last_used_at: Option<At>,
}

impl From<Row> for KeptPasskey {
    fn from(row: Row) -> Self {
        Self {
            id: PasskeyId::from_uuid(row.passkey_id),
            person_id: PersonId::from_uuid(row.person_id),
            passkey: row.passkey.0,
            name: row.name,
            created_at: row.created_at.0,
            last_used_at: row.last_used_at.map(|at| at.0),
        }
    }
}

impl Engine {
    pub(super) async fn insert_person_passkey(
        &self,
        passkey: &NewPasskey,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        sqlx::query(INSERT)
            .bind(passkey.id.as_uuid())
            .bind(passkey.person_id.as_uuid())
            .bind(&passkey.credential_id[..])
            .bind(document(&passkey.passkey)?)
            .bind(without_nul(&passkey.name))
            .bind(At(passkey.at))
            .execute(&mut *transaction)
            .await
            .map_err(|error| Failure::from(error).or_conflict("passkey"))?;
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn select_passkeys(
        &self,
        person: PersonId,
    ) -> Result<Vec<KeptPasskey>, Failure> {
        let rows: Vec<Row> = sqlx::query_as(OF_PERSON)
            .bind(person.as_uuid())
            .fetch_all(&self.reader)
            .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    pub(super) async fn select_passkey(
        &self,
        credential_id: &[u8],
    ) -> Result<Option<KeptPasskey>, Failure> {
        let row: Option<Row> = sqlx::query_as(BY_CREDENTIAL)
            .bind(credential_id)
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(Into::into))
    }

    pub(super) async fn update_passkey_use(
        &self,
        id: PasskeyId,
        passkey: &Value,
        at: Timestamp,
    ) -> Result<(), Failure> {
        sqlx::query(TOUCH)
            .bind(id.as_uuid())
            .bind(document(passkey)?)
            .bind(At(at))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub(super) async fn update_passkey_name(
        &self,
        person: PersonId,
        id: PasskeyId,
        name: &str,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        let renamed: Option<i32> = sqlx::query_scalar(RENAME)
            .bind(person.as_uuid())
            .bind(id.as_uuid())
            .bind(without_nul(name))
            .fetch_optional(&mut *transaction)
            .await?;
        if renamed.is_none() {
            return Err(Failure::Missing(id.to_string()));
        }
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn delete_passkey(
        &self,
        person: PersonId,
        id: PasskeyId,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        let removed: Option<i32> = sqlx::query_scalar(REMOVE)
            .bind(person.as_uuid())
            .bind(id.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
        if removed.is_none() {
            return Err(Failure::Missing(id.to_string()));
        }
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }
}

fn document(value: &Value) -> Result<JsonText, Failure> {
    JsonText::of(value).map_err(|error| Failure::Inconsistent(error.to_string()))
}
