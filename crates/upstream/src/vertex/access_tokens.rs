//! The access tokens that service accounts got, kept until shortly before they expire.
//!
//! Of all requests that need the same new token one fetches it and the others wait. A token is never
//! printed, and never written anywhere but into the requests of its account.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use sha2::{Digest, Sha256};
use switchyard_domain::{clock::Clock, secret::Secret};
use switchyard_interchange::failure::{Failure, FailureKind};

use super::{assertion::token_request, granted::Granted};
use crate::{
    credential::vertex::ServiceAccount,
    limits::{
        ACCESS_TOKENS_MAX, TOKEN_LIFE_MAX, TOKEN_REFUSAL_REMEMBERED, TOKEN_RENEWAL_PAUSE,
        TOKEN_RENEWED_BEFORE,
    },
    prepared::unusable,
};

/// Who gives out tokens.
#[async_trait]
pub(crate) trait TokenExchange: Send + Sync {
    /// Posts the form, and returns what came back.
    async fn exchange(&self, form: Secret<String>) -> Result<(StatusCode, Bytes), Failure>;
}

/// A token that is good, shared by all requests that carry it.
pub(crate) type AccessToken = Arc<Secret<String>>;

/// Tokens by the key file that they were got with.
pub(crate) struct AccessTokens {
    accounts: Mutex<HashMap<Fingerprint, Arc<Account>>>,
    /// Grows with every use, so that it can be told which account was used least lately.
    uses: AtomicU64,
    clock: Arc<dyn Clock>,
}

type Fingerprint = [u8; 32];

#[derive(Default)]
struct Account {
    last_use: AtomicU64,
    /// Held while a token is fetched, which is how the others wait.
    slot: tokio::sync::Mutex<Slot>,
}

#[derive(Default)]
enum Slot {
    #[default]
    Empty,
    Token(Kept),
    /// Those who waited for the same answer get it too.
    Refused {
        failure: Failure,
        until: Duration,
    },
}

/// In the clock's monotonic time.
struct Kept {
    token: AccessToken,
    renew_from: Duration,
    expires_at: Duration,
}

impl AccessTokens {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            accounts: Mutex::default(),
            uses: AtomicU64::new(0),
            clock,
        }
    }

    /// A token for the account whose key file `credential` is.
    pub(crate) async fn token(
        &self,
        credential: &Secret<Vec<u8>>,
        account: &ServiceAccount,
        exchange: &dyn TokenExchange,
    ) -> Result<AccessToken, Failure> {
        let entry = self.entry(fingerprint(credential));
        let mut slot = entry.slot.lock().await;
        let now = self.clock.monotonic();
        match &*slot {
            Slot::Token(kept) if now < kept.renew_from => return Ok(Arc::clone(&kept.token)),
            Slot::Refused { failure, until } if now < *until => return Err(failure.clone()),
            Slot::Token(_) | Slot::Refused { .. } | Slot::Empty => {}
        }
        let fetched = self.fetch(account, exchange).await;
        // Fetching took its time, and a token's life is counted from when it was asked for.
        match (fetched, &mut *slot) {
            (Ok(granted), slot) => {
                let kept = Kept::from(granted, now);
                let token = Arc::clone(&kept.token);
                *slot = Slot::Token(kept);
                Ok(token)
            }
            (Err(failure), Slot::Token(kept)) if kept.outlives(&failure, now) => {
                kept.renew_from = now + TOKEN_RENEWAL_PAUSE;
                Ok(Arc::clone(&kept.token))
            }
            (Err(failure), slot) => {
                *slot = Slot::Refused {
                    failure: failure.clone(),
                    until: now + TOKEN_REFUSAL_REMEMBERED,
                };
                Err(failure)
            }
        }
    }

    /// Drops a token that was refused, unless a newer one has taken its place.
    pub(crate) fn drop_refused(&self, credential: &Secret<Vec<u8>>, refused: &AccessToken) {
        let entry = self.lock().get(&fingerprint(credential)).map(Arc::clone);
        // Who holds the slot is about to put a new token there.
        if let Some(entry) = entry
            && let Ok(mut slot) = entry.slot.try_lock()
            && matches!(&*slot, Slot::Token(kept) if Arc::ptr_eq(&kept.token, refused))
        {
            *slot = Slot::Empty;
        }
    }

    async fn fetch(
        &self,
        account: &ServiceAccount,
        exchange: &dyn TokenExchange,
    ) -> Result<Granted, Failure> {
        let form = token_request(account, self.clock.now())
            .map_err(|_| unusable("the stored service account has a key that does not sign"))?;
        let (status, body) = exchange.exchange(form).await?;
        Granted::read(status, &body)
    }

    fn entry(&self, fingerprint: Fingerprint) -> Arc<Account> {
        let mut accounts = self.lock();
        let is_new = !accounts.contains_key(&fingerprint);
        if is_new && accounts.len() >= ACCESS_TOKENS_MAX {
            let least = accounts
                .iter()
                .min_by_key(|(_, account)| account.last_use.load(Ordering::Relaxed));
            if let Some(least) = least.map(|(fingerprint, _)| *fingerprint) {
                accounts.remove(&least);
            }
        }
        let entry = accounts.entry(fingerprint).or_default();
        let use_number = self.uses.fetch_add(1, Ordering::Relaxed);
        entry.last_use.store(use_number, Ordering::Relaxed);
        Arc::clone(entry)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Fingerprint, Arc<Account>>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokens").finish_non_exhaustive()
    }
}

impl Kept {
    fn from(granted: Granted, asked_at: Duration) -> Self {
        let life = granted.life.min(TOKEN_LIFE_MAX);
        // A life shorter than the time before its end at which tokens are renewed is halved.
        let fresh = life.saturating_sub(TOKEN_RENEWED_BEFORE).max(life / 2);
        Self {
            token: Arc::new(granted.token),
            renew_from: asked_at + fresh,
            expires_at: asked_at + life,
        }
    }

    /// Whether it may go on being used although the next one was not to be had.
    fn outlives(&self, failure: &Failure, now: Duration) -> bool {
        let account_is_refused =
            matches!(failure.kind, FailureKind::Auth | FailureKind::Permission);
        now < self.expires_at && !account_is_refused
    }
}

fn fingerprint(credential: &Secret<Vec<u8>>) -> Fingerprint {
    Sha256::digest(credential.expose()).into()
}

#[cfg(test)]
mod tests;
