//! Receipts: posted with their generations, chained per workspace, never changed again.

use std::{sync::Arc, time::Duration};

use switchyard_billing::{
    settlement::Settlement,
    store::PostOutcome,
    test_suite::{
        Fixture, Tenant,
        scene::{json, sample_settlement},
    },
};
use switchyard_domain::{
    id::{GenerationId, WorkspaceId},
    money::UsdNanos,
};
use switchyard_store::{
    ReceiptStore,
    receipts::{ChainHead, Pending, SignedReceipt, SigningKeyRow, StoredReceipt},
};
use tokio::task::JoinSet;

use crate::{
    engine::{Engine, NOW},
    schema::Backdoor,
};

/// A settled generation, the later the higher its number.
fn settlement(tenant: Tenant, number: u64, receipt: Option<&str>) -> Settlement {
    let at = NOW.plus(Duration::from_secs(number));
    let id = GenerationId::new(NOW.seconds(), u128::from(number));
    let mut settlement = sample_settlement(tenant, id, at, UsdNanos::new(1), Vec::new());
    settlement.receipt = receipt.map(json);
    settlement
}

fn asking(tenant: Tenant, number: u64) -> Settlement {
    settlement(tenant, number, Some(&format!("{{\"number\":{number}}}")))
}

async fn post(engine: &Engine, batch: &[Settlement]) -> Vec<PostOutcome> {
    engine.ledger().post(batch).await.expect("posted")
}

async fn pending(store: &dyn ReceiptStore, workspace: WorkspaceId, limit: u32) -> Pending {
    store
        .unsigned_receipts(workspace, limit)
        .await
        .expect("answered")
}

async fn stored(
    engine: &Engine,
    workspace: WorkspaceId,
    settlement: &Settlement,
) -> Option<StoredReceipt> {
    engine
        .receipts()
        .receipt(workspace, &settlement.generation_id)
        .await
        .expect("answered")
}

/// Signs as a node would: each document names the one before it, and its hash is its number.
fn sign(pending: &Pending) -> Vec<SignedReceipt> {
    let mut head = pending.head;
    let mut signed = Vec::new();
    for receipt in &pending.receipts {
        let sequence = head.map_or(1, |head| head.sequence + 1);
        let before = head.map_or(0, |head| u64_in(head.hash));
        signed.push(SignedReceipt {
            generation_id: receipt.generation_id.clone(),
            document: format!("{sequence} after {before}"),
            hash: hash(sequence),
        });
        head = Some(ChainHead {
            sequence,
            hash: hash(sequence),
        });
    }
    signed
}

fn hash(number: u64) -> [u8; 32] {
    let mut hash = [0; 32];
    hash[24..].copy_from_slice(&number.to_be_bytes());
    hash
}

fn u64_in(hash: [u8; 32]) -> u64 {
    u64::from_be_bytes(hash[24..].try_into().expect("eight bytes"))
}

pub(crate) async fn a_receipt_comes_with_its_generation_where_it_was_asked_for(engine: &Engine) {
    let (tenant, other) = (engine.new_account().await, engine.new_account().await);
    let document = "{\"b\":1,\"a\":\"\\u0000 \\\"x\\\"\"}";
    let asked = settlement(tenant, 1, Some(document));
    let silent = settlement(tenant, 2, None);
    let batch = [asked.clone(), silent.clone()];
    assert_eq!(
        post(engine, &batch).await,
        [PostOutcome::Posted, PostOutcome::Posted]
    );

    let workspace = tenant.workspace_id;
    assert_eq!(
        stored(engine, workspace, &asked).await,
        Some(StoredReceipt::Unsigned)
    );
    assert_eq!(stored(engine, workspace, &silent).await, None);
    assert_eq!(stored(engine, other.workspace_id, &asked).await, None);
    let waiting = pending(engine.receipts(), workspace, 10).await;
    assert_eq!(waiting.head, None);
    let [receipt] = waiting.receipts.as_slice() else {
        panic!("{waiting:?}");
    };
    assert_eq!(receipt.generation_id, asked.generation_id);
    assert_eq!(receipt.document, document, "byte for byte");
    assert_eq!(
        engine
            .receipts()
            .workspaces_with_unsigned_receipts(10)
            .await
            .expect("answered"),
        [workspace]
    );

    // Posted again by another node, whatever its receipt says: the first stands.
    let mut again = asked.clone();
    again.receipt = Some(json("{}"));
    let outcomes = post(engine, &[again]).await;
    assert_eq!(outcomes, [PostOutcome::AlreadyPosted]);
    assert_eq!(pending(engine.receipts(), workspace, 10).await, waiting);
}

pub(crate) async fn a_chain_grows_only_from_where_it_ends(engine: &Engine) {
    let tenant = engine.new_account().await;
    let workspace = tenant.workspace_id;
    // Posted out of order; chained in the order of settlement.
    let settled: Vec<_> = [3, 1, 2]
        .iter()
        .map(|number| asking(tenant, *number))
        .collect();
    post(engine, &settled).await;
    let store = engine.receipts();
    let first = pending(store, workspace, 2).await;
    let signed = sign(&first);
    assert_eq!(signed[0].generation_id, settled[1].generation_id);
    assert_eq!(signed[1].generation_id, settled[2].generation_id);
    for expected in [true, false] {
        let appended = store.append_receipts(workspace, None, &signed).await;
        assert_eq!(appended.expect("answered"), expected);
    }

    let second = pending(store, workspace, 2).await;
    assert_eq!(
        second.head,
        Some(ChainHead {
            sequence: 2,
            hash: hash(2)
        })
    );
    let last = sign(&second);
    for stale in [
        None,
        Some(ChainHead {
            sequence: 1,
            hash: hash(1),
        }),
        Some(ChainHead {
            sequence: 2,
            hash: hash(9),
        }),
    ] {
        let refused = store.append_receipts(workspace, stale, &last).await;
        assert!(!refused.expect("answered"), "{stale:?}");
    }
    let appended = store.append_receipts(workspace, second.head, &last).await;
    assert!(appended.expect("answered"));
    assert_eq!(
        stored(engine, workspace, &settled[0]).await,
        Some(StoredReceipt::Signed("3 after 2".to_owned()))
    );
    assert_eq!(
        store
            .workspaces_with_unsigned_receipts(10)
            .await
            .expect("answered"),
        []
    );
}

pub(crate) async fn a_chain_takes_all_of_a_list_or_none(engine: &Engine) {
    let (tenant, other) = (engine.new_account().await, engine.new_account().await);
    let (own, foreign) = (asking(tenant, 1), asking(other, 2));
    post(engine, &[own.clone(), foreign.clone()]).await;
    let store = engine.receipts();
    let workspace = tenant.workspace_id;
    let mut signed = sign(&pending(store, workspace, 10).await);
    signed.extend(sign(&pending(store, other.workspace_id, 10).await));
    let refused = store.append_receipts(workspace, None, &signed).await;
    assert!(
        !refused.expect("answered"),
        "the second is another workspace's"
    );
    assert_eq!(
        stored(engine, workspace, &own).await,
        Some(StoredReceipt::Unsigned)
    );
    assert_eq!(pending(store, workspace, 10).await.head, None);
    let nothing = store.append_receipts(workspace, None, &[]).await;
    assert!(nothing.expect("answered"));
    assert_eq!(pending(store, workspace, 10).await.head, None);
}

/// Two posters write while three signers chain, each as if it were alone.
pub(crate) async fn parallel_nodes_leave_no_gap(engine: &Engine) {
    const EACH: u64 = 40;
    let tenants = [engine.new_account().await, engine.new_account().await];
    let mut posters = JoinSet::new();
    for poster in 0..2 {
        let ledger = Arc::clone(&engine.store.ledger);
        posters.spawn(async move {
            for number in 0..EACH {
                let batch = tenants.map(|tenant| {
                    asking(tenant, 1_000 * tenant_no(tenant) + 100 * poster + number)
                });
                ledger.post(&batch).await.expect("posted");
            }
        });
    }
    let mut signers = JoinSet::new();
    for _ in 0..3 {
        let store = Arc::clone(&engine.store.receipts);
        signers.spawn(async move {
            let mut appended = 0;
            while appended < 10 {
                appended += chain_some(&*store, tenants).await;
                tokio::task::yield_now().await;
            }
        });
    }
    posters.join_all().await;
    signers.join_all().await;
    while chain_some(engine.receipts(), tenants).await > 0 {}

    let mut backdoor = Backdoor::open(engine).await;
    let mut expected: Vec<_> = (1..=2 * EACH)
        .flat_map(|number| [format!("{number} after {}", number - 1), number.to_string()])
        .collect();
    expected.extend(expected.clone());
    let mut found = backdoor
        .texts(
            "SELECT document FROM receipts UNION ALL
            SELECT CAST(sequence AS TEXT) FROM receipts WHERE sequence IS NOT NULL",
        )
        .await;
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

/// Tells the generations of two tenants apart.
fn tenant_no(tenant: Tenant) -> u64 {
    tenant.workspace_id.as_uuid().as_u64_pair().1 & 0xff
}

/// Appends a few receipts to each chain; the answer is how many it was fast enough for.
async fn chain_some(store: &dyn ReceiptStore, tenants: [Tenant; 2]) -> usize {
    let mut appended = 0;
    for tenant in tenants {
        let waiting = pending(store, tenant.workspace_id, 7).await;
        let signed = sign(&waiting);
        let done = store.append_receipts(tenant.workspace_id, waiting.head, &signed);
        if done.await.expect("answered") {
            appended += signed.len();
        }
    }
    appended
}

pub(crate) async fn what_is_signed_stays_as_it_is(engine: &Engine) {
    let tenant = engine.new_account().await;
    post(engine, &[asking(tenant, 1)]).await;
    let waiting = pending(engine.receipts(), tenant.workspace_id, 10).await;
    let signed = sign(&waiting);
    let appended = engine
        .receipts()
        .append_receipts(tenant.workspace_id, None, &signed);
    assert!(appended.await.expect("answered"));
    let mut backdoor = Backdoor::open(engine).await;
    for attempt in [
        "UPDATE receipts SET document = '{}'",
        "UPDATE receipts SET sequence = NULL",
        "DELETE FROM receipts",
    ] {
        let refused = backdoor.run(attempt).await.expect_err(attempt);
        assert!(refused.contains("append-only"), "{attempt}: {refused}");
    }
    if let Backdoor::Postgres(_) = backdoor {
        backdoor
            .run("TRUNCATE receipts")
            .await
            .expect_err("evidence");
    }
}

pub(crate) async fn the_first_signing_key_wins(engine: &Engine) {
    let key = |number: u8| SigningKeyRow {
        key_id: format!("sig_{number}"),
        public_key: [number; 32],
        sealed: vec![0, number, 255],
        created_at: NOW.plus(Duration::from_secs(u64::from(number))),
        retired_at: None,
    };
    let mut nodes = JoinSet::new();
    for number in 1..=4 {
        let store = Arc::clone(&engine.store.receipts);
        nodes.spawn(async move { store.put_signing_key(&key(number)).await.expect("stored") });
    }
    let got = nodes.join_all().await;
    let keys = engine.receipts().signing_keys().await.expect("answered");
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert!(got.iter().all(|one| *one == keys[0]), "{got:?}");

    let mut backdoor = Backdoor::open(engine).await;
    backdoor
        .run("UPDATE signing_keys SET retired_at = created_at")
        .await
        .expect("a key can retire");
    let next = engine.receipts().put_signing_key(&key(9)).await;
    assert_eq!(next.expect("stored"), key(9));
    let keys = engine.receipts().signing_keys().await.expect("answered");
    assert_eq!(keys[0].retired_at, Some(keys[0].created_at));
    assert_eq!(keys[1], key(9));
}
