//! What a browser is in the middle of. Its cookie has a token, and what was found out so far stays here:
//! nobody can change it, and it is over when it was used or is too old.

use std::time::Duration;

use serde_json::Value;
use switchyard_domain::{id::PersonId, secret::Secret};
use switchyard_identity::passkey::CHALLENGE_LIFE;
use switchyard_store::proof::{NewUnfinished, Unfinished};

use super::{ProofError, Proofs};
use crate::people::digest;

/// What it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matter {
    /// Somebody signed up in this browser.
    SignUp,
    /// The password was right; the second factor is still asked.
    SecondFactor,
    /// A passkey was asked for.
    Passkey,
    /// A new passkey was asked for.
    NewPasskey,
}

impl Matter {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::SecondFactor => "second_factor",
            Self::Passkey => "passkey",
            Self::NewPasskey => "new_passkey",
        }
    }

    const fn lasts(self) -> Duration {
        match self {
            Self::SignUp => Duration::from_secs(24 * 3_600),
            Self::SecondFactor => Duration::from_secs(10 * 60),
            Self::Passkey | Self::NewPasskey => CHALLENGE_LIFE,
        }
    }
}

impl Proofs {
    /// Begins something and returns the token for the browser.
    pub(super) async fn begin(
        &self,
        matter: Matter,
        person: Option<PersonId>,
        state: Value,
    ) -> Result<Secret<String>, ProofError> {
        let (token, token_hash) = self.people.token()?;
        let at = self.now();
        let unfinished = NewUnfinished {
            token_hash,
            purpose: matter.as_str(),
            person_id: person,
            state,
            at,
            expires_at: at.plus(matter.lasts()),
        };
        self.store.insert_unfinished(&unfinished).await?;
        Ok(token)
    }

    /// Looks at what was begun.
    pub(super) async fn begun(
        &self,
        matter: Matter,
        token: &str,
    ) -> Result<Unfinished, ProofError> {
        let (hash, now) = (digest(token), self.now());
        let found = self.store.unfinished(&hash, matter.as_str(), now);
        found.await?.ok_or(ProofError::Expired)
    }

    /// Takes what was begun, for good.
    pub(super) async fn take(&self, matter: Matter, token: &str) -> Result<Unfinished, ProofError> {
        let (hash, now) = (digest(token), self.now());
        let taken = self.store.take_unfinished(&hash, matter.as_str(), now);
        taken.await?.ok_or(ProofError::Expired)
    }
}
