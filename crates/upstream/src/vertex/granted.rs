//! What the token service answers.

use std::{borrow::Cow, time::Duration};

use http::StatusCode;
use serde::Deserialize;
use switchyard_domain::secret::Secret;
use switchyard_interchange::failure::{Failure, FailureKind};

/// A token, and how long it is good for.
pub(super) struct Granted {
    pub(super) token: Secret<String>,
    pub(super) life: Duration,
}

#[derive(Deserialize)]
struct Form<'a> {
    #[serde(borrow)]
    access_token: Cow<'a, str>,
    expires_in: u64,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Granted {
    /// Reads an answer.
    pub(super) fn read(status: StatusCode, body: &[u8]) -> Result<Self, Failure> {
        if status != StatusCode::OK {
            return Err(refused(status, body));
        }
        let unreadable = || {
            Failure::new(
                FailureKind::Protocol,
                "the provider's token service gave an answer that is none",
            )
        };
        let form: Form<'_> = serde_json::from_slice(body).map_err(|_| unreadable())?;
        let token = Secret::new(form.access_token.into_owned());
        if token.expose().is_empty() || !token.expose().bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(unreadable());
        }
        Ok(Self {
            token,
            life: Duration::from_secs(form.expires_in),
        })
    }
}

fn refused(status: StatusCode, body: &[u8]) -> Failure {
    let (kind, message) = match status.as_u16() {
        // It says so of keys that were deleted, of accounts that were, and of clocks that go wrong.
        400 | 401 => (
            FailureKind::Auth,
            "the provider's token service refused the service account's key",
        ),
        403 => (
            FailureKind::Permission,
            "the provider's token service refused the service account",
        ),
        429 => (
            FailureKind::RateLimit,
            "the provider's token service is limiting requests",
        ),
        500..=599 => (FailureKind::Server, "the provider's token service failed"),
        _ => (
            FailureKind::Protocol,
            "the provider's token service gave an answer that is none",
        ),
    };
    let refusal: Option<Refusal> = serde_json::from_slice(body).ok();
    let code = refusal.map(|refusal| refusal.error).filter(|code| {
        code.len() <= 64
            && code
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    });
    Failure {
        status: Some(status.as_u16()),
        provider_code: code,
        ..Failure::new(kind, message)
    }
}
