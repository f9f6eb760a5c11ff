//! Opaque keys, and what is pasted in their place.

use switchyard_domain::provider::ProviderSlug;

use super::InvalidCredential;

/// Characters of a key.
const KEY_CHARS_MIN: usize = 8;
const KEY_CHARS_MAX: usize = 4_096;

/// How the keys of this service begin.
const OUR_PREFIX: &[u8] = b"sk-sy-";

/// Keys that say whose they are: how they begin, the provider's name, and how the catalogue's names of
/// that provider begin.
const TELLING_PREFIXES: [(&[u8], &str, &str); 5] = [
    (b"sk-ant-", "Anthropic", "anthropic"),
    (b"sk-or-", "OpenRouter", "openrouter"),
    (b"AIza", "Google", "google"),
    (b"gsk_", "Groq", "groq"),
    (b"xai-", "xAI", "xai"),
];

/// A plain key of `provider`.
pub(super) fn check<'k>(
    provider: &ProviderSlug,
    key: &'k [u8],
) -> Result<&'k str, InvalidCredential> {
    let key = check_shape(key)?;
    if key.as_bytes().starts_with(b"{") || key.as_bytes().starts_with(b"[") {
        return Err(InvalidCredential::whole(
            "this provider takes a plain key, and this is JSON: paste the key alone",
        ));
    }
    let owner = TELLING_PREFIXES
        .iter()
        .find(|(prefix, _, slug)| {
            key.as_bytes().starts_with(prefix) && !provider.as_str().starts_with(slug)
        })
        .map(|(_, owner, _)| owner);
    match owner {
        Some(owner) => Err(InvalidCredential::whole(format!(
            "this is a key of {owner}, and it is to be stored for `{provider}`: store it for the \
             provider that issued it"
        ))),
        None => Ok(key),
    }
}

/// A key, whoever's it is.
pub(super) fn check_shape(key: &[u8]) -> Result<&str, InvalidCredential> {
    let invalid = |message: &str| Err(InvalidCredential::whole(message));
    if key.is_empty() {
        return invalid("is empty: paste the key");
    }
    let begins = |word: &str| {
        key.get(..word.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(word.as_bytes()))
    };
    if begins("bearer ") || begins("basic ") {
        return invalid("has the scheme of a header before it: leave out `Bearer` and the space");
    }
    if ["authorization:", "x-api-key:", "api-key:"]
        .into_iter()
        .any(begins)
    {
        return invalid("is a whole header: paste what stands behind the colon");
    }
    if matches!(key.first(), Some(b'"' | b'\'' | b'`')) {
        return invalid("is in quotes: leave them out");
    }
    if is_assignment(key) {
        return invalid("is an assignment: paste only what stands behind the `=`");
    }
    if key.starts_with(OUR_PREFIX) {
        return invalid("is a key of this service: paste the key that the provider issued");
    }
    let is_json = matches!(key.first(), Some(b'{' | b'['));
    if !is_json && key.iter().any(u8::is_ascii_whitespace) {
        return invalid(
            "has whitespace inside it: paste the key in one piece (around it, whitespace and line \
             ends do no harm)",
        );
    }
    if !is_json && !key.iter().all(u8::is_ascii_graphic) {
        return invalid(
            "has characters that no key has: copy it again from the provider, and not from a \
             document that changes quotes and dashes",
        );
    }
    if !(KEY_CHARS_MIN..=KEY_CHARS_MAX).contains(&key.len()) {
        return Err(InvalidCredential::whole(format!(
            "has {} characters, and keys have {KEY_CHARS_MIN} to {KEY_CHARS_MAX}: paste all of it, \
             and nothing else",
            key.len()
        )));
    }
    std::str::from_utf8(key).map_err(|_| InvalidCredential::whole("is not text: paste the key"))
}

/// Whether it reads `NAME=value`, as in a shell or an environment file. A key may itself end in `=`.
fn is_assignment(key: &[u8]) -> bool {
    let key = key.strip_prefix(b"export ").unwrap_or(key);
    let Some(at) = key.iter().position(|byte| *byte == b'=') else {
        return false;
    };
    let (name, value) = (&key[..at], &key[at + 1..]);
    let is_name = name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.contains(&b'_')
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let is_short_name = [b"key".as_slice(), b"token", b"apikey"]
        .into_iter()
        .any(|known| name.eq_ignore_ascii_case(known));
    (is_name || is_short_name) && value.iter().any(|byte| *byte != b'=')
}
