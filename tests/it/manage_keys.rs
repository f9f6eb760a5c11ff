//! An owner's programs make, see, change and delete API keys with a management key.

use switchyard_testkit::http_client::Call;

use crate::{
    insufficient_credits::{METERED_COST_NANOS, drain, meter_to_the_full, metered_request},
    world::*,
};

/// Another account of the same installation, with a management key.
async fn stranger(world: &World) -> Key {
    let create = ["account", "create", "--email", "eve@example.com"];
    let account = world.deployment.run(&create).await;
    let account = text(&account, "account_id");
    let create = [
        "key",
        "create",
        "--account",
        &account,
        "--name",
        "eve",
        "--management",
    ];
    let created = world.deployment.run(&create).await;
    Key {
        text: text(&created, "key"),
        hash: text(&created, "hash"),
    }
}

fn call(world: &World, method: Method, path: &str, key: &Key, body: &Value) -> Call {
    let call = world.api().call(method, path).key(&key.text);
    if body.is_null() {
        call
    } else {
        call.json(body)
    }
}

async fn make(world: &World, manager: &Key, body: &Value) -> (Key, Value) {
    let call = call(world, Method::POST, "/api/v1/keys", manager, body);
    let reply = call.send().await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let made = reply.json();
    let key = Key {
        text: text(&made, "key"),
        hash: text(&made["data"], "hash"),
    };
    (key, made["data"].clone())
}

async fn hashes(world: &World, manager: &Key, query: &str) -> Vec<String> {
    let path = format!("/api/v1/keys{query}");
    let listed = world.api().get(&path).key(&manager.text).send().await.ok();
    let keys = listed["data"].as_array().expect("a list").clone();
    keys.iter().map(|key| text(key, "hash")).collect()
}

fn path_of(key: &Key) -> String {
    format!("/api/v1/keys/{}", key.hash)
}

story!(a_keys_whole_life, |world| {
    let manager = world.create_key(&["--management"]).await;
    let (key, made) = make(&world, &manager, &json!({"name": "ci", "limit": 1.5})).await;
    assert_eq!(made["usage"], 0);
    assert_eq!(
        (made["limit"].as_f64(), made["limit_remaining"].as_f64()),
        (Some(1.5), Some(1.5))
    );
    let label = text(&made, "label");
    let shown = label.split_once("...").expect("masked in its middle");
    assert!(
        key.text.starts_with(shown.0) && key.text.ends_with(shown.1),
        "{label}"
    );
    assert!(label.len() < 20, "{label}");

    let asked = world
        .api()
        .post("/api/v1/chat/completions", &question(OAK))
        .key(&key.text);
    asked.send().await.ok();
    let read = || call(&world, Method::GET, &path_of(&key), &manager, &Value::Null);
    let reply = read().send().await;
    assert!(!reply.text().contains(&key.text), "it is shown once");
    let data = reply.ok()["data"].clone();
    assert!(
        data["usage"].as_f64().is_some_and(|usage| usage > 0.0),
        "{data}"
    );
    assert_eq!(data["usage"], data["usage_daily"]);

    // Newest first; the world's own key is older, management keys are not there.
    assert_eq!(
        hashes(&world, &manager, "").await,
        [key.hash.clone(), world.key.hash.clone()]
    );
    assert_eq!(
        hashes(&world, &manager, "?offset=1").await,
        std::slice::from_ref(&world.key.hash)
    );

    let change = json!({"name": "paused", "disabled": true, "limit": null});
    let changed = call(&world, Method::PATCH, &path_of(&key), &manager, &change);
    let changed = changed.send().await.ok()["data"].clone();
    assert_eq!(
        (&changed["name"], &changed["disabled"]),
        (&json!("paused"), &json!(true))
    );
    assert!(
        changed["limit"].is_null() && changed["updated_at"].is_string(),
        "{changed}"
    );
    assert_eq!(read().send().await.ok()["data"], changed);
    let refused = world
        .api()
        .post("/api/v1/chat/completions", &question(OAK))
        .key(&key.text);
    refused.send().await.error(401);
    assert!(!hashes(&world, &manager, "").await.contains(&key.hash));
    assert!(
        hashes(&world, &manager, "?include_disabled=true")
            .await
            .contains(&key.hash)
    );

    let enable = json!({"disabled": false});
    call(&world, Method::PATCH, &path_of(&key), &manager, &enable)
        .send()
        .await
        .ok();
    let asked = world
        .api()
        .post("/api/v1/chat/completions", &question(OAK))
        .key(&key.text);
    asked.send().await.ok();
    let deleted = call(
        &world,
        Method::DELETE,
        &path_of(&key),
        &manager,
        &Value::Null,
    );
    assert_eq!(deleted.send().await.ok(), json!({"deleted": true}));
    let refused = world
        .api()
        .post("/api/v1/chat/completions", &question(OAK))
        .key(&key.text);
    refused.send().await.error(401);
    read().send().await.error(404);
    assert!(
        !hashes(&world, &manager, "?include_disabled=true")
            .await
            .contains(&key.hash)
    );
    world.verified_ledger().await;
});

story!(t15_foreign_and_missing_keys_are_one_answer, |world| {
    let eve = stranger(&world).await;
    let manager = world.create_key(&["--management"]).await;
    let missing = Key {
        text: String::new(),
        hash: "0".repeat(64),
    };
    for (method, body) in [
        (Method::GET, Value::Null),
        (Method::PATCH, json!({"disabled": true})),
        (Method::DELETE, Value::Null),
    ] {
        let mut answers = Vec::new();
        for (asker, key) in [
            (&eve, &missing),
            (&eve, &world.key),
            (&eve, &manager),
            // Not even one's own: no key changes a management key.
            (&manager, &manager),
        ] {
            let reply = call(&world, method.clone(), &path_of(key), asker, &body)
                .send()
                .await;
            reply.error(404);
            answers.push(reply.text().to_owned());
        }
        let odd = call(&world, method.clone(), "/api/v1/keys/%ff'--", &eve, &body);
        answers.push(odd.send().await.text().to_owned());
        answers.dedup();
        assert_eq!(answers.len(), 1, "{method}: {answers:?}");
    }
    assert_eq!(
        hashes(&world, &eve, "?include_disabled=true").await,
        Vec::<String>::new()
    );
    let own = world
        .api()
        .get("/api/v1/key")
        .key(&world.key.text)
        .send()
        .await
        .ok();
    let workspace = text(&own["data"], "workspace_id");
    let foreign = format!("/api/v1/keys?workspace_id={workspace}");
    let foreign = world.api().get(&foreign).key(&eve.text).send().await;
    let nowhere = "/api/v1/keys?workspace_id=ws_00000000000000000000000000000009";
    let nowhere = world.api().get(nowhere).key(&eve.text).send().await;
    foreign.error(404);
    assert_eq!(foreign.text(), nowhere.text());
    let there = json!({"name": "mine", "workspace_id": workspace});
    call(&world, Method::POST, "/api/v1/keys", &eve, &there)
        .send()
        .await
        .error(404);
    world.ask(&question(OAK)).await.ok();
});

story!(a_lost_answer_is_given_again, |world| {
    let manager = world.create_key(&["--management"]).await;
    let ask = |name: &str, body: Value| {
        call(&world, Method::POST, "/api/v1/keys", &manager, &body)
            .header("idempotency-key", name)
            .send()
    };
    let first = ask("once", json!({"name": "ci"})).await;
    assert_eq!(
        (first.status.as_u16(), first.header("idempotency-replayed")),
        (201, None)
    );
    let again = ask("once", json!({"name": "ci"})).await;
    assert_eq!(again.status, 201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.text(), first.text(), "the very same key");
    ask("once", json!({"name": "other"})).await.error(409);
    assert_eq!(hashes(&world, &manager, "").await.len(), 2);

    // What was refused was not done, and may be asked for rightly.
    ask("twice", json!({"name": "x", "limit_reset": "daily"}))
        .await
        .error(400);
    let right = ask(
        "twice",
        json!({"name": "x", "limit": 1, "limit_reset": "daily"}),
    )
    .await;
    assert_eq!(right.status, 201, "{}", right.text());
    ask(" ", json!({"name": "x"})).await.error(400);

    // Under the other prefix it is the same request, of another account another one.
    let same = world
        .api()
        .call(Method::POST, "/v1/keys")
        .key(&manager.text);
    let same = same
        .header("idempotency-key", "once")
        .json(&json!({"name": "ci"}))
        .send()
        .await;
    assert_eq!(same.text(), first.text());
    let eve = stranger(&world).await;
    let other = call(
        &world,
        Method::POST,
        "/api/v1/keys",
        &eve,
        &json!({"name": "ci"}),
    );
    let other = other.header("idempotency-key", "once").send().await;
    assert_eq!(other.status, 201);
    assert_ne!(other.text(), first.text());

    // Whoever has the database has no key for it.
    let secret = text(&first.json(), "key");
    let holds = |bytes: &[u8]| {
        bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes())
    };
    assert!(!holds(&world.deployment.database_bytes().await));
    for file in world.deployment.files() {
        assert!(
            !holds(&std::fs::read(&file).unwrap_or_default()),
            "{}",
            file.display()
        );
    }
});

story!(a_changed_limit_gives_nothing_back, |world| {
    let manager = world.create_key(&["--management"]).await;
    meter_to_the_full(&world, 0);
    let limit = json!({"name": "metered", "limit": 0.0005, "limit_reset": "daily"});
    let (key, _) = make(&world, &manager, &limit).await;
    assert_eq!(drain(world.api(), &key.text).await, 5);
    let patch = async |body: Value| {
        let call = call(&world, Method::PATCH, &path_of(&key), &manager, &body);
        call.send().await.ok()["data"].clone()
    };
    for body in [
        json!({"limit_reset": "monthly"}),
        json!({"limit_reset": null}),
        json!({"limit_reset": "weekly", "include_byok_in_limit": true}),
        json!({"limit": 0.0004}),
    ] {
        let told = patch(body.clone()).await;
        let remaining = told["limit_remaining"].as_f64();
        assert!(remaining.is_some_and(|left| left <= 0.0), "{body}: {told}");
        assert_eq!(drain(world.api(), &key.text).await, 0, "{body}");
    }
    patch(json!({"limit": 0.0008})).await;
    assert_eq!(drain(world.api(), &key.text).await, 3);
    let told = call(&world, Method::GET, &path_of(&key), &manager, &Value::Null)
        .send()
        .await;
    assert_eq!(nanos_at(told.text(), "/data/usage"), 8 * METERED_COST_NANOS);
    patch(json!({"limit": null})).await;
    let asked = world
        .api()
        .post("/api/v1/chat/completions", &metered_request())
        .key(&key.text);
    asked.send().await.ok();
    // Given again, it knows what was spent without it.
    patch(json!({"limit": 0.001, "limit_reset": "daily"})).await;
    assert_eq!(drain(world.api(), &key.text).await, 1);
    world.nothing_held().await;
});

story!(the_log_says_who_changed_what, |mut world| {
    let manager = world.create_key(&["--management"]).await;
    let made = call(
        &world,
        Method::POST,
        "/api/v1/keys",
        &manager,
        &json!({"name": "ci"}),
    );
    let made = made.send().await;
    let hash = text(&made.json()["data"], "hash");
    let path = format!("/api/v1/keys/{hash}");
    let change = json!({"name": "renamed"});
    call(&world, Method::PATCH, &path, &manager, &change)
        .send()
        .await
        .ok();
    // Nothing changed: nothing to note.
    call(&world, Method::PATCH, &path, &manager, &change)
        .send()
        .await
        .ok();
    call(&world, Method::DELETE, &path, &manager, &Value::Null)
        .send()
        .await
        .ok();
    call(&world, Method::DELETE, &path, &manager, &Value::Null)
        .send()
        .await
        .error(404);

    let show = ["audit", "show", "--account", &world.account.clone()];
    let shown = world.deployment.run(&show).await;
    let entries = shown["entries"].as_array().expect("a list");
    let actions: Vec<_> = entries.iter().map(|entry| text(entry, "action")).collect();
    assert_eq!(
        actions[..3],
        ["api_key.delete", "api_key.update", "api_key.create"]
    );
    let created = &entries[2];
    assert_eq!(created["request_id"].as_str(), made.header("x-request-id"));
    assert_eq!(
        (&created["via"], &created["ip"]),
        (&json!("api"), &json!("127.0.0.1"))
    );
    assert!(text(created, "actor").starts_with("key_"), "{created}");
    let detail = &entries[1]["detail"];
    assert_eq!(
        (&detail["before"]["name"], &detail["after"]["name"]),
        (&json!("ci"), &json!("renamed"))
    );
    assert!(
        !shown.to_string().contains(&text(&made.json(), "key")),
        "no secret is noted"
    );

    let verified = world.deployment.run(&["audit", "verify"]).await;
    assert_eq!(verified["ok"], true, "{verified}");
    if world.deployment.redis().is_some() {
        world
            .deployment
            .tamper("ALTER TABLE audit_log DISABLE TRIGGER USER")
            .await;
        let forge = "UPDATE audit_log SET actor = 'nobody' WHERE action = 'api_key.update'";
        world.deployment.tamper(forge).await;
        let output = world
            .deployment
            .output(&["--json", "audit", "verify"], "")
            .await;
        assert_eq!(output.status.code(), Some(1));
        let verdict: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(verdict["ok"], false);
        assert!(verdict["broken_at"].is_number(), "{verdict}");
    }
    world.node.stop().await;
});

story!(
    when_a_key_was_used_last_is_known_after_a_stop,
    |mut world| {
        let manager = world.create_key(&["--management"]).await;
        let (key, made) = make(&world, &manager, &json!({"name": "ci"})).await;
        assert!(made["last_used_at"].is_null());
        world
            .api()
            .get("/api/v1/key")
            .key(&key.text)
            .send()
            .await
            .ok();
        world.node.stop().await;
        world.node.restart(&world.deployment).await;
        let read = call(&world, Method::GET, &path_of(&key), &manager, &Value::Null);
        let told = read.send().await.ok()["data"].clone();
        assert!(told["last_used_at"].is_string(), "{told}");
        assert!(
            told["updated_at"].is_null(),
            "being used is no change: {told}"
        );
    }
);

story!(
    t16_nobody_makes_a_management_key_or_sets_what_is_the_services,
    |world| {
        let manager = world.create_key(&["--management"]).await;
        for field in [
            json!({"kind": "management"}),
            json!({"is_management_key": true}),
            json!({"account_id": "acct_00000000000000000000000000000001"}),
            json!({"usage": 0}),
            json!({"label": "sk"}),
            json!({"hash": "0".repeat(64)}),
            json!({"created_at": "2020-01-01T00:00:00Z"}),
            json!({"role": "owner"}),
        ] {
            let create = with(&json!({"name": "x"}), &field);
            for (method, path, body) in [
                (Method::POST, "/api/v1/keys".to_owned(), create),
                (Method::PATCH, path_of(&world.key), field.clone()),
            ] {
                let error = call(&world, method, &path, &manager, &body)
                    .send()
                    .await
                    .error(400);
                let named = field
                    .as_object()
                    .and_then(|field| field.keys().next().cloned());
                let named = format!("`{}`", named.expect("one field"));
                assert!(text(&error, "message").contains(&named), "{error}");
            }
        }
        let twice = call(&world, Method::POST, "/api/v1/keys", &manager, &Value::Null);
        twice
            .body(r#"{"name":"x","name":"y"}"#)
            .send()
            .await
            .error(400);
        let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(1024 * 1024));
        let large = call(&world, Method::POST, "/api/v1/keys", &manager, &Value::Null).body(large);
        large.send().await.error(413);
        assert_eq!(
            hashes(&world, &manager, "").await,
            std::slice::from_ref(&world.key.hash)
        );
    }
);
