//! What is seen of credentials in use: how they are doing, how often they were opened, what their
//! owners should hear.

use sqlx::{
    FromRow,
    types::{Json, Uuid},
};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, CredentialId, WorkspaceId},
};

use super::super::Engine;
use crate::{
    failure::Failure,
    own_credential::{CredentialCondition, CredentialState, OwnerEvent},
    portable::{At, JsonText, without_nul},
};

/// So that there is a row to lock; what is known of an older secret makes room.
const OPEN_STATE: &str = "
    INSERT INTO credential_states AS s (credential_id, record_version, state, changed_at)
    SELECT $1, $2, 'unchecked', $3
    WHERE EXISTS (
        SELECT 1 FROM own_credentials
        WHERE credential_id = $1 AND record_version = $2 AND deleted_at IS NULL
    )
    ON CONFLICT (credential_id) DO UPDATE SET
        record_version = excluded.record_version, state = excluded.state,
        changed_at = excluded.changed_at, last_ok_at = NULL, last_error = NULL,
        last_error_status = NULL, last_error_at = NULL
    WHERE excluded.record_version > s.record_version";

/// Locks the row until the change commits. What is known of a newer secret stays, and so does what
/// was seen later.
const LOCK_STATE: &str = "
    UPDATE credential_states SET state = state
    WHERE credential_id = $1 AND record_version = $2 AND changed_at <= $3
        AND COALESCE(last_ok_at, $3) <= $3 AND COALESCE(last_error_at, $3) <= $3
        AND EXISTS (
            SELECT 1 FROM own_credentials AS c
            WHERE c.credential_id = $1 AND c.record_version = $2 AND c.deleted_at IS NULL
        )
    RETURNING state";

const SET_STATE: &str = "
    UPDATE credential_states SET
        changed_at = CASE WHEN state = $2 THEN changed_at ELSE $3 END,
        state = $2,
        last_ok_at = COALESCE($4, last_ok_at),
        last_error = COALESCE($5, last_error),
        last_error_status = COALESCE($6, last_error_status),
        last_error_at = COALESCE($7, last_error_at)
    WHERE credential_id = $1";

const INSERT_EVENT: &str = "
    INSERT INTO events (at, account_id, workspace_id, kind, subject, detail)
    VALUES ($1, $2, $3, $4, $5, $6)";

const EVENTS_AFTER: &str = "
    SELECT event_no, at, account_id, workspace_id, kind, subject, detail FROM events
    WHERE account_id = $1 AND event_no > $2 ORDER BY event_no LIMIT $3";

const EVENTS_BEFORE: &str = "
    SELECT event_no, at, account_id, workspace_id, kind, subject, detail FROM events
    WHERE account_id = $1 AND event_no < $2 ORDER BY event_no DESC LIMIT $3";

const ADD_OPENINGS: &str = "
    INSERT INTO credential_opens AS o (credential_id, hour, opens) VALUES ($1, $2, $3)
    ON CONFLICT (credential_id, hour) DO UPDATE SET opens = o.opens + excluded.opens";

const OPENINGS: &str = "
    SELECT CAST(COALESCE(SUM(opens), 0) AS BIGINT) FROM credential_opens
    WHERE credential_id = $1 AND hour >= $2";

/// Owners hear of a credential that begins to fail, and that one does no longer.
fn is_to_be_told(before: &str, now: CredentialCondition) -> bool {
    let failing = CredentialCondition::Failing.as_str();
    match now {
        CredentialCondition::Failing => before != failing,
        CredentialCondition::Ok => before == failing,
        CredentialCondition::Unchecked => false,
    }
}

#[derive(FromRow)]
struct EventRow {
    event_no: i64,
    at: At,
    account_id: Uuid,
    workspace_id: Option<Uuid>,
    kind: String,
    subject: String,
    detail: Json<serde_json::Value>,
}

impl Engine {
    pub(super) async fn upsert_credential_state(
        &self,
        id: CredentialId,
        state: &CredentialState,
        event: Option<&OwnerEvent>,
    ) -> Result<bool, Failure> {
        let mut transaction = self.begin().await?;
        sqlx::query(OPEN_STATE)
            .bind(id.as_uuid())
            .bind(state.record_version)
            .bind(At(state.changed_at))
            .execute(&mut *transaction)
            .await?;
        let before: Option<String> = sqlx::query_scalar(LOCK_STATE)
            .bind(id.as_uuid())
            .bind(state.record_version)
            .bind(At(state.changed_at))
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(before) = before else {
            return Ok(false);
        };
        sqlx::query(SET_STATE)
            .bind(id.as_uuid())
            .bind(state.condition.as_str())
            .bind(At(state.changed_at))
            .bind(state.last_ok_at.map(At))
            .bind(state.last_error.as_deref().map(without_nul))
            .bind(state.last_error_status.map(i32::from))
            .bind(state.last_error_at.map(At))
            .execute(&mut *transaction)
            .await?;
        if let Some(event) = event.filter(|_| is_to_be_told(&before, state.condition)) {
            let detail = JsonText::of(&event.detail)
                .map_err(|error| Failure::Inconsistent(format!("an event's detail: {error}")))?;
            sqlx::query(INSERT_EVENT)
                .bind(At(event.at))
                .bind(event.account_id.as_uuid())
                .bind(event.workspace_id.map(WorkspaceId::as_uuid))
                .bind(without_nul(&event.kind))
                .bind(without_nul(&event.subject))
                .bind(detail)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    pub(super) async fn add_openings(
        &self,
        openings: &[(CredentialId, Timestamp, u64)],
    ) -> Result<(), Failure> {
        let mut sorted = openings.to_vec();
        // So that two nodes take the rows in one order.
        sorted.sort_unstable_by_key(|(id, hour, _)| (*id, *hour));
        let mut transaction = self.begin().await?;
        for (id, hour, opens) in sorted {
            sqlx::query(ADD_OPENINGS)
                .bind(id.as_uuid())
                .bind(At(hour))
                .bind(i64::try_from(opens).unwrap_or(i64::MAX))
                .execute(&mut *transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
    }

    pub(super) async fn select_openings(
        &self,
        id: CredentialId,
        from: Timestamp,
    ) -> Result<u64, Failure> {
        let opens: i64 = sqlx::query_scalar(OPENINGS)
            .bind(id.as_uuid())
            .bind(At(from))
            .fetch_one(&self.reader)
            .await?;
        Ok(u64::try_from(opens).unwrap_or_default())
    }

    pub(super) async fn select_events(
        &self,
        account: AccountId,
        number: i64,
        limit: u32,
    ) -> Result<Vec<OwnerEvent>, Failure> {
        self.fetch_events(EVENTS_AFTER, account, number, limit)
            .await
    }

    pub(super) async fn select_latest_events(
        &self,
        account: AccountId,
        number: i64,
        limit: u32,
    ) -> Result<Vec<OwnerEvent>, Failure> {
        self.fetch_events(EVENTS_BEFORE, account, number, limit)
            .await
    }

    async fn fetch_events(
        &self,
        statement: &'static str,
        account: AccountId,
        number: i64,
        limit: u32,
    ) -> Result<Vec<OwnerEvent>, Failure> {
        let rows: Vec<EventRow> = sqlx::query_as(statement)
            .bind(account.as_uuid())
            .bind(number)
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await?;
        let event = |row: EventRow| OwnerEvent {
            number: row.event_no,
            at: row.at.0,
            account_id: AccountId::from_uuid(row.account_id),
            workspace_id: row.workspace_id.map(WorkspaceId::from_uuid),
            kind: row.kind,
            subject: row.subject,
            detail: row.detail.0,
        };
        Ok(rows.into_iter().map(event).collect())
    }
}
