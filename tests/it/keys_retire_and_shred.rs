//! Old keys go when nothing needs them, and an account's keys when its owner is gone.

use std::{fs, time::Duration};

use crate::world::*;

/// A key is looked up again at a node that has not seen it.
const SOON: Duration = Duration::from_secs(20);

async fn status(world: &World) -> Value {
    world.deployment.run(&["vault", "status"]).await
}

/// What a node's metrics tell of tenant keys under a version of the keyring.
async fn counted(world: &World, version: u32) -> Option<String> {
    let metrics = world.node.admin.get("/metrics").send().await;
    let label = format!("kek_version=\"{version}\"");
    let line = metrics
        .text()
        .lines()
        .find(|line| line.starts_with("switchyard_vault_rows{") && line.contains(&label));
    line.and_then(|line| line.rsplit(' ').next())
        .map(str::to_owned)
}

story!(a_retired_version_is_one_that_nothing_needs, |mut world| {
    let before = status(&world).await;
    assert_eq!(before["kek_version"], 1, "{before}");
    assert_eq!(before["keyring_versions"], json!([1]), "{before}");

    wait::until("tenant keys to be counted", SOON, || async {
        (counted(&world, 1).await? == "1").then_some(())
    })
    .await;

    let staged = world.deployment.run(&["vault", "stage"]).await;
    assert_eq!(
        (&staged["primary"], &staged["versions"]),
        (&json!(1), &json!([1, 2]))
    );
    let rotated = world.deployment.run(&["vault", "rotate", "--kek"]).await;
    assert_eq!(rotated["kek"]["is_new"], true, "{rotated}");
    assert_eq!(
        rotated["kek"]["kek_version"], 2,
        "the staged one: {rotated}"
    );
    assert_eq!(rotated["kek"]["left"], 0, "{rotated}");

    // The keys that were made before are verified under the old version still.
    let refused = world.deployment.output(&["vault", "retire", "1"], "").await;
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("1 API keys are verified with it"), "{said}");
    let refused = world.deployment.output(&["vault", "retire", "2"], "").await;
    assert!(!refused.status.success(), "it is in use");

    // A node that starts afresh looks the key up, and moves it to the new version.
    world.node.stop().await;
    world.node.restart(&world.deployment).await;
    wait::until("tenant keys to be counted", SOON, || async {
        (counted(&world, 2).await? == "1").then_some(())
    })
    .await;
    world.ask(&question(OAK)).await.ok();
    wait::until("the key to move", SOON, || async {
        let keys = &status(&world).await["api_keys"];
        (*keys == json!([{ "keyring_version": 2, "rows": 1 }])).then_some(())
    })
    .await;
    let retired = world.deployment.run(&["vault", "retire", "1"]).await;
    assert_eq!(retired["versions"], json!([2]));

    // Nobody needs it: not the node that runs, nor one that starts without it.
    world.ask(&question(OAK)).await.ok();
    world.node.stop().await;
    world.node.restart(&world.deployment).await;
    world.ask(&question(OAK)).await.ok();
    let verified = world.deployment.run(&["vault", "verify"]).await;
    assert_eq!(verified["ok"], true, "{verified}");
});

story!(
    t07_a_running_node_knows_keys_that_a_newer_version_made,
    |world| {
        world.deployment.run(&["vault", "rotate", "--kek"]).await;
        let newer = world.create_key(&[]).await;
        let asked = world
            .api()
            .post("/api/v1/chat/completions", &question(OAK))
            .key(&newer.text);
        asked.send().await.ok();
    }
);

story!(
    a_shredded_account_is_written_down_where_backups_do_not_reach,
    |world| {
        let shred = ["vault", "shred", "--account", &world.account];
        let refused = world.deployment.output(&shred, "").await;
        assert!(!refused.status.success(), "it cannot be undone");
        let list = world.deployment.keyring().with_file_name("shredded.jsonl");
        assert!(!list.exists());

        let shredded = world
            .deployment
            .run(&[&shred[..], &["--yes-really"]].concat())
            .await;
        assert_eq!(shredded["account"], world.account.as_str());
        let line = fs::read_to_string(&list).expect("it is written");
        let tombstone: Value = serde_json::from_str(&line).expect("a line of JSON");
        assert_eq!(tombstone["account"], world.account.as_str());
        // The operator's credentials are not the account's.
        world.ask(&question(OAK)).await.ok();
        let verified = world.deployment.run(&["vault", "verify"]).await;
        assert_eq!(verified["ok"], true, "{verified}");
    }
);
