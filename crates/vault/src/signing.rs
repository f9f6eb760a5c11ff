//! Signatures over what must be provable later: Ed25519. The private half of a key is sealed like
//! any secret; what is public here can be handed to anybody.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, VerifyingKey};
use sha2::{Digest as _, Sha256};
use switchyard_domain::{id::CredentialId, provider::ProviderSlug, secret::Secret};
use uuid::Uuid;

use crate::{
    api_key::hex,
    context::{SecretContext, Tenant},
    random::{Random, RandomUnavailable, draw_key},
};

/// The name of the algorithm, as it is published with a key.
pub const ALGORITHM: &str = "ed25519";

const SEED_BYTES: usize = 32;
const PUBLIC_KEY_BYTES: usize = 32;
const SIGNATURE_BYTES: usize = 64;
const FINGERPRINT_BYTES: usize = 16;

/// The private half of a signing key in plain form. Wiped when dropped; neither printed nor
/// copied.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A new key.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomUnavailable> {
        let seed = draw_key::<SEED_BYTES>(random)?;
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(seed.expose())))
    }

    /// The key whose seed was kept, or `None` where the bytes are none.
    pub(crate) fn from_seed(seed: &[u8]) -> Option<Self> {
        let seed: &[u8; SEED_BYTES] = seed.try_into().ok()?;
        Some(Self(ed25519_dalek::SigningKey::from_bytes(seed)))
    }

    /// What must be kept of it.
    pub(crate) fn seed(&self) -> Secret<Vec<u8>> {
        Secret::new(self.0.as_bytes().to_vec())
    }

    /// The half that everybody may know.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs a message. The same message has the same signature every time.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[signing key]")
    }
}

/// The public half of a signing key. Its text form is base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; PUBLIC_KEY_BYTES]);

impl PublicKey {
    /// Takes the bytes of a key as they were stored.
    pub const fn from_bytes(bytes: [u8; PUBLIC_KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes, as they are stored.
    pub const fn as_bytes(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.0
    }

    /// Names the key by its own fingerprint, so that no other key can go by its name.
    pub fn key_id(&self) -> String {
        format!("sig_{}", hex(&self.fingerprint()))
    }

    /// Checks that this key made `signature` over exactly `message`. Keys and signatures that the
    /// algorithm's looser readings would let pass are refused.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| BadSignature)?;
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        key.verify_strict(message, &signature)
            .map_err(|_| BadSignature)
    }

    /// Where the private half is sealed: to this public half, so that another key's row does not
    /// open in its place.
    pub(crate) fn context(&self) -> SecretContext {
        SecretContext {
            tenant: Tenant::Operator,
            workspace: None,
            // No provider has a colon in its slug: it is sent to nobody.
            provider: ProviderSlug::new("switchyard:signing"),
            endpoint_host: None,
            record: CredentialId::from_uuid(Uuid::from_bytes(self.fingerprint())),
            record_version: 1,
        }
    }

    fn fingerprint(&self) -> [u8; FINGERPRINT_BYTES] {
        let digest: [u8; 32] = Sha256::digest(self.0).into();
        let mut fingerprint = [0; FINGERPRINT_BYTES];
        fingerprint.copy_from_slice(&digest[..FINGERPRINT_BYTES]);
        fingerprint
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = NotBase64Of;

    fn from_str(text: &str) -> Result<Self, NotBase64Of> {
        decoded(text).map(Self)
    }
}

/// A signature. Its text form is base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; SIGNATURE_BYTES]);

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Signature {
    type Err = NotBase64Of;

    fn from_str(text: &str) -> Result<Self, NotBase64Of> {
        decoded(text).map(Self)
    }
}

/// The signature is not this key's over this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not belong to this key and message")]
pub struct BadSignature;

/// The text is not a value of the wanted length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {bytes} bytes in base64")]
pub struct NotBase64Of {
    bytes: usize,
}

fn decoded<const N: usize>(text: &str) -> Result<[u8; N], NotBase64Of> {
    STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(NotBase64Of { bytes: N })
}

#[cfg(test)]
mod tests;
