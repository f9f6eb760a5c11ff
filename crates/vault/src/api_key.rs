//! API keys: how one is made, recognised and verified.
//!
//! A key reads `sk-sy-v1-` + 64 hexadecimal digits (256 random bits) + 8 more (CRC-32 of all
//! before them). The checksum lets scanners, and us, tell a key from a lookalike without asking
//! anyone. Inference and management keys look alike: what a key may do is a fact about its row,
//! so it cannot be argued with by editing the key.
//!
//! A key is found by its *lookup id*, verified by a MAC under a [`Pepper`], and shown to people
//! and APIs by its *public hash*. Someone who can write to the database still cannot mint a key,
//! and someone who can read it learns none.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use switchyard_domain::secret::Secret;
use zeroize::Zeroize as _;

use crate::random::{Random, RandomUnavailable};

/// What every key starts with.
pub const PREFIX: &str = "sk-sy-v1-";
/// How long every key is.
pub const KEY_CHARS: usize = PREFIX.len() + SECRET_CHARS + CHECK_CHARS;

const SECRET_BYTES: usize = 32;
const SECRET_CHARS: usize = 2 * SECRET_BYTES;
const CHECK_CHARS: usize = 8;
const LOOKUP_ID_CHARS: usize = 32;

/// The text is no API key of ours. Says nothing about why: there is one answer to all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an API key")]
pub struct Malformed;

/// Recognises a key by its shape and checksum, before anything is looked up.
pub fn parse_key(text: &str) -> Result<PresentedKey<'_>, Malformed> {
    if text.len() != KEY_CHARS {
        return Err(Malformed);
    }
    let digits = text.strip_prefix(PREFIX).ok_or(Malformed)?;
    if !digits
        .bytes()
        .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    {
        return Err(Malformed);
    }
    let (body, check) = text.split_at(KEY_CHARS - CHECK_CHARS);
    let given = u32::from_str_radix(check, 16).map_err(|_| Malformed)?;
    if given != crc32fast::hash(body.as_bytes()) {
        return Err(Malformed);
    }
    Ok(PresentedKey::digested(text))
}

/// A well-formed key that somebody presented: not yet known, let alone verified.
pub struct PresentedKey<'a> {
    text: &'a str,
    digest: [u8; 32],
}

impl<'a> PresentedKey<'a> {
    fn digested(text: &'a str) -> Self {
        Self {
            text,
            digest: Sha256::digest(text.as_bytes()).into(),
        }
    }

    /// SHA-256 of the whole key: what caches are keyed by.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// What the key's row is found by: the first 32 digits of the public hash. 128 bits of a
    /// digest tell nothing about the key, and no part of the key itself is ever an index.
    pub fn lookup_id(&self) -> String {
        let mut id = self.public_hash();
        id.truncate(LOOKUP_ID_CHARS);
        id
    }

    /// SHA-256 of the key in lower-case hex: the identifier that APIs show. Never a verifier.
    pub fn public_hash(&self) -> String {
        hex(&self.digest)
    }
}

impl fmt::Debug for PresentedKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[API key]")
    }
}

/// A new key. Its text is shown to its owner once and kept nowhere.
pub struct MintedKey {
    text: Secret<String>,
}

impl MintedKey {
    /// Makes a key from 256 random bits.
    pub fn mint(random: &dyn Random) -> Result<Self, RandomUnavailable> {
        let mut bits = [0; SECRET_BYTES];
        random.fill(&mut bits)?;
        // Sized beforehand: a string that grows leaves copies of the key behind.
        let mut text = String::with_capacity(KEY_CHARS);
        text.push_str(PREFIX);
        push_hex(&mut text, &bits);
        bits.zeroize();
        let check = crc32fast::hash(text.as_bytes());
        push_hex(&mut text, &check.to_be_bytes());
        Ok(Self {
            text: Secret::new(text),
        })
    }

    /// The key itself.
    pub const fn text(&self) -> &Secret<String> {
        &self.text
    }

    /// The key as its owner will present it: for its lookup id, public hash and verifier.
    pub fn presented(&self) -> PresentedKey<'_> {
        PresentedKey::digested(self.text.expose())
    }

    /// The masked form for display, such as `sk-sy-v1-abc...xyz`: 12 bits of the secret, and 12
    /// of the checksum.
    pub fn label(&self) -> String {
        let digits = &self.text.expose()[PREFIX.len()..];
        format!("{PREFIX}{}...{}", &digits[..3], &digits[digits.len() - 3..])
    }
}

impl fmt::Debug for MintedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[API key]")
    }
}

/// The key that verifiers are made with.
pub struct Pepper {
    version: u32,
    key: Secret<[u8; 32]>,
}

impl Pepper {
    /// A version of the pepper.
    pub const fn new(version: u32, key: Secret<[u8; 32]>) -> Self {
        Self { version, key }
    }

    /// Its version, stored beside each verifier.
    pub const fn version(&self) -> u32 {
        self.version
    }

    fn mac(&self, key: &PresentedKey<'_>) -> [u8; 32] {
        #[cfg(test)]
        tests::MACS_MADE.set(tests::MACS_MADE.get() + 1);
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose())
            .expect("HMAC takes a key of any length");
        mac.update(key.text.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[pepper version {}]", self.version)
    }
}

/// What is stored of a key: HMAC-SHA-256 of it under one version of the pepper.
#[derive(Debug, Clone, Copy)]
pub struct Verifier {
    /// Which version.
    pub pepper_version: u32,
    /// The MAC.
    pub mac: [u8; 32],
}

/// Every version of the pepper that stored verifiers may be made with.
#[derive(Debug)]
pub struct Peppers {
    current: Pepper,
    earlier: Vec<Pepper>,
}

impl Peppers {
    /// New verifiers use `current`; stored ones may still need the `earlier` versions.
    pub const fn new(current: Pepper, earlier: Vec<Pepper>) -> Self {
        Self { current, earlier }
    }

    /// What to store for a new key.
    pub fn verifier(&self, key: &PresentedKey<'_>) -> Verifier {
        Verifier {
            pepper_version: self.current.version,
            mac: self.current.mac(key),
        }
    }

    /// Whether the presented key is the one `stored` was made from. A key that nobody knows
    /// (`None`) costs the same work and fails.
    pub fn verify(&self, key: &PresentedKey<'_>, stored: Option<&Verifier>) -> bool {
        let known = stored.and_then(|verifier| Some((self.version(verifier)?, verifier)));
        let (pepper, expected) = match known {
            Some((pepper, verifier)) => (pepper, verifier.mac),
            None => (&self.current, [0; 32]),
        };
        bool::from(pepper.mac(key).ct_eq(&expected)) & known.is_some()
    }

    /// Whether a verified key's stored verifier should be replaced by [`verifier`](Self::verifier)
    /// of it: how keys move to a new pepper without their owners noticing.
    pub const fn is_outdated(&self, stored: &Verifier) -> bool {
        stored.pepper_version != self.current.version
    }

    /// Whether a verifier can be checked here at all.
    pub fn knows(&self, verifier: &Verifier) -> bool {
        self.version(verifier).is_some()
    }

    fn version(&self, verifier: &Verifier) -> Option<&Pepper> {
        std::iter::once(&self.current)
            .chain(&self.earlier)
            .find(|pepper| pepper.version == verifier.pepper_version)
    }
}

/// Makes and checks verifiers with whatever versions of the pepper there are at the moment.
pub trait KeyVerification: Send + Sync + 'static {
    /// What to store for a new key.
    fn verifier(&self, key: &PresentedKey<'_>) -> Verifier;

    /// Whether the presented key is the one `stored` was made from; see [`Peppers::verify`].
    fn verify(&self, key: &PresentedKey<'_>, stored: Option<&Verifier>) -> bool;

    /// Whether a verified key's stored verifier should be replaced by a new one.
    fn is_outdated(&self, stored: &Verifier) -> bool;
}

impl KeyVerification for Peppers {
    fn verifier(&self, key: &PresentedKey<'_>) -> Verifier {
        self.verifier(key)
    }

    fn verify(&self, key: &PresentedKey<'_>, stored: Option<&Verifier>) -> bool {
        self.verify(key, stored)
    }

    fn is_outdated(&self, stored: &Verifier) -> bool {
        self.is_outdated(stored)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    push_hex(&mut text, bytes);
    text
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
}

#[cfg(test)]
mod tests;
