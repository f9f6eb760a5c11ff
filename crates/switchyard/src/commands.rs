//! The operators' commands: each parses its words, makes one call, prints the result.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod byok;
pub(crate) mod catalog;
pub(crate) mod config;
pub(crate) mod credit;
pub(crate) mod key;
pub(crate) mod ledger;
pub(crate) mod migrate;
pub(crate) mod policy;
pub(crate) mod provider_key;
pub(crate) mod receipt;
pub(crate) mod route;
pub(crate) mod vault;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use serde::Serialize;

use crate::config::ConfigFaults;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Text,
    Json,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The configuration has faults.
    #[error("the configuration has faults:\n{0}")]
    Config(#[from] ConfigFaults),
    /// What was asked for makes no sense; says what does.
    #[error("{0}")]
    Usage(String),
    /// Something else said no.
    #[error("{what}")]
    Caused {
        what: String,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl CommandError {
    pub(crate) fn caused(
        what: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Caused {
            what: what.into(),
            source: source.into(),
        }
    }
}

/// Prints an error with its causes.
pub(crate) fn report(error: &CommandError) {
    let mut text = format!("error: {error}");
    let mut cause = error
        .source()
        .filter(|_| !matches!(error, CommandError::Config(_)));
    while let Some(inner) = cause {
        text.push_str(&format!("\n  because: {inner}"));
        cause = inner.source();
    }
    // A closed standard error leaves nobody to tell.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Prints a result: `text` for people, `value` for programs.
pub(crate) fn print(
    output: Output,
    text: &str,
    value: &impl Serialize,
) -> Result<(), CommandError> {
    let line = match output {
        Output::Text => text.to_owned(),
        Output::Json => serde_json::to_string(value)
            .map_err(|error| CommandError::caused("cannot print the result", error))?,
    };
    writeln!(io::stdout(), "{line}")
        .map_err(|error| CommandError::caused("cannot print the result", error))
}

/// Runs a command's asynchronous part.
pub(crate) fn block_on<T>(
    work: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::caused("cannot start the runtime", error))?
        .block_on(work)
}

pub(crate) const DONE: ExitCode = ExitCode::SUCCESS;
