//! Sealed credentials and wrapped tenant keys: bytes that only the vault can read.

use switchyard_domain::{clock::Timestamp, id::CredentialId, provider::ProviderSlug};

/// A provider credential to be stored, in place of the one with the same provider and label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProviderCredential {
    /// The record id it was sealed under; a replacement has a new one.
    pub credential_id: CredentialId,
    /// Whose credential it is.
    pub provider: ProviderSlug,
    /// The operator's name for it.
    pub label: String,
    /// The sealed secret.
    pub sealed: Vec<u8>,
    /// The record version it was sealed under.
    pub record_version: i32,
    /// Now.
    pub at: Timestamp,
}

/// A provider credential as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCredential {
    /// The record id it was sealed under.
    pub credential_id: CredentialId,
    /// Whose credential it is.
    pub provider: ProviderSlug,
    /// The operator's name for it.
    pub label: String,
    /// The sealed secret.
    pub sealed: Vec<u8>,
    /// The record version it was sealed under.
    pub record_version: i32,
    /// When it was stored.
    pub created_at: Timestamp,
}

/// One version of a tenant's key, wrapped by a key-encryption key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantKeyRow {
    /// Whose key; an opaque text to the database.
    pub tenant: String,
    /// Which version, from 1.
    pub version: i32,
    /// The wrapping key.
    pub kek_id: String,
    /// The wrapping key's version.
    pub kek_version: i32,
    /// The wrapped key.
    pub wrapped: Vec<u8>,
}
