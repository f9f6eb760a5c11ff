//! Signing up: an account, a person who owns it, and a mail that shows that they read it.

use serde_json::json;
use switchyard_billing::store::CreditGrant;
use switchyard_domain::{
    id::{AccountId, LedgerTransactionId, PersonId, WorkspaceId},
    secret::Secret,
};
use switchyard_identity::password::{About, StoredPassword, check_new};
use switchyard_store::{DirectoryError, account::NewAccount};

use super::{PRODUCT, ProofError, Proofs, TypedPassword, attempts, mails, unfinished::Matter};
use crate::people::{
    Person, digest,
    links::Purpose,
    sessions::{Device, Proof},
};

/// Who signs up. The address has the form of one.
#[derive(Debug)]
pub struct NewPerson {
    pub name: String,
    pub email: String,
    pub password: TypedPassword,
}

/// An address was shown to be read.
#[derive(Debug)]
pub struct Verified {
    pub person: PersonId,
    /// Of a session that starts, in the browser that signed up.
    pub session: Option<Secret<String>>,
}

impl Proofs {
    /// Whether a password may be taken by whom it is for.
    pub fn check_new_password(
        &self,
        password: &TypedPassword,
        email: &str,
        name: &str,
    ) -> Result<(), ProofError> {
        let about = About {
            address: email,
            name,
            product: PRODUCT,
        };
        Ok(check_new(password.expose(), &about)?)
    }

    /// Makes an account, or tells whoever reads mail at the address that there is one. Returns a token
    /// for the browser, by which it is known again when the mail's link is followed.
    pub async fn sign_up(
        &self,
        new: NewPerson,
        ip: Option<&str>,
    ) -> Result<Secret<String>, ProofError> {
        if !self.settings.sign_up_is_open {
            return Err(ProofError::Closed);
        }
        if !self.settings.sends_mail {
            return Err(ProofError::NoMail);
        }
        self.check_new_password(&new.password, &new.email, &new.name)?;
        self.attempt(&attempts::SIGN_UP, ip.unwrap_or_default())
            .await?;
        // Kept before anything is looked up, so that it takes the same time for whomever.
        let kept = self.passwords.keep(new.password, self.salt()?).await?;
        let person = match self.people.by_email(&new.email).await? {
            Some(_) => None,
            None => self.make(&new.email, &new.name, &kept, ip).await?,
        };
        self.write_to(&new.email).await?;
        let person = person.map(|person| person.id);
        self.begin(Matter::SignUp, person, json!({})).await
    }

    /// `None` where somebody was faster.
    async fn make(
        &self,
        email: &str,
        name: &str,
        kept: &StoredPassword,
        ip: Option<&str>,
    ) -> Result<Option<Person>, ProofError> {
        let (at, random) = (self.now(), &self.people.random);
        let account = NewAccount {
            account_id: AccountId::from_uuid(random.uuid(at)),
            workspace_id: WorkspaceId::from_uuid(random.uuid(at)),
            email: email.to_owned(),
            name: name.to_owned(),
            at,
        };
        let id = PersonId::from_uuid(account.account_id.as_uuid());
        let event = self.event(id, Some(account.account_id), ip, "person.sign_up");
        match self.store.sign_up(&account, kept.as_str(), &event).await {
            Ok(()) => Ok(self.people.person(id).await?),
            Err(DirectoryError::Conflict(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks whoever is new to confirm the address, and tells whoever is known that somebody wanted to
    /// sign up as them.
    async fn write_to(&self, email: &str) -> Result<(), ProofError> {
        let Some(person) = self.people.by_email(email).await? else {
            return Ok(());
        };
        let limit = match person.email_verified_at {
            None => attempts::VERIFICATION_MAIL,
            Some(_) => attempts::RESET_MAIL,
        };
        match self.attempt(&limit, email).await {
            Ok(()) => {}
            // They were written to a moment ago; the answer is the same as if they were now.
            Err(ProofError::Locked { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
        if person.email_verified_at.is_none() {
            let link = self.verification_link(&person).await?;
            self.send(mails::verify(&person, &link)).await;
            return Ok(());
        }
        let link = self.reset_link(&person).await?;
        let sign_in = self.address("/login");
        self.send(mails::already_known(&person, &sign_in, &link))
            .await;
        Ok(())
    }

    async fn verification_link(&self, person: &Person) -> Result<String, ProofError> {
        let detail = json!({ "email": person.email });
        let token = self
            .people
            .make_link(person.id, Purpose::VerifyEmail, detail)
            .await?;
        Ok(self.address(&format!("/verify/{}", token.expose())))
    }

    /// Sends the link once more, if there is anybody who needs it.
    pub async fn resend_verification(&self, email: &str) -> Result<(), ProofError> {
        self.attempt(&attempts::VERIFICATION_MAIL, email).await?;
        let person = self.people.by_email(email).await?;
        if let Some(person) = person.filter(|person| person.email_verified_at.is_none()) {
            let link = self.verification_link(&person).await?;
            self.send(mails::verify(&person, &link)).await;
        }
        Ok(())
    }

    /// Notes that somebody reads mail at their address, by a link that they were sent. `browser` is
    /// what the browser that signed up was given.
    pub async fn verify_email(
        &self,
        token: &str,
        browser: Option<&str>,
        device: Device,
    ) -> Result<Verified, ProofError> {
        let link = self
            .people
            .look_at_link(token, Purpose::VerifyEmail)
            .await?;
        let person = link.ok_or(ProofError::Expired)?.person_id;
        let account = AccountId::from_uuid(person.as_uuid());
        let ip = device.ip.as_deref();
        let event = self.event(person, Some(account), ip, "person.verify_email");
        let purpose = Purpose::VerifyEmail.as_str();
        let verified = self
            .store
            .verify_email(&digest(token), purpose, &event)
            .await?;
        verified.ok_or(ProofError::Expired)?;
        self.give_sign_up_credit(person).await?;
        let session = match browser {
            Some(browser) if self.signed_up_here(browser, person).await? => {
                // Whoever holds this token typed the password when they signed up.
                let session = self.people.start_session(person, Proof::Password, device);
                Some(session.await?)
            }
            _ => None,
        };
        Ok(Verified { person, session })
    }

    async fn signed_up_here(&self, browser: &str, person: PersonId) -> Result<bool, ProofError> {
        match self.take(Matter::SignUp, browser).await {
            // Nobody who guards the account with more is let in with less.
            Ok(begun) => Ok(begun.person_id == Some(person) && !self.asks_code(person).await?),
            Err(ProofError::Expired) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Once, however often this is asked for.
    async fn give_sign_up_credit(&self, person: PersonId) -> Result<(), ProofError> {
        let amount = self.settings.sign_up_credit;
        let memberships = self.people.memberships(person).await?;
        let own = memberships
            .iter()
            .find(|one| one.account_id.as_uuid() == person.as_uuid());
        let (true, Some(own)) = (amount.is_positive(), own) else {
            return Ok(());
        };
        let at = self.now();
        let grant = CreditGrant {
            transaction_id: LedgerTransactionId::from_uuid(self.people.random.uuid(at)),
            idempotency_key: format!("sign-up:{}", own.account_id),
            account_id: own.account_id,
            amount,
            reason: "starting credit".to_owned(),
            at,
        };
        if let Err(error) = self.ledger.grant(&grant).await {
            tracing::warn!(error = %error, "a starting credit was not granted");
        }
        Ok(())
    }
}
