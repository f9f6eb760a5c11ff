//! Who belongs to an organization, and as what.

use sqlx::{FromRow, types::Uuid};
use switchyard_domain::{
    authority::Capability,
    clock::Timestamp,
    id::{AccountId, ApiKeyId, PersonId, WorkspaceId},
    tenancy::Role,
};

use super::{
    super::{Engine, rows},
    Connection, expect_authority, hold, known_role, role_of,
};
use crate::{
    api_key::KeyRevision,
    audit::AuditEvent,
    failure::Failure,
    organization::{Departure, KeysOnLeaving, LAST_OWNER, OrganizationMember, RoleChange},
    portable::At,
    tenancy::{LIVE_KEYS, WorkspaceRole},
};

/// `SELECT` of people with the session that last looked at the account.
macro_rules! select_members {
    ($rest:literal) => {
        concat!(
            "SELECT
                p.person_id, p.email, p.name, m.role, m.source, m.created_at, s.proof,
                s.last_seen_at, (
                    SELECT COUNT(*) FROM api_keys AS k
                    WHERE k.account_id = m.account_id AND k.creator_id = m.person_id
                        AND k.deleted_at IS NULL
                ) AS keys
            FROM memberships AS m
            JOIN people AS p ON p.person_id = m.person_id
            LEFT JOIN person_sessions AS s ON s.session_id = (
                SELECT l.session_id FROM person_sessions AS l
                WHERE l.person_id = m.person_id AND l.account_id = m.account_id
                ORDER BY l.last_seen_at DESC, l.session_id LIMIT 1
            )
            WHERE m.account_id = $1 ",
            $rest
        )
    };
}

const PAGE: &str = select_members!(
    "AND ($2 IS NULL OR (m.created_at, m.person_id) > (
        SELECT a.created_at, a.person_id FROM memberships AS a
        WHERE a.account_id = $1 AND a.person_id = $2
    ))
    ORDER BY m.created_at, m.person_id LIMIT $3"
);

const ONE: &str = select_members!("AND m.person_id = $2");

const WORKSPACES_OF: &str = "
    SELECT m.workspace_id FROM workspace_members AS m
    JOIN workspaces AS w ON w.workspace_id = m.workspace_id
    WHERE w.account_id = $1 AND m.person_id = $2 AND w.deleted_at IS NULL";

const OWNERS: &str = "SELECT COUNT(*) FROM memberships WHERE account_id = $1 AND role = 'owner'";

const SET_ROLE: &str = "UPDATE memberships SET role = $3 WHERE account_id = $1 AND person_id = $2";

const SET_WORKSPACE_ROLES: &str = "
    UPDATE workspace_members SET role = $3
    WHERE person_id = $2
        AND workspace_id IN (SELECT workspace_id FROM workspaces WHERE account_id = $1)";

const LIVE_KEYS_OF: &str = "
    SELECT api_key_id, lookup_id FROM api_keys
    WHERE account_id = $1 AND creator_id = $2 AND deleted_at IS NULL AND NOT disabled
    ORDER BY api_key_id";

const SWITCH_OFF: &str = "
    UPDATE api_keys SET disabled = $2, updated_at = $3, revision = $4 WHERE api_key_id = $1";

const LEAVE_WORKSPACES: &str = "
    DELETE FROM workspace_members
    WHERE person_id = $2
        AND workspace_id IN (SELECT workspace_id FROM workspaces WHERE account_id = $1)";

const LEAVE: &str = "DELETE FROM memberships WHERE account_id = $1 AND person_id = $2";

#[derive(FromRow)]
struct Row {
    person_id: Uuid,
    email: String,
    name: String,
    role: String,
    source: String,
    created_at: At,
    proof: Option<String>,
    last_seen_at: Option<At>,
    keys: i64,
}

impl TryFrom<Row> for OrganizationMember {
    type Error = Failure;

    fn try_from(row: Row) -> Result<Self, Failure> {
        Ok(Self {
            id: PersonId::from_uuid(row.person_id),
            email: row.email,
            name: row.name,
            role: known_role(&row.role)?,
            source: row.source,
            created_at: row.created_at.0,
            proof: row.proof,
            last_seen_at: row.last_seen_at.map(|at| at.0),
            keys: u64::try_from(row.keys).unwrap_or_default(),
        })
    }
}

impl Engine {
    pub(super) async fn select_organization_members(
        &self,
        account: AccountId,
        after: Option<PersonId>,
        limit: u32,
    ) -> Result<Vec<OrganizationMember>, Failure> {
        let rows: Vec<Row> = sqlx::query_as(PAGE)
            .bind(account.as_uuid())
            .bind(after.map(PersonId::as_uuid))
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    pub(super) async fn select_organization_member(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<Option<OrganizationMember>, Failure> {
        let row: Option<Row> = sqlx::query_as(ONE)
            .bind(account.as_uuid())
            .bind(person.as_uuid())
            .fetch_optional(&self.reader)
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    pub(super) async fn select_workspaces_of(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<Vec<WorkspaceId>, Failure> {
        let rows: Vec<Uuid> = sqlx::query_scalar(WORKSPACES_OF)
            .bind(account.as_uuid())
            .bind(person.as_uuid())
            .fetch_all(&self.reader)
            .await?;
        Ok(rows.into_iter().map(WorkspaceId::from_uuid).collect())
    }

    pub(super) async fn update_role(
        &self,
        change: &RoleChange,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let (account, person) = (change.account_id, change.person);
        let mut transaction = self.begin().await?;
        hold(&mut transaction, account).await?;
        let present = role_of(&mut transaction, account, person).await?;
        let present = present.ok_or_else(|| Failure::Missing(person.to_string()))?;
        if present != change.expected {
            return Err(Failure::Conflict("role"));
        }
        let by = (account, change.by);
        let over = [present, change.role];
        expect_authority(&mut transaction, by, Capability::ChangeRoles, &over).await?;
        if change.role != Role::Owner {
            expect_other_owner(&mut transaction, account, present).await?;
        }
        sqlx::query(SET_ROLE)
            .bind(account.as_uuid())
            .bind(person.as_uuid())
            .bind(change.role.as_str())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(SET_WORKSPACE_ROLES)
            .bind(account.as_uuid())
            .bind(person.as_uuid())
            .bind(WorkspaceRole::of(change.role).as_str())
            .execute(&mut *transaction)
            .await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }

    pub(super) async fn delete_membership(
        &self,
        departure: &Departure,
        audit: &AuditEvent,
    ) -> Result<Vec<KeyRevision>, Failure> {
        let (account, person) = (departure.account_id, departure.person);
        let mut transaction = self.begin().await?;
        // From here on no key is made, so none can slip in.
        let revision = rows::next_revision(&mut transaction, rows::API_KEYS).await?;
        hold(&mut transaction, account).await?;
        let role = role_of(&mut transaction, account, person).await?;
        let role = role.ok_or_else(|| Failure::Missing(person.to_string()))?;
        if departure.by != person {
            let by = (account, departure.by);
            let needed = Capability::ManageMembers;
            expect_authority(&mut transaction, by, needed, &[role]).await?;
        }
        expect_other_owner(&mut transaction, account, role).await?;
        let keys: Vec<(Uuid, String)> = sqlx::query_as(LIVE_KEYS_OF)
            .bind(account.as_uuid())
            .bind(person.as_uuid())
            .fetch_all(&mut *transaction)
            .await?;
        if !keys.is_empty() && departure.keys == KeysOnLeaving::MustBeOff {
            return Err(Failure::Refused(LIVE_KEYS));
        }
        let keys = switch_off(&mut transaction, keys, revision, audit.at).await?;
        for statement in [LEAVE_WORKSPACES, LEAVE] {
            sqlx::query(statement)
                .bind(account.as_uuid())
                .bind(person.as_uuid())
                .execute(&mut *transaction)
                .await?;
        }
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(keys)
    }
}

/// Switches keys off, the first of them with a number that was taken already.
async fn switch_off(
    connection: &mut Connection,
    keys: Vec<(Uuid, String)>,
    mut revision: i64,
    at: Timestamp,
) -> Result<Vec<KeyRevision>, Failure> {
    let mut changed = Vec::with_capacity(keys.len());
    for (id, lookup_id) in keys {
        if !changed.is_empty() {
            revision = rows::next_revision(connection, rows::API_KEYS).await?;
        }
        sqlx::query(SWITCH_OFF)
            .bind(id)
            .bind(true)
            .bind(At(at))
            .bind(revision)
            .execute(&mut *connection)
            .await?;
        changed.push(KeyRevision {
            revision,
            api_key_id: ApiKeyId::from_uuid(id),
            lookup_id,
        });
    }
    Ok(changed)
}

/// Refuses to take away what `role` is, where it is the last owner's.
async fn expect_other_owner(
    connection: &mut Connection,
    account: AccountId,
    role: Role,
) -> Result<(), Failure> {
    if role != Role::Owner {
        return Ok(());
    }
    let owners: i64 = sqlx::query_scalar(OWNERS)
        .bind(account.as_uuid())
        .fetch_one(connection)
        .await?;
    if owners > 1 {
        return Ok(());
    }
    Err(Failure::Refused(LAST_OWNER))
}
