//! How somebody comes to belong to an organization: a link, sent to their address, that works for them
//! alone.

use std::time::Duration;

use serde_json::json;
use switchyard_domain::{
    id::{AccountId, InvitationId, PersonId},
    secret::Secret,
    tenancy::Role,
};
use switchyard_store::{
    DirectoryError,
    organization::{Invitation, NewInvitation, Renewal},
};

use super::OrganizationError;
use crate::{
    App,
    acting_caller::{ActingCaller, Deed},
    mail::{Mail, MailError},
    people::{Person, digest},
};

/// How long an invitation can be accepted.
pub const INVITATION_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Whether the mail with a link went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    Yes,
    /// No mail can be sent here, or not now: the link has to be handed over some other way.
    No,
}

/// An invitation that was made or sent anew.
#[derive(Debug)]
pub struct SentInvitation {
    pub id: InvitationId,
    /// The secret part of its link.
    pub token: Secret<String>,
    pub sent: Sent,
}

impl App {
    /// Invites whoever reads mail at an address. Links begin with `base`, such as
    /// `https://switchyard.example`.
    pub async fn invite(
        &self,
        by: &ActingCaller,
        inviter: &Person,
        (email, role): (&str, Role),
        base: &str,
    ) -> Result<SentInvitation, OrganizationError> {
        let email = checked_address(email)?;
        let organizations = self.organizations();
        let at = organizations.clock.now();
        let (token, token_hash) = self.people().token()?;
        let id = InvitationId::from_uuid(organizations.random.uuid(at));
        let new = NewInvitation {
            id,
            account_id: by.account_id(),
            email: email.to_owned(),
            role,
            token_hash,
            by: inviter.id,
            at,
            expires_at: at.plus(INVITATION_LIFE),
        };
        // Entries cannot be deleted, so an address does not belong there.
        let deed = Deed {
            action: "invitation.create",
            subject: id.to_string(),
            workspace_id: None,
            detail: json!({ "after": { "role": role } }),
        };
        let audit = by.did(deed, at);
        let kept = organizations.store.insert_invitation(&new, &audit);
        kept.await?;
        let sent = self
            .send_invitation(by.account_id(), id, &token, base)
            .await?;
        Ok(SentInvitation { id, token, sent })
    }

    /// Sends an invitation anew, with another link and seven more days.
    pub async fn resend_invitation(
        &self,
        by: &ActingCaller,
        id: InvitationId,
        base: &str,
    ) -> Result<SentInvitation, OrganizationError> {
        let organizations = self.organizations();
        let (account, at) = (by.account_id(), organizations.clock.now());
        let (token, token_hash) = self.people().token()?;
        let renewal = Renewal {
            token_hash,
            at,
            expires_at: at.plus(INVITATION_LIFE),
        };
        let audit = by.did(deed("invitation.resend", id), at);
        let renewed = organizations
            .store
            .renew_invitation(account, id, &renewal, &audit);
        renewed.await?;
        let sent = self.send_invitation(account, id, &token, base).await?;
        Ok(SentInvitation { id, token, sent })
    }

    async fn send_invitation(
        &self,
        account: AccountId,
        id: InvitationId,
        token: &Secret<String>,
        base: &str,
    ) -> Result<Sent, OrganizationError> {
        let open = self.organizations().invitations(account).await?;
        let invitation = open.iter().find(|invitation| invitation.id == id);
        let invitation = invitation.ok_or(OrganizationError::Missing)?;
        match self
            .people()
            .mailer()
            .send(mail(invitation, token, base))
            .await
        {
            Ok(()) => Ok(Sent::Yes),
            Err(MailError::NotConfigured | MailError::Full) => Ok(Sent::No),
        }
    }
}

impl super::Organizations {
    /// An organization's open invitations, the latest first; also those whose time is over.
    pub async fn invitations(
        &self,
        account: AccountId,
    ) -> Result<Vec<Invitation>, OrganizationError> {
        Ok(self.store.invitations(account).await?)
    }

    /// What a link invites to, if it still works.
    pub async fn invitation(&self, token: &str) -> Result<Option<Invitation>, DirectoryError> {
        self.store
            .invitation(&digest(token), self.clock.now())
            .await
    }

    /// Withdraws an invitation.
    pub async fn withdraw(
        &self,
        by: &ActingCaller,
        id: InvitationId,
    ) -> Result<(), OrganizationError> {
        let audit = by.did(deed("invitation.withdraw", id), self.clock.now());
        let withdrawn = self.store.withdraw_invitation(by.account_id(), id, &audit);
        Ok(withdrawn.await?)
    }

    /// Makes whoever was invited a member. They must have shown that they read mail at the address.
    pub async fn accept(
        &self,
        by: &ActingCaller,
        person: PersonId,
        token: &str,
    ) -> Result<Invitation, OrganizationError> {
        let found = self.invitation(token).await?;
        let invitation = found.ok_or(OrganizationError::Missing)?;
        let deed = Deed {
            action: "invitation.accept",
            subject: invitation.id.to_string(),
            workspace_id: None,
            detail: json!({ "member": person, "after": { "role": invitation.role } }),
        };
        let mut audit = by.did(deed, self.clock.now());
        audit.origin.account_id = Some(invitation.account_id);
        let link = digest(token);
        self.store.accept_invitation(&link, person, &audit).await?;
        Ok(invitation)
    }
}

fn deed(action: &'static str, id: InvitationId) -> Deed {
    Deed {
        action,
        subject: id.to_string(),
        workspace_id: None,
        detail: json!({}),
    }
}

fn mail(invitation: &Invitation, token: &Secret<String>, base: &str) -> Mail {
    let Invitation {
        account_name,
        inviter,
        role,
        ..
    } = invitation;
    let link = format!("{base}/invitations/{}", token.expose());
    let text = format!(
        "{inviter} invites you to join {account_name} on Switchyard as {}.\n\n\
         Open this link to see what that means and to accept:\n\n{link}\n\n\
         It works for 7 days, and only for you: sign in with this address, or sign up with it.\n\
         If you do not know why you get this, do nothing.\n",
        role.as_str()
    );
    Mail {
        to: invitation.email.clone(),
        subject: format!("Join {account_name} on Switchyard"),
        text: Secret::new(text),
    }
}

/// An address that a mail can be sent to, as far as that can be told from looking at it.
fn checked_address(email: &str) -> Result<&str, OrganizationError> {
    let email = email.trim();
    let well_formed = email.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
    });
    let is_one_word = !email.chars().any(|c| c.is_whitespace() || c.is_control());
    if well_formed && is_one_word && email.len() <= 254 {
        return Ok(email);
    }
    Err(OrganizationError::Invalid {
        field: "email",
        message: "must be an e-mail address such as ada@example.com".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_look_like_addresses() {
        for good in ["ada@example.com", " ada@example.com ", "a+b@x.y.z"] {
            assert_eq!(checked_address(good).expect("fine"), good.trim());
        }
        for bad in [
            "",
            "ada",
            "ada@",
            "@x.y",
            "ada@x",
            "a b@x.y",
            "a@x.y\nBcc: b@x.y",
        ] {
            assert!(checked_address(bad).is_err(), "{bad:?}");
        }
    }
}
