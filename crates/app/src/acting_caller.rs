//! Who changes something through the API, as the audit log remembers it.

use serde_json::Value;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, PersonId, WorkspaceId},
    tenancy::Caller,
};
use switchyard_store::audit::{AuditEvent, AuditOrigin, AuditOutcome, AuditVia};

/// A caller in the act of changing something.
#[derive(Debug, Clone)]
pub struct ActingCaller {
    pub caller: Caller,
    /// The address that the request came from.
    pub ip: Option<String>,
    /// The request, as its answer and the logs name it.
    pub request_id: Option<String>,
}

/// What was changed, for the audit log.
#[derive(Debug, Clone)]
pub struct Deed {
    /// `noun.verb`, such as `api_key.create`.
    pub action: &'static str,
    /// The id of what was changed.
    pub subject: String,
    /// Where, if it is about one workspace.
    pub workspace_id: Option<WorkspaceId>,
    /// What else matters, a JSON object without secrets: what it was and what it became.
    pub detail: Value,
}

impl ActingCaller {
    /// Whose affairs are changed: the account of the key, whatever the request says.
    pub fn account_id(&self) -> AccountId {
        self.caller.account_id()
    }

    /// Who is to be noted as maker of things: the person whose key it is, or else the key.
    pub fn name(&self) -> String {
        self.caller.key.id.to_string()
    }

    /// The same, for what operators do as well, who have no key.
    pub fn as_audited(&self) -> crate::audit::Actor {
        crate::audit::Actor {
            id: self.name(),
            via: AuditVia::Api,
            ip: self.ip.clone(),
            request_id: self.request_id.clone(),
        }
    }

    /// The person whose key it is.
    pub fn person(&self) -> Option<PersonId> {
        self.caller.key.creator_id
    }

    /// The entry of the audit log that says that this was done.
    pub fn did(&self, deed: Deed, at: Timestamp) -> AuditEvent {
        AuditEvent {
            at,
            actor: self.name(),
            action: deed.action.to_owned(),
            subject: deed.subject,
            detail: deed.detail,
            origin: AuditOrigin {
                account_id: Some(self.account_id()),
                workspace_id: deed.workspace_id,
                via: AuditVia::Api,
                ip: self.ip.clone(),
                request_id: self.request_id.clone(),
                outcome: AuditOutcome::Done,
            },
        }
    }
}
