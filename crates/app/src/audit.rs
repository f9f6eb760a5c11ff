//! Who did what, and what links the entries that say so: a key that the database does not have.

use serde_json::Value;
use switchyard_domain::{clock::Timestamp, id::AccountId};
use switchyard_store::{
    Directory, DirectoryError,
    audit::{AuditEvent, AuditLinker, AuditOrigin},
};
use switchyard_vault::keyed_digest::KeyedDigest;

pub use switchyard_store::audit::{AuditEntry, AuditFilter, AuditVia};

use crate::App;

/// Who does something, and by which door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// An API key's or a person's id, or `operator`.
    pub id: String,
    /// By which door.
    pub via: AuditVia,
    /// From which address.
    pub ip: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
}

impl Actor {
    /// Somebody of whom no more is known.
    pub fn of(id: impl Into<String>, via: AuditVia) -> Self {
        Self {
            id: id.into(),
            via,
            ip: None,
            request_id: None,
        }
    }

    /// Whoever has the command line.
    pub fn operator() -> Self {
        Self::of("operator", AuditVia::Command)
    }

    /// What the log says of something that this actor did. Whose affair it is, the caller adds.
    pub fn did(
        &self,
        at: Timestamp,
        action: &str,
        subject: impl ToString,
        detail: Value,
    ) -> AuditEvent {
        AuditEvent {
            at,
            actor: self.id.clone(),
            action: action.to_owned(),
            subject: subject.to_string(),
            detail,
            origin: AuditOrigin {
                via: self.via,
                ip: self.ip.clone(),
                request_id: self.request_id.clone(),
                ..AuditOrigin::default()
            },
        }
    }
}

/// What was to be done is done, but the log does not say so.
#[derive(Debug, thiserror::Error)]
#[error("it was done, but the audit log cannot be written")]
pub struct Unnoted(#[source] DirectoryError);

/// Notes what was done, where the change and its entry are not one transaction.
pub(crate) async fn note(directory: &dyn Directory, event: &AuditEvent) -> Result<(), Unnoted> {
    directory.append_audit(event).await.map_err(Unnoted)
}

impl App {
    /// Entries of an account's log that a filter lets through, newest first, before the entry with this
    /// number where one is given.
    pub async fn audit_entries(
        &self,
        account: AccountId,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, DirectoryError> {
        self.audit_log
            .find_audit_entries(account, filter, before, limit)
            .await
    }

    /// How many there are, counted no further than `most`.
    pub async fn audit_count(
        &self,
        account: AccountId,
        filter: &AuditFilter,
        most: u32,
    ) -> Result<u64, DirectoryError> {
        self.audit_log
            .count_audit_entries(account, filter, most)
            .await
    }
}

/// Links entries by keyed digests.
pub struct KeyedLinks(Box<dyn KeyedDigest>);

impl KeyedLinks {
    pub fn new(keys: impl KeyedDigest) -> Self {
        Self(Box::new(keys))
    }
}

impl std::fmt::Debug for KeyedLinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyedLinks")
    }
}

impl AuditLinker for KeyedLinks {
    fn link(&self, previous: &[u8], entry: &[u8]) -> ([u8; 32], i32) {
        let (link, version) = self.0.digest(&[previous, entry]);
        (link, i32::try_from(version).unwrap_or(i32::MAX))
    }

    fn is_linked(&self, previous: &[u8], entry: &[u8], link: &[u8], key_version: i32) -> bool {
        u32::try_from(key_version)
            .is_ok_and(|version| self.0.is_of(&[previous, entry], link, version))
    }
}
