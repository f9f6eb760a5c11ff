//! Showing again that it is still them, before something dangerous. The session gets a new token.

use switchyard_domain::secret::Secret;

use super::{ProofError, Proofs, TypedPassword};
use crate::people::sessions::{Proof, Visitor};

impl Proofs {
    /// With the password, where no code is asked of this person: then the code is what is asked here.
    pub async fn confirm_with_password(
        &self,
        visitor: &Visitor,
        password: TypedPassword,
    ) -> Result<Secret<String>, ProofError> {
        let person = visitor.person();
        if self.asks_code(person.id).await? {
            return Err(ProofError::Wrong);
        }
        self.check_password(person, password).await?;
        self.renew(visitor, Proof::Password).await
    }

    /// With a code of the authenticator app, or a recovery code.
    pub async fn confirm_with_code(
        &self,
        visitor: &Visitor,
        code: &Secret<String>,
    ) -> Result<Secret<String>, ProofError> {
        let ip = visitor.session().ip.as_deref();
        let proof = self.check_code(visitor.person().id, code, ip).await?;
        self.renew(visitor, proof).await
    }

    /// With a passkey of their own.
    pub async fn confirm_with_passkey(
        &self,
        visitor: &Visitor,
        token: &str,
        answer: &str,
    ) -> Result<Secret<String>, ProofError> {
        if self.check_passkey(token, answer).await? != visitor.person().id {
            return Err(ProofError::Wrong);
        }
        self.renew(visitor, Proof::Passkey).await
    }

    async fn renew(&self, visitor: &Visitor, proof: Proof) -> Result<Secret<String>, ProofError> {
        let session = visitor.session().id;
        Ok(self.people.renew_session(session, proof).await?)
    }
}
