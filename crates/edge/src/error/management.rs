//! What can be wrong with a change to an account's things.

use std::time::Duration;

use switchyard_app::idempotency::InvalidIdempotencyKey;
use switchyard_interchange::reply::PublicFailure;

use super::{bad_header, failure};

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
