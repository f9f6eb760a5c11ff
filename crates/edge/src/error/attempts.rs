//! What callers hear when every provider that was tried failed.

use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use switchyard_app::generation::AttemptFailure;
use switchyard_interchange::{failure::FailureKind, reply::PublicFailure};

use super::{credentials, failure, internal, raw};

#[derive(Serialize)]
struct ProviderErrorMetadata<'a> {
    provider_name: &'a str,
    raw: &'a str,
    is_byok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    previous_errors: Vec<PreviousError<'a>>,
}

#[derive(Serialize)]
struct PreviousError<'a> {
    provider: &'a str,
    code: &'a str,
    status: Option<u16>,
}

pub(super) fn attempts_failed(
    attempts: &[AttemptFailure],
    retry_after: Option<Duration>,
) -> PublicFailure {
    let Some((last, previous)) = attempts.split_last() else {
        return internal();
    };
    // What a customer's refused credential did says nothing about what the others could have done.
    let told: Vec<_> = attempts.iter().filter(|one| !is_for_good(one)).collect();
    let Some(deciding) = told.last() else {
        let mut public = credentials::refused(last);
        public.metadata = metadata(last, previous);
        return public;
    };
    let all = |kind: FailureKind| told.iter().all(|one| one.failure.kind == kind);
    let (status, error_type, code) = if all(FailureKind::RateLimit) {
        (429, "rate_limit_exceeded", Some("capacity_exhausted"))
    } else if all(FailureKind::NotFound) {
        (404, "not_found", Some("model_unavailable_upstream"))
    } else {
        of_kind(deciding.failure.kind)
    };
    let retry_after = match status {
        429 | 503 => Some(retry_after.unwrap_or(Duration::from_secs(1))),
        _ => retry_after,
    };
    let message = attempts_message(attempts, last, code, retry_after);
    let mut public = failure(status, error_type, message);
    public.retry_after = retry_after;
    public.metadata = metadata(last, previous);
    public.availability = code.and_then(|code| raw(&attempt_availability(code, attempts, &public)));
    public
}

/// Whether a customer's credential was refused for a reason that does not pass by itself.
fn is_for_good(attempt: &AttemptFailure) -> bool {
    attempt.is_refusal() && attempt.failure.kind != FailureKind::RateLimit
}

fn metadata(last: &AttemptFailure, previous: &[AttemptFailure]) -> Option<Box<RawValue>> {
    raw(&ProviderErrorMetadata {
        provider_name: &last.provider_name,
        raw: &last.failure.message,
        is_byok: last.is_byok,
        provider_code: last.failure.provider_code.as_deref(),
        previous_errors: previous
            .iter()
            .map(|one| PreviousError {
                provider: &one.provider_name,
                code: one.failure.kind.as_str(),
                status: one.failure.status,
            })
            .collect(),
    })
}

/// What went wrong, with which model, at whom, and what to do about it.
fn attempts_message(
    attempts: &[AttemptFailure],
    last: &AttemptFailure,
    code: Option<&str>,
    retry_after: Option<Duration>,
) -> String {
    let mut providers: Vec<&str> = Vec::new();
    for attempt in attempts {
        if !providers.contains(&attempt.provider_name.as_str()) {
            providers.push(&attempt.provider_name);
        }
    }
    let (model, providers) = (last.model(), providers.join(", "));
    let again = retry_after.map_or("a moment".to_owned(), |wait| {
        format!("{} s", wait.as_secs().max(1))
    });
    let told = last.failure.message.trim_end_matches('.');
    match code {
        Some("capacity_exhausted") => format!(
            "`{model}` is at its rate limit at every provider that was tried ({providers}). Try \
             again in {again}, or name fallback models in `models`."
        ),
        Some("model_unavailable_upstream") => format!(
            "No provider that was tried offers `{model}` any more ({providers}). Choose another \
             model, or name fallback models in `models`."
        ),
        Some(_) => format!(
            "Provider returned error: {told}. `{model}` failed at {providers}; try again in \
             {again}, or name fallback models in `models`."
        ),
        None => format!("Provider returned error: {told}"),
    }
}

#[derive(Serialize)]
struct AttemptAvailability<'a> {
    code: &'static str,
    retryable: bool,
    requested_models: Vec<&'a str>,
    docs_url: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    affected_providers: Vec<&'a str>,
}

fn attempt_availability<'a>(
    code: &'static str,
    attempts: &'a [AttemptFailure],
    public: &PublicFailure,
) -> AttemptAvailability<'a> {
    let mut requested_models: Vec<&str> = attempts.iter().map(AttemptFailure::model).collect();
    requested_models.dedup();
    AttemptAvailability {
        code,
        retryable: public.status != 404,
        requested_models,
        docs_url: switchyard_app::unavailable::DOCS_URL,
        retry_after: public.retry_after.map(|wait| wait.as_secs().max(1)),
        affected_providers: attempts.iter().map(|one| one.provider.as_str()).collect(),
    }
}

/// Status, error type and availability code of a failed attempt. Our own credential's trouble is
/// a bad gateway to callers: their key is fine.
fn of_kind(kind: FailureKind) -> (u16, &'static str, Option<&'static str>) {
    const TRANSIENT: Option<&str> = Some("temporarily_unavailable");
    match kind {
        FailureKind::BadRequest | FailureKind::Unsupported => (400, "invalid_request", None),
        FailureKind::ContextLength => (400, "context_length_exceeded", None),
        FailureKind::ContentPolicy => (400, "content_policy_violation", None),
        FailureKind::TooLarge => (413, "payload_too_large", None),
        FailureKind::Overloaded => (503, "provider_overloaded", TRANSIENT),
        FailureKind::Timeout => (504, "timeout", TRANSIENT),
        FailureKind::RateLimit
        | FailureKind::NotFound
        | FailureKind::Auth
        | FailureKind::Permission
        | FailureKind::QuotaBilling
        | FailureKind::Server
        | FailureKind::Connect
        | FailureKind::EgressBlocked
        | FailureKind::Protocol
        | FailureKind::Cancelled => (502, "provider_unavailable", TRANSIENT),
    }
}
