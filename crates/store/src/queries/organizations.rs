//! Organizations: making and naming them, the people in them, and what those like.
//!
//! Whoever changes who belongs to an account takes its row first, so that such changes come one after
//! the other: two owners cannot leave at once. Who asks is looked up under that lock, too.

mod invitations;
mod members;

use async_trait::async_trait;
use sqlx::Database;
use switchyard_billing::fund::FundId;
use switchyard_domain::{
    authority::{Capability, Reach, Standing},
    clock::Timestamp,
    id::{AccountId, InvitationId, PersonId, WorkspaceId},
    tenancy::Role,
};

use super::{super::Db, Engine, TRIES_MAX, accounts};
use crate::{
    api_key::KeyRevision,
    audit::AuditEvent,
    directory::DirectoryError,
    failure::Failure,
    organization::{
        ABOVE_OWN_ROLE, Departure, Invitation, NewInvitation, NewOrganization, OrganizationMember,
        OrganizationStore, PERSONAL_ACCOUNT, Renewal, RoleChange, UNVERIFIED_ADDRESS,
    },
    person::AccountKind,
    portable::{At, without_nul},
};

const FOUNDER: &str = "
    SELECT email FROM people WHERE person_id = $1 AND email_verified_at IS NOT NULL";

const INSERT_ACCOUNT: &str = "
    INSERT INTO accounts (account_id, email, email_folded, name, created_at, kind)
    VALUES ($1, $2, $3, $4, $5, 'organization')";

const INSERT_MEMBERSHIP: &str = "
    INSERT INTO memberships (account_id, person_id, role, created_at, source)
    VALUES ($1, $2, $3, $4, $5)";

/// Changes nothing but keeps others from changing who belongs to it until the transaction ends.
const HOLD_ACCOUNT: &str = "UPDATE accounts SET name = name WHERE account_id = $1 RETURNING kind";

const KIND: &str = "SELECT kind FROM accounts WHERE account_id = $1";

const ROLE: &str = "SELECT role FROM memberships WHERE account_id = $1 AND person_id = $2";

const RENAME_ACCOUNT: &str = "UPDATE accounts SET name = $2 WHERE account_id = $1 RETURNING 1";

const RENAME_PERSON: &str = "UPDATE people SET name = $2 WHERE person_id = $1 RETURNING 1";

const RENAME_OWN_ACCOUNT: &str = "
    UPDATE accounts SET name = $2 WHERE kind = 'personal' AND account_id IN (
        SELECT account_id FROM memberships WHERE person_id = $1 AND role = 'owner'
    )";

type Connection = <Db as Database>::Connection;

/// Takes an organization's row.
async fn hold(connection: &mut Connection, account: AccountId) -> Result<(), Failure> {
    let kind: Option<String> = sqlx::query_scalar(HOLD_ACCOUNT)
        .bind(account.as_uuid())
        .fetch_optional(connection)
        .await?;
    let kind = kind.ok_or_else(|| Failure::Missing(account.to_string()))?;
    if AccountKind::from_name(&kind) == Some(AccountKind::Organization) {
        return Ok(());
    }
    Err(Failure::Refused(PERSONAL_ACCOUNT))
}

/// What somebody is to an account.
async fn role_of(
    connection: &mut Connection,
    account: AccountId,
    person: PersonId,
) -> Result<Option<Role>, Failure> {
    let role: Option<String> = sqlx::query_scalar(ROLE)
        .bind(account.as_uuid())
        .bind(person.as_uuid())
        .fetch_optional(connection)
        .await?;
    role.as_deref().map(known_role).transpose()
}

fn known_role(name: &str) -> Result<Role, Failure> {
    Role::from_name(name).ok_or_else(|| Failure::Inconsistent(format!("the unknown role {name}")))
}

/// Refuses whoever has not all of a capability, or is less than one of these roles.
async fn expect_authority(
    connection: &mut Connection,
    (account, by): (AccountId, PersonId),
    capability: Capability,
    over: &[Role],
) -> Result<(), Failure> {
    let own = role_of(connection, account, by).await?;
    let is_allowed = own.is_some_and(|own| {
        Standing::Person(own).reach(capability) == Reach::Everything
            && over.iter().all(|role| own.is_at_least(*role))
    });
    if is_allowed {
        return Ok(());
    }
    Err(Failure::Refused(ABOVE_OWN_ROLE))
}

async fn let_into_account(
    connection: &mut Connection,
    (account, person): (AccountId, PersonId),
    (role, source): (Role, &'static str),
    at: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(INSERT_MEMBERSHIP)
        .bind(account.as_uuid())
        .bind(person.as_uuid())
        .bind(role.as_str())
        .bind(At(at))
        .bind(source)
        .execute(connection)
        .await
        .map_err(|error| Failure::from(error).or_conflict("member"))?;
    Ok(())
}

impl Engine {
    async fn insert_organization(
        &self,
        new: &NewOrganization,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        let email: Option<String> = sqlx::query_scalar(FOUNDER)
            .bind(new.founder.as_uuid())
            .fetch_optional(&mut *transaction)
            .await?;
        let email = email.ok_or(Failure::Refused(UNVERIFIED_ADDRESS))?;
        sqlx::query(INSERT_ACCOUNT)
            .bind(new.account_id.as_uuid())
            .bind(email)
            .bind(new.account_id.to_string())
            .bind(without_nul(&new.name))
            .bind(At(new.at))
            .execute(&mut *transaction)
            .await
            .map_err(|error| Failure::from(error).or_conflict("account_id"))?;
        let place = (new.account_id, new.workspace_id);
        accounts::insert_default_workspace(&mut transaction, place, new.at).await?;
        let founder = (new.account_id, new.founder);
        let standing = (Role::Owner, "manual");
        let_into_account(&mut transaction, founder, standing, new.at).await?;
        sqlx::query(accounts::INSERT_CREDITS)
            .bind(FundId::Credits(new.account_id).to_string())
            .execute(&mut *transaction)
            .await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }

    async fn select_account_kind(
        &self,
        account: AccountId,
    ) -> Result<Option<AccountKind>, Failure> {
        let kind: Option<String> = sqlx::query_scalar(KIND)
            .bind(account.as_uuid())
            .fetch_optional(&self.reader)
            .await?;
        Ok(kind.as_deref().and_then(AccountKind::from_name))
    }

    async fn update_account_name(
        &self,
        account: AccountId,
        name: &str,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        let done: Option<i32> = sqlx::query_scalar(RENAME_ACCOUNT)
            .bind(account.as_uuid())
            .bind(without_nul(name))
            .fetch_optional(&mut *transaction)
            .await?;
        done.ok_or_else(|| Failure::Missing(account.to_string()))?;
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }

    async fn update_person_name(
        &self,
        person: PersonId,
        name: &str,
        audit: &AuditEvent,
    ) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        let done: Option<i32> = sqlx::query_scalar(RENAME_PERSON)
            .bind(person.as_uuid())
            .bind(without_nul(name))
            .fetch_optional(&mut *transaction)
            .await?;
        done.ok_or_else(|| Failure::Missing(person.to_string()))?;
        sqlx::query(RENAME_OWN_ACCOUNT)
            .bind(person.as_uuid())
            .bind(without_nul(name))
            .execute(&mut *transaction)
            .await?;
        self.append_audit_entry(&mut transaction, audit).await?;
        Ok(transaction.commit().await?)
    }
}

#[async_trait]
impl OrganizationStore for Engine {
    async fn create_organization(
        &self,
        organization: &NewOrganization,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.insert_organization(organization, audit))
    }

    async fn account_kind(
        &self,
        account: AccountId,
    ) -> Result<Option<AccountKind>, DirectoryError> {
        retried!(self.select_account_kind(account))
    }

    async fn rename_account(
        &self,
        account: AccountId,
        name: &str,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.update_account_name(account, name, audit))
    }

    async fn rename_person(
        &self,
        person: PersonId,
        name: &str,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.update_person_name(person, name, audit))
    }

    async fn organization_members(
        &self,
        account: AccountId,
        after: Option<PersonId>,
        limit: u32,
    ) -> Result<Vec<OrganizationMember>, DirectoryError> {
        retried!(self.select_organization_members(account, after, limit))
    }

    async fn organization_member(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<Option<OrganizationMember>, DirectoryError> {
        retried!(self.select_organization_member(account, person))
    }

    async fn workspaces_of(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<Vec<WorkspaceId>, DirectoryError> {
        retried!(self.select_workspaces_of(account, person))
    }

    async fn change_role(
        &self,
        change: &RoleChange,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.update_role(change, audit))
    }

    async fn end_membership(
        &self,
        departure: &Departure,
        audit: &AuditEvent,
    ) -> Result<Vec<KeyRevision>, DirectoryError> {
        retried!(self.delete_membership(departure, audit))
    }

    async fn insert_invitation(
        &self,
        invitation: &NewInvitation,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.insert_invitation_once(invitation, audit))
    }

    async fn invitations(&self, account: AccountId) -> Result<Vec<Invitation>, DirectoryError> {
        retried!(self.select_invitations(account))
    }

    async fn invitation(
        &self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Invitation>, DirectoryError> {
        retried!(self.select_invitation(token_hash, now))
    }

    async fn renew_invitation(
        &self,
        account: AccountId,
        id: InvitationId,
        renewal: &Renewal,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.update_invitation(account, id, renewal, audit))
    }

    async fn withdraw_invitation(
        &self,
        account: AccountId,
        id: InvitationId,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.close_invitation(account, id, audit))
    }

    async fn accept_invitation(
        &self,
        token_hash: &[u8; 32],
        person: PersonId,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError> {
        retried!(self.take_invitation(token_hash, person, audit))
    }
}
