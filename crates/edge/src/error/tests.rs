use serde_json::{Value, json};
use switchyard_dialects::openai_chat::encode_error;
use switchyard_domain::{endpoint::EndpointId, provider::ProviderSlug};
use switchyard_interchange::failure::Failure;

use super::*;

const CREDITS: &str = "credits:acct_00000000000000000000000000000001";
const KEY_LIMIT: &str = "key:key_00000000000000000000000000000002";

fn attempt(kind: FailureKind) -> AttemptFailure {
    AttemptFailure {
        endpoint_id: EndpointId::new("acme/one|bolt/fp8"),
        provider: ProviderSlug::new("bolt"),
        provider_name: "Bolt".to_owned(),
        is_byok: false,
        failure: Failure {
            status: Some(418),
            ..Failure::new(kind, "it broke")
        },
    }
}

fn failed(kinds: &[FailureKind]) -> GenerateError {
    GenerateError::AttemptsFailed {
        attempts: kinds.iter().copied().map(attempt).collect(),
        retry_after: None,
    }
}

fn insufficient_funds(fund: &str, affordable_output_tokens: u64) -> GenerateError {
    GenerateError::Insufficient {
        fund: fund.parse().expect("a fund"),
        needed: "0.5".parse().expect("an amount"),
        available: "-0.25".parse().expect("an amount"),
        requested_output_tokens: 900,
        affordable_output_tokens,
    }
}

/// The body that a client reads.
fn body(failure: &PublicFailure) -> Value {
    serde_json::from_slice(&encode_error(failure, None)).expect("JSON")
}

#[test]
fn every_kind_of_failed_attempt_has_its_status() {
    for kind in FailureKind::ALL {
        let (status, error_type, code) = match kind {
            FailureKind::BadRequest | FailureKind::Unsupported => (400, "invalid_request", None),
            FailureKind::ContextLength => (400, "context_length_exceeded", None),
            FailureKind::ContentPolicy => (400, "content_policy_violation", None),
            FailureKind::TooLarge => (413, "payload_too_large", None),
            FailureKind::RateLimit => (429, "rate_limit_exceeded", Some("capacity_exhausted")),
            FailureKind::NotFound => (404, "not_found", Some("model_unavailable_upstream")),
            FailureKind::Overloaded => {
                (503, "provider_overloaded", Some("temporarily_unavailable"))
            }
            FailureKind::Timeout => (504, "timeout", Some("temporarily_unavailable")),
            FailureKind::Auth
            | FailureKind::Permission
            | FailureKind::QuotaBilling
            | FailureKind::Server
            | FailureKind::Connect
            | FailureKind::EgressBlocked
            | FailureKind::Protocol
            | FailureKind::Cancelled => {
                (502, "provider_unavailable", Some("temporarily_unavailable"))
            }
        };
        let public = not_generated(&failed(&[kind]));
        let body = body(&public);
        let error = &body["error"];
        assert_eq!(
            (public.status, public.error_type),
            (status, error_type),
            "{kind:?}"
        );
        assert_eq!(error["code"], status, "{kind:?}");
        assert_eq!(error["metadata"]["error_type"], error_type, "{kind:?}");
        assert_eq!(error["metadata"]["provider_name"], "Bolt", "{kind:?}");
        assert_eq!(error["metadata"]["is_byok"], false, "{kind:?}");
        assert_eq!(error["availability"]["code"].as_str(), code, "{kind:?}");
        if code.is_some() {
            assert_eq!(
                error["availability"]["requested_models"],
                json!(["acme/one"]),
                "{kind:?}"
            );
            assert_eq!(
                error["availability"]["retryable"],
                status != 404,
                "{kind:?}"
            );
            assert!(error["availability"]["docs_url"].is_string(), "{kind:?}");
        }
        assert_eq!(
            public.retry_after.is_some(),
            matches!(status, 429 | 503),
            "{kind:?}"
        );
    }
}

#[test]
fn the_last_attempt_decides_and_the_others_are_listed() {
    let public = not_generated(&failed(&[FailureKind::RateLimit, FailureKind::Server]));
    assert_eq!(
        (public.status, public.error_type),
        (502, "provider_unavailable")
    );
    let previous = json!([{"provider": "Bolt", "code": "rate_limit", "status": 418}]);
    assert_eq!(
        body(&public)["error"]["metadata"]["previous_errors"],
        previous
    );
    // A provider that does not know the model is no rate limit.
    let public = not_generated(&failed(&[FailureKind::NotFound, FailureKind::RateLimit]));
    assert_eq!(public.status, 502);
}

#[test]
fn providers_waits_are_passed_on() {
    let error = GenerateError::AttemptsFailed {
        attempts: vec![attempt(FailureKind::RateLimit)],
        retry_after: Some(Duration::from_secs(17)),
    };
    let public = not_generated(&error);
    assert_eq!(public.retry_after, Some(Duration::from_secs(17)));
    assert_eq!(body(&public)["error"]["availability"]["retry_after"], 17);
}

fn check_refusal(error: &GenerateError, status: u16, error_type: &str, says: &str) {
    let public = not_generated(error);
    let found = (public.status, public.error_type);
    assert_eq!(found, (status, error_type), "{error:?}");
    assert!(public.message.contains(says), "{}", public.message);
    assert_eq!(public.retry_after.is_some(), status == 503, "{error:?}");
    assert_eq!(body(&public)["error"]["code"], status, "{error:?}");
}

#[test]
fn what_we_refuse_has_its_status() {
    use GenerateError::{BrokenOff, CostOverflow, ManagementKey};

    let broken_off = BrokenOff(Box::new(attempt(FailureKind::Timeout)));
    check_refusal(&ManagementKey, 403, "permission_denied", "inference key");
    check_refusal(&broken_off, 504, "timeout", "it broke");
    check_refusal(&CostOverflow, 400, "invalid_request", "too large");
}

#[test]
fn what_may_pass_soon_is_retryable() {
    for error in [
        GenerateError::ShuttingDown,
        GenerateError::Overloaded,
        GenerateError::LedgerUnavailable,
    ] {
        check_refusal(&error, 503, "provider_overloaded", "Try again");
    }
}

#[test]
fn a_shortage_names_what_ran_dry() {
    for (fund, affordable, says) in [
        (CREDITS, 300, "`max_tokens` to 300"),
        (CREDITS, 0, "your credits"),
        (KEY_LIMIT, 0, "this key's limit"),
    ] {
        let error = insufficient_funds(fund, affordable);
        check_refusal(&error, 402, "payment_required", says);
    }
}

#[test]
fn a_shortage_is_told_in_numbers() {
    let public = not_generated(&insufficient_funds(CREDITS, 300));
    let metadata = &body(&public)["error"]["metadata"];
    assert_eq!(metadata["requested_output_tokens"], 900);
    assert_eq!(metadata["affordable_output_tokens"], 300);
    assert_eq!(metadata["needed_usd"], "0.5");
    assert_eq!(metadata["available_usd"], "-0.25");
}

#[test]
fn what_nothing_can_serve_is_told_with_its_code() {
    for (status, error_type) in [
        (400, "invalid_request"),
        (403, "permission_denied"),
        (404, "not_found"),
        (429, "rate_limit_exceeded"),
        (503, "provider_overloaded"),
    ] {
        let availability = json!({"code": "model_not_found", "retryable": false});
        let public = not_available(status, "there is no model `acme/two`", &availability);
        assert_eq!((public.status, public.error_type), (status, error_type));
        let error = &body(&public)["error"];
        assert_eq!(error["code"], status);
        assert_eq!(error["message"], "there is no model `acme/two`");
        assert_eq!(error["availability"], availability);
    }
}

#[test]
fn undecodable_bodies_are_the_callers_mistake() {
    for (kind, status) in [
        (DecodeErrorKind::Malformed, 400),
        (DecodeErrorKind::Invalid, 400),
        (DecodeErrorKind::Unsupported, 400),
        (DecodeErrorKind::TooLarge, 413),
    ] {
        let public = undecodable(&DecodeError::new(kind, "messages[2].role", "is not a role"));
        assert_eq!(public.status, status, "{kind:?}");
        assert!(
            public.message.contains("messages[2].role"),
            "{}",
            public.message
        );
    }
}

#[test]
fn refusals_without_a_generation_have_a_status_and_a_type() {
    for (public, status, error_type) in [
        (missing_key(), 401, "authentication"),
        (unauthenticated(&AuthError::Unknown), 401, "authentication"),
        (needs_inference_key(), 403, "permission_denied"),
        (needs_management_key(), 403, "permission_denied"),
        (directory_unavailable(), 503, "server"),
        (internal(), 500, "server"),
        (not_found("It"), 404, "not_found"),
        (unknown_route("GET", "/x\u{7}"), 404, "not_found"),
        (method_not_allowed("PUT"), 405, "invalid_request"),
        (bad_query("sort", "is wrong"), 400, "invalid_request"),
        (unreadable_query(), 400, "invalid_request"),
        (bad_header("x", "is wrong"), 400, "invalid_request"),
        (body_too_large(1024 * 1024), 413, "payload_too_large"),
        (body_unreadable(), 408, "timeout"),
        (encoding_unsupported(), 415, "invalid_request"),
    ] {
        assert_eq!((public.status, public.error_type), (status, error_type));
        let body = body(&public);
        assert_eq!(body["error"]["code"], status);
        let message = body["error"]["message"].as_str().expect("text");
        assert!(!message.chars().any(char::is_control), "{message}");
    }
}
