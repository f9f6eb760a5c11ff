//! Programs ask people for keys: a code, a proof, one key. Whoever tries to cheat gets none.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::{
    managed::Manager,
    visitor::{Visitor, value_after},
    world::*,
};

const VERIFIER: &str = "a-verifier-of-unreserved-characters.43~more";
const CALLBACK: &str = "https://app.example/done?tab=1";

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// The address of the page that asks, as a program makes it.
fn asks(pairs: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    format!("/auth?{query}")
}

fn usual(callback: &str) -> String {
    let challenge = challenge(VERIFIER);
    asks(&[
        ("callback_url", callback),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("state", "st&te"),
    ])
}

/// Agrees on the page; what the next page says.
async fn agree(ada: &Visitor, address: &str, more: &[(&str, &str)]) -> String {
    let page = ada.page(address).await;
    let selected = page.find("id=\"f-workspace\"").expect("a choice");
    let workspace = value_after(&page[selected..], "value=\"");
    let fields = [&[("label", "laptop"), ("workspace", &workspace)], more].concat();
    let reply = ada.post(address, &fields).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.text().to_owned()
}

fn code_in(page: &str) -> String {
    value_after(page, "code=")
}

async fn exchange(world: &World, body: &Value) -> Reply {
    let call = world.api().post("/api/v1/auth/keys", body);
    call.header("origin", "https://app.example").send().await
}

fn proof(code: &str) -> Value {
    json!({ "code": code, "code_verifier": VERIFIER, "code_challenge_method": "S256" })
}

story!(
    t18_a_code_is_exchanged_for_the_key_that_was_agreed_to,
    |world| {
        let ada = Visitor::owner(&world).await;
        let page = ada.page(&usual(CALLBACK)).await;
        assert!(page.contains("app.example"), "{page}");
        let more = [
            ("limit", "5"),
            ("reset", "weekly"),
            ("last_day", "2999-12-31"),
        ];
        let done = agree(&ada, &usual(CALLBACK), &more).await;
        let onward = "https://app.example/done?tab=1&amp;code=";
        assert!(
            done.contains(onward) || done.contains(&onward.replace("&amp;", "&#38;")),
            "{done}"
        );
        assert!(done.contains("state=st%26te"), "{done}");

        let reply = exchange(&world, &proof(&code_in(&done))).await;
        let made = reply.ok();
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(made["user_id"], ada.id());
        let key = text(&made, "key");
        let told = world.api().get("/api/v1/key").key(&key).send().await.ok();
        assert_eq!(told["data"]["limit"], 5.0);
        assert_eq!(told["data"]["limit_reset"], "weekly");
        let answer = world.api().post("/api/v1/chat/completions", &question(OAK));
        answer.key(&key).send().await.ok();
        let log = ada.page("/audit?action=api_key.create&via=api").await;
        assert!(
            log.contains("laptop") && log.contains("https://app.example"),
            "{log}"
        );
    }
);

story!(
    t18_a_downgrade_a_wrong_verifier_and_a_wrong_callback_get_nothing,
    |world| {
        let ada = Visitor::owner(&world).await;
        let code = code_in(&agree(&ada, &usual(CALLBACK), &[]).await);
        let challenge = challenge(VERIFIER);
        for (body, status) in [
            (
                json!({ "code": code, "code_verifier": challenge, "code_challenge_method": "plain" }),
                400,
            ),
            (json!({ "code": code, "code_verifier": challenge }), 403),
            (json!({ "code": code }), 403),
            (
                json!({ "code": code, "code_verifier": VERIFIER.replace('a', "b") }),
                403,
            ),
            (
                json!({ "code": "0".repeat(64), "code_verifier": VERIFIER }),
                403,
            ),
            (
                json!({ "code": code, "code_verifier": VERIFIER, "callback_url": "https://evil.example/" }),
                403,
            ),
            (json!({ "code_verifier": VERIFIER }), 400),
        ] {
            exchange(&world, &body).await.error(status);
        }
        let get = world.api().get("/api/v1/auth/keys").send().await;
        get.error(405);
        // None of that used the code up.
        exchange(&world, &proof(&code)).await.ok();
    }
);

story!(
    t18_fifty_at_once_get_one_key_and_a_second_use_revokes_it,
    |world| {
        let ada = Visitor::owner(&world).await;
        let code = code_in(&agree(&ada, &usual(CALLBACK), &[]).await);
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (api, body) = (world.api().clone(), proof(&code));
            tasks.spawn(async move { api.post("/api/v1/auth/keys", &body).send().await });
        }
        let replies = tasks.join_all().await;
        let made: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
        assert_eq!(made.len(), 1, "exactly one key");
        for refused in replies.iter().filter(|reply| reply.status != 200) {
            refused.error(403);
        }
        let key = text(&made[0].json(), "key");
        let log = ada.get("/audit/export.json?action=api_key.").await.json();
        let count = |action: &str| {
            let entries = log.as_array().expect("a list").iter();
            let by_program = entries.filter(|one| one["action"] == action && one["via"] == "api");
            by_program.count()
        };
        assert_eq!(count("api_key.create"), 1);
        assert_eq!(count("api_key.delete"), 1, "the others were second uses");
        let used = world.api().get("/api/v1/key").key(&key).send().await;
        used.error(401);

        // One after the other it is the same.
        let code = code_in(&agree(&ada, &usual(CALLBACK), &[]).await);
        let key = text(&exchange(&world, &proof(&code)).await.ok(), "key");
        exchange(
            &world,
            &json!({ "code": code, "code_verifier": "x".repeat(43) }),
        )
        .await
        .error(403);
        world.api().get("/api/v1/key").key(&key).send().await.ok();
        exchange(&world, &proof(&code)).await.error(403);
        world
            .api()
            .get("/api/v1/key")
            .key(&key)
            .send()
            .await
            .error(401);
    }
);

story!(t18_codes_go_over_tls_or_to_ones_own_machine, |world| {
    let ada = Visitor::owner(&world).await;
    for bad in [
        "http://app.example/",
        "javascript:alert(1)",
        "https://ada@app.example/",
        "https://app.example/#x",
        "http://localhost.evil.example/",
    ] {
        let reply = ada.get(&usual(bad)).await;
        assert_eq!(reply.status, 400, "{bad}");
        assert!(
            !reply
                .text()
                .contains("<form method=\"post\" class=\"stack\""),
            "{bad}"
        );
        let posted = ada
            .post(&usual(bad), &[("label", "x"), ("workspace", "x")])
            .await;
        assert_eq!(posted.status, 400, "{bad}");
    }
    let local = agree(&ada, &usual("http://localhost:5173/cb"), &[]).await;
    let elsewhere = json!({
        "code": code_in(&local), "code_verifier": VERIFIER,
        "callback_url": "http://localhost:9999/cb",
    });
    exchange(&world, &elsewhere).await.ok();
});

story!(t18_a_code_that_is_shown_always_needs_a_challenge, |world| {
    let ada = Visitor::owner(&world).await;
    for bad in [
        asks(&[]),
        asks(&[
            ("code_challenge", VERIFIER),
            ("code_challenge_method", "plain"),
        ]),
        asks(&[("callback_url", CALLBACK)]),
    ] {
        assert_eq!(ada.get(&bad).await.status, 400, "{bad}");
    }
    let challenge = challenge(VERIFIER);
    let shown = agree(&ada, &asks(&[("code_challenge", &challenge)]), &[]).await;
    let code = value_after(&shown, "data-copy=\"");
    exchange(&world, &proof(&code)).await.ok();
});

story!(
    t18_old_programs_are_let_in_only_by_a_setting,
    Setup {
        settings: vec![("oauth.allow_plain", "true")],
        ..Setup::default()
    },
    |world| {
        let ada = Visitor::owner(&world).await;
        let plain = asks(&[
            ("callback_url", CALLBACK),
            ("code_challenge", VERIFIER),
            ("code_challenge_method", "plain"),
        ]);
        let code = code_in(&agree(&ada, &plain, &[]).await);
        exchange(&world, &proof(&code)).await.error(400);
        let body = json!({ "code": code, "code_verifier": VERIFIER });
        exchange(&world, &body).await.ok();
        let none = asks(&[("callback_url", CALLBACK)]);
        let code = code_in(&agree(&ada, &none, &[]).await);
        exchange(&world, &json!({ "code": code })).await.ok();
        assert_eq!(ada.get(&asks(&[])).await.status, 400, "shown ones never");
    }
);

story!(t18_programs_with_a_management_key_make_codes, |world| {
    let manager = Manager::of(&world).await;
    let challenge = challenge(VERIFIER);
    let body = json!({
        "callback_url": CALLBACK, "code_challenge": challenge, "key_label": "ci", "limit": 2.5,
        "usage_limit_type": "monthly", "workspace_id": manager.workspace,
    });
    let made = manager.post("/auth/keys/code", &body).await.ok();
    let code = text(&made["data"], "id");
    let app = made["data"]["app_id"].as_i64().expect("a number");
    let again = manager.post("/auth/keys/code", &body).await.ok();
    assert_eq!(again["data"]["app_id"], app, "the same program");
    let key = text(&exchange(&world, &proof(&code)).await.ok(), "key");
    let told = world.api().get("/api/v1/key").key(&key).send().await.ok();
    assert_eq!(told["data"]["limit"], 2.5);
    for (field, value, status) in [
        ("callback_url", json!("http://app.example/"), 400),
        ("code_challenge", json!(null), 400),
        ("code_challenge_method", json!("plain"), 400),
        ("limit", json!(0), 400),
        ("expires_at", json!("2020-01-01T00:00:00Z"), 400),
        (
            "workspace_id",
            json!("ws_00000000000000000000000000000001"),
            404,
        ),
        ("role", json!("owner"), 400),
    ] {
        let mut wrong = body.clone();
        wrong[field] = value;
        manager.post("/auth/keys/code", &wrong).await.error(status);
    }
    let inference = world.api().post("/api/v1/auth/keys/code", &body);
    inference.key(&world.key.text).send().await.error(403);
});
