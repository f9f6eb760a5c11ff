use super::*;
use FailureKind::{
    Auth, BadRequest, ContentPolicy, ContextLength, NotFound, Overloaded, Permission, QuotaBilling,
    RateLimit, Server, Timeout, TooLarge,
};

#[track_caller]
fn classifies(status: u16, body: &str, kind: FailureKind) {
    assert_eq!(
        decode_error(status, None, body.as_bytes()).kind,
        kind,
        "{status} {body}"
    );
}

/// Status, body, class.
const CLASSES: &[(u16, &str, FailureKind)] = &[
    (
        401,
        r#"{"error":{"message":"x","type":"t","code":null}}"#,
        Auth,
    ),
    (
        400,
        r#"{"code":"x","error":"Incorrect API key provided."}"#,
        Auth,
    ),
    (403, "", Permission),
    (
        402,
        r#"{"error":{"message":"Insufficient Balance"}}"#,
        QuotaBilling,
    ),
    (
        429,
        r#"{"error":{"code":"insufficient_quota","message":"You exceeded"}}"#,
        QuotaBilling,
    ),
    (
        429,
        r#"{"error":{"code":"1113","message":"x"}}"#,
        QuotaBilling,
    ),
    (429, r#"{"error":{"code":"1302","message":"x"}}"#, RateLimit),
    (
        429,
        r#"{"error":{"code":"RateLimitReached","message":"x"}}"#,
        RateLimit,
    ),
    (429, "<html>slow down</html>", RateLimit),
    (503, "", Overloaded),
    (529, "{}", Overloaded),
    (500, "oops", Server),
    (524, "", Timeout),
    (408, r#"{"error":{"message":"x"}}"#, Timeout),
    (413, "", TooLarge),
    (
        413,
        r#"{"error":{"code":"request_too_large","message":"x"}}"#,
        ContextLength,
    ),
    (
        400,
        r#"{"error":{"code":"context_length_exceeded","message":"x"}}"#,
        ContextLength,
    ),
    (
        400,
        r#"{"error":{"message":"This model's maximum context length is 4"}}"#,
        ContextLength,
    ),
    (
        400,
        r#"{"message":"Current length is 9 while limit is 8"}"#,
        ContextLength,
    ),
    (
        400,
        r#"{"error":{"code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
        ContentPolicy,
    ),
    (
        400,
        r#"{"error":{"message":"Content Exists Risk"}}"#,
        ContentPolicy,
    ),
    (
        400,
        r#"{"error":{"code":"data_inspection_failed","message":"x"}}"#,
        ContentPolicy,
    ),
    (
        404,
        r#"{"error":{"code":"DeploymentNotFound","message":"x"}}"#,
        NotFound,
    ),
    (
        400,
        r#"{"code":"x","error":"Model not found: y"}"#,
        NotFound,
    ),
    (
        400,
        r#"{"error":{"code":"tool_use_failed","message":"x"}}"#,
        Server,
    ),
    (
        422,
        r#"{"detail":[{"loc":["body"],"msg":"extra fields"}]}"#,
        BadRequest,
    ),
    (
        400,
        r#"{"object":"error","message":"x","type":"BadRequestError","code":400}"#,
        BadRequest,
    ),
    (400, r#"[{"error":{"message":"x","code":400}}]"#, BadRequest),
    (
        400,
        r#"{"error":{"code":400,"message":"Provider returned error","metadata":{"raw":"{\"message\":\"prompt is too long: 9\"}"}}}"#,
        ContextLength,
    ),
    (
        200,
        r#"{"base_resp":{"status_code":1008,"status_msg":"x"}}"#,
        QuotaBilling,
    ),
    (
        200,
        r#"{"base_resp":{"status_code":1002,"status_msg":"x"}}"#,
        RateLimit,
    ),
    (200, r#"{"error":{"code":429,"message":"x"}}"#, RateLimit),
    (200, r#"{"error":{"code":502,"message":"x"}}"#, Server),
];

#[test]
fn classes_by_code_type_text_and_status() {
    for (status, body, kind) in CLASSES.iter().copied() {
        classifies(status, body, kind);
    }
}

#[test]
fn only_words_about_the_request_are_passed_on() {
    for (status, body, said) in [
        (
            400,
            r#"{"error":{"message":"temperature must be below 2"}}"#,
            "temperature must be below 2",
        ),
        (
            400,
            r#"{"error":{"message":"bad, see org-AbC123"}}"#,
            "the provider refused the request",
        ),
        (
            400,
            r#"{"error":{"message":"key sk-abc"}}"#,
            "the provider refused the request",
        ),
        (
            400,
            r#"{"error":{"message":"bad id 0123456789abcdef0123456789abcdef"}}"#,
            "the provider refused the request",
        ),
        (
            401,
            r#"{"error":{"message":"key sk-1 of org-2"}}"#,
            "the provider refused the credential",
        ),
        (
            429,
            r#"{"error":{"message":"limit 5 for org-2"}}"#,
            "the provider is limiting the rate of requests",
        ),
        (500, "stack trace with secrets", "the provider failed"),
    ] {
        assert_eq!(
            decode_error(status, None, body.as_bytes()).message,
            said,
            "{body}"
        );
    }
    let long = format!(r#"{{"error":{{"message":"{}"}}}}"#, "é ".repeat(400));
    assert!(decode_error(400, None, long.as_bytes()).message.len() <= MESSAGE_BYTES_MAX + 3);
}

#[test]
fn codes_are_kept_where_they_say_something() {
    for (body, code) in [
        (r#"{"error":{"code":"c","type":"t"}}"#, Some("c")),
        (r#"{"error":{"code":400,"type":"t"}}"#, Some("t")),
        (r#"{"error":{"code":1113}}"#, Some("1113")),
        (r#"{"error":{"code":"<b>"}}"#, None),
    ] {
        let failure = decode_error(400, None, body.as_bytes());
        assert_eq!(failure.provider_code.as_deref(), code, "{body}");
    }
}

#[test]
fn retry_hints_come_from_headers_then_text() {
    let body = |hint: &str| format!(r#"{{"error":{{"message":"Please try again in {hint}."}}}}"#);
    for (hint, millis) in [
        ("20s", 20_000),
        ("1m30.5s", 90_500),
        ("450ms", 450),
        ("9h", 3_600_000),
    ] {
        let failure = decode_error(429, None, body(hint).as_bytes());
        assert_eq!(
            failure.retry_after,
            Some(Duration::from_millis(millis)),
            "{hint}"
        );
    }
    let header = Some(Duration::from_secs(2));
    assert_eq!(
        decode_error(429, header, body("20s").as_bytes()).retry_after,
        header
    );
    assert_eq!(
        decode_error(429, None, body("a while").as_bytes()).retry_after,
        None
    );
    assert_eq!(decode_error(400, header, b"{}").retry_after, None);
}
