//! One tenant's credentials, conversations and troubles are no other's.

use tokio::task::JoinSet;

use crate::{own::*, world::*};

/// Another account with credit and a key.
async fn neighbour(world: &World) -> (String, Key) {
    let create = ["account", "create", "--email", "bob@example.com"];
    let account = text(&world.deployment.run(&create).await, "account_id");
    let grant = [
        "credit",
        "grant",
        "--account",
        &account,
        "--usd",
        "10",
        "--reason",
        "test",
    ];
    world.deployment.run(&grant).await;
    let create = ["key", "create", "--account", &account, "--name", "test"];
    let created = world.deployment.run(&create).await;
    let key = Key {
        text: text(&created, "key"),
        hash: text(&created, "hash"),
    };
    (account, key)
}

async fn ask_as(world: &World, key: &Key, body: &Value) -> Value {
    let call = world.api().post("/api/v1/chat/completions", body);
    call.key(&key.text).send().await.ok()
}

story!(
    t11_the_same_words_of_another_tenant_meet_nothing_of_the_firsts,
    |world| {
        let (other_account, other_key) = neighbour(&world).await;
        let second_key = world.create_key(&[]).await;
        bring(&world, "cedar", "K1", &["--key", &world.key.hash]).await;
        let body = with(
            &question(OAK),
            &json!({ "session_id": "conversation-1", "user": "someone" }),
        );
        for _ in 0..3 {
            let reply = world.ask(&body).await.ok();
            assert_eq!(
                (&reply["provider"], &reply["usage"]["is_byok"]),
                (&json!("Cedar"), &json!(true))
            );
        }
        // The same body, session and user: of another key of the account, and of another account.
        for key in [&second_key, &other_key] {
            for _ in 0..3 {
                let reply = ask_as(&world, key, &body).await;
                assert_eq!(reply["usage"]["is_byok"], false, "{reply}");
                assert_ne!(
                    reply["provider"], "Cedar",
                    "by price it is never the dearest"
                );
            }
        }
        let own: Vec<_> = asked_with(&world, "cedar");
        assert_eq!(own, vec![end_of("K1"); 3], "nobody else used it");
        // Nor does theirs move the first one's conversation.
        store_in(&world.deployment, &other_account, "birch", "K2", &[]).await;
        known(&world).await;
        wait::until(
            "the neighbour's own to be used",
            std::time::Duration::from_secs(5),
            || async {
                let reply = ask_as(&world, &other_key, &body).await;
                (reply["usage"]["is_byok"] == true).then_some(())
            },
        )
        .await;
        let reply = world.ask(&body).await.ok();
        assert_eq!(reply["provider"], "Cedar");
    }
);

/// Asks so often, ten at once; every request must be served.
async fn ask_often(world: &World, key: &Key, body: &Value, times: usize) {
    for _ in 0..times / 10 {
        let mut requests = JoinSet::new();
        for _ in 0..10 {
            let call = world.api().post("/api/v1/chat/completions", body);
            requests.spawn(call.key(&key.text).send());
        }
        while let Some(reply) = requests.join_next().await {
            reply.expect("answered").ok();
        }
    }
}

story!(
    t58_a_refused_own_key_is_asked_no_more_and_harms_nobody,
    |world| {
        let (_, other_key) = neighbour(&world).await;
        bring(&world, "alder", "K1", &[]).await;
        answers_by_credential(&world, "alder", &[("K1", refusal(401, None))]);
        let body = with(
            &question(OAK),
            &json!({ "provider": { "only": ["alder"] } }),
        );
        ask_often(&world, &world.key, &body, 50).await;
        world.simulator().forget("alder");
        ask_often(&world, &world.key, &body, 200).await;
        let attempts = world.asked("alder");
        assert!(attempts <= 240, "{attempts} attempts for 200 requests");
        // By the operator's credential the endpoint is as well as ever, for everybody.
        ask_often(&world, &other_key, &body, 20).await;
        let path = format!("/api/v1/models/{OAK}/endpoints");
        let listed = world.api().get(&path).send().await.ok();
        let endpoints = listed["data"]["endpoints"].as_array().expect("endpoints");
        let alder = endpoints
            .iter()
            .find(|one| one["tag"] == "alder")
            .expect("alder");
        assert_eq!(alder["status"], 0, "{alder}");
    }
);

/// A provider in trouble is left alone, and found again when it is well.
async fn storm_passes(world: &World, status: u16) {
    all_answer(world, &["alder"], status);
    let body = with(
        &question(OAK),
        &json!({ "provider": { "only": ["alder", "birch"], "sort": "price" } }),
    );
    ask_often(world, &world.key, &body, 50).await;
    for provider in ["alder", "birch"] {
        world.simulator().forget(provider);
    }
    ask_often(world, &world.key, &body, 200).await;
    let attempts = world.asked("alder") + world.asked("birch");
    assert!(attempts <= 240, "{attempts} attempts for 200 requests");
    all_answer_well(world, "alder");
    wait::until(
        "the provider to be found again",
        std::time::Duration::from_secs(60),
        || async {
            let reply = world.ask(&body).await.ok();
            (reply["provider"] == "Alder").then_some(())
        },
    )
    .await;
}

fn all_answer_well(world: &World, provider: &str) {
    world.simulator().set_profile(provider, Profile::default());
}

story!(t58_a_storm_of_500s_passes, |world| {
    storm_passes(&world, 500).await;
});

story!(t58_a_storm_of_429s_passes, |world| {
    storm_passes(&world, 429).await;
});

story!(t58_a_storm_of_529s_passes, |world| {
    storm_passes(&world, 529).await;
});
