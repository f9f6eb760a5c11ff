//! Keyed digests that are stored beside what they are of: links of the audit log, and fingerprints
//! that tell whether the same secret is there already. Neither opens anything.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use switchyard_domain::secret::Secret;

/// One version of a key for digests.
pub struct DigestKey {
    version: u32,
    key: Secret<[u8; 32]>,
}

impl DigestKey {
    /// A key under its version.
    pub const fn new(version: u32, key: Secret<[u8; 32]>) -> Self {
        Self { version, key }
    }

    /// HMAC-SHA-256 over parts, each behind its length.
    fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose())
            .expect("HMAC takes a key of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[digest key version {}]", self.version)
    }
}

/// Every version of a key that stored digests may be made with.
#[derive(Debug)]
pub struct DigestKeys {
    current: DigestKey,
    earlier: Vec<DigestKey>,
}

impl DigestKeys {
    /// New digests use `current`; stored ones may still need the `earlier` versions.
    pub const fn new(current: DigestKey, earlier: Vec<DigestKey>) -> Self {
        Self { current, earlier }
    }

    /// The digest of `parts` and the version of the key it was made with.
    pub fn digest(&self, parts: &[&[u8]]) -> ([u8; 32], u32) {
        (self.current.digest(parts), self.current.version)
    }

    /// Whether digests of that version can be checked here at all.
    pub fn knows(&self, version: u32) -> bool {
        self.key(version).is_some()
    }

    /// Whether `digest` is of `parts` under that version; `false` where the version is not known.
    pub fn is_of(&self, parts: &[&[u8]], digest: &[u8], version: u32) -> bool {
        self.key(version)
            .is_some_and(|key| bool::from(key.digest(parts).as_slice().ct_eq(digest)))
    }

    fn key(&self, version: u32) -> Option<&DigestKey> {
        std::iter::once(&self.current)
            .chain(&self.earlier)
            .find(|key| key.version == version)
    }
}

/// Makes and checks digests with whatever versions of the key there are at the moment.
pub trait KeyedDigest: Send + Sync + 'static {
    /// The digest of `parts` and the version of the key it was made with.
    fn digest(&self, parts: &[&[u8]]) -> ([u8; 32], u32);

    /// Whether `digest` is of `parts` under that version; see [`DigestKeys::is_of`].
    fn is_of(&self, parts: &[&[u8]], digest: &[u8], version: u32) -> bool;
}

impl KeyedDigest for DigestKeys {
    fn digest(&self, parts: &[&[u8]]) -> ([u8; 32], u32) {
        self.digest(parts)
    }

    fn is_of(&self, parts: &[&[u8]], digest: &[u8], version: u32) -> bool {
        self.is_of(parts, digest, version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(version: u32) -> DigestKey {
        let byte = u8::try_from(version).expect("a small version");
        DigestKey::new(version, Secret::new([byte; 32]))
    }

    #[test]
    fn a_digest_is_of_its_parts_and_its_key_alone() {
        let keys = DigestKeys::new(key(2), vec![key(1)]);
        let (digest, version) = keys.digest(&[b"ab", b"c"]);
        assert_eq!(version, 2);
        assert!(keys.is_of(&[b"ab", b"c"], &digest, 2));
        for (parts, version) in [
            (&[&b"a"[..], b"bc"][..], 2),
            (&[b"ab", b"c"], 1),
            (&[b"ab", b"c"], 3),
            (&[b"ab"], 2),
        ] {
            assert!(!keys.is_of(parts, &digest, version), "{parts:?} {version}");
        }
        let rotated = DigestKeys::new(key(3), vec![key(2)]);
        assert!(rotated.is_of(&[b"ab", b"c"], &digest, 2));
    }
}
