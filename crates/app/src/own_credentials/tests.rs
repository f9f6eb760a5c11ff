mod checking;
mod choosing;
mod managing;
mod opening;
mod rotating;
mod watching;

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use switchyard_catalog::snapshot::Catalog;
use switchyard_coordination::in_process::InProcess;
use switchyard_domain::{provider::ProviderSlug, secret::Secret};
use switchyard_vault::{
    KekRef, KeyProvider, KeyProviderError, OsRandom, TenantKeyStore, Vault, VaultSettings,
    WrappedKey,
    key_provider::EnvironmentKey,
    keyed_digest::{DigestKey, DigestKeys},
};
use tokio::sync::{Semaphore, watch};

use super::*;
use crate::{
    audit::{Actor, AuditVia},
    fixture::{HandClock, Installation, catalog},
    tenant_keys::DirectoryTenantKeys,
};

/// A node that shares nothing with others but the database and the outermost key.
pub(super) struct Node {
    pub(super) own: Arc<OwnCredentials>,
    pub(super) coordination: Arc<InProcess>,
    pub(super) clock: Arc<HandClock>,
    pub(super) keys: Arc<Keys>,
    pub(super) vault: Arc<Vault>,
    pub(super) catalog: Arc<Catalog>,
}

/// The outermost key, which can be made to keep silent.
pub(super) struct Keys {
    key: EnvironmentKey,
    /// Closed: whoever asks waits.
    gate: watch::Sender<bool>,
    /// Who has come to the gate.
    pub(super) waiting: Semaphore,
    pub(super) unwraps: AtomicU64,
}

impl Keys {
    fn new() -> Self {
        let value = Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned());
        Self {
            key: EnvironmentKey::new(&value, Arc::new(OsRandom)).expect("32 bytes"),
            gate: watch::Sender::new(true),
            waiting: Semaphore::new(0),
            unwraps: AtomicU64::new(0),
        }
    }

    pub(super) fn keep_silent(&self, silent: bool) {
        self.gate.send_replace(!silent);
    }
}

#[async_trait]
impl KeyProvider for Keys {
    async fn wrap(
        &self,
        context: &[u8],
        plain: &Secret<[u8; 32]>,
    ) -> Result<WrappedKey, KeyProviderError> {
        self.key.wrap(context, plain).await
    }

    async fn unwrap(
        &self,
        context: &[u8],
        wrapped: &WrappedKey,
    ) -> Result<Secret<[u8; 32]>, KeyProviderError> {
        self.unwraps.fetch_add(1, Ordering::SeqCst);
        self.waiting.add_permits(1);
        let mut gate = self.gate.subscribe();
        gate.wait_for(|open| *open).await.expect("the gate stays");
        self.key.unwrap(context, wrapped).await
    }

    async fn current(&self) -> Result<KekRef, KeyProviderError> {
        self.key.current().await
    }

    async fn health(&self) -> Result<(), KeyProviderError> {
        self.key.health().await
    }
}

/// Counts up.
#[derive(Default)]
struct Counter(AtomicU64);

impl RandomSource for Counter {
    fn u64(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

impl Node {
    pub(super) async fn start(installation: &Installation) -> Self {
        let node = Self::new(installation);
        node.own.start_following().await.expect("answered");
        node
    }

    pub(super) fn new(installation: &Installation) -> Self {
        let tenant_keys = DirectoryTenantKeys::new(installation.store.directory.clone());
        Self::with_tenant_keys(installation, Arc::new(tenant_keys))
    }

    /// One whose vault has its tenants' keys from somewhere of its own.
    pub(super) fn with_tenant_keys(
        installation: &Installation,
        tenant_keys: Arc<dyn TenantKeyStore>,
    ) -> Self {
        let clock = Arc::new(HandClock::default());
        let coordination = Arc::new(InProcess::new(clock.clone()));
        let keys = Arc::new(Keys::new());
        let vault = Arc::new(Vault::new(
            keys.clone(),
            tenant_keys,
            Arc::new(OsRandom),
            clock.clone(),
            VaultSettings::default(),
        ));
        let fingerprints = DigestKey::new(1, Secret::new([7; 32]));
        let own = OwnCredentials::new(OwnCredentialParts {
            store: installation.store.own_credentials.clone(),
            directory: installation.store.directory.clone(),
            vault: vault.clone(),
            fingerprints: DigestKeys::new(fingerprints, Vec::new()),
            coordination: coordination.clone(),
            clock: clock.clone(),
            random: Arc::new(Counter::default()),
        });
        Self {
            own: Arc::new(own),
            coordination,
            clock,
            keys,
            vault,
            catalog: catalog(),
        }
    }

    /// Stores a credential with these settings.
    pub(super) async fn store(
        &self,
        installation: &Installation,
        provider: &str,
        secret: &str,
        settings: CredentialSettings,
    ) -> Result<OwnCredentialRow, OwnCredentialError> {
        let new = NewCredential {
            workspace_id: None,
            provider: ProviderSlug::new(provider),
            secret: secret_of(secret),
            settings,
        };
        let account = installation.account;
        self.own.create(account, &self.catalog, new, ada()).await
    }

    /// Stores a credential of which nothing is said.
    pub(super) async fn stored(
        &self,
        installation: &Installation,
        provider: &str,
        secret: &str,
    ) -> OwnCredentialRow {
        self.store(
            installation,
            provider,
            secret,
            CredentialSettings::default(),
        )
        .await
        .expect("stored")
    }
}

pub(super) fn ada() -> &'static Actor {
    static ADA: LazyLock<Actor> = LazyLock::new(|| Actor::of("ada", AuditVia::Api));
    &ADA
}

pub(super) fn secret_of(text: &str) -> Secret<Vec<u8>> {
    Secret::new(text.as_bytes().to_vec())
}
