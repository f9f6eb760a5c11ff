//! No bytes make the vault panic, and none that it did not make open.
#![no_main]

use std::{
    pin::pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll, Waker},
    time::Duration,
};

use libfuzzer_sys::fuzz_target;
use switchyard_domain::{
    clock::{Clock, Timestamp},
    id::CredentialId,
    provider::ProviderSlug,
    secret::Secret,
};
use switchyard_vault::{
    OsRandom, SEALED_BYTES_MAX, SealedSecret, SecretContext, Tenant, Vault, VaultSettings,
    key_provider::EnvironmentKey, tenant_key::InMemoryTenantKeys,
};
use uuid::Uuid;

struct StillClock;

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_795_500_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// A vault, and what it sealed for the context below.
static SCENE: LazyLock<(Vault, SealedSecret)> = LazyLock::new(|| {
    let key = Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned());
    let provider = EnvironmentKey::new(&key, Arc::new(OsRandom)).expect("32 bytes in base64");
    let settings = VaultSettings {
        plaintexts_max: 0,
        ..VaultSettings::default()
    };
    let vault = Vault::new(
        Arc::new(provider),
        Arc::new(InMemoryTenantKeys::default()),
        Arc::new(OsRandom),
        Arc::new(StillClock),
        settings,
    );
    let secret = Secret::new(b"sk-sealed".to_vec());
    let sealed = ready(vault.seal(&context(), &secret)).expect("it seals");
    (vault, sealed)
});

fn context() -> SecretContext {
    SecretContext {
        tenant: Tenant::Operator,
        workspace: None,
        provider: ProviderSlug::new("acme"),
        endpoint_host: None,
        record: CredentialId::from_uuid(Uuid::from_u128(7)),
        record_version: 1,
    }
}

/// The outcome of a future that waits for nothing: keys in memory are always there.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

// Bytes are tried as they are, or in place of as many of a genuine seal's, from where the second says.
fuzz_target!(|data: &[u8]| {
    let (vault, genuine) = &*SCENE;
    let bytes = match data {
        [0, bytes @ ..] => bytes.to_vec(),
        [_, place, bytes @ ..] => {
            let mut sealed = genuine.as_bytes().to_vec();
            let place = usize::from(*place).min(sealed.len());
            let end = (place + bytes.len()).min(sealed.len());
            sealed[place..end].copy_from_slice(&bytes[..end - place]);
            sealed
        }
        _ => return,
    };
    let is_genuine = bytes == genuine.as_bytes();
    let is_too_long = bytes.len() > SEALED_BYTES_MAX;
    let sealed = SealedSecret::from_bytes(bytes);
    assert!(!is_too_long || sealed.tenant_key_version().is_none());
    match ready(vault.open(&context(), &sealed)) {
        Ok(opened) => assert!(is_genuine && opened.expose() == b"sk-sealed"),
        Err(_) => assert!(!is_genuine),
    }
});
