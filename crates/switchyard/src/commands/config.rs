//! `switchyard config`.

use std::{collections::BTreeMap, process::ExitCode};

use serde::Serialize;

use crate::{
    commands::{CommandError, DONE, Output, print},
    config::{Config, Layers},
};

#[derive(Serialize)]
struct Checked {
    ok: bool,
    faults: Vec<String>,
}

#[derive(Serialize)]
struct Shown {
    value: String,
    origin: String,
}

pub(crate) fn check(layers: &Layers, output: Output) -> Result<ExitCode, CommandError> {
    let faults = Config::from_layers(layers)
        .err()
        .map(|faults| faults.faults)
        .unwrap_or_default();
    let checked = Checked {
        ok: faults.is_empty(),
        faults,
    };
    let text = if checked.ok {
        "The configuration is valid.".to_owned()
    } else {
        checked.faults.join("\n")
    };
    print(output, &text, &checked)?;
    Ok(if checked.ok { DONE } else { ExitCode::FAILURE })
}

pub(crate) fn show(layers: &Layers, output: Output) -> Result<ExitCode, CommandError> {
    let settings: BTreeMap<&str, Shown> = layers
        .shown()
        .map(|(name, value, origin)| {
            (
                name,
                Shown {
                    value,
                    origin: origin.to_string(),
                },
            )
        })
        .collect();
    let lines: Vec<String> = settings
        .iter()
        .map(|(name, shown)| format!("{name} = \"{}\"  # {}", shown.value, shown.origin))
        .collect();
    print(output, &lines.join("\n"), &settings)?;
    Ok(DONE)
}
