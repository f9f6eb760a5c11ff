//! Who changes something, through the API or in the console, as the audit log remembers it.

use serde_json::Value;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, PersonId, WorkspaceId},
    tenancy::Caller,
};
use switchyard_store::audit::{AuditEvent, AuditOrigin, AuditOutcome, AuditVia};

/// Somebody in the act of changing something.
#[derive(Debug, Clone)]
pub struct ActingCaller {
    who: Who,
    /// The address that the request came from.
    ip: Option<String>,
    /// The request, as its answer and the logs name it.
    request_id: Option<String>,
}

#[derive(Debug, Clone)]
enum Who {
    /// A program with an API key.
    Key(Caller),
    /// Somebody who signed in, in the account they look at.
    Person(PersonId, AccountId),
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
    /// A program that presented an API key.
    pub const fn key(caller: Caller, ip: Option<String>, request_id: Option<String>) -> Self {
        Self {
            who: Who::Key(caller),
            ip,
            request_id,
        }
    }

    /// Somebody who signed in and looks at `account`.
    pub const fn signed_in(
        person: PersonId,
        account: AccountId,
        ip: Option<String>,
        request_id: Option<String>,
    ) -> Self {
        Self {
            who: Who::Person(person, account),
            ip,
            request_id,
        }
    }

    /// Whose affairs are changed: the account of the key or of the session, whatever the request
    /// says.
    pub fn account_id(&self) -> AccountId {
        match &self.who {
            Who::Key(caller) => caller.account_id(),
            Who::Person(_, account) => *account,
        }
    }

    /// Who is to be noted as maker of things: the person, or the key.
    pub fn name(&self) -> String {
        match &self.who {
            Who::Key(caller) => caller.key.id.to_string(),
            Who::Person(person, _) => person.to_string(),
        }
    }

    /// The same, for what operators do as well, who have no key.
    pub fn as_audited(&self) -> crate::audit::Actor {
        crate::audit::Actor {
            id: self.name(),
            via: self.via(),
            ip: self.ip.clone(),
            request_id: self.request_id.clone(),
        }
    }

    /// The person who acts, or whose key does.
    pub fn person(&self) -> Option<PersonId> {
        match &self.who {
            Who::Key(caller) => caller.key.creator_id,
            Who::Person(person, _) => Some(*person),
        }
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
                via: self.via(),
                ip: self.ip.clone(),
                request_id: self.request_id.clone(),
                outcome: AuditOutcome::Done,
            },
        }
    }

    const fn via(&self) -> AuditVia {
        match self.who {
            Who::Key(_) => AuditVia::Api,
            Who::Person(..) => AuditVia::Console,
        }
    }
}
