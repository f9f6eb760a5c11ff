//! The audit log: appending behind the last link, reading, checking.

use async_trait::async_trait;
use sqlx::{
    Connection as _, Database, FromRow,
    types::{Json, Uuid},
};
use switchyard_domain::id::{AccountId, WorkspaceId};

use super::{super::Db, Engine, TRIES_MAX};
use crate::{
    audit::{AuditEntry, AuditEvent, AuditFilter, AuditReport, AuditStore, StoredAuditEvent},
    directory::DirectoryError,
    failure::Failure,
    portable::{At, JsonText, without_nul},
};

/// How many entries are checked at a time.
const CHECKED_AT_ONCE: i64 = 1_000;

/// Locks the end of the chain until the change commits. Whoever also takes other locks takes this
/// one last.
const LOCK_END: &str = "
    UPDATE audit_chain SET sequence = sequence + 1 WHERE chain = 1 RETURNING sequence, link";

const MOVE_END: &str = "UPDATE audit_chain SET link = $1 WHERE chain = 1";

const END: &str = "SELECT sequence, link FROM audit_chain WHERE chain = 1";

const APPEND: &str = "
    INSERT INTO audit_log (
        at, actor, action, subject, detail, account_id, workspace_id, via, ip, request_id, outcome,
        sequence, link, link_key
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

/// `SELECT` of whole entries.
macro_rules! select_entries {
    ($rest:literal) => {
        concat!(
            "SELECT
                audit_no, at, actor, action, subject, detail, account_id, workspace_id, via, ip,
                request_id, outcome, sequence, link, link_key
            FROM audit_log WHERE ",
            $rest
        )
    };
}

const OF_ACCOUNT: &str =
    select_entries!("account_id = $1 AND audit_no < $2 ORDER BY audit_no DESC LIMIT $3");

/// What a filter lets through: `$1` is the account, `$2` to `$10` are the filter's.
macro_rules! filtered {
    () => {
        "account_id = $1 AND ($2 IS NULL OR actor = $2)
            AND ($3 IS NULL OR substr(action, 1, length($3)) = $3)
            AND ($4 IS NULL OR subject = $4) AND ($5 IS NULL OR via = $5)
            AND ($6 IS NULL OR workspace_id = $6) AND ($7 IS NULL OR ip = $7)
            AND ($8 IS NULL OR request_id = $8) AND ($9 IS NULL OR at >= $9)
            AND ($10 IS NULL OR at < $10)"
    };
}

const FILTERED: &str = concat!(
    "SELECT
        audit_no, at, actor, action, subject, detail, account_id, workspace_id, via, ip,
        request_id, outcome, sequence, link, link_key
    FROM audit_log WHERE ",
    filtered!(),
    " AND audit_no < $11 ORDER BY audit_no DESC LIMIT $12"
);

const COUNT_FILTERED: &str = concat!(
    "SELECT COUNT(*) FROM (SELECT 1 FROM audit_log WHERE ",
    filtered!(),
    " LIMIT $11) AS found"
);

/// Binds what [`filtered`] names, in its order.
macro_rules! bind_filter {
    ($query:expr, $account:expr, $filter:expr) => {{
        let filter: &AuditFilter = $filter;
        let text =
            |text: &Option<String>| text.as_deref().map(|text| without_nul(text).into_owned());
        $query
            .bind($account.as_uuid())
            .bind(text(&filter.actor))
            .bind(text(&filter.action))
            .bind(text(&filter.subject))
            .bind(text(&filter.via))
            .bind(filter.workspace_id.map(WorkspaceId::as_uuid))
            .bind(text(&filter.ip))
            .bind(text(&filter.request_id))
            .bind(filter.from.map(At))
            .bind(filter.until.map(At))
    }};
}

const OF_SUBJECT: &str = select_entries!("subject = $1 ORDER BY audit_no LIMIT $2");

const LINKED_AFTER: &str = select_entries!("sequence > $1 ORDER BY sequence LIMIT $2");

const UNLINKED: &str = "SELECT COUNT(*) FROM audit_log WHERE sequence IS NULL";

#[derive(FromRow)]
struct Row {
    audit_no: i64,
    at: At,
    actor: String,
    action: String,
    subject: String,
    detail: Json<serde_json::Value>,
    account_id: Option<Uuid>,
    workspace_id: Option<Uuid>,
    via: Option<String>,
    ip: Option<String>,
    request_id: Option<String>,
    outcome: Option<String>,
    sequence: Option<i64>,
    link: Option<Vec<u8>>,
    link_key: Option<i32>,
}

impl Row {
    fn into_entry(self) -> AuditEntry {
        AuditEntry {
            number: self.audit_no,
            event: StoredAuditEvent {
                at: self.at.0,
                actor: self.actor,
                action: self.action,
                subject: self.subject,
                detail: self.detail.0,
                account_id: self.account_id.map(AccountId::from_uuid),
                workspace_id: self.workspace_id.map(WorkspaceId::from_uuid),
                via: self.via,
                ip: self.ip,
                request_id: self.request_id,
                outcome: self.outcome,
            },
        }
    }
}

impl Engine {
    pub(super) async fn insert_audit_event(&self, event: &AuditEvent) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        self.append_audit_entry(&mut transaction, event).await?;
        Ok(transaction.commit().await?)
    }

    /// Appends beside the change that it tells of, in the same transaction, as its last statement.
    pub(super) async fn append_audit_entry(
        &self,
        connection: &mut <Db as Database>::Connection,
        event: &AuditEvent,
    ) -> Result<(), Failure> {
        let linker = self
            .linker
            .get()
            .ok_or_else(|| Failure::Inconsistent("the audit log has no key".to_owned()))?;
        let detail = JsonText::of(&event.detail)
            .map_err(|error| Failure::Inconsistent(format!("an audit event's detail: {error}")))?;
        let stored = StoredAuditEvent::of(event, &detail)?;
        let (sequence, previous): (i64, Vec<u8>) =
            sqlx::query_as(LOCK_END).fetch_one(&mut *connection).await?;
        let (link, link_key) = linker.link(&previous, &stored.linked_bytes(sequence));
        sqlx::query(APPEND)
            .bind(At(stored.at))
            .bind(&stored.actor)
            .bind(&stored.action)
            .bind(&stored.subject)
            .bind(detail)
            .bind(stored.account_id.map(AccountId::as_uuid))
            .bind(stored.workspace_id.map(WorkspaceId::as_uuid))
            .bind(&stored.via)
            .bind(&stored.ip)
            .bind(&stored.request_id)
            .bind(&stored.outcome)
            .bind(sequence)
            .bind(link.as_slice())
            .bind(link_key)
            .execute(&mut *connection)
            .await?;
        sqlx::query(MOVE_END)
            .bind(link.as_slice())
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn select_audit_entries(
        &self,
        account: AccountId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, Failure> {
        let rows: Vec<Row> = sqlx::query_as(OF_ACCOUNT)
            .bind(account.as_uuid())
            .bind(before.unwrap_or(i64::MAX))
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await?;
        Ok(rows.into_iter().map(Row::into_entry).collect())
    }

    async fn select_filtered(
        &self,
        account: AccountId,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, Failure> {
        let rows: Vec<Row> = bind_filter!(sqlx::query_as(FILTERED), account, filter)
            .bind(before.unwrap_or(i64::MAX))
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await?;
        Ok(rows.into_iter().map(Row::into_entry).collect())
    }

    async fn count_filtered(
        &self,
        account: AccountId,
        filter: &AuditFilter,
        most: u32,
    ) -> Result<u64, Failure> {
        let count: i64 = bind_filter!(sqlx::query_scalar(COUNT_FILTERED), account, filter)
            .bind(i64::from(most))
            .fetch_one(&self.reader)
            .await?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    async fn select_audit_of(&self, subject: &str, limit: u32) -> Result<Vec<AuditEntry>, Failure> {
        let rows: Vec<Row> = sqlx::query_as(OF_SUBJECT)
            .bind(without_nul(subject))
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await?;
        Ok(rows.into_iter().map(Row::into_entry).collect())
    }

    async fn check_audit(&self) -> Result<AuditReport, Failure> {
        let linker = self
            .linker
            .get()
            .ok_or_else(|| Failure::Inconsistent("the audit log has no key".to_owned()))?;
        let mut connection = self.reader.acquire().await?;
        let mut transaction = connection.begin_with(super::super::BEGIN_REPORT).await?;
        let (end, end_link): (i64, Vec<u8>) =
            sqlx::query_as(END).fetch_one(&mut *transaction).await?;
        let unlinked: i64 = sqlx::query_scalar(UNLINKED)
            .fetch_one(&mut *transaction)
            .await?;
        let mut report = AuditReport {
            unlinked: u64::try_from(unlinked).unwrap_or_default(),
            ..AuditReport::default()
        };
        let (mut sequence, mut previous) = (0_i64, Vec::new());
        loop {
            let rows: Vec<Row> = sqlx::query_as(LINKED_AFTER)
                .bind(sequence)
                .bind(CHECKED_AT_ONCE)
                .fetch_all(&mut *transaction)
                .await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let (number, place, link_key) = (row.audit_no, row.sequence, row.link_key);
                let link = row.link.clone().unwrap_or_default();
                let entry = row.into_entry().event.linked_bytes(sequence + 1);
                let holds = place == Some(sequence + 1)
                    && linker.is_linked(&previous, &entry, &link, link_key.unwrap_or_default());
                if !holds {
                    report.broken_at = Some(number);
                    return Ok(report);
                }
                report.entries += 1;
                sequence += 1;
                previous = link;
            }
        }
        report.is_cut = (sequence, &previous) != (end, &end_link);
        Ok(report)
    }
}

#[async_trait]
impl AuditStore for Engine {
    async fn audit_entries(
        &self,
        account: AccountId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, DirectoryError> {
        retried!(self.select_audit_entries(account, before, limit))
    }

    async fn find_audit_entries(
        &self,
        account: AccountId,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, DirectoryError> {
        retried!(self.select_filtered(account, filter, before, limit))
    }

    async fn count_audit_entries(
        &self,
        account: AccountId,
        filter: &AuditFilter,
        most: u32,
    ) -> Result<u64, DirectoryError> {
        retried!(self.count_filtered(account, filter, most))
    }

    async fn audit_of(&self, subject: &str, limit: u32) -> Result<Vec<AuditEntry>, DirectoryError> {
        retried!(self.select_audit_of(subject, limit))
    }

    async fn verify_audit(&self) -> Result<AuditReport, DirectoryError> {
        retried!(self.check_audit())
    }
}
