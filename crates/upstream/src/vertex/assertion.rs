//! A service account's claim to be itself, signed with its key and traded for an access token.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use switchyard_domain::{clock::Timestamp, secret::Secret};

use crate::credential::{
    InvalidCredential,
    vertex::{ServiceAccount, TOKEN_ADDRESS},
};

/// What a token may be used for. Google has no narrower scope for calling models; what the account
/// may do is decided by its roles.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The form's beginning, which says what it asks for and with what.
const GRANT: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";

/// Room for a form with the longest signature and address that there are.
const FORM_BYTES: usize = 4_096;

/// How long an assertion is good for: as long as Google lets it be.
const LIFETIME_SECONDS: i64 = 3_600;

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'static str,
    aud: &'static str,
    iat: i64,
    exp: i64,
}

/// The form that asks for a token in the name of `account`.
pub(super) fn token_request(
    account: &ServiceAccount,
    now: Timestamp,
) -> Result<Secret<String>, InvalidCredential> {
    let header = Header {
        alg: "RS256",
        typ: "JWT",
        kid: account.key_id.as_deref(),
    };
    let claims = Claims {
        iss: &account.email,
        scope: SCOPE,
        aud: TOKEN_ADDRESS,
        iat: now.seconds(),
        exp: now.seconds() + LIFETIME_SECONDS,
    };
    // The letters of the assertion mean themselves in a form.
    // It never outgrows its buffer, so that no part of it stays behind elsewhere.
    let mut form = String::with_capacity(FORM_BYTES);
    form.push_str(GRANT);
    let assertion_at = form.len();
    append(&header, &mut form);
    form.push('.');
    append(&claims, &mut form);
    let signature = account.sign(&form.as_bytes()[assertion_at..])?;
    form.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut form);
    Ok(Secret::new(form))
}

fn append(part: &impl Serialize, text: &mut String) {
    let json = serde_json::to_vec(part).expect("writing texts and numbers to memory succeeds");
    URL_SAFE_NO_PAD.encode_string(json, text);
}
