//! The vault: what the rest of the program calls.

mod signing_keys;
mod tenant_keys;

use std::{sync::Arc, time::Duration};

use switchyard_domain::{clock::Clock, id::CredentialId, secret::Secret};

use self::tenant_keys::{TenantKeyError, TenantKeys};
use crate::{
    cache::PlaintextCache,
    context::{SecretContext, Tenant},
    envelope::{self, Malformed, Parts, SECRET_BYTES_MAX, SealedSecret, TenantKey},
    key_provider::{KekRef, KeyProvider},
    random::{Random, RandomUnavailable},
    tenant_key::{TenantKeyRow, TenantKeyStore},
};

/// How much is remembered, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VaultSettings {
    /// How many opened secrets are kept at most.
    pub plaintexts_max: usize,
    /// How long an opened secret is kept.
    pub plaintext_ttl: Duration,
    /// How long an unwrapped tenant key is kept.
    pub tenant_key_ttl: Duration,
    /// How much longer, while the key provider or the store cannot be asked.
    pub outage_grace: Duration,
}

impl Default for VaultSettings {
    fn default() -> Self {
        Self {
            plaintexts_max: 10_000,
            plaintext_ttl: Duration::from_secs(60),
            tenant_key_ttl: Duration::from_secs(5 * 60),
            outage_grace: Duration::from_secs(15 * 60),
        }
    }
}

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Too long to be a credential.
    #[error("a secret may have {SECRET_BYTES_MAX} bytes; this one has {bytes}")]
    TooLarge {
        /// How long it is.
        bytes: usize,
    },
    /// The tenant's own key failed authentication: somebody changed its row. A security event.
    #[error("the tenant's key failed authentication")]
    Rejected,
    /// Try again later.
    #[error("secrets cannot be sealed at the moment")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why nothing was opened. None of these may be answered with another credential.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The bytes are none of ours, or a newer program's.
    #[error("the stored bytes are not a sealed secret")]
    Malformed(#[from] Malformed),
    /// The bytes were not sealed for this context, or were changed since.
    #[error("a sealed secret failed authentication")]
    Rejected,
    /// The tenant's key is gone, and with it the secret, for good.
    #[error("the key of tenant {tenant} version {version} no longer exists")]
    Shredded {
        /// Whose key.
        tenant: Tenant,
        /// Which version.
        version: u32,
    },
    /// Try again later: the caller is told so with a 503.
    #[error("secrets cannot be opened at the moment")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl OpenError {
    /// Whether somebody may have tampered with the database: a security event, to be recorded and
    /// to wake somebody.
    pub const fn is_integrity_failure(&self) -> bool {
        match self {
            Self::Malformed(_) | Self::Rejected => true,
            Self::Shredded { .. } | Self::Unavailable(_) => false,
        }
    }
}

/// Seals and opens secrets.
pub struct Vault {
    tenant_keys: TenantKeys,
    opened: PlaintextCache,
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
}

impl Vault {
    /// A vault over a provider of guarded keys and a store of wrapped ones.
    pub fn new(
        key_provider: Arc<dyn KeyProvider>,
        tenant_keys: Arc<dyn TenantKeyStore>,
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
        settings: VaultSettings,
    ) -> Self {
        Self {
            tenant_keys: TenantKeys::new(
                key_provider,
                tenant_keys,
                Arc::clone(&random),
                Arc::clone(&clock),
                settings,
            ),
            opened: PlaintextCache::new(settings.plaintexts_max, settings.plaintext_ttl),
            random,
            clock,
        }
    }

    /// Seals `secret` for exactly this context. Sealing the same secret twice gives different
    /// bytes.
    pub async fn seal(
        &self,
        context: &SecretContext,
        secret: &Secret<Vec<u8>>,
    ) -> Result<SealedSecret, SealError> {
        let bytes = secret.expose().len();
        if bytes > SECRET_BYTES_MAX {
            return Err(SealError::TooLarge { bytes });
        }
        let tenant_key = self.tenant_keys.newest_or_new(context.tenant).await?;
        Ok(envelope::seal(
            &tenant_key,
            context,
            secret.expose(),
            &*self.random,
        )?)
    }

    /// Opens what was sealed for exactly this context. Mostly answers from memory, without
    /// waiting.
    pub async fn open(
        &self,
        context: &SecretContext,
        sealed: &SealedSecret,
    ) -> Result<Arc<Secret<Vec<u8>>>, OpenError> {
        if let Some(plaintext) = self.opened(context, sealed) {
            return Ok(plaintext);
        }
        let ticket = self.opened.ticket(context.record);
        let parts = Parts::parse(sealed.as_bytes())?;
        let tenant_key = self.tenant_key(context, &parts).await?;
        let plaintext = envelope::open(&tenant_key, context, &parts)
            .map(Arc::new)
            .map_err(|_| OpenError::Rejected)?;
        self.opened
            .put(ticket, context, sealed, &plaintext, self.clock.monotonic());
        Ok(plaintext)
    }

    /// The answer of [`open`](Self::open) if it is in memory. Never waits, takes no lock.
    pub fn opened(
        &self,
        context: &SecretContext,
        sealed: &SealedSecret,
    ) -> Option<Arc<Secret<Vec<u8>>>> {
        self.opened.get(context, sealed, self.clock.monotonic())
    }

    /// The same secret under the tenant's newest key, or `None` if it is there already. To be
    /// stored by compare-and-set against `sealed`; the record's version stays.
    pub async fn rewrap(
        &self,
        context: &SecretContext,
        sealed: &SealedSecret,
    ) -> Result<Option<SealedSecret>, OpenError> {
        let newest = self.tenant_keys.newest(context.tenant).await?;
        self.rewrap_to(context, sealed, newest.version).await
    }

    /// As [`rewrap`](Self::rewrap), under a version that the caller knows, for many records in a
    /// row: mostly without asking the store.
    pub async fn rewrap_to(
        &self,
        context: &SecretContext,
        sealed: &SealedSecret,
        version: u32,
    ) -> Result<Option<SealedSecret>, OpenError> {
        let parts = Parts::parse(sealed.as_bytes())?;
        let old = self.tenant_key(context, &parts).await?;
        if old.version == version {
            return Ok(None);
        }
        let new = self.tenant_keys.get(context.tenant, version).await?;
        envelope::rewrap(&old, &new, context, &parts, &*self.random)
            .map_err(unavailable)?
            .map(Some)
            .map_err(|_| OpenError::Rejected)
    }

    /// Gives the tenant a new key, which seals and rewraps use from now on. Returns its version.
    pub async fn rotate_tenant_key(&self, tenant: Tenant) -> Result<u32, SealError> {
        Ok(self.tenant_keys.rotate(tenant).await?.version)
    }

    /// The same tenant key under the provider's current key, or `None` if it is there already. To
    /// be stored by compare-and-set against `row`.
    pub async fn rewrap_tenant_key(
        &self,
        row: &TenantKeyRow,
    ) -> Result<Option<TenantKeyRow>, OpenError> {
        Ok(self.tenant_keys.rewrap(row).await?)
    }

    /// Whether a stored tenant key can be unwrapped by the provider, whatever is remembered of it.
    pub async fn check_tenant_key(&self, row: &TenantKeyRow) -> Result<(), OpenError> {
        Ok(self.tenant_keys.check(row).await?)
    }

    /// The provider's key that wraps tenant keys from now on.
    pub async fn current_key(&self) -> Result<KekRef, OpenError> {
        self.tenant_keys.guarded_by().await.map_err(unavailable)
    }

    /// Lets the provider take up new versions of its keys; to be called now and then. What it knew
    /// stays in force when that fails.
    pub async fn refresh_keys(&self) -> Result<(), OpenError> {
        self.tenant_keys.refresh().await.map_err(unavailable)
    }

    /// Forgets every opened version of a record: it was replaced, disabled or deleted. An opening
    /// under way is not remembered either.
    pub fn forget(&self, record: CredentialId) {
        self.opened.invalidate(record);
    }

    /// Forgets everything, tenant keys included: news was missed, or a tenant was shredded.
    pub fn forget_everything(&self) {
        self.tenant_keys.forget();
        self.opened.invalidate_all();
    }

    /// Wipes secrets whose time is over but that nobody asked for again; to be called now and
    /// then.
    pub fn sweep(&self) {
        self.opened.sweep(self.clock.monotonic());
    }

    /// How long known tenants are served while the key provider is away.
    pub const fn outage_grace(&self) -> Duration {
        self.tenant_keys.outage_grace()
    }

    /// Whether the key provider answers; part of readiness.
    pub async fn health(&self) -> Result<(), OpenError> {
        self.tenant_keys.health().await.map_err(unavailable)
    }

    /// The key the bytes name, if the expected tenant is the one they name.
    async fn tenant_key(
        &self,
        context: &SecretContext,
        parts: &Parts<'_>,
    ) -> Result<Arc<TenantKey>, OpenError> {
        if parts.tenant_key_id != TenantKey::id(context.tenant) {
            return Err(OpenError::Rejected);
        }
        Ok(self
            .tenant_keys
            .get(context.tenant, parts.tenant_key_version)
            .await?)
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> OpenError {
    OpenError::Unavailable(Box::new(error))
}

impl From<RandomUnavailable> for SealError {
    fn from(error: RandomUnavailable) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

impl From<TenantKeyError> for SealError {
    fn from(error: TenantKeyError) -> Self {
        match error {
            TenantKeyError::Rejected => Self::Rejected,
            other @ (TenantKeyError::Missing { .. } | TenantKeyError::Unavailable(_)) => {
                Self::Unavailable(Box::new(other))
            }
        }
    }
}

impl From<TenantKeyError> for OpenError {
    fn from(error: TenantKeyError) -> Self {
        match error {
            TenantKeyError::Rejected => Self::Rejected,
            TenantKeyError::Missing { tenant, version } => Self::Shredded { tenant, version },
            TenantKeyError::Unavailable(source) => Self::Unavailable(source),
        }
    }
}
