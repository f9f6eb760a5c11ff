//! Who guards the outermost keys. A provider wraps and unwraps tenant keys and never shows its
//! own.

mod environment;
mod keyring;
mod local;

use async_trait::async_trait;
use switchyard_domain::secret::Secret;

pub use self::{
    environment::{EnvironmentKey, InvalidEnvironmentKey},
    keyring::{Keyring, KeyringError, LiveAuditKeys, LiveKeyring, LivePeppers, SealedRows},
};

/// A guarded key, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KekRef {
    /// The provider's name for the key.
    pub id: String,
    /// The version of that key.
    pub version: u32,
}

/// A tenant key, unreadable without the guarded key it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// The guarded key's name.
    pub kek_id: String,
    /// And its version. Unwrapping uses exactly this one.
    pub kek_version: u32,
    /// The provider's own format.
    pub bytes: Vec<u8>,
}

/// Guards keys. A provider that asks over a network answers within 2 s, tries at most twice and
/// has a breaker of its own; nobody falls back to another provider or to plaintext.
#[async_trait]
pub trait KeyProvider: Send + Sync + 'static {
    /// Encrypts `plain` under the current key, bound to `context`.
    async fn wrap(
        &self,
        context: &[u8],
        plain: &Secret<[u8; 32]>,
    ) -> Result<WrappedKey, KeyProviderError>;

    /// Decrypts what [`wrap`](Self::wrap) made, under the key it names.
    async fn unwrap(
        &self,
        context: &[u8],
        wrapped: &WrappedKey,
    ) -> Result<Secret<[u8; 32]>, KeyProviderError>;

    /// The key that new wraps use.
    async fn current(&self) -> Result<KekRef, KeyProviderError>;

    /// Whether wrapping and unwrapping work now; part of readiness.
    async fn health(&self) -> Result<(), KeyProviderError>;

    /// Looks whether there are newer keys; called every few seconds. For providers that keep keys
    /// in this process. When it fails, those that were known stay in force.
    async fn refresh(&self) -> Result<(), KeyProviderError> {
        Ok(())
    }
}

/// Why a provider could not do it.
#[derive(Debug, thiserror::Error)]
pub enum KeyProviderError {
    /// It has no such key: retired, or a row from another deployment.
    #[error("the key provider has no key `{}` version {}", .0.id, .0.version)]
    UnknownKey(KekRef),
    /// The wrapped bytes are not what this key made for this context.
    #[error("a wrapped key failed authentication")]
    Rejected,
    /// It cannot be asked at the moment.
    #[error("the key provider is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}
