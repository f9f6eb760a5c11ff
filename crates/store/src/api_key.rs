//! API keys as a database may know them: a public lookup id and a keyed verifier, never the key.

use switchyard_domain::{id::ApiKeyId, money::UsdNanos, tenancy::ApiKey};

/// A key to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// What a request needs to know about it.
    pub key: ApiKey,
    /// The indexed, non-secret id inside the presented key.
    pub lookup_id: String,
    /// HMAC-SHA-256 of the whole key under the pepper.
    pub verifier: [u8; 32],
    /// Which pepper.
    pub pepper_version: i32,
}

/// A stored key with what a presented key is checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// What a request needs to know about it.
    pub key: ApiKey,
    /// HMAC-SHA-256 of the whole key under the pepper; compare in constant time.
    pub verifier: [u8; 32],
    /// Which pepper.
    pub pepper_version: i32,
}

/// What a presented key is checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyVerifier {
    /// HMAC-SHA-256 of the whole key under the pepper.
    pub mac: [u8; 32],
    /// Which pepper.
    pub pepper_version: i32,
}

/// One change to one key. Revisions rise with every commit that makes, changes or deletes a key and
/// are never seen out of order, so a node that polls after the last one it saw misses nothing. A key
/// is listed with its latest revision only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRevision {
    /// Position in the order of all changes, from 1.
    pub revision: i64,
    /// The key that changed.
    pub api_key_id: ApiKeyId,
    /// What caches know it by.
    pub lookup_id: String,
}

/// A stretch of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Rows to skip.
    pub offset: u32,
    /// Rows to return at most.
    pub limit: u32,
}

/// Sums over the windows the API shows: all time, and the current UTC day, week (from Monday) and
/// month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WindowSums {
    /// Since the key was made.
    pub total: UsdNanos,
    /// Since midnight UTC.
    pub daily: UsdNanos,
    /// Since Monday, midnight UTC.
    pub weekly: UsdNanos,
    /// Since the first of the month, midnight UTC.
    pub monthly: UsdNanos,
}

/// What one key used. A generation counts for the day of its admission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyUsage {
    /// What was charged.
    pub usage: WindowSums,
    /// The list price of what the customer's own credentials served.
    pub byok_usage: WindowSums,
    /// Settled generations since the key was made.
    pub requests: u64,
}
