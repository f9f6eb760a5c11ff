//! API keys as their managers make, see and change them.

use async_trait::async_trait;
use sqlx::{Database, FromRow, types::Uuid};
use switchyard_domain::{
    clock::{ResetInterval, Timestamp},
    id::{AccountId, ApiKeyId, WorkspaceId},
};

use super::{
    super::Db,
    Engine, TRIES_MAX,
    api_keys::{self, KeyRow, UsageRow, WORKSPACE_OF_ACCOUNT},
    limits,
    rows::{self, Script},
};
use crate::{
    api_key::{
        ApiKeyStore, ExternalIdentity, KeyChange, KeyFilter, KeyRevision, ManagedKey, NewApiKey,
        Page,
    },
    audit::AuditEvent,
    directory::DirectoryError,
    failure::Failure,
    portable::{At, Day, without_nul},
};

const MEMBER_OF_ACCOUNT: &str =
    "SELECT 1 FROM memberships WHERE account_id = $1 AND person_id = $2";

const FOUND: &str = "
    SELECT api_key_id, lookup_id, revision FROM api_keys
    WHERE hash = $1 AND account_id = $2 AND kind = 'inference' AND deleted_at IS NULL
        AND label <> 'console'";

const CHANGE: &str = "
    UPDATE api_keys SET name = $2, disabled = $3, updated_at = $4, revision = $5
    WHERE api_key_id = $1";

const DELETE: &str = "
    UPDATE api_keys SET deleted_at = $2, updated_at = $2, revision = $3 WHERE api_key_id = $1";

/// Keys with their limits and what each used, the sums of all of them in one pass.
macro_rules! select_keys {
    ($which:literal) => {
        concat!(
            "WITH page AS (
                SELECT
                    api_key_id, account_id, workspace_id, kind, name, label, hash, verifier,
                    pepper_version, expires_at, disabled, created_at, creator_id, lookup_id,
                    updated_at, last_used_at, external_user, revision
                FROM api_keys
                WHERE account_id = $5 AND kind = 'inference' AND deleted_at IS NULL
                    AND label <> 'console' AND ",
            $which,
            "), used AS (
                SELECT
                    s.api_key_id,
                    SUM(s.charge) AS charge_total,
                    SUM(CASE WHEN s.day >= $1 THEN s.charge END) AS charge_daily,
                    SUM(CASE WHEN s.day >= $2 THEN s.charge END) AS charge_weekly,
                    SUM(CASE WHEN s.day >= $3 THEN s.charge END) AS charge_monthly,
                    SUM(s.byok_list_price) AS byok_total,
                    SUM(CASE WHEN s.day >= $1 THEN s.byok_list_price END) AS byok_daily,
                    SUM(CASE WHEN s.day >= $2 THEN s.byok_list_price END) AS byok_weekly,
                    SUM(CASE WHEN s.day >= $3 THEN s.byok_list_price END) AS byok_monthly,
                    SUM(s.requests) AS requests
                FROM key_spend AS s
                JOIN page AS p ON p.api_key_id = s.api_key_id
                WHERE s.day <= $4
                GROUP BY s.api_key_id
            )
            SELECT
                p.api_key_id, p.account_id, p.workspace_id, p.kind, p.name, p.label, p.hash,
                p.verifier, p.pepper_version, p.expires_at, p.disabled, p.created_at,
                p.creator_id, p.lookup_id, p.updated_at, p.last_used_at, p.external_user,
                p.revision, l.limit_nanos, l.reset_interval, l.include_byok,
                CAST(COALESCE(u.charge_total, 0) AS BIGINT) AS charge_total,
                CAST(COALESCE(u.charge_daily, 0) AS BIGINT) AS charge_daily,
                CAST(COALESCE(u.charge_weekly, 0) AS BIGINT) AS charge_weekly,
                CAST(COALESCE(u.charge_monthly, 0) AS BIGINT) AS charge_monthly,
                CAST(COALESCE(u.byok_total, 0) AS BIGINT) AS byok_total,
                CAST(COALESCE(u.byok_daily, 0) AS BIGINT) AS byok_daily,
                CAST(COALESCE(u.byok_weekly, 0) AS BIGINT) AS byok_weekly,
                CAST(COALESCE(u.byok_monthly, 0) AS BIGINT) AS byok_monthly,
                CAST(COALESCE(u.requests, 0) AS BIGINT) AS requests
            FROM page AS p
            LEFT JOIN api_key_limits AS l ON l.api_key_id = p.api_key_id
            LEFT JOIN used AS u ON u.api_key_id = p.api_key_id
            ORDER BY p.created_at DESC, p.api_key_id DESC"
        )
    };
}

const ONE_KEY: &str = select_keys!("hash = $6");

const PAGE_OF_KEYS: &str = select_keys!(
    "workspace_id = $6
        AND ($7 OR NOT disabled)
        AND ($8 OR expires_at IS NULL OR expires_at > $9)
    ORDER BY created_at DESC, api_key_id DESC
    LIMIT $10 OFFSET $11"
);

#[derive(FromRow)]
struct Found {
    api_key_id: Uuid,
    lookup_id: String,
    revision: i64,
}

#[derive(FromRow)]
struct ManagedRow {
    #[sqlx(flatten)]
    key: KeyRow,
    #[sqlx(flatten)]
    usage: UsageRow,
    lookup_id: String,
    updated_at: At,
    last_used_at: Option<At>,
    external_user: Option<String>,
    revision: i64,
}

impl ManagedRow {
    fn into_managed(self) -> Result<ManagedKey, Failure> {
        let key = self.key.into_stored()?.key;
        Ok(ManagedKey {
            updated_at: Some(self.updated_at.0).filter(|at| *at != key.created_at),
            key,
            lookup_id: self.lookup_id,
            last_used_at: self.last_used_at.map(|at| at.0),
            external_user: self.external_user,
            revision: self.revision,
            usage: self.usage.into_usage(),
        })
    }
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
        hash: &str,
        change: &KeyChange,
        audit: &AuditEvent,
    ) -> Result<KeyRevision, Failure> {
        let mut transaction = self.begin().await?;
        let revision = rows::next_revision(&mut transaction, rows::API_KEYS).await?;
        let found = find(&mut transaction, account, hash).await?;
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
        let key = ApiKeyId::from_uuid(found.api_key_id);
        limits::set_limit(&mut transaction, key, change.limit, revision, change.at).await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(found.at(revision))
    }

    async fn remove_managed(
        &self,
        account: AccountId,
        hash: &str,
        audit: &AuditEvent,
    ) -> Result<KeyRevision, Failure> {
        let mut transaction = self.begin().await?;
        let revision = rows::next_revision(&mut transaction, rows::API_KEYS).await?;
        let found = find(&mut transaction, account, hash).await?;
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

    async fn select_managed(
        &self,
        account: AccountId,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<ManagedKey>, Failure> {
        let [daily, weekly, monthly] = window_days(now);
        let row: Option<ManagedRow> = sqlx::query_as(ONE_KEY)
            .bind(daily)
            .bind(weekly)
            .bind(monthly)
            .bind(Day::of(now))
            .bind(account.as_uuid())
            .bind(without_nul(hash))
            .fetch_optional(&self.reader)
            .await?;
        row.map(ManagedRow::into_managed).transpose()
    }

    async fn select_managed_page(
        &self,
        account: AccountId,
        filter: KeyFilter,
        page: Page,
        now: Timestamp,
    ) -> Result<Vec<ManagedKey>, Failure> {
        let [daily, weekly, monthly] = window_days(now);
        let rows: Vec<ManagedRow> = sqlx::query_as(PAGE_OF_KEYS)
            .bind(daily)
            .bind(weekly)
            .bind(monthly)
            .bind(Day::of(now))
            .bind(account.as_uuid())
            .bind(filter.workspace.as_uuid())
            .bind(filter.include_disabled)
            .bind(filter.include_expired)
            .bind(At(now))
            .bind(i64::from(page.limit))
            .bind(i64::from(page.offset))
            .fetch_all(&self.reader)
            .await?;
        rows.into_iter().map(ManagedRow::into_managed).collect()
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
    hash: &str,
) -> Result<Found, Failure> {
    let found: Option<Found> = sqlx::query_as(FOUND)
        .bind(without_nul(hash))
        .bind(account.as_uuid())
        .fetch_optional(connection)
        .await?;
    found.ok_or_else(|| Failure::Missing("API key".to_owned()))
}

/// When the present day, week and month began.
fn window_days(now: Timestamp) -> [Day; 3] {
    [
        ResetInterval::Daily,
        ResetInterval::Weekly,
        ResetInterval::Monthly,
    ]
    .map(|interval| Day::of(interval.window_start(now)))
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
        hash: &str,
        change: &KeyChange,
        audit: &AuditEvent,
    ) -> Result<KeyRevision, DirectoryError> {
        retried!(self.change_managed(account, hash, change, audit))
    }

    async fn remove_key(
        &self,
        account: AccountId,
        hash: &str,
        audit: &AuditEvent,
    ) -> Result<KeyRevision, DirectoryError> {
        retried!(self.remove_managed(account, hash, audit))
    }

    async fn managed_key(
        &self,
        account: AccountId,
        hash: &str,
        now: Timestamp,
    ) -> Result<Option<ManagedKey>, DirectoryError> {
        retried!(self.select_managed(account, hash, now))
    }

    async fn managed_keys(
        &self,
        account: AccountId,
        filter: KeyFilter,
        page: Page,
        now: Timestamp,
    ) -> Result<Vec<ManagedKey>, DirectoryError> {
        retried!(self.select_managed_page(account, filter, page, now))
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
