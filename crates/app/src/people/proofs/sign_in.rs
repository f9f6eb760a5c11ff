//! Signing in with a password, and with a code where there is an authenticator app.

use serde_json::json;
use switchyard_domain::{id::PersonId, secret::Secret};
use switchyard_identity::password::{Checked, StoredPassword};

use super::{ProofError, Proofs, TypedPassword, attempts, unfinished::Matter};
use crate::people::sessions::{Device, Proof};

/// How far somebody got.
#[derive(Debug)]
pub enum SignedIn {
    /// A session's token.
    Session(Secret<String>),
    /// A code is still asked; the token is for [`Proofs::sign_in_with_code`].
    NeedsCode(Secret<String>),
}

impl Proofs {
    /// Signs in with a password. Nobody and somebody with another password are the same.
    pub async fn sign_in(
        &self,
        email: &str,
        password: TypedPassword,
        device: Device,
    ) -> Result<SignedIn, ProofError> {
        self.may_come_from(device.ip.as_deref()).await?;
        self.attempt(&attempts::PASSWORD, email).await?;
        let person = self.people.by_email(email).await?;
        let id = person.map(|person| person.id);
        if !self.has_password(id, password).await? {
            self.failed_from(device.ip.as_deref()).await?;
            return Err(ProofError::Wrong);
        }
        let person = id.ok_or(ProofError::Wrong)?;
        self.succeeded(&attempts::PASSWORD, email).await?;
        if self.asks_code(person).await? {
            let token = self.begin(Matter::SecondFactor, Some(person), json!({}));
            return Ok(SignedIn::NeedsCode(token.await?));
        }
        let session = self.people.start_session(person, Proof::Password, device);
        Ok(SignedIn::Session(session.await?))
    }

    /// Whether a sign-in waits for its code.
    pub async fn waits_for_code(&self, token: &str) -> Result<bool, ProofError> {
        match self.begun(Matter::SecondFactor, token).await {
            Ok(_) => Ok(true),
            Err(ProofError::Expired) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Finishes a sign-in with a code of the authenticator app, or with a recovery code.
    pub async fn sign_in_with_code(
        &self,
        token: &str,
        code: &Secret<String>,
        device: Device,
    ) -> Result<Secret<String>, ProofError> {
        self.may_come_from(device.ip.as_deref()).await?;
        let begun = self.begun(Matter::SecondFactor, token).await?;
        let person = begun.person_id.ok_or(ProofError::Expired)?;
        let proof = self.check_code(person, code, device.ip.as_deref()).await?;
        // Whoever is second with the same token, however right, is too late.
        self.take(Matter::SecondFactor, token).await?;
        Ok(self.people.start_session(person, proof, device).await?)
    }

    /// Whether it is this person's password. Nobody has one, and that takes as long to find out.
    pub(super) async fn has_password(
        &self,
        person: Option<PersonId>,
        password: TypedPassword,
    ) -> Result<bool, ProofError> {
        let asked = person.unwrap_or_else(|| PersonId::from_uuid(uuid::Uuid::nil()));
        let kept = self.store.password(asked).await?;
        let stored = kept
            .as_ref()
            .map(|kept| StoredPassword::from_stored(kept.phc.clone()));
        let again = Secret::new(password.expose().clone());
        match self.passwords.check(password, stored).await? {
            Checked::Wrong => Ok(false),
            Checked::Right => Ok(true),
            Checked::RightButOutdated => {
                if let (Some(person), Some(kept)) = (person, kept) {
                    let anew = self.passwords.keep(again, self.salt()?).await?;
                    self.store
                        .rehash_password(person, &kept.phc, anew.as_str())
                        .await?;
                }
                Ok(true)
            }
        }
    }
}
