//! What keys look like, whoever's they are.

use std::ops::Range;

/// How keys begin that say so.
const PREFIXES: [&str; 20] = [
    "sk-", "sk_", "gsk_", "xai-", "AIza", "AQ.", "ya29.", "AKIA", "ASIA", "ABSK", "eyJ", "hf_",
    "r8_", "pplx-", "nvapi-", "csk-", "fw_", "tgp_", "fpk_", "rpa_",
];
/// Characters behind a prefix that make it a key.
const BEHIND_PREFIX_MIN: usize = 6;
/// Keys without a prefix are letters and digits in one run of at least so many.
const BARE_MIN: usize = 32;
/// Characters of what stands behind `Bearer` and is not a word.
const BEARER_MIN: usize = 8;

/// Appends where in a text keys stand.
pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let mut follows_bearer = false;
    let mut from = 0;
    while let Some(start) = text[from..].find(is_of_key).map(|at| from + at) {
        let length = text[start..].find(|letter| !is_of_key(letter));
        let end = length.map_or(text.len(), |length| start + length);
        let token = text[start..end].trim_end_matches(['.', '-']);
        if is_key(token) || (follows_bearer && token.len() >= BEARER_MIN) {
            found.push(start..start + token.len());
        }
        follows_bearer = token.eq_ignore_ascii_case("bearer");
        from = end;
    }
}

/// Stars stand for what a provider has taken out itself.
fn is_of_key(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '*' | '…' | '•')
}

fn is_key(token: &str) -> bool {
    let is_telling = |letter: char| letter.is_ascii_digit() || matches!(letter, '*' | '…' | '•');
    let has_prefix = PREFIXES.iter().any(|prefix| {
        token.strip_prefix(prefix).is_some_and(|behind| {
            behind.chars().count() >= BEHIND_PREFIX_MIN && behind.contains(is_telling)
        })
    });
    let is_bare = || {
        token.len() >= BARE_MIN
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && token.bytes().any(|byte| byte.is_ascii_digit())
            && token.bytes().any(|byte| byte.is_ascii_alphabetic())
    };
    has_prefix || is_bare()
}
