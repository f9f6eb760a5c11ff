//! Accounts and their workspaces.

use sqlx::{Database, FromRow, types::Uuid};
use switchyard_billing::fund::FundId;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, WorkspaceId},
};

use super::{super::Db, Engine};
use crate::{
    account::{Account, Credits, NewAccount},
    failure::Failure,
    portable::{At, without_nul},
};

const INSERT_ACCOUNT: &str = "
    INSERT INTO accounts (account_id, email, email_folded, name, created_at)
    VALUES ($1, $2, $3, $4, $5)";

const EMAIL_TAKEN: &str = "SELECT 1 FROM accounts WHERE email_folded = $1";

const INSERT_WORKSPACE: &str = "
    INSERT INTO workspaces (workspace_id, account_id, name, slug, is_default, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)";

/// Who may sign in with the address an account is made with: a person of the account's own id.
const INSERT_PERSON: &str = "
    INSERT INTO people (person_id, email, email_folded, name, created_at, email_verified_at)
    VALUES ($1, $2, $3, $4, $5, $6)";

const INSERT_OWNER: &str = "
    INSERT INTO memberships (account_id, person_id, role, created_at) VALUES ($1, $1, 'owner', $2)";

pub(super) const INSERT_CREDITS: &str =
    "INSERT INTO funds (fund_id, capacity, spent, held) VALUES ($1, 0, 0, 0)";

const ACCOUNT_BY_EMAIL: &str = "
    SELECT a.account_id, w.workspace_id, a.email, a.name, a.created_at
    FROM accounts AS a
    JOIN workspaces AS w ON w.account_id = a.account_id AND w.is_default
    WHERE a.email_folded = $1";

const ACCOUNT_BY_ID: &str = "
    SELECT a.account_id, w.workspace_id, a.email, a.name, a.created_at
    FROM accounts AS a
    JOIN workspaces AS w ON w.account_id = a.account_id AND w.is_default
    WHERE a.account_id = $1";

#[derive(FromRow)]
struct AccountRow {
    account_id: Uuid,
    workspace_id: Uuid,
    email: String,
    name: String,
    created_at: At,
}

impl From<AccountRow> for Account {
    fn from(row: AccountRow) -> Self {
        Self {
            account_id: AccountId::from_uuid(row.account_id),
            default_workspace_id: WorkspaceId::from_uuid(row.workspace_id),
            email: row.email,
            name: row.name,
            created_at: row.created_at.0,
        }
    }
}

/// In Rust and not in SQL, because the engines' `lower` differ outside ASCII.
pub(super) fn fold(email: &str) -> String {
    without_nul(email.trim()).to_lowercase()
}

impl Engine {
    /// For accounts that operators make, who vouch for the owner's address.
    pub(super) async fn insert_account(&self, account: &NewAccount) -> Result<(), Failure> {
        let mut transaction = self.begin().await?;
        self.insert_account_in(&mut transaction, account, Some(account.at))
            .await?;
        Ok(transaction.commit().await?)
    }

    /// `verified_at` says since when it is known that the owner reads mail at their address.
    pub(super) async fn insert_account_in(
        &self,
        transaction: &mut <Db as Database>::Connection,
        account: &NewAccount,
        verified_at: Option<Timestamp>,
    ) -> Result<(), Failure> {
        let email_folded = fold(&account.email);
        // Asked first, so that the answer can tell a taken address from a taken id.
        let taken: Option<i32> = sqlx::query_scalar(EMAIL_TAKEN)
            .bind(&email_folded)
            .fetch_optional(&mut *transaction)
            .await?;
        if taken.is_some() {
            return Err(Failure::Conflict("email"));
        }
        let inserted = sqlx::query(INSERT_ACCOUNT)
            .bind(account.account_id.as_uuid())
            .bind(without_nul(account.email.trim()))
            .bind(&email_folded)
            .bind(without_nul(&account.name))
            .bind(At(account.at))
            .execute(&mut *transaction)
            .await;
        inserted.map_err(|error| match &error {
            sqlx::Error::Database(database) if database.message().contains("email_folded") => {
                Failure::from(error).or_conflict("email")
            }
            _ => Failure::from(error).or_conflict("account_id"),
        })?;
        let place = (account.account_id, account.workspace_id);
        insert_default_workspace(transaction, place, account.at).await?;
        insert_owner(transaction, account, &email_folded, verified_at).await?;
        sqlx::query(INSERT_CREDITS)
            .bind(FundId::Credits(account.account_id).to_string())
            .execute(&mut *transaction)
            .await?;
        Ok(())
    }

    pub(super) async fn select_account_by_email(
        &self,
        email: &str,
    ) -> Result<Option<Account>, Failure> {
        let row: Option<AccountRow> = sqlx::query_as(ACCOUNT_BY_EMAIL)
            .bind(fold(email))
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(Into::into))
    }

    pub(super) async fn select_account_by_id(
        &self,
        id: AccountId,
    ) -> Result<Option<Account>, Failure> {
        let row: Option<AccountRow> = sqlx::query_as(ACCOUNT_BY_ID)
            .bind(id.as_uuid())
            .fetch_optional(&self.reader)
            .await?;
        Ok(row.map(Into::into))
    }

    pub(super) async fn select_credits(&self, account: AccountId) -> Result<Credits, Failure> {
        let fund = self.fund_balance(FundId::Credits(account)).await?;
        Ok(Credits {
            total_credits: fund.capacity,
            total_usage: fund.spent,
        })
    }
}

/// The workspace that an account begins with.
pub(super) async fn insert_default_workspace(
    connection: &mut <Db as Database>::Connection,
    (account, workspace): (AccountId, WorkspaceId),
    at: Timestamp,
) -> Result<(), Failure> {
    sqlx::query(INSERT_WORKSPACE)
        .bind(workspace.as_uuid())
        .bind(account.as_uuid())
        .bind("Default")
        .bind("default")
        .bind(true)
        .bind(At(at))
        .execute(connection)
        .await
        .map_err(|error| Failure::from(error).or_conflict("workspace_id"))?;
    Ok(())
}

async fn insert_owner(
    connection: &mut <Db as Database>::Connection,
    account: &NewAccount,
    email_folded: &str,
    verified_at: Option<Timestamp>,
) -> Result<(), Failure> {
    sqlx::query(INSERT_PERSON)
        .bind(account.account_id.as_uuid())
        .bind(without_nul(account.email.trim()))
        .bind(email_folded)
        .bind(without_nul(&account.name))
        .bind(At(account.at))
        .bind(verified_at.map(At))
        .execute(&mut *connection)
        .await
        .map_err(|error| Failure::from(error).or_conflict("email"))?;
    sqlx::query(INSERT_OWNER)
        .bind(account.account_id.as_uuid())
        .bind(At(account.at))
        .execute(&mut *connection)
        .await?;
    Ok(())
}
