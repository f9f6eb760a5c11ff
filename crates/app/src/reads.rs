//! What callers may read about themselves: their key, their credits, their generations.

use std::{sync::Arc, time::Duration};

pub use switchyard_billing::settlement::AttemptFacts;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, GenerationId},
    money::UsdNanos,
    tenancy::{ApiKey, Caller},
};
pub use switchyard_store::{
    DirectoryError,
    account::Credits,
    api_key::{KeyUsage, WindowSums},
    generation::GenerationView,
};

use crate::App;

/// How long a read waits for this node's own settlements to reach SQL. What a caller has seen the
/// end of should be in its next look-up.
pub(crate) const FLUSH_PATIENCE: Duration = Duration::from_secs(2);

/// A key and what it used.
#[derive(Debug, Clone)]
pub struct KeyOverview {
    pub key: Arc<ApiKey>,
    pub usage: KeyUsage,
    /// What is left of the limit in its current window; negative after an overrun.
    pub limit_remaining: Option<UsdNanos>,
    /// Whether the account never bought or was granted credit.
    pub is_free_tier: bool,
    pub at: Timestamp,
}

impl App {
    /// The caller behind an API key.
    pub async fn authenticate(&self, presented: &str) -> Result<Caller, crate::keys::AuthError> {
        self.keys.authenticate(presented).await
    }

    /// The caller's key.
    pub async fn key_overview(&self, caller: &Caller) -> Result<KeyOverview, DirectoryError> {
        self.poster.flush(FLUSH_PATIENCE).await;
        let at = self.clock.now();
        let usage = self.directory.key_usage(caller.key.id, at).await?;
        let credits = self.directory.credits(caller.account_id()).await?;
        let limit_remaining = limit_remaining(&caller.key, &usage);
        Ok(KeyOverview {
            key: Arc::clone(&caller.key),
            usage,
            limit_remaining,
            is_free_tier: !credits.total_credits.is_positive(),
            at,
        })
    }

    /// What the account was granted and what it used.
    pub async fn credits(&self, account: AccountId) -> Result<Credits, DirectoryError> {
        self.poster.flush(FLUSH_PATIENCE).await;
        self.directory.credits(account).await
    }

    /// The first generation that the account ever asked for.
    pub async fn first_generation(
        &self,
        account: AccountId,
    ) -> Result<Option<GenerationView>, DirectoryError> {
        self.poster.flush(FLUSH_PATIENCE).await;
        match self.directory.first_generation(account).await? {
            Some(id) => self.directory.generation(account, &id).await,
            None => Ok(None),
        }
    }

    /// One of the account's generations.
    pub async fn generation(
        &self,
        account: AccountId,
        id: &GenerationId,
    ) -> Result<Option<GenerationView>, DirectoryError> {
        let found = self.directory.generation(account, id).await?;
        if found.is_some() {
            return Ok(found);
        }
        self.poster.flush(FLUSH_PATIENCE).await;
        self.directory.generation(account, id).await
    }
}

/// What is left of a key's limit in its present window; negative after an overrun.
pub fn limit_remaining(key: &ApiKey, usage: &KeyUsage) -> Option<UsdNanos> {
    Some(key.limit?.limit.saturating_sub(usage.limit_used))
}
