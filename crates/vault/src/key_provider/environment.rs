//! One key handed over by the composition root, which had it from its environment. For development
//! and for platforms that inject secrets; it cannot be rotated.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use switchyard_domain::secret::Secret;
use zeroize::Zeroizing;

use super::{
    KekRef, KeyProvider, KeyProviderError, WrappedKey,
    local::{LocalKey, unknown},
};
use crate::{api_key::Peppers, random::Random};

const ID: &str = "environment";
const VERSION: u32 = 1;

/// A [`KeyProvider`] of a single key.
pub struct EnvironmentKey {
    key: LocalKey,
    random: Arc<dyn Random>,
}

/// The value is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the vault key must be 32 random bytes in base64, as `openssl rand -base64 32` prints")]
pub struct InvalidEnvironmentKey;

impl EnvironmentKey {
    /// Takes a value of 32 bytes in standard base64.
    pub fn new(
        value: &Secret<String>,
        random: Arc<dyn Random>,
    ) -> Result<Self, InvalidEnvironmentKey> {
        let bytes = STANDARD
            .decode(value.expose().trim())
            .map_err(|_| InvalidEnvironmentKey)?;
        let bytes = Zeroizing::new(bytes);
        let key: [u8; 32] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| InvalidEnvironmentKey)?;
        Ok(Self {
            key: LocalKey::new(VERSION, Secret::new(key)),
            random,
        })
    }

    /// The pepper for API keys.
    pub fn peppers(&self) -> Peppers {
        Peppers::new(self.key.pepper(), Vec::new())
    }
}

#[async_trait]
impl KeyProvider for EnvironmentKey {
    async fn wrap(
        &self,
        context: &[u8],
        plain: &Secret<[u8; 32]>,
    ) -> Result<WrappedKey, KeyProviderError> {
        self.key.wrap(ID, context, plain, &*self.random)
    }

    async fn unwrap(
        &self,
        context: &[u8],
        wrapped: &WrappedKey,
    ) -> Result<Secret<[u8; 32]>, KeyProviderError> {
        if wrapped.kek_id != ID || wrapped.kek_version != VERSION {
            return Err(unknown(&wrapped.kek_id, wrapped.kek_version));
        }
        self.key.unwrap(ID, context, &wrapped.bytes)
    }

    async fn current(&self) -> Result<KekRef, KeyProviderError> {
        Ok(KekRef {
            id: ID.to_owned(),
            version: VERSION,
        })
    }

    async fn health(&self) -> Result<(), KeyProviderError> {
        Ok(())
    }
}
