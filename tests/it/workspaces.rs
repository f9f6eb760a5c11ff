//! An account is divided into workspaces, through the API.

use crate::{
    managed::{Manager, each, made},
    world::*,
};

/// What typed clients require, whatever its value.
const FIELDS: [&str; 18] = [
    "id",
    "name",
    "slug",
    "description",
    "created_at",
    "created_by",
    "updated_at",
    "default_guardrail_id",
    "default_text_model",
    "default_image_model",
    "default_provider_sort",
    "io_logging_api_key_ids",
    "io_logging_sampling_rate",
    "is_observability_io_logging_enabled",
    "is_observability_broadcast_enabled",
    "is_data_discount_logging_enabled",
    "include_byok_in_budgets",
    "disabled_server_tools",
];

async fn make(manager: &Manager, slug: &str) -> String {
    let body = json!({ "name": "Team", "slug": slug });
    text(&made(&manager.post("/workspaces", &body).await), "id")
}

story!(from_its_making_to_its_end, |world| {
    let manager = Manager::of(&world).await;
    let body = json!({ "name": "Team A", "slug": "team-a", "description": "Research" });
    let team = made(&manager.post("/workspaces", &body).await);
    for field in FIELDS {
        assert!(team.get(field).is_some(), "{field} is missing: {team}");
    }
    assert_eq!(team["name"], "Team A");
    assert_eq!(team["updated_at"], Value::Null);
    let id = text(&team, "id");

    let listed = manager.get("/workspaces").await.ok();
    assert_eq!(each(&listed, "slug"), ["default", "team-a"]);
    assert_eq!(listed["total_count"], 2);
    let second = manager.get("/workspaces?offset=1&limit=1").await.ok();
    assert_eq!(second["data"], json!([team]));
    for name in [&*id, "team-a"] {
        let one = manager.get(&format!("/workspaces/{name}")).await.ok();
        assert_eq!(one["data"], team);
    }

    let change = json!({ "slug": "team-b", "description": null });
    let changed = manager.patch("/workspaces/team-a", &change).await.ok();
    let changed = &changed["data"];
    assert_eq!(changed["slug"], "team-b");
    assert_eq!(changed["name"], "Team A");
    assert_eq!(changed["description"], Value::Null);
    assert!(changed["updated_at"].is_string());
    manager.get("/workspaces/team-a").await.error(404);

    let deleted = manager.delete("/workspaces/team-b").await.ok();
    assert_eq!(deleted, json!({ "deleted": true }));
    for reply in [
        manager.get(&format!("/workspaces/{id}")).await,
        manager.delete(&format!("/workspaces/{id}")).await,
        manager.patch(&format!("/workspaces/{id}"), &change).await,
    ] {
        reply.error(404);
    }
    let listed = manager.get("/workspaces").await.ok();
    assert_eq!(each(&listed, "slug"), ["default"]);
});

story!(what_is_wrong_is_named, |world| {
    let manager = Manager::of(&world).await;
    make(&manager, "team").await;
    let long = "x".repeat(101);
    for (body, status, part) in [
        (json!({ "name": "A" }), 400, "`slug` is missing"),
        (json!({ "name": "A", "slug": "A" }), 400, "`slug` must be"),
        (json!({ "name": "", "slug": "a" }), 400, "`name` must have"),
        (
            json!({ "name": long, "slug": "a" }),
            400,
            "`name` must have",
        ),
        (
            json!({ "name": "A", "slug": "a", "description": "x".repeat(501) }),
            400,
            "`description` may have 500",
        ),
        (
            json!({ "name": "A", "slug": "a", "default_provider_sort": "cheap" }),
            400,
            "`default_provider_sort` must be price",
        ),
        (
            json!({ "name": "A", "slug": "a", "default_text_model": OAK }),
            400,
            "`default_text_model` is not offered yet",
        ),
        (
            json!({ "name": "A", "slug": "a", "id": "ws_1" }),
            400,
            "`id` is set by the service",
        ),
        (
            json!({ "name": "A", "slug": "a", "owner": "me" }),
            400,
            "`owner` is not known here",
        ),
        (
            json!({ "name": "A", "slug": "team" }),
            409,
            "`slug` is taken",
        ),
        (
            json!({ "name": "A", "slug": "default" }),
            409,
            "`slug` is taken",
        ),
    ] {
        let error = manager.post("/workspaces", &body).await.error(status);
        let message = error["message"].as_str().expect("a message");
        assert!(message.starts_with(part), "{message}");
    }
    for query in ["limit=0", "limit=101", "offset=-1", "limit=1&limit=2"] {
        let path = format!("/workspaces?{query}");
        manager.get(&path).await.error(400);
    }
    let listed = manager.get("/workspaces").await.ok();
    assert_eq!(listed["total_count"], 2, "nothing was made");
});

story!(t15_another_accounts_are_as_if_there_were_none, |world| {
    let (manager, stranger) = (Manager::of(&world).await, Manager::stranger(&world).await);
    let id = make(&manager, "team").await;
    let nobodys = "ws_00000000000000000000000000000000";
    let change = json!({ "name": "Mine" });
    let people = json!({ "user_ids": ["user_00000000000000000000000000000000"] });
    let ask = async |name: &str| {
        let path = format!("/workspaces/{name}");
        let members = format!("{path}/members");
        [
            stranger.get(&path).await,
            stranger.patch(&path, &change).await,
            stranger.delete(&path).await,
            stranger.get(&members).await,
            stranger.post(&format!("{members}/add"), &people).await,
            stranger.post(&format!("{members}/remove"), &people).await,
        ]
    };
    let missing = ask(nobodys).await;
    for name in [&*id, "team", "nonsense_", "%00", &manager.workspace] {
        for (given, expected) in ask(name).await.iter().zip(&missing) {
            given.error(404);
            assert_eq!(given.body, expected.body, "{name}");
        }
    }
    let listed = stranger.get("/workspaces").await.ok();
    assert_eq!(each(&listed, "slug"), ["default"]);
    let kept = manager.get(&format!("/workspaces/{id}")).await.ok();
    assert_eq!(kept["data"]["name"], "Team");
});

story!(t15_only_management_keys_manage_them, |world| {
    let manager = Manager::of(&world).await;
    let id = make(&manager, "team").await;
    let (one, members) = (
        format!("/workspaces/{id}"),
        format!("/workspaces/{id}/members"),
    );
    let (add, remove) = (format!("{members}/add"), format!("{members}/remove"));
    for (method, path) in [
        (Method::GET, "/workspaces"),
        (Method::POST, "/workspaces"),
        (Method::GET, &*one),
        (Method::PATCH, &one),
        (Method::DELETE, &one),
        (Method::GET, &members),
        (Method::POST, &add),
        (Method::POST, &remove),
        (Method::GET, "/organization/members"),
    ] {
        let path = format!("/api/v1{path}");
        let call = || world.api().call(method.clone(), &path).json(&json!({}));
        call().send().await.error(401);
        call().key("sk-sy-v1-garbage").send().await.error(401);
        let refused = call().key(&world.key.text).send().await.error(403);
        let message = "Only management keys can perform this operation";
        assert_eq!(refused["message"], message);
    }
    manager.get(&one).await.ok();
});

story!(the_sort_is_part_of_the_standing_policy, |world| {
    let manager = Manager::of(&world).await;
    let path = format!("/workspaces/{}", manager.workspace);
    let shown = async || {
        let show = ["policy", "show", "--account", &world.account];
        world.deployment.run(&show).await["policies"].clone()
    };
    let set = ["policy", "set", "--account", &world.account];
    let set = [&set[..], &["--workspace", &manager.workspace]].concat();
    let rules = json!({ "ignored_providers": ["birch"] }).to_string();
    world.deployment.run_with_input(&set, &rules).await;

    let change = json!({ "default_provider_sort": "price" });
    let changed = manager.patch(&path, &change).await.ok();
    assert_eq!(changed["data"]["default_provider_sort"], "price");
    let rules = shown().await[0]["rules"].clone();
    assert_eq!(rules["default_sort"], "price");
    assert_eq!(
        rules["ignored_providers"],
        json!(["birch"]),
        "the rest stays"
    );
    let before: Vec<u64> = providers().map(|name| world.asked(name)).collect();
    for _ in 0..8 {
        world.ask(&question(OAK)).await.ok();
    }
    let asked = providers().zip(before);
    let asked = asked.filter(|(name, before)| world.asked(name) > *before);
    assert_eq!(asked.count(), 1, "always the cheapest");

    let cleared = json!({ "default_provider_sort": null });
    let changed = manager.patch(&path, &cleared).await.ok();
    assert_eq!(changed["data"]["default_provider_sort"], Value::Null);
    assert!(shown().await[0]["rules"].get("default_sort").is_none());

    let body = json!({ "name": "Fast", "slug": "fast", "default_provider_sort": "latency" });
    let fast = made(&manager.post("/workspaces", &body).await);
    assert_eq!(fast["default_provider_sort"], "latency");
    assert_eq!(shown().await.as_array().map(Vec::len), Some(2));
    manager.delete("/workspaces/fast").await.ok();
    assert_eq!(shown().await.as_array().map(Vec::len), Some(1));
});

fn providers() -> impl Iterator<Item = &'static str> {
    ["alder", "birch", "cedar", "dogwood"].into_iter()
}

story!(the_default_workspace_stays_and_is_everybodys, |world| {
    let manager = Manager::of(&world).await;
    for name in [&*manager.workspace, "default"] {
        let path = format!("/workspaces/{name}");
        manager.delete(&path).await.error(403);
        let forced = format!("{path}?confirm_default_workspace_deletion=true");
        manager.delete(&forced).await.error(403);
        let members = manager.get(&format!("{path}/members")).await.ok();
        assert_eq!(members["total_count"], 1);
        let owner = json!({ "user_ids": each(&members, "user_id") });
        for verb in ["add", "remove"] {
            let path = format!("{path}/members/{verb}");
            manager.post(&path, &owner).await.error(400);
        }
    }
});

story!(people_come_and_go, |world| {
    let manager = Manager::of(&world).await;
    let everybody = manager.get("/workspaces/default/members").await.ok();
    assert_eq!(everybody["total_count"], 1);
    let user = text(&everybody["data"][0], "user_id");

    let members = format!("/workspaces/{}/members", make(&manager, "team").await);
    let (add, remove) = (format!("{members}/add"), format!("{members}/remove"));
    let somebody = json!({ "user_ids": [user] });
    let added = manager.post(&add, &somebody).await.ok();
    assert_eq!(added["added_count"], 1);
    assert_eq!(added["data"][0]["role"], "admin");
    assert_eq!(added["data"][0]["user_id"], user.as_str());
    let listed = manager.get(&members).await.ok();
    assert_eq!(listed["data"], added["data"]);
    assert_eq!(listed["total_count"], 1);

    let stranger = Manager::stranger(&world).await;
    let strangers = stranger.get("/workspaces/default/members").await.ok();
    let eve = text(&strangers["data"][0], "user_id");
    let nobody = "user_00000000000000000000000000000000";
    let refusals = [
        json!({ "user_ids": [user, eve] }),
        json!({ "user_ids": [user, nobody] }),
        json!({ "user_ids": [user, "eve@example.org"] }),
    ];
    let mut told = Vec::new();
    for body in refusals {
        let reply = manager.post(&add, &body).await;
        let message = text(&reply.error(400), "message");
        assert!(message.starts_with("`user_ids[1]`"), "{message}");
        told.push(reply.body);
    }
    assert!(
        told.iter().all(|body| *body == told[0]),
        "nobody learns who exists"
    );
    for body in [
        json!({ "user_ids": [] }),
        json!({ "user_ids": vec![&user; 101] }),
        json!({ "user_ids": user }),
        json!({}),
        json!({ "user_ids": [user], "role": "admin" }),
    ] {
        manager.post(&add, &body).await.error(400);
        manager.post(&remove, &body).await.error(400);
    }

    let removed = manager.post(&remove, &somebody).await.ok();
    assert_eq!(removed, json!({ "removed_count": 1 }));
    let removed = manager.post(&remove, &somebody).await.ok();
    assert_eq!(removed, json!({ "removed_count": 0 }));
    let listed = manager.get(&members).await.ok();
    assert_eq!(listed, json!({ "data": [], "total_count": 0 }));
});

story!(a_repeated_request_makes_one, |world| {
    let manager = Manager::of(&world).await;
    let make = async || {
        let body = json!({ "name": "Team", "slug": "team" });
        let call = world.api().post("/api/v1/workspaces", &body);
        let call = call.key(&manager.key.text);
        call.header("idempotency-key", "once").send().await
    };
    let first = make().await;
    let second = make().await;
    assert_eq!(made(&first), made(&second));
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    let listed = manager.get("/workspaces").await.ok();
    assert_eq!(listed["total_count"], 2);
});

story!(
    keys_stand_in_the_way_of_its_end_and_of_their_makers,
    |world| {
        let manager = Manager::of(&world).await;
        let id = make(&manager, "team").await;
        let path = format!("/workspaces/{id}");
        let people = manager.get("/workspaces/default/members").await.ok();
        let somebody = json!({ "user_ids": each(&people, "user_id") });
        let added = manager
            .post(&format!("{path}/members/add"), &somebody)
            .await;
        added.ok();
        let key = json!({ "name": "theirs", "workspace_id": id, "creator_user_id": somebody["user_ids"][0] });
        let key = made(&manager.post("/keys", &key).await);
        let remove = format!("{path}/members/remove");
        manager.delete(&path).await.error(400);
        manager.post(&remove, &somebody).await.error(400);
        // Switched off is not gone.
        let key_path = format!("/keys/{}", text(&key, "hash"));
        let off = json!({ "disabled": true });
        manager.patch(&key_path, &off).await.ok();
        manager.delete(&path).await.error(400);
        manager.delete(&key_path).await.ok();
        let removed = manager.post(&remove, &somebody).await.ok();
        assert_eq!(removed["removed_count"], 1);
        manager.delete(&path).await.ok();
        let late = json!({ "name": "late", "workspace_id": id });
        manager.post("/keys", &late).await.error(404);
    }
);

story!(the_audit_log_tells_of_each_change, |world| {
    let manager = Manager::of(&world).await;
    let body = json!({ "name": "Team", "slug": "team", "default_provider_sort": "price" });
    let reply = manager.post("/workspaces", &body).await;
    let id = text(&made(&reply), "id");
    let change = json!({ "name": "Crew", "description": "words" });
    manager.patch("/workspaces/team", &change).await.ok();
    manager.patch("/workspaces/team", &json!({})).await.ok();
    manager
        .patch("/workspaces/team", &json!({ "slug": "" }))
        .await
        .error(400);
    let secret = json!({ "provider": "alder", "key": "sk-canary-audit-1234", "workspace_id": id });
    let credential = text(&made(&manager.post("/byok", &secret).await), "id");
    manager.delete("/workspaces/team").await.ok();

    let show = ["audit", "show", "--account", &world.account];
    let shown = world.deployment.run(&show).await;
    let entries = shown["entries"].as_array().expect("a list");
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (text(entry, "action"), text(entry, "subject")))
        .collect();
    let expected = [
        ("workspace.delete", &id),
        ("credential.create", &credential),
        ("workspace.change", &id),
        ("workspace.create", &id),
    ];
    let expected = expected.map(|(action, subject)| (action.to_owned(), subject.clone()));
    assert_eq!(
        told[..4],
        expected,
        "newest first, and nothing that changed nothing"
    );
    for entry in &entries[..4] {
        assert_eq!(entry["via"], "api");
        assert_eq!(entry["workspace_id"], id.as_str());
        assert!(text(entry, "actor").starts_with("key_"), "{entry}");
        assert!(entry["ip"].is_string(), "{entry}");
    }
    assert_eq!(
        entries[2]["detail"],
        json!({ "before": { "name": "Team", "description": null }, "after": change })
    );
    assert_eq!(
        entries[3]["request_id"].as_str(),
        reply.header("x-request-id")
    );
    assert!(!shown.to_string().contains("canary"));
    world.deployment.run(&["audit", "verify"]).await;
});
