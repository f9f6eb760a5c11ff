//! `switchyard key`.

use std::{process::ExitCode, sync::Arc};

use serde::Serialize;
use switchyard_app::keys::{CreatedKey, KeyRequest};
use switchyard_coordination::in_process::InProcess;
use switchyard_domain::{
    clock::{ResetInterval, Timestamp},
    id::AccountId,
    money::UsdNanos,
    tenancy::{KeyKind, KeyLimit},
};
use switchyard_store::account::Account;

use crate::{
    cli::KeyCreate,
    commands::{CommandError, DONE, Output, block_on, print},
    config::Config,
    foundation::Foundation,
};

#[derive(Serialize)]
struct Created<'a> {
    key: &'a str,
    hash: &'a str,
}

#[derive(Serialize)]
struct Revoked<'a> {
    hash: &'a str,
    revoked: bool,
}

pub(crate) fn create(
    config: Config,
    output: Output,
    wanted: &KeyCreate,
) -> Result<ExitCode, CommandError> {
    let account_id = account_id(&wanted.account)?;
    // Whoever lists keys on a terminal reads their names there.
    if wanted.name.contains(char::is_control) {
        return Err(CommandError::Usage(
            "--name must not have control characters".to_owned(),
        ));
    }
    let limit = limit(wanted)?;
    let expires_at = wanted.expires_at.as_deref().map(instant).transpose()?;
    let CreatedKey { text, key } = block_on(async {
        let foundation = Foundation::open(config).await?;
        let account = existing_account(&foundation, account_id).await?;
        let coordination = Arc::new(InProcess::new(Arc::clone(&foundation.clock)));
        let request = KeyRequest {
            account_id,
            workspace_id: account.default_workspace_id,
            name: wanted.name.clone(),
            kind: if wanted.management {
                KeyKind::Management
            } else {
                KeyKind::Inference
            },
            limit,
            expires_at,
            creator_id: None,
        };
        foundation
            .keys(coordination)
            .create(request)
            .await
            .map_err(|error| CommandError::caused("cannot create the key", error))
    })?;
    let text = text.expose();
    let shown = format!(
        "{text}\nKeep it: it is not shown again. Its hash is {}.",
        key.hash
    );
    print(
        output,
        &shown,
        &Created {
            key: text,
            hash: &key.hash,
        },
    )?;
    Ok(DONE)
}

pub(crate) fn revoke(
    config: Config,
    output: Output,
    account: &str,
    hash: &str,
) -> Result<ExitCode, CommandError> {
    let account_id = account_id(account)?;
    block_on(async {
        let foundation = Foundation::open(config).await?;
        let account = existing_account(&foundation, account_id).await?;
        foundation
            .keys(foundation.command_coordination()?)
            .revoke(account.default_workspace_id, hash)
            .await
            .map_err(|error| CommandError::caused("cannot revoke the key", error))
    })?;
    print(
        output,
        "The key is revoked.",
        &Revoked {
            hash,
            revoked: true,
        },
    )?;
    Ok(DONE)
}

pub(super) fn account_id(text: &str) -> Result<AccountId, CommandError> {
    text.parse()
        .map_err(|error| CommandError::caused("--account", error))
}

pub(super) async fn existing_account(
    foundation: &Foundation,
    id: AccountId,
) -> Result<Account, CommandError> {
    foundation
        .store
        .directory
        .account_by_id(id)
        .await
        .map_err(|error| CommandError::caused("cannot read the account", error))?
        .ok_or_else(|| CommandError::Usage(format!("there is no account {id}")))
}

fn limit(wanted: &KeyCreate) -> Result<Option<KeyLimit>, CommandError> {
    let Some(text) = &wanted.limit_usd else {
        return Ok(None);
    };
    let limit: UsdNanos = text
        .parse()
        .map_err(|error| CommandError::caused(format!("--limit-usd {text}"), error))?;
    if limit < UsdNanos::ZERO {
        return Err(CommandError::Usage(
            "--limit-usd must not be negative".to_owned(),
        ));
    }
    let reset = match wanted.limit_reset.as_deref() {
        None => None,
        Some("daily") => Some(ResetInterval::Daily),
        Some("weekly") => Some(ResetInterval::Weekly),
        Some("monthly") => Some(ResetInterval::Monthly),
        Some(other) => {
            return Err(CommandError::Usage(format!(
                "--limit-reset {other}: one of daily, weekly, monthly"
            )));
        }
    };
    Ok(Some(KeyLimit {
        limit,
        reset,
        include_byok: wanted.include_byok,
    }))
}

fn instant(text: &str) -> Result<Timestamp, CommandError> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| {
        CommandError::Usage(format!(
            "--expires-at {text}: not a time such as 2026-12-31T00:00:00Z"
        ))
    })
}
