//! What the host's own refusals mean. It names them in a header, or in a frame, more precisely
//! than its statuses do: a wrong signature and a model that was not asked for are both 403.

use http::HeaderMap;
use switchyard_dialects::anthropic_messages;
use switchyard_interchange::failure::Failure;

/// Where an answer names its error.
const ERROR_TYPE: &str = "x-amzn-errortype";

/// The status that says what an answer's error type says, if it has one that is known.
pub(crate) fn telling_status(headers: &HeaderMap) -> Option<u16> {
    let named = headers.get(ERROR_TYPE)?.to_str().ok()?;
    // A colon and an address may follow.
    status_of(named.split(':').next().unwrap_or_default())
}

/// An exception in the midst of an answer, or an error of the stream itself.
pub(super) fn of_exception(kind: &str, payload: &[u8]) -> Failure {
    let status = status_of(kind).unwrap_or(500);
    Failure {
        status: None,
        provider_code: Some(code(kind)),
        ..anthropic_messages::decode_error(status, None, payload)
    }
}

/// Exceptions are named in one case in headers and in another in frames.
fn status_of(kind: &str) -> Option<u16> {
    let name = kind.trim().to_ascii_lowercase();
    Some(match name.strip_suffix("exception").unwrap_or(&name) {
        "validation" => 400,
        "unrecognizedclient"
        | "expiredtoken"
        | "invalidsignature"
        | "incompletesignature"
        | "missingauthenticationtoken"
        | "invalidclienttokenid" => 401,
        "accessdenied" => 403,
        "resourcenotfound" => 404,
        "modeltimeout" => 504,
        "throttling" | "servicequotaexceeded" | "modelnotready" => 429,
        "internalserver" | "internalfailure" | "modelerror" => 500,
        // The model broke off: another try may do better.
        "modelstreamerror" | "serviceunavailable" => 503,
        _ => return None,
    })
}

/// A name as it may be shown.
fn code(kind: &str) -> String {
    let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    kind.chars().filter(is_plain).take(64).collect()
}

#[cfg(test)]
mod tests {
    use switchyard_interchange::failure::FailureKind;

    use super::*;

    #[test]
    fn errors_are_told_by_their_type() {
        for (named, status) in [
            (
                "UnrecognizedClientException:http://internal.example/",
                Some(401),
            ),
            ("InvalidSignatureException", Some(401)),
            ("AccessDeniedException", Some(403)),
            ("ThrottlingException", Some(429)),
            ("ServiceQuotaExceededException", Some(429)),
            ("ModelNotReadyException", Some(429)),
            ("ModelTimeoutException", Some(504)),
            ("ModelErrorException", Some(500)),
            ("ResourceNotFoundException", Some(404)),
            ("ValidationException", Some(400)),
            ("SomethingNewException", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ERROR_TYPE, named.parse().expect("a header"));
            assert_eq!(telling_status(&headers), status, "{named}");
        }
        assert_eq!(telling_status(&HeaderMap::new()), None);
    }

    #[test]
    fn exceptions_in_a_stream_are_sorted() {
        for (kind, payload, expected) in [
            ("throttlingException", "{}", FailureKind::RateLimit),
            ("modelStreamErrorException", "{}", FailureKind::Overloaded),
            ("serviceUnavailableException", "", FailureKind::Overloaded),
            ("modelTimeoutException", "{}", FailureKind::Timeout),
            ("internalServerException", "{}", FailureKind::Server),
            ("unheardOf", "{}", FailureKind::Server),
            (
                "validationException",
                r#"{"message":"Input is too long for requested model."}"#,
                FailureKind::ContextLength,
            ),
            (
                "validationException",
                r#"{"message":"messages.1: tool_use ids must be unique"}"#,
                FailureKind::BadRequest,
            ),
        ] {
            let failure = of_exception(kind, payload.as_bytes());
            assert_eq!((failure.kind, failure.status), (expected, None), "{kind}");
            assert_eq!(failure.provider_code.as_deref(), Some(kind));
        }
        let failure = of_exception("InternalFailure", br#"{"message":"arn:aws:iam::1 failed"}"#);
        assert_eq!(failure.kind, FailureKind::Server);
        assert!(!failure.message.contains("arn"));
        let failure = of_exception("a\r\nb {}", b"");
        assert_eq!(failure.provider_code.as_deref(), Some("ab"));
    }
}
