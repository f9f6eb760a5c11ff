//! What a rotation did, for people and programs.

use serde::Serialize;
use switchyard_vault::OpenError;

/// How many failed rows are named.
const NAMED_MAX: usize = 1_000;

/// A row that could not be opened or moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedRow {
    /// A credential's id, a signing key's name, or a tenant with a version of its key.
    pub row: String,
    /// Why.
    pub reason: String,
    /// Whether somebody may have tampered with it.
    pub is_integrity_failure: bool,
}

/// Rows that could not be opened or moved.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Failures {
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub rows: Vec<FailedRow>,
}

impl Failures {
    pub(super) fn note(&mut self, row: String, reason: String, is_integrity_failure: bool) {
        self.count += 1;
        if self.rows.len() < NAMED_MAX {
            self.rows.push(FailedRow {
                row,
                reason,
                is_integrity_failure,
            });
        }
    }

    pub(super) fn note_error(&mut self, row: String, error: &OpenError) {
        let mut reason = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            reason.push_str(": ");
            reason.push_str(&inner.to_string());
            cause = inner.source();
        }
        self.note(row, reason, error.is_integrity_failure());
    }
}

/// What became of the tenant keys under the outermost key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OutermostReport {
    /// The key that wraps them now.
    pub kek_id: String,
    /// And its version.
    pub kek_version: u32,
    /// Tenant keys that were moved to it.
    pub rewrapped: u64,
    /// Tenant keys that are still elsewhere.
    pub left: u64,
    /// Those of them that could not be moved.
    pub failed: Failures,
}

impl OutermostReport {
    /// Whether nothing is left to do.
    pub const fn is_done(&self) -> bool {
        self.left == 0 && self.failed.count == 0
    }
}

/// What became of records under tenants' keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TenantKeysReport {
    /// Tenants that were looked at.
    pub tenants: u64,
    /// Tenants that got a new key.
    pub rotated: u64,
    /// Tenants whose earlier rotation was brought to its end.
    pub resumed: u64,
    /// Records that were moved to a new key.
    pub rewrapped: u64,
    /// Records that are still under an old key.
    pub left: u64,
    /// Those of them that could not be moved.
    pub failed: Failures,
    /// Old keys that nothing named any more.
    pub old_keys_deleted: u64,
    /// Old keys that stay for now: the operator's own, those of accounts that repeated a request
    /// within a day, and those that records are left under.
    pub old_keys_kept: u64,
}

impl TenantKeysReport {
    /// Whether nothing is left to do. Old keys that stay are nothing to do: they go with the next
    /// rotation.
    pub const fn is_done(&self) -> bool {
        self.left == 0 && self.failed.count == 0
    }
}
