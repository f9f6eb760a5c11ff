//! The demo's account: made once, its keys kept in a file that only the owner can read, so that a
//! second start prints the same ones.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc};

use serde::{Deserialize, Serialize};
use switchyard_app::{accounts, keys::KeyRequest, mail::NoMail};
use switchyard_coordination::in_process::InProcess;
use switchyard_domain::{id::PersonId, money::UsdNanos, secret::Secret, tenancy::KeyKind};
use switchyard_store::account::Account;

use crate::{commands::CommandError, foundation::Foundation};

pub(super) const EMAIL: &str = "demo@switchyard.example";
/// 25 USD.
const CREDIT: UsdNanos = UsdNanos::new(25_000_000_000);

/// What the demo prints.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DemoAccount {
    pub(super) api_key: String,
    pub(super) management_key: String,
    /// What its owner signs in with.
    pub(super) password: String,
}

/// The demo's account, made if it is missing.
pub(super) async fn ensure(foundation: &Foundation) -> Result<DemoAccount, CommandError> {
    let path = foundation.config.data_dir.join("demo-account.json");
    let directory = &foundation.store.directory;
    let existing = directory
        .account_by_email(EMAIL)
        .await
        .map_err(|error| CommandError::caused("cannot read the demo's account", error))?;
    if let (Some(_), Some(kept)) = (&existing, read(&path)) {
        return Ok(kept);
    }
    let account = match existing {
        Some(account) => account,
        None => create(foundation).await?,
    };
    let made = DemoAccount {
        api_key: key(foundation, &account, KeyKind::Inference).await?,
        management_key: key(foundation, &account, KeyKind::Management).await?,
        password: set_password(foundation, &account).await?,
    };
    write(&path, &made)?;
    Ok(made)
}

async fn create(foundation: &Foundation) -> Result<Account, CommandError> {
    let (directory, clock) = (&*foundation.store.directory, &*foundation.clock);
    let random = &*foundation.random;
    let account = accounts::create(directory, clock, random, EMAIL, Some("Demo"))
        .await
        .map_err(|error| CommandError::caused("cannot create the demo's account", error))?;
    let ledger = &*foundation.store.ledger;
    accounts::grant(
        directory,
        ledger,
        clock,
        random,
        account.account_id,
        CREDIT,
        "demo",
    )
    .await
    .map_err(|error| CommandError::caused("cannot fund the demo's account", error))?;
    Ok(account)
}

/// A password that is typed easily and guessed by nobody.
async fn set_password(foundation: &Foundation, account: &Account) -> Result<String, CommandError> {
    let letters: String = format!("{:032x}", foundation.random.u128());
    let password = format!("{}-{}-{}", &letters[..6], &letters[6..12], &letters[12..18]);
    let person = PersonId::from_uuid(account.account_id.as_uuid());
    let proofs = foundation.proofs(Arc::new(NoMail), false, String::new());
    proofs
        .set_password_as_operator(person, Secret::new(password.clone()))
        .await
        .map_err(|error| CommandError::caused("cannot set the demo's password", error))?;
    Ok(password)
}

async fn key(
    foundation: &Foundation,
    account: &Account,
    kind: KeyKind,
) -> Result<String, CommandError> {
    let coordination = Arc::new(InProcess::new(Arc::clone(&foundation.clock)));
    let request = KeyRequest {
        account_id: account.account_id,
        workspace_id: account.default_workspace_id,
        name: format!("Demo {}", kind.as_str()),
        kind,
        limit: None,
        expires_at: None,
        creator_id: None,
    };
    let created = foundation
        .keys(coordination)
        .create(request)
        .await
        .map_err(|error| CommandError::caused("cannot create the demo's key", error))?;
    Ok(created.text.expose().clone())
}

/// What lets the demo's owner in once.
pub(super) async fn sign_in_token(foundation: &Foundation) -> Result<Secret<String>, CommandError> {
    let directory = &*foundation.store.directory;
    let token = foundation.people().sign_in_link(directory, EMAIL).await;
    token.map_err(|error| CommandError::caused("cannot make a link to sign in", error))
}

fn read(path: &Path) -> Option<DemoAccount> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn write(path: &Path, account: &DemoAccount) -> Result<(), CommandError> {
    let failed = |error| CommandError::caused(format!("cannot write {}", path.display()), error);
    let json = serde_json::to_vec(account)
        .map_err(|error| CommandError::caused("cannot keep the demo's keys", error))?;
    let mut file = fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    file.write_all(&json).map_err(failed)
}
