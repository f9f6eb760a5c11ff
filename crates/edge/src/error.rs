//! The one file that pairs what can go wrong with HTTP statuses and public words.
//!
//! Permanent failures are never 5xx, because the OpenRouter SDKs repeat every 5xx for up to an
//! hour. What a caller reads says what happened and what to do; internal text cannot get here.

mod attempts;
mod credentials;

pub(crate) mod management;
pub(crate) mod tenancy;

use std::time::Duration;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use switchyard_app::{
    activity::AnalyticsError, generation::GenerateError, keys::AuthError, policies::PolicyError,
};
use switchyard_dialects::error::{DecodeError, DecodeErrorKind};
use switchyard_domain::money::UsdNanos;
use switchyard_interchange::reply::PublicFailure;

use crate::limits::PATH_CHARS_SHOWN;

/// Credits and key limits that run dry answer with this; budgets of workspaces and members will
/// answer 403.
const PAYMENT_REQUIRED: u16 = 402;

fn failure(status: u16, error_type: &'static str, message: impl Into<String>) -> PublicFailure {
    PublicFailure {
        status,
        error_type,
        message: message.into(),
        retry_after: None,
        metadata: None,
        availability: None,
    }
}

fn raw(value: &impl Serialize) -> Option<Box<RawValue>> {
    to_raw_value(value).ok()
}

/// No key was presented.
pub(crate) fn missing_key() -> PublicFailure {
    failure(
        401,
        "authentication",
        "No API key was given. Send `Authorization: Bearer sk-sy-v1-…`.",
    )
}

/// The key was not accepted.
pub(crate) fn unauthenticated(error: &AuthError) -> PublicFailure {
    match error {
        AuthError::Unknown => failure(
            401,
            "authentication",
            "This API key is not valid: it is unknown, expired or disabled.",
        ),
        AuthError::Unavailable(source) => unreadable(source),
    }
}

/// A key of the other kind is needed.
pub(crate) fn needs_management_key() -> PublicFailure {
    failure(
        403,
        "permission_denied",
        "Only management keys can perform this operation",
    )
}

/// Models are called with inference keys.
pub(crate) fn needs_inference_key() -> PublicFailure {
    failure(
        403,
        "permission_denied",
        "A management key cannot call models. Create an inference key for that.",
    )
}

/// A read of the database failed. The caller learns that it may help to try again; the log learns
/// why.
pub(crate) fn unreadable(error: &(dyn std::error::Error + 'static)) -> PublicFailure {
    tracing::warn!(error, "the database could not be read");
    directory_unavailable()
}

/// A question about activity was not answered.
pub(crate) fn analytics(error: &AnalyticsError) -> PublicFailure {
    match error {
        AnalyticsError::TooSlow => failure(
            408,
            "timeout",
            "The answer takes too long to make. Ask for a shorter time range, fewer dimensions or \
             a coarser granularity.",
        ),
        AnalyticsError::Directory(source) => unreadable(source),
    }
}

fn directory_unavailable() -> PublicFailure {
    let mut public = failure(
        503,
        "server",
        "The service cannot reach its database at the moment. Try again in a few seconds.",
    );
    public.retry_after = Some(Duration::from_secs(2));
    public
}

/// Something broke that the caller can do nothing about. Says nothing, on purpose.
pub(crate) fn internal() -> PublicFailure {
    failure(500, "server", "Internal server error.")
}

/// A code is not exchanged for a key.
pub(crate) fn refused_code(what: &str) -> PublicFailure {
    failure(403, "permission_denied", what)
}

/// No such thing.
pub(crate) fn not_found(what: &str) -> PublicFailure {
    failure(404, "not_found", format!("{what} was not found."))
}

/// The generation is there, and has no receipt.
pub(crate) fn no_receipt(generation: &str) -> PublicFailure {
    failure(
        404,
        "not_found",
        format!(
            "Generation {generation} has no receipt: its workspace had not asked for signed \
             receipts when it was made. Its rules may ask for them (`signed_receipts`) from now on."
        ),
    )
}

/// A path nobody serves.
pub(crate) fn unknown_route(method: &str, path: &str) -> PublicFailure {
    let path: String = path
        .chars()
        .filter(|c| !c.is_control())
        .take(PATH_CHARS_SHOWN)
        .collect();
    failure(
        404,
        "not_found",
        format!("There is no {method} {path}. The API lies under /api/v1."),
    )
}

/// The path exists, but not with this method.
pub(crate) fn method_not_allowed(method: &str) -> PublicFailure {
    failure(
        405,
        "invalid_request",
        format!("{method} is not possible here."),
    )
}

/// A query parameter is wrong.
pub(crate) fn bad_query(name: &str, problem: &str) -> PublicFailure {
    failure(
        400,
        "invalid_request",
        format!("Query parameter `{name}`: {problem}."),
    )
}

/// A part of the path is wrong.
pub(crate) fn bad_path(problem: &str) -> PublicFailure {
    failure(
        400,
        "invalid_request",
        format!("The path's `id` {problem}."),
    )
}

/// A field of the body is wrong.
pub(crate) fn bad_field(path: &str, problem: &str) -> PublicFailure {
    failure(400, "invalid_request", format!("`{path}` {problem}."))
}

/// The query as a whole is wrong.
pub(crate) fn unreadable_query() -> PublicFailure {
    failure(
        400,
        "invalid_request",
        "The query cannot be read: give each parameter once, percent-encoded.",
    )
}

/// A header is wrong.
pub(crate) fn bad_header(name: &str, problem: &str) -> PublicFailure {
    failure(
        400,
        "invalid_request",
        format!("Header `{name}` {problem}."),
    )
}

/// The body is larger than the limit.
pub(crate) fn body_too_large(limit_bytes: usize) -> PublicFailure {
    let mebibytes = limit_bytes / (1024 * 1024);
    failure(
        413,
        "payload_too_large",
        format!("The request body exceeds {mebibytes} MiB."),
    )
}

/// The request line and headers are larger than the limit.
pub(crate) fn head_too_large() -> PublicFailure {
    failure(
        431,
        "invalid_request",
        "The request's headers are too large.",
    )
}

/// The body did not arrive.
pub(crate) fn body_unreadable() -> PublicFailure {
    failure(
        408,
        "timeout",
        "The request body did not arrive completely.",
    )
}

/// The body came compressed.
pub(crate) fn encoding_unsupported() -> PublicFailure {
    failure(
        415,
        "invalid_request",
        "Compressed request bodies are not accepted.",
    )
}

/// The body is not a request we understand.
pub(crate) fn undecodable(error: &DecodeError) -> PublicFailure {
    let (status, error_type) = match error.kind {
        DecodeErrorKind::Malformed | DecodeErrorKind::Invalid | DecodeErrorKind::Unsupported => {
            (400, "invalid_request")
        }
        DecodeErrorKind::TooLarge => (413, "payload_too_large"),
    };
    failure(status, error_type, error.to_string())
}

/// A generation was not served, or was cut short.
pub(crate) fn not_generated(error: &GenerateError) -> PublicFailure {
    match error {
        GenerateError::ManagementKey => needs_inference_key(),
        GenerateError::ShuttingDown | GenerateError::Overloaded => {
            retry_soon("The service is at its limit or restarting. Try again in a second.")
        }
        GenerateError::LedgerUnavailable => retry_soon(
            "The service cannot record charges at the moment, so it serves nothing. Try again soon.",
        ),
        GenerateError::Policy(error) => policy(error),
        GenerateError::OwnCredentials(error) => unreadable(&*error.0),
        GenerateError::Credential(error) => credentials::not_opened(error),
        GenerateError::SuppliedCredential {
            place,
            provider,
            message,
        } => credentials::wrongly_supplied(*place, provider, message),
        GenerateError::NoCandidates(none) => {
            not_available(none.status, &none.message, &none.availability)
        }
        GenerateError::EmailUnverified => failure(
            403,
            "email_unverified",
            "Confirm the address of this account first: follow the link in the mail, or have it sent \
             again on the console's security page. Until then only free models answer.",
        ),
        GenerateError::Insufficient {
            fund,
            needed,
            available,
            requested_output_tokens,
            affordable_output_tokens,
        } => {
            let what = if fund.is_key_limit() {
                "this key's limit"
            } else {
                "your credits"
            };
            insufficient(
                what,
                *needed,
                *available,
                *requested_output_tokens,
                *affordable_output_tokens,
            )
        }
        GenerateError::AttemptsFailed {
            attempts,
            retry_after,
        } => attempts::attempts_failed(attempts, *retry_after),
        GenerateError::BrokenOff(attempt) => {
            attempts::attempts_failed(std::slice::from_ref(attempt), None)
        }
        GenerateError::CostOverflow => failure(
            400,
            "invalid_request",
            "The request is too large: its cost cannot be computed.",
        ),
    }
}

/// It cannot be told what the account allows. Refused rather than routed without the policy.
fn policy(error: &PolicyError) -> PublicFailure {
    match error {
        PolicyError::Unavailable(source) => unreadable(&**source),
        PolicyError::Unreadable(subject) => {
            let scope = subject.scope();
            failure(
                503,
                "server",
                format!(
                    "The standing policy of this {scope} cannot be understood, so nothing is served \
                     under it. Its owner has to set it anew or clear it."
                ),
            )
        }
    }
}

fn retry_soon(message: &str) -> PublicFailure {
    let mut public = failure(503, "provider_overloaded", message);
    public.retry_after = Some(Duration::from_secs(1));
    public
}

fn not_available(status: u16, message: &str, availability: &impl Serialize) -> PublicFailure {
    let error_type = match status {
        400 => "invalid_request",
        403 => "permission_denied",
        429 => "rate_limit_exceeded",
        503 => "provider_overloaded",
        _ => "not_found",
    };
    let mut public = failure(status, error_type, message);
    public.availability = raw(availability);
    public
}

#[derive(Serialize)]
struct InsufficientMetadata {
    requested_output_tokens: u64,
    affordable_output_tokens: u64,
    needed_usd: String,
    available_usd: String,
}

fn insufficient(
    what: &str,
    needed: UsdNanos,
    available: UsdNanos,
    requested: u64,
    affordable: u64,
) -> PublicFailure {
    let shown = available.max(UsdNanos::ZERO);
    let advice = if affordable > 0 {
        format!(
            "The request may use up to {requested} output tokens, but {what} can only afford \
             {affordable}. Lower `max_tokens` to {affordable}, or add credit."
        )
    } else {
        format!("Not even the prompt is covered by {what}. Add credit, or raise the limit.")
    };
    let message =
        format!("Insufficient funds: up to {needed} USD needed, {shown} USD available. {advice}");
    let mut public = failure(PAYMENT_REQUIRED, "payment_required", message);
    public.metadata = raw(&InsufficientMetadata {
        requested_output_tokens: requested,
        affordable_output_tokens: affordable,
        needed_usd: needed.to_string(),
        available_usd: available.to_string(),
    });
    public
}

#[cfg(test)]
mod tests;
