//! Holding money and giving it back.

use std::time::Duration;

use switchyard_domain::{clock::Timestamp, id::LeaseId, money::UsdNanos};
use tokio::task::JoinSet;

use super::{
    Fixture,
    scene::{LEASE_LIFE, START, Scene, granted, insufficient},
};
use crate::{
    fund::{FundId, FundRef},
    store::LeaseOutcome,
};

/// What is granted is held, and an ample fund grants what was wanted.
pub async fn a_lease_holds_what_it_grants(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "a_lease_holds_what_it_grants").await;
    let credits = scene.credits();
    scene.grant(1_000).await;

    let ask = scene.new_ask(credits, 10, 50);
    assert_eq!(scene.take(&ask).await, granted(50));
    assert_eq!(scene.balance(credits).await, (1_000, 0, 50));
    assert_eq!(scene.sound_report().await.held, UsdNanos::new(50));
}

/// The sizing rule, down to the last nano-dollar: `max(needed, min(wanted, available / 8))`.
pub async fn leases_shrink_as_a_fund_runs_dry(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "leases_shrink_as_a_fund_runs_dry").await;
    let credits = scene.credits();
    scene.grant(800).await;

    for (needed, wanted, outcome) in [
        (10, 1_000, granted(100)),  // an eighth of 800
        (10, 1_000, granted(87)),   // an eighth of 700, rounded down
        (10, 20, granted(20)),      // no more than wanted
        (500, 1_000, granted(500)), // what is needed, though more than an eighth
        (94, 94, insufficient(93)),
        (50, 20, granted(50)),    // needed outweighs a smaller wish
        (43, 1_000, granted(43)), // exactly what is left
        (1, 1_000, insufficient(0)),
    ] {
        let ask = scene.new_ask(credits, needed, wanted);
        assert_eq!(
            scene.take(&ask).await,
            outcome,
            "needed {needed}, wanted {wanted}"
        );
    }
    assert_eq!(scene.balance(credits).await, (800, 0, 800));
    scene.sound_report().await;
}

/// An account that never received credit cannot hold any, and the refusal leaves nothing.
pub async fn an_empty_fund_grants_nothing(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "an_empty_fund_grants_nothing").await;
    let credits = scene.credits();
    assert_eq!(scene.balance(credits).await, (0, 0, 0));

    let ask = scene.new_ask(credits, 1, 1);
    assert_eq!(scene.take(&ask).await, insufficient(0));
    assert_eq!(scene.balance(credits).await, (0, 0, 0));
    assert_eq!(scene.sound_report().await.held, UsdNanos::ZERO);
}

/// Asking again under the same id adds to the lease, opens no second one, and moves its expiry to
/// later but never to earlier: asks may reach the store in another order than they were made.
pub async fn a_lease_is_enlarged_under_its_own_id(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "a_lease_is_enlarged_under_its_own_id").await;
    let credits = scene.credits();
    scene.grant(10_000).await;

    let mut ask = scene.new_ask(credits, 100, 100);
    assert_eq!(scene.take(&ask).await, granted(100));
    ask.needed = UsdNanos::new(30);
    ask.wanted = UsdNanos::new(30);
    ask.now = ask.now.plus(Duration::from_secs(50));
    ask.expires_at = ask.now.plus(LEASE_LIFE);
    assert_eq!(scene.take(&ask).await, granted(30));
    ask.needed = UsdNanos::new(5);
    ask.wanted = UsdNanos::new(5);
    ask.expires_at = START.plus(LEASE_LIFE);
    assert_eq!(scene.take(&ask).await, granted(5));

    assert_eq!(scene.balance(credits).await, (10_000, 0, 135));
    assert_eq!(scene.sound_report().await.leases, 1);
    assert_eq!(
        sweep(&scene, 61).await,
        0,
        "the second ask moved the expiry"
    );
    assert_eq!(sweep(&scene, 111).await, 135);
    assert_eq!(scene.balance(credits).await, (10_000, 0, 0));
}

/// A key limit's fund appears with the first ask and takes over a changed limit with a later one.
pub async fn a_key_limit_opens_with_its_capacity_and_follows_changes(fixture: &dyn Fixture) {
    let name = "a_key_limit_opens_with_its_capacity_and_follows_changes";
    let mut scene = Scene::new(fixture, name).await;

    for (limit, needed, outcome) in [
        (100, 30, granted(30)),
        (50, 21, insufficient(20)),
        (50, 20, granted(20)),
        (40, 0, insufficient(-10)),
        (200, 150, granted(150)),
    ] {
        let ask = scene.new_ask(scene.key_limit(limit), needed, needed);
        assert_eq!(
            scene.take(&ask).await,
            outcome,
            "limit {limit}, needed {needed}"
        );
    }
    assert_eq!(scene.balance(scene.key_limit(200)).await, (200, 0, 200));
    scene.sound_report().await;
}

/// Each window of a key limit starts with its full capacity.
pub async fn windows_of_a_key_limit_are_funds_of_their_own(fixture: &dyn Fixture) {
    let name = "windows_of_a_key_limit_are_funds_of_their_own";
    let mut scene = Scene::new(fixture, name).await;
    let window = |start: Timestamp| FundRef {
        id: FundId::KeyLimit {
            key: scene.tenant.api_key_id,
            window_start: Some(start),
        },
        capacity: Some(UsdNanos::new(100)),
    };
    let today = window(START);
    let tomorrow = window(START.plus(Duration::from_secs(86_400)));

    for (fund, needed, outcome) in [
        (today, 100, granted(100)),
        (today, 1, insufficient(0)),
        (tomorrow, 100, granted(100)),
    ] {
        let ask = scene.new_ask(fund, needed, needed);
        assert_eq!(scene.take(&ask).await, outcome);
    }
    assert_eq!(scene.balance(today).await, (100, 0, 100));
    scene.sound_report().await;
}

/// Giving back frees the fund; more than is left gives back the rest; a lease that is gone is no
/// error, because the sweep may have been quicker.
pub async fn a_lease_is_given_back_in_parts(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "a_lease_is_given_back_in_parts").await;
    let credits = scene.credits();
    scene.grant(1_000).await;
    let lease = scene.hold(credits, 300).await.lease;

    for (amount, held) in [(100, 200), (0, 200), (5_000, 0), (10, 0)] {
        give_back(&scene, lease, amount).await;
        assert_eq!(
            scene.balance(credits).await,
            (1_000, 0, held),
            "after {amount}"
        );
    }
    assert_eq!(
        scene.sound_report().await.leases,
        0,
        "an empty lease disappears"
    );
}

/// A lapsed lease goes back to its fund, whoever took it; a renewed one stays, even where an
/// earlier renewal arrives late.
pub async fn lapsed_leases_are_swept_and_renewed_ones_are_not(fixture: &dyn Fixture) {
    let name = "lapsed_leases_are_swept_and_renewed_ones_are_not";
    let mut scene = Scene::new(fixture, name).await;
    let credits = scene.credits();
    scene.grant(10_000).await;
    scene.hold(credits, 100).await;
    scene.hold(scene.key_limit(500), 40).await;
    let renewing = scene.node;
    scene.node = fixture.new_node().await;
    scene.hold(credits, 7).await;

    assert_eq!(sweep(&scene, 59).await, 0, "nothing has lapsed");
    for seconds in [120, 30] {
        let expires_at = START.plus(Duration::from_secs(seconds));
        let renewed = scene.store.renew_leases(renewing, expires_at).await;
        renewed.expect("renewed");
    }
    assert_eq!(
        sweep(&scene, 61).await,
        7,
        "only the lease that was not renewed"
    );
    assert_eq!(scene.balance(credits).await, (10_000, 0, 100));
    assert_eq!(sweep(&scene, 121).await, 140);
    assert_eq!(scene.balance(credits).await, (10_000, 0, 0));
    assert_eq!(scene.balance(scene.key_limit(500)).await, (500, 0, 0));
    assert_eq!(scene.sound_report().await.leases, 0);
}

/// A node that starts or stops gives back all it holds and nothing of others.
pub async fn a_node_gives_back_only_what_is_its_own(fixture: &dyn Fixture) {
    let name = "a_node_gives_back_only_what_is_its_own";
    let mut scene = Scene::new(fixture, name).await;
    let credits = scene.credits();
    scene.grant(10_000).await;
    scene.hold(credits, 100).await;
    scene.hold(scene.key_limit(500), 40).await;
    let leaving = scene.node;
    scene.node = fixture.new_node().await;
    scene.hold(credits, 7).await;

    for expected in [140, 0] {
        let released = scene.store.release_node(leaving).await.expect("released");
        assert_eq!(released, UsdNanos::new(expected));
    }
    assert_eq!(scene.balance(credits).await, (10_000, 0, 7));
    assert_eq!(scene.balance(scene.key_limit(500)).await, (500, 0, 0));
    assert_eq!(scene.sound_report().await.held, UsdNanos::new(7));
}

/// Two hundred asks from many nodes on a fund for ten: ten are granted.
pub async fn parallel_asks_never_hold_more_than_there_is(fixture: &dyn Fixture) {
    let name = "parallel_asks_never_hold_more_than_there_is";
    let mut scene = Scene::new(fixture, name).await;
    let credits = scene.credits();
    scene.grant(1_050).await;

    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        scene.node = fixture.new_node().await;
        let asks: Vec<_> = (0..10).map(|_| scene.new_ask(credits, 100, 100)).collect();
        let store = scene.store.clone();
        tasks.spawn(async move {
            let mut granted = 0;
            for ask in asks {
                match store.take_lease(&ask).await.expect("the store answers") {
                    LeaseOutcome::Granted(amount) => {
                        assert_eq!(amount, UsdNanos::new(100));
                        granted += 1;
                    }
                    LeaseOutcome::Insufficient { available } => {
                        assert!(
                            available < UsdNanos::new(100),
                            "{available} would have done"
                        );
                    }
                }
            }
            granted
        });
    }
    let granted: i64 = tasks.join_all().await.into_iter().sum();

    assert_eq!(granted, 10);
    assert_eq!(scene.balance(credits).await, (1_050, 0, 1_000));
    assert_eq!(scene.sound_report().await.leases, 10);
}

/// A node may enlarge one lease from several tasks at once; nothing is lost.
pub async fn parallel_asks_for_one_lease_add_up(fixture: &dyn Fixture) {
    let mut scene = Scene::new(fixture, "parallel_asks_for_one_lease_add_up").await;
    let limit = scene.key_limit(1_000);
    let ask = scene.new_ask(limit, 10, 10);

    let mut tasks = JoinSet::new();
    for _ in 0..20 {
        let store = scene.store.clone();
        tasks.spawn(async move { store.take_lease(&ask).await.expect("the store answers") });
    }
    assert_eq!(tasks.join_all().await, vec![granted(10); 20]);

    assert_eq!(scene.balance(limit).await, (1_000, 0, 200));
    assert_eq!(scene.sound_report().await.leases, 1);
    give_back(&scene, ask.lease, 200).await;
    assert_eq!(scene.balance(limit).await, (1_000, 0, 0));
}

async fn sweep(scene: &Scene, seconds: u64) -> i64 {
    let now = START.plus(Duration::from_secs(seconds));
    scene.store.sweep_expired(now).await.expect("swept").get()
}

async fn give_back(scene: &Scene, lease: LeaseId, amount: i64) {
    scene
        .store
        .return_lease(lease, UsdNanos::new(amount))
        .await
        .expect("given back");
}
