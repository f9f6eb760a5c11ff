//! Somebody writes to the database: a credential that is not what was sealed, or not where, is a typed
//! error, an entry in the audit log, and no call to anybody.

use crate::{own::*, world::*};

/// What the sealed columns of the first of three credentials are changed to, in the database's own
/// words.
fn changes(configuration: Configuration) -> [String; 7] {
    let of = |tail: &str| format!("(SELECT sealed FROM kept WHERE label LIKE '%{tail}')");
    let (first, second, other) = (of("K1"), of("K2"), of("K3"));
    let last_byte = match configuration {
        Configuration::PostgresRedis => format!(
            "set_byte({first}, length({first}) - 1, get_byte({first}, length({first}) - 1) # 1)"
        ),
        Configuration::Embedded => format!(
            "CAST(substr({first}, 1, length({first}) - 1)
                || CASE substr({first}, -1) WHEN x'00' THEN x'01' ELSE x'00' END AS BLOB)"
        ),
    };
    [
        format!("sealed = {second}"),
        format!("sealed = {other}"),
        format!("sealed = substr({first}, 1, 40)"),
        format!("sealed = {last_byte}"),
        format!("sealed = {first}, endpoint_host = 'evil.example'"),
        format!("sealed = {first}, endpoint_host = NULL, record_version = record_version + 1"),
        format!("sealed = {first}, record_version = 1, provider = 'birch'"),
    ]
}

/// How often any provider was asked, with any credential.
fn asked(world: &World) -> u64 {
    let providers = ["alder", "birch", "cedar", "dogwood"];
    providers.map(|provider| world.asked(provider)).iter().sum()
}

/// What the audit log says of openings that were rejected.
async fn rejections(world: &World, id: &str) -> Vec<Value> {
    let mut entries = noted(world, id).await;
    entries.retain(|entry| entry["action"] == "credential.open_rejected");
    entries
}

story!(t04_changed_rows_are_a_typed_error_and_call_nobody, configuration => {
    let world = start(configuration, Setup::default()).await;
    let victim = store(&world, "alder", "K1", &[]).await;
    let second = store(&world, "alder", "K2", &[]).await;
    let third = bring(&world, "birch", "K3", &[]).await;
    let body = question_to(OAK, &["alder"]);
    world.ask(&body).await.ok();
    assert_eq!(asked_with(&world, "alder"), [end_of("K1")]);

    let keep = "CREATE TABLE kept AS SELECT * FROM own_credentials";
    world.deployment.tamper(keep).await;
    for (number, change) in changes(configuration).iter().enumerate() {
        let statement = format!("UPDATE own_credentials SET {change} WHERE label LIKE '%K1'");
        world.deployment.tamper(&statement).await;
        known(&world).await;
        let before = asked(&world);
        // Where the row now says that it belongs to another provider, that one is asked for.
        let provider = if change.contains("birch'") { "birch" } else { "alder" };
        let error = world.ask(&question_to(OAK, &[provider])).await.error(403);
        assert_eq!(error["error_type"], "permission_denied", "{change}: {error}");
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains("failed its integrity check"), "{change}: {message}");
        assert_eq!(asked(&world), before, "nobody is asked instead: {change}");
        let rejections = rejections(&world, &victim).await;
        assert_eq!(rejections.len(), number + 1, "{change}: {rejections:?}");
        let last = &rejections[number];
        assert_eq!(
            (&last["outcome"], &last["actor"], &last["detail"]["provider"]),
            (&json!("failed"), &json!("service"), &json!(provider)),
            "{change}: {last}"
        );
    }
    let metrics = world.node.admin.get("/metrics").send().await;
    assert!(
        metrics
            .text()
            .contains("switchyard_vault_integrity_failures_total 7"),
        "{}",
        metrics.text()
    );
    opened(&world, &victim, 1).await;
    // Its owner can delete it, and goes on with what is whole.
    world
        .deployment
        .tamper("UPDATE own_credentials SET provider = 'alder' WHERE label LIKE '%K1'")
        .await;
    byok(&world, "remove", &victim, &[]).await;
    known(&world).await;
    world.ask(&body).await.ok();
    assert_eq!(asked_with(&world, "alder").pop(), Some(end_of("K2")));
    // Nobody had opened that one before, nor the other, in place of the first.
    opened(&world, &second, 1).await;
    opened(&world, &third, 0).await;
    let verified = world.deployment.run(&["audit", "verify"]).await;
    assert_eq!(verified["ok"], true, "{verified}");
});
