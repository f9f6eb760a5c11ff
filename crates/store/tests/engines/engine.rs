//! An empty, migrated database of either engine.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use switchyard_billing::{
    store::LedgerStore,
    test_suite::{Fixture, Tenant},
};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId, NodeId, WorkspaceId},
    tenancy::{ApiKey, KeyKind},
};
use switchyard_store::{
    Directory, OpenOptions, ReceiptStore, Store, account::NewAccount, api_key::NewApiKey,
    audit::AuditLinker,
};
use switchyard_testkit::PostgresServer;
use uuid::Uuid;

/// 2026-11-24T06:00:00Z, a Tuesday.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_500_000);

/// A database with nothing in it but its schema.
pub(crate) struct Engine {
    pub(crate) store: Store,
    pub(crate) url: String,
    next: AtomicU64,
    // Deleted with the fixture.
    _folder: Option<Folder>,
}

impl Engine {
    /// A file in a folder of its own.
    pub(crate) async fn sqlite() -> Self {
        let folder = Folder::fresh();
        let url = format!("sqlite:{}", folder.0.join("switchyard.db").display());
        Self::open(url, Some(folder)).await
    }

    /// A database of its own on the process's server.
    pub(crate) async fn postgres() -> Self {
        Self::open(PostgresServer::shared().fresh_database(), None).await
    }

    async fn open(url: String, folder: Option<Folder>) -> Self {
        let store = switchyard_store::open(&url, &OpenOptions::default())
            .await
            .expect("opened");
        store.migrate().await.expect("migrated");
        store.link_audit_with(Arc::new(PlainLinks));
        Self {
            store,
            url,
            next: AtomicU64::new(1),
            _folder: folder,
        }
    }

    pub(crate) fn directory(&self) -> &dyn Directory {
        self.store.directory.as_ref()
    }

    pub(crate) fn receipts(&self) -> &dyn ReceiptStore {
        self.store.receipts.as_ref()
    }

    pub(crate) fn ledger(&self) -> &dyn LedgerStore {
        self.store.ledger.as_ref()
    }

    /// A UUID that this database has not seen.
    pub(crate) fn fresh_uuid(&self) -> Uuid {
        Uuid::from_u64_pair(0x5357_4954, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// An account to be created.
    pub(crate) fn new_account_row(&self, email: &str) -> NewAccount {
        NewAccount {
            account_id: AccountId::from_uuid(self.fresh_uuid()),
            workspace_id: WorkspaceId::from_uuid(self.fresh_uuid()),
            email: email.to_owned(),
            name: "Acme".to_owned(),
            at: NOW,
        }
    }

    /// A key to be stored, without limit.
    pub(crate) fn new_key_row(&self, account: AccountId, workspace: WorkspaceId) -> NewApiKey {
        let id = ApiKeyId::from_uuid(self.fresh_uuid());
        let key = ApiKey {
            id,
            account_id: account,
            workspace_id: workspace,
            kind: KeyKind::Inference,
            name: "ci".to_owned(),
            label: "sk-sy-v1-abc…xyz".to_owned(),
            hash: format!("hash of {id}"),
            limit: None,
            expires_at: None,
            disabled: false,
            created_at: NOW,
            creator_id: None,
            shares_limit_of: None,
        };
        NewApiKey {
            key,
            lookup_id: format!("lookup {id}"),
            verifier: [7; 32],
            pepper_version: 1,
        }
    }
}

#[async_trait]
impl Fixture for Engine {
    fn store(&self) -> Arc<dyn LedgerStore> {
        self.store.ledger.clone()
    }

    async fn new_account(&self) -> Tenant {
        let account = self.new_account_row(&format!("{}@example.com", self.fresh_uuid()));
        self.directory()
            .create_account(&account)
            .await
            .expect("created");
        let key = self.new_key_row(account.account_id, account.workspace_id);
        self.directory().insert_key(&key).await.expect("stored");
        Tenant {
            account_id: account.account_id,
            workspace_id: account.workspace_id,
            api_key_id: key.key.id,
        }
    }

    async fn new_node(&self) -> NodeId {
        let node = NodeId::from_uuid(self.fresh_uuid());
        self.directory()
            .register_node(node, NOW)
            .await
            .expect("registered");
        node
    }
}

/// A folder that is deleted when it is no longer needed.
struct Folder(PathBuf);

impl Folder {
    fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("store-{}-{number}", process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A leftover folder is untidy and no more.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Links that need no key: a check of the chain's arithmetic, not of its secrecy.
pub(crate) struct PlainLinks;

impl AuditLinker for PlainLinks {
    fn link(&self, previous: &[u8], entry: &[u8]) -> ([u8; 32], i32) {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut link = [0; 32];
        for (salt, chunk) in (0_u64..).zip(link.chunks_mut(8)) {
            let mut hasher = DefaultHasher::new();
            (salt, previous, entry).hash(&mut hasher);
            chunk.copy_from_slice(&hasher.finish().to_be_bytes());
        }
        (link, 1)
    }

    fn is_linked(&self, previous: &[u8], entry: &[u8], link: &[u8], key_version: i32) -> bool {
        self.link(previous, entry).0 == link && key_version == 1
    }
}
