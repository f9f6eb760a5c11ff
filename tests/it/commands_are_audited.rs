//! What operators do by command is in the audit log, each thing once, and the log is whole.

use crate::world::*;

async fn entries(world: &World, which: &[&str]) -> Vec<Value> {
    let show = [&["audit", "show"], which].concat();
    let shown = world.deployment.run(&show).await;
    let entries = shown["entries"].as_array().expect("a list").clone();
    for entry in &entries {
        assert_eq!(entry["actor"], "operator", "{entry}");
        assert_eq!(entry["via"], "command", "{entry}");
        assert_eq!(entry["outcome"], "done", "{entry}");
    }
    entries
}

fn actions(entries: &[Value]) -> Vec<&str> {
    let found = entries.iter().map(|entry| entry["action"].as_str());
    found.map(|action| action.expect("a name")).collect()
}

story!(each_leaves_an_entry, |world| {
    let account = world.account.as_str();
    let deployment = &world.deployment;
    let key = world.create_key(&["--limit-usd", "2"]).await;
    let manager = world.create_key(&["--management"]).await;
    for hash in [&key.hash, &manager.hash] {
        let revoke = ["key", "revoke", "--account", account, "--hash", hash];
        deployment.run(&revoke).await;
    }
    world.grant("3.5").await;
    let secret = "sk-another-0123456789abcdef";
    let set = ["provider-key", "set", "birch"];
    deployment.run_with_input(&set, secret).await;
    let add = ["byok", "add", "--account", account, "--provider", "alder"];
    let own = deployment.run_with_input(&add, secret).await;

    // What fails changes nothing, and is no entry.
    let gone = ["key", "revoke", "--account", account, "--hash", &key.hash];
    assert!(!deployment.output(&gone, "").await.status.success());
    let again = ["account", "create", "--email", "ada@example.com"];
    assert!(!deployment.output(&again, "").await.status.success());
    let nothing = ["credit", "grant", "--account", account, "--usd", "0"];
    let nothing = [&nothing[..], &["--reason", "test"]].concat();
    assert!(!deployment.output(&nothing, "").await.status.success());

    let done = entries(&world, &["--account", account]).await;
    assert_eq!(
        actions(&done),
        [
            "credential.create",
            "credit.grant",
            "api_key.delete",
            "api_key.delete",
            "api_key.create",
            "api_key.create",
            // With which the world began.
            "api_key.create",
            "credit.grant",
            "account.create",
        ]
    );
    let [stored, granted, ended, revoked, managing, limited, ..] = &done[..] else {
        panic!("they are nine");
    };
    assert_eq!(stored["subject"], own["id"]);
    assert_eq!(granted["subject"], account);
    assert_eq!(granted["detail"]["usd"], "3.5");
    assert_eq!(granted["detail"]["reason"], "test");
    assert_eq!(ended["detail"]["hash"], manager.hash.as_str());
    assert_eq!(managing["detail"]["kind"], "management");
    assert_eq!(managing["subject"], ended["subject"]);
    assert_eq!(revoked["subject"], limited["subject"]);
    assert_eq!(limited["detail"]["hash"], key.hash.as_str());
    assert_eq!(limited["detail"]["key"]["limit_usd"], "2");
    assert!(done.iter().all(|entry| !entry.to_string().contains("ada@")));

    let at_birch = entries(&world, &["--subject", "birch"]).await;
    assert_eq!(actions(&at_birch), ["provider_credential.set"; 2]);
    let verdict = deployment.run(&["audit", "verify"]).await;
    assert_eq!(verdict["ok"], true, "{verdict}");
    // Nine, the four providers' credentials of the world, and one more.
    assert_eq!(verdict["entries"], 14, "{verdict}");
});
