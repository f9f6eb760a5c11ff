//! What version 1 wrote opens for ever. The vectors were made by an independent implementation of
//! the documented formats; they are never regenerated, only added to.

use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc};

use serde::Deserialize;
use switchyard_vault::{
    OsRandom, SealedSecret, SecretContext, Tenant, TenantKeyRow, TenantKeyStore as _, Vault,
    VaultSettings, WrappedKey,
    api_key::{Verifier, parse_key},
    key_provider::{Keyring, SealedRows},
    tenant_key::InMemoryTenantKeys,
};

use crate::{
    bench::{ManualClock, wait},
    keyring::TemporaryDirectory,
};

#[derive(Deserialize)]
struct Vectors {
    keyring: serde_json::Value,
    tenant_keys: Vec<StoredTenantKey>,
    secrets: Vec<StoredSecret>,
    api_key: StoredApiKey,
}

#[derive(Deserialize)]
struct StoredTenantKey {
    tenant: String,
    version: u32,
    kek_id: String,
    kek_version: u32,
    wrapped: String,
}

#[derive(Deserialize)]
struct StoredSecret {
    context: StoredContext,
    secret: String,
    sealed: String,
}

#[derive(Deserialize)]
struct StoredContext {
    tenant: String,
    workspace: String,
    provider: String,
    endpoint_host: String,
    record: String,
    record_version: u32,
}

#[derive(Deserialize)]
struct StoredApiKey {
    key: String,
    public_hash: String,
    lookup_id: String,
    verifiers: Vec<StoredVerifier>,
}

#[derive(Deserialize)]
struct StoredVerifier {
    pepper_version: u32,
    mac: String,
}

impl StoredContext {
    fn context(&self) -> SecretContext {
        let present = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        SecretContext {
            tenant: self.tenant.parse::<Tenant>().expect("a tenant"),
            workspace: present(&self.workspace).map(|id| id.parse().expect("a well-formed id")),
            provider: switchyard_domain::provider::ProviderSlug::new(&*self.provider),
            endpoint_host: present(&self.endpoint_host).map(Arc::from),
            record: self.record.parse().expect("a well-formed id"),
            record_version: self.record_version,
        }
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"))
        .collect()
}

fn version_1() -> (Vectors, Keyring) {
    let vectors: Vectors =
        serde_json::from_str(include_str!("vectors/v1.json")).expect("valid vectors");
    let directory = TemporaryDirectory::new();
    let path = directory.path("keyring.json");
    fs::write(&path, vectors.keyring.to_string()).expect("a writable directory");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("our own file");
    let keyring =
        Keyring::open_or_create(&path, SealedRows::Exist, Arc::new(OsRandom)).expect("it is read");
    (vectors, keyring)
}

#[test]
fn t06_secrets_sealed_by_version_1_open() {
    let (vectors, keyring) = version_1();
    let tenant_keys = Arc::new(InMemoryTenantKeys::default());
    for row in vectors.tenant_keys {
        let wrapped = WrappedKey {
            kek_id: row.kek_id,
            kek_version: row.kek_version,
            bytes: bytes(&row.wrapped),
        };
        let row = TenantKeyRow {
            tenant: row.tenant.parse().expect("a well-formed id"),
            version: row.version,
            wrapped,
        };
        wait(tenant_keys.insert(row)).unwrap();
    }
    let vault = Vault::new(
        Arc::new(keyring),
        tenant_keys,
        Arc::new(OsRandom),
        Arc::new(ManualClock::default()),
        VaultSettings::default(),
    );
    assert_eq!(vectors.secrets.len(), 2);
    for stored in &vectors.secrets {
        let sealed = SealedSecret::from_bytes(bytes(&stored.sealed));
        let opened = wait(vault.open(&stored.context.context(), &sealed)).expect("it opens");
        assert_eq!(opened.expose(), stored.secret.as_bytes());
    }
}

#[test]
fn t06_api_keys_of_version_1_verify() {
    let (Vectors { api_key, .. }, keyring) = version_1();
    let key = parse_key(&api_key.key).expect("a well-formed key");
    assert_eq!(key.public_hash(), api_key.public_hash);
    assert_eq!(key.lookup_id(), api_key.lookup_id);
    let peppers = keyring.peppers();
    assert_eq!(api_key.verifiers.len(), 2);
    for StoredVerifier {
        pepper_version,
        mac,
    } in api_key.verifiers
    {
        let stored = Verifier {
            pepper_version,
            mac: bytes(&mac).try_into().unwrap(),
        };
        assert!(
            peppers.verify(&key, Some(&stored)),
            "pepper version {pepper_version}"
        );
    }
}
