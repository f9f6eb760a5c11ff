//! `switchyard catalog`.

use std::{path::Path, process::ExitCode};

use serde::Serialize;
use switchyard_catalog::load::load;
use switchyard_domain::clock::Clock;

use crate::{
    commands::{CommandError, DONE, Output, print},
    system::SystemClock,
};

#[derive(Serialize)]
struct Checked {
    ok: bool,
    providers: usize,
    models: usize,
    endpoints: usize,
    aliases: usize,
    callable_endpoints: usize,
    faults: Vec<String>,
    remarks: Vec<String>,
}

pub(crate) fn check(dir: &Path, output: Output) -> Result<ExitCode, CommandError> {
    let checked = match load(dir, SystemClock::new().now()) {
        Ok(catalog) => Checked {
            ok: true,
            providers: catalog.providers.len(),
            models: catalog.models.len(),
            endpoints: catalog.endpoints.len(),
            aliases: catalog.aliases.len(),
            callable_endpoints: catalog
                .endpoints
                .iter()
                .filter(|endpoint| endpoint.is_callable(catalog.provider_of(endpoint)))
                .count(),
            faults: Vec::new(),
            remarks: catalog.remarks.iter().map(ToString::to_string).collect(),
        },
        Err(found) => Checked {
            ok: false,
            providers: 0,
            models: 0,
            endpoints: 0,
            aliases: 0,
            callable_endpoints: 0,
            faults: found.faults.iter().map(ToString::to_string).collect(),
            remarks: Vec::new(),
        },
    };
    let text = if checked.ok {
        format!(
            "{} providers, {} models, {} endpoints ({} callable), {} aliases. {} remarks.\n{}",
            checked.providers,
            checked.models,
            checked.endpoints,
            checked.callable_endpoints,
            checked.aliases,
            checked.remarks.len(),
            checked.remarks.join("\n")
        )
    } else {
        checked.faults.join("\n")
    };
    print(output, text.trim_end(), &checked)?;
    Ok(if checked.ok { DONE } else { ExitCode::FAILURE })
}
