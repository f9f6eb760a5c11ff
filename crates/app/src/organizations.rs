//! Organizations: accounts that several people share.
//!
//! Each has credits, workspaces and an audit log of its own, and at least one owner. Who may do what is
//! the table of `switchyard_domain::authority`; nobody gives more than they have. Whatever says who
//! belongs to an organization is asked and changed under one lock, so two owners cannot leave at once.
//!
//! Read `members.rs` for who belongs to one, `invitations.rs` for how somebody comes to.

mod invitations;
mod members;

use std::sync::Arc;

use serde_json::json;
use switchyard_domain::{
    clock::Clock,
    id::{AccountId, PersonId, WorkspaceId},
};
use switchyard_store::{
    DirectoryError,
    audit::AuditVia,
    organization::{
        ABOVE_OWN_ROLE, LAST_OWNER, NewOrganization, OTHER_ADDRESS, OrganizationStore,
        PERSONAL_ACCOUNT, TOO_MANY, UNVERIFIED_ADDRESS,
    },
    person::AccountKind,
    tenancy::LIVE_KEYS,
};
use switchyard_vault::random::RandomUnavailable;

pub use switchyard_store::organization::{Invitation, OrganizationMember};

use crate::{
    App,
    acting_caller::{ActingCaller, Deed},
    audit::Actor,
    mail::MailError,
    random::RandomSource,
};

pub use self::invitations::{INVITATION_LIFE, Sent, SentInvitation};

/// Characters of an account's or a person's name.
pub const NAME_CHARS_MAX: usize = 100;

/// Why something was not done to an organization.
#[derive(Debug, thiserror::Error)]
pub enum OrganizationError {
    /// What was sent is wrong.
    #[error("`{field}` {message}")]
    Invalid {
        field: &'static str,
        /// Reads on after the field's name.
        message: String,
    },
    /// The organization has no such person, or no such invitation is open.
    #[error("not found")]
    Missing,
    /// It is one person's own account.
    #[error("this is a personal account")]
    Personal,
    /// It would have no owner.
    #[error("an organization has at least one owner")]
    LastOwner,
    /// Whoever asks is less than whom they ask about, or than what they give.
    #[error("nobody gives or takes a role above their own")]
    AboveOwnRole,
    /// They have API keys that work.
    #[error("this person has API keys that work")]
    HasKeys,
    /// Whoever asks has not shown that they read mail at their address.
    #[error("the e-mail address is not verified")]
    Unverified,
    /// The invitation is for another address.
    #[error("the invitation is for another address")]
    OtherAddress,
    /// Whoever is invited belongs to it already.
    #[error("already a member")]
    AlreadyMember,
    /// They were invited already.
    #[error("already invited")]
    AlreadyInvited,
    /// There are as many as there may be.
    #[error("too many open invitations")]
    TooMany,
    /// Others are changing the same thing.
    #[error("changed by somebody else at the same moment")]
    Contended,
    /// The mail was not taken; nothing else was undone.
    #[error("the mail was not sent")]
    Unsent(#[from] MailError),
    #[error(transparent)]
    Random(#[from] RandomUnavailable),
    #[error(transparent)]
    Directory(DirectoryError),
}

impl From<DirectoryError> for OrganizationError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Missing(_) => Self::Missing,
            DirectoryError::Refused(PERSONAL_ACCOUNT) => Self::Personal,
            DirectoryError::Refused(LAST_OWNER) => Self::LastOwner,
            DirectoryError::Refused(ABOVE_OWN_ROLE) => Self::AboveOwnRole,
            DirectoryError::Refused(LIVE_KEYS) => Self::HasKeys,
            DirectoryError::Refused(UNVERIFIED_ADDRESS) => Self::Unverified,
            DirectoryError::Refused(OTHER_ADDRESS) => Self::OtherAddress,
            DirectoryError::Refused(TOO_MANY) => Self::TooMany,
            DirectoryError::Conflict("member") => Self::AlreadyMember,
            DirectoryError::Conflict("invitation") => Self::AlreadyInvited,
            DirectoryError::Conflict("role") => Self::Contended,
            other => Self::Directory(other),
        }
    }
}

/// What organizations are kept with.
pub struct Organizations {
    store: Arc<dyn OrganizationStore>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
}

impl std::fmt::Debug for Organizations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Organizations")
    }
}

impl Organizations {
    pub fn new(
        store: Arc<dyn OrganizationStore>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn RandomSource>,
    ) -> Self {
        Self {
            store,
            clock,
            random,
        }
    }

    /// Makes an organization whose first owner is whoever makes it, with credits and a default
    /// workspace of its own.
    pub async fn create(
        &self,
        by: &ActingCaller,
        founder: PersonId,
        name: &str,
    ) -> Result<AccountId, OrganizationError> {
        let name = checked_name(name)?;
        let at = self.clock.now();
        let account_id = AccountId::from_uuid(self.random.uuid(at));
        let workspace_id = WorkspaceId::from_uuid(self.random.uuid(at));
        let new = NewOrganization {
            account_id,
            workspace_id,
            name: name.to_owned(),
            founder,
            at,
        };
        let mut audit = by.did(
            Deed {
                action: "organization.create",
                subject: account_id.to_string(),
                workspace_id: None,
                detail: json!({ "after": { "name": name }, "default_workspace": workspace_id }),
            },
            at,
        );
        // Its own first entry, not one of the account that its founder looked at.
        audit.origin.account_id = Some(account_id);
        self.store.create_organization(&new, &audit).await?;
        Ok(account_id)
    }

    /// Whether an account is an organization's.
    pub async fn is_organization(&self, account: AccountId) -> Result<bool, DirectoryError> {
        let kind = self.store.account_kind(account).await?;
        Ok(kind == Some(AccountKind::Organization))
    }

    /// Calls the account something else.
    pub async fn rename(
        &self,
        by: &ActingCaller,
        before: &str,
        name: &str,
    ) -> Result<(), OrganizationError> {
        let name = checked_name(name)?;
        let account = by.account_id();
        let deed = Deed {
            action: "account.change",
            subject: account.to_string(),
            workspace_id: None,
            detail: json!({ "before": { "name": before }, "after": { "name": name } }),
        };
        let audit = by.did(deed, self.clock.now());
        Ok(self.store.rename_account(account, name, &audit).await?)
    }

    /// Calls somebody something else, and their own account with them. The log does not keep names of
    /// people.
    pub async fn rename_person(
        &self,
        by: &ActingCaller,
        person: PersonId,
        name: &str,
    ) -> Result<(), OrganizationError> {
        let name = checked_name(name)?;
        let deed = Deed {
            action: "person.change",
            subject: person.to_string(),
            workspace_id: None,
            detail: json!({ "changed": ["name"] }),
        };
        let audit = by.did(deed, self.clock.now());
        Ok(self.store.rename_person(person, name, &audit).await?)
    }
}

impl App {
    /// Organizations and who belongs to them.
    pub fn organizations(&self) -> &Organizations {
        &self.organizations
    }
}

/// A name without space around it, one line of it.
fn checked_name(name: &str) -> Result<&str, OrganizationError> {
    let name = name.trim();
    let is_fine =
        (1..=NAME_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if is_fine {
        return Ok(name);
    }
    Err(OrganizationError::Invalid {
        field: "name",
        message: format!("must have 1 to {NAME_CHARS_MAX} characters on one line"),
    })
}

/// Somebody who does something through a program, which no API key stands for yet.
pub(crate) fn through_program(person: Option<PersonId>, ip: Option<String>) -> Actor {
    let name = person.map_or_else(|| "service".to_owned(), |person| person.to_string());
    let mut actor = Actor::of(name, AuditVia::Api);
    actor.ip = ip;
    actor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line() {
        assert_eq!(checked_name(" Acme ").expect("fine"), "Acme");
        let long = "x".repeat(NAME_CHARS_MAX + 1);
        for bad in ["", "  ", "a\nb", long.as_str()] {
            assert!(checked_name(bad).is_err(), "{bad:?}");
        }
    }
}
