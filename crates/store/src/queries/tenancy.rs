//! Workspaces: making, changing, deleting.

mod members;

use async_trait::async_trait;
use sqlx::{Database, FromRow, types::Uuid};
use switchyard_domain::id::{AccountId, CredentialId, PersonId, WorkspaceId};

use super::{super::Db, Engine, TRIES_MAX, own_credentials, policies, rows};
use crate::{
    api_key::Page,
    audit::AuditEvent,
    directory::DirectoryError,
    failure::Failure,
    own_credential::OwnCredentialRevision,
    policy::{PolicyChange, PolicyRevision, PolicySubject},
    portable::{At, without_nul},
    tenancy::{
        AccountPerson, DEFAULT_WORKSPACE, DeletedWorkspace, LIVE_KEYS, Member, NewWorkspace,
        RulesChange, TenancyStore, WorkspaceChange, WorkspaceName, WorkspaceRow,
    },
};

/// `SELECT` of whole rows.
macro_rules! select_workspaces {
    ($rest:literal) => {
        concat!(
            "SELECT
                workspace_id, account_id, name, COALESCE(slug, 'default') AS slug, description,
                is_default, created_by, created_at, updated_at
            FROM workspaces WHERE account_id = $1 AND deleted_at IS NULL ",
            $rest
        )
    };
}

const PAGE: &str =
    select_workspaces!("ORDER BY is_default DESC, created_at, workspace_id LIMIT $2 OFFSET $3");

const BY_ID: &str = select_workspaces!("AND workspace_id = $2");

const BY_SLUG: &str = select_workspaces!("AND COALESCE(slug, 'default') = $2");

const COUNT: &str = "SELECT COUNT(*) FROM workspaces WHERE account_id = $1 AND deleted_at IS NULL";

const INSERT: &str = "
    INSERT INTO workspaces (
        workspace_id, account_id, name, slug, description, is_default, created_by, created_at
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

const CHANGE: &str = "
    UPDATE workspaces SET
        name = COALESCE($3, name), slug = COALESCE($4, slug),
        description = CASE WHEN $5 THEN $6 ELSE description END, updated_at = $7
    WHERE workspace_id = $1 AND account_id = $2 AND deleted_at IS NULL";

const IS_DEFAULT: &str = "
    SELECT is_default FROM workspaces
    WHERE workspace_id = $1 AND account_id = $2 AND deleted_at IS NULL";

const HAS_LIVE_KEYS: &str = "SELECT 1 FROM api_keys
    WHERE workspace_id = $1 AND deleted_at IS NULL AND label <> 'console' LIMIT 1";

const ITS_CREDENTIALS: &str = "
    SELECT credential_id FROM own_credentials
    WHERE workspace_id = $1 AND account_id = $2 AND deleted_at IS NULL ORDER BY credential_id";

const DROP_MEMBERS: &str = "DELETE FROM workspace_members WHERE workspace_id = $1";

const MARK_DELETED: &str = "
    UPDATE workspaces SET deleted_at = $3, updated_at = $3
    WHERE workspace_id = $1 AND account_id = $2 AND deleted_at IS NULL";

#[derive(FromRow)]
struct Row {
    workspace_id: Uuid,
    account_id: Uuid,
    name: String,
    slug: String,
    description: Option<String>,
    is_default: bool,
    created_by: Option<Uuid>,
    created_at: At,
    updated_at: Option<At>,
}

impl From<Row> for WorkspaceRow {
    fn from(row: Row) -> Self {
        Self {
            id: WorkspaceId::from_uuid(row.workspace_id),
            account_id: AccountId::from_uuid(row.account_id),
            name: row.name,
            slug: row.slug,
            description: row.description,
            is_default: row.is_default,
            created_by: row.created_by.map(PersonId::from_uuid),
            created_at: row.created_at.0,
            updated_at: row.updated_at.map(|at| at.0),
        }
    }
}

impl Engine {
    async fn select_workspaces(
        &self,
        account: AccountId,
        page: Page,
    ) -> Result<(Vec<WorkspaceRow>, u64), Failure> {
        let rows: Vec<Row> = sqlx::query_as(PAGE)
            .bind(account.as_uuid())
            .bind(i64::from(page.limit))
            .bind(i64::from(page.offset))
            .fetch_all(&self.reader)
            .await?;
        let count: i64 = sqlx::query_scalar(COUNT)
            .bind(account.as_uuid())
            .fetch_one(&self.reader)
            .await?;
        Ok((
            rows.into_iter().map(Into::into).collect(),
            u64::try_from(count).unwrap_or_default(),
        ))
    }

    async fn select_workspace(
        &self,
        account: AccountId,
        name: &WorkspaceName,
    ) -> Result<Option<WorkspaceRow>, Failure> {
        let query = match name {
            WorkspaceName::Id(id) => sqlx::query_as(BY_ID)
                .bind(account.as_uuid())
                .bind(id.as_uuid()),
            WorkspaceName::Slug(slug) => sqlx::query_as(BY_SLUG)
                .bind(account.as_uuid())
                .bind(without_nul(slug)),
        };
        let row: Option<Row> = query.fetch_optional(&self.reader).await?;
        Ok(row.map(Into::into))
    }

    async fn insert_workspace_once(
        &self,
        new: &NewWorkspace,
        audit: &AuditEvent,
    ) -> Result<Option<PolicyRevision>, Failure> {
        let mut transaction = self.begin().await?;
        sqlx::query(INSERT)
            .bind(new.id.as_uuid())
            .bind(new.account_id.as_uuid())
            .bind(without_nul(&new.name))
            .bind(without_nul(&new.slug))
            .bind(new.description.as_deref().map(without_nul))
            .bind(false)
            .bind(new.created_by.map(PersonId::as_uuid))
            .bind(At(new.at))
            .execute(&mut *transaction)
            .await
            .map_err(|error| Failure::from(error).or_conflict("slug"))?;
        if let Some(person) = new.created_by {
            let place = (new.account_id, new.id);
            members::let_in(&mut transaction, place, person, new.at).await?;
        }
        let rules = new.rules.as_deref().map(|rules| RulesChange {
            rules: rules.to_owned(),
            expected_revision: None,
        });
        let place = (new.account_id, new.id);
        let policy = replace_rules(&mut transaction, place, rules.as_ref(), audit).await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(policy)
    }

    async fn change_workspace_once(
        &self,
        account: AccountId,
        id: WorkspaceId,
        change: &WorkspaceChange,
        audit: &AuditEvent,
    ) -> Result<Option<PolicyRevision>, Failure> {
        let mut transaction = self.begin().await?;
        let place = (account, id);
        let policy = replace_rules(&mut transaction, place, change.rules.as_ref(), audit).await?;
        let description = change.description.as_ref();
        let changed = sqlx::query(CHANGE)
            .bind(id.as_uuid())
            .bind(account.as_uuid())
            .bind(change.name.as_deref().map(without_nul))
            .bind(change.slug.as_deref().map(without_nul))
            .bind(description.is_some())
            .bind(description.and_then(Option::as_deref).map(without_nul))
            .bind(At(change.at))
            .execute(&mut *transaction)
            .await
            .map_err(|error| Failure::from(error).or_conflict("slug"))?
            .rows_affected();
        if changed == 0 {
            return Err(Failure::Missing(id.to_string()));
        }
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(policy)
    }

    async fn delete_workspace_once(
        &self,
        account: AccountId,
        id: WorkspaceId,
        audit: &AuditEvent,
    ) -> Result<DeletedWorkspace, Failure> {
        let mut transaction = self.begin().await?;
        // From here on no key and no credential is made, so none can slip in.
        rows::next_revision(&mut transaction, rows::API_KEYS).await?;
        let mut revision = rows::next_revision(&mut transaction, rows::OWN_CREDENTIALS).await?;
        expect_no_default(&mut transaction, account, id).await?;
        let key: Option<i32> = sqlx::query_scalar(HAS_LIVE_KEYS)
            .bind(id.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
        if key.is_some() {
            return Err(Failure::Refused(LIVE_KEYS));
        }
        let credentials: Vec<Uuid> = sqlx::query_scalar(ITS_CREDENTIALS)
            .bind(id.as_uuid())
            .bind(account.as_uuid())
            .fetch_all(&mut *transaction)
            .await?;
        let mut deleted = DeletedWorkspace::default();
        for credential in credentials {
            if !deleted.credentials.is_empty() {
                revision = rows::next_revision(&mut transaction, rows::OWN_CREDENTIALS).await?;
            }
            let gone = OwnCredentialRevision {
                revision,
                id: CredentialId::from_uuid(credential),
                account_id: account,
            };
            own_credentials::wipe(&mut transaction, gone, audit.at).await?;
            deleted.credentials.push(gone);
        }
        let change = policy_change((account, id), audit);
        deleted.policy = policies::clear(&mut transaction, &change).await?;
        sqlx::query(DROP_MEMBERS)
            .bind(id.as_uuid())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(MARK_DELETED)
            .bind(id.as_uuid())
            .bind(account.as_uuid())
            .bind(At(audit.at))
            .execute(&mut *transaction)
            .await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(deleted)
    }
}

type Place = (AccountId, WorkspaceId);

fn policy_change((account_id, workspace): Place, audit: &AuditEvent) -> PolicyChange {
    PolicyChange {
        account_id,
        subject: PolicySubject::Workspace(workspace),
        by: audit.actor.clone(),
        at: audit.at,
    }
}

async fn replace_rules(
    connection: &mut <Db as Database>::Connection,
    place: Place,
    change: Option<&RulesChange>,
    audit: &AuditEvent,
) -> Result<Option<PolicyRevision>, Failure> {
    let Some(RulesChange {
        rules,
        expected_revision,
    }) = change
    else {
        return Ok(None);
    };
    let change = policy_change(place, audit);
    policies::replace(connection, &change, rules, *expected_revision)
        .await
        .map(Some)
}

/// Refuses what is not a workspace of the account, and the one that is everybody's.
async fn expect_no_default(
    connection: &mut <Db as Database>::Connection,
    account: AccountId,
    id: WorkspaceId,
) -> Result<(), Failure> {
    match is_default(connection, account, id).await? {
        false => Ok(()),
        true => Err(Failure::Refused(DEFAULT_WORKSPACE)),
    }
}

async fn is_default(
    connection: &mut <Db as Database>::Connection,
    account: AccountId,
    id: WorkspaceId,
) -> Result<bool, Failure> {
    let found: Option<bool> = sqlx::query_scalar(IS_DEFAULT)
        .bind(id.as_uuid())
        .bind(account.as_uuid())
        .fetch_optional(connection)
        .await?;
    found.ok_or_else(|| Failure::Missing(id.to_string()))
}

#[async_trait]
impl TenancyStore for Engine {
    async fn list_workspaces(
        &self,
        account: AccountId,
        page: Page,
    ) -> Result<(Vec<WorkspaceRow>, u64), DirectoryError> {
        retried!(self.select_workspaces(account, page))
    }

    async fn workspace(
        &self,
        account: AccountId,
        name: &WorkspaceName,
    ) -> Result<Option<WorkspaceRow>, DirectoryError> {
        retried!(self.select_workspace(account, name))
    }

    async fn insert_workspace(
        &self,
        workspace: &NewWorkspace,
        audit: &AuditEvent,
    ) -> Result<Option<PolicyRevision>, DirectoryError> {
        retried!(self.insert_workspace_once(workspace, audit))
    }

    async fn change_workspace(
        &self,
        account: AccountId,
        id: WorkspaceId,
        change: &WorkspaceChange,
        audit: &AuditEvent,
    ) -> Result<Option<PolicyRevision>, DirectoryError> {
        retried!(self.change_workspace_once(account, id, change, audit))
    }

    async fn delete_workspace(
        &self,
        account: AccountId,
        id: WorkspaceId,
        audit: &AuditEvent,
    ) -> Result<DeletedWorkspace, DirectoryError> {
        retried!(self.delete_workspace_once(account, id, audit))
    }

    async fn list_members(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        page: Page,
    ) -> Result<(Vec<Member>, u64), DirectoryError> {
        retried!(self.select_members(account, workspace, page))
    }

    async fn add_members(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        people: &[PersonId],
        audit: &AuditEvent,
    ) -> Result<Vec<Member>, DirectoryError> {
        retried!(self.insert_members(account, workspace, people, audit))
    }

    async fn remove_members(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        people: &[PersonId],
        audit: &AuditEvent,
    ) -> Result<u64, DirectoryError> {
        retried!(self.delete_members(account, workspace, people, audit))
    }

    async fn list_people(
        &self,
        account: AccountId,
        page: Page,
    ) -> Result<(Vec<AccountPerson>, u64), DirectoryError> {
        retried!(self.select_people(account, page))
    }
}
