//! What can be wrong with a change to an account's things.

use std::time::Duration;

use switchyard_app::{api_keys::ApiKeyError, idempotency::InvalidIdempotencyKey};
use switchyard_interchange::reply::PublicFailure;

use super::{bad_field, bad_header, failure, internal, not_found, unreadable};

/// A key cannot be made, shown or changed. What is another account's is answered like what is
/// nobody's.
pub(crate) fn api_key(error: &ApiKeyError) -> PublicFailure {
    match error {
        ApiKeyError::NoSuchKey => not_found("The API key"),
        ApiKeyError::NoSuchWorkspace => no_such_workspace(),
        ApiKeyError::NoSuchMember => no_such_creator(),
        ApiKeyError::NoLimit => failure(
            400,
            "invalid_request",
            "`limit_reset` and `include_byok_in_limit` say how a limit counts: give a `limit` too.",
        ),
        ApiKeyError::Contended => {
            let mut public = conflict("The key is being changed by others. Try again.");
            public.retry_after = Some(Duration::from_secs(1));
            public
        }
        ApiKeyError::Rotated => {
            conflict("The key was rotated already. Rotate its successor, or delete that one first.")
        }
        ApiKeyError::Expired => conflict("The key has expired. Make a new one."),
        ApiKeyError::Directory(source) => unreadable(source),
        ApiKeyError::Random(source) => {
            tracing::error!(
                error = source as &dyn std::error::Error,
                "a key cannot be made"
            );
            internal()
        }
    }
}

/// The account has no such workspace.
pub(crate) fn no_such_workspace() -> PublicFailure {
    not_found("The workspace")
}

/// Nobody who belongs to the account.
pub(crate) fn no_such_creator() -> PublicFailure {
    bad_field("creator_user_id", "is no member of this account")
}

/// No API key may do this, whatever its kind.
pub(crate) fn needs_session() -> PublicFailure {
    failure(
        403,
        "permission_denied",
        "No API key can do this. Sign in and do it there.",
    )
}

/// The body is not as it must be.
pub(crate) fn bad_body(problem: &str) -> PublicFailure {
    failure(
        400,
        "invalid_request",
        format!("The request body {problem}."),
    )
}

/// A field that no one but the service sets.
pub(crate) fn server_owned(path: &str) -> PublicFailure {
    failure(
        400,
        "invalid_request",
        format!("`{path}` is set by the service and cannot be given."),
    )
}

/// A field that stays as it was made.
pub(crate) fn fixed_at_creation(path: &str) -> PublicFailure {
    failure(
        400,
        "invalid_request",
        format!("`{path}` is set when it is made and cannot be changed."),
    )
}

/// A field that does not exist.
pub(crate) fn unknown_field(path: &str, known: &[&str]) -> PublicFailure {
    let known = match known {
        [] => "No fields are taken here.".to_owned(),
        known => format!("Known are `{}`.", known.join("`, `")),
    };
    failure(
        400,
        "invalid_request",
        format!("`{path}` is not known here. {known}"),
    )
}

/// It contradicts what is there.
pub(crate) fn conflict(message: impl Into<String>) -> PublicFailure {
    failure(409, "conflict", message)
}

/// The client's name for its request is none.
pub(crate) fn bad_idempotency_key(problem: &InvalidIdempotencyKey) -> PublicFailure {
    bad_header("Idempotency-Key", &problem.to_string())
}

/// The same name for something else.
pub(crate) fn idempotency_key_reused() -> PublicFailure {
    conflict(
        "This `Idempotency-Key` was used for another request within the last 24 hours. Use a new \
         key for a new request.",
    )
}

/// The same request is being carried out.
pub(crate) fn idempotency_in_flight() -> PublicFailure {
    let mut public = conflict(
        "A request with this `Idempotency-Key` is being carried out. Ask again in a second for its \
         answer.",
    );
    public.retry_after = Some(Duration::from_secs(1));
    public
}

/// It was done, and nobody knows any more what was answered.
pub(crate) fn idempotency_answer_lost() -> PublicFailure {
    conflict(
        "The request with this `Idempotency-Key` was carried out, but its answer cannot be read any \
         more. Look at what is there before you ask with a new key.",
    )
}
