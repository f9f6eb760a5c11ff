//! A guarded key held in this process.
//!
//! The 32 bytes are never used directly: one key for wrapping and one for the pepper of API keys
//! are derived from them, so that one file guards both and neither use can weaken the other.

use switchyard_domain::secret::Secret;
use zeroize::Zeroizing;

use super::{KekRef, KeyProviderError, WrappedKey};
use crate::{
    api_key::Pepper,
    cipher::{self, KEY_BYTES, NONCE_BYTES, TAG_BYTES},
    context::AuthenticatedData,
    keyed_digest::DigestKey,
    random::{Random, draw},
};

const FORMAT: u8 = 1;
const WRAPPED_BYTES: usize = 1 + NONCE_BYTES + KEY_BYTES + TAG_BYTES;

pub(super) struct LocalKey {
    pub(super) version: u32,
    material: Secret<[u8; KEY_BYTES]>,
}

impl LocalKey {
    pub(super) const fn new(version: u32, material: Secret<[u8; KEY_BYTES]>) -> Self {
        Self { version, material }
    }

    pub(super) fn material(&self) -> &[u8; KEY_BYTES] {
        self.material.expose()
    }

    pub(super) fn wrap(
        &self,
        kek_id: &str,
        context: &[u8],
        plain: &Secret<[u8; KEY_BYTES]>,
        random: &dyn Random,
    ) -> Result<WrappedKey, KeyProviderError> {
        let nonce: [u8; NONCE_BYTES] =
            draw(random).map_err(|error| KeyProviderError::Unavailable(Box::new(error)))?;
        let mut body = Zeroizing::new(*plain.expose());
        let tag = cipher::encrypt(
            self.wrapping_key().expose(),
            &nonce,
            self.authenticated_data(kek_id, context).as_bytes(),
            &mut *body,
        );
        let mut bytes = Vec::with_capacity(WRAPPED_BYTES);
        bytes.push(FORMAT);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&*body);
        bytes.extend_from_slice(&tag);
        Ok(WrappedKey {
            kek_id: kek_id.to_owned(),
            kek_version: self.version,
            bytes,
        })
    }

    pub(super) fn unwrap(
        &self,
        kek_id: &str,
        context: &[u8],
        bytes: &[u8],
    ) -> Result<Secret<[u8; KEY_BYTES]>, KeyProviderError> {
        let (nonce, body, tag) = split(bytes).ok_or(KeyProviderError::Rejected)?;
        let mut plain = Zeroizing::new(*body);
        cipher::decrypt(
            self.wrapping_key().expose(),
            nonce,
            self.authenticated_data(kek_id, context).as_bytes(),
            &mut *plain,
            tag,
        )
        .map_err(|_| KeyProviderError::Rejected)?;
        Ok(Secret::new(*plain))
    }

    pub(super) fn pepper(&self) -> Pepper {
        let key = cipher::derive(
            self.material.expose(),
            "switchyard.keyring.v1 api-key pepper",
        );
        Pepper::new(self.version, key)
    }

    pub(super) fn digest_key(&self, purpose: &str) -> DigestKey {
        DigestKey::new(self.version, self.derived(purpose))
    }

    /// A key for one purpose, which tells nothing about the others.
    pub(super) fn derived(&self, purpose: &str) -> Secret<[u8; KEY_BYTES]> {
        cipher::derive(self.material.expose(), purpose)
    }

    pub(super) fn conversation_secret(&self) -> [u8; KEY_BYTES] {
        *cipher::derive(
            self.material.expose(),
            "switchyard.keyring.v1 conversations",
        )
        .expose()
    }

    fn wrapping_key(&self) -> Secret<[u8; KEY_BYTES]> {
        cipher::derive(self.material.expose(), "switchyard.keyring.v1 wrap")
    }

    fn authenticated_data(&self, kek_id: &str, context: &[u8]) -> AuthenticatedData {
        AuthenticatedData::new("switchyard.keyring.v1")
            .with(kek_id.as_bytes())
            .with(&self.version.to_be_bytes())
            .with(context)
    }
}

type WrappedParts<'a> = (
    &'a [u8; NONCE_BYTES],
    &'a [u8; KEY_BYTES],
    &'a [u8; TAG_BYTES],
);

fn split(bytes: &[u8]) -> Option<WrappedParts<'_>> {
    let (&format, rest) = bytes.split_first()?;
    let (nonce, rest) = rest.split_first_chunk()?;
    let (body, rest) = rest.split_first_chunk()?;
    let tag = rest.try_into().ok()?;
    (format == FORMAT).then_some((nonce, body, tag))
}

pub(super) fn unknown(kek_id: &str, version: u32) -> KeyProviderError {
    KeyProviderError::UnknownKey(KekRef {
        id: kek_id.to_owned(),
        version,
    })
}
