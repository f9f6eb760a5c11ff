//! What can be wrong with workspaces and with credentials that an account brings.

use std::time::Duration;

use switchyard_app::{own_credentials::OwnCredentialError, workspaces::WorkspaceError};
use switchyard_interchange::reply::PublicFailure;

use super::{
    bad_field, failure,
    management::{conflict, no_such_workspace},
    not_found, unreadable,
};

/// The account has no such workspace; whether another has, nobody learns.
pub(crate) fn no_workspace() -> PublicFailure {
    no_such_workspace()
}

/// A personal account has no members.
pub(crate) fn no_organization() -> PublicFailure {
    failure(
        404,
        "not_found",
        "This is a personal account, not an organization: it has no members.",
    )
}

/// The account has no such credential; whether another has, nobody learns.
pub(crate) fn no_credential() -> PublicFailure {
    not_found("This credential")
}

/// A workspace was not made, changed or found.
pub(crate) fn workspace(error: &WorkspaceError) -> PublicFailure {
    match error {
        WorkspaceError::Invalid { field, message } => bad_field(field, message),
        WorkspaceError::Missing => no_workspace(),
        WorkspaceError::SlugTaken => {
            conflict("`slug` is taken by another workspace of this account. Choose another one.")
        }
        WorkspaceError::DefaultStays => failure(
            403,
            "permission_denied",
            "The default workspace cannot be deleted.",
        ),
        WorkspaceError::DefaultIsEverybodys => failure(
            400,
            "invalid_request",
            "Everybody of the account works in the default workspace; nobody is let in or sent away \
             there.",
        ),
        WorkspaceError::HasKeys => failure(
            400,
            "invalid_request",
            "This workspace has API keys. Delete them first, expired and disabled ones too.",
        ),
        WorkspaceError::MemberHasKeys => failure(
            400,
            "invalid_request",
            "One of these people has API keys in this workspace. Delete them first, expired and \
             disabled ones too.",
        ),
        WorkspaceError::PolicyUnreadable => conflict(
            "The standing policy of this workspace cannot be understood, so no part of it can be \
             changed. Set it anew or clear it first.",
        ),
        WorkspaceError::Contended => {
            conflict("The standing policy of this workspace is being changed by others. Try again.")
        }
        WorkspaceError::Directory(source) => unreadable(source),
    }
}

/// A credential was not stored, changed or found.
pub(crate) fn own_credential(error: &OwnCredentialError) -> PublicFailure {
    match error {
        OwnCredentialError::Invalid { field, message } => match field {
            Some(field) => bad_field(field, message),
            None => failure(400, "invalid_request", format!("The request {message}.")),
        },
        OwnCredentialError::Missing("the workspace") => no_workspace(),
        OwnCredentialError::Missing(_) => no_credential(),
        OwnCredentialError::Duplicate => conflict(
            "This secret is stored already for this provider in the same workspace. Change that \
             credential, or delete it first.",
        ),
        OwnCredentialError::Contended => {
            conflict("This credential is being changed by others. Try again.")
        }
        OwnCredentialError::TooMany => {
            let told = error.to_string();
            failure(400, "invalid_request", format!("Not stored: {told}."))
        }
        OwnCredentialError::Sealing(source) => {
            tracing::error!(
                error = source as &dyn std::error::Error,
                "a credential cannot be sealed"
            );
            let mut public = failure(
                503,
                "server",
                "Secrets cannot be stored at the moment. Try again in a few seconds.",
            );
            public.retry_after = Some(Duration::from_secs(2));
            public
        }
        OwnCredentialError::Directory(source) => unreadable(source),
    }
}
