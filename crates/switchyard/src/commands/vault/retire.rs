//! `switchyard vault stage` and `switchyard vault retire`: what the keyring holds.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;
use switchyard_store::audit::AuditOutcome;

use super::note;
use crate::{
    commands::{CommandError, DONE, Output, print},
    foundation::Foundation,
};

#[derive(Serialize)]
struct Changed {
    keyring: String,
    primary: u32,
    versions: Vec<u32>,
}

pub(super) async fn stage(
    foundation: &Foundation,
    output: Output,
) -> Result<ExitCode, CommandError> {
    foundation
        .keyring
        .stage_version()
        .map_err(|error| CommandError::caused("cannot add a version to the keyring", error))?;
    let (primary, versions) = foundation.keyring.versions();
    let staged = versions.last().copied();
    note(
        foundation,
        "vault.stage_version",
        json!({ "keyring_version": staged }),
        None,
        AuditOutcome::Done,
    )
    .await?;
    let text = format!(
        "The keyring holds versions {}; {primary} is in use. Back it up, and copy it to every \
         machine before the next rotation.",
        listed(&versions)
    );
    tell(foundation, output, &text)
}

pub(super) async fn retire(
    foundation: &Foundation,
    output: Output,
    version: u32,
) -> Result<ExitCode, CommandError> {
    let refusal = still_needed(foundation, version).await?;
    if let Some(refusal) = refusal {
        note(
            foundation,
            "vault.retire_version",
            json!({ "keyring_version": version, "reason": refusal }),
            None,
            AuditOutcome::Refused,
        )
        .await?;
        return Err(CommandError::Usage(format!(
            "version {version} of the keyring is still needed: {refusal}"
        )));
    }
    foundation
        .keyring
        .retire_version(version)
        .map_err(|error| CommandError::caused("cannot remove the version", error))?;
    note(
        foundation,
        "vault.retire_version",
        json!({ "keyring_version": version }),
        None,
        AuditOutcome::Done,
    )
    .await?;
    let (_, versions) = foundation.keyring.versions();
    let text = format!(
        "Version {version} is gone; the keyring holds {}. Backups of the database from before the \
         last rotation cannot be opened with it any more.",
        listed(&versions)
    );
    tell(foundation, output, &text)
}

/// What would be lost with a version of the keyring.
async fn still_needed(
    foundation: &Foundation,
    version: u32,
) -> Result<Option<String>, CommandError> {
    let unread = |error| CommandError::caused("cannot count what needs the version", error);
    let sealed = &foundation.store.sealed;
    let keyring = foundation.keyring.id();
    let is_it = |found: i32| u32::try_from(found) == Ok(version);
    let by_kek = sealed.tenant_keys_by_kek().await.map_err(unread)?;
    let wrapped = by_kek
        .iter()
        .find(|count| count.key == keyring && is_it(count.version));
    if let Some(count) = wrapped {
        return Ok(Some(format!(
            "it wraps {} tenant keys; `switchyard vault rotate --kek` moves them",
            count.count
        )));
    }
    let by_pepper = sealed.api_keys_by_pepper().await.map_err(unread)?;
    let verified = by_pepper.iter().find(|(pepper, _)| is_it(*pepper));
    Ok(verified.map(|(_, keys)| {
        format!(
            "{keys} API keys are verified with it; each moves on when it is used, or can be revoked"
        )
    }))
}

fn tell(foundation: &Foundation, output: Output, text: &str) -> Result<ExitCode, CommandError> {
    let (primary, versions) = foundation.keyring.versions();
    let changed = Changed {
        keyring: foundation.keyring.id(),
        primary,
        versions,
    };
    print(output, text, &changed)?;
    Ok(DONE)
}

fn listed(versions: &[u32]) -> String {
    let versions: Vec<String> = versions.iter().map(u32::to_string).collect();
    versions.join(", ")
}
