//! People who sign in: their sessions, and the links that are sent to them.

use async_trait::async_trait;
use serde_json::Value;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, PersonId, SessionId, WorkspaceId},
    tenancy::Role,
};

use crate::{audit::AuditEvent, directory::DirectoryError, tenancy::WorkspaceRole};

/// Somebody who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// The address they sign in with.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// When it was shown that they read mail at the address.
    pub email_verified_at: Option<Timestamp>,
    /// Since when.
    pub created_at: Timestamp,
}

/// What an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// One person's own.
    Personal,
    /// An organization's.
    Organization,
}

impl AccountKind {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Organization => "organization",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Personal, Self::Organization]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// An account that somebody belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Which.
    pub account_id: AccountId,
    /// What it is called.
    pub account_name: String,
    /// What it is.
    pub kind: AccountKind,
    /// What they are to it.
    pub role: Role,
    /// The workspace that was made with it.
    pub default_workspace_id: WorkspaceId,
}

/// A session to be started.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub person_id: PersonId,
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// What is looked at first.
    pub account_id: AccountId,
    /// Where in it.
    pub workspace_id: WorkspaceId,
    /// How the person proved to be who they say, such as `password`.
    pub proof: String,
    /// From which address.
    pub ip: Option<String>,
    /// With which browser.
    pub user_agent: Option<String>,
    /// Now.
    pub at: Timestamp,
}

/// A session as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub person_id: PersonId,
    /// What is looked at.
    pub account_id: AccountId,
    /// Where in it.
    pub workspace_id: WorkspaceId,
    /// How the person last proved to be who they say.
    pub proof: String,
    /// When.
    pub proved_at: Timestamp,
    /// From which address it was used last.
    pub ip: Option<String>,
    /// With which browser.
    pub user_agent: Option<String>,
    /// Since when.
    pub created_at: Timestamp,
    /// When it was used last, to a minute.
    pub last_seen_at: Timestamp,
}

/// A session in use, with all that says what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// The session.
    pub session: SessionRow,
    /// Whose it is.
    pub person: Person,
    /// What is looked at. The first of the person's accounts where it is gone or they left it.
    pub membership: Membership,
    /// What the workspace looked at is called.
    pub workspace_name: String,
    /// What they are in that workspace, where they are one of its members.
    pub workspace_role: Option<WorkspaceRole>,
}

/// A link to be sent.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// SHA-256 of its secret part.
    pub link_hash: [u8; 32],
    /// What it does, such as `sign_in`.
    pub purpose: &'static str,
    /// To whom.
    pub person_id: PersonId,
    /// What else it needs, a JSON object.
    pub detail: Value,
    /// Now.
    pub at: Timestamp,
    /// Useless from then on.
    pub expires_at: Timestamp,
}

/// A link that somebody followed.
#[derive(Debug, Clone, PartialEq)]
pub struct UsedLink {
    /// To whom it was sent.
    pub person_id: PersonId,
    /// What else was said when it was made.
    pub detail: Value,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Keeps people, their sessions and their links.
#[async_trait]
pub trait PersonStore: Send + Sync + 'static {
    /// One person.
    async fn person(&self, id: PersonId) -> Result<Option<Person>, DirectoryError>;

    /// The person with this address, whatever its case.
    async fn person_by_email(&self, email: &str) -> Result<Option<Person>, DirectoryError>;

    /// The accounts that somebody belongs to: their own first, then by name.
    async fn memberships(&self, person: PersonId) -> Result<Vec<Membership>, DirectoryError>;

    /// Starts a session.
    async fn insert_session(
        &self,
        session: &NewSession,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// The session with this token that was not ended, used since `seen_after` and started since
    /// `created_after`.
    async fn open_session(
        &self,
        token_hash: &[u8; 32],
        seen_after: Timestamp,
        created_after: Timestamp,
    ) -> Result<Option<OpenSession>, DirectoryError>;

    /// Notes that a session is in use.
    async fn touch_session(
        &self,
        id: SessionId,
        ip: Option<&str>,
        at: Timestamp,
    ) -> Result<(), DirectoryError>;

    /// Gives a session a new token and notes how the person proved to be who they say. `Missing` when
    /// it was ended.
    async fn prove_session(
        &self,
        id: SessionId,
        token_hash: &[u8; 32],
        proof: &str,
        at: Timestamp,
    ) -> Result<(), DirectoryError>;

    /// Looks at another workspace. `Missing` when the account has no such one.
    async fn move_session(
        &self,
        id: SessionId,
        account: AccountId,
        workspace: WorkspaceId,
    ) -> Result<(), DirectoryError>;

    /// Somebody's sessions that [`open_session`](Self::open_session) would find, the latest used first.
    async fn sessions(
        &self,
        person: PersonId,
        seen_after: Timestamp,
        created_after: Timestamp,
    ) -> Result<Vec<SessionRow>, DirectoryError>;

    /// Ends one of somebody's sessions. `Missing` when there is no such open one.
    async fn end_session(
        &self,
        person: PersonId,
        id: SessionId,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// Ends all of somebody's sessions but one, and tells how many.
    async fn end_other_sessions(
        &self,
        person: PersonId,
        keep: Option<SessionId>,
        audit: &AuditEvent,
    ) -> Result<u64, DirectoryError>;

    /// Keeps a link that is about to be sent.
    async fn insert_link(&self, link: &NewLink) -> Result<(), DirectoryError>;

    /// What a link would do that can still be used.
    async fn link(
        &self,
        link_hash: &[u8; 32],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<UsedLink>, DirectoryError>;

    /// Uses a link up, which works once.
    async fn use_link(
        &self,
        link_hash: &[u8; 32],
        purpose: &str,
        now: Timestamp,
    ) -> Result<Option<UsedLink>, DirectoryError>;
}
