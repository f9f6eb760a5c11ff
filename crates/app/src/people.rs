//! People who sign in: their sessions, and links that were sent to them.
//!
//! A session is found by a token that only its cookie holds; here it is a digest. It says which account and
//! workspace are looked at, and when the person last proved to be who they say.

pub mod links;
pub mod proofs;
pub mod sessions;

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use switchyard_domain::{clock::Clock, id::PersonId, secret::Secret};
pub use switchyard_store::person::{AccountKind, Membership, Person};
use switchyard_store::{DirectoryError, person::PersonStore};
use switchyard_vault::random::{Random, RandomUnavailable};

use crate::{mail::Mailer, random::RandomSource};

/// What people and their sessions are kept with.
pub struct People {
    store: Arc<dyn PersonStore>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
    /// For what must not be guessed.
    secrets: Arc<dyn Random>,
    mailer: Arc<dyn Mailer>,
}

/// What [`People`] is made of.
pub struct PeopleParts {
    pub store: Arc<dyn PersonStore>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn RandomSource>,
    pub secrets: Arc<dyn Random>,
    pub mailer: Arc<dyn Mailer>,
}

impl People {
    pub fn new(parts: PeopleParts) -> Self {
        Self {
            store: parts.store,
            clock: parts.clock,
            random: parts.random,
            secrets: parts.secrets,
            mailer: parts.mailer,
        }
    }

    /// One person.
    pub async fn person(&self, id: PersonId) -> Result<Option<Person>, DirectoryError> {
        self.store.person(id).await
    }

    /// The person with this address, whatever its case.
    pub async fn by_email(&self, email: &str) -> Result<Option<Person>, DirectoryError> {
        self.store.person_by_email(email).await
    }

    /// The accounts that somebody belongs to: their own first.
    pub async fn memberships(&self, person: PersonId) -> Result<Vec<Membership>, DirectoryError> {
        self.store.memberships(person).await
    }

    /// How mail goes out.
    pub fn mailer(&self) -> &dyn Mailer {
        &*self.mailer
    }

    /// 256 random bits as text, and the digest that is kept of it.
    pub(crate) fn token(&self) -> Result<(Secret<String>, [u8; 32]), RandomUnavailable> {
        let mut bytes = [0; 32];
        self.secrets.fill(&mut bytes)?;
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let digest = digest(&text);
        Ok((Secret::new(text), digest))
    }
}

/// What is kept of a token.
pub(crate) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
