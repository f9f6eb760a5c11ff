//! The two primitives everything here is made of: AES-256-GCM and HKDF-SHA-256.

use aes_gcm::{Aes256Gcm, KeyInit, Nonce, Tag, aead::AeadInOut};
use hkdf::Hkdf;
use sha2::Sha256;
use switchyard_domain::secret::Secret;
use zeroize::Zeroizing;

pub(crate) const KEY_BYTES: usize = 32;
pub(crate) const NONCE_BYTES: usize = 12;
pub(crate) const TAG_BYTES: usize = 16;

/// The bytes are not what this key made with this nonce and this authenticated data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forged;

/// Encrypts `buffer` in place and returns the tag.
pub(crate) fn encrypt(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; NONCE_BYTES],
    authenticated: &[u8],
    buffer: &mut [u8],
) -> [u8; TAG_BYTES] {
    let tag = Aes256Gcm::new(key.into())
        .encrypt_inout_detached(&Nonce::from(*nonce), authenticated, buffer.into())
        .expect("what is encrypted here is far below the cipher's 64 GiB");
    tag.into()
}

/// Decrypts `buffer` in place. When the tag does not fit, the buffer still holds ciphertext.
pub(crate) fn decrypt(
    key: &[u8; KEY_BYTES],
    nonce: &[u8; NONCE_BYTES],
    authenticated: &[u8],
    buffer: &mut [u8],
    tag: &[u8; TAG_BYTES],
) -> Result<(), Forged> {
    Aes256Gcm::new(key.into())
        .decrypt_inout_detached(
            &Nonce::from(*nonce),
            authenticated,
            buffer.into(),
            &Tag::from(*tag),
        )
        .map_err(|_| Forged)
}

/// A key for one purpose from key material that serves several.
pub(crate) fn derive(material: &[u8; KEY_BYTES], label: &str) -> Secret<[u8; KEY_BYTES]> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    Hkdf::<Sha256>::new(None, material)
        .expand(label.as_bytes(), &mut *key)
        .expect("32 bytes are well below the 8,160 that HKDF-SHA-256 can give");
    Secret::new(*key)
}

#[cfg(test)]
mod tests;
