//! What the transit engine is sent and what it answers.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use switchyard_vault::KekRef;

use crate::{line::refusal, secret_text::SecretText, trouble::No, wire::Answer};

#[derive(Serialize)]
pub(super) struct Encrypt {
    pub(super) plaintext: SecretText,
    pub(super) associated_data: String,
}

#[derive(Serialize)]
pub(super) struct Decrypt<'a> {
    pub(super) ciphertext: &'a str,
    pub(super) associated_data: String,
}

/// Every answer has its substance in `data`.
#[derive(Deserialize)]
pub(super) struct Answered<T> {
    pub(super) data: T,
}

#[derive(Deserialize)]
pub(super) struct Encrypted {
    pub(super) ciphertext: String,
}

#[derive(Deserialize)]
pub(super) struct Plain {
    pub(super) plaintext: SecretText,
}

#[derive(Deserialize)]
pub(super) struct KeyFacts {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) latest_version: u32,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    errors: Vec<String>,
}

/// The version that a ciphertext names in its prefix, such as 3 in `vault:v3:…`.
pub(super) fn version_of(ciphertext: &str) -> Option<u32> {
    let (digits, rest) = ciphertext.strip_prefix("vault:v")?.split_once(':')?;
    let version: u32 = digits.parse().ok()?;
    // One spelling per version.
    (version > 0 && version.to_string() == digits && !rest.is_empty()).then_some(version)
}

/// What a refusal means: of a decryption under `asked_for`, or of something else.
pub(super) fn no(answer: &Answer, asked_for: Option<KekRef>, token: Option<&str>) -> No {
    let problem: Option<Problem> = serde_json::from_slice(&answer.body).ok();
    let said = problem.map(|problem| problem.errors.join(" "));
    let mut said = said.unwrap_or_default();
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        said = said.replace(token, "[redacted]");
    }
    if let Some(asked_for) = asked_for
        && answer.status == StatusCode::BAD_REQUEST
    {
        let says = |part: &str| said.contains(part);
        // Retired by the key's policy, not there yet on this replica, or gone with the key.
        if says("(too old)") || says("too new") || says("key not found") {
            return No::Unknown(asked_for);
        }
        if says("invalid ciphertext") || says("message authentication failed") {
            return No::Rejected;
        }
    }
    refusal(answer.status, &said).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphertexts_name_their_version() {
        for (text, version) in [
            ("vault:v1:abc", Some(1)),
            ("vault:v42:abc", Some(42)),
            ("vault:v0:abc", None),
            ("vault:v01:abc", None),
            ("vault:v+1:abc", None),
            ("vault:v99999999999:abc", None),
            ("vault:v1:", None),
            ("vault:v1", None),
            ("vault:v:abc", None),
            ("v1:abc", None),
            ("", None),
        ] {
            assert_eq!(version_of(text), version, "{text}");
        }
    }
}
