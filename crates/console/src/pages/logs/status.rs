//! How generations ended, in words.

use switchyard_app::activity::LogStatus;

/// A badge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatusWords {
    /// Its colour.
    pub(crate) kind: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) text: &'static str,
}

/// The badge of a status.
pub(crate) const fn words_of(status: LogStatus) -> StatusWords {
    match status {
        LogStatus::Ok => StatusWords {
            kind: "ok",
            icon: "✓",
            text: "OK",
        },
        LogStatus::Error => StatusWords {
            kind: "danger",
            icon: "✕",
            text: "Error",
        },
        LogStatus::Cancelled => StatusWords {
            kind: "warn",
            icon: "◦",
            text: "Cancelled",
        },
    }
}
