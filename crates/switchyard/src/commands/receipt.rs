//! `switchyard receipt`.

use std::{fs, path::Path, process::ExitCode};

use switchyard_app::receipts::verify::{Extent, Fault, Report, TrustedKeys, verify as check};

use crate::{
    commands::{CommandError, DONE, Output, block_on, print},
    config::Config,
    foundation::Foundation,
};

/// Checks receipts with the database's own keys.
pub(crate) fn verify(
    config: Config,
    file: &Path,
    output: Output,
) -> Result<ExitCode, CommandError> {
    let receipts = read(file)?;
    let published = block_on(async {
        let foundation = Foundation::open(config).await?;
        foundation
            .receipts()
            .public_keys()
            .await
            .map_err(|error| CommandError::caused("cannot read the signing keys", error))
    })?;
    let keys = TrustedKeys::new(&published)
        .map_err(|error| CommandError::caused("the database's keys cannot be used", error))?;
    tell(&check(&receipts, &keys), output)
}

/// Checks receipts with a file of keys; needs neither configuration nor database.
pub(crate) fn verify_offline(
    file: &Path,
    keys: &Path,
    output: Output,
) -> Result<ExitCode, CommandError> {
    let receipts = read(file)?;
    let trusted = TrustedKeys::from_json(&read(keys)?)
        .map_err(|error| CommandError::caused(keys.display().to_string(), error))?;
    tell(&check(&receipts, &trusted), output)
}

fn read(file: &Path) -> Result<String, CommandError> {
    fs::read_to_string(file)
        .map_err(|error| CommandError::caused(format!("cannot read {}", file.display()), error))
}

fn tell(report: &Report, output: Output) -> Result<ExitCode, CommandError> {
    let chains = report.chains.iter().map(chain_in_words);
    let faults = report.faults.iter().map(fault_in_words);
    let verdict = if report.ok {
        "Everything holds."
    } else {
        "Does not hold:"
    };
    let lines: Vec<String> = chains.chain([verdict.to_owned()]).chain(faults).collect();
    print(output, &lines.join("\n"), report)?;
    Ok(if report.ok { DONE } else { ExitCode::FAILURE })
}

fn chain_in_words(chain: &Extent) -> String {
    format!(
        "{}: {} receipts, numbers {} to {}.",
        chain.workspace_id, chain.receipts, chain.first_sequence, chain.last_sequence
    )
}

fn fault_in_words(fault: &Fault) -> String {
    match &fault.generation_id {
        Some(id) => format!("receipt {} ({id}): {}", fault.receipt, fault.detail),
        None => format!("receipt {}: {}", fault.receipt, fault.detail),
    }
}
