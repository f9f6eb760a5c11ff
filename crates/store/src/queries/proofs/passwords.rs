//! Passwords, and addresses that were shown to be read.

use sqlx::{Database, types::Uuid};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, PersonId, SessionId},
};

use super::super::{super::Db, Engine};
use crate::{
    account::NewAccount, audit::AuditEvent, failure::Failure, portable::At, proof::KeptPassword,
};

const PASSWORD: &str = "SELECT phc, changed_at FROM person_passwords WHERE person_id = $1";

const UPSERT: &str = "
    INSERT INTO person_passwords (person_id, phc, changed_at) VALUES ($1, $2, $3)
    ON CONFLICT (person_id) DO UPDATE SET phc = $2, changed_at = $3";

const REHASH: &str = "UPDATE person_passwords SET phc = $3 WHERE person_id = $1 AND phc = $2";

const END_SESSIONS: &str = "
    UPDATE person_sessions SET ended_at = $3
    WHERE person_id = $1 AND session_id <> $2 AND ended_at IS NULL";

const USE_LINK: &str = "
    UPDATE person_links SET used_at = $3
    WHERE link_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3
    RETURNING person_id";

const USE_ITS_LIKE: &str = "
    UPDATE person_links SET used_at = $3
    WHERE person_id = $1 AND purpose = $2 AND used_at IS NULL";

const VERIFY: &str = "
    UPDATE people SET email_verified_at = $2
    WHERE person_id = $1 AND email_verified_at IS NULL";

const HAS_VERIFIED_OWNER: &str = "
    SELECT EXISTS (
        SELECT 1 FROM memberships AS m
        JOIN people AS p ON p.person_id = m.person_id
        WHERE m.account_id = $1 AND m.role = 'owner' AND p.email_verified_at IS NOT NULL
    )";

impl Engine {
    pub(super) async fn insert_signed_up(
        &self,
        account: &NewAccount,
        phc: &str,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        self.insert_account_in(&mut transaction, account, None)
            .await?;
        let person = PersonId::from_uuid(account.account_id.as_uuid());
        upsert(&mut transaction, person, phc, account.at).await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn select_password(
        &self,
        person: PersonId,
    ) -> Result<Option<KeptPassword>, Failure> {
        let row: Option<(String, At)> = sqlx::query_as(PASSWORD)
            .bind(person.as_uuid())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(|(phc, changed_at)| KeptPassword {
            phc,
            changed_at: changed_at.0,
        }))
    }

    pub(super) async fn upsert_password(
        &self,
        person: PersonId,
        phc: &str,
        keep: Option<SessionId>,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        upsert(&mut transaction, person, phc, audit.at).await?;
        end_sessions(&mut transaction, person, keep, audit.at).await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn update_password_hash(
        &self,
        person: PersonId,
        expected: &str,
        phc: &str,
    ) -> Result<(), Failure> {
        sqlx::query(REHASH)
            .bind(person.as_uuid())
            .bind(expected)
            .bind(phc)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub(super) async fn reset_by_link(
        &self,
        link_hash: &[u8; 32],
        purpose: &str,
        phc: &str,
        audit: &AuditEvent,
    ) -> Result<Option<PersonId>, Failure> {
        let mut transaction = self.begin().await?;
        let at = audit.at;
        let Some(person) = use_link(&mut transaction, link_hash, purpose, at).await? else {
            return Ok(None);
        };
        upsert(&mut transaction, person, phc, at).await?;
        end_sessions(&mut transaction, person, None, at).await?;
        sqlx::query(USE_ITS_LIKE)
            .bind(person.as_uuid())
            .bind(purpose)
            .bind(At(at))
            .execute(&mut *transaction)
            .await?;
        verify(&mut transaction, person, at).await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(Some(person))
    }

    pub(super) async fn verify_by_link(
        &self,
        link_hash: &[u8; 32],
        purpose: &str,
        audit: &AuditEvent,
    ) -> Result<Option<PersonId>, Failure> {
        let mut transaction = self.begin().await?;
        let used = use_link(&mut transaction, link_hash, purpose, audit.at).await?;
        let Some(person) = used else {
            return Ok(None);
        };
        verify(&mut transaction, person, audit.at).await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(Some(person))
    }

    pub(super) async fn select_has_verified_owner(
        &self,
        account: AccountId,
    ) -> Result<bool, Failure> {
        Ok(sqlx::query_scalar(HAS_VERIFIED_OWNER)
            .bind(account.as_uuid())
            .fetch_one(&self.reader)
            .await?)
    }
}

async fn upsert(
    connection: &mut <Db as Database>::Connection,
    person: PersonId,
    phc: &str,
    at: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(UPSERT)
        .bind(person.as_uuid())
        .bind(phc)
        .bind(At(at))
        .execute(connection)
        .await?;
    Ok(())
}

async fn end_sessions(
    connection: &mut <Db as Database>::Connection,
    person: PersonId,
    keep: Option<SessionId>,
    at: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(END_SESSIONS)
        .bind(person.as_uuid())
        .bind(keep.map_or(Uuid::nil(), SessionId::as_uuid))
        .bind(At(at))
        .execute(connection)
        .await?;
    Ok(())
}

async fn use_link(
    connection: &mut <Db as Database>::Connection,
    link_hash: &[u8; 32],
    purpose: &str,
    at: Timestamp,
) -> Result<Option<PersonId>, Failure> {
    let person: Option<Uuid> = sqlx::query_scalar(USE_LINK)
        .bind(&link_hash[..])
        .bind(purpose)
        .bind(At(at))
        .fetch_optional(connection)
        .await?;
    Ok(person.map(PersonId::from_uuid))
}

async fn verify(
    connection: &mut <Db as Database>::Connection,
    person: PersonId,
    at: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(VERIFY)
        .bind(person.as_uuid())
        .bind(At(at))
        .execute(connection)
        .await?;
    Ok(())
}
