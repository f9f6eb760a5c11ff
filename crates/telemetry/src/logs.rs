//! Logs: one line per event on standard error, JSON for machines or plain text for people.

use std::io;

use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Json,
    Text,
}

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is not of the form `level` or `target=level,…`.
    #[error("`{0}` is not a log filter such as `info` or `switchyard=debug,info`")]
    Filter(String),
    /// Another subscriber is installed.
    #[error("logging was started twice")]
    AlreadyStarted,
}

/// Starts logging for the whole process.
///
/// JSON escapes control characters in every value, so no value can forge a line; the text form
/// does the same for field values and is meant for terminals.
pub fn start(filter: &str, format: LogFormat) -> Result<(), LogError> {
    let filter = EnvFilter::try_new(filter).map_err(|_| LogError::Filter(filter.to_owned()))?;
    let layer = match format {
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_writer(io::stderr)
            .boxed(),
        LogFormat::Text => tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(io::stderr)
            .boxed(),
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .try_init()
        .map_err(|_| LogError::AlreadyStarted)
}
