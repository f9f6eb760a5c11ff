//! Money coming in.

use switchyard_domain::id::{AccountId, LedgerTransactionId};
use tokio::task::JoinSet;

use super::{
    Fixture,
    scene::{Scene, granted, insufficient},
};

/// A grant under a name that was used is not made again, whatever else it says.
pub async fn a_grant_adds_capacity_once(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "a_grant_adds_capacity_once").await;
    let credits = scene.credits();
    let before = scene.sound_report().await.transactions;
    let first = scene.new_grant(5_000_000_000);
    let mut again = first.clone();
    again.transaction_id = LedgerTransactionId::from_uuid(scene.dice.uuid());
    let other = scene.new_grant(250);

    for (grant, made, capacity) in [
        (&first, true, 5_000_000_000),
        (&first, false, 5_000_000_000),
        (&again, false, 5_000_000_000),
        (&other, true, 5_000_000_250),
    ] {
        assert_eq!(scene.store.grant(grant).await.expect("answered"), made);
        assert_eq!(scene.balance(credits).await, (capacity, 0, 0));
    }
    assert_eq!(scene.sound_report().await.transactions, before + 2);
}

/// A grant that is sent twice at the same time is made once.
pub async fn parallel_grants_under_one_name_count_once(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "parallel_grants_under_one_name_count_once").await;
    let grant = scene.new_grant(1_000);

    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let store = scene.store.clone();
        let grant = grant.clone();
        tasks.spawn(async move { store.grant(&grant).await.expect("answered") });
    }
    let made = tasks
        .join_all()
        .await
        .into_iter()
        .filter(|made| *made)
        .count();

    assert_eq!(made, 1);
    assert_eq!(scene.balance(scene.credits()).await, (1_000, 0, 0));
    scene.sound_report().await;
}

/// New credit first fills the hole, then can be held.
pub async fn a_grant_brings_an_overdrawn_account_back(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "a_grant_brings_an_overdrawn_account_back").await;
    let credits = scene.credits();
    scene.grant(100).await;
    let hold = scene.hold(credits, 100).await;
    let overrun = scene.settlement(160, &[hold]);
    scene.post(&[overrun]).await;
    let ask = scene.new_ask(credits, 1, 1);
    assert_eq!(scene.take(&ask).await, insufficient(-60));

    scene.grant(61).await;
    assert_eq!(scene.balance(credits).await, (161, 160, 0));
    assert_eq!(scene.take(&ask).await, granted(1));
    scene.sound_report().await;
}

/// Credit cannot be given to an account that does not exist.
pub async fn a_grant_to_nobody_is_refused(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "a_grant_to_nobody_is_refused").await;
    let before = scene.sound_report().await.transactions;
    let mut grant = scene.new_grant(1_000);
    grant.account_id = AccountId::from_uuid(scene.dice.uuid());

    scene
        .store
        .grant(&grant)
        .await
        .expect_err("nobody to receive it");
    assert_eq!(scene.sound_report().await.transactions, before);
}
