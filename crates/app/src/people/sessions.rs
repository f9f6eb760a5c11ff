//! Somebody signed in on a device. A session ends when it is not used for half a day, after thirty days,
//! and when anybody with it or another of the same person says so.

use std::time::Duration;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use switchyard_domain::{
    authority::{Capability, Reach, Standing},
    clock::Timestamp,
    id::{AccountId, PersonId, SessionId, WorkspaceId},
    secret::Secret,
};
pub use switchyard_store::person::{OpenSession, SessionRow};
use switchyard_store::{
    DirectoryError, audit::AuditVia, person::NewSession, tenancy::WorkspaceRole,
};
use switchyard_vault::random::RandomUnavailable;

use super::{People, digest};
use crate::{acting_caller::ActingCaller, audit::Actor};

/// A session that is not used this long is over.
pub const IDLE_MAX: Duration = Duration::from_secs(12 * 60 * 60);
/// A session is over this long after it was started.
pub const AGE_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// A proof is fresh enough for what is dangerous for this long.
pub const FRESH: Duration = Duration::from_secs(10 * 60);
/// How exactly it is known when a session was used last.
const SEEN_STEP: Duration = Duration::from_secs(60);

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Whoever it is belongs to no account.
    #[error("no account to look at")]
    NoAccount,
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Random(#[from] RandomUnavailable),
}

/// The device that somebody signs in on.
#[derive(Debug, Clone, Default)]
pub struct Device {
    /// The address it has.
    pub ip: Option<String>,
    /// The browser.
    pub user_agent: Option<String>,
}

/// How somebody proved to be who they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    Password,
    PasswordAndCode,
    PasswordAndRecoveryCode,
    Passkey,
    /// Through the organization's own sign-in.
    SingleSignOn,
    /// A link that an operator made.
    Link,
}

impl Proof {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::PasswordAndCode => "password+code",
            Self::PasswordAndRecoveryCode => "password+recovery_code",
            Self::Passkey => "passkey",
            Self::SingleSignOn => "single_sign_on",
            Self::Link => "link",
        }
    }
}

/// Somebody who signed in, for one request.
#[derive(Debug)]
pub struct Visitor {
    open: OpenSession,
    csrf: Secret<String>,
}

impl Visitor {
    /// Who it is.
    pub const fn person(&self) -> &super::Person {
        &self.open.person
    }

    /// The session.
    pub const fn session(&self) -> &SessionRow {
        &self.open.session
    }

    /// The account that is looked at, and what they are to it.
    pub const fn membership(&self) -> &super::Membership {
        &self.open.membership
    }

    /// Whose affairs they see.
    pub const fn account_id(&self) -> AccountId {
        self.open.membership.account_id
    }

    /// The workspace that is looked at.
    pub const fn workspace_id(&self) -> WorkspaceId {
        self.open.session.workspace_id
    }

    /// What that workspace is called.
    pub fn workspace_name(&self) -> &str {
        &self.open.workspace_name
    }

    /// How far `capability` goes for them here. What only reaches the workspaces that one
    /// administers is nothing in another one.
    pub fn reach(&self, capability: Capability) -> Reach {
        let reach = Standing::Person(self.open.membership.role).reach(capability);
        let administers = self.open.workspace_role == Some(WorkspaceRole::Admin);
        if reach == Reach::AdministeredWorkspaces && !administers {
            return Reach::Nothing;
        }
        reach
    }

    /// Whether `capability` goes anywhere for them here.
    pub fn may(&self, capability: Capability) -> bool {
        self.reach(capability) != Reach::Nothing
    }

    /// Whether they proved to be who they say recently enough for what is dangerous.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.open.session.proved_at.plus(FRESH)
    }

    /// What forms carry, so that no other site can send them.
    pub const fn csrf(&self) -> &Secret<String> {
        &self.csrf
    }

    /// The same person in the act of changing something.
    pub fn acting(&self, ip: Option<String>, request_id: Option<String>) -> ActingCaller {
        ActingCaller::signed_in(self.open.person.id, self.account_id(), ip, request_id)
    }
}

impl People {
    /// Starts a session and returns its token.
    pub async fn start_session(
        &self,
        person: PersonId,
        proof: Proof,
        device: Device,
    ) -> Result<Secret<String>, SessionError> {
        let memberships = self.store.memberships(person).await?;
        let first = memberships.first().ok_or(SessionError::NoAccount)?;
        let (token, token_hash) = self.token()?;
        let at = self.clock.now();
        let id = SessionId::from_uuid(self.random.uuid(at));
        let mut actor = Actor::of(person.to_string(), AuditVia::Console);
        actor.ip.clone_from(&device.ip);
        let detail = json!({ "proof": proof.as_str() });
        let mut event = actor.did(at, "session.start", id, detail);
        event.origin.account_id = Some(first.account_id);
        let session = NewSession {
            id,
            person_id: person,
            token_hash,
            account_id: first.account_id,
            workspace_id: first.default_workspace_id,
            proof: proof.as_str().to_owned(),
            ip: device.ip,
            user_agent: device.user_agent,
            at,
        };
        self.store.insert_session(&session, &event).await?;
        Ok(token)
    }

    /// Who has this token, if its session is not over.
    pub async fn visitor(
        &self,
        token: &str,
        ip: Option<&str>,
    ) -> Result<Option<Visitor>, DirectoryError> {
        let now = self.clock.now();
        let (seen, created) = oldest(now);
        let found = self
            .store
            .open_session(&digest(token), seen, created)
            .await?;
        let Some(open) = found else {
            return Ok(None);
        };
        if open.session.last_seen_at.plus(SEEN_STEP) < now {
            self.store.touch_session(open.session.id, ip, now).await?;
        }
        Ok(Some(Visitor {
            open,
            csrf: csrf(token),
        }))
    }

    /// Notes a new proof on a session; its token is replaced by the one returned.
    pub async fn renew_session(
        &self,
        id: SessionId,
        proof: Proof,
    ) -> Result<Secret<String>, SessionError> {
        let (token, token_hash) = self.token()?;
        let at = self.clock.now();
        self.store
            .prove_session(id, &token_hash, proof.as_str(), at)
            .await?;
        Ok(token)
    }

    /// Looks at another workspace, of an account that the visitor belongs to.
    pub async fn move_to(
        &self,
        visitor: &Visitor,
        account: AccountId,
        workspace: Option<WorkspaceId>,
    ) -> Result<(), DirectoryError> {
        let memberships = self.store.memberships(visitor.person().id).await?;
        let found = memberships.iter().find(|one| one.account_id == account);
        let membership = found.ok_or_else(|| DirectoryError::Missing(account.to_string()))?;
        let workspace = workspace.unwrap_or(membership.default_workspace_id);
        let session = visitor.session().id;
        self.store.move_session(session, account, workspace).await
    }

    /// Where somebody is signed in, the latest used first.
    pub async fn sessions(&self, person: PersonId) -> Result<Vec<SessionRow>, DirectoryError> {
        let (seen, created) = oldest(self.clock.now());
        self.store.sessions(person, seen, created).await
    }

    /// Ends one of the visitor's own sessions.
    pub async fn end_session(
        &self,
        visitor: &Visitor,
        id: SessionId,
    ) -> Result<(), DirectoryError> {
        let event = self.session_event(visitor, "session.end", id.to_string());
        self.store
            .end_session(visitor.person().id, id, &event)
            .await
    }

    /// Ends all of the visitor's sessions but this one, and tells how many.
    pub async fn end_other_sessions(&self, visitor: &Visitor) -> Result<u64, DirectoryError> {
        let person = visitor.person().id;
        let event = self.session_event(visitor, "session.end_others", person.to_string());
        let keep = Some(visitor.session().id);
        self.store.end_other_sessions(person, keep, &event).await
    }

    fn session_event(
        &self,
        visitor: &Visitor,
        action: &str,
        subject: String,
    ) -> switchyard_store::audit::AuditEvent {
        let mut actor = Actor::of(visitor.person().id.to_string(), AuditVia::Console);
        actor.ip.clone_from(&visitor.session().ip);
        let mut event = actor.did(self.clock.now(), action, subject, json!({}));
        event.origin.account_id = Some(visitor.account_id());
        event
    }
}

/// Since when a session must have been used, and started, to be open.
fn oldest(now: Timestamp) -> (Timestamp, Timestamp) {
    (now.minus(IDLE_MAX), now.minus(AGE_MAX))
}

/// Follows from the token, so that nothing more is kept, and tells nothing of it.
fn csrf(token: &str) -> Secret<String> {
    let digest = Sha256::new()
        .chain_update("form:")
        .chain_update(token)
        .finalize();
    Secret::new(
        digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
    )
}
