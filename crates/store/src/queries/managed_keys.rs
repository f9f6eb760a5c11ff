//! API keys as their managers make, see and change them.

mod listing;
mod rotation;

use async_trait::async_trait;
use sqlx::{Database, FromRow, types::Uuid};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId, PersonId, WorkspaceId},
};

use super::{
    super::Db,
    Engine, TRIES_MAX,
    api_keys::{self, WORKSPACE_OF_ACCOUNT},
    limits,
    rows::{self, Script},
};
use crate::{
    api_key::{
        ApiKeyStore, ExternalIdentity, KeyChange, KeyDay, KeyFilter, KeyRevision, KeyRotation,
        KeySight, ManagedKey, NewApiKey, Page, RotatedKey,
    },
    audit::AuditEvent,
    directory::DirectoryError,
    failure::Failure,
    portable::{At, without_nul},
};

const MEMBER_OF_ACCOUNT: &str =
    "SELECT 1 FROM memberships WHERE account_id = $1 AND person_id = $2";

const FOUND: &str = "
    SELECT api_key_id, COALESCE(limit_key_id, api_key_id) AS limit_key_id, lookup_id, revision
    FROM api_keys
    WHERE hash = $1 AND account_id = $2 AND deleted_at IS NULL AND label <> 'console'
        AND ($3 OR kind = 'inference') AND ($4 IS NULL OR creator_id = $4)";

const SHARE_LIMIT: &str = "
    SELECT api_key_id, COALESCE(limit_key_id, api_key_id) AS limit_key_id, lookup_id, revision
    FROM api_keys
    WHERE (api_key_id = $1 OR limit_key_id = $1) AND api_key_id <> $2 AND deleted_at IS NULL
    ORDER BY api_key_id";

const TOUCH: &str = "UPDATE api_keys SET updated_at = $2, revision = $3 WHERE api_key_id = $1";

const CHANGE: &str = "
    UPDATE api_keys SET name = $2, disabled = $3, updated_at = $4, revision = $5
    WHERE api_key_id = $1";

const DELETE: &str = "
    UPDATE api_keys SET deleted_at = $2, updated_at = $2, revision = $3 WHERE api_key_id = $1";

#[derive(FromRow)]
struct Found {
    api_key_id: Uuid,
    /// By which key its limit is known.
    limit_key_id: Uuid,
    lookup_id: String,
    revision: i64,
}

impl Engine {
    async fn create_managed(
        &self,
        new: &NewApiKey,
        external: Option<&ExternalIdentity>,
        audit: &AuditEvent,
    ) -> Result<KeyRevision, Failure> {
        let mut transaction = self.begin().await?;
        let revision = api_keys::insert_key(&mut transaction, new, external).await?;
        expect_creator(&mut transaction, new).await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(revision)
    }

    async fn change_managed(
        &self,
        account: AccountId,
        sight: KeySight,
        hash: &str,
        change: &KeyChange,
        audit: &AuditEvent,
    ) -> Result<Vec<KeyRevision>, Failure> {
        let mut transaction = self.begin().await?;
        let revision = rows::next_revision(&mut transaction, rows::API_KEYS).await?;
        let found = find(&mut transaction, account, sight, hash).await?;
        if found.revision != change.expected_revision {
            return Err(Failure::Conflict("revision"));
        }
        sqlx::query(CHANGE)
            .bind(found.api_key_id)
            .bind(without_nul(&change.name))
            .bind(change.disabled)
            .bind(At(change.at))
            .bind(revision)
            .execute(&mut *transaction)
            .await?;
        let limit_key = ApiKeyId::from_uuid(found.limit_key_id);
        limits::set_limit(
            &mut transaction,
            limit_key,
            change.limit,
            revision,
            change.at,
        )
        .await?;
        let mut changed = vec![found.at(revision)];
        if change.limit.is_mentioned() {
            touch_those_that_share(&mut transaction, limit_key, change.at, &mut changed).await?;
        }
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(changed)
    }

    async fn remove_managed(
        &self,
        account: AccountId,
        sight: KeySight,
        hash: &str,
        audit: &AuditEvent,
    ) -> Result<KeyRevision, Failure> {
        let mut transaction = self.begin().await?;
        let revision = rows::next_revision(&mut transaction, rows::API_KEYS).await?;
        let found = find(&mut transaction, account, sight, hash).await?;
        sqlx::query(DELETE)
            .bind(found.api_key_id)
            .bind(At(audit.at))
            .bind(revision)
            .execute(&mut *transaction)
            .await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(found.at(revision))
    }

    async fn select_has_workspace(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
    ) -> Result<bool, Failure> {
        let found: Option<i32> = sqlx::query_scalar(WORKSPACE_OF_ACCOUNT)
            .bind(workspace.as_uuid())
            .bind(account.as_uuid())
            .fetch_optional(&self.reader)
            .await?;
        Ok(found.is_some())
    }

    async fn update_key_uses(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<(), Failure> {
        let mut uses = uses.to_vec();
        uses.sort_unstable();
        let mut script = Script::default();
        script.push_rows(
            "WITH used (api_key_id, at) AS (",
            uses,
            |row, (key, at)| {
                row.push_bind(key.as_uuid()).push_bind(At(at));
            },
            ") UPDATE api_keys SET last_used_at = used.at FROM used
            WHERE api_keys.api_key_id = used.api_key_id
                AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < used.at)",
        );
        let mut transaction = self.begin().await?;
        script.run(&mut transaction).await?;
        Ok(transaction.commit().await?)
    }
}

impl Found {
    fn at(self, revision: i64) -> KeyRevision {
        KeyRevision {
            revision,
            api_key_id: ApiKeyId::from_uuid(self.api_key_id),
            lookup_id: self.lookup_id,
        }
    }
}

/// Refuses a key whose owner does not belong to the account. Asked once the key has its number: whoever
/// leaves takes one too, so nobody leaves between.
pub(super) async fn expect_creator(
    connection: &mut <Db as Database>::Connection,
    new: &NewApiKey,
) -> Result<(), Failure> {
    let Some(person) = new.key.creator_id else {
        return Ok(());
    };
    let member: Option<i32> = sqlx::query_scalar(MEMBER_OF_ACCOUNT)
        .bind(new.key.account_id.as_uuid())
        .bind(person.as_uuid())
        .fetch_optional(connection)
        .await?;
    member.map(drop).ok_or(Failure::Refused("creator"))
}

async fn find(
    connection: &mut <Db as Database>::Connection,
    account: AccountId,
    sight: KeySight,
    hash: &str,
) -> Result<Found, Failure> {
    let found: Option<Found> = sqlx::query_as(FOUND)
        .bind(without_nul(hash))
        .bind(account.as_uuid())
        .bind(sight.management)
        .bind(sight.creator.map(PersonId::as_uuid))
        .fetch_optional(connection)
        .await?;
    found.ok_or_else(|| Failure::Missing("API key".to_owned()))
}

/// Caches of keys that share a changed limit must hear of it, too.
async fn touch_those_that_share(
    connection: &mut <Db as Database>::Connection,
    limit_key: ApiKeyId,
    at: Timestamp,
    changed: &mut Vec<KeyRevision>,
) -> Result<(), Failure> {
    let others: Vec<Found> = sqlx::query_as(SHARE_LIMIT)
        .bind(limit_key.as_uuid())
        .bind(changed[0].api_key_id.as_uuid())
        .fetch_all(&mut *connection)
        .await?;
    for other in others {
        let revision = rows::next_revision(&mut *connection, rows::API_KEYS).await?;
        sqlx::query(TOUCH)
            .bind(other.api_key_id)
            .bind(At(at))
            .bind(revision)
            .execute(&mut *connection)
            .await?;
        changed.push(other.at(revision));
    }
    Ok(())
}

#[async_trait]
impl ApiKeyStore for Engine {
    async fn create_key(
        &self,
        key: &NewApiKey,
        external: Option<&ExternalIdentity>,
        audit: &AuditEvent,
    ) -> Result<KeyRevision, DirectoryError> {
        retried!(self.create_managed(key, external, audit))
    }

    async fn change_key(
        &self,
        account: AccountId,
        sight: KeySight,
        hash: &str,
        change: &KeyChange,
        audit: &AuditEvent,
    ) -> Result<Vec<KeyRevision>, DirectoryError> {
        retried!(self.change_managed(account, sight, hash, change, audit))
    }

    async fn rotate_key(
        &self,
        account: AccountId,
        sight: KeySight,
        hash: &str,
        rotation: &KeyRotation,
        audit: &AuditEvent,
    ) -> Result<RotatedKey, DirectoryError> {
        retried!(self.rotate_managed(account, sight, hash, rotation, audit))
    }

    async fn remove_key(
        &self,
        account: AccountId,
        sight: KeySight,
        hash: &str,
        audit: &AuditEvent,
    ) -> Result<KeyRevision, DirectoryError> {
        retried!(self.remove_managed(account, sight, hash, audit))
    }

    async fn managed_key(
        &self,
        account: AccountId,
        sight: KeySight,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<ManagedKey>, DirectoryError> {
        retried!(self.select_managed(account, sight, hash, now))
    }

    async fn managed_keys(
        &self,
        account: AccountId,
        filter: &KeyFilter,
        page: Page,
        now: Timestamp,
    ) -> Result<(Vec<ManagedKey>, u64), DirectoryError> {
        retried!(self.select_managed_page(account, filter, page, now))
    }

    async fn key_days(
        &self,
        key: ApiKeyId,
        from: Timestamp,
    ) -> Result<Vec<KeyDay>, DirectoryError> {
        retried!(self.select_key_days(key, from))
    }

    async fn has_workspace(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
    ) -> Result<bool, DirectoryError> {
        retried!(self.select_has_workspace(account, workspace))
    }

    async fn note_key_uses(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<(), DirectoryError> {
        retried!(self.update_key_uses(uses))
    }
}
