use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use switchyard_billing::{
    fund::{FundId, FundRef},
    store::{CreditGrant, LedgerStore, PostOutcome},
    test_suite::books::InMemoryLedger,
};
use switchyard_domain::{
    clock::{Clock, Timestamp},
    id::{AccountId, ApiKeyId, LedgerTransactionId, NodeId},
    money::UsdNanos,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Draw, ReserveError, Treasury};

/// A clock that moves when it is told to.
#[derive(Default)]
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_795_500_000 + self.0.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> std::time::Duration {
        std::time::Duration::from_secs(self.0.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// The same amount from each fund.
fn drawn(funds: &[FundRef], nanos: i64) -> Vec<Draw> {
    let amount = UsdNanos::new(nanos);
    let draw = |fund: &FundRef| Draw {
        fund: *fund,
        amount,
    };
    funds.iter().map(draw).collect()
}

struct Scene {
    ledger: Arc<InMemoryLedger>,
    clock: Arc<HandClock>,
    account: AccountId,
}

impl Scene {
    async fn with_credit(nanos: i64) -> Self {
        let scene = Self {
            ledger: Arc::default(),
            clock: Arc::default(),
            account: AccountId::from_uuid(Uuid::from_u128(1)),
        };
        scene.ledger.books().open_account(scene.account);
        let grant = CreditGrant {
            transaction_id: LedgerTransactionId::from_uuid(Uuid::from_u128(9)),
            idempotency_key: "grant".to_owned(),
            account_id: scene.account,
            amount: UsdNanos::new(nanos),
            reason: "test".to_owned(),
            at: scene.clock.now(),
        };
        assert!(scene.ledger.grant(&grant).await.expect("granted"));
        scene
    }

    fn node(&self, number: u128) -> Arc<Treasury> {
        let node = NodeId::from_uuid(Uuid::from_u128(number));
        Arc::new(Treasury::new(node, self.ledger.clone(), self.clock.clone()))
    }

    fn credits(&self) -> FundRef {
        FundRef {
            id: FundId::Credits(self.account),
            capacity: None,
        }
    }

    fn held(&self) -> i64 {
        self.ledger
            .books()
            .fund(FundId::Credits(self.account))
            .held
            .get()
    }
}

#[tokio::test]
async fn parallel_requests_on_two_nodes_cannot_overspend() {
    let scene = Scene::with_credit(1_000).await;
    let nodes = [scene.node(1), scene.node(2)];
    let mut requests = JoinSet::new();
    for number in 0..200 {
        let (node, funds) = (nodes[number % 2].clone(), [scene.credits()]);
        requests.spawn(async move { node.reserve(&drawn(&funds, 100)).await });
    }
    let outcomes = requests.join_all().await;
    let holds: Vec<_> = outcomes.into_iter().filter_map(Result::ok).collect();
    assert!(holds.len() <= 10, "{} holds of a tenth each", holds.len());
    assert!(
        holds.len() >= 9,
        "nearly all of the credit can be used: {}",
        holds.len()
    );
    drop(holds);
    scene.clock.advance_seconds(5);
    for node in &nodes {
        node.tend().await;
    }
    assert_eq!(scene.held(), 0, "no hold is left");
}

#[tokio::test]
async fn a_refusal_tells_what_is_available() {
    let scene = Scene::with_credit(250).await;
    let node = scene.node(1);
    let kept = node
        .reserve(&drawn(&[scene.credits()], 100))
        .await
        .expect("affordable");
    let refused = node.reserve(&drawn(&[scene.credits()], 200)).await;
    let Err(ReserveError::Insufficient {
        needed, available, ..
    }) = refused
    else {
        panic!("200 of the remaining 150 cannot be held")
    };
    assert_eq!(
        (needed, available),
        (UsdNanos::new(200), UsdNanos::new(150))
    );
    drop(kept);
}

#[tokio::test]
async fn a_key_limit_holds_beside_the_credits() {
    let scene = Scene::with_credit(1_000_000).await;
    let node = scene.node(1);
    let key = ApiKeyId::from_uuid(Uuid::from_u128(3));
    let limit = FundRef {
        id: FundId::KeyLimit {
            key,
            window_start: None,
        },
        capacity: Some(UsdNanos::new(300)),
    };
    let funds = [scene.credits(), limit];
    let mut holds = Vec::new();
    for _ in 0..3 {
        holds.push(
            node.reserve(&drawn(&funds, 100))
                .await
                .expect("within the limit"),
        );
    }
    let refused = node.reserve(&drawn(&funds, 1)).await;
    assert!(
        matches!(refused, Err(ReserveError::Insufficient { fund, .. }) if fund.is_key_limit()),
        "the limit is used up"
    );
    holds.pop();
    assert!(
        node.reserve(&drawn(&funds, 100)).await.is_ok(),
        "a released hold is free again"
    );
}

#[tokio::test]
async fn a_debtor_gets_nothing_not_even_for_free() {
    let scene = Scene::with_credit(100).await;
    let node = scene.node(1);
    let hold = node
        .reserve(&drawn(&[scene.credits()], 100))
        .await
        .expect("affordable");
    let holds = hold.settle(UsdNanos::new(150), UsdNanos::new(150));
    let free = node.reserve(&drawn(&[scene.credits()], 0)).await;
    assert!(
        matches!(free, Err(ReserveError::Insufficient { .. })),
        "{holds:?}"
    );
}

#[tokio::test]
async fn a_balance_of_zero_still_gets_what_is_free() {
    let scene = Scene::with_credit(1).await;
    let node = scene.node(1);
    let all = node
        .reserve(&drawn(&[scene.credits()], 1))
        .await
        .expect("affordable");
    assert!(node.reserve(&drawn(&[scene.credits()], 0)).await.is_ok());
    drop(all);
}

#[tokio::test]
async fn a_charge_whose_posting_was_only_found_later_leaves_nothing_held() {
    let scene = Scene::with_credit(1_000).await;
    let node = scene.node(1);
    let hold = node
        .reserve(&drawn(&[scene.credits()], 100))
        .await
        .expect("affordable");
    let mut settlement = crate::journal::tests::settlement(40);
    settlement.holds = hold.settle(settlement.charge.total, settlement.charge.total);
    let batch = [settlement];
    let lost = scene.ledger.post(&batch).await.expect("posted");
    assert_eq!(lost, [PostOutcome::Posted]);
    let found = scene.ledger.post(&batch).await.expect("asked again");
    assert_eq!(found, [PostOutcome::AlreadyPosted]);
    node.posted(&batch, &found);
    assert_eq!(
        node.book()
            .states()
            .map(|(_, lease)| lease.spent_unposted)
            .sum::<UsdNanos>(),
        UsdNanos::ZERO
    );
}

#[tokio::test]
async fn what_counts_toward_a_limit_need_not_be_charged() {
    let scene = Scene::with_credit(10).await;
    let node = scene.node(1);
    let limit = FundRef {
        id: FundId::KeyLimit {
            key: ApiKeyId::from_uuid(Uuid::from_u128(3)),
            window_start: None,
        },
        capacity: Some(UsdNanos::new(300)),
    };
    let draws = [
        Draw {
            fund: scene.credits(),
            amount: UsdNanos::ZERO,
        },
        Draw {
            fund: limit,
            amount: UsdNanos::new(100),
        },
    ];
    let mut holds = Vec::new();
    for _ in 0..3 {
        holds.push(node.reserve(&draws).await.expect("within the limit"));
    }
    let refused = node.reserve(&draws).await;
    assert!(
        matches!(refused, Err(ReserveError::Insufficient { fund, .. }) if fund.is_key_limit()),
        "the limit is held"
    );
    let consumed = holds
        .pop()
        .expect("three")
        .settle(UsdNanos::ZERO, UsdNanos::new(60));
    let amounts: Vec<_> = consumed.iter().map(|hold| hold.amount).collect();
    assert_eq!(amounts, [None, Some(UsdNanos::new(60))]);
    let mut settlement = crate::journal::tests::settlement(0);
    settlement.holds = consumed;
    let written = serde_json::to_string(&settlement).expect("plain data");
    let settlement: switchyard_billing::settlement::Settlement =
        serde_json::from_str(&written).expect("read back");
    let batch = [settlement];
    let posted = scene.ledger.post(&batch).await.expect("posted");
    assert_eq!(posted, [PostOutcome::Posted]);
    node.posted(&batch, &posted);
    drop(holds);
    let spent = scene.ledger.books().fund(limit.id).spent;
    assert_eq!(spent, UsdNanos::new(60));
    assert_eq!(
        scene.ledger.books().fund(scene.credits().id).spent,
        UsdNanos::ZERO
    );
    let rest = [Draw {
        fund: limit,
        amount: UsdNanos::new(240),
    }];
    assert!(node.reserve(&rest).await.is_ok(), "the rest is free again");
}
