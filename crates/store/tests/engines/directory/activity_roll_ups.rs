//! Roll-ups are what their generations add up to, however those came in.

use switchyard_billing::test_suite::{Fixture, scene::Dice};
use switchyard_store::{OpenOptions, Store, activity::Detail};
use tokio::task::JoinSet;

use super::activity_traffic::{Traffic, activity};
use crate::{engine::Engine, schema::Backdoor};

pub(crate) async fn random_batches_add_up_to_their_generations(engine: &Engine) {
    let mut dice = Dice::named("random batches");
    let all = [
        Traffic::made(engine.new_account().await, "one", 260),
        Traffic::made(engine.new_account().await, "other", 140),
    ];
    let mut left: Vec<_> = all.iter().flat_map(|one| one.settlements.clone()).collect();
    while !left.is_empty() {
        let size = 1 + usize::try_from(dice.next() % 60).expect("small");
        let mut batch = left.split_off(left.len().saturating_sub(size));
        // What is posted again, in the same batch or later, is not counted again.
        batch.extend(batch.first().cloned());
        batch.extend(all[0].settlements.last().cloned());
        engine.ledger().post(&batch).await.expect("posted");
    }
    for traffic in &all {
        let scope = traffic.whole();
        let told = activity(engine).totals(&scope, Detail::Timed).await;
        assert_eq!(told.expect("answered"), traffic.sums_of(|_| true));
        let faults = activity(engine).roll_up_faults(scope.account, scope.range);
        assert_eq!(faults.await.expect("answered"), []);
    }
    let mut door = Backdoor::open(engine).await;
    door.run("UPDATE activity SET charge = charge + 1 WHERE hours = 1")
        .await
        .expect("changed");
    let scope = all[0].whole();
    let faults = activity(engine).roll_up_faults(scope.account, scope.range);
    assert!(!faults.await.expect("answered").is_empty());
}

/// As if a program had posted that knows of no roll-ups.
async fn forget_roll_ups(engine: &Engine) {
    let mut door = Backdoor::open(engine).await;
    for forget in [
        "DELETE FROM activity",
        "DELETE FROM activity_series",
        "UPDATE generations SET
            series_id = NULL, session_id = NULL, external_user = NULL, first_token_ms = NULL,
            generation_time_ms = NULL, cache_write_tokens = NULL, tools_charge = NULL,
            byok_list_price = NULL, cache_discount = NULL",
    ] {
        door.run(forget).await.expect("done");
    }
}

async fn another_node(engine: &Engine) -> Store {
    switchyard_store::open(&engine.url, &OpenOptions::default())
        .await
        .expect("opened")
}

pub(crate) async fn what_was_posted_without_is_rolled_up_once(engine: &Engine) {
    let traffic = Traffic::posted(engine, "posted without", 90).await;
    forget_roll_ups(engine).await;
    let mut door = Backdoor::open(engine).await;
    let broken = traffic.settlements[0].generation_id.clone();
    let breaking =
        format!("UPDATE generations SET facts = '{{}}' WHERE generation_id = '{broken}'");
    door.run(&breaking).await.expect("broken");
    let scope = traffic.whole();
    // One node rolls up a part and is killed; what it did not commit is as it was.
    let first = another_node(engine).await;
    assert_eq!(first.activity.roll_up_missing(40).await.expect("done"), 40);
    drop(first);
    let second = another_node(engine).await;
    assert_eq!(second.activity.roll_up_missing(40).await.expect("done"), 40);
    assert_eq!(second.activity.roll_up_missing(40).await.expect("done"), 10);
    assert_eq!(second.activity.roll_up_missing(40).await.expect("done"), 0);
    let told = second.activity.totals(&scope, Detail::Timed).await;
    let readable = traffic.sums_of(|one| one.generation_id != broken);
    assert_eq!(told.expect("answered"), readable);
    // What it posts from then on is added.
    let more = Traffic::made(traffic.tenant, "more", 20);
    second.ledger.post(&more.settlements).await.expect("posted");
    let told = second.activity.totals(&scope, Detail::Timed).await;
    let mut expected = readable;
    expected += &more.sums_of(|_| true);
    assert_eq!(told.expect("answered"), expected);
    let faults = second.activity.roll_up_faults(scope.account, scope.range);
    assert_eq!(faults.await.expect("answered"), []);
}

pub(crate) async fn nodes_that_roll_up_at_once_count_nothing_twice(engine: &Engine) {
    let traffic = Traffic::posted(engine, "at once", 120).await;
    forget_roll_ups(engine).await;
    let mut nodes = JoinSet::new();
    for _ in 0..3 {
        let node = another_node(engine).await;
        nodes.spawn(async move {
            let mut rolled_up = 0;
            loop {
                match node.activity.roll_up_missing(7).await.expect("done") {
                    0 => return rolled_up,
                    some => rolled_up += some,
                }
            }
        });
    }
    assert_eq!(nodes.join_all().await.into_iter().sum::<u64>(), 120);
    let told = activity(engine)
        .totals(&traffic.whole(), Detail::Timed)
        .await;
    assert_eq!(told.expect("answered"), traffic.sums_of(|_| true));
}
