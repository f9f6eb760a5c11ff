//! `switchyard vault status` and `switchyard vault verify`.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;
use switchyard_app::rotation::{Status, Verification};

use super::{exit_code, note, outcome, rotation, usual_pace, words};
use crate::{
    commands::{CommandError, Output, print},
    foundation::Foundation,
};

#[derive(Serialize)]
pub(super) struct Report {
    /// The keyring's name; it may guard tenants' keys, and always what API keys are verified with.
    pub(super) keyring: String,
    pub(super) keyring_primary: u32,
    pub(super) keyring_versions: Vec<u32>,
    #[serde(flatten)]
    pub(super) status: Status,
}

#[derive(Serialize)]
struct Verified {
    ok: bool,
    #[serde(flatten)]
    found: Verification,
}

pub(super) async fn status(
    foundation: &Foundation,
    output: Output,
) -> Result<ExitCode, CommandError> {
    let status = rotation(foundation, usual_pace(foundation))
        .status()
        .await
        .map_err(|error| CommandError::caused("cannot tell which keys are in use", error))?;
    let (keyring_primary, keyring_versions) = foundation.keyring.versions();
    let report = Report {
        keyring: foundation.keyring.id(),
        keyring_primary,
        keyring_versions,
        status,
    };
    print(output, &words::status(&report), &report)?;
    Ok(exit_code(report.status.healthy))
}

pub(super) async fn verify(
    foundation: &Foundation,
    output: Output,
    sample: Option<u32>,
) -> Result<ExitCode, CommandError> {
    let found = rotation(foundation, usual_pace(foundation))
        .verify(sample)
        .await
        .map_err(|error| CommandError::caused("cannot read what is sealed", error))?;
    let detail = json!({
        "sample": sample,
        "tenant_keys": found.tenant_keys,
        "records": found.records,
        "failed": found.failed.count,
    });
    note(
        foundation,
        "vault.verify",
        detail,
        None,
        outcome(found.holds()),
    )
    .await?;
    let verified = Verified {
        ok: found.holds(),
        found,
    };
    print(output, &words::verified(&verified.found), &verified)?;
    Ok(exit_code(verified.ok))
}
