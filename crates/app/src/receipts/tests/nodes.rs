//! Nodes that share a database sign one chain.

use std::{fs, path::PathBuf, time::Duration};

use switchyard_billing::test_suite::{
    Tenant,
    scene::{json as raw, sample_settlement},
};
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId},
    money::UsdNanos,
    secret::Secret,
};
use switchyard_store::{Store, account::NewAccount};
use switchyard_vault::{
    OsRandom, VaultSettings, key_provider::EnvironmentKey, tenant_key::InMemoryTenantKeys,
};
use uuid::Uuid;

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_795_500_000);

struct Frozen;

impl Clock for Frozen {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// A database with an account, and what its nodes share beside it.
struct Deployment {
    store: Store,
    tenant: Tenant,
    tenant_keys: Arc<InMemoryTenantKeys>,
    folder: PathBuf,
}

impl Deployment {
    async fn fresh(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("sy-receipts-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let url = format!("sqlite:{}", folder.join("db").display());
        let store = switchyard_store::open(&url, &crate::fixture::patient())
            .await
            .expect("opened");
        store.migrate().await.expect("migrated");
        let tenant = Tenant {
            account_id: AccountId::from_uuid(Uuid::from_u128(5)),
            workspace_id: HERE.parse().expect("an id"),
            api_key_id: ApiKeyId::from_uuid(Uuid::from_u128(6)),
        };
        let account = NewAccount {
            account_id: tenant.account_id,
            workspace_id: tenant.workspace_id,
            email: "ada@example.com".to_owned(),
            name: "Ada".to_owned(),
            at: NOW,
        };
        store
            .directory
            .create_account(&account)
            .await
            .expect("created");
        Self {
            store,
            tenant,
            tenant_keys: Arc::default(),
            folder,
        }
    }

    fn node(&self) -> Receipts {
        let value = Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned());
        let key = EnvironmentKey::new(&value, Arc::new(OsRandom)).expect("32 bytes in base64");
        let vault = Vault::new(
            Arc::new(key),
            Arc::clone(&self.tenant_keys) as Arc<_>,
            Arc::new(OsRandom),
            Arc::new(Frozen),
            VaultSettings::default(),
        );
        Receipts::new(
            Arc::clone(&self.store.receipts),
            Arc::new(vault),
            Arc::new(Frozen),
        )
    }

    /// Posts a generation with this receipt; its id.
    async fn post(&self, number: u64, document: Option<&str>) -> GenerationId {
        let id = GenerationId::new(1_795_500_000, u128::from(number));
        let at = NOW.plus(Duration::from_secs(number));
        let mut settlement =
            sample_settlement(self.tenant, id.clone(), at, UsdNanos::new(1), Vec::new());
        settlement.receipt = document.map(raw);
        let ledger = &self.store.ledger;
        ledger.post(&[settlement]).await.expect("posted");
        id
    }

    async fn post_asking(&self, number: u64) -> GenerationId {
        self.post(number, Some(&draft(HERE, number).document)).await
    }

    async fn receipt(&self, id: &GenerationId) -> Option<String> {
        let receipt = self
            .node()
            .of_generation(self.tenant.workspace_id, id)
            .await;
        receipt.expect("answered")
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_is_signed_when_it_is_asked_for() {
    let deployment = Deployment::fresh("asked").await;
    let node = deployment.node();
    assert_eq!(node.public_keys().await.expect("answered"), []);
    let (first, second) = (
        deployment.post_asking(1).await,
        deployment.post_asking(2).await,
    );
    let silent = deployment.post(3, None).await;

    let document = deployment.receipt(&second).await.expect("asked for");
    // Those before it come first in the chain.
    let before = deployment.receipt(&first).await.expect("asked for");
    let keys = TrustedKeys::new(&node.public_keys().await.expect("answered")).expect("keys");
    let report = verify(&format!("{before}\n{document}"), &keys);
    assert!(report.ok, "{report:?}");
    assert_eq!(report.chains[0].last_sequence, 2);
    assert_eq!(deployment.receipt(&second).await, Some(document));
    assert_eq!(deployment.receipt(&silent).await, None);
    let other = ELSEWHERE.parse().expect("an id");
    let foreign = node.of_generation(other, &second).await;
    assert_eq!(foreign.expect("answered"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_at_once_make_one_key_and_one_chain() {
    const COUNT: u64 = 150;
    let deployment = Deployment::fresh("nodes").await;
    let mut ids = Vec::new();
    for number in 1..=COUNT {
        ids.push(deployment.post_asking(number).await);
    }
    let (one, two, three) = (deployment.node(), deployment.node(), deployment.node());
    let (one, two, three) =
        tokio::join!(one.sign_pending(), two.sign_pending(), three.sign_pending());
    for outcome in [one, two, three] {
        outcome.expect("signed");
    }
    deployment.node().sign_pending().await.expect("signed");

    let mut text = String::new();
    for id in &ids {
        let stored = deployment
            .store
            .receipts
            .receipt(deployment.tenant.workspace_id, id);
        match stored.await.expect("answered") {
            Some(StoredReceipt::Signed(document)) => text.push_str(&format!("{document}\n")),
            other => panic!("{id}: {other:?}"),
        }
    }
    let published = deployment.node().public_keys().await.expect("answered");
    assert_eq!(published.len(), 1);
    let report = verify(&text, &TrustedKeys::new(&published).expect("keys"));
    assert!(report.ok, "{report:?}");
    assert_eq!(report.chains[0].receipts as u64, COUNT);
    assert_eq!(report.chains[0].last_sequence, COUNT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_draft_holds_up_nobody() {
    let deployment = Deployment::fresh("damaged").await;
    let damaged = deployment.post(1, Some("[1.5]")).await;
    let sound = deployment.post_asking(2).await;
    deployment.node().sign_pending().await.expect("signed");
    let document = deployment.receipt(&sound).await.expect("signed");
    assert!(document.contains("\"sequence\":1"), "{document}");
    let refused = deployment
        .node()
        .of_generation(deployment.tenant.workspace_id, &damaged)
        .await;
    assert!(
        matches!(refused, Err(ReceiptError::Behind(_))),
        "{refused:?}"
    );
}
