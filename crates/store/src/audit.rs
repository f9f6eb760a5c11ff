//! Who did what: a log that only grows.

use switchyard_domain::clock::Timestamp;

/// One thing somebody did.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEvent {
    /// When.
    pub at: Timestamp,
    /// Who: an id or `operator`.
    pub actor: String,
    /// What: a dotted verb such as `api_key.delete`.
    pub action: String,
    /// To what: an id.
    pub subject: String,
    /// What else matters, a JSON object. Never a secret, a prompt or a completion.
    pub detail: serde_json::Value,
}
