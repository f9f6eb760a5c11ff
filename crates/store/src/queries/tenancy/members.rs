//! Who works in a workspace, and who belongs to an account.

use sqlx::{Database, FromRow, types::Uuid};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, PersonId, WorkspaceId},
    tenancy::Role,
};

use super::{
    super::{super::Db, Engine, rows},
    Place, expect_no_default, is_default,
};
use crate::{
    api_key::Page,
    audit::AuditEvent,
    failure::Failure,
    portable::At,
    tenancy::{AccountPerson, LIVE_KEYS, Member, WorkspaceRole},
};

const MEMBERS: &str = "
    SELECT person_id, role, created_at FROM workspace_members
    WHERE workspace_id = $1 ORDER BY created_at, person_id LIMIT $2 OFFSET $3";

const COUNT_MEMBERS: &str = "SELECT COUNT(*) FROM workspace_members WHERE workspace_id = $1";

const ROLE_IN_ACCOUNT: &str =
    "SELECT role FROM memberships WHERE account_id = $1 AND person_id = $2";

const LET_IN: &str = "
    INSERT INTO workspace_members (workspace_id, person_id, role, created_at)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (workspace_id, person_id) DO UPDATE SET role = excluded.role
    RETURNING created_at";

const HAS_LIVE_KEYS: &str = "
    SELECT 1 FROM api_keys
    WHERE workspace_id = $1 AND creator_id = $2 AND deleted_at IS NULL AND label <> 'console'
    LIMIT 1";

const REMOVE: &str = "DELETE FROM workspace_members WHERE workspace_id = $1 AND person_id = $2";

const PEOPLE: &str = "
    SELECT p.person_id, p.email, p.name, m.role, m.created_at
    FROM memberships AS m
    JOIN people AS p ON p.person_id = m.person_id
    WHERE m.account_id = $1 ORDER BY m.created_at, p.person_id LIMIT $2 OFFSET $3";

const COUNT_PEOPLE: &str = "SELECT COUNT(*) FROM memberships WHERE account_id = $1";

#[derive(FromRow)]
struct MemberRow {
    person_id: Uuid,
    role: String,
    created_at: At,
}

#[derive(FromRow)]
struct PersonRow {
    person_id: Uuid,
    email: String,
    name: String,
    role: String,
    created_at: At,
}

fn account_role(name: &str) -> Result<Role, Failure> {
    Role::from_name(name).ok_or_else(|| Failure::Inconsistent(format!("the unknown role {name}")))
}

impl Engine {
    pub(super) async fn select_members(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        page: Page,
    ) -> Result<(Vec<Member>, u64), Failure> {
        let is_everybodys = {
            let mut connection = self.reader.acquire().await?;
            is_default(&mut connection, account, workspace).await?
        };
        if is_everybodys {
            let (people, count) = self.select_people(account, page).await?;
            let member = |person: AccountPerson| Member {
                workspace_id: workspace,
                person_id: person.id,
                role: WorkspaceRole::of(person.role),
                created_at: person.created_at,
            };
            return Ok((people.into_iter().map(member).collect(), count));
        }
        let rows: Vec<MemberRow> = sqlx::query_as(MEMBERS)
            .bind(workspace.as_uuid())
            .bind(i64::from(page.limit))
            .bind(i64::from(page.offset))
            .fetch_all(&self.reader)
            .await?;
        let count: i64 = sqlx::query_scalar(COUNT_MEMBERS)
            .bind(workspace.as_uuid())
            .fetch_one(&self.reader)
            .await?;
        let member = |row: MemberRow| {
            let role = WorkspaceRole::from_name(&row.role)
                .ok_or_else(|| Failure::Inconsistent(format!("the unknown role {}", row.role)))?;
            Ok(Member {
                workspace_id: workspace,
                person_id: PersonId::from_uuid(row.person_id),
                role,
                created_at: row.created_at.0,
            })
        };
        let members = rows.into_iter().map(member);
        Ok((
            members.collect::<Result<_, Failure>>()?,
            u64::try_from(count).unwrap_or_default(),
        ))
    }

    pub(super) async fn insert_members(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        people: &[PersonId],
        audit: &AuditEvent,
    ) -> Result<Vec<Member>, Failure> {
        let mut transaction = self.begin().await?;
        expect_no_default(&mut transaction, account, workspace).await?;
        // So that two calls take the rows in one order.
        let mut people = people.to_vec();
        people.sort_unstable();
        people.dedup();
        let mut members = Vec::with_capacity(people.len());
        for person in people {
            let place = (account, workspace);
            members.push(let_in(&mut transaction, place, person, audit.at).await?);
        }
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(members)
    }

    pub(super) async fn delete_members(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        people: &[PersonId],
        audit: &AuditEvent,
    ) -> Result<u64, Failure> {
        let mut transaction = self.begin().await?;
        // From here on no key is made, so none can slip in.
        rows::next_revision(&mut transaction, rows::API_KEYS).await?;
        expect_no_default(&mut transaction, account, workspace).await?;
        let mut people = people.to_vec();
        people.sort_unstable();
        people.dedup();
        let mut removed = 0;
        for person in people {
            let key: Option<i32> = sqlx::query_scalar(HAS_LIVE_KEYS)
                .bind(workspace.as_uuid())
                .bind(person.as_uuid())
                .fetch_optional(&mut *transaction)
                .await?;
            if key.is_some() {
                return Err(Failure::Refused(LIVE_KEYS));
            }
            removed += sqlx::query(REMOVE)
                .bind(workspace.as_uuid())
                .bind(person.as_uuid())
                .execute(&mut *transaction)
                .await?
                .rows_affected();
        }
        self.append_audit_entry(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(removed)
    }

    pub(super) async fn select_people(
        &self,
        account: AccountId,
        page: Page,
    ) -> Result<(Vec<AccountPerson>, u64), Failure> {
        let rows: Vec<PersonRow> = sqlx::query_as(PEOPLE)
            .bind(account.as_uuid())
            .bind(i64::from(page.limit))
            .bind(i64::from(page.offset))
            .fetch_all(&self.reader)
            .await?;
        let count: i64 = sqlx::query_scalar(COUNT_PEOPLE)
            .bind(account.as_uuid())
            .fetch_one(&self.reader)
            .await?;
        let person = |row: PersonRow| {
            Ok(AccountPerson {
                id: PersonId::from_uuid(row.person_id),
                email: row.email,
                name: row.name,
                role: account_role(&row.role)?,
                created_at: row.created_at.0,
            })
        };
        let people = rows.into_iter().map(person);
        Ok((
            people.collect::<Result<_, Failure>>()?,
            u64::try_from(count).unwrap_or_default(),
        ))
    }
}

/// Lets one of the account's people work in a workspace.
pub(super) async fn let_in(
    connection: &mut <Db as Database>::Connection,
    (account, workspace): Place,
    person: PersonId,
    at: Timestamp,
) -> Result<Member, Failure> {
    let role: Option<String> = sqlx::query_scalar(ROLE_IN_ACCOUNT)
        .bind(account.as_uuid())
        .bind(person.as_uuid())
        .fetch_optional(&mut *connection)
        .await?;
    let role = role.ok_or_else(|| Failure::Missing(person.to_string()))?;
    let role = WorkspaceRole::of(account_role(&role)?);
    let created_at: At = sqlx::query_scalar(LET_IN)
        .bind(workspace.as_uuid())
        .bind(person.as_uuid())
        .bind(role.as_str())
        .bind(At(at))
        .fetch_one(connection)
        .await?;
    Ok(Member {
        workspace_id: workspace,
        person_id: person,
        role,
        created_at: created_at.0,
    })
}
