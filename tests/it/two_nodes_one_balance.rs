//! Nodes that share a database share an account's credit, and do not spend it twice.

use crate::{
    insufficient_credits::{METERED_COST_NANOS, drain, meter_to_the_full, storm},
    world::*,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once_at_two_nodes() {
    let setup = Setup {
        credit_usd: Some("0.001"),
        ..Setup::default()
    };
    let mut world = start(Configuration::PostgresRedis, setup).await;
    let mut second = world.deployment.start_node().await;
    meter_to_the_full(&world, 500);
    let served = storm(&[world.api(), &second.api], &world.key.text, 100).await;
    assert!((1..=10).contains(&served), "{served} were served");
    meter_to_the_full(&world, 0);
    world.nothing_held().await;
    let mut rest = drain(&second.api, &world.key.text).await;
    world.nothing_held().await;
    rest += drain(world.api(), &world.key.text).await;
    assert_eq!(served + rest, 10);

    second.stop().await;
    world.node.stop().await;
    let report = world.verified_ledger().await;
    assert_eq!(report["generations"], 10, "{report}");
    assert_eq!(
        report["leases"], 0,
        "nodes that stop give everything back: {report}"
    );
    world.node.restart(&world.deployment).await;
    let manager = world.create_key(&["--management"]).await;
    assert_eq!(
        total_usage_nanos(&world, &manager).await,
        10 * METERED_COST_NANOS
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_can_be_read_at_the_other_node() {
    let mut world = start(Configuration::PostgresRedis, Setup::default()).await;
    let second = world.deployment.start_node().await;
    let id = text(&world.ask(&question(OAK)).await.ok(), "id");
    let path = format!("/api/v1/generation?id={id}");
    let record = wait::until("the record", std::time::Duration::from_secs(10), || async {
        let reply = second.api.get(&path).key(&world.key.text).send().await;
        (reply.status == 200).then(|| reply.json()["data"].clone())
    })
    .await;
    assert_eq!(record["id"], id.as_str());
}
