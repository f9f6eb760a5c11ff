//! Standing policies and their changes.

use serde_json::{json, value::RawValue};
use sqlx::{
    Database, FromRow,
    types::{Json, Uuid},
};
use switchyard_domain::id::{AccountId, ApiKeyId, WorkspaceId};

use super::{super::Db, Engine, rows};
use crate::{
    audit::{AuditEvent, AuditOrigin},
    failure::Failure,
    policy::{PolicyChange, PolicyRevision, PolicySubject, StoredPolicy},
    portable::{At, JsonText, without_nul},
};

const REVISIONS_MAX: i64 = 1_000;

const ACCOUNT_EXISTS: &str = "SELECT 1 FROM accounts WHERE account_id = $1 AND account_id = $2";

const WORKSPACE_OF_ACCOUNT: &str =
    "SELECT 1 FROM workspaces WHERE workspace_id = $1 AND account_id = $2";

const KEY_OF_ACCOUNT: &str = "
    SELECT 1 FROM api_keys WHERE api_key_id = $1 AND account_id = $2 AND deleted_at IS NULL";

const PUT: &str = "
    INSERT INTO policies
        (scope, subject_id, account_id, rules, revision, updated_at, updated_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (scope, subject_id) DO UPDATE SET
        rules = excluded.rules, revision = excluded.revision,
        updated_at = excluded.updated_at, updated_by = excluded.updated_by";

const CLEAR: &str = "
    UPDATE policies SET rules = NULL, revision = $4, updated_at = $5, updated_by = $6
    WHERE scope = $1 AND subject_id = $2 AND account_id = $3 AND rules IS NOT NULL";

const ONE: &str = "
    SELECT scope, subject_id, account_id, rules, revision, updated_at, updated_by
    FROM policies
    WHERE scope = $1 AND subject_id = $2 AND account_id = $3 AND rules IS NOT NULL";

const OF_ACCOUNT: &str = "
    SELECT scope, subject_id, account_id, rules, revision, updated_at, updated_by
    FROM policies
    WHERE account_id = $1 AND rules IS NOT NULL";

const FOR_CALLER: &str = "
    SELECT scope, subject_id, account_id, rules, revision, updated_at, updated_by
    FROM policies
    WHERE account_id = $1 AND rules IS NOT NULL AND (
        (scope = 'account' AND subject_id = $1)
        OR (scope = 'workspace' AND subject_id = $2)
        OR (scope = 'key' AND subject_id = $3)
    )";

const REVISIONS_AFTER: &str = "
    SELECT revision, account_id FROM policies
    WHERE revision > $1 ORDER BY revision LIMIT $2";

#[derive(FromRow)]
struct PolicyRow {
    scope: String,
    subject_id: Uuid,
    account_id: Uuid,
    rules: Json<Box<RawValue>>,
    revision: i64,
    updated_at: At,
    updated_by: String,
}

impl PolicyRow {
    fn into_stored(self) -> Result<StoredPolicy, Failure> {
        let subject =
            PolicySubject::from_stored(&self.scope, self.subject_id).ok_or_else(|| {
                Failure::Inconsistent(format!("a policy has the unknown scope {}", self.scope))
            })?;
        Ok(StoredPolicy {
            account_id: AccountId::from_uuid(self.account_id),
            subject,
            rules: self.rules.0,
            revision: self.revision,
            updated_at: self.updated_at.0,
            updated_by: self.updated_by,
        })
    }
}

impl Engine {
    pub(super) async fn upsert_policy(
        &self,
        change: &PolicyChange,
        rules: &RawValue,
    ) -> Result<PolicyRevision, Failure> {
        let document = JsonText::of_raw(rules)
            .ok_or_else(|| Failure::Inconsistent("the rules hold half a character".to_owned()))?;
        let mut transaction = self.begin().await?;
        expect_subject(&mut transaction, change).await?;
        let revision = rows::next_revision(&mut transaction, rows::POLICIES).await?;
        sqlx::query(PUT)
            .bind(change.subject.scope())
            .bind(change.subject.uuid())
            .bind(change.account_id.as_uuid())
            .bind(document)
            .bind(revision)
            .bind(At(change.at))
            .bind(without_nul(&change.by))
            .execute(&mut *transaction)
            .await?;
        let detail = json!({
            "account": change.account_id, "scope": change.subject.scope(), "rules": rules,
        });
        self.note_policy(&mut transaction, change, "policy.set", detail)
            .await?;
        transaction.commit().await?;
        Ok(PolicyRevision {
            revision,
            account_id: change.account_id,
        })
    }

    pub(super) async fn clear_policy(
        &self,
        change: &PolicyChange,
    ) -> Result<PolicyRevision, Failure> {
        let mut transaction = self.begin().await?;
        let revision = rows::next_revision(&mut transaction, rows::POLICIES).await?;
        let cleared = sqlx::query(CLEAR)
            .bind(change.subject.scope())
            .bind(change.subject.uuid())
            .bind(change.account_id.as_uuid())
            .bind(revision)
            .bind(At(change.at))
            .bind(without_nul(&change.by))
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        if cleared == 0 {
            return Err(Failure::Missing(format!("a policy of {}", change.subject)));
        }
        let detail = json!({ "account": change.account_id, "scope": change.subject.scope() });
        self.note_policy(&mut transaction, change, "policy.clear", detail)
            .await?;
        transaction.commit().await?;
        Ok(PolicyRevision {
            revision,
            account_id: change.account_id,
        })
    }

    pub(super) async fn select_policy(
        &self,
        account: AccountId,
        subject: PolicySubject,
    ) -> Result<Option<StoredPolicy>, Failure> {
        let row: Option<PolicyRow> = sqlx::query_as(ONE)
            .bind(subject.scope())
            .bind(subject.uuid())
            .bind(account.as_uuid())
            .fetch_optional(&self.reader)
            .await?;
        row.map(PolicyRow::into_stored).transpose()
    }

    pub(super) async fn select_policies_of_account(
        &self,
        account: AccountId,
    ) -> Result<Vec<StoredPolicy>, Failure> {
        let rows: Vec<PolicyRow> = sqlx::query_as(OF_ACCOUNT)
            .bind(account.as_uuid())
            .fetch_all(&self.reader)
            .await?;
        outermost_first(rows)
    }

    pub(super) async fn select_policies_for(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        key: ApiKeyId,
    ) -> Result<Vec<StoredPolicy>, Failure> {
        let rows: Vec<PolicyRow> = sqlx::query_as(FOR_CALLER)
            .bind(account.as_uuid())
            .bind(workspace.as_uuid())
            .bind(key.as_uuid())
            .fetch_all(&self.reader)
            .await?;
        outermost_first(rows)
    }

    pub(super) async fn select_policy_revisions(
        &self,
        after: i64,
    ) -> Result<Vec<PolicyRevision>, Failure> {
        let rows: Vec<(i64, Uuid)> = sqlx::query_as(REVISIONS_AFTER)
            .bind(after)
            .bind(REVISIONS_MAX)
            .fetch_all(&self.reader)
            .await?;
        let change = |(revision, account)| PolicyRevision {
            revision,
            account_id: AccountId::from_uuid(account),
        };
        Ok(rows.into_iter().map(change).collect())
    }

    async fn note_policy(
        &self,
        connection: &mut <Db as Database>::Connection,
        change: &PolicyChange,
        action: &str,
        detail: serde_json::Value,
    ) -> Result<(), Failure> {
        let event = AuditEvent {
            at: change.at,
            actor: change.by.clone(),
            action: action.to_owned(),
            subject: change.subject.to_string(),
            detail,
            origin: AuditOrigin {
                account_id: Some(change.account_id),
                ..AuditOrigin::default()
            },
        };
        self.append_audit_entry(connection, &event).await
    }
}

fn outermost_first(rows: Vec<PolicyRow>) -> Result<Vec<StoredPolicy>, Failure> {
    let mut policies = rows
        .into_iter()
        .map(PolicyRow::into_stored)
        .collect::<Result<Vec<_>, _>>()?;
    policies.sort_unstable_by_key(|policy| policy.subject);
    Ok(policies)
}

/// Refuses a subject that is not the account's own.
async fn expect_subject(
    connection: &mut <Db as Database>::Connection,
    change: &PolicyChange,
) -> Result<(), Failure> {
    let question = match change.subject {
        PolicySubject::Account(_) => ACCOUNT_EXISTS,
        PolicySubject::Workspace(_) => WORKSPACE_OF_ACCOUNT,
        PolicySubject::Key(_) => KEY_OF_ACCOUNT,
    };
    let found: Option<i32> = sqlx::query_scalar(question)
        .bind(change.subject.uuid())
        .bind(change.account_id.as_uuid())
        .fetch_optional(connection)
        .await?;
    match found {
        Some(_) => Ok(()),
        None => Err(Failure::Missing(change.subject.to_string())),
    }
}
