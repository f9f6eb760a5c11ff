//! Codes that programs exchange for keys.

use async_trait::async_trait;
use sqlx::{FromRow, types::Uuid};
use switchyard_domain::{
    clock::ResetInterval,
    id::{AccountId, PersonId, WorkspaceId},
    money::UsdNanos,
    tenancy::KeyLimit,
};

use super::{Engine, TRIES_MAX, api_keys, managed_keys::expect_creator};
use crate::{
    api_key::{KeyRevision, NewApiKey},
    audit::AuditEvent,
    directory::DirectoryError,
    failure::Failure,
    oauth::{Challenge, ChallengeMethod, NewOAuthCode, OAuthCode, OAuthGrant, OAuthStore},
    portable::{At, without_nul},
};

const APP: &str = "
    INSERT INTO oauth_apps (origin, created_at) VALUES ($1, $2)
    ON CONFLICT (origin) DO UPDATE SET origin = excluded.origin
    RETURNING app_no";

const INSERT: &str = "
    INSERT INTO oauth_codes (
        code_hash, account_id, workspace_id, person_id, app_no, callback_url, challenge,
        challenge_method, key_name, limit_nanos, limit_reset, key_expires_at, created_at, expires_at
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

const FIND: &str = "
    SELECT
        c.account_id, c.workspace_id, c.person_id, c.callback_url, c.challenge, c.challenge_method,
        c.key_name, c.limit_nanos, c.limit_reset, c.key_expires_at, c.expires_at, c.used_at,
        c.key_hash, a.origin
    FROM oauth_codes AS c
    JOIN oauth_apps AS a ON a.app_no = c.app_no
    WHERE c.code_hash = $1";

const USE: &str = "
    UPDATE oauth_codes SET used_at = $2, key_hash = $3
    WHERE code_hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING 1";

#[derive(FromRow)]
struct Row {
    account_id: Uuid,
    workspace_id: Uuid,
    person_id: Option<Uuid>,
    callback_url: Option<String>,
    challenge: Option<String>,
    challenge_method: Option<String>,
    key_name: String,
    limit_nanos: Option<i64>,
    limit_reset: Option<String>,
    key_expires_at: Option<At>,
    expires_at: At,
    used_at: Option<At>,
    key_hash: Option<String>,
    origin: String,
}

impl From<Row> for OAuthCode {
    fn from(row: Row) -> Self {
        let method = row.challenge_method.as_deref();
        let method = method.and_then(ChallengeMethod::from_name);
        let challenge = method.zip(row.challenge);
        let limit = row.limit_nanos.map(|nanos| KeyLimit {
            limit: UsdNanos::new(nanos),
            reset: row
                .limit_reset
                .as_deref()
                .and_then(ResetInterval::from_name),
            include_byok: false,
        });
        Self {
            grant: OAuthGrant {
                account_id: AccountId::from_uuid(row.account_id),
                workspace_id: WorkspaceId::from_uuid(row.workspace_id),
                person_id: row.person_id.map(PersonId::from_uuid),
                callback_url: row.callback_url,
                challenge: challenge.map(|(method, text)| Challenge { method, text }),
                key_name: row.key_name,
                limit,
                key_expires_at: row.key_expires_at.map(|at| at.0),
            },
            origin: row.origin,
            expires_at: row.expires_at.0,
            used_at: row.used_at.map(|at| at.0),
            key_hash: row.key_hash,
        }
    }
}

impl Engine {
    async fn insert_code(&self, new: &NewOAuthCode, audit: &AuditEvent) -> Result<i64, Failure> {
        let grant = &new.grant;
        let challenge = grant.challenge.as_ref();
        let mut transaction = self.begin().await?;
        let workspace: Option<i32> = sqlx::query_scalar(api_keys::WORKSPACE_OF_ACCOUNT)
            .bind(grant.workspace_id.as_uuid())
            .bind(grant.account_id.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
        workspace.ok_or_else(|| Failure::Missing(grant.workspace_id.to_string()))?;
        let app: i64 = sqlx::query_scalar(APP)
            .bind(without_nul(&new.origin))
            .bind(At(new.at))
            .fetch_one(&mut *transaction)
            .await?;
        sqlx::query(INSERT)
            .bind(&new.code_hash[..])
            .bind(grant.account_id.as_uuid())
            .bind(grant.workspace_id.as_uuid())
            .bind(grant.person_id.map(PersonId::as_uuid))
            .bind(app)
            .bind(grant.callback_url.as_deref().map(without_nul))
            .bind(challenge.map(|challenge| without_nul(&challenge.text)))
            .bind(challenge.map(|challenge| challenge.method.as_str()))
            .bind(without_nul(&grant.key_name))
            .bind(grant.limit.map(|limit| limit.limit.get()))
            .bind(
                grant
                    .limit
                    .and_then(|limit| limit.reset)
                    .map(ResetInterval::as_str),
            )
            .bind(grant.key_expires_at.map(At))
            .bind(At(new.at))
            .bind(At(new.expires_at))
            .execute(&mut *transaction)
            .await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(app)
    }

    async fn select_code(&self, code_hash: &[u8; 32]) -> Result<Option<OAuthCode>, Failure> {
        let row: Option<Row> = sqlx::query_as(FIND)
            .bind(&code_hash[..])
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(Into::into))
    }

    async fn use_code(
        &self,
        code_hash: &[u8; 32],
        key: &NewApiKey,
        audit: &AuditEvent,
    ) -> Result<KeyRevision, Failure> {
        let mut transaction = self.begin().await?;
        let used: Option<i32> = sqlx::query_scalar(USE)
            .bind(&code_hash[..])
            .bind(At(audit.at))
            .bind(&key.key.hash)
            .fetch_optional(&mut *transaction)
            .await?;
        used.ok_or(Failure::Conflict("code"))?;
        let revision = api_keys::insert_key(&mut transaction, key, None).await?;
        expect_creator(&mut transaction, key).await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(revision)
    }
}

#[async_trait]
impl OAuthStore for Engine {
    async fn insert_oauth_code(
        &self,
        code: &NewOAuthCode,
        audit: &AuditEvent,
    ) -> Result<i64, DirectoryError> {
        retried!(self.insert_code(code, audit))
    }

    async fn oauth_code(&self, code_hash: &[u8; 32]) -> Result<Option<OAuthCode>, DirectoryError> {
        retried!(self.select_code(code_hash))
    }

    async fn redeem_oauth_code(
        &self,
        code_hash: &[u8; 32],
        key: &NewApiKey,
        audit: &AuditEvent,
    ) -> Result<KeyRevision, DirectoryError> {
        retried!(self.use_code(code_hash, key, audit))
    }
}
