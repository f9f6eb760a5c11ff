//! A workspace that asks for receipts can prove what was attempted with its prompts, to anybody who has
//! the public keys.

use std::path::PathBuf;

use crate::world::*;

/// Every generation leaves a receipt.
fn asking() -> Setup {
    Setup {
        settings: vec![("privacy.signed_receipts", "true")],
        ..Setup::default()
    }
}

/// A receipt, as its owner reads it.
async fn receipt(world: &World, id: &str) -> Reply {
    let path = format!("/api/v1/generation/{id}/receipt");
    world.api().get(&path).key(&world.key.text).send().await
}

/// Asks a question; the receipt of its answer.
async fn receipt_of(world: &World, body: &Value) -> Value {
    let id = text(&world.ask(body).await.ok(), "id");
    receipt(world, &id).await.ok()
}

/// Writes a file into the deployment's folder.
fn write(world: &World, name: &str, content: &str) -> PathBuf {
    let path = world.deployment.path().join(name);
    std::fs::write(&path, content).expect("the deployment's folder is writable");
    path
}

/// What the command line says of receipts; whether it says that they hold, it must mean it.
async fn verify(world: &World, receipts: &str, keys: Option<&PathBuf>) -> Value {
    let file = write(world, "receipts.jsonl", receipts);
    let mut command = vec![
        "--json",
        "receipt",
        "verify",
        file.to_str().expect("a path"),
    ];
    if let Some(keys) = keys {
        command.extend(["--keys", keys.to_str().expect("a path")]);
    }
    let output = world.deployment.output(&command, "").await;
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let code = if report["ok"] == true { 0 } else { 1 };
    assert_eq!(output.status.code(), Some(code), "{report}");
    report
}

async fn published_keys(world: &World) -> PathBuf {
    let keys = world.api().get("/api/v1/receipts/keys").send().await;
    assert_eq!(keys.ok()[0]["algorithm"], "ed25519");
    write(world, "keys.json", keys.text())
}

story!(a_receipt_proves_what_was_tried, asking(), |world| {
    let zdr = json!({ "provider": { "zdr": true, "data_collection": "deny" } });
    let failing = Profile {
        behaviour: refusal(500, None),
        ..Profile::default()
    };
    world.simulator().set_profile("alder", failing);
    let first = receipt_of(&world, &with(&question(OAK), &zdr)).await;
    let second = receipt_of(&world, &question(KEPT)).await;

    assert_eq!(first["policy"]["zdr"], true);
    assert_eq!(first["policy"]["deny_training"], true);
    assert_eq!(first["policy"]["allowed_data_regions"], Value::Null);
    let attempts = first["attempts"].as_array().expect("a list");
    for attempt in attempts {
        assert_eq!(attempt["zero_data_retention"], true, "{attempt}");
        assert_eq!(attempt["may_train"], false, "{attempt}");
        assert_eq!(attempt["retains_prompts"], false, "{attempt}");
        assert_eq!(attempt["credential"], "shared", "{attempt}");
        assert_eq!(
            attempt["served"],
            attempt["provider"] == "cedar",
            "{attempt}"
        );
    }
    assert_eq!(
        attempts.last().expect("an attempt")["endpoint"],
        "acme/oak|cedar"
    );
    let digest = first["decision_digest"].as_str().expect("a digest");
    assert_eq!(digest.len(), 64);
    assert_eq!(first["sequence"], 1);
    assert_eq!(first["previous_hash"], Value::Null);

    assert_eq!(second["policy"]["zdr"], false);
    assert_eq!(second["attempts"][0]["provider"], "birch");
    assert_eq!(second["attempts"][0]["retains_prompts"], true);
    assert_eq!(second["attempts"][0]["zero_data_retention"], false);
    assert_eq!(second["sequence"], 2);
    assert_eq!(second["previous_hash"], first["hash"]);
    assert_ne!(second["policy"]["digest"], first["policy"]["digest"]);
});

story!(
    receipts_are_checked_without_the_service,
    asking(),
    |world| {
        let mut receipts = Vec::new();
        for _ in 0..4 {
            receipts.push(receipt_of(&world, &question(OAK)).await.to_string());
        }
        let keys = published_keys(&world).await;
        for keys in [Some(&keys), None] {
            let report = verify(&world, &receipts.join("\n"), keys).await;
            assert_eq!(report["ok"], true, "{report}");
            assert_eq!(report["chains"][0]["receipts"], 4);
            assert_eq!(report["chains"][0]["last_sequence"], 4);
        }

        // A byte of what it says.
        let edited = receipts[1].replacen("\"zdr\":false", "\"zdr\":true", 1);
        assert_ne!(edited, receipts[1]);
        let text = [&receipts[0], &edited, &receipts[2]]
            .map(String::as_str)
            .join("\n");
        let report = verify(&world, &text, Some(&keys)).await;
        assert_eq!(report["faults"][0]["fault"], "edited", "{report}");
        assert_eq!(report["faults"][0]["receipt"], 2, "{report}");

        for (places, fault) in [
            ([0, 2, 3], "gap"),
            ([1, 0, 2], "reordered"),
            ([0, 1, 1], "duplicate"),
        ] {
            let text = places
                .map(|place: usize| receipts[place].as_str())
                .join("\n");
            let report = verify(&world, &text, Some(&keys)).await;
            assert_eq!(report["faults"][0]["fault"], fault, "{report}");
        }
        // Without the keys that signed them they prove nothing.
        let no_keys = write(&world, "none.json", "[]");
        let report = verify(&world, &receipts[0], Some(&no_keys)).await;
        assert_eq!(report["faults"][0]["fault"], "unknown_key", "{report}");
    }
);

story!(receipts_are_their_owners_alone, asking(), |world| {
    let id = text(&world.ask(&question(OAK)).await.ok(), "id");
    let created = world
        .deployment
        .run(&["account", "create", "--email", "eve@example.com"])
        .await;
    let stranger = text(&created, "account_id");
    let command = ["key", "create", "--account", &stranger, "--name", "hers"];
    let key = text(&world.deployment.run(&command).await, "key");
    let path = format!("/api/v1/generation/{id}/receipt");
    let foreign = world.api().get(&path).key(&key).send().await;
    let invented = "gen-1764000000-AAAAAAAAAAAAAAAAAAAA";
    let unknown = receipt(&world, invented).await;
    assert_eq!(
        foreign.error(404).to_string().replace(&id, "it"),
        unknown.error(404).to_string().replace(invented, "it"),
        "what is others' does not exist"
    );
    receipt(&world, "nonsense").await.error(404);
    world.api().get(&path).send().await.error(401);
    let manager = world.create_key(&["--management"]).await;
    world.api().get(&path).key(&manager.text).send().await.ok();
});

story!(who_does_not_ask_gets_none, |world| {
    let id = text(&world.ask(&question(OAK)).await.ok(), "id");
    assert_eq!(world.generation(&id).await.status, 200);
    let refused = receipt(&world, &id).await;
    let message = text(&refused.error(404), "message");
    assert!(message.contains("had not asked"), "{message}");
    let keys = world.api().get("/api/v1/receipts/keys").send().await;
    assert_eq!(keys.ok(), json!([]), "no key is made before it is needed");
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_sign_one_chain() {
    let mut world = start(Configuration::PostgresRedis, asking()).await;
    let other = world.deployment.start_node().await;
    let mut receipts = Vec::new();
    for turn in 0..20 {
        let api = if turn % 2 == 0 {
            world.api()
        } else {
            &other.api
        };
        let call = api.post("/api/v1/chat/completions", &question(OAK));
        let reply = call.key(&world.key.text).send().await;
        let path = format!("/api/v1/generation/{}/receipt", text(&reply.ok(), "id"));
        receipts.push(api.get(&path).key(&world.key.text).send().await.ok());
    }
    let lines: Vec<_> = receipts.iter().map(Value::to_string).collect();
    let report = verify(&world, &lines.join("\n"), None).await;
    assert_eq!(report["ok"], true, "{report}");
    assert_eq!(report["chains"][0]["receipts"], 20);
    assert_eq!(report["chains"][0]["first_sequence"], 1);
    assert_eq!(report["chains"][0]["last_sequence"], 20);
}
