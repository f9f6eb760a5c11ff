//! What can go wrong inside, and what callers of either port hear of it.

use switchyard_billing::store::StoreError;

use crate::{activity::TOO_SLOW, directory::DirectoryError};

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("a statement failed")]
    Sql(#[from] sqlx::Error),
    #[error("{0} is already taken")]
    Conflict(&'static str),
    #[error("{0} does not exist")]
    Missing(String),
    #[error("refused: {0}")]
    Refused(&'static str),
    #[error("inconsistent: {0}")]
    Inconsistent(String),
}

impl Failure {
    /// Whether the database gave up for the sake of another transaction: trying again at once will
    /// do.
    pub(crate) fn is_transient(&self) -> bool {
        /// PostgreSQL's serialization failure and deadlock; SQLite's busy snapshot. Not its plain
        /// busy, which has waited already.
        const CODES: [&str; 3] = ["40001", "40P01", "517"];
        let Self::Sql(sqlx::Error::Database(error)) = self else {
            return false;
        };
        error
            .code()
            .is_some_and(|code| CODES.contains(&code.as_ref()))
    }

    /// This failure, or that it is refused where a statement took longer than statements may.
    pub(crate) fn or_too_slow(self) -> Self {
        /// PostgreSQL's canceled query; SQLite's interrupt.
        const CODES: [&str; 2] = ["57014", "9"];
        match &self {
            Self::Sql(sqlx::Error::Database(error))
                if error
                    .code()
                    .is_some_and(|code| CODES.contains(&code.as_ref())) =>
            {
                Self::Refused(TOO_SLOW)
            }
            _ => self,
        }
    }

    /// Whether a row is there already.
    pub(crate) fn is_unique_violation(&self) -> bool {
        let Self::Sql(sqlx::Error::Database(error)) = self else {
            return false;
        };
        error.is_unique_violation()
    }

    /// This failure, or a conflict about `field` where a unique index says so.
    pub(crate) fn or_conflict(self, field: &'static str) -> Self {
        if self.is_unique_violation() {
            Self::Conflict(field)
        } else {
            self
        }
    }

    /// What only a broken row or a broken statement can cause; waiting does not help.
    fn inconsistency(error: &sqlx::Error) -> Option<String> {
        match error {
            sqlx::Error::Database(database)
                if database.is_check_violation()
                    || database.is_foreign_key_violation()
                    || database.is_unique_violation() =>
            {
                Some(database.message().to_owned())
            }
            sqlx::Error::RowNotFound
            | sqlx::Error::ColumnNotFound(_)
            | sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::Encode(_) => Some(error.to_string()),
            _ => None,
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sql(error) => match Failure::inconsistency(&error) {
                Some(what) => Self::Inconsistent(what),
                None => Self::Unavailable(Box::new(error)),
            },
            Failure::Conflict(field) => Self::Inconsistent(format!("{field} is already taken")),
            Failure::Missing(what) => Self::Missing(what),
            Failure::Refused(rule) => Self::Inconsistent(rule.to_owned()),
            Failure::Inconsistent(what) => Self::Inconsistent(what),
        }
    }
}

impl From<Failure> for DirectoryError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sql(error) => match Failure::inconsistency(&error) {
                Some(what) => Self::Inconsistent(what),
                None => Self::Unavailable(Box::new(error)),
            },
            Failure::Conflict(field) => Self::Conflict(field),
            Failure::Missing(what) => Self::Missing(what),
            Failure::Refused(rule) => Self::Refused(rule),
            Failure::Inconsistent(what) => Self::Inconsistent(what),
        }
    }
}
