//! The account's own provider credentials: which there are, in which order they are tried, whom they are
//! for, and how they are doing. A secret comes in and is never shown again.

use switchyard_app::own_credentials::OwnCredentialError;

use crate::error::PageError;

impl From<OwnCredentialError> for PageError {
    fn from(error: OwnCredentialError) -> Self {
        match error {
            OwnCredentialError::Missing(_) => Self::NotFound,
            OwnCredentialError::Directory(error) => error.into(),
            error @ OwnCredentialError::Sealing(_) => Self::Unavailable(Box::new(error)),
            OwnCredentialError::Contended => Self::Conflict(
                "Somebody else is changing this key. Look at it again, then try again.".to_owned(),
            ),
            error @ (OwnCredentialError::Invalid { .. }
            | OwnCredentialError::Duplicate
            | OwnCredentialError::TooMany) => Self::Conflict(error.to_string()),
        }
    }
}
