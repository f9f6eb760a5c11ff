//! Whether the guarded keys can be used, as they were last asked for. A load balancer's probe reads
//! this and asks nobody.
//!
//! While a key service is away, a node goes on to serve the tenants whose keys it holds. If it said
//! at once that it is not ready, all nodes would, and nobody would be served at all. So it says so
//! when the time is over for which keys are held, and before it has reached the service once: then
//! it holds none.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use switchyard_domain::clock::Clock;
use switchyard_vault::Vault;

/// When the key provider last answered.
#[derive(Debug)]
pub(crate) struct VaultHealth {
    /// Microseconds on the monotonic clock; [`NEVER`] before the first answer.
    answered_at: AtomicU64,
}

const NEVER: u64 = u64::MAX;

impl Default for VaultHealth {
    fn default() -> Self {
        Self {
            answered_at: AtomicU64::new(NEVER),
        }
    }
}

impl VaultHealth {
    /// Asks, and keeps the answer.
    pub(crate) async fn ask(&self, vault: &Vault, clock: &dyn Clock) {
        match vault.health().await {
            Ok(()) => {
                let now = u64::try_from(clock.monotonic().as_micros()).unwrap_or(NEVER - 1);
                self.answered_at.store(now, Ordering::Relaxed);
            }
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the guarded keys cannot be used; only tenants whose keys are held are served"
            ),
        }
    }

    /// Whether somebody can be served.
    pub(crate) fn readiness(&self, vault: &Vault, clock: &dyn Clock) -> Result<(), &'static str> {
        let answered_at = self.answered_at.load(Ordering::Relaxed);
        if answered_at == NEVER {
            return Err("the key provider has not answered yet");
        }
        let silence = clock
            .monotonic()
            .saturating_sub(Duration::from_micros(answered_at));
        if silence < vault.outage_grace() {
            Ok(())
        } else {
            Err("the key provider does not answer")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize},
    };

    use async_trait::async_trait;
    use switchyard_domain::secret::Secret;
    use switchyard_vault::{
        KekRef, KeyProvider, KeyProviderError, OsRandom, VaultSettings, WrappedKey,
        tenant_key::InMemoryTenantKeys,
    };

    use super::*;
    use crate::fixture::HandClock;

    #[derive(Default)]
    struct Provider {
        is_away: AtomicBool,
        asked: AtomicUsize,
    }

    impl Provider {
        fn answer<T>(&self, answer: T) -> Result<T, KeyProviderError> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if self.is_away.load(Ordering::SeqCst) {
                return Err(KeyProviderError::Unavailable("away".into()));
            }
            Ok(answer)
        }
    }

    #[async_trait]
    impl KeyProvider for Provider {
        async fn wrap(
            &self,
            _: &[u8],
            _: &Secret<[u8; 32]>,
        ) -> Result<WrappedKey, KeyProviderError> {
            Err(KeyProviderError::Rejected)
        }

        async fn unwrap(
            &self,
            _: &[u8],
            _: &WrappedKey,
        ) -> Result<Secret<[u8; 32]>, KeyProviderError> {
            Err(KeyProviderError::Rejected)
        }

        async fn current(&self) -> Result<KekRef, KeyProviderError> {
            Err(KeyProviderError::Rejected)
        }

        async fn health(&self) -> Result<(), KeyProviderError> {
            self.answer(())
        }
    }

    #[tokio::test]
    async fn a_node_is_ready_for_as_long_as_it_can_serve_somebody() {
        let (provider, clock) = (
            Arc::new(Provider::default()),
            Arc::new(HandClock::default()),
        );
        let settings = VaultSettings::default();
        let vault = Vault::new(
            Arc::clone(&provider) as Arc<_>,
            Arc::new(InMemoryTenantKeys::default()),
            Arc::new(OsRandom),
            Arc::clone(&clock) as Arc<_>,
            settings,
        );
        let health = VaultHealth::default();
        let is_ready = || health.readiness(&vault, &*clock).is_ok();
        assert!(!is_ready(), "nobody was asked");
        provider.is_away.store(true, Ordering::SeqCst);
        health.ask(&vault, &*clock).await;
        assert!(!is_ready(), "nobody answered");
        provider.is_away.store(false, Ordering::SeqCst);
        health.ask(&vault, &*clock).await;
        assert!(is_ready());

        provider.is_away.store(true, Ordering::SeqCst);
        clock.advance(settings.outage_grace - Duration::from_micros(1));
        health.ask(&vault, &*clock).await;
        assert!(is_ready(), "within the grace");
        clock.advance(Duration::from_micros(1));
        assert!(!is_ready(), "after it");
        provider.is_away.store(false, Ordering::SeqCst);
        health.ask(&vault, &*clock).await;
        assert!(is_ready(), "it is back");
        assert_eq!(
            provider.asked.load(Ordering::SeqCst),
            4,
            "probes ask nobody"
        );
    }
}
