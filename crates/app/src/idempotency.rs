//! Changes that a client asks for again because it did not see the answer. The first asking under a
//! key is carried out; for a day, the same asking gets the same answer, and another one under the
//! same key is refused.
//!
//! An answer may hold a new API key, so it is kept sealed. What failed is not kept: it may be tried
//! again. A process that dies between carrying something out and keeping the answer leaves a claim
//! that lapses; whoever asks after that has it done a second time.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use switchyard_domain::{
    clock::Clock, id::AccountId, id::CredentialId, provider::ProviderSlug, secret::Secret,
};
use switchyard_store::{
    DirectoryError,
    idempotency::{IdempotencyClaim, IdempotencyStore, IdempotentRequest},
};
use switchyard_vault::{OpenError, SealedSecret, SecretContext, Tenant, Vault};

use crate::{
    limits::{IDEMPOTENCY_CLAIM_LIFE, IDEMPOTENCY_KEY_CHARS_MAX, IDEMPOTENCY_LIFE},
    random::RandomSource,
};

/// What a sealed answer is bound to, in the place of a provider. No provider's slug has a colon.
const SEALED_FOR: &str = "switchyard:idempotency";

/// A client's name for one asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// Why a text is no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters")]
pub struct InvalidIdempotencyKey;

impl std::str::FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        let fits = (1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
            .ok_or(InvalidIdempotencyKey)
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    pub account_id: AccountId,
    pub key: &'a IdempotencyKey,
    /// Method and path as the route table has them, such as `POST /keys`.
    pub route: &'a str,
    /// The path and query as asked for.
    pub target: &'a str,
    pub body: &'a [u8],
}

/// A kept answer.
#[derive(Debug)]
pub struct KeptAnswer {
    pub status: u16,
    pub body: Arc<Secret<Vec<u8>>>,
}

/// What became of an asking.
#[derive(Debug)]
pub enum Begun {
    /// It is the caller's to carry out, and to [`keep`](Idempotency::keep) or
    /// [`give_up`](Idempotency::give_up).
    Claimed(Box<Claim>),
    /// It was carried out before.
    Done(KeptAnswer),
    /// Somebody is at it.
    InFlight,
    /// The key was used for something else.
    Mismatch,
    /// It was carried out before, but its answer cannot be read any more.
    Unreadable,
}

/// The right to carry an asking out.
#[derive(Debug)]
pub struct Claim(IdempotentRequest);

/// Remembers askings.
pub struct Idempotency {
    store: Arc<dyn IdempotencyStore>,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
}

impl std::fmt::Debug for Idempotency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Idempotency")
    }
}

impl Idempotency {
    pub fn new(
        store: Arc<dyn IdempotencyStore>,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn RandomSource>,
    ) -> Self {
        Self {
            store,
            vault,
            clock,
            random,
        }
    }

    /// Claims an asking, or tells what became of it.
    pub async fn begin(&self, asking: Asking<'_>) -> Result<Begun, DirectoryError> {
        let at = self.clock.now();
        let request = IdempotentRequest {
            account_id: asking.account_id,
            route: asking.route.to_owned(),
            key: asking.key.0.clone(),
            digest: digest(&[
                asking.route.as_bytes(),
                asking.target.as_bytes(),
                asking.body,
            ]),
            record: CredentialId::from_uuid(self.random.uuid(at)),
            claimed_until: at.plus(IDEMPOTENCY_CLAIM_LIFE),
            expires_at: at.plus(IDEMPOTENCY_LIFE),
            at,
        };
        Ok(match self.store.claim(&request).await? {
            IdempotencyClaim::Claimed => Begun::Claimed(Box::new(Claim(request))),
            IdempotencyClaim::InFlight => Begun::InFlight,
            IdempotencyClaim::Mismatch => Begun::Mismatch,
            IdempotencyClaim::Done {
                status,
                sealed,
                record,
            } => match self.open(asking.account_id, record, sealed).await? {
                Some(body) => Begun::Done(KeptAnswer { status, body }),
                None => Begun::Unreadable,
            },
        })
    }

    /// Keeps the answer of a claimed asking. What was carried out stays so, whether or not this
    /// succeeds; a failure is only logged.
    pub async fn keep(&self, claim: &Claim, status: u16, body: &[u8]) {
        let Claim(request) = claim;
        let secret = Secret::new(body.to_vec());
        let context = context(request.account_id, request.record);
        let sealed = match self.vault.seal(&context, &secret).await {
            Ok(sealed) => sealed,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "an answer cannot be kept for whoever asks again"
                );
                return;
            }
        };
        if let Err(error) = self.store.finish(request, status, sealed.as_bytes()).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "an answer was not kept for whoever asks again"
            );
        }
    }

    /// It was not carried out: the same asking may be tried again.
    pub async fn give_up(&self, claim: &Claim) {
        if let Err(error) = self.store.abandon(&claim.0).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a claim stays until it lapses"
            );
        }
    }

    /// Forgets what nobody may ask for again.
    pub async fn forget_expired(&self) -> Result<u64, DirectoryError> {
        self.store.forget_expired(self.clock.now()).await
    }

    /// `None` where it is there but cannot be read: its key is gone, or somebody changed it.
    async fn open(
        &self,
        account_id: AccountId,
        record: CredentialId,
        sealed: Vec<u8>,
    ) -> Result<Option<Arc<Secret<Vec<u8>>>>, DirectoryError> {
        let context = context(account_id, record);
        let opened = self
            .vault
            .open(&context, &SealedSecret::from_bytes(sealed))
            .await;
        // Asked for once in a while, and secret: not worth remembering.
        self.vault.forget(record);
        match opened {
            Ok(body) => Ok(Some(body)),
            Err(OpenError::Unavailable(source)) => Err(DirectoryError::Unavailable(source)),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    account.id = %account_id,
                    "a kept answer cannot be opened"
                );
                Ok(None)
            }
        }
    }
}

fn context(account_id: AccountId, record: CredentialId) -> SecretContext {
    SecretContext {
        tenant: Tenant::Account(account_id),
        workspace: None,
        provider: ProviderSlug::new(SEALED_FOR),
        endpoint_host: None,
        record,
        record_version: 1,
    }
}

/// Over parts, each behind its length.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests;
