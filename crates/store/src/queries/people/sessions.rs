//! Somebody signed in on a device.

use sqlx::{FromRow, types::Uuid};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, PersonId, SessionId, WorkspaceId},
};

use super::{super::Engine, PersonRow, memberships_of};
use crate::{
    audit::AuditEvent,
    failure::Failure,
    person::{Membership, NewSession, OpenSession, SessionRow},
    portable::At,
    tenancy::WorkspaceRole,
};

const INSERT: &str = "
    INSERT INTO person_sessions (session_id, person_id, token_hash, account_id, workspace_id, proof,
        proved_at, ip, user_agent, created_at, last_seen_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $7, $7)";

const OPEN: &str = "
    SELECT session_id, person_id, account_id, workspace_id, proof, proved_at, ip, user_agent,
        created_at, last_seen_at
    FROM person_sessions
    WHERE token_hash = $1 AND ended_at IS NULL AND last_seen_at > $2 AND created_at > $3";

const WORKSPACE: &str = "
    SELECT w.name, m.role
    FROM workspaces AS w
    LEFT JOIN workspace_members AS m ON m.workspace_id = w.workspace_id AND m.person_id = $3
    WHERE w.workspace_id = $1 AND w.account_id = $2 AND w.deleted_at IS NULL";

const TOUCH: &str = "UPDATE person_sessions SET last_seen_at = $2, ip = $3 WHERE session_id = $1";

const PROVE: &str = "
    UPDATE person_sessions SET token_hash = $2, proof = $3, proved_at = $4, last_seen_at = $4
    WHERE session_id = $1 AND ended_at IS NULL RETURNING 1";

const MOVE: &str = "
    UPDATE person_sessions SET account_id = $2, workspace_id = $3
    WHERE session_id = $1 AND EXISTS (
        SELECT 1 FROM workspaces
        WHERE workspace_id = $3 AND account_id = $2 AND deleted_at IS NULL
    ) RETURNING 1";

const OF_PERSON: &str = "
    SELECT session_id, person_id, account_id, workspace_id, proof, proved_at, ip, user_agent,
        created_at, last_seen_at
    FROM person_sessions
    WHERE person_id = $1 AND ended_at IS NULL AND last_seen_at > $2 AND created_at > $3
    ORDER BY last_seen_at DESC, session_id";

const END: &str = "
    UPDATE person_sessions SET ended_at = $3
    WHERE person_id = $1 AND session_id = $2 AND ended_at IS NULL RETURNING 1";

const END_OTHERS: &str = "
    UPDATE person_sessions SET ended_at = $3
    WHERE person_id = $1 AND session_id <> $2 AND ended_at IS NULL";

#[derive(FromRow)]
struct StoredSession {
    session_id: Uuid,
    person_id: Uuid,
    account_id: Uuid,
    workspace_id: Uuid,
    proof: String,
    proved_at: At,
    ip: Option<String>,
    user_agent: Option<String>,
    created_at: At,
    last_seen_at: At,
}

impl From<StoredSession> for SessionRow {
    fn from(row: StoredSession) -> Self {
        Self {
            id: SessionId::from_uuid(row.session_id),
            person_id: PersonId::from_uuid(row.person_id),
            account_id: AccountId::from_uuid(row.account_id),
            workspace_id: WorkspaceId::from_uuid(row.workspace_id),
            proof: row.proof,
            proved_at: row.proved_at.0,
            ip: row.ip,
            user_agent: row.user_agent,
            created_at: row.created_at.0,
            last_seen_at: row.last_seen_at.0,
        }
    }
}

#[derive(FromRow)]
struct PlaceRow {
    name: String,
    role: Option<String>,
}

impl Engine {
    pub(super) async fn insert_person_session(
        &self,
        session: &NewSession,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        sqlx::query(INSERT)
            .bind(session.id.as_uuid())
            .bind(session.person_id.as_uuid())
            .bind(&session.token_hash[..])
            .bind(session.account_id.as_uuid())
            .bind(session.workspace_id.as_uuid())
            .bind(&session.proof)
            .bind(At(session.at))
            .bind(&session.ip)
            .bind(&session.user_agent)
            .execute(&mut *transaction)
            .await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn select_open_session(
        &self,
        token_hash: &[u8; 32],
        seen_after: Timestamp,
        created_after: Timestamp,
    ) -> Result<Option<OpenSession>, Failure> {
        let mut connection = self.reader.acquire().await?;
        let found: Option<StoredSession> = sqlx::query_as(OPEN)
            .bind(&token_hash[..])
            .bind(At(seen_after))
            .bind(At(created_after))
            .fetch_optional(&mut *connection)
            .await?;
        let Some(mut session) = found.map(SessionRow::from) else {
            return Ok(None);
        };
        let person: PersonRow = sqlx::query_as(super::PERSON)
            .bind(session.person_id.as_uuid())
            .fetch_one(&mut *connection)
            .await?;
        let memberships = memberships_of(&mut connection, session.person_id).await?;
        let looked_at = |membership: &&Membership| membership.account_id == session.account_id;
        let found = memberships.iter().find(looked_at).or(memberships.first());
        let Some(membership) = found.cloned() else {
            return Ok(None);
        };
        session.account_id = membership.account_id;
        let mut place: Option<PlaceRow> = None;
        for workspace in [session.workspace_id, membership.default_workspace_id] {
            place = sqlx::query_as(WORKSPACE)
                .bind(workspace.as_uuid())
                .bind(membership.account_id.as_uuid())
                .bind(session.person_id.as_uuid())
                .fetch_optional(&mut *connection)
                .await?;
            if place.is_some() {
                session.workspace_id = workspace;
                break;
            }
        }
        let place = place.ok_or_else(|| {
            let what = format!("{} has no default workspace", membership.account_id);
            Failure::Inconsistent(what)
        })?;
        Ok(Some(OpenSession {
            session,
            person: person.into(),
            membership,
            workspace_name: place.name,
            workspace_role: place.role.as_deref().and_then(WorkspaceRole::from_name),
        }))
    }

    pub(super) async fn update_session_seen(
        &self,
        id: SessionId,
        ip: Option<&str>,
        at: Timestamp,
    ) -> Result<(), Failure> {
        sqlx::query(TOUCH)
            .bind(id.as_uuid())
            .bind(At(at))
            .bind(ip)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub(super) async fn update_session_proof(
        &self,
        id: SessionId,
        token_hash: &[u8; 32],
        proof: &str,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let done: Option<i32> = sqlx::query_scalar(PROVE)
            .bind(id.as_uuid())
            .bind(&token_hash[..])
            .bind(proof)
            .bind(At(at))
            .fetch_optional(&self.writer)
            .await?;
        done.map(drop)
            .ok_or_else(|| Failure::Missing(id.to_string()))
    }

    pub(super) async fn update_session_place(
        &self,
        id: SessionId,
        account: AccountId,
        workspace: WorkspaceId,
    ) -> Result<(), Failure> {
        let done: Option<i32> = sqlx::query_scalar(MOVE)
            .bind(id.as_uuid())
            .bind(account.as_uuid())
            .bind(workspace.as_uuid())
            .fetch_optional(&self.writer)
            .await?;
        done.map(drop)
            .ok_or_else(|| Failure::Missing(workspace.to_string()))
    }

    pub(super) async fn select_person_sessions(
        &self,
        person: PersonId,
        seen_after: Timestamp,
        created_after: Timestamp,
    ) -> Result<Vec<SessionRow>, Failure> {
        let rows: Vec<StoredSession> = sqlx::query_as(OF_PERSON)
            .bind(person.as_uuid())
            .bind(At(seen_after))
            .bind(At(created_after))
            .fetch_all(&self.reader)
            .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }

    pub(super) async fn mark_session_ended(
        &self,
        person: PersonId,
        id: SessionId,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        let done: Option<i32> = sqlx::query_scalar(END)
            .bind(person.as_uuid())
            .bind(id.as_uuid())
            .bind(At(audit.at))
            .fetch_optional(&mut *transaction)
            .await?;
        if done.is_none() {
            return Err(Failure::Missing(id.to_string()));
        }
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn mark_other_sessions_ended(
        &self,
        person: PersonId,
        keep: Option<SessionId>,
        audit: &AuditEvent,
    ) -> Result<u64, Failure> {
        let mut transaction = self.begin().await?;
        let keep = keep.map_or(Uuid::nil(), SessionId::as_uuid);
        let ended = sqlx::query(END_OTHERS)
            .bind(person.as_uuid())
            .bind(keep)
            .bind(At(audit.at))
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(ended)
    }
}
