//! API keys, their limits, their changes and what they spent.

use sqlx::{Database, FromRow, types::Uuid};
use switchyard_domain::{
    clock::{ResetInterval, Timestamp},
    id::{AccountId, ApiKeyId, PersonId, WorkspaceId},
    money::UsdNanos,
    tenancy::{ApiKey, KeyKind, KeyLimit},
};

use super::{super::Db, Engine, rows};
use crate::{
    api_key::{
        ExternalIdentity, KeyRevision, KeyUsage, KeyVerifier, NewApiKey, Page, StoredKey,
        WindowSums,
    },
    failure::Failure,
    portable::{At, Day, without_nul},
};

const REVISIONS_MAX: i64 = 1_000;

pub(super) const WORKSPACE_OF_ACCOUNT: &str = "SELECT 1 FROM workspaces
    WHERE workspace_id = $1 AND account_id = $2 AND deleted_at IS NULL";

const LOOKUP_ID_TAKEN: &str = "SELECT 1 FROM api_keys WHERE lookup_id = $1";

const INSERT_KEY: &str = "
    INSERT INTO api_keys (
        api_key_id, account_id, workspace_id, kind, name, label, hash, lookup_id, verifier,
        pepper_version, expires_at, disabled, created_at, updated_at, revision, creator_id,
        external_user, external_key_hash, limit_key_id
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14, $15, $16, $17, $18)";

const INSERT_LIMIT: &str = "
    INSERT INTO api_key_limits (api_key_id, limit_nanos, reset_interval, include_byok)
    VALUES ($1, $2, $3, $4)";

const KEY_BY_LOOKUP_ID: &str = "
    SELECT
        k.api_key_id, k.account_id, k.workspace_id, k.kind, k.name, k.label, k.hash, k.verifier,
        k.pepper_version, k.expires_at, k.disabled, k.created_at, k.creator_id,
        k.limit_key_id, l.limit_nanos, l.reset_interval, l.include_byok
    FROM api_keys AS k
    LEFT JOIN api_key_limits AS l ON l.api_key_id = COALESCE(k.limit_key_id, k.api_key_id)
    WHERE k.lookup_id = $1 AND k.deleted_at IS NULL";

const KEYS_OF_WORKSPACE: &str = "
    SELECT
        k.api_key_id, k.account_id, k.workspace_id, k.kind, k.name, k.label, k.hash, k.verifier,
        k.pepper_version, k.expires_at, k.disabled, k.created_at, k.creator_id,
        k.limit_key_id, l.limit_nanos, l.reset_interval, l.include_byok
    FROM api_keys AS k
    LEFT JOIN api_key_limits AS l ON l.api_key_id = COALESCE(k.limit_key_id, k.api_key_id)
    WHERE k.workspace_id = $1 AND k.deleted_at IS NULL
    ORDER BY k.created_at DESC, k.api_key_id DESC
    LIMIT $2 OFFSET $3";

const REPLACE_VERIFIER: &str = "
    UPDATE api_keys SET verifier = $2, pepper_version = $3
    WHERE api_key_id = $1 AND verifier = $4 AND pepper_version = $5 AND deleted_at IS NULL";

const SET_DISABLED: &str = "
    UPDATE api_keys SET disabled = $3, updated_at = $4, revision = $5
    WHERE api_key_id = $1 AND workspace_id = $2 AND deleted_at IS NULL
    RETURNING lookup_id";

const MARK_DELETED: &str = "
    UPDATE api_keys SET deleted_at = $3, updated_at = $3, revision = $4
    WHERE api_key_id = $1 AND workspace_id = $2 AND deleted_at IS NULL
    RETURNING lookup_id";

const REVISIONS_AFTER: &str = "
    SELECT revision, api_key_id, lookup_id FROM api_keys
    WHERE revision > $1 ORDER BY revision LIMIT $2";

const KEY_USAGE: &str = "
    SELECT
        CAST(COALESCE(SUM(charge), 0) AS BIGINT) AS charge_total,
        CAST(COALESCE(SUM(CASE WHEN day >= $2 THEN charge END), 0) AS BIGINT) AS charge_daily,
        CAST(COALESCE(SUM(CASE WHEN day >= $3 THEN charge END), 0) AS BIGINT) AS charge_weekly,
        CAST(COALESCE(SUM(CASE WHEN day >= $4 THEN charge END), 0) AS BIGINT) AS charge_monthly,
        CAST(COALESCE(SUM(byok_list_price), 0) AS BIGINT) AS byok_total,
        CAST(COALESCE(SUM(CASE WHEN day >= $2 THEN byok_list_price END), 0) AS BIGINT) AS byok_daily,
        CAST(COALESCE(SUM(CASE WHEN day >= $3 THEN byok_list_price END), 0) AS BIGINT) AS byok_weekly,
        CAST(COALESCE(SUM(CASE WHEN day >= $4 THEN byok_list_price END), 0) AS BIGINT) AS byok_monthly,
        CAST(COALESCE(SUM(requests), 0) AS BIGINT) AS requests,
        CAST(COALESCE((
            SELECT SUM(s.charge + CASE WHEN l.include_byok THEN s.byok_list_price ELSE 0 END)
            FROM api_keys AS k
            JOIN api_key_limits AS l ON l.api_key_id = COALESCE(k.limit_key_id, k.api_key_id)
            JOIN api_keys AS m ON m.api_key_id = l.api_key_id OR m.limit_key_id = l.api_key_id
            JOIN key_spend AS s ON s.api_key_id = m.api_key_id
            WHERE k.api_key_id = $1 AND s.day <= $5
                AND s.day >= CASE l.reset_interval
                    WHEN 'daily' THEN $2 WHEN 'weekly' THEN $3 WHEN 'monthly' THEN $4
                    ELSE s.day END
        ), 0) AS BIGINT) AS limit_used
    FROM key_spend
    WHERE api_key_id = $1 AND day <= $5";

#[derive(FromRow)]
pub(super) struct KeyRow {
    api_key_id: Uuid,
    account_id: Uuid,
    workspace_id: Uuid,
    kind: String,
    name: String,
    label: String,
    hash: String,
    verifier: Vec<u8>,
    pepper_version: i32,
    expires_at: Option<At>,
    disabled: bool,
    created_at: At,
    creator_id: Option<Uuid>,
    limit_key_id: Option<Uuid>,
    limit_nanos: Option<i64>,
    reset_interval: Option<String>,
    include_byok: Option<bool>,
}

impl KeyRow {
    pub(super) fn into_stored(self) -> Result<StoredKey, Failure> {
        let id = ApiKeyId::from_uuid(self.api_key_id);
        let broken = |what: &str| Failure::Inconsistent(format!("{id} has an unknown {what}"));
        let reset = match self.reset_interval.as_deref() {
            None => None,
            Some("daily") => Some(ResetInterval::Daily),
            Some("weekly") => Some(ResetInterval::Weekly),
            Some("monthly") => Some(ResetInterval::Monthly),
            Some(_) => return Err(broken("reset interval")),
        };
        let limit = self.limit_nanos.map(|nanos| KeyLimit {
            limit: UsdNanos::new(nanos),
            reset,
            include_byok: self.include_byok.unwrap_or_default(),
        });
        let key = ApiKey {
            id,
            account_id: AccountId::from_uuid(self.account_id),
            workspace_id: WorkspaceId::from_uuid(self.workspace_id),
            kind: KeyKind::from_name(&self.kind).ok_or_else(|| broken("kind"))?,
            name: self.name,
            label: self.label,
            hash: self.hash,
            limit,
            expires_at: self.expires_at.map(|at| at.0),
            disabled: self.disabled,
            created_at: self.created_at.0,
            creator_id: self.creator_id.map(PersonId::from_uuid),
            shares_limit_of: self.limit_key_id.map(ApiKeyId::from_uuid),
        };
        let verifier = self
            .verifier
            .try_into()
            .map_err(|_| broken("form of verifier"))?;
        Ok(StoredKey {
            key,
            verifier,
            pepper_version: self.pepper_version,
        })
    }
}

#[derive(FromRow)]
pub(super) struct UsageRow {
    charge_total: i64,
    charge_daily: i64,
    charge_weekly: i64,
    charge_monthly: i64,
    byok_total: i64,
    byok_daily: i64,
    byok_weekly: i64,
    byok_monthly: i64,
    requests: i64,
    limit_used: i64,
}

impl UsageRow {
    pub(super) fn into_usage(self) -> KeyUsage {
        let sums = |total, daily, weekly, monthly| WindowSums {
            total: UsdNanos::new(total),
            daily: UsdNanos::new(daily),
            weekly: UsdNanos::new(weekly),
            monthly: UsdNanos::new(monthly),
        };
        KeyUsage {
            usage: sums(
                self.charge_total,
                self.charge_daily,
                self.charge_weekly,
                self.charge_monthly,
            ),
            byok_usage: sums(
                self.byok_total,
                self.byok_daily,
                self.byok_weekly,
                self.byok_monthly,
            ),
            requests: u64::try_from(self.requests).unwrap_or_default(),
            limit_used: UsdNanos::new(self.limit_used),
        }
    }
}

impl Engine {
    pub(super) async fn insert_api_key(&self, new: &NewApiKey) -> Result<KeyRevision, Failure> {
        let mut transaction = self.begin().await?;
        let revision = insert_key(&mut transaction, new, None).await?;
        transaction.commit().await?;
        Ok(revision)
    }

    pub(super) async fn select_key_by_lookup_id(
        &self,
        lookup_id: &str,
    ) -> Result<Option<StoredKey>, Failure> {
        let row: Option<KeyRow> = sqlx::query_as(KEY_BY_LOOKUP_ID)
            .bind(without_nul(lookup_id))
            .fetch_optional(&self.reader)
            .await?;
        row.map(KeyRow::into_stored).transpose()
    }

    pub(super) async fn select_keys(
        &self,
        workspace: WorkspaceId,
        page: Page,
    ) -> Result<Vec<ApiKey>, Failure> {
        let rows: Vec<KeyRow> = sqlx::query_as(KEYS_OF_WORKSPACE)
            .bind(workspace.as_uuid())
            .bind(i64::from(page.limit))
            .bind(i64::from(page.offset))
            .fetch_all(&self.reader)
            .await?;
        rows.into_iter()
            .map(|row| Ok(row.into_stored()?.key))
            .collect()
    }

    pub(super) async fn update_verifier(
        &self,
        key: ApiKeyId,
        expected: &KeyVerifier,
        verifier: &KeyVerifier,
    ) -> Result<bool, Failure> {
        let updated = sqlx::query(REPLACE_VERIFIER)
            .bind(key.as_uuid())
            .bind(verifier.mac.as_slice())
            .bind(verifier.pepper_version)
            .bind(expected.mac.as_slice())
            .bind(expected.pepper_version)
            .execute(&self.writer)
            .await?;
        Ok(updated.rows_affected() == 1)
    }

    pub(super) async fn update_key_disabled(
        &self,
        workspace: WorkspaceId,
        key: ApiKeyId,
        disabled: bool,
        at: Timestamp,
    ) -> Result<KeyRevision, Failure> {
        let mut transaction = self.begin().await?;
        let revision = rows::next_revision(&mut transaction, rows::API_KEYS).await?;
        let lookup_id: Option<String> = sqlx::query_scalar(SET_DISABLED)
            .bind(key.as_uuid())
            .bind(workspace.as_uuid())
            .bind(disabled)
            .bind(At(at))
            .bind(revision)
            .fetch_optional(&mut *transaction)
            .await?;
        let lookup_id = lookup_id.ok_or_else(|| Failure::Missing(key.to_string()))?;
        transaction.commit().await?;
        Ok(KeyRevision {
            revision,
            api_key_id: key,
            lookup_id,
        })
    }

    pub(super) async fn mark_key_deleted(
        &self,
        workspace: WorkspaceId,
        key: ApiKeyId,
        at: Timestamp,
    ) -> Result<KeyRevision, Failure> {
        let mut transaction = self.begin().await?;
        let revision = rows::next_revision(&mut transaction, rows::API_KEYS).await?;
        let lookup_id: Option<String> = sqlx::query_scalar(MARK_DELETED)
            .bind(key.as_uuid())
            .bind(workspace.as_uuid())
            .bind(At(at))
            .bind(revision)
            .fetch_optional(&mut *transaction)
            .await?;
        let lookup_id = lookup_id.ok_or_else(|| Failure::Missing(key.to_string()))?;
        transaction.commit().await?;
        Ok(KeyRevision {
            revision,
            api_key_id: key,
            lookup_id,
        })
    }

    pub(super) async fn select_key_revisions(
        &self,
        after: i64,
    ) -> Result<Vec<KeyRevision>, Failure> {
        let rows: Vec<(i64, Uuid, String)> = sqlx::query_as(REVISIONS_AFTER)
            .bind(after)
            .bind(REVISIONS_MAX)
            .fetch_all(&self.reader)
            .await?;
        let change = |(revision, id, lookup_id)| KeyRevision {
            revision,
            api_key_id: ApiKeyId::from_uuid(id),
            lookup_id,
        };
        Ok(rows.into_iter().map(change).collect())
    }

    pub(super) async fn select_key_usage(
        &self,
        key: ApiKeyId,
        now: Timestamp,
    ) -> Result<KeyUsage, Failure> {
        let since = |interval: ResetInterval| Day::of(interval.window_start(now));
        let row: UsageRow = sqlx::query_as(KEY_USAGE)
            .bind(key.as_uuid())
            .bind(since(ResetInterval::Daily))
            .bind(since(ResetInterval::Weekly))
            .bind(since(ResetInterval::Monthly))
            .bind(Day::of(now))
            .fetch_one(&self.reader)
            .await?;
        Ok(row.into_usage())
    }
}

/// Stores a key and its limit.
pub(super) async fn insert_key(
    connection: &mut <Db as Database>::Connection,
    new: &NewApiKey,
    external: Option<&ExternalIdentity>,
) -> Result<KeyRevision, Failure> {
    let key = &new.key;
    // Changes of keys come one after the other from here on, so what is asked next stays true.
    let revision = rows::next_revision(&mut *connection, rows::API_KEYS).await?;
    let workspace: Option<i32> = sqlx::query_scalar(WORKSPACE_OF_ACCOUNT)
        .bind(key.workspace_id.as_uuid())
        .bind(key.account_id.as_uuid())
        .fetch_optional(&mut *connection)
        .await?;
    if workspace.is_none() {
        return Err(Failure::Missing(key.workspace_id.to_string()));
    }
    let taken: Option<i32> = sqlx::query_scalar(LOOKUP_ID_TAKEN)
        .bind(&new.lookup_id)
        .fetch_optional(&mut *connection)
        .await?;
    if taken.is_some() {
        return Err(Failure::Conflict("lookup_id"));
    }
    insert_key_row(connection, new, external, revision).await?;
    // A limit that is another key's as well is there already.
    if let Some(limit) = &key.limit
        && key.shares_limit_of.is_none()
    {
        sqlx::query(INSERT_LIMIT)
            .bind(key.id.as_uuid())
            .bind(limit.limit.get())
            .bind(limit.reset.map(ResetInterval::as_str))
            .bind(limit.include_byok)
            .execute(connection)
            .await?;
    }
    Ok(KeyRevision {
        revision,
        api_key_id: key.id,
        lookup_id: new.lookup_id.clone(),
    })
}

async fn insert_key_row(
    connection: &mut <Db as Database>::Connection,
    new: &NewApiKey,
    external: Option<&ExternalIdentity>,
    revision: i64,
) -> Result<(), Failure> {
    let key = &new.key;
    sqlx::query(INSERT_KEY)
        .bind(key.id.as_uuid())
        .bind(key.account_id.as_uuid())
        .bind(key.workspace_id.as_uuid())
        .bind(key.kind.as_str())
        .bind(without_nul(&key.name))
        .bind(without_nul(&key.label))
        .bind(&key.hash)
        .bind(&new.lookup_id)
        .bind(new.verifier.as_slice())
        .bind(new.pepper_version)
        .bind(key.expires_at.map(At))
        .bind(key.disabled)
        .bind(At(key.created_at))
        .bind(revision)
        .bind(key.creator_id.map(PersonId::as_uuid))
        .bind(external.map(|external| without_nul(&external.user)))
        .bind(external.and_then(|external| external.key_hash.as_deref()))
        .bind(key.shares_limit_of.map(ApiKeyId::as_uuid))
        .execute(connection)
        .await
        .map_err(|error| Failure::from(error).or_conflict("api_key_id"))?;
    Ok(())
}
