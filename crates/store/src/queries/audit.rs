//! The audit log.

use sqlx::Executor;

use super::{super::Db, Engine};
use crate::{
    audit::AuditEvent,
    failure::Failure,
    portable::{At, JsonText, without_nul},
};

const APPEND: &str = "
    INSERT INTO audit_log (at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5)";

impl Engine {
    pub(super) async fn insert_audit_event(&self, event: &AuditEvent) -> Result<(), Failure> {
        append(&self.writer, event).await
    }
}

/// Appends beside the change that it tells of, or on its own.
pub(super) async fn append<'c>(
    executor: impl Executor<'c, Database = Db>,
    event: &AuditEvent,
) -> Result<(), Failure> {
    let detail = JsonText::of(&event.detail)
        .map_err(|error| Failure::Inconsistent(format!("an audit event's detail: {error}")))?;
    sqlx::query(APPEND)
        .bind(At(event.at))
        .bind(without_nul(&event.actor))
        .bind(without_nul(&event.action))
        .bind(without_nul(&event.subject))
        .bind(detail)
        .execute(executor)
        .await?;
    Ok(())
}
