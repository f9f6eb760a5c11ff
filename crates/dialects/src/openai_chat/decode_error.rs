//! A provider's error, whatever its shape, becomes a class and a text that may be shown.

mod classify;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, time::Duration};

use serde_json::value::RawValue;
use switchyard_interchange::failure::{Failure, FailureKind};

use self::classify::classify;
use super::wire_response::{Count, Soft, is_error};
use crate::json::wire_object;

/// Bytes of a provider's message that are passed on.
const MESSAGE_BYTES_MAX: usize = 300;
/// Characters of a provider's error code that are passed on.
const CODE_CHARS_MAX: usize = 64;
/// The longest wait that a message's text may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);

wire_object! {
    /// An error body: the object in `error`, or the same fields at the top.
    lenient struct WireError<'a> {
        "error" => error: &'a RawValue,
        "message" => message: &'a RawValue,
        "detail" => detail: &'a RawValue,
        "code" => code: &'a RawValue,
        "type" => kind: Soft<'a>,
        "status_code" => status_code: Count,
        "raw_status_code" => raw_status_code: Count,
        "metadata" => metadata: WireErrorMetadata<'a>,
        "innererror" => inner: WireInnerError<'a>,
        "base_resp" => base_resp: WireBaseResponse<'a>,
    }
}

wire_object! {
    /// What a router says about the provider behind it.
    lenient struct WireErrorMetadata<'a> {
        "raw" => raw: Soft<'a>,
        "error_type" => error_type: Soft<'a>,
    }
}

wire_object! {
    /// Azure's second opinion.
    lenient struct WireInnerError<'a> {
        "code" => code: Soft<'a>,
    }
}

wire_object! {
    /// MiniMax's status, zero when all is well.
    lenient struct WireBaseResponse<'a> {
        "status_code" => status_code: Count,
        "status_msg" => status_msg: Soft<'a>,
    }
}

/// What an error body said.
#[derive(Default)]
struct Said {
    message: String,
    /// Code and type, as written.
    code: Option<String>,
    kind: Option<String>,
    inner_code: Option<String>,
    /// The HTTP status that the body names.
    status: Option<u16>,
    /// What a provider behind the provider said; only read to classify.
    raw: String,
}

impl Said {
    /// The code, unless it only repeats an HTTP status.
    fn telling_code(&self) -> Option<&str> {
        let repeats_status = |code: &&str| {
            code.parse::<u16>()
                .is_ok_and(|code| (400..600).contains(&code))
        };
        let code = self.code.as_deref();
        code.filter(|code| !repeats_status(code))
            .or(self.kind.as_deref())
            .or(code)
    }
}

/// Classifies an error answer. `headers_retry` is what the response headers asked for; it wins
/// over hints in the text.
pub fn decode_error(status: u16, headers_retry: Option<Duration>, body: &[u8]) -> Failure {
    let said = read_body(body).unwrap_or_default();
    failure_of(Some(status), headers_retry, &said)
}

/// Classifies an error that came inside a successful answer. `None` where there is none.
pub(super) fn decode_inner_error(body: &[u8]) -> Option<Failure> {
    let said = read_body(body)?;
    Some(failure_of(said.status, None, &said))
}

fn failure_of(status: Option<u16>, headers_retry: Option<Duration>, said: &Said) -> Failure {
    // An error in a 200 answer, or behind a router's own 4xx/5xx, names its status itself.
    let telling = status.filter(|status| *status >= 400).or(said.status);
    let kind = classify(telling, said);
    let retry_after = headers_retry
        .or_else(|| retry_hint(&said.message))
        .map(|wait| wait.min(RETRY_AFTER_MAX))
        .filter(|_| {
            matches!(
                kind,
                FailureKind::RateLimit | FailureKind::Overloaded | FailureKind::Server
            )
        });
    Failure {
        kind,
        status: telling.or(status),
        message: public_message(kind, &said.message).into_owned(),
        provider_code: said.telling_code().and_then(public_code),
        retry_after,
    }
}

fn read_body(body: &[u8]) -> Option<Said> {
    let body = body.trim_ascii();
    // A stream that was asked for may wrap its error in a list.
    let body = match (body.first(), body.last()) {
        (Some(b'['), Some(b']')) => body[1..body.len() - 1].trim_ascii(),
        _ => body,
    };
    if let Ok(wire) = serde_json::from_slice::<WireError<'_>>(body) {
        return read_error(&wire);
    }
    if let Ok(Soft(Some(text))) = serde_json::from_slice::<Soft<'_>>(body) {
        return Some(Said {
            message: text.into_owned(),
            ..Said::default()
        });
    }
    // HTML and plain text of proxies: the status has to do.
    None
}

fn read_error(wire: &WireError<'_>) -> Option<Said> {
    if let Some(base) = &wire.base_resp
        && let Some(code) = base
            .status_code
            .and_then(|code| code.0)
            .filter(|code| *code != 0)
    {
        return Some(Said {
            message: base
                .status_msg
                .as_ref()
                .and_then(Soft::filled)
                .unwrap_or_default()
                .to_owned(),
            code: Some(code.to_string()),
            ..Said::default()
        });
    }
    let Some(error) = is_error(wire.error) else {
        return read_flat(wire);
    };
    if error.get().starts_with('{') {
        let inner: WireError<'_> = serde_json::from_str(error.get()).ok()?;
        let mut said = read_flat(&inner).unwrap_or_default();
        if said.code.is_none() {
            said.code = wire.code.and_then(scalar);
        }
        return Some(said);
    }
    // `{"code": …, "error": "text"}`
    Some(Said {
        message: scalar(error).unwrap_or_default(),
        code: wire.code.and_then(scalar),
        status: status_in(wire),
        ..Said::default()
    })
}

/// The fields at one level. `None` where nothing there reports an error.
fn read_flat(wire: &WireError<'_>) -> Option<Said> {
    let message = wire.message.or(wire.detail).map(|message| {
        scalar(message).unwrap_or_else(|| first_message(message).unwrap_or_default())
    });
    let code = wire.code.and_then(scalar);
    if message.is_none() && code.is_none() && wire.kind.is_none() {
        return None;
    }
    let metadata = wire.metadata.as_ref();
    let filled = |text: Option<&str>| text.map(str::to_owned);
    Some(Said {
        message: message.unwrap_or_default(),
        code,
        kind: filled(wire.kind.as_ref().and_then(Soft::filled)).or_else(|| {
            filled(
                metadata
                    .and_then(|m| m.error_type.as_ref())
                    .and_then(Soft::filled),
            )
        }),
        inner_code: filled(
            wire.inner
                .as_ref()
                .and_then(|i| i.code.as_ref())
                .and_then(Soft::filled),
        ),
        status: status_in(wire),
        raw: filled(metadata.and_then(|m| m.raw.as_ref()).and_then(Soft::filled))
            .unwrap_or_default(),
    })
}

/// The HTTP status a body names, as a number of its own or as its code.
fn status_in(wire: &WireError<'_>) -> Option<u16> {
    let code = wire
        .code
        .and_then(scalar)
        .and_then(|code| code.parse::<u64>().ok());
    [
        wire.status_code.and_then(|c| c.0),
        wire.raw_status_code.and_then(|c| c.0),
        code,
    ]
    .into_iter()
    .flatten()
    .find_map(|status| {
        u16::try_from(status)
            .ok()
            .filter(|status| (400..600).contains(status))
    })
}

/// A string or a number as text.
fn scalar(value: &RawValue) -> Option<String> {
    let raw = value.get();
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<Soft<'_>>(raw)
            .ok()?
            .0
            .map(Cow::into_owned),
        Some(b'-' | b'0'..=b'9') => Some(raw.to_owned()),
        _ => None,
    }
}

/// `detail: [{loc, msg}]`, as validators of Python servers write it.
fn first_message(value: &RawValue) -> Option<String> {
    wire_object! {
        lenient struct WireDetail<'a> {
            "msg" => msg: Soft<'a>,
            "message" => message: Soft<'a>,
        }
    }
    let details: Vec<WireDetail<'_>> = serde_json::from_str(value.get()).ok()?;
    let first = details.into_iter().next()?;
    first.msg.or(first.message)?.0.map(Cow::into_owned)
}

/// Passes the provider's words on where they are about the request; where they are about our
/// account with the provider, or look it, says it in ours.
fn public_message(kind: FailureKind, message: &str) -> Cow<'_, str> {
    let generic = match kind {
        FailureKind::Auth => "the provider refused the credential",
        FailureKind::Permission => "the provider does not permit this with the credential used",
        FailureKind::QuotaBilling => "the provider account is out of quota or credits",
        FailureKind::RateLimit => "the provider is limiting the rate of requests",
        FailureKind::Overloaded => "the provider is overloaded",
        FailureKind::Timeout => "the provider timed out",
        FailureKind::NotFound => "the provider does not know the model",
        FailureKind::ContextLength => "the request is longer than the model's context",
        FailureKind::ContentPolicy => "the provider refused the content",
        FailureKind::TooLarge => "the request is too large for the provider",
        FailureKind::BadRequest | FailureKind::Unsupported => "the provider refused the request",
        FailureKind::Server | FailureKind::Connect | FailureKind::EgressBlocked => {
            "the provider failed"
        }
        FailureKind::Protocol => "the provider's answer broke off or made no sense",
        FailureKind::Cancelled => "the request was cancelled",
    };
    let about_request = matches!(
        kind,
        FailureKind::BadRequest
            | FailureKind::Unsupported
            | FailureKind::ContextLength
            | FailureKind::ContentPolicy
            | FailureKind::TooLarge
    );
    let message = message.trim();
    if !about_request || message.is_empty() || names_an_account(message) {
        return Cow::Borrowed(generic);
    }
    if message.len() <= MESSAGE_BYTES_MAX {
        return Cow::Borrowed(message);
    }
    let end = message.floor_char_boundary(MESSAGE_BYTES_MAX);
    Cow::Owned(format!("{}…", &message[..end]))
}

/// Whether a text may hold an account id, an address, or a piece of a credential.
fn names_an_account(message: &str) -> bool {
    let lower = message.to_ascii_lowercase();
    let marks = [
        "org-",
        "org_",
        "organization",
        "user-",
        "user_",
        "proj_",
        "project",
        "account",
        "acct",
        "tenant",
        "workspace",
        "sk-",
        "api key",
        "api-key",
        "apikey",
        "api_key",
        "bearer ",
        "@",
        "://",
    ];
    let looks_random = |word: &str| {
        word.len() >= 24
            && word.bytes().any(|byte| byte.is_ascii_digit())
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    marks.iter().any(|mark| lower.contains(mark)) || lower.split_whitespace().any(looks_random)
}

fn public_code(code: &str) -> Option<String> {
    let plain = code
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-. ".contains(&byte));
    (plain && !code.is_empty() && code.len() <= CODE_CHARS_MAX).then(|| code.to_owned())
}

/// The wait in texts such as `Please try again in 1m30.5s`.
fn retry_hint(message: &str) -> Option<Duration> {
    let (_, rest) = message.split_once("try again in ")?;
    let mut wait = Duration::ZERO;
    let mut rest = rest;
    loop {
        let digits = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
            .count();
        let Ok(amount) = rest[..digits].parse::<f64>() else {
            break;
        };
        let (unit, scale) = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3_600.0)]
            .into_iter()
            .find(|(unit, _)| rest[digits..].starts_with(unit))?;
        wait += Duration::try_from_secs_f64(amount * scale)
            .ok()?
            .min(RETRY_AFTER_MAX);
        rest = &rest[digits + unit.len()..];
    }
    Some(wait).filter(|wait| !wait.is_zero())
}
