//! Accounts that several people share: who belongs to them and as what, and who was asked to.

use async_trait::async_trait;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, InvitationId, PersonId, WorkspaceId},
    tenancy::Role,
};

use crate::{
    api_key::KeyRevision, audit::AuditEvent, directory::DirectoryError, person::AccountKind,
};

/// [`DirectoryError::Refused`]: nobody joins or leaves an account that is one person's own.
pub const PERSONAL_ACCOUNT: &str = "personal_account";
/// [`DirectoryError::Refused`]: the account would have no owner.
pub const LAST_OWNER: &str = "last_owner";
/// [`DirectoryError::Refused`]: whoever asks is less than whom they ask about, or than what they give.
pub const ABOVE_OWN_ROLE: &str = "above_own_role";
/// [`DirectoryError::Refused`]: the invitation is for somebody else's address.
pub const OTHER_ADDRESS: &str = "other_address";
/// [`DirectoryError::Refused`]: whoever asks has not shown that they read mail at their address.
pub const UNVERIFIED_ADDRESS: &str = "unverified_address";
/// [`DirectoryError::Refused`]: there are as many as there may be.
pub const TOO_MANY: &str = "too_many";

/// An organization to be made, with its default workspace and its first owner.
#[derive(Debug, Clone)]
pub struct NewOrganization {
    /// Its id.
    pub account_id: AccountId,
    /// Its default workspace's id.
    pub workspace_id: WorkspaceId,
    /// What it is called.
    pub name: String,
    /// Who makes it.
    pub founder: PersonId,
    /// Now.
    pub at: Timestamp,
}

/// Somebody of an account, as its administrators see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationMember {
    /// Who.
    pub id: PersonId,
    /// The address they sign in with.
    pub email: String,
    /// What they are called.
    pub name: String,
    /// What they are to the account.
    pub role: Role,
    /// How they came, such as `invite`.
    pub source: String,
    /// Since when.
    pub created_at: Timestamp,
    /// How they proved to be who they say in the session that last looked at the account.
    pub proof: Option<String>,
    /// When that session was used last.
    pub last_seen_at: Option<Timestamp>,
    /// Their API keys in the account that were not deleted.
    pub keys: u64,
}

/// Somebody becomes something else to an account.
#[derive(Debug, Clone, Copy)]
pub struct RoleChange {
    /// The account.
    pub account_id: AccountId,
    /// Who.
    pub person: PersonId,
    /// What they were when it was decided; `Conflict` on `role` if that is not so any more.
    pub expected: Role,
    /// What they shall be.
    pub role: Role,
    /// Who decides.
    pub by: PersonId,
}

/// What becomes of the API keys of somebody who leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysOnLeaving {
    /// There must be none that work: [`crate::tenancy::LIVE_KEYS`] otherwise.
    MustBeOff,
    /// They are switched off.
    SwitchOff,
}

/// Somebody leaves an account, or is sent away.
#[derive(Debug, Clone, Copy)]
pub struct Departure {
    /// The account.
    pub account_id: AccountId,
    /// Who.
    pub person: PersonId,
    /// Who decides.
    pub by: PersonId,
    /// What becomes of their keys.
    pub keys: KeysOnLeaving,
}

/// An invitation to be sent.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// Its id.
    pub id: InvitationId,
    /// To which account.
    pub account_id: AccountId,
    /// To whom.
    pub email: String,
    /// As what.
    pub role: Role,
    /// SHA-256 of the link's secret part.
    pub token_hash: [u8; 32],
    /// Who invites.
    pub by: PersonId,
    /// Now.
    pub at: Timestamp,
    /// Useless from then on.
    pub expires_at: Timestamp,
}

/// An invitation that was neither accepted nor withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// To which account.
    pub account_id: AccountId,
    /// What that is called.
    pub account_name: String,
    /// To whom.
    pub email: String,
    /// As what.
    pub role: Role,
    /// What whoever invites is called.
    pub inviter: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was sent last.
    pub sent_at: Timestamp,
    /// Useless from then on.
    pub expires_at: Timestamp,
}

/// A new link for an invitation; the one before it works no more.
#[derive(Debug, Clone, Copy)]
pub struct Renewal {
    /// SHA-256 of the link's secret part.
    pub token_hash: [u8; 32],
    /// Now.
    pub at: Timestamp,
    /// Useless from then on.
    pub expires_at: Timestamp,
}

/// Keeps organizations, their people and their invitations.
#[async_trait]
pub trait OrganizationStore: Send + Sync + 'static {
    /// Makes an organization. `Refused` with [`UNVERIFIED_ADDRESS`].
    async fn create_organization(
        &self,
        organization: &NewOrganization,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// What an account is.
    async fn account_kind(&self, account: AccountId)
    -> Result<Option<AccountKind>, DirectoryError>;

    /// Calls an account something else. `Missing` when there is none.
    async fn rename_account(
        &self,
        account: AccountId,
        name: &str,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// Calls somebody something else, and their own account with them.
    async fn rename_person(
        &self,
        person: PersonId,
        name: &str,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// The people of an account in the order they came, behind one of them where one is given.
    async fn organization_members(
        &self,
        account: AccountId,
        after: Option<PersonId>,
        limit: u32,
    ) -> Result<Vec<OrganizationMember>, DirectoryError>;

    /// One of them.
    async fn organization_member(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<Option<OrganizationMember>, DirectoryError>;

    /// The workspaces of an account, other than the default one, that somebody was let into.
    async fn workspaces_of(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<Vec<WorkspaceId>, DirectoryError>;

    /// Makes somebody something else to an organization, and in its workspaces. Asked under a lock:
    /// `Missing` when the account has no such person, `Conflict` on `role`, `Refused` with
    /// [`ABOVE_OWN_ROLE`], [`LAST_OWNER`] and [`PERSONAL_ACCOUNT`].
    async fn change_role(
        &self,
        change: &RoleChange,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// Somebody is no longer of an organization; tells which of their keys were switched off. Refuses
    /// as [`change_role`](Self::change_role) does, and with [`crate::tenancy::LIVE_KEYS`].
    async fn end_membership(
        &self,
        departure: &Departure,
        audit: &AuditEvent,
    ) -> Result<Vec<KeyRevision>, DirectoryError>;

    /// Keeps an invitation. `Conflict` on `member` when the address is a member's, on `invitation`
    /// when it was invited already; `Refused` with [`ABOVE_OWN_ROLE`], [`PERSONAL_ACCOUNT`] and
    /// [`TOO_MANY`].
    async fn insert_invitation(
        &self,
        invitation: &NewInvitation,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// An organization's open invitations, the latest first; also those whose time is over.
    async fn invitations(&self, account: AccountId) -> Result<Vec<Invitation>, DirectoryError>;

    /// The open invitation with this link.
    async fn invitation(
        &self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Invitation>, DirectoryError>;

    /// Gives an open invitation a new link. `Missing` when the account has no such one.
    async fn renew_invitation(
        &self,
        account: AccountId,
        id: InvitationId,
        renewal: &Renewal,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// Withdraws an open invitation. `Missing` when the account has no such one.
    async fn withdraw_invitation(
        &self,
        account: AccountId,
        id: InvitationId,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;

    /// Makes whoever was invited a member, once. `Missing` when the link works no more, `Refused` with
    /// [`OTHER_ADDRESS`] and [`UNVERIFIED_ADDRESS`], `Conflict` on `member`.
    async fn accept_invitation(
        &self,
        token_hash: &[u8; 32],
        person: PersonId,
        audit: &AuditEvent,
    ) -> Result<(), DirectoryError>;
}
