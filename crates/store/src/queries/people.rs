//! People who sign in, and the links that are sent to them.

mod sessions;

use async_trait::async_trait;
use sqlx::{
    Database, FromRow,
    types::{Json, Uuid},
};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, PersonId, SessionId, WorkspaceId},
    tenancy::Role,
};

use super::{super::Db, Engine, TRIES_MAX, accounts::fold};
use crate::{
    audit::AuditEvent,
    directory::DirectoryError,
    failure::Failure,
    person::{
        AccountKind, Membership, NewLink, NewSession, OpenSession, Person, PersonStore, SessionRow,
        UsedLink,
    },
    portable::{At, JsonText},
};

const PERSON: &str = "
    SELECT person_id, email, name, email_verified_at, created_at FROM people WHERE person_id = $1";

const PERSON_BY_EMAIL: &str = "
    SELECT person_id, email, name, email_verified_at, created_at FROM people
    WHERE email_folded = $1";

const MEMBERSHIPS: &str = "
    SELECT m.account_id, m.role, a.name, a.kind, w.workspace_id
    FROM memberships AS m
    JOIN accounts AS a ON a.account_id = m.account_id
    JOIN workspaces AS w ON w.account_id = m.account_id AND w.is_default
    WHERE m.person_id = $1
    ORDER BY a.kind DESC, a.name, m.account_id";

const INSERT_LINK: &str = "
    INSERT INTO person_links (link_hash, purpose, person_id, detail, created_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6)";

const LINK: &str = "
    SELECT person_id, detail, created_at FROM person_links
    WHERE link_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3";

const USE_LINK: &str = "
    UPDATE person_links SET used_at = $3
    WHERE link_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3
    RETURNING person_id, detail, created_at";

#[derive(FromRow)]
struct PersonRow {
    person_id: Uuid,
    email: String,
    name: String,
    email_verified_at: Option<At>,
    created_at: At,
}

impl From<PersonRow> for Person {
    fn from(row: PersonRow) -> Self {
        Self {
            id: PersonId::from_uuid(row.person_id),
            email: row.email,
            name: row.name,
            email_verified_at: row.email_verified_at.map(|at| at.0),
            created_at: row.created_at.0,
        }
    }
}

#[derive(FromRow)]
struct MembershipRow {
    account_id: Uuid,
    role: String,
    name: String,
    kind: String,
    workspace_id: Uuid,
}

impl TryFrom<MembershipRow> for Membership {
    type Error = Failure;

    fn try_from(row: MembershipRow) -> Result<Self, Failure> {
        let unknown =
            |what: &str, name: &str| Failure::Inconsistent(format!("the unknown {what} {name}"));
        Ok(Self {
            account_id: AccountId::from_uuid(row.account_id),
            account_name: row.name,
            kind: AccountKind::from_name(&row.kind)
                .ok_or_else(|| unknown("kind of account", &row.kind))?,
            role: Role::from_name(&row.role).ok_or_else(|| unknown("role", &row.role))?,
            default_workspace_id: WorkspaceId::from_uuid(row.workspace_id),
        })
    }
}

#[derive(FromRow)]
struct LinkRow {
    person_id: Uuid,
    detail: Json<serde_json::Value>,
    created_at: At,
}

impl From<LinkRow> for UsedLink {
    fn from(row: LinkRow) -> Self {
        Self {
            person_id: PersonId::from_uuid(row.person_id),
            detail: row.detail.0,
            created_at: row.created_at.0,
        }
    }
}

impl Engine {
    async fn select_person(&self, id: PersonId) -> Result<Option<Person>, Failure> {
        let row: Option<PersonRow> = sqlx::query_as(PERSON)
            .bind(id.as_uuid())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(Into::into))
    }

    async fn select_person_by_email(&self, email: &str) -> Result<Option<Person>, Failure> {
        let row: Option<PersonRow> = sqlx::query_as(PERSON_BY_EMAIL)
            .bind(fold(email))
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(Into::into))
    }

    async fn select_memberships(&self, person: PersonId) -> Result<Vec<Membership>, Failure> {
        let mut connection = self.reader.acquire().await?;
        memberships_of(&mut connection, person).await
    }

    async fn insert_person_link(&self, link: &NewLink) -> Result<(), Failure> {
        let detail =
            JsonText::of(&link.detail).map_err(|error| Failure::Inconsistent(error.to_string()))?;
        sqlx::query(INSERT_LINK)
            .bind(&link.link_hash[..])
            .bind(link.purpose)
            .bind(link.person_id.as_uuid())
            .bind(detail)
            .bind(At(link.at))
            .bind(At(link.expires_at))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn select_link(
        &self,
        link_hash: &[u8; 32],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<UsedLink>, Failure> {
        let row: Option<LinkRow> = sqlx::query_as(LINK)
            .bind(&link_hash[..])
            .bind(purpose)
            .bind(At(now))
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(Into::into))
    }

    async fn consume_link(
        &self,
        link_hash: &[u8; 32],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<UsedLink>, Failure> {
        let row: Option<LinkRow> = sqlx::query_as(USE_LINK)
            .bind(&link_hash[..])
            .bind(purpose)
            .bind(At(now))
            .fetch_optional(&self.writer)
            .await?;
        Ok(row.map(Into::into))
    }
}

async fn memberships_of(
    connection: &mut <Db as Database>::Connection,
    person: PersonId,
) -> Result<Vec<Membership>, Failure> {
    let rows: Vec<MembershipRow> = sqlx::query_as(MEMBERSHIPS)
        .bind(person.as_uuid())
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

#[async_trait]
impl PersonStore for Engine {
    async fn person(&self, id: PersonId) -> Result<Option<Person>, DirectoryError> {
        retried!(self.select_person(id))
    }

    async fn person_by_email(&self, email: &str) -> Result<Option<Person>, DirectoryError> {
        retried!(self.select_person_by_email(email))
    }

    async fn memberships(&self, person: PersonId) -> Result<Vec<Membership>, DirectoryError> {
        retried!(self.select_memberships(person))
    }

    async fn insert_session(
        &self,
        session: &NewSession,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.insert_person_session(session, audit))
    }

    async fn open_session(
        &self,
        token_hash: &[u8; 32],
        seen_after: Timestamp,
        created_after: Timestamp,
    ) -> Result<Option<OpenSession>, DirectoryError> {
        retried!(self.select_open_session(token_hash, seen_after, created_after))
    }

    async fn touch_session(
        &self,
        id: SessionId,
        ip: Option<&str>,
        at: Timestamp,
    ) -> Result<(), DirectoryError> {
        retried!(self.update_session_seen(id, ip, at))
    }

    async fn prove_session(
        &self,
        id: SessionId,
        token_hash: &[u8; 32],
        proof: &str,
        at: Timestamp,
    ) -> Result<(), DirectoryError> {
        retried!(self.update_session_proof(id, token_hash, proof, at))
    }

    async fn move_session(
        &self,
        id: SessionId,
        account: AccountId,
        workspace: WorkspaceId,
    ) -> Result<(), DirectoryError> {
        retried!(self.update_session_place(id, account, workspace))
    }

    async fn sessions(
        &self,
        person: PersonId,
        seen_after: Timestamp,
        created_after: Timestamp,
    ) -> Result<Vec<SessionRow>, DirectoryError> {
        retried!(self.select_person_sessions(person, seen_after, created_after))
    }

    async fn end_session(
        &self,
        person: PersonId,
        id: SessionId,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.mark_session_ended(person, id, audit))
    }

    async fn end_other_sessions(
        &self,
        person: PersonId,
        keep: Option<SessionId>,
        audit: &AuditEvent,
    ) -> Result<u64, DirectoryError> {
        retried!(self.mark_other_sessions_ended(person, keep, audit))
    }

    async fn insert_link(&self, link: &NewLink) -> Result<(), DirectoryError> {
        retried!(self.insert_person_link(link))
    }

    async fn link(
        &self,
        link_hash: &[u8; 32],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<UsedLink>, DirectoryError> {
        retried!(self.select_link(link_hash, purpose, now))
    }

    async fn use_link(
        &self,
        link_hash: &[u8; 32],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<UsedLink>, DirectoryError> {
        retried!(self.consume_link(link_hash, purpose, now))
    }
}
