//! Links that were sent to somebody and do one thing once. Following one only shows what it would do:
//! programs that look at mail follow links too.

use std::time::Duration;

use serde_json::{Value, json};
use switchyard_domain::{id::PersonId, secret::Secret};
pub use switchyard_store::person::UsedLink;
use switchyard_store::{DirectoryError, person::NewLink};

use super::{
    People, digest,
    sessions::{Device, Proof, SessionError},
};
use crate::audit::{self, Actor};

/// What a link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Signs somebody in whom an operator vouches for.
    SignIn,
    /// Shows that somebody reads mail at their address.
    VerifyEmail,
    /// Lets somebody choose a new password.
    ResetPassword,
}

impl Purpose {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
        }
    }

    /// How long such a link can be used.
    pub const fn lasts(self) -> Duration {
        match self {
            Self::SignIn => Duration::from_secs(15 * 60),
            Self::VerifyEmail => Duration::from_secs(24 * 60 * 60),
            Self::ResetPassword => Duration::from_secs(30 * 60),
        }
    }
}

impl People {
    /// Makes a link; what is returned is its secret part.
    pub async fn make_link(
        &self,
        person: PersonId,
        purpose: Purpose,
        detail: Value,
    ) -> Result<Secret<String>, SessionError> {
        let (token, link_hash) = self.token()?;
        let at = self.clock.now();
        let link = NewLink {
            link_hash,
            purpose: purpose.as_str(),
            person_id: person,
            detail,
            at,
            expires_at: at.plus(purpose.lasts()),
        };
        self.store.insert_link(&link).await?;
        Ok(token)
    }

    /// What a link would do, if it can still be used.
    pub async fn look_at_link(
        &self,
        token: &str,
        purpose: Purpose,
    ) -> Result<Option<UsedLink>, DirectoryError> {
        let now = self.clock.now();
        self.store.link(&digest(token), purpose.as_str(), now).await
    }

    /// Uses a link up.
    pub async fn use_link(
        &self,
        token: &str,
        purpose: Purpose,
    ) -> Result<Option<UsedLink>, DirectoryError> {
        let now = self.clock.now();
        self.store
            .use_link(&digest(token), purpose.as_str(), now)
            .await
    }

    /// Makes a link that signs somebody in; for operators, whose log says so.
    pub async fn sign_in_link(
        &self,
        directory: &dyn switchyard_store::Directory,
        email: &str,
    ) -> Result<Secret<String>, SignInLinkError> {
        let person = self.by_email(email).await?;
        let person = person.ok_or_else(|| SignInLinkError::Unknown(email.to_owned()))?;
        let token = self
            .make_link(person.id, Purpose::SignIn, json!({}))
            .await?;
        let at = self.clock.now();
        let mut event = Actor::operator().did(at, "person.sign_in_link", person.id, json!({}));
        // Whose affairs it opens sees that it was made.
        let memberships = self.memberships(person.id).await?;
        event.origin.account_id = memberships.first().map(|own| own.account_id);
        audit::note(directory, &event).await?;
        Ok(token)
    }

    /// Signs in whoever follows such a link, once; `None` where it was used or is too old.
    pub async fn sign_in_by_link(
        &self,
        token: &str,
        device: Device,
    ) -> Result<Option<Secret<String>>, SessionError> {
        let Some(link) = self.use_link(token, Purpose::SignIn).await? else {
            return Ok(None);
        };
        let session = self.start_session(link.person_id, Proof::Link, device);
        session.await.map(Some)
    }
}

/// Why no link was made for an operator.
#[derive(Debug, thiserror::Error)]
pub enum SignInLinkError {
    #[error("nobody signs in as `{0}`")]
    Unknown(String),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error(transparent)]
    Unnoted(#[from] audit::Unnoted),
}
