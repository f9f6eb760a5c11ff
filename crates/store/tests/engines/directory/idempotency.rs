//! Changes that are asked for twice.

use std::time::Duration;

use switchyard_billing::test_suite::Fixture;
use switchyard_domain::id::{AccountId, CredentialId};
use switchyard_store::idempotency::{IdempotencyClaim, IdempotentRequest};
use tokio::task::JoinSet;

use crate::engine::{Engine, NOW};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn asking(engine: &Engine, account: AccountId, key: &str, digest: u8) -> IdempotentRequest {
    IdempotentRequest {
        account_id: account,
        route: "POST /keys".to_owned(),
        key: key.to_owned(),
        digest: [digest; 32],
        record: CredentialId::from_uuid(engine.fresh_uuid()),
        claimed_until: NOW.plus(MINUTE),
        expires_at: NOW.plus(DAY),
        at: NOW,
    }
}

fn later(asking: &IdempotentRequest, engine: &Engine, by: Duration) -> IdempotentRequest {
    IdempotentRequest {
        record: CredentialId::from_uuid(engine.fresh_uuid()),
        claimed_until: NOW.plus(by + MINUTE),
        expires_at: NOW.plus(by + DAY),
        at: NOW.plus(by),
        ..asking.clone()
    }
}

async fn claim(engine: &Engine, asking: &IdempotentRequest) -> IdempotencyClaim {
    engine
        .store
        .idempotency
        .claim(asking)
        .await
        .expect("answered")
}

pub(crate) async fn of_many_who_ask_at_once_one_is_let_through(engine: &Engine) {
    let account = engine.new_account().await.account_id;
    let mut tasks = JoinSet::new();
    for _ in 0..12 {
        let (store, asking) = (
            engine.store.idempotency.clone(),
            asking(engine, account, "k", 1),
        );
        tasks.spawn(async move { store.claim(&asking).await });
    }
    let mut claimed = 0;
    while let Some(done) = tasks.join_next().await {
        match done.expect("ran").expect("answered") {
            IdempotencyClaim::Claimed => claimed += 1,
            other => assert_eq!(other, IdempotencyClaim::InFlight),
        }
    }
    assert_eq!(claimed, 1);
}

pub(crate) async fn an_outcome_is_kept_for_the_same_asking_of_the_same_account(engine: &Engine) {
    let (mine, other) = (engine.new_account().await, engine.new_account().await);
    let first = asking(engine, mine.account_id, "k", 1);
    assert_eq!(claim(engine, &first).await, IdempotencyClaim::Claimed);
    let store = &engine.store.idempotency;
    store.finish(&first, 201, b"sealed").await.expect("kept");
    let done = IdempotencyClaim::Done {
        status: 201,
        sealed: b"sealed".to_vec(),
        record: first.record,
    };
    assert_eq!(claim(engine, &later(&first, engine, MINUTE)).await, done);
    let another = asking(engine, mine.account_id, "k", 2);
    assert_eq!(claim(engine, &another).await, IdempotencyClaim::Mismatch);
    for free in [
        asking(engine, other.account_id, "k", 2),
        asking(engine, mine.account_id, "l", 2),
        IdempotentRequest {
            route: "POST /workspaces".to_owned(),
            ..another
        },
    ] {
        assert_eq!(claim(engine, &free).await, IdempotencyClaim::Claimed);
    }
    // What is done is not given up by a latecomer.
    store.abandon(&first).await.expect("answered");
    assert_eq!(claim(engine, &later(&first, engine, MINUTE)).await, done);
}

pub(crate) async fn claims_lapse_and_outcomes_are_forgotten(engine: &Engine) {
    let account = engine.new_account().await.account_id;
    let first = asking(engine, account, "k", 1);
    assert_eq!(claim(engine, &first).await, IdempotencyClaim::Claimed);
    let soon = later(&first, engine, MINUTE - Duration::from_secs(1));
    assert_eq!(claim(engine, &soon).await, IdempotencyClaim::InFlight);
    let second = later(&first, engine, MINUTE);
    assert_eq!(claim(engine, &second).await, IdempotencyClaim::Claimed);
    let store = &engine.store.idempotency;
    store.abandon(&second).await.expect("given up");
    let third = later(&first, engine, MINUTE);
    assert_eq!(claim(engine, &third).await, IdempotencyClaim::Claimed);
    store.finish(&third, 200, b"x").await.expect("kept");
    let tomorrow = later(&first, engine, DAY + MINUTE);
    assert_eq!(store.forget_expired(NOW.plus(DAY)).await.expect("done"), 0);
    assert_eq!(claim(engine, &tomorrow).await, IdempotencyClaim::Claimed);
    let later = NOW.plus(3 * DAY);
    assert_eq!(store.forget_expired(later).await.expect("done"), 1);
}
