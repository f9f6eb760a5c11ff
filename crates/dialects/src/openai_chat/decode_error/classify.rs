//! Which class an error belongs to.

use switchyard_interchange::failure::FailureKind;

use super::Said;

/// Phrases by class, in lower case; the first hit decides. Only searched in what the provider
/// wrote about the error.
const PHRASES: [(FailureKind, &[&str]); 6] = [
    (
        FailureKind::QuotaBilling,
        &[
            "credit balance is too low",
            "insufficient balance",
            "insufficient credits",
            "requires more credits",
            "exceeded your current quota",
            "insufficient_quota",
            "insufficient quota",
            "billing hard limit",
        ],
    ),
    (
        FailureKind::ContextLength,
        &[
            "maximum context length",
            "context_length_exceeded",
            "context length exceeded",
            "exceeds the context window",
            "prompt is too long",
            "input is too long",
            "total length of all messages is too long",
            "input length and `max_tokens` exceed",
            "input token count",
            "reduce the length of the messages",
            "current length is",
        ],
    ),
    (
        FailureKind::ContentPolicy,
        &[
            "content management policy",
            "content exists risk",
            "content filtering policy",
            "data_inspection_failed",
            "input was flagged",
            "violates our usage polic",
        ],
    ),
    (
        FailureKind::Auth,
        &[
            "incorrect api key",
            "invalid api key",
            "api key not valid",
            "make sure your api key is valid",
        ],
    ),
    (
        FailureKind::NotFound,
        &["model not found", "model_not_found", "no such model"],
    ),
    (
        FailureKind::Overloaded,
        &["overloaded", "at capacity", "engine is currently"],
    ),
];

/// The class of an error: by its codes, else by what it says, else by its status.
pub(super) fn classify(status: Option<u16>, said: &Said) -> FailureKind {
    let codes = [&said.code, &said.inner_code, &said.kind];
    let by_code = codes
        .into_iter()
        .flatten()
        .find_map(|code| classify_code(code));
    if let Some(kind) = by_code {
        return kind;
    }
    let mut text = format!("{}\n{}", said.message, said.raw);
    text.make_ascii_lowercase();
    let by_phrase = PHRASES
        .iter()
        .find(|(_, phrases)| phrases.iter().any(|phrase| text.contains(phrase)))
        .map(|(kind, _)| *kind);
    if let Some(kind) = by_phrase {
        return kind;
    }
    status.map_or_else(|| classify_kind(said), classify_status)
}

/// Codes and types that say more than the status does.
fn classify_code(code: &str) -> Option<FailureKind> {
    Some(match code.to_ascii_lowercase().as_str() {
        "insufficient_quota"
        | "billing_error"
        | "billing_not_active"
        | "billing_hard_limit_reached"
        | "payment_required"
        | "1113"
        | "1008" => FailureKind::QuotaBilling,
        "context_length_exceeded"
        | "too_many_prompt_tokens"
        | "too_many_tokens"
        | "token_limit_exceeded"
        | "request_too_large" => FailureKind::ContextLength,
        "content_policy_violation"
        | "content_filter"
        | "invalid_prompt"
        | "bio_policy"
        | "responsibleaipolicyviolation"
        | "data_inspection_failed"
        | "1301"
        | "1026"
        | "1027" => FailureKind::ContentPolicy,
        "invalid_api_key" | "authentication_error" | "authenticationerror" => FailureKind::Auth,
        "permission_error" | "permission_denied" => FailureKind::Permission,
        "model_not_found" | "deploymentnotfound" => FailureKind::NotFound,
        "rate_limit_exceeded"
        | "rate_limit_error"
        | "ratelimitreached"
        | "too_many_requests"
        | "1302"
        | "1303"
        | "1304"
        | "1305"
        | "1002" => FailureKind::RateLimit,
        "overloaded_error" | "engine_overloaded" | "provider_overloaded" => FailureKind::Overloaded,
        "timeout_error" | "timeout" => FailureKind::Timeout,
        // The model wrote a call that cannot be parsed: another try may do better.
        "tool_use_failed" => FailureKind::Server,
        _ => return None,
    })
}

fn classify_status(status: u16) -> FailureKind {
    match status {
        401 => FailureKind::Auth,
        402 => FailureKind::QuotaBilling,
        403 => FailureKind::Permission,
        404 => FailureKind::NotFound,
        408 | 504 | 524 => FailureKind::Timeout,
        413 => FailureKind::TooLarge,
        429 => FailureKind::RateLimit,
        424 | 498 | 503 | 529 => FailureKind::Overloaded,
        400..=499 => FailureKind::BadRequest,
        _ => FailureKind::Server,
    }
}

/// Without a status, the type is all there is.
fn classify_kind(said: &Said) -> FailureKind {
    match said.kind.as_deref() {
        Some("invalid_request_error" | "BadRequestError" | "Bad Request") => {
            FailureKind::BadRequest
        }
        _ => FailureKind::Server,
    }
}
