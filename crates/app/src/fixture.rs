//! What tests of this crate stand on where a real database and a real catalogue are nearest to the
//! truth.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use switchyard_catalog::{load::load, snapshot::Catalog};
use switchyard_domain::{
    clock::{Clock, Timestamp},
    id::{AccountId, ApiKeyId, WorkspaceId},
    secret::Secret,
    tenancy::{ApiKey, Caller, KeyKind},
};
use switchyard_interchange::needs::Needs;
use switchyard_store::{OpenOptions, Store, account::NewAccount, api_key::NewApiKey};
use switchyard_testkit::{catalog::TestCatalog, folder::Folder};
use switchyard_vault::keyed_digest::{DigestKey, DigestKeys};
use uuid::Uuid;

use crate::audit::KeyedLinks;

/// 2026-11-24T06:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_500_000);

/// A clock that moves when it is told to.
#[derive(Default)]
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn advance(&self, time: Duration) {
        let micros = i64::try_from(time.as_micros()).expect("a short time");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        NOW.plus(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// An embedded database with an account in it.
pub(crate) struct Installation {
    pub(crate) store: Store,
    pub(crate) account: AccountId,
    pub(crate) workspace: WorkspaceId,
    // Removed with the database.
    _folder: Folder,
}

/// Time for a machine that has much else to do: how long a database takes is not what is tested.
pub(crate) fn patient() -> OpenOptions {
    OpenOptions {
        acquire_timeout: Duration::from_secs(60),
        statement_timeout: Duration::from_secs(60),
        ..OpenOptions::default()
    }
}

impl Installation {
    pub(crate) async fn new() -> Self {
        let installation = Self::without_schema().await;
        installation.store.migrate().await.expect("migrated");
        let links = DigestKey::new(1, Secret::new([9; 32]));
        let links = KeyedLinks::new(DigestKeys::new(links, Vec::new()));
        installation.store.link_audit_with(Arc::new(links));
        let account = NewAccount {
            account_id: installation.account,
            workspace_id: installation.workspace,
            email: "ada@example.com".to_owned(),
            name: "Ada".to_owned(),
            at: NOW,
        };
        let directory = &installation.store.directory;
        directory.create_account(&account).await.expect("created");
        installation
    }

    /// Every question to it fails.
    pub(crate) async fn without_schema() -> Self {
        let folder = Folder::fresh();
        let url = format!("sqlite:{}", folder.path().join("switchyard.db").display());
        let store = switchyard_store::open(&url, &patient())
            .await
            .expect("opened");
        let key = DigestKey::new(1, Secret::new([9; 32]));
        store.link_audit_with(Arc::new(KeyedLinks::new(DigestKeys::new(key, Vec::new()))));
        Self {
            store,
            account: AccountId::from_uuid(Uuid::from_u128(1)),
            workspace: WorkspaceId::from_uuid(Uuid::from_u128(2)),
            _folder: folder,
        }
    }

    /// A caller with a key of its own, which is stored.
    pub(crate) async fn caller(&self, number: u128) -> Caller {
        let caller = self.stranger(number);
        let row = NewApiKey {
            key: (*caller.key).clone(),
            lookup_id: format!("lookup {number}"),
            verifier: [7; 32],
            pepper_version: 1,
        };
        let directory = &self.store.directory;
        directory.insert_key(&row).await.expect("stored");
        caller
    }

    /// A caller whose key is nowhere.
    pub(crate) fn stranger(&self, number: u128) -> Caller {
        Caller {
            key: Arc::new(ApiKey {
                id: ApiKeyId::from_uuid(Uuid::from_u128(number)),
                account_id: self.account,
                workspace_id: self.workspace,
                kind: KeyKind::Inference,
                name: "test".to_owned(),
                label: "sk-sy-v1-abc…xyz".to_owned(),
                hash: format!("hash {number}"),
                limit: None,
                expires_at: None,
                disabled: false,
                created_at: NOW,
                creator_id: None,
                shares_limit_of: None,
            }),
        }
    }
}

/// The catalogue that stories play on.
pub(crate) fn catalog() -> Arc<Catalog> {
    let folder = Folder::fresh();
    TestCatalog::new(|provider| format!("http://{provider}.example/v1"))
        .write(folder.path())
        .expect("written");
    Arc::new(load(folder.path(), NOW).expect("a catalogue without faults"))
}

/// What a short question to a model needs, with preferences as decision records have them.
pub(crate) fn needs(model: &str, preferences: &serde_json::Value) -> Needs {
    serde_json::from_value(serde_json::json!({
        "models": [model],
        "parameters": [],
        "input_modalities": ["text"],
        "output_modalities": [],
        "prompt_tokens_max": 400,
        "prompt_tokens_estimate": 100,
        "input_images": 0,
        "max_output_tokens": null,
        "uses_tools": false,
        "preferences": preferences,
    }))
    .expect("needs")
}
