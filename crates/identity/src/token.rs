//! Opaque tokens: what a session's cookie and the links in mails carry.
//!
//! A token has 256 random bits and says nothing. Only its hash is stored, so whoever reads the database
//! holds no token. A plain hash does: nobody can guess 256 bits, however fast they hash.

use sha2::{Digest as _, Sha256};
use switchyard_domain::secret::Secret;

use crate::text::to_hex;

/// Letters of a token: 256 bits in hexadecimal.
pub const TOKEN_CHARS: usize = 64;

/// What is stored of a token, and found by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The stored bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What a presented token would be stored as; `None` for what has not the shape of one.
    pub fn of(presented: &str) -> Option<Self> {
        let well_formed = presented.len() == TOKEN_CHARS
            && presented
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        well_formed.then(|| Self(Sha256::digest(presented.as_bytes()).into()))
    }
}

/// A new token and what to store of it. `entropy` must be random.
pub fn mint(entropy: &Secret<[u8; 32]>) -> (Secret<String>, TokenHash) {
    let token = to_hex(entropy.expose());
    let hash = TokenHash(Sha256::digest(token.as_bytes()).into());
    (Secret::new(token), hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_hash_only() {
        let (token, hash) = mint(&Secret::new([7; 32]));
        assert_eq!(token.expose().len(), TOKEN_CHARS);
        assert_eq!(TokenHash::of(token.expose()), Some(hash));
        let (_, other) = mint(&Secret::new([8; 32]));
        assert_ne!(hash, other);
        assert!(!format!("{token:?} {hash:?}").contains(token.expose()));
    }

    #[test]
    fn what_has_not_the_shape_of_a_token_is_not_hashed() {
        let (token, _) = mint(&Secret::new([7; 32]));
        for presented in [
            "",
            "0",
            &token.expose()[1..],
            &token.expose().to_uppercase().replace('0', "A"),
            &format!("{}0", token.expose()),
            &"é".repeat(32),
        ] {
            assert_eq!(TokenHash::of(presented), None, "{presented:?}");
        }
    }
}
