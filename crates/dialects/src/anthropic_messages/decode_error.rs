//! A provider's error becomes a classified [`Failure`].

use std::time::Duration;

use serde_json::value::RawValue;
use switchyard_interchange::failure::{Failure, FailureKind, Fault};

use crate::json::{Text, wire_object};

/// The longest part of a provider's message that a caller gets to see, in characters.
const MESSAGE_CHARS_MAX: usize = 500;
/// The longest error code that is kept, in characters.
const CODE_CHARS_MAX: usize = 64;
/// A word of letters and digits this long is taken for an identifier of somebody's.
const IDENTIFIER_CHARS_MIN: usize = 32;
/// What identifiers of accounts, keys and requests start with.
const IDENTIFIER_PREFIXES: [&str; 10] = [
    "sk-", "sk_", "req_", "org-", "org_", "acct_", "user_", "proj_", "wrkspc_", "arn:",
];

wire_object! {
    lenient struct ErrorBody<'a> {
        "error" => error: &'a RawValue,
        "message" => message: Text<'a>,
        "Message" => aws_message: Text<'a>,
        "detail" => detail: &'a RawValue,
    }
}

wire_object! {
    /// The error itself.
    lenient struct ErrorWire<'a> {
        "type" => kind: Text<'a>,
        "code" => code: &'a RawValue,
        "message" => message: Text<'a>,
    }
}

/// Classifies an error response. `headers_retry` is what the headers say about coming back.
pub fn decode_error(status: u16, headers_retry: Option<Duration>, body: &[u8]) -> Failure {
    let outer: ErrorBody<'_> = serde_json::from_slice(body).unwrap_or_default();
    let inner: ErrorWire<'_> = outer
        .error
        .and_then(|error| serde_json::from_str(error.get()).ok())
        .unwrap_or_default();
    // Proxies and compatible hosts put the text in other places.
    let bare: Option<Text<'_>> = outer
        .error
        .or(outer.detail)
        .and_then(|error| serde_json::from_str(error.get()).ok());
    let message = inner
        .message
        .or(outer.message)
        .or(outer.aws_message)
        .or(bare)
        .unwrap_or_default();
    let code: Option<Text<'_>> = inner
        .code
        .and_then(|code| serde_json::from_str(code.get()).ok());
    let kind = inner.kind.as_deref();
    Failure {
        status: Some(status),
        retry_after: headers_retry,
        ..classify(Some(status), kind, code.as_deref(), &message)
    }
}

/// An error that came as an event of a stream.
pub(super) fn decode_stream_error(error: Option<&RawValue>) -> Failure {
    let wire: ErrorWire<'_> = error
        .and_then(|error| serde_json::from_str(error.get()).ok())
        .unwrap_or_default();
    let message = wire.message.unwrap_or_default();
    classify(None, wire.kind.as_deref(), None, &message)
}

fn classify(status: Option<u16>, kind: Option<&str>, code: Option<&str>, message: &str) -> Failure {
    let class = class_of(status, kind, code, message);
    let provider_code = kind.filter(|kind| *kind != "error").or(code);
    Failure {
        kind: class,
        status,
        message: public_message(class, message),
        provider_code: provider_code.map(|code| code.chars().take(CODE_CHARS_MAX).collect()),
        retry_after: None,
    }
}

fn class_of(
    status: Option<u16>,
    kind: Option<&str>,
    code: Option<&str>,
    message: &str,
) -> FailureKind {
    let message = message.to_ascii_lowercase();
    let says = |phrase: &str| message.contains(phrase);
    // Money first: it comes under several statuses.
    if says("credit balance is too low")
        || matches!(kind, Some("billing_error" | "insufficient_quota"))
        || code == Some("insufficient_quota")
    {
        return FailureKind::QuotaBilling;
    }
    match (kind, status) {
        (Some("overloaded_error"), _) | (_, Some(529 | 503)) => FailureKind::Overloaded,
        (Some("rate_limit_error"), _) | (_, Some(429)) => FailureKind::RateLimit,
        (Some("authentication_error"), _) | (_, Some(401)) => FailureKind::Auth,
        (_, Some(402)) => FailureKind::QuotaBilling,
        (_, Some(403)) if says("security token") || says("expired token") || says("api key") => {
            FailureKind::Auth
        }
        (Some("permission_error"), _) | (_, Some(403)) => FailureKind::Permission,
        (Some("request_too_large"), _) | (_, Some(413)) => FailureKind::TooLarge,
        (Some("timeout_error"), _) | (_, Some(408 | 504 | 524)) => FailureKind::Timeout,
        (Some("not_found_error"), _) | (_, Some(404)) => FailureKind::NotFound,
        (Some("invalid_request_error"), _) | (_, Some(400..=499)) => refused_request(&says),
        _ => FailureKind::Server,
    }
}

/// What sort of request a provider will not serve.
fn refused_request(says: &dyn Fn(&str) -> bool) -> FailureKind {
    let too_long = says("prompt is too long")
        || says("input is too long")
        || says("maximum context length")
        || (says("input length and") && says("exceed"));
    if too_long {
        FailureKind::ContextLength
    } else if says("content filtering policy") || says("content policy") {
        FailureKind::ContentPolicy
    } else if says("model identifier is invalid") || says("model not found") {
        FailureKind::NotFound
    } else if says("invalid x-api-key") || says("incorrect api key") {
        FailureKind::Auth
    } else {
        FailureKind::BadRequest
    }
}

/// What a caller may read. A provider's words are only repeated where the caller can act on them,
/// because elsewhere they speak of our account.
fn public_message(class: FailureKind, message: &str) -> String {
    if class.fault() == Fault::Caller && !message.trim().is_empty() {
        return scrub(message);
    }
    match class {
        FailureKind::Auth | FailureKind::Permission => "the provider refused the credential",
        FailureKind::QuotaBilling => "the credential's account at the provider is out of funds",
        FailureKind::RateLimit => "the provider is limiting requests",
        FailureKind::Overloaded => "the provider is overloaded",
        FailureKind::NotFound => "the provider does not know the model",
        FailureKind::Timeout => "the provider timed out",
        FailureKind::ContextLength => "the prompt is longer than the model's context",
        FailureKind::ContentPolicy => "the provider's content policy refused the request",
        FailureKind::TooLarge => "the request is larger than the provider takes",
        FailureKind::BadRequest | FailureKind::Unsupported => "the provider refused the request",
        FailureKind::Server
        | FailureKind::Connect
        | FailureKind::EgressBlocked
        | FailureKind::Protocol
        | FailureKind::Cancelled => "the provider failed",
    }
    .to_owned()
}

/// Takes identifiers out of a message and bounds it.
fn scrub(message: &str) -> String {
    let mut scrubbed = String::new();
    for word in message.split_whitespace() {
        if !scrubbed.is_empty() {
            scrubbed.push(' ');
        }
        scrubbed.push_str(if is_identifier(word) {
            "[redacted]"
        } else {
            word
        });
        if scrubbed.len() > MESSAGE_CHARS_MAX {
            break;
        }
    }
    scrubbed.chars().take(MESSAGE_CHARS_MAX).collect()
}

fn is_identifier(word: &str) -> bool {
    let word = word.trim_matches(|mark: char| !mark.is_alphanumeric());
    let is_long = word.chars().count() >= IDENTIFIER_CHARS_MIN
        && word.chars().any(|letter| letter.is_ascii_digit())
        && word
            .chars()
            .all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-'));
    is_long
        || IDENTIFIER_PREFIXES
            .iter()
            .any(|prefix| word.starts_with(prefix))
        || (word.contains('@') && word.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sorted() {
        use FailureKind as K;
        for (status, kind, message, expected) in [
            (401, "authentication_error", "invalid x-api-key", K::Auth),
            (403, "permission_error", "no access", K::Permission),
            (
                400,
                "invalid_request_error",
                "Your credit balance is too low to access",
                K::QuotaBilling,
            ),
            (402, "billing_error", "pay", K::QuotaBilling),
            (429, "rate_limit_error", "slow down", K::RateLimit),
            (529, "overloaded_error", "Overloaded", K::Overloaded),
            (529, "api_error", "", K::Overloaded),
            (500, "api_error", "Internal server error", K::Server),
            (502, "", "bad gateway", K::Server),
            (504, "timeout_error", "", K::Timeout),
            (404, "not_found_error", "model: claude-x", K::NotFound),
            (413, "request_too_large", "", K::TooLarge),
            (
                400,
                "invalid_request_error",
                "prompt is too long: 210000 tokens > 200000",
                K::ContextLength,
            ),
            (
                400,
                "invalid_request_error",
                "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
                K::ContextLength,
            ),
            (
                400,
                "invalid_request_error",
                "Output blocked by content filtering policy",
                K::ContentPolicy,
            ),
            (
                400,
                "invalid_request_error",
                "tools.0.name: Field required",
                K::BadRequest,
            ),
            (422, "", "nope", K::BadRequest),
        ] {
            let body = format!(
                r#"{{"type":"error","error":{{"type":"{kind}","message":"{message}"}},"request_id":null}}"#
            );
            let failure = decode_error(status, None, body.as_bytes());
            assert_eq!(failure.kind, expected, "{body}");
            assert_eq!(failure.status, Some(status));
        }
    }

    #[test]
    fn other_shapes_are_understood() {
        for body in [
            r#"{"message":"Input is too long for requested model."}"#,
            r#"{"Message":"Input is too long"}"#,
            r#"{"error":"input is too long"}"#,
            r#"{"detail":"input is too long"}"#,
        ] {
            let failure = decode_error(400, None, body.as_bytes());
            assert_eq!(failure.kind, FailureKind::ContextLength, "{body}");
        }
        for (status, body) in [
            (502, "<html>"),
            (500, ""),
            (500, "[1]"),
            (500, "{\"error\":7}"),
        ] {
            assert_eq!(
                decode_error(status, None, body.as_bytes()).kind,
                FailureKind::Server
            );
        }
        let wait = Some(Duration::from_secs(7));
        assert_eq!(decode_error(429, wait, b"").retry_after, wait);
    }

    #[test]
    fn messages_name_nobody() {
        let body = br#"{"error":{"type":"invalid_request_error","message":
            "bad field (request req_011CeCGmBjaWkq37Sf5iU7so of org-abc, mail a@b.example) model claude-haiku-4-5-20251001"}}"#;
        assert_eq!(
            decode_error(400, None, body).message,
            "bad field (request [redacted] of [redacted] mail [redacted] model claude-haiku-4-5-20251001"
        );
        let body = br#"{"error":{"type":"rate_limit_error","message":"organization 7f exceeded"}}"#;
        assert_eq!(
            decode_error(429, None, body).message,
            "the provider is limiting requests"
        );
    }
}
