//! `switchyard vault rotate`.

use std::{num::NonZeroU32, process::ExitCode};

use serde::Serialize;
use serde_json::{Value, json};
use switchyard_app::rotation::{
    OutermostReport, Pace, Rotation, RotationError, Status, TenantKeysReport, Tenants,
};
use switchyard_domain::id::AccountId;
use switchyard_store::audit::AuditOutcome;
use switchyard_vault::Tenant;

use super::{Rotate, exit_code, note, outcome, rotation, usual_pace, words};
use crate::{
    commands::{CommandError, Output, print},
    foundation::Foundation,
};

#[derive(Serialize)]
pub(super) struct Report {
    pub(super) ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kek: Option<Outermost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tenant_keys: Option<TenantKeysReport>,
    pub(super) rows: Status,
}

#[derive(Serialize)]
pub(super) struct Outermost {
    /// Whether the keyring has a new primary version.
    pub(super) is_new: bool,
    #[serde(flatten)]
    pub(super) report: OutermostReport,
}

pub(super) async fn run(
    foundation: &Foundation,
    output: Output,
    wanted: &Rotate,
) -> Result<ExitCode, CommandError> {
    let tenant = wanted.tenant.as_deref().map(tenant).transpose()?;
    let account = tenant.and_then(account_of);
    note(
        foundation,
        "vault.rotate",
        asked_for(wanted),
        account,
        AuditOutcome::Done,
    )
    .await?;
    let rotated = rotate(foundation, wanted, tenant).await;
    let (is_good, detail) = match &rotated {
        Ok(report) => (report.ok, counts(report)),
        Err(error) => (false, json!({ "error": error.to_string() })),
    };
    note(
        foundation,
        "vault.rotated",
        detail,
        account,
        outcome(is_good),
    )
    .await?;
    let report = rotated?;
    print(output, &words::rotated(&report), &report)?;
    Ok(exit_code(report.ok))
}

async fn rotate(
    foundation: &Foundation,
    wanted: &Rotate,
    tenant: Option<Tenant>,
) -> Result<Report, CommandError> {
    let pace = match wanted.rate {
        Some(rate) => Pace {
            rows_per_second: NonZeroU32::new(rate),
            ..usual_pace(foundation)
        },
        None => usual_pace(foundation),
    };
    let rotation = rotation(foundation, pace);
    let both = !wanted.kek && !wanted.tenant_keys;
    let kek = if wanted.kek || both {
        let is_new = !wanted.keep_primary && advance(foundation, &rotation).await?;
        let report = rotation.rewrap_tenant_keys().await.map_err(stopped)?;
        Some(Outermost { is_new, report })
    } else {
        None
    };
    let tenant_keys = if wanted.tenant_keys || both {
        let tenants = tenant.map_or(Tenants::All, Tenants::One);
        Some(
            rotation
                .rotate_tenant_keys(tenants)
                .await
                .map_err(stopped)?,
        )
    } else {
        None
    };
    Ok(Report {
        ok: kek.as_ref().is_none_or(|kek| kek.report.is_done())
            && tenant_keys.as_ref().is_none_or(TenantKeysReport::is_done),
        kek,
        tenant_keys,
        rows: rotation.status().await.map_err(stopped)?,
    })
}

/// Gives the keyring a new primary version, if it is what guards tenants' keys and nothing is left
/// of an earlier rotation.
async fn advance(foundation: &Foundation, rotation: &Rotation) -> Result<bool, CommandError> {
    let current = foundation.vault().current_key().await;
    let current =
        current.map_err(|error| CommandError::caused("the key provider cannot be asked", error))?;
    let is_elsewhere = current.id != foundation.keyring.id();
    if is_elsewhere || rotation.is_outermost_unfinished().await.map_err(stopped)? {
        return Ok(false);
    }
    foundation
        .keyring
        .advance_primary()
        .map_err(|error| CommandError::caused("cannot add a version to the keyring", error))?;
    Ok(true)
}

fn stopped(error: RotationError) -> CommandError {
    CommandError::caused(
        "the rotation stopped; run again, it goes on where it was",
        error,
    )
}

fn tenant(text: &str) -> Result<Tenant, CommandError> {
    text.parse()
        .map_err(|error| CommandError::caused("--tenant", error))
}

const fn account_of(tenant: Tenant) -> Option<AccountId> {
    match tenant {
        Tenant::Operator => None,
        Tenant::Account(account) => Some(account),
    }
}

fn asked_for(wanted: &Rotate) -> Value {
    json!({
        "kek": wanted.kek,
        "keep_primary": wanted.keep_primary,
        "tenant_keys": wanted.tenant_keys,
        "tenant": wanted.tenant,
    })
}

fn counts(report: &Report) -> Value {
    json!({
        "kek": report.kek.as_ref().map(|kek| json!({
            "kek_id": kek.report.kek_id,
            "kek_version": kek.report.kek_version,
            "is_new": kek.is_new,
            "rewrapped": kek.report.rewrapped,
            "left": kek.report.left,
            "failed": kek.report.failed.count,
        })),
        "tenant_keys": report.tenant_keys.as_ref().map(|keys| json!({
            "rotated": keys.rotated,
            "resumed": keys.resumed,
            "rewrapped": keys.rewrapped,
            "left": keys.left,
            "failed": keys.failed.count,
            "old_keys_deleted": keys.old_keys_deleted,
            "old_keys_kept": keys.old_keys_kept,
        })),
    })
}
