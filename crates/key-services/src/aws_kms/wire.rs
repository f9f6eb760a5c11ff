//! What KMS is sent and what it answers: JSON in the AWS JSON 1.1 protocol.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use switchyard_vault::KekRef;

use crate::{
    line::{quoted, refusal},
    secret_text::SecretText,
    trouble::{No, Trouble},
    wire::Answer,
};

/// AES-256-GCM, and the only one for symmetric keys.
pub(super) const ALGORITHM: &str = "SYMMETRIC_DEFAULT";

/// What a ciphertext is bound to.
#[derive(Serialize)]
pub(super) struct Context {
    /// Base64, because KMS takes text.
    switchyard: String,
}

impl Context {
    pub(super) fn new(context: &[u8]) -> Self {
        Self {
            switchyard: STANDARD.encode(context),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Encrypt<'a> {
    pub(super) key_id: &'a str,
    pub(super) plaintext: SecretText,
    pub(super) encryption_context: Context,
    pub(super) encryption_algorithm: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Encrypted {
    pub(super) key_id: String,
    pub(super) ciphertext_blob: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Decrypt<'a> {
    pub(super) key_id: &'a str,
    pub(super) ciphertext_blob: String,
    pub(super) encryption_context: Context,
    pub(super) encryption_algorithm: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Decrypted {
    pub(super) key_id: String,
    pub(super) plaintext: SecretText,
}

#[derive(Deserialize)]
struct Problem {
    #[serde(rename = "__type", default)]
    kind: String,
}

/// What a refusal means. Only the error's name is repeated, never its message.
pub(super) fn no(answer: &Answer, asked_for: KekRef) -> No {
    let problem: Option<Problem> = serde_json::from_slice(&answer.body).ok();
    let kind = problem.map(|problem| problem.kind).unwrap_or_default();
    // Some services put a namespace before the name, some a link behind it.
    let kind = kind.rsplit('#').next().unwrap_or_default();
    let kind = kind.split(':').next().unwrap_or_default();
    let status = answer.status.as_u16();
    match kind {
        // The latter: the bytes were made by another key than the one that was named.
        "InvalidCiphertextException" | "IncorrectKeyException" => No::Rejected,
        "NotFoundException" => No::Unknown(asked_for),
        "ThrottlingException"
        | "LimitExceededException"
        | "DependencyTimeoutException"
        | "KeyUnavailableException"
        | "KMSInternalException"
        | "InternalFailure"
        | "ServiceUnavailable" => Trouble::Failing {
            status,
            said: quoted(kind),
        }
        .into(),
        other => refusal(answer.status, other).into(),
    }
}
