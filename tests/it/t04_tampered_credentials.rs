//! Somebody writes to the database: a credential that is not what was sealed, or not where, is a typed
//! error, an entry in the audit log, and no call to anybody.

use crate::{own::*, world::*};

/// How often the audit log says that a credential was rejected.
async fn rejections(world: &World) -> usize {
    let database = world.deployment.database_bytes().await;
    let needle = b"credential.open_rejected";
    database
        .windows(needle.len())
        .filter(|window| window == needle)
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t04_changed_rows_are_a_typed_error_and_call_nobody() {
    let world = start(Configuration::PostgresRedis, Setup::default()).await;
    let victim = store(&world, "alder", "K1", &[]).await;
    store(&world, "alder", "K2", &[]).await;
    bring(&world, "birch", "K3", &[]).await;
    let body = question_to(OAK, &["alder"]);
    world.ask(&body).await.ok();
    assert_eq!(asked_with(&world, "alder"), [end_of("K1")]);

    world
        .deployment
        .tamper("CREATE TABLE kept AS SELECT * FROM own_credentials")
        .await;
    let of = |tail: &str| format!("(SELECT sealed FROM kept WHERE label LIKE '%{tail}')");
    let (first, second, other) = (of("K1"), of("K2"), of("K3"));
    for (number, change) in [
        format!("sealed = {second}"),
        format!("sealed = {other}"),
        format!("sealed = substring({first} FROM 1 FOR 40)"),
        format!("sealed = set_byte({first}, length({first}) - 1, get_byte({first}, length({first}) - 1) # 1)"),
        format!("sealed = {first}, endpoint_host = 'evil.example'"),
        format!("sealed = {first}, endpoint_host = NULL, record_version = record_version + 1"),
        format!("sealed = {first}, record_version = 1, provider = 'birch'"),
    ]
    .iter()
    .enumerate()
    {
        let statement = format!("UPDATE own_credentials SET {change} WHERE label LIKE '%K1'");
        world.deployment.tamper(&statement).await;
        known(&world).await;
        let before = world.asked("alder") + world.asked("birch") + world.asked("cedar");
        // Where the row now says that it belongs to another provider, that one is asked for.
        let body = if change.contains("birch'") {
            question_to(OAK, &["birch"])
        } else {
            body.clone()
        };
        let error = world.ask(&body).await.error(403);
        assert_eq!(error["error_type"], "permission_denied", "{change}: {error}");
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains("failed its integrity check"), "{change}: {message}");
        let after = world.asked("alder") + world.asked("birch") + world.asked("cedar");
        assert_eq!(before, after, "nobody is asked instead: {change}");
        assert_eq!(rejections(&world).await, number + 1, "{change}");
    }
    let metrics = world.node.admin.get("/metrics").send().await;
    assert!(
        metrics
            .text()
            .contains("switchyard_vault_integrity_failures_total 7"),
        "{}",
        metrics.text()
    );
    // Its owner can delete it, and goes on with what is whole.
    world
        .deployment
        .tamper("UPDATE own_credentials SET provider = 'alder' WHERE label LIKE '%K1'")
        .await;
    byok(&world, "remove", &victim, &[]).await;
    known(&world).await;
    world.ask(&body).await.ok();
    assert_eq!(asked_with(&world, "alder").pop(), Some(end_of("K2")));
}
