//! A dry run says what a real request then does, and a real request's decision can be read back.

use crate::world::*;

async fn explain(world: &World, body: &Value) -> Reply {
    world
        .api()
        .post("/api/v1/route/explain", body)
        .key(&world.key.text)
        .send()
        .await
}

async fn decision(api: &HttpClient, key: &Key, id: &str) -> Reply {
    let path = format!("/api/v1/generation/{id}/decision");
    api.get(&path).key(&key.text).send().await
}

/// The endpoints that a decision's record has in the plan, in order.
fn planned(record: &Value) -> Vec<Value> {
    let rows = record["candidates"].as_array().expect("candidates");
    let mut planned: Vec<&Value> = rows.iter().filter(|row| row["rank"].is_u64()).collect();
    planned.sort_by_key(|row| row["rank"].as_u64());
    planned.iter().map(|row| row["endpoint"].clone()).collect()
}

fn candidate<'a>(explanation: &'a Value, endpoint: &str) -> &'a Value {
    let candidates = explanation["candidates"].as_array().expect("candidates");
    let found = candidates.iter().find(|row| row["endpoint"] == endpoint);
    found.unwrap_or_else(|| panic!("no {endpoint} in {explanation}"))
}

fn nobody_was_asked(world: &World) {
    for provider in ["alder", "birch", "cedar", "dogwood"] {
        assert_eq!(world.asked(provider), 0, "{provider}");
    }
}

story!(a_dry_run_with_the_same_seed_is_what_happened, |world| {
    for preferences in [
        json!({}),
        json!({}),
        json!({}),
        json!({ "sort": "latency" }),
        json!({ "zdr": true }),
        json!({ "order": ["cedar"] }),
        json!({ "allow_fallbacks": false }),
    ] {
        let body = with(&question(OAK), &json!({ "provider": preferences }));
        let id = text(&world.ask(&body).await.ok(), "id");
        world.settled(&id).await;
        let decided = decision(world.api(), &world.key, &id).await.ok()["data"].clone();
        let record = &decided["decision"];
        let options = json!({ "seed": record["seed"], "at": decided["created_at"] });
        let dry = explain(&world, &with(&body, &json!({ "explain": options }))).await;
        let dry = dry.ok()["data"].clone();
        assert_eq!(dry["plan"], json!(planned(record)), "{preferences}");
        assert_eq!(dry["plan"][0], decided["attempts"][0]["endpoint_id"]);
        assert_eq!(dry["seed"], record["seed"]);
        assert_eq!(dry["strategy"], record["strategy"]);
        assert_eq!(dry["catalog_version"], record["catalog_version"]);
        let expected: Vec<&Value> = record["candidates"]
            .as_array()
            .expect("candidates")
            .iter()
            .map(|row| &row["draw_ppm"])
            .collect();
        let dry_candidates = dry["candidates"].as_array().expect("candidates");
        for (row, ppm) in dry_candidates.iter().zip(expected) {
            let chance = row["draw_probability"].as_f64().map(|share| share * 1e6);
            assert_eq!(chance.map(f64::round), ppm.as_f64(), "{row}");
        }
    }
});

story!(an_exclusion_by_account_policy_is_explained, |world| {
    let set = ["policy", "set", "--account", &world.account];
    let rules = r#"{ "zdr": { "other": true } }"#;
    world.deployment.run_with_input(&set, rules).await;
    let second = std::time::Duration::from_secs(1);
    let body = question(OAK);
    let told = wait::until("the policy to be kept", second, || async {
        let told = explain(&world, &body).await.ok()["data"].clone();
        (told["policy"] != json!([])).then_some(told)
    })
    .await;
    assert_eq!(
        told["policy"],
        json!([{ "scope": "account", "rules": { "zdr": {
            "anthropic": false, "openai": false, "google": false, "xai": false, "other": true
        } } }])
    );
    let birch = candidate(&told, "acme/oak|birch");
    assert_eq!(birch["verdict"], "ruled_out");
    assert_eq!(birch["ruled_out"]["rule"], "zdr");
    assert_eq!(birch["ruled_out"]["scope"], "account");
    let says = text(&birch["ruled_out"], "text");
    assert!(says.contains("Birch") && says.contains("account"), "{says}");
    assert_eq!(birch["ranking_key"], Value::Null);
    let alder = candidate(&told, "acme/oak|alder");
    assert!(alder["ranking_key"]["order"].is_string(), "{alder}");
    assert!(alder["expected_cost_usd"].is_number(), "{alder}");

    let kept = explain(&world, &question(KEPT)).await.ok()["data"].clone();
    assert_eq!(kept["plan"], json!([]));
    assert_eq!(kept["availability"]["code"], "privacy_restricted");
    assert_eq!(kept["availability"]["status"], 404);
    assert!(kept["relaxation"]["steps"][0].is_string(), "{kept}");
    nobody_was_asked(&world);

    // A real one agrees, and its record tells whose rule it was.
    let id = text(&world.ask(&body).await.ok(), "id");
    world.settled(&id).await;
    let decided = decision(world.api(), &world.key, &id).await.ok()["data"].clone();
    assert_eq!(
        decided["decision"]["policy"]["scopes"],
        json!(["account"]),
        "{decided}"
    );
    let digest = text(&decided["decision"]["policy"], "digest");
    assert_eq!(digest.len(), 64);
    assert_eq!(decided["decision"]["needs"]["models"], json!([OAK]));
    let excluded = decided["excluded"].as_array().expect("a list");
    assert_eq!(excluded.len(), 1, "{excluded:?}");
    assert_eq!(excluded[0]["endpoint"], "acme/oak|birch");
    assert_eq!(excluded[0]["text"], says.as_str());
});

story!(nothing_is_dispatched_reserved_or_kept, |world| {
    let secret = "the spare key lies under the third stone";
    let manager = world.create_key(&["--management"]).await;
    for body in [
        question(OAK),
        streaming(&question(OAK)),
        with(&question(METER), &json!({ "max_tokens": 4096 })),
        with(
            &question(OAK),
            &json!({ "explain": { "seed": "18446744073709551615" } }),
        ),
        with(
            &question(TAUGHT),
            &json!({ "provider": { "data_collection": "deny" } }),
        ),
        with(&question(OAK), &json!({ "session_id": "talk" })),
        json!({ "model": OAK, "messages": [{ "role": "user", "content": secret }] }),
    ] {
        let told = explain(&world, &body).await;
        told.ok();
        assert!(!told.text().contains(secret), "{}", told.text());
        for never in ["cred_", "key_", "sk-", "provider_model_id", "base_url"] {
            assert!(!told.text().contains(never), "{never} in {}", told.text());
        }
    }
    nobody_was_asked(&world);
    assert_eq!(total_usage_nanos(&world, &manager).await, 0);
    let report = world.nothing_held().await;
    assert_eq!(report["generations"], 0, "{report}");
    for file in world.deployment.files() {
        let bytes = std::fs::read(&file).unwrap_or_default();
        let holds = bytes
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!holds, "{}", file.display());
    }
});

story!(what_makes_no_sense_is_refused, |world| {
    for (fields, says) in [
        (json!({ "model": "acme/elm" }), "acme/elm"),
        (json!({ "model": 7 }), "model"),
        (json!({ "explain": { "sed": 1 } }), "`explain.sed`"),
        (json!({ "explain": { "at": "noon" } }), "`explain.at`"),
        (json!({ "provider": { "onyl": [] } }), "onyl"),
    ] {
        let reply = explain(&world, &with(&question(OAK), &fields)).await;
        let error = reply.error(400);
        assert!(error.to_string().contains(says), "{error}");
    }
    let no_key = world.api().post("/api/v1/route/explain", &question(OAK));
    no_key.send().await.error(401);
    // The same under the bare prefix.
    let bare = world.api().post("/v1/route/explain", &question(OAK));
    bare.key(&world.key.text).send().await.ok();
});

story!(a_foreign_decision_is_like_none, |world| {
    let id = text(&world.ask(&question(OAK)).await.ok(), "id");
    world.settled(&id).await;
    let created = ["account", "create", "--email", "eve@example.com"];
    let eve = text(&world.deployment.run(&created).await, "account_id");
    let create = ["key", "create", "--account", &eve, "--name", "eve"];
    let created = world.deployment.run(&create).await;
    let eve = Key {
        text: text(&created, "key"),
        hash: text(&created, "hash"),
    };
    let missing = "gen-1764000000-0123456789abcdefghij";
    let foreign = decision(world.api(), &eve, &id).await;
    let unknown = decision(world.api(), &eve, missing).await;
    assert_eq!(
        (foreign.status, unknown.status),
        (unknown.status, foreign.status)
    );
    assert_eq!(foreign.error(404), {
        let mut expected = unknown.error(404);
        let message = expected["message"]
            .as_str()
            .expect("a message")
            .replace(missing, &id);
        expected["message"] = json!(message);
        expected
    });
    decision(world.api(), &world.key, "gen-1").await.error(400);
    decision(world.api(), &world.key, &id).await.ok();
});
