//! Choosing another password: by a link in a mail, or signed in.

use serde_json::json;
use switchyard_domain::{clock::Timestamp, id::PersonId, secret::Secret};

use super::{ProofError, Proofs, TypedPassword, attempts, mails};
use crate::people::{
    Person, digest,
    links::Purpose,
    sessions::{Proof, Visitor},
};

impl Proofs {
    /// When somebody last chose a password; `None` where they have none.
    pub async fn password_since(&self, person: PersonId) -> Result<Option<Timestamp>, ProofError> {
        let kept = self.store.password(person).await?;
        Ok(kept.map(|kept| kept.changed_at))
    }

    /// Sends a link to choose a new password, if there is anybody with this address.
    pub async fn ask_reset(&self, email: &str) -> Result<(), ProofError> {
        if !self.settings.sends_mail {
            return Err(ProofError::NoMail);
        }
        self.attempt(&attempts::RESET_MAIL, email).await?;
        if let Some(person) = self.people.by_email(email).await? {
            let link = self.reset_link(&person).await?;
            self.send(mails::reset(&person, &link)).await;
        }
        Ok(())
    }

    pub(super) async fn reset_link(&self, person: &Person) -> Result<String, ProofError> {
        let token = self
            .people
            .make_link(person.id, Purpose::ResetPassword, json!({}))
            .await?;
        Ok(self.address(&format!("/reset/{}", token.expose())))
    }

    /// Whom a link lets choose a new password, if it can still be used.
    pub async fn may_reset(&self, token: &str) -> Result<Option<Person>, ProofError> {
        let link = self
            .people
            .look_at_link(token, Purpose::ResetPassword)
            .await?;
        match link {
            Some(link) => Ok(self.people.person(link.person_id).await?),
            None => Ok(None),
        }
    }

    /// Sets a new password by such a link, and ends all sessions. Whoever did so still has to sign in,
    /// with the second factor if there is one.
    pub async fn reset(
        &self,
        token: &str,
        password: TypedPassword,
        ip: Option<&str>,
    ) -> Result<(), ProofError> {
        let person = self.may_reset(token).await?.ok_or(ProofError::Expired)?;
        self.check_new_password(&password, &person.email, &person.name)?;
        let kept = self.passwords.keep(password, self.salt()?).await?;
        let event = self.event(person.id, None, ip, "person.reset_password");
        let purpose = Purpose::ResetPassword.as_str();
        let reset = self
            .store
            .reset_password(&digest(token), purpose, kept.as_str(), &event)
            .await?;
        reset.ok_or(ProofError::Expired)?;
        self.succeeded(&attempts::PASSWORD, &person.email).await?;
        let again = self.address("/reset");
        self.send(mails::password_changed(&person, &again)).await;
        Ok(())
    }

    /// Sets another password and ends the visitor's other sessions. Whoever has one shows that they know
    /// it; whoever has none must have proved recently who they are. Returns this session's new token.
    pub async fn change_password(
        &self,
        visitor: &Visitor,
        present: Option<TypedPassword>,
        new: TypedPassword,
    ) -> Result<Secret<String>, ProofError> {
        let person = visitor.person();
        self.check_new_password(&new, &person.email, &person.name)?;
        if self.password_since(person.id).await?.is_some() {
            let present = present.unwrap_or_else(|| Secret::new(String::new()));
            self.check_password(person, present).await?;
        } else if !visitor.is_fresh(self.now()) {
            return Err(ProofError::Wrong);
        }
        let kept = self.passwords.keep(new, self.salt()?).await?;
        let event = self.visitor_event(visitor, "person.change_password");
        let session = visitor.session().id;
        self.store
            .set_password(person.id, kept.as_str(), Some(session), &event)
            .await?;
        let again = self.address("/reset");
        self.send(mails::password_changed(person, &again)).await;
        Ok(self.people.renew_session(session, Proof::Password).await?)
    }

    /// Sets the password of somebody whom an operator vouches for, such as the demo's owner.
    pub async fn set_password_as_operator(
        &self,
        person: PersonId,
        password: TypedPassword,
    ) -> Result<(), ProofError> {
        let kept = self.passwords.keep(password, self.salt()?).await?;
        let actor = crate::audit::Actor::operator();
        let event = actor.did(self.now(), "person.set_password", person, json!({}));
        Ok(self
            .store
            .set_password(person, kept.as_str(), None, &event)
            .await?)
    }

    /// Whether somebody who signed in still knows their password; counted like a sign-in.
    pub(super) async fn check_password(
        &self,
        person: &Person,
        password: TypedPassword,
    ) -> Result<(), ProofError> {
        self.attempt(&attempts::PASSWORD, &person.email).await?;
        if !self.has_password(Some(person.id), password).await? {
            return Err(ProofError::Wrong);
        }
        self.succeeded(&attempts::PASSWORD, &person.email).await
    }
}
