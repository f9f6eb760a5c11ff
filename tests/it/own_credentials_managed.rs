//! Customers store, change, order and delete provider credentials of their own, through the API.

use crate::{
    managed::{Manager, each, made},
    world::*,
};

/// What typed clients require, and what we tell beside it.
const FIELDS: [&str; 21] = [
    "id",
    "provider",
    "label",
    "name",
    "disabled",
    "is_fallback",
    "is_required",
    "is_byok_only",
    "sort_order",
    "workspace_id",
    "allowed_models",
    "allowed_api_key_hashes",
    "allowed_user_ids",
    "declared_zdr",
    "declared_region",
    "created_at",
    "updated_at",
    "kind",
    "state",
    "last_ok_at",
    "last_error",
];

fn draft(provider: &str, secret: &str) -> Value {
    json!({ "provider": provider, "key": secret })
}

async fn store(manager: &Manager, body: &Value) -> Value {
    made(&manager.post("/byok", body).await)
}

fn path_of(credential: &Value) -> String {
    format!("/byok/{}", text(credential, "id"))
}

story!(from_its_storing_to_its_end, |world| {
    let manager = Manager::of(&world).await;
    let secret = "sk-canary-own-1-6f0d2c";
    let stored = store(&manager, &draft("alder", secret)).await;
    for field in FIELDS {
        assert!(stored.get(field).is_some(), "{field} is missing: {stored}");
    }
    assert_eq!(stored["workspace_id"], manager.workspace.as_str());
    assert_eq!(stored["state"], "unchecked");
    assert_eq!(stored["sort_order"], 0);
    let path = path_of(&stored);
    assert_eq!(manager.get(&path).await.ok()["data"], stored);

    let change = json!({ "name": "Ours", "disabled": true, "allowed_models": [OAK],
        "is_required": true, "declared_region": "europe" });
    let changed = manager.patch(&path, &change).await.ok()["data"].clone();
    for (field, value) in change.as_object().expect("an object") {
        assert_eq!(changed[field], *value, "{field}");
    }
    let opened = json!({ "name": null, "allowed_models": null, "disabled": false });
    let changed = manager.patch(&path, &opened).await.ok()["data"].clone();
    assert_eq!(changed["name"], Value::Null);
    assert_eq!(changed["allowed_models"], Value::Null);
    assert_eq!(changed["is_required"], true, "what is not mentioned stays");
    assert_eq!(changed["label"], stored["label"]);

    let fresh = "sk-canary-own-2-9a71be";
    let rotated = manager.patch(&path, &json!({ "key": fresh })).await.ok()["data"].clone();
    assert_ne!(rotated["label"], stored["label"]);
    assert_eq!(rotated["id"], stored["id"]);
    assert_eq!(rotated["is_required"], true);

    let deleted = manager.delete(&path).await.ok();
    assert_eq!(deleted, json!({ "deleted": true }));
    manager.get(&path).await.error(404);
    manager.delete(&path).await.error(404);
    let listed = manager.get("/byok").await.ok();
    assert_eq!(listed, json!({ "data": [], "total_count": 0 }));
});

story!(one_is_tried_out_when_its_owner_asks, |world| {
    let manager = Manager::of(&world).await;
    let body = draft("alder", "sk-tried-out-123456789");
    let stored = made(&manager.post("/byok?check=true", &body).await);
    assert_eq!(stored["state"], "ok", "{stored}");
    assert!(stored["last_ok_at"].is_string());
    assert_eq!(world.asked("alder"), 1);

    let path = format!("{}/check", path_of(&stored));
    world.simulator().script("alder", [refusal(401, None)]);
    let call = || world.api().call(Method::POST, &format!("/api/v1{path}"));
    let checked = call().key(&manager.key.text).send().await.ok();
    assert_eq!(checked["check"]["state"], "failing", "{checked}");
    assert_eq!(checked["check"]["status"], 401);
    assert_eq!(checked["data"]["state"], "failing");
    assert_eq!(checked["data"]["last_error"]["status"], 401);
    assert!(checked["data"]["last_error"]["at"].is_string());

    // A provider that is down says nothing about a credential.
    world.simulator().script("alder", [refusal(503, None)]);
    let checked = manager.post(&path, &json!({ "model": OAK })).await.ok();
    assert_eq!(checked["check"]["state"], "unchecked", "{checked}");
    assert_eq!(checked["check"]["model"], OAK);
    assert_eq!(checked["data"]["state"], "failing", "what was known stays");
    let checked = manager.post(&path, &json!({})).await.ok();
    assert_eq!(checked["data"]["state"], "ok", "{checked}");
    assert_eq!(world.asked("alder"), 4);

    for body in [json!({ "modle": OAK }), json!({ "model": 1 })] {
        manager.post(&path, &body).await.error(400);
    }
    manager.post("/byok?check=maybe", &body).await.error(400);
    let stranger = Manager::stranger(&world).await;
    stranger.post(&path, &json!({})).await.error(404);
    assert_eq!(world.asked("alder"), 4);
    let credits = manager.get("/credits").await.ok();
    assert_eq!(credits["data"]["total_usage"], 0, "nobody pays for it");
});

story!(what_is_stored_serves_until_it_is_gone, |world| {
    let manager = Manager::of(&world).await;
    let ask = async || world.ask(&question_to(OAK, &["alder"])).await.ok();
    let is_own = async || ask().await["usage"]["is_byok"].clone();
    assert_eq!(is_own().await, false);
    let stored = store(&manager, &draft("alder", "sk-serving-1234567890")).await;
    let path = path_of(&stored);
    assert_eq!(is_own().await, true, "at once, on the node that was told");
    manager
        .patch(&path, &json!({ "disabled": true }))
        .await
        .ok();
    assert_eq!(is_own().await, false);
    let only = json!({ "disabled": false, "allowed_models": [METER] });
    manager.patch(&path, &only).await.ok();
    assert_eq!(is_own().await, false);
    let all = json!({ "allowed_models": null });
    manager.patch(&path, &all).await.ok();
    assert_eq!(is_own().await, true);
    manager.delete(&path).await.ok();
    assert_eq!(is_own().await, false);
});

story!(a_secret_is_nowhere_to_be_read, |world| {
    let manager = Manager::of(&world).await;
    let secret = "sk-canary-own-3-51c7ea";
    let escaped = r#"{"provider":"birch","key":"sk-canary-own-\u0034-51c7ea"}"#;
    let call = world.api().call(Method::POST, "/api/v1/byok").body(escaped);
    let call = call.header("content-type", "application/json");
    let mut seen = vec![call.key(&manager.key.text).send().await];
    seen.push(manager.post("/byok", &draft("alder", secret)).await);
    // Repeated, so that the answer is kept; wrong, so that complaints are written.
    let named = || {
        let call = world.api().post("/api/v1/byok", &draft("cedar", secret));
        let call = call.key(&manager.key.text);
        call.header("idempotency-key", "same").send()
    };
    seen.push(named().await);
    seen.push(named().await);
    for body in [
        json!({ "provider": "alder", "key": secret, "label": secret }),
        json!({ "provider": "alder", "key": { "a": secret } }),
        json!({ "provider": secret, "key": secret }),
        json!({ "provider": "alder", "key": format!("{secret}\n{secret}") }),
        json!({ "provider": "alder", "key": secret }),
    ] {
        let reply = manager.post("/byok", &body).await;
        assert!(reply.status.is_client_error(), "{}", reply.text());
        seen.push(reply);
    }
    seen.push(manager.get("/byok").await);
    for reply in &seen {
        assert!(!reply.text().contains("canary-own"), "{}", reply.text());
    }
    let in_files = world.deployment.files();
    let mut bytes = world.deployment.database_bytes().await;
    for file in in_files {
        bytes.extend(std::fs::read(&file).unwrap_or_default());
    }
    bytes.extend(world.node.logs().into_bytes());
    let canary = b"canary-own";
    assert!(!bytes.windows(canary.len()).any(|window| window == canary));
});

story!(they_are_for_a_workspace_or_for_all, |world| {
    let manager = Manager::of(&world).await;
    let body = json!({ "name": "Team", "slug": "team" });
    let team = text(&made(&manager.post("/workspaces", &body).await), "id");
    let place = |workspace: Value, secret: &str| {
        with(
            &draft("alder", secret),
            &json!({ "workspace_id": workspace }),
        )
    };
    let everywhere = store(&manager, &place(Value::Null, "sk-everywhere-1234567")).await;
    assert_eq!(everywhere["workspace_id"], Value::Null);
    let there = store(&manager, &place(json!(team), "sk-in-the-team-123456")).await;
    let here = store(&manager, &draft("alder", "sk-by-default-12345678")).await;
    for (query, expected) in [
        ("", vec![&everywhere["id"], &here["id"]]),
        ("?workspace_id=", vec![&everywhere["id"], &here["id"]]),
        (
            &*format!("?workspace_id={team}"),
            vec![&everywhere["id"], &there["id"]],
        ),
        ("?provider=alder&limit=1", vec![&everywhere["id"]]),
        ("?provider=birch", vec![]),
    ] {
        let listed = manager.get(&format!("/byok{query}")).await.ok();
        assert_eq!(each(&listed, "id"), expected, "{query}");
    }
    // The same secret again, in the same place and in another.
    let same = place(json!(team), "sk-in-the-team-123456");
    manager.post("/byok", &same).await.error(409);
    store(&manager, &draft("alder", "sk-in-the-team-123456")).await;

    // A workspace takes its credentials along.
    manager.delete("/workspaces/team").await.ok();
    manager.get(&path_of(&there)).await.error(404);
    manager.get(&path_of(&everywhere)).await.ok();
    manager.post("/byok", &same).await.error(404);
    let query = format!("/byok?workspace_id={team}");
    manager.get(&query).await.error(404);
});

story!(owners_put_them_in_order, |world| {
    let manager = Manager::of(&world).await;
    let mut ids = Vec::new();
    for number in 0..3 {
        let secret = format!("sk-number-{number}-1234567");
        let stored = store(&manager, &draft("alder", &secret)).await;
        assert_eq!(stored["sort_order"], number);
        ids.push(text(&stored, "id"));
    }
    let other = store(&manager, &draft("birch", "sk-of-another-1234567")).await;
    let [first, second, third] = &ids[..] else {
        panic!("three were stored");
    };
    let order = json!({ "provider": "alder", "ids": [third, first] });
    let ordered = manager.put("/byok/order", &order).await.ok();
    assert_eq!(each(&ordered, "id"), [third, first, second]);
    let listed = manager.get("/byok?provider=alder").await.ok();
    assert_eq!(listed["data"], ordered["data"]);
    for (body, status) in [
        (json!({ "provider": "alder", "ids": [] }), 400),
        (json!({ "provider": "alder", "ids": [first, first] }), 400),
        (
            json!({ "provider": "alder", "ids": [first, other["id"]] }),
            404,
        ),
        (json!({ "provider": "birch", "ids": [first] }), 404),
        (json!({ "provider": "alder", "ids": ["x"] }), 404),
        (
            json!({ "provider": "alder", "ids": [first], "sort_order": 1 }),
            400,
        ),
        (json!({ "ids": [first] }), 400),
    ] {
        manager.put("/byok/order", &body).await.error(status);
    }
    let listed = manager.get("/byok?provider=alder").await.ok();
    assert_eq!(each(&listed, "id"), [third, first, second]);
});

story!(what_is_wrong_with_one_is_named, |world| {
    let manager = Manager::of(&world).await;
    let stored = store(&manager, &draft("alder", "sk-stored-12345678901")).await;
    let path = path_of(&stored);
    let stranger = Manager::stranger(&world).await;
    for (fields, part) in [
        (json!({ "name": "" }), "`name` must have"),
        (json!({ "name": "x".repeat(256) }), "`name` must have"),
        (
            json!({ "allowed_models": [] }),
            "`allowed_models` must not be empty",
        ),
        (
            json!({ "allowed_models": ["nobody/nothing"] }),
            "`allowed_models[0]`",
        ),
        (
            json!({ "allowed_models": vec![OAK; 101] }),
            "`allowed_models` may have",
        ),
        (
            json!({ "allowed_api_key_hashes": [] }),
            "`allowed_api_key_hashes` must not",
        ),
        (
            json!({ "allowed_api_key_hashes": ["ABC"] }),
            "`allowed_api_key_hashes[0]`",
        ),
        (
            json!({ "allowed_api_key_hashes": [world.key.hash, stranger.key.hash] }),
            "`allowed_api_key_hashes[1]`",
        ),
        (
            json!({ "allowed_user_ids": ["eve"] }),
            "`allowed_user_ids[0]`",
        ),
        (
            json!({ "declared_region": "mars" }),
            "`declared_region` must be",
        ),
        (
            json!({ "is_byok_only": true, "is_fallback": true }),
            "`is_byok_only` cannot go",
        ),
        (
            json!({ "disabled": "no" }),
            "`disabled` must be true or false",
        ),
        (json!({ "disabled": null }), "`disabled` must not be null"),
        (json!({ "key": "" }), "`key` "),
        (json!({ "key": 7 }), "`key` must be a string"),
        (
            json!({ "sort_order": 3 }),
            "`sort_order` is set by the service",
        ),
        (json!({ "state": "ok" }), "`state` is set by the service"),
        (
            json!({ "account_id": world.account }),
            "`account_id` is not known here",
        ),
        (
            json!({ "base_url": "http://169.254.169.254" }),
            "`base_url` is not known here",
        ),
    ] {
        let new = with(&draft("alder", "sk-another-1234567890"), &fields);
        for reply in [
            manager.post("/byok", &new).await,
            manager.patch(&path, &fields).await,
        ] {
            let message = text(&reply.error(400), "message");
            assert!(message.starts_with(part), "{fields}: {message}");
        }
    }
    for (body, part) in [
        (json!({ "key": "sk-1234567890" }), "`provider` is missing"),
        (json!({ "provider": "alder" }), "`key` is missing"),
        (
            draft("nobody", "sk-1234567890"),
            "`provider` is not in the catalogue",
        ),
    ] {
        let message = text(&manager.post("/byok", &body).await.error(400), "message");
        assert!(message.starts_with(part), "{message}");
    }
    for field in ["provider", "workspace_id"] {
        let moved = json!({ field: stored[field] });
        let message = text(&manager.patch(&path, &moved).await.error(400), "message");
        assert!(message.contains("cannot be changed"), "{message}");
    }
    assert_eq!(manager.get(&path).await.ok()["data"], stored);
    let listed = manager.get("/byok").await.ok();
    assert_eq!(listed["total_count"], 1);
});

story!(t15_another_accounts_are_as_if_there_were_none, |world| {
    let (manager, stranger) = (Manager::of(&world).await, Manager::stranger(&world).await);
    let stored = store(&manager, &draft("alder", "sk-stored-12345678901")).await;
    let change = json!({ "disabled": true });
    let ask = async |id: &str| {
        let path = format!("/byok/{id}");
        let order = json!({ "provider": "alder", "ids": [id] });
        [
            stranger.get(&path).await,
            stranger.patch(&path, &change).await,
            stranger.delete(&path).await,
            stranger.put("/byok/order", &order).await,
        ]
    };
    let missing = ask("cred_00000000000000000000000000000000").await;
    for id in [&*text(&stored, "id"), "nonsense"] {
        for (given, expected) in ask(id).await.iter().zip(&missing) {
            given.error(404);
            assert_eq!(given.body, expected.body, "{id}");
        }
    }
    let nobodys = "ws_00000000000000000000000000000000";
    let place = async |workspace: &str| {
        let body = with(
            &draft("alder", "sk-of-somebody-1234567"),
            &json!({ "workspace_id": workspace }),
        );
        [
            stranger.post("/byok", &body).await,
            stranger
                .get(&format!("/byok?workspace_id={workspace}"))
                .await,
        ]
    };
    let missing = place(nobodys).await;
    for workspace in [&*manager.workspace, "default", "nonsense"] {
        for (given, expected) in place(workspace).await.iter().zip(&missing) {
            given.error(404);
            assert_eq!(given.body, expected.body, "{workspace}");
        }
    }
    let listed = stranger.get("/byok").await.ok();
    assert_eq!(listed["total_count"], 0);
    assert_eq!(manager.get(&path_of(&stored)).await.ok()["data"], stored);
});

story!(t15_only_management_keys_manage_them, |world| {
    let manager = Manager::of(&world).await;
    let stored = store(&manager, &draft("alder", "sk-stored-12345678901")).await;
    let path = path_of(&stored);
    let check = format!("{path}/check");
    for (method, path) in [
        (Method::GET, "/byok"),
        (Method::POST, "/byok"),
        (Method::PUT, "/byok/order"),
        (Method::GET, &*path),
        (Method::PATCH, &path),
        (Method::DELETE, &path),
        (Method::POST, &check),
    ] {
        let path = format!("/api/v1{path}");
        let body = draft("alder", "sk-of-somebody-1234567");
        let call = || world.api().call(method.clone(), &path).json(&body);
        call().send().await.error(401);
        call().key("sk-sy-v1-garbage").send().await.error(401);
        call().key(&world.key.text).send().await.error(403);
    }
    assert_eq!(manager.get(&path).await.ok()["data"], stored);
});
