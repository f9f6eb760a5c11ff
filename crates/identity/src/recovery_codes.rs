//! Recovery codes: ten of them, each good for one sign-in when the authenticator is gone.
//!
//! A code has 80 random bits, so what is stored needs no slow hash: nobody tries 2^80 of them.

use sha2::{Digest as _, Sha256};
use switchyard_domain::{id::PersonId, secret::Secret};

use crate::text::{is_spoken, to_spoken};

/// Codes in a set.
pub const RECOVERY_CODES: usize = 10;
/// Random bytes a set is made of.
pub const ENTROPY_BYTES: usize = RECOVERY_CODES * CODE_CHARS;

/// Letters of a code, five bits each.
const CODE_CHARS: usize = 16;
const GROUP_CHARS: usize = 4;

/// What is stored of a code. The person is part of it, so equal codes of two people differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecoveryCodeHash([u8; 32]);

impl RecoveryCodeHash {
    /// The stored bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What a presented code would be stored as; `None` for what has not the shape of one. Case,
    /// spaces and hyphens are how somebody wrote it down and do not count.
    pub fn of(person: PersonId, presented: &str) -> Option<Self> {
        let letters: Secret<String> = Secret::new(
            presented
                .chars()
                .filter(|letter| !letter.is_whitespace() && *letter != '-')
                .take(CODE_CHARS + 1)
                .map(|letter| letter.to_ascii_lowercase())
                .collect(),
        );
        let text = letters.expose();
        (text.chars().count() == CODE_CHARS && text.chars().all(is_spoken))
            .then(|| Self::of_letters(person, text))
    }

    fn of_letters(person: PersonId, letters: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"recovery code");
        hasher.update(person.as_uuid().as_bytes());
        hasher.update(letters.as_bytes());
        Self(hasher.finalize().into())
    }
}

/// A code as its owner sees it once, and what to store of it.
#[derive(Debug)]
pub struct RecoveryCode {
    /// Four groups of four letters.
    pub shown: Secret<String>,
    /// What to store.
    pub hash: RecoveryCodeHash,
}

/// A new set. `entropy` must be random.
pub fn mint(person: PersonId, entropy: &Secret<[u8; ENTROPY_BYTES]>) -> Vec<RecoveryCode> {
    entropy
        .expose()
        .chunks_exact(CODE_CHARS)
        .map(|bytes| {
            let letters = Secret::new(to_spoken(bytes).collect::<String>());
            let mut shown = String::with_capacity(CODE_CHARS + CODE_CHARS / GROUP_CHARS);
            for (place, letter) in letters.expose().chars().enumerate() {
                if place > 0 && place % GROUP_CHARS == 0 {
                    shown.push('-');
                }
                shown.push(letter);
            }
            RecoveryCode {
                shown: Secret::new(shown),
                hash: RecoveryCodeHash::of_letters(person, letters.expose()),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(number: u128) -> PersonId {
        format!("user_{number:032x}").parse().unwrap()
    }

    fn entropy() -> Secret<[u8; ENTROPY_BYTES]> {
        let mut bytes = [0; ENTROPY_BYTES];
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::try_from(place * 37 % 251).unwrap();
        }
        Secret::new(bytes)
    }

    #[test]
    fn codes_are_found_however_they_are_written() {
        let codes = mint(person(1), &entropy());
        assert_eq!(codes.len(), RECOVERY_CODES);
        for code in &codes {
            let shown = code.shown.expose();
            assert_eq!(shown.len(), 19, "{shown}");
            for written in [
                shown.clone(),
                shown.to_uppercase(),
                shown.replace('-', ""),
                format!("  {} ", shown.replace('-', " ")),
            ] {
                assert_eq!(
                    RecoveryCodeHash::of(person(1), &written),
                    Some(code.hash),
                    "{written}"
                );
            }
            let others = codes.iter().filter(|other| other.hash == code.hash);
            assert_eq!(others.count(), 1);
        }
    }

    #[test]
    fn a_code_is_its_persons() {
        let code = &mint(person(1), &entropy())[0];
        assert_ne!(
            RecoveryCodeHash::of(person(2), code.shown.expose()),
            Some(code.hash)
        );
    }

    #[test]
    fn what_has_not_the_shape_of_a_code_is_not_hashed() {
        for presented in ["", "123456", "aaaa-aaaa-aaaa-aaa", "llll-llll-llll-llll"] {
            assert_eq!(
                RecoveryCodeHash::of(person(1), presented),
                None,
                "{presented}"
            );
        }
        assert_eq!(RecoveryCodeHash::of(person(1), &"a".repeat(100_000)), None);
    }
}
