//! The shared suite against the in-memory books: proves that the suite can be passed, and that
//! tests may stand on the in-memory ledger.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use switchyard_billing::{
    store::LedgerStore,
    test_suite::{Fixture, Tenant, books::InMemoryLedger},
};
use switchyard_domain::id::{AccountId, ApiKeyId, NodeId, WorkspaceId};
use uuid::Uuid;

struct InMemory {
    ledger: Arc<InMemoryLedger>,
    ids: AtomicU64,
}

impl InMemory {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.ids.fetch_add(1, Ordering::Relaxed)))
    }
}

#[async_trait]
impl Fixture for InMemory {
    fn store(&self) -> Arc<dyn LedgerStore> {
        Arc::clone(&self.ledger) as Arc<dyn LedgerStore>
    }

    async fn new_account(&self) -> Tenant {
        let account_id = AccountId::from_uuid(self.uuid());
        self.ledger.books().open_account(account_id);
        Tenant {
            account_id,
            workspace_id: WorkspaceId::from_uuid(self.uuid()),
            api_key_id: ApiKeyId::from_uuid(self.uuid()),
        }
    }

    async fn new_node(&self) -> NodeId {
        NodeId::from_uuid(self.uuid())
    }
}

async fn in_memory() -> InMemory {
    InMemory {
        ledger: Arc::default(),
        ids: AtomicU64::new(1),
    }
}

switchyard_billing::ledger_test_suite!(in_memory);

/// A case that stands in no list would never run.
#[test]
fn every_case_is_listed() {
    let listed = include_str!("../src/test_suite.rs");
    for (group, source) in [
        ("leases", include_str!("../src/test_suite/leases.rs")),
        ("posting", include_str!("../src/test_suite/posting.rs")),
        ("grants", include_str!("../src/test_suite/grants.rs")),
        ("histories", include_str!("../src/test_suite/histories.rs")),
    ] {
        for line in source
            .lines()
            .filter_map(|line| line.strip_prefix("pub async fn "))
        {
            let (case, _) = line.split_once('(').expect("a parameter list");
            assert!(
                listed.contains(&format!(" {group}::{case},")),
                "{group}::{case}"
            );
        }
    }
}
