//! What a customer's own credential adds to a request: looking up which there are, and opening the one
//! that serves, where both are in memory. An account without any pays the first part only.

use std::{
    hint::black_box,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use criterion::{Criterion, criterion_group, criterion_main};
use switchyard_app::{
    audit::{Actor, AuditVia, KeyedLinks},
    own_credentials::{
        CredentialSettings, NewCredential, OwnCredentialParts, OwnCredentialRow, OwnCredentials,
    },
    random::RandomSource,
    tenant_keys::DirectoryTenantKeys,
};
use switchyard_catalog::{load::load, snapshot::Catalog};
use switchyard_coordination::in_process::InProcess;
use switchyard_domain::{
    clock::{Clock, Timestamp},
    id::{AccountId, ApiKeyId, WorkspaceId},
    provider::ProviderSlug,
    secret::Secret,
    tenancy::{ApiKey, Caller, KeyKind},
};
use switchyard_store::{OpenOptions, account::NewAccount};
use switchyard_testkit::{catalog::TestCatalog, folder::Folder};
use switchyard_vault::{
    OsRandom, Vault, VaultSettings,
    key_provider::EnvironmentKey,
    keyed_digest::{DigestKey, DigestKeys},
};
use tokio::{runtime::Runtime, time::Instant};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_seconds(1_795_500_000);

/// Stands still, so that nothing in memory grows old.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

#[derive(Default)]
struct Counter(AtomicU64);

impl RandomSource for Counter {
    fn u64(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

struct World {
    own: OwnCredentials,
    caller: Caller,
    stored: Option<OwnCredentialRow>,
    // Removed with the database.
    _folder: Folder,
}

fn links() -> DigestKeys {
    DigestKeys::new(DigestKey::new(1, Secret::new([7; 32])), Vec::new())
}

fn catalog(folder: &Folder) -> Catalog {
    let path: PathBuf = folder.path().join("catalog");
    TestCatalog::new(|provider| format!("http://{provider}.example/v1"))
        .write(&path)
        .expect("written");
    load(&path, NOW).expect("a catalogue without faults")
}

impl World {
    async fn with_credentials(count: usize) -> Self {
        let folder = Folder::fresh();
        let url = format!("sqlite:{}", folder.path().join("switchyard.db").display());
        let store = switchyard_store::open(&url, &OpenOptions::default())
            .await
            .expect("opened");
        store.migrate().await.expect("migrated");
        store.link_audit_with(Arc::new(KeyedLinks::new(links())));
        let account = AccountId::from_uuid(Uuid::from_u128(1));
        let workspace = WorkspaceId::from_uuid(Uuid::from_u128(2));
        let new = NewAccount {
            account_id: account,
            workspace_id: workspace,
            email: "ada@example.com".to_owned(),
            name: "Ada".to_owned(),
            at: NOW,
        };
        let created = store.directory.create_account(&new).await;
        created.expect("created");
        let clock = Arc::new(Still);
        let value = Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned());
        let key = EnvironmentKey::new(&value, Arc::new(OsRandom)).expect("32 bytes");
        let own = OwnCredentials::new(OwnCredentialParts {
            store: store.own_credentials.clone(),
            directory: store.directory.clone(),
            vault: Arc::new(Vault::new(
                Arc::new(key),
                Arc::new(DirectoryTenantKeys::new(store.directory.clone())),
                Arc::new(OsRandom),
                clock.clone(),
                VaultSettings::default(),
            )),
            fingerprints: links(),
            coordination: Arc::new(InProcess::new(clock.clone())),
            clock,
            random: Arc::new(Counter::default()),
        });
        let catalog = catalog(&folder);
        let mut stored = None;
        for number in 0..count {
            let new = NewCredential {
                workspace_id: None,
                provider: ProviderSlug::new("alder"),
                secret: Secret::new(format!("sk-alder-{number:012}").into_bytes()),
                settings: CredentialSettings::default(),
            };
            let ada = Actor::of("ada", AuditVia::Api);
            let created = own.create(account, &catalog, new, &ada).await;
            stored = Some(created.expect("stored"));
        }
        Self {
            own,
            caller: caller(account, workspace),
            stored,
            _folder: folder,
        }
    }

    async fn look_up_and_open(&self) {
        let eligible = self.own.open_to(&self.caller).await.expect("readable");
        if let Some(row) = &self.stored {
            let opened = self.own.open(&self.caller, &eligible, row.id).await;
            black_box(opened.expect("opened"));
        }
        black_box(eligible);
    }
}

fn caller(account_id: AccountId, workspace_id: WorkspaceId) -> Caller {
    Caller {
        key: Arc::new(ApiKey {
            id: ApiKeyId::from_uuid(Uuid::from_u128(3)),
            account_id,
            workspace_id,
            kind: KeyKind::Inference,
            name: "bench".to_owned(),
            label: "sk-sy-v1-abc…xyz".to_owned(),
            hash: "0".repeat(64),
            limit: None,
            expires_at: None,
            disabled: false,
            created_at: NOW,
            creator_id: None,
            shares_limit_of: None,
        }),
    }
}

fn benches(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("own credentials, in memory");
    for (name, count) in [
        ("an account without any", 0),
        ("one, looked up and opened", 1),
        ("one of a hundred, looked up and opened", 100),
    ] {
        let world = runtime.block_on(World::with_credentials(count));
        runtime.block_on(world.look_up_and_open());
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| {
                runtime.block_on(async {
                    let began = Instant::now();
                    for _ in 0..times {
                        world.look_up_and_open().await;
                    }
                    began.elapsed()
                })
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = own_credential_benches;
    config = Criterion::default().measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    targets = benches
}
criterion_main!(own_credential_benches);
