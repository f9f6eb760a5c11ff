//! A vault to test with: keys in memory, a clock that obeys, a provider that can fail.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use switchyard_domain::{
    clock::{Clock, Timestamp},
    id::{AccountId, CredentialId, WorkspaceId},
    provider::ProviderSlug,
    secret::Secret,
};
use switchyard_vault::{
    KekRef, KeyProvider, KeyProviderError, OsRandom, SealedSecret, SecretContext, Tenant,
    TenantKeyRow, TenantKeyStore, TenantKeyStoreError, Vault, VaultSettings, WrappedKey,
    key_provider::EnvironmentKey, tenant_key::InMemoryTenantKeys,
};
use uuid::Uuid;

pub(crate) struct Bench {
    pub(crate) vault: Vault,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) provider: Arc<FallibleProvider>,
    pub(crate) tenant_keys: Arc<InMemoryTenantKeys>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(FallibleProvider::new()), Arc::default())
    }

    /// Another node of the same deployment.
    pub(crate) fn neighbour(&self) -> Self {
        Self::over(Arc::clone(&self.provider), Arc::clone(&self.tenant_keys))
    }

    fn over(provider: Arc<FallibleProvider>, tenant_keys: Arc<InMemoryTenantKeys>) -> Self {
        let clock = Arc::new(ManualClock::default());
        let vault = Vault::new(
            provider.clone(),
            Arc::new(Distant(tenant_keys.clone())),
            Arc::new(OsRandom),
            clock.clone(),
            VaultSettings::default(),
        );
        Self {
            vault,
            clock,
            provider,
            tenant_keys,
        }
    }

    pub(crate) fn seal(&self, context: &SecretContext, secret: &[u8]) -> SealedSecret {
        wait(self.vault.seal(context, &Secret::new(secret.to_vec()))).expect("it can be sealed")
    }

    /// What a node that remembers nothing makes of it.
    pub(crate) fn open_afresh(
        &self,
        context: &SecretContext,
        sealed: &SealedSecret,
    ) -> Result<Vec<u8>, switchyard_vault::OpenError> {
        let opened = wait(self.neighbour().vault.open(context, sealed))?;
        Ok(opened.expose().clone())
    }
}

/// Runs a future that only ever waits for what is already there.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(future)
}

pub(crate) fn customer(account: u128) -> SecretContext {
    SecretContext {
        tenant: Tenant::Account(AccountId::from_uuid(Uuid::from_u128(account))),
        workspace: Some(WorkspaceId::from_uuid(Uuid::from_u128(21))),
        provider: ProviderSlug::new("azure"),
        endpoint_host: Some("acme.openai.azure.com".into()),
        record: CredentialId::from_uuid(Uuid::from_u128(31)),
        record_version: 1,
    }
}

#[derive(Default)]
pub(crate) struct ManualClock {
    elapsed_micros: AtomicU64,
}

impl ManualClock {
    pub(crate) fn advance(&self, by: Duration) {
        let micros = u64::try_from(by.as_micros()).expect("tests last less than 500,000 years");
        self.elapsed_micros.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000).plus(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.elapsed_micros.load(Ordering::SeqCst))
    }
}

/// Rows that take a moment to reach, so that calls made at once really overlap.
struct Distant(Arc<InMemoryTenantKeys>);

#[async_trait]
impl TenantKeyStore for Distant {
    async fn newest(&self, tenant: Tenant) -> Result<Option<TenantKeyRow>, TenantKeyStoreError> {
        tokio::task::yield_now().await;
        self.0.newest(tenant).await
    }

    async fn get(
        &self,
        tenant: Tenant,
        version: u32,
    ) -> Result<Option<TenantKeyRow>, TenantKeyStoreError> {
        tokio::task::yield_now().await;
        self.0.get(tenant, version).await
    }

    async fn insert(&self, row: TenantKeyRow) -> Result<TenantKeyRow, TenantKeyStoreError> {
        tokio::task::yield_now().await;
        self.0.insert(row).await
    }
}

/// A provider of one key that counts what it is asked, and can be away.
pub(crate) struct FallibleProvider {
    key: EnvironmentKey,
    pub(crate) is_away: AtomicBool,
    pub(crate) unwraps: AtomicUsize,
}

impl FallibleProvider {
    fn new() -> Self {
        let value = Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned());
        Self {
            key: EnvironmentKey::new(&value, Arc::new(OsRandom)).expect("32 bytes in base64"),
            is_away: AtomicBool::new(false),
            unwraps: AtomicUsize::new(0),
        }
    }

    fn reached(&self) -> Result<&EnvironmentKey, KeyProviderError> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(KeyProviderError::Unavailable("away".into()));
        }
        Ok(&self.key)
    }
}

#[async_trait]
impl KeyProvider for FallibleProvider {
    async fn wrap(
        &self,
        context: &[u8],
        plain: &Secret<[u8; 32]>,
    ) -> Result<WrappedKey, KeyProviderError> {
        self.reached()?.wrap(context, plain).await
    }

    async fn unwrap(
        &self,
        context: &[u8],
        wrapped: &WrappedKey,
    ) -> Result<Secret<[u8; 32]>, KeyProviderError> {
        self.unwraps.fetch_add(1, Ordering::SeqCst);
        self.reached()?.unwrap(context, wrapped).await
    }

    async fn current(&self) -> Result<KekRef, KeyProviderError> {
        self.reached()?.current().await
    }

    async fn health(&self) -> Result<(), KeyProviderError> {
        self.reached()?.health().await
    }
}
