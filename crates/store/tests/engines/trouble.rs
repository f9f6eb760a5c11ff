//! What callers hear when the database is in trouble, and that nothing is left of it.

use std::time::Duration;

use switchyard_billing::{
    fund::{FundId, FundRef},
    ledger::transaction_id_for,
    store::{CreditGrant, LeaseAsk, LeaseOutcome, StoreError},
    test_suite::{Fixture, scene::sample_settlement},
};
use switchyard_domain::{
    id::{GenerationId, LeaseId},
    money::UsdNanos,
};
use switchyard_store::{DirectoryError, OpenOptions};

use crate::{
    engine::{Engine, NOW},
    schema::{Backdoor, fill},
};

/// Somebody holds what a call needs: the call gives up in its time, and succeeds once it is free.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_database_is_unavailable_until_it_is_free() {
    for engine in [Engine::postgres().await, Engine::sqlite().await] {
        let settlement = fill(&engine).await;
        let soon = OpenOptions {
            statement_timeout: Duration::from_millis(100),
            acquire_timeout: Duration::from_millis(300),
            ..OpenOptions::default()
        };
        let store = switchyard_store::open(&engine.url, &soon)
            .await
            .expect("opened");
        let account = settlement.account_id;
        let ask = LeaseAsk {
            fund: FundRef {
                id: FundId::Credits(account),
                capacity: None,
            },
            lease: LeaseId::from_uuid(engine.fresh_uuid()),
            node: engine.new_node().await,
            needed: UsdNanos::new(1),
            wanted: UsdNanos::new(1),
            expires_at: NOW,
            now: NOW,
        };
        let workspace = settlement.workspace_id;
        let key = settlement.api_key_id;
        let mut backdoor = Backdoor::open(&engine).await;
        let block = "BEGIN; UPDATE funds SET held = held; UPDATE revisions SET revision = revision";
        backdoor.run(block).await.expect("locked");

        let refused = store.ledger.take_lease(&ask).await;
        assert!(
            matches!(refused, Err(StoreError::Unavailable(_))),
            "{refused:?}"
        );
        let refused = store.directory.delete_key(workspace, key, NOW).await;
        assert!(
            matches!(refused, Err(DirectoryError::Unavailable(_))),
            "{refused:?}"
        );
        store.directory.ping().await.expect("reading goes on");
        store
            .directory
            .account_by_id(account)
            .await
            .expect("reading goes on");

        backdoor.run("ROLLBACK").await.expect("unlocked");
        let outcome = store.ledger.take_lease(&ask).await.expect("answered");
        assert_eq!(outcome, LeaseOutcome::Granted(UsdNanos::new(1)));
        store
            .directory
            .delete_key(workspace, key, NOW)
            .await
            .expect("deleted");
        assert_eq!(
            store.ledger.verify().await.expect("read").faults,
            Vec::<String>::new()
        );
    }
}

/// A name that only a settlement may have is refused to anything else. Its id, taken by something else:
/// that is told, not tried for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stolen_name_or_id_is_an_inconsistency() {
    for engine in [Engine::postgres().await, Engine::sqlite().await] {
        let tenant = engine.new_account().await;
        let id = GenerationId::new(NOW.seconds(), 1);
        let settlement = sample_settlement(tenant, id, NOW, UsdNanos::new(5), Vec::new());
        let name = settlement.idempotency_key();
        let mut theft = CreditGrant {
            transaction_id: transaction_id_for(&name, settlement.admitted_at),
            idempotency_key: name,
            account_id: tenant.account_id,
            amount: UsdNanos::new(1),
            reason: "a mistake".to_owned(),
            at: NOW,
        };
        let refused = engine.ledger().grant(&theft).await;
        assert!(
            matches!(refused, Err(StoreError::Inconsistent(_))),
            "{refused:?}"
        );
        theft.idempotency_key = "grant".to_owned();
        engine.ledger().grant(&theft).await.expect("granted");

        let refused = engine
            .ledger()
            .post(std::slice::from_ref(&settlement))
            .await;

        assert!(
            matches!(refused, Err(StoreError::Inconsistent(_))),
            "{refused:?}"
        );
        let posted = engine.ledger().is_posted(&settlement.generation_id).await;
        assert!(!posted.expect("answered"), "nothing is left of the attempt");
    }
}

/// Without its schema a database is unavailable; it is not mistaken for an empty one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_schema_answers_nothing() {
    for engine in [Engine::postgres().await, Engine::sqlite().await] {
        let mut backdoor = Backdoor::open(&engine).await;
        backdoor
            .run("ALTER TABLE accounts RENAME TO elsewhere")
            .await
            .expect("renamed");
        let answer = engine
            .directory()
            .account_by_email("owner@example.com")
            .await;
        assert!(
            matches!(answer, Err(DirectoryError::Unavailable(_))),
            "{answer:?}"
        );
        engine
            .directory()
            .ping()
            .await
            .expect("the server itself answers");
    }
}
