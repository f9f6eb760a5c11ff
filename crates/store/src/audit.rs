//! Who did what: a log that only grows, each entry linked to the one before it by a keyed hash, so
//! that whoever can write to the database can neither change nor cut it unseen.

use async_trait::async_trait;
use serde_json::json;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, WorkspaceId},
};

use crate::{
    directory::DirectoryError,
    failure::Failure,
    portable::{JsonText, without_nul},
};

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
    /// Whose affair it is, and how it came.
    pub origin: AuditOrigin,
}

/// Whose affair an event is, and how it came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditOrigin {
    /// The account it concerns.
    pub account_id: Option<AccountId>,
    /// The workspace it concerns.
    pub workspace_id: Option<WorkspaceId>,
    /// By which door.
    pub via: AuditVia,
    /// From which address.
    pub ip: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// How it ended.
    pub outcome: AuditOutcome,
}

/// The door that an event came by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuditVia {
    /// An operator's command.
    #[default]
    Command,
    /// The API.
    Api,
    /// The web console.
    Console,
    /// The service itself.
    Service,
}

impl AuditVia {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Api => "api",
            Self::Console => "console",
            Self::Service => "service",
        }
    }
}

/// How an event ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuditOutcome {
    /// It was done.
    #[default]
    Done,
    /// It was not allowed.
    Refused,
    /// It could not be done.
    Failed,
}

impl AuditOutcome {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Links entries of the log by a key that the database does not have.
pub trait AuditLinker: Send + Sync + 'static {
    /// The link of an entry behind the one with the link `previous`, and the version of the key.
    fn link(&self, previous: &[u8], entry: &[u8]) -> ([u8; 32], i32);

    /// Whether `link` is what [`link`](Self::link) made with that version of the key; `false` where
    /// the version is not known.
    fn is_linked(&self, previous: &[u8], entry: &[u8], link: &[u8], key_version: i32) -> bool;
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// Its place in the log.
    pub number: i64,
    /// What was done.
    pub event: StoredAuditEvent,
}

/// What was done, as it is stored: doors and outcomes by name, so that a newer program's can be
/// read.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAuditEvent {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What else matters.
    pub detail: serde_json::Value,
    /// The account it concerns.
    pub account_id: Option<AccountId>,
    /// The workspace it concerns.
    pub workspace_id: Option<WorkspaceId>,
    /// By which door; `None` before doors were noted.
    pub via: Option<String>,
    /// From which address.
    pub ip: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// How it ended.
    pub outcome: Option<String>,
}

impl StoredAuditEvent {
    /// An event as it is read back.
    pub(crate) fn of(event: &AuditEvent, detail: &JsonText) -> Result<Self, Failure> {
        let detail = serde_json::from_str(&detail.0)
            .map_err(|error| Failure::Inconsistent(format!("an audit event's detail: {error}")))?;
        let text = |text: &str| without_nul(text).into_owned();
        let origin = &event.origin;
        Ok(Self {
            at: event.at,
            actor: text(&event.actor),
            action: text(&event.action),
            subject: text(&event.subject),
            detail,
            account_id: origin.account_id,
            workspace_id: origin.workspace_id,
            via: Some(origin.via.as_str().to_owned()),
            ip: origin.ip.as_deref().map(text),
            request_id: origin.request_id.as_deref().map(text),
            outcome: Some(origin.outcome.as_str().to_owned()),
        })
    }

    /// What the link is made over: every column, members in the order of their names.
    pub(crate) fn linked_bytes(&self, sequence: i64) -> Vec<u8> {
        let mut entry = json!({
            "sequence": sequence, "at": self.at.micros(), "actor": self.actor,
            "action": self.action, "subject": self.subject, "account": self.account_id,
            "workspace": self.workspace_id, "via": self.via, "ip": self.ip,
            "request_id": self.request_id, "outcome": self.outcome, "detail": self.detail,
        });
        entry.sort_all_objects();
        entry.to_string().into_bytes()
    }
}

/// What checking the log found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditReport {
    /// Entries that were checked.
    pub entries: u64,
    /// Entries from before there were links.
    pub unlinked: u64,
    /// The first entry that does not follow from the one before it, by its number.
    pub broken_at: Option<i64>,
    /// Entries at the end are missing.
    pub is_cut: bool,
}

impl AuditReport {
    /// Whether nobody touched the log.
    pub const fn is_whole(&self) -> bool {
        self.broken_at.is_none() && !self.is_cut
    }
}

/// Which of an account's entries are wanted. What is `None` does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Who.
    pub actor: Option<String>,
    /// What it begins with, such as `api_key.`.
    pub action: Option<String>,
    /// To what.
    pub subject: Option<String>,
    /// By which door.
    pub via: Option<String>,
    /// Where.
    pub workspace_id: Option<WorkspaceId>,
    /// From which address.
    pub ip: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

/// Reads the log.
#[async_trait]
pub trait AuditStore: Send + Sync + 'static {
    /// An account's entries, newest first, before the entry with this number where one is given.
    async fn audit_entries(
        &self,
        account: AccountId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, DirectoryError>;

    /// Those of an account's entries that a filter lets through, newest first, before the entry with
    /// this number where one is given.
    async fn find_audit_entries(
        &self,
        account: AccountId,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, DirectoryError>;

    /// How many entries a filter lets through, counted no further than `most`.
    async fn count_audit_entries(
        &self,
        account: AccountId,
        filter: &AuditFilter,
        most: u32,
    ) -> Result<u64, DirectoryError>;

    /// Entries about one subject, oldest first.
    async fn audit_of(&self, subject: &str, limit: u32) -> Result<Vec<AuditEntry>, DirectoryError>;

    /// Checks every link from the first entry to the last.
    async fn verify_audit(&self) -> Result<AuditReport, DirectoryError>;
}
