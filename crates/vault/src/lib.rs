//! Seals and opens provider credentials, and knows what an API key looks like: the one crate with
//! ciphers in it.
//!
//! A secret is encrypted under a key of its own, that key under the tenant's key, the tenant's key
//! under a key that a [`KeyProvider`] guards. Everyone else holds a [`SealedSecret`] and a label.
//!
//! It must not know SQL or HTTP: the database holds sealed bytes and reaches the vault through the
//! port [`TenantKeyStore`]. There is no null cipher, no optional key, and no way to open a secret
//! without saying whose it is and where it may be sent.
//!
//! Start at [`Vault`], then [`context`] for what a seal is bound to, [`envelope`] for the bytes,
//! [`key_provider`] for the keys; [`api_key`], [`signing`] and [`keyed_digest`] stand by themselves.
#![warn(missing_docs)]

pub mod api_key;
mod cache;
mod cipher;
pub mod context;
pub mod envelope;
pub mod key_provider;
pub mod keyed_digest;
pub mod random;
pub mod signing;
pub mod tenant_key;
mod vault;

pub use context::{SecretContext, Tenant};
pub use envelope::{SEALED_BYTES_MAX, SECRET_BYTES_MAX, SealedSecret};
pub use key_provider::{KekRef, KeyProvider, KeyProviderError, WrappedKey};
pub use random::{OsRandom, Random, RandomUnavailable};
pub use tenant_key::{TenantKeyRow, TenantKeyStore, TenantKeyStoreError};
pub use vault::{OpenError, SealError, Vault, VaultSettings};
