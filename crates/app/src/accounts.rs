//! Accounts and their credit, as operators' scripts manage them.

use serde_json::json;
use switchyard_billing::store::{CreditGrant, LedgerStore, StoreError};
use switchyard_domain::{
    clock::Clock,
    id::{AccountId, LedgerTransactionId, WorkspaceId},
    money::UsdNanos,
};
use switchyard_store::{
    Directory, DirectoryError,
    account::{Account, NewAccount},
};

use crate::{
    audit::{self, Actor, Unnoted},
    random::RandomSource,
};

/// Why an account cannot be made or credited.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("`{0}` is not an e-mail address")]
    InvalidEmail(String),
    #[error("credit must be a positive amount")]
    NotPositive,
    #[error("there is no account {0}")]
    Unknown(AccountId),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Ledger(#[from] StoreError),
    #[error(transparent)]
    Unnoted(#[from] Unnoted),
}

/// Whether a text has the form of an address that mail can be sent to.
pub fn is_address(text: &str) -> bool {
    let well_formed = text.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
    });
    well_formed && text.len() <= 254 && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Creates an account with its default workspace.
pub async fn create(
    directory: &dyn Directory,
    clock: &dyn Clock,
    random: &dyn RandomSource,
    email: &str,
    name: Option<&str>,
) -> Result<Account, AccountError> {
    if !is_address(email) {
        return Err(AccountError::InvalidEmail(email.to_owned()));
    }
    let at = clock.now();
    let account_id = AccountId::from_uuid(random.uuid(at));
    let workspace_id = WorkspaceId::from_uuid(random.uuid(at));
    let name = name.unwrap_or(email);
    let new = NewAccount {
        account_id,
        workspace_id,
        email: email.to_owned(),
        name: name.to_owned(),
        at,
    };
    directory.create_account(&new).await?;
    // Entries cannot be deleted, so a person's name and address do not belong there.
    let detail = json!({ "default_workspace": workspace_id });
    let mut event = Actor::operator().did(at, "account.create", account_id, detail);
    event.origin.account_id = Some(account_id);
    audit::note(directory, &event).await?;
    Ok(Account {
        account_id,
        default_workspace_id: workspace_id,
        email: new.email,
        name: new.name,
        created_at: at,
    })
}

/// What a grant did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted {
    pub transaction_id: LedgerTransactionId,
    pub balance: UsdNanos,
}

/// Adds credit to an account.
pub async fn grant(
    directory: &dyn Directory,
    ledger: &dyn LedgerStore,
    clock: &dyn Clock,
    random: &dyn RandomSource,
    account_id: AccountId,
    amount: UsdNanos,
    reason: &str,
) -> Result<Granted, AccountError> {
    if !amount.is_positive() {
        return Err(AccountError::NotPositive);
    }
    if directory.account_by_id(account_id).await?.is_none() {
        return Err(AccountError::Unknown(account_id));
    }
    let at = clock.now();
    let transaction_id = LedgerTransactionId::from_uuid(random.uuid(at));
    let grant = CreditGrant {
        transaction_id,
        idempotency_key: format!("grant:{transaction_id}"),
        account_id,
        amount,
        reason: reason.to_owned(),
        at,
    };
    ledger.grant(&grant).await?;
    let detail = json!({
        "usd": amount.to_string(),
        "reason": reason,
        "ledger_transaction": transaction_id,
    });
    let mut event = Actor::operator().did(at, "credit.grant", account_id, detail);
    event.origin.account_id = Some(account_id);
    audit::note(directory, &event).await?;
    let credits = directory.credits(account_id).await?;
    let balance = credits.total_credits.saturating_sub(credits.total_usage);
    Ok(Granted {
        transaction_id,
        balance,
    })
}
