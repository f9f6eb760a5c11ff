//! What a program asks for, and what of it is refused before anybody is asked.

use std::net::{Ipv4Addr, Ipv6Addr};

use switchyard_domain::{
    clock::{ResetInterval, Timestamp},
    id::{AccountId, PersonId, WorkspaceId},
    money::UsdNanos,
    tenancy::KeyLimit,
};
use url::{Host, Url};

use super::{Challenge, ChallengeMethod, OAuthGrant};

/// Characters of the name of a key.
const LABEL_CHARS_MAX: usize = 100;
/// Characters of a callback.
const CALLBACK_CHARS_MAX: usize = 2_000;

/// Something is wrong with what a program asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {message}")]
pub struct GrantRequestError {
    pub field: &'static str,
    /// Reads on after the field's name.
    pub message: &'static str,
}

const fn wrong(field: &'static str, message: &'static str) -> GrantRequestError {
    GrantRequestError { field, message }
}

/// Where a code is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback(Url);

impl Callback {
    /// An `https` address, or a plain one on the person's own machine.
    pub fn parse(text: &str) -> Result<Self, GrantRequestError> {
        const FIELD: &str = "callback_url";
        if text.len() > CALLBACK_CHARS_MAX {
            return Err(wrong(FIELD, "is too long"));
        }
        let url = Url::parse(text).map_err(|_| wrong(FIELD, "is not an address"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(FIELD, "must not have a name or password in it"));
        }
        if url.fragment().is_some() {
            return Err(wrong(FIELD, "must not have a fragment"));
        }
        let callback = Self(url);
        match callback.0.scheme() {
            "https" => Ok(callback),
            "http" if callback.is_loopback() => Ok(callback),
            _ => Err(wrong(
                FIELD,
                "must begin with https://, or with http:// on localhost or 127.0.0.1",
            )),
        }
    }

    fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address == Ipv4Addr::LOCALHOST,
            Some(Host::Ipv6(address)) => address == Ipv6Addr::LOCALHOST,
            None => false,
        }
    }

    /// What the person is told: the host as it is dialled, so that no letter can look like another.
    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        match self.0.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it is the same address; on this machine the port does not matter, since programs there
    /// take what is free.
    pub fn is_same(&self, other: &Self) -> bool {
        if self.0 == other.0 {
            return true;
        }
        let without_port = |callback: &Self| {
            let mut url = callback.0.clone();
            url.set_port(None).ok().map(|()| url)
        };
        self.is_loopback()
            && self.0.scheme() == "http"
            && without_port(self).is_some_and(|url| Some(url) == without_port(other))
    }

    /// The address with more in its query; what is there stays.
    pub fn with(&self, pairs: &[(&str, &str)]) -> String {
        let mut url = self.0.clone();
        url.query_pairs_mut().extend_pairs(pairs);
        url.into()
    }
}

/// What a program asks for.
#[derive(Debug, Clone, Default)]
pub struct GrantRequest {
    /// Where the code shall be sent; `None` to have it shown.
    pub callback_url: Option<String>,
    pub code_challenge: Option<String>,
    pub code_challenge_method: Option<String>,
    /// What the key shall be called.
    pub key_label: Option<String>,
    pub limit: Option<UsdNanos>,
    pub reset: Option<ResetInterval>,
    pub expires_at: Option<Timestamp>,
}

impl GrantRequest {
    /// What is agreed to, if somebody agrees to this.
    pub fn checked(
        self,
        (account_id, workspace_id): (AccountId, WorkspaceId),
        person_id: Option<PersonId>,
        allow_plain: bool,
        now: Timestamp,
    ) -> Result<OAuthGrant, GrantRequestError> {
        let callback = self.callback_url.as_deref().map(Callback::parse);
        let callback = callback.transpose()?;
        let challenge = self.challenge(callback.is_none(), allow_plain)?;
        let limit = match (self.limit, self.reset) {
            (Some(limit), _) if !limit.is_positive() => {
                return Err(wrong("limit", "must be more than 0"));
            }
            (None, Some(_)) => {
                return Err(wrong("limit", "is missing: there is nothing to be reset"));
            }
            (limit, reset) => limit.map(|limit| KeyLimit {
                limit,
                reset,
                include_byok: false,
            }),
        };
        if self.expires_at.is_some_and(|end| end <= now) {
            return Err(wrong("expires_at", "must lie in the future"));
        }
        Ok(OAuthGrant {
            account_id,
            workspace_id,
            person_id,
            key_name: key_name(self.key_label.as_deref(), callback.as_ref())?,
            callback_url: callback.map(|callback| callback.as_str().to_owned()),
            challenge,
            limit,
            key_expires_at: self.expires_at,
        })
    }

    fn challenge(
        &self,
        is_shown: bool,
        allow_plain: bool,
    ) -> Result<Option<Challenge>, GrantRequestError> {
        const FIELD: &str = "code_challenge";
        let method = match self.code_challenge_method.as_deref() {
            None => ChallengeMethod::S256,
            Some(name) => ChallengeMethod::from_name(name)
                .ok_or(wrong("code_challenge_method", "must be S256"))?,
        };
        let Some(text) = self.code_challenge.clone() else {
            return match (is_shown, allow_plain) {
                (true, _) => Err(wrong(FIELD, "is missing: a code that is shown needs one")),
                (false, true) => Ok(None),
                (false, false) => Err(wrong(FIELD, "is missing: send one with method S256")),
            };
        };
        let is_well_formed = match method {
            ChallengeMethod::S256 => text.len() == 43 && text.bytes().all(is_base64url),
            ChallengeMethod::Plain if allow_plain => is_verifier(&text),
            ChallengeMethod::Plain => {
                return Err(wrong("code_challenge_method", "must be S256"));
            }
        };
        if is_well_formed {
            return Ok(Some(Challenge { method, text }));
        }
        Err(wrong(
            FIELD,
            "must be the verifier's SHA-256 in base64url without padding: 43 characters",
        ))
    }
}

fn key_name(label: Option<&str>, callback: Option<&Callback>) -> Result<String, GrantRequestError> {
    let label = label.map(str::trim).filter(|label| !label.is_empty());
    let name = match (label, callback) {
        (Some(label), _) => label.to_owned(),
        (None, Some(callback)) => callback.host().chars().take(LABEL_CHARS_MAX).collect(),
        (None, None) => "Program".to_owned(),
    };
    if name.chars().count() > LABEL_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(wrong(
            "key_label",
            "must have at most 100 characters on one line",
        ));
    }
    Ok(name)
}

const fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// 43 to 128 unreserved characters.
pub(super) fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| is_base64url(byte) || matches!(byte, b'.' | b'~'))
}
