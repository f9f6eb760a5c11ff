//! Reading customers' credentials.

use sqlx::{
    Database, FromRow,
    types::{Json, Uuid},
};
use switchyard_domain::{
    id::{AccountId, CredentialId, PersonId, WorkspaceId},
    provider::ProviderSlug,
};

use super::super::{super::Db, Engine, rows::fetch_rows};
use crate::{
    api_key::Page,
    failure::Failure,
    own_credential::{
        CredentialCondition, CredentialFilters, CredentialSettings, CredentialState,
        OwnCredentialFilter, OwnCredentialRevision, OwnCredentialRow, SealedRecord, StoredSection,
    },
    portable::{At, JsonText},
};

const REVISIONS_MAX: i64 = 1_000;

/// `SELECT` of whole rows, with what was seen of their present secret.
macro_rules! select_rows {
    ($rest:literal) => {
        concat!(
            "SELECT
                c.credential_id, c.account_id, c.workspace_id, c.provider, c.kind, c.name, c.label,
                c.sealed, c.record_version, c.tenant_key_version, c.endpoint_host, c.disabled,
                c.section, c.sort_order, c.is_required, c.is_byok_only, c.declared_zdr,
                c.declared_region, c.filters, c.created_by, c.created_at, c.updated_at, c.revision,
                s.state, s.changed_at, s.last_ok_at, s.last_error, s.last_error_status,
                s.last_error_at
            FROM own_credentials AS c
            LEFT JOIN credential_states AS s
                ON s.credential_id = c.credential_id AND s.record_version = c.record_version
            WHERE c.deleted_at IS NULL AND ",
            $rest
        )
    };
}

const ONE: &str = select_rows!("c.credential_id = $1 AND c.account_id = $2");

const PAGE: &str = select_rows!(
    "c.account_id = $1
        AND ($2 IS NULL OR c.workspace_id = $2 OR c.workspace_id IS NULL)
        AND ($3 IS NULL OR c.provider = $3)
    ORDER BY c.provider, c.sort_order, c.credential_id
    LIMIT $4 OFFSET $5"
);

const COUNT: &str = "
    SELECT COUNT(*) FROM own_credentials
    WHERE deleted_at IS NULL AND account_id = $1
        AND ($2 IS NULL OR workspace_id = $2 OR workspace_id IS NULL)
        AND ($3 IS NULL OR provider = $3)";

const ALL: &str =
    select_rows!("c.account_id = $1 ORDER BY c.provider, c.sort_order, c.credential_id");

const IDS_OF_PROVIDER: &str = "
    SELECT credential_id FROM own_credentials
    WHERE account_id = $1 AND provider = $2 AND deleted_at IS NULL
    ORDER BY sort_order, credential_id";

const REVISIONS_AFTER: &str = "
    SELECT revision, credential_id, account_id FROM own_credentials
    WHERE revision > $1 ORDER BY revision LIMIT $2";

#[derive(FromRow)]
struct Row {
    credential_id: Uuid,
    account_id: Uuid,
    workspace_id: Option<Uuid>,
    provider: String,
    kind: String,
    name: Option<String>,
    label: String,
    sealed: Option<Vec<u8>>,
    record_version: i32,
    tenant_key_version: i32,
    endpoint_host: Option<String>,
    disabled: bool,
    section: String,
    sort_order: i32,
    is_required: bool,
    is_byok_only: bool,
    declared_zdr: Option<bool>,
    declared_region: Option<String>,
    filters: Json<CredentialFilters>,
    created_by: String,
    created_at: At,
    updated_at: At,
    revision: i64,
    state: Option<String>,
    changed_at: Option<At>,
    last_ok_at: Option<At>,
    last_error: Option<String>,
    last_error_status: Option<i32>,
    last_error_at: Option<At>,
}

impl Row {
    fn into_stored(self) -> Result<OwnCredentialRow, Failure> {
        let id = CredentialId::from_uuid(self.credential_id);
        let broken = |what: &str| Failure::Inconsistent(format!("{id} has an unknown {what}"));
        let section = StoredSection::from_name(&self.section).ok_or_else(|| broken("section"))?;
        let state = match (self.state.as_deref(), self.changed_at) {
            (Some(name), Some(changed_at)) => Some(CredentialState {
                record_version: self.record_version,
                condition: CredentialCondition::from_name(name)
                    .ok_or_else(|| broken("condition"))?,
                changed_at: changed_at.0,
                last_ok_at: self.last_ok_at.map(|at| at.0),
                last_error: self.last_error,
                last_error_status: self
                    .last_error_status
                    .and_then(|status| u16::try_from(status).ok()),
                last_error_at: self.last_error_at.map(|at| at.0),
            }),
            _ => None,
        };
        Ok(OwnCredentialRow {
            id,
            account_id: AccountId::from_uuid(self.account_id),
            workspace_id: self.workspace_id.map(WorkspaceId::from_uuid),
            provider: ProviderSlug::new(self.provider),
            secret: self.sealed.map(|sealed| SealedRecord {
                sealed,
                record_version: self.record_version,
                tenant_key_version: self.tenant_key_version,
            }),
            kind: self.kind,
            label: self.label,
            endpoint_host: self.endpoint_host,
            settings: CredentialSettings {
                name: self.name,
                disabled: self.disabled,
                section,
                is_required: self.is_required,
                is_byok_only: self.is_byok_only,
                declared_zdr: self.declared_zdr,
                declared_region: self.declared_region,
                filters: self.filters.0,
            },
            sort_order: self.sort_order,
            created_by: self.created_by,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
            revision: self.revision,
            state,
        })
    }
}

pub(in super::super) fn filters_text(filters: &CredentialFilters) -> Result<JsonText, Failure> {
    JsonText::of(filters).map_err(|error| Failure::Inconsistent(format!("filters: {error}")))
}

/// The credentials of one provider, in their order.
pub(super) async fn ids_of_provider(
    connection: &mut <Db as Database>::Connection,
    account: AccountId,
    provider: &ProviderSlug,
) -> Result<Vec<CredentialId>, Failure> {
    let ids: Vec<Uuid> = sqlx::query_scalar(IDS_OF_PROVIDER)
        .bind(account.as_uuid())
        .bind(provider.as_str())
        .fetch_all(connection)
        .await?;
    Ok(ids.into_iter().map(CredentialId::from_uuid).collect())
}

impl Engine {
    pub(super) async fn select_own(
        &self,
        account: AccountId,
        id: CredentialId,
    ) -> Result<Option<OwnCredentialRow>, Failure> {
        let row: Option<Row> = sqlx::query_as(ONE)
            .bind(id.as_uuid())
            .bind(account.as_uuid())
            .fetch_optional(&self.reader)
            .await?;
        row.map(Row::into_stored).transpose()
    }

    pub(super) async fn select_own_page(
        &self,
        account: AccountId,
        filter: &OwnCredentialFilter,
        page: Page,
    ) -> Result<(Vec<OwnCredentialRow>, u64), Failure> {
        let workspace = filter.workspace.map(WorkspaceId::as_uuid);
        let provider = filter.provider.as_ref().map(ProviderSlug::as_str);
        let rows: Vec<Row> = sqlx::query_as(PAGE)
            .bind(account.as_uuid())
            .bind(workspace)
            .bind(provider)
            .bind(i64::from(page.limit))
            .bind(i64::from(page.offset))
            .fetch_all(&self.reader)
            .await?;
        let count: i64 = sqlx::query_scalar(COUNT)
            .bind(account.as_uuid())
            .bind(workspace)
            .bind(provider)
            .fetch_one(&self.reader)
            .await?;
        let rows = rows.into_iter().map(Row::into_stored);
        Ok((
            rows.collect::<Result<_, _>>()?,
            u64::try_from(count).unwrap_or_default(),
        ))
    }

    pub(super) async fn select_all_own(
        &self,
        account: AccountId,
    ) -> Result<Vec<OwnCredentialRow>, Failure> {
        let rows: Vec<Row> = sqlx::query_as(ALL)
            .bind(account.as_uuid())
            .fetch_all(&self.reader)
            .await?;
        rows.into_iter().map(Row::into_stored).collect()
    }

    pub(super) async fn select_members_among(
        &self,
        account: AccountId,
        people: &[PersonId],
    ) -> Result<Vec<PersonId>, Failure> {
        let rows: Vec<(Uuid,)> = fetch_rows(
            &self.reader,
            "WITH asked (account_id, person_id) AS (",
            people,
            |row, person| {
                row.push_bind(account.as_uuid()).push_bind(person.as_uuid());
            },
            ") SELECT m.person_id
            FROM asked
            JOIN memberships AS m
                ON m.account_id = asked.account_id AND m.person_id = asked.person_id",
        )
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id,)| PersonId::from_uuid(id))
            .collect())
    }

    pub(super) async fn select_own_revisions(
        &self,
        after: i64,
    ) -> Result<Vec<OwnCredentialRevision>, Failure> {
        let rows: Vec<(i64, Uuid, Uuid)> = sqlx::query_as(REVISIONS_AFTER)
            .bind(after)
            .bind(REVISIONS_MAX)
            .fetch_all(&self.reader)
            .await?;
        let change = |(revision, id, account)| OwnCredentialRevision {
            revision,
            id: CredentialId::from_uuid(id),
            account_id: AccountId::from_uuid(account),
        };
        Ok(rows.into_iter().map(change).collect())
    }
}
