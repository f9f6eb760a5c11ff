//! A revoked key stops working within a second, everywhere.

use std::time::Duration;

use crate::world::*;

const SOON: Duration = Duration::from_secs(1);

async fn is_refused(api: &HttpClient, key: &Key) {
    wait::until("the key to stop working", SOON, || async {
        let call = api
            .post("/api/v1/chat/completions", &question(OAK))
            .key(&key.text);
        let reply = call.send().await;
        (reply.status == 401).then_some(())
    })
    .await;
}

async fn revoke(world: &World, key: &Key) {
    let command = [
        "key",
        "revoke",
        "--account",
        &world.account,
        "--hash",
        &key.hash,
    ];
    let revoked = world.deployment.run(&command).await;
    assert_eq!(revoked["revoked"], true);
}

story!(within_a_second, |world| {
    let doomed = world.create_key(&[]).await;
    let call = || {
        world
            .api()
            .post("/api/v1/chat/completions", &question(OAK))
            .key(&doomed.text)
    };
    call().send().await.ok();
    revoke(&world, &doomed).await;
    is_refused(world.api(), &doomed).await;
    call().send().await.error(401);
    world
        .api()
        .get("/api/v1/key")
        .key(&doomed.text)
        .send()
        .await
        .error(401);
    world.ask(&question(OAK)).await.ok();
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn also_at_another_node() {
    let mut world = start(Configuration::PostgresRedis, Setup::default()).await;
    let second = world.deployment.start_node().await;
    let doomed = world.create_key(&[]).await;
    for api in [world.api(), &second.api] {
        api.post("/api/v1/chat/completions", &question(OAK))
            .key(&doomed.text)
            .send()
            .await
            .ok();
    }
    revoke(&world, &doomed).await;
    is_refused(&second.api, &doomed).await;
    is_refused(world.api(), &doomed).await;
}
