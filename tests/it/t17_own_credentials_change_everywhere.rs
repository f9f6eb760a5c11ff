//! What happens to a credential at one node holds at the others within five seconds, with Redis and
//! without.

use std::time::Duration;

use crate::{own::*, world::*};

const AT_MOST: Duration = Duration::from_secs(5);

/// Waits until a node uses this credential (or the operator's).
async fn uses(world: &World, api: &HttpClient, end: &str) {
    wait::until(format!("{end} to be used"), AT_MOST, || async {
        let call = api.post("/api/v1/chat/completions", &question_to(OAK, &["alder"]));
        call.key(&world.key.text).send().await.ok();
        let last = asked_with(world, "alder").pop().expect("a request");
        (last == end).then_some(())
    })
    .await;
}

async fn changes_reach(world: &World, api: &HttpClient) {
    uses(world, api, &shared_end("alder")).await;
    let id = store(world, "alder", "K1", &[]).await;
    uses(world, api, &end_of("K1")).await;
    byok(world, "switch", &id, &["off"]).await;
    uses(world, api, &shared_end("alder")).await;
    byok(world, "switch", &id, &["on"]).await;
    uses(world, api, &end_of("K1")).await;
    let rotate = ["byok", "rotate", "--account", &world.account, "--id", &id];
    let secret = secret_of("alder", "K2");
    world.deployment.run_with_input(&rotate, &secret).await;
    uses(world, api, &end_of("K2")).await;
    // Once the new one is used, the old one never is.
    let seen = asked_with(world, "alder").len();
    for _ in 0..10 {
        uses(world, api, &end_of("K2")).await;
    }
    assert!(!asked_with(world, "alder")[seen..].contains(&end_of("K1")));
    byok(world, "remove", &id, &[]).await;
    uses(world, api, &shared_end("alder")).await;
    let seen = asked_with(world, "alder").len();
    for _ in 0..10 {
        uses(world, api, &shared_end("alder")).await;
    }
    assert!(!asked_with(world, "alder")[seen..].contains(&end_of("K2")));
}

story!(t17_at_one_node, |world| {
    changes_reach(&world, world.api()).await;
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t17_at_another_node_with_redis() {
    let mut world = start(Configuration::PostgresRedis, Setup::default()).await;
    let second = world.deployment.start_node().await;
    changes_reach(&world, &second.api).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t17_at_another_node_without_redis() {
    let mut world = start(Configuration::PostgresRedis, Setup::default()).await;
    let second = world.deployment.start_node().await;
    world.deployment.stop_redis();
    changes_reach(&world, &second.api).await;
}
