//! A key's successor: the same limit, the same standing rules, the same credentials. What the old key
//! was kept from, the new one is kept from as well, from its first request on.

use sqlx::{
    Database, FromRow,
    types::{Json, Uuid},
};
use switchyard_domain::id::{AccountId, ApiKeyId, CredentialId};

use super::{
    super::{super::Db, Engine, api_keys, own_credentials::filters_text, rows},
    find,
};
use crate::{
    api_key::{KeyRotation, KeySight, RotatedKey},
    audit::AuditEvent,
    failure::Failure,
    own_credential::CredentialFilters,
    portable::{At, without_nul},
};

const HAS_SUCCESSOR: &str =
    "SELECT 1 FROM api_keys WHERE rotated_from = $1 AND deleted_at IS NULL LIMIT 1";

const SUCCEED: &str = "
    UPDATE api_keys SET
        rotated_from = $2,
        external_user = (SELECT external_user FROM api_keys WHERE api_key_id = $2),
        external_key_hash = (SELECT external_key_hash FROM api_keys WHERE api_key_id = $2)
    WHERE api_key_id = $1";

const END: &str = "
    UPDATE api_keys SET
        expires_at = CASE WHEN expires_at < $2 THEN expires_at ELSE $2 END,
        updated_at = $3, revision = $4
    WHERE api_key_id = $1";

const HAS_RULES: &str = "
    SELECT 1 FROM policies WHERE scope = 'key' AND subject_id = $1 AND rules IS NOT NULL";

const COPY_RULES: &str = "
    INSERT INTO policies (scope, subject_id, account_id, rules, revision, updated_at, updated_by)
    SELECT scope, $2, account_id, rules, $3, $4, $5 FROM policies
    WHERE scope = 'key' AND subject_id = $1 AND rules IS NOT NULL";

const FILTERS: &str = "
    SELECT credential_id, filters FROM own_credentials
    WHERE account_id = $1 AND deleted_at IS NULL ORDER BY credential_id";

const SET_FILTERS: &str = "
    UPDATE own_credentials SET filters = $2, updated_at = $3, revision = $4
    WHERE credential_id = $1";

#[derive(FromRow)]
struct Filtered {
    credential_id: Uuid,
    filters: Json<CredentialFilters>,
}

impl Engine {
    pub(super) async fn rotate_managed(
        &self,
        account: AccountId,
        sight: KeySight,
        hash: &str,
        rotation: &KeyRotation,
        audit: &AuditEvent,
    ) -> Result<RotatedKey, Failure> {
        let successor = &rotation.successor;
        let mut transaction = self.begin().await?;
        let revision = rows::next_revision(&mut transaction, rows::API_KEYS).await?;
        let old = find(&mut transaction, account, sight, hash).await?;
        if old.revision != rotation.expected_revision {
            return Err(Failure::Conflict("revision"));
        }
        let rotated: Option<i32> = sqlx::query_scalar(HAS_SUCCESSOR)
            .bind(old.api_key_id)
            .fetch_optional(&mut *transaction)
            .await?;
        if rotated.is_some() {
            return Err(Failure::Refused("rotated"));
        }
        sqlx::query(END)
            .bind(old.api_key_id)
            .bind(At(rotation.old_expires_at))
            .bind(At(rotation.at))
            .bind(revision)
            .execute(&mut *transaction)
            .await?;
        let made = api_keys::insert_key(&mut transaction, successor, None).await?;
        sqlx::query(SUCCEED)
            .bind(successor.key.id.as_uuid())
            .bind(old.api_key_id)
            .execute(&mut *transaction)
            .await?;
        let old_id = old.api_key_id;
        let credentials = open_credentials(&mut transaction, account, hash, rotation).await?;
        let policy = copy_rules(&mut transaction, old_id, rotation, &audit.actor).await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(RotatedKey {
            keys: vec![old.at(revision), made],
            credentials,
            policy,
        })
    }
}

/// Credentials that are for the old key are for the new one, too.
async fn open_credentials(
    connection: &mut <Db as Database>::Connection,
    account: AccountId,
    old_hash: &str,
    rotation: &KeyRotation,
) -> Result<Vec<CredentialId>, Failure> {
    let rows: Vec<Filtered> = sqlx::query_as(FILTERS)
        .bind(account.as_uuid())
        .fetch_all(&mut *connection)
        .await?;
    let mut opened = Vec::new();
    for Filtered {
        credential_id,
        filters: Json(mut filters),
    } in rows
    {
        let hashes = filters.api_key_hashes.as_mut();
        let Some(hashes) = hashes.filter(|hashes| hashes.iter().any(|one| one == old_hash)) else {
            continue;
        };
        hashes.push(rotation.successor.key.hash.clone());
        let revision = rows::next_revision(&mut *connection, rows::OWN_CREDENTIALS).await?;
        sqlx::query(SET_FILTERS)
            .bind(credential_id)
            .bind(filters_text(&filters)?)
            .bind(At(rotation.at))
            .bind(revision)
            .execute(&mut *connection)
            .await?;
        opened.push(CredentialId::from_uuid(credential_id));
    }
    Ok(opened)
}

/// The old key's standing rules hold for the new one, too.
async fn copy_rules(
    connection: &mut <Db as Database>::Connection,
    old: Uuid,
    rotation: &KeyRotation,
    by: &str,
) -> Result<bool, Failure> {
    // Nobody sets rules from here on until this is over.
    let revision = rows::next_revision(&mut *connection, rows::POLICIES).await?;
    let has_rules: Option<i32> = sqlx::query_scalar(HAS_RULES)
        .bind(old)
        .fetch_optional(&mut *connection)
        .await?;
    if has_rules.is_none() {
        return Ok(false);
    }
    sqlx::query(COPY_RULES)
        .bind(old)
        .bind(ApiKeyId::as_uuid(rotation.successor.key.id))
        .bind(revision)
        .bind(At(rotation.at))
        .bind(without_nul(by))
        .execute(connection)
        .await?;
    Ok(true)
}
