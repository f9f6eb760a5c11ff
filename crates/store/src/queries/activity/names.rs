//! What things are called whose ids stand in the log.

use std::collections::HashMap;

use sqlx::{FromRow, types::Uuid};
use switchyard_domain::id::{AccountId, ApiKeyId, PersonId, WorkspaceId};

use super::super::{Engine, rows::fetch_rows};
use crate::{
    activity::{KeyName, Names, PersonName, WorkspaceName},
    failure::Failure,
};

const WORKSPACES: &str = "
    SELECT workspace_id, name, COALESCE(slug, 'default') AS slug
    FROM workspaces WHERE account_id = $1";

const PEOPLE: &str = "
    SELECT p.person_id, p.name, p.email
    FROM people AS p
    WHERE p.person_id IN (SELECT person_id FROM memberships WHERE account_id = $1)
        OR p.person_id IN (SELECT creator_id FROM api_keys WHERE account_id = $1)";

const APPS: &str = "
    SELECT app, MAX(app_name) AS name FROM activity_series
    WHERE account_id = $1 AND app IS NOT NULL AND app_name IS NOT NULL GROUP BY app";

#[derive(FromRow)]
struct KeyRow {
    api_key_id: Uuid,
    account_id: Uuid,
    name: String,
    label: String,
    hash: String,
    creator_id: Option<Uuid>,
    is_deleted: bool,
}

impl Engine {
    pub(in super::super) async fn select_names(
        &self,
        account: AccountId,
        keys: &[ApiKeyId],
    ) -> Result<Names, Failure> {
        let workspaces: Vec<(Uuid, String, String)> = sqlx::query_as(WORKSPACES)
            .bind(account.as_uuid())
            .fetch_all(&self.reader)
            .await?;
        let people: Vec<(Uuid, String, String)> = sqlx::query_as(PEOPLE)
            .bind(account.as_uuid())
            .fetch_all(&self.reader)
            .await?;
        let apps: Vec<(String, String)> = sqlx::query_as(APPS)
            .bind(account.as_uuid())
            .fetch_all(&self.reader)
            .await?;
        Ok(Names {
            apps: apps.into_iter().collect(),
            keys: self.select_key_names(account, keys).await?,
            workspaces: workspaces
                .into_iter()
                .map(|(id, name, slug)| (WorkspaceId::from_uuid(id), WorkspaceName { name, slug }))
                .collect(),
            people: people
                .into_iter()
                .map(|(id, name, email)| (PersonId::from_uuid(id), PersonName { name, email }))
                .collect(),
        })
    }

    async fn select_key_names(
        &self,
        account: AccountId,
        keys: &[ApiKeyId],
    ) -> Result<HashMap<ApiKeyId, KeyName>, Failure> {
        let rows: Vec<KeyRow> = fetch_rows(
            &self.reader,
            "WITH asked (api_key_id) AS (",
            keys,
            |row, key| {
                row.push_bind(key.as_uuid());
            },
            ") SELECT
                k.api_key_id, k.account_id, k.name, k.label, k.hash, k.creator_id,
                k.deleted_at IS NOT NULL AS is_deleted
            FROM asked JOIN api_keys AS k ON k.api_key_id = asked.api_key_id",
        )
        .await?;
        let own = rows
            .into_iter()
            .filter(|row| row.account_id == account.as_uuid());
        let named = own.map(|row| {
            let name = KeyName {
                name: row.name,
                label: row.label,
                hash: row.hash,
                creator_id: row.creator_id.map(PersonId::from_uuid),
                is_deleted: row.is_deleted,
            };
            (ApiKeyId::from_uuid(row.api_key_id), name)
        });
        Ok(named.collect())
    }
}
