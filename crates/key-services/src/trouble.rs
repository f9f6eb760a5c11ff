//! What can go wrong between a question and its answer.

use std::{error::Error, time::Duration};

use switchyard_vault::{KekRef, KeyProviderError};

/// Why a key service gave no answer: the source of [`KeyProviderError::Unavailable`].
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Neither try ended in time.
    #[error("it did not answer in time")]
    TimedOut,
    /// No connection, or one that broke.
    #[error("it cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// It answered with a redirect. None is followed: the request carries a credential.
    #[error("it answered with a redirect (status {status}), which is not followed")]
    Redirected {
        /// The status.
        status: u16,
    },
    /// It is unwell or overloaded, by its own account.
    #[error("it failed with status {status}{said}")]
    Failing {
        /// The status.
        status: u16,
        /// Its own words, bounded, behind a colon; or nothing.
        said: String,
    },
    /// It will not do this, and another try would not change that: a permission, a name, a
    /// disabled key.
    #[error("it refused with status {status}{said}")]
    Refused {
        /// The status.
        status: u16,
        /// Its own words, bounded, behind a colon; or nothing.
        said: String,
    },
    /// Its answer is longer than any true one.
    #[error("its answer is too long")]
    TooLong,
    /// Its answer cannot be understood.
    #[error("its answer cannot be understood")]
    Garbled,
    /// What it guards cannot wrap keys.
    #[error("{0}")]
    Unsuitable(String),
    /// It failed too often and is not asked for a while.
    #[error("it kept failing and is asked again in {} s", .left.as_secs_f64().ceil())]
    Resting {
        /// How long yet.
        left: Duration,
    },
    /// The request cannot be made.
    #[error("the request cannot be made")]
    Unaskable(#[source] Box<dyn Error + Send + Sync>),
}

impl Trouble {
    /// Whether a second try may fare better.
    pub(crate) const fn may_pass(&self) -> bool {
        match self {
            Self::TimedOut
            | Self::Unreachable(_)
            | Self::Redirected { .. }
            | Self::Failing { .. }
            | Self::TooLong
            | Self::Garbled => true,
            Self::Refused { .. }
            | Self::Unsuitable(_)
            | Self::Resting { .. }
            | Self::Unaskable(_) => false,
        }
    }

    /// A label for metrics.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::Unreachable(_) => "unreachable",
            Self::Redirected { .. } => "redirected",
            Self::Failing { .. } => "failing",
            Self::Refused { .. } => "refused",
            Self::TooLong => "too_long",
            Self::Garbled => "garbled",
            Self::Unsuitable(_) => "unsuitable",
            Self::Resting { .. } => "resting",
            Self::Unaskable(_) => "unaskable",
        }
    }
}

/// How a question can end without what was asked for.
#[derive(Debug)]
pub(crate) enum No {
    /// The bytes are not what this key made for this context. An answer, not a failure.
    Rejected,
    /// The service has no such key. An answer, too.
    Unknown(KekRef),
    Trouble(Trouble),
}

impl From<Trouble> for No {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<No> for KeyProviderError {
    fn from(no: No) -> Self {
        match no {
            No::Rejected => Self::Rejected,
            No::Unknown(key) => Self::UnknownKey(key),
            No::Trouble(trouble) => Self::Unavailable(Box::new(trouble)),
        }
    }
}
