//! `switchyard ledger`.

use std::process::ExitCode;

use serde::Serialize;

use crate::{
    commands::{CommandError, DONE, Output, block_on, print},
    config::Config,
    foundation::Foundation,
};

#[derive(Serialize)]
struct Report {
    ok: bool,
    transactions: u64,
    generations: u64,
    postings_sum_nanos: String,
    held_usd: String,
    leases: u64,
    faults: Vec<String>,
}

pub(crate) fn verify(config: Config, output: Output) -> Result<ExitCode, CommandError> {
    let found = block_on(async {
        let foundation = Foundation::open(config).await?;
        foundation
            .store
            .ledger
            .verify()
            .await
            .map_err(|error| CommandError::caused("cannot read the ledger", error))
    })?;
    let report = Report {
        ok: found.faults.is_empty(),
        transactions: found.transactions,
        generations: found.generations,
        postings_sum_nanos: found.postings_sum.to_string(),
        held_usd: found.held.to_string(),
        leases: found.leases,
        faults: found.faults,
    };
    let verdict = if report.ok {
        "Everything holds.".to_owned()
    } else {
        format!("Does not hold:\n{}", report.faults.join("\n"))
    };
    let text = format!(
        "{} transactions, {} generations, {} USD held in {} leases. {verdict}",
        report.transactions, report.generations, report.held_usd, report.leases
    );
    print(output, &text, &report)?;
    Ok(if report.ok { DONE } else { ExitCode::FAILURE })
}
