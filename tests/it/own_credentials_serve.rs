//! Requests served with the account's own credentials: who served is said everywhere, nobody is charged
//! for it, and a credential that is refused makes room for the next.

use crate::{
    insufficient_credits::{METERED_COST_NANOS, drain, meter_to_the_full, metered_request, storm},
    own::*,
    world::*,
};

const METADATA: &str = "x-openrouter-metadata";

story!(who_served_is_said_everywhere_and_costs_nothing, |world| {
    let manager = world.create_key(&["--management"]).await;
    let id = bring(&world, "birch", "K", &[]).await;
    let list = cost_nanos(oak_prices("birch"), 33, 7);
    for ask_for_stream in [false, true] {
        world.simulator().script("birch", [answer("Tall.", 33, 7)]);
        let body = if ask_for_stream {
            streaming(&question(OAK))
        } else {
            question(OAK)
        };
        let call = world.chat(&body).header(METADATA, "enabled");
        let (generation, last) = if ask_for_stream {
            let transcript = call.open().await.transcript().await;
            let last = transcript.chunks.last().expect("chunks").clone();
            (text(&transcript.chunks[0], "id"), last)
        } else {
            let reply = call.send().await.ok();
            (text(&reply, "id"), reply)
        };
        let usage = &last["usage"];
        assert_eq!(usage["is_byok"], true, "{last}");
        assert_eq!(usage["cost"], 0, "{last}");
        let written = last.to_string();
        assert_eq!(
            nanos_at(&written, "/usage/cost_details/upstream_inference_cost"),
            list
        );
        assert_eq!(last["openrouter_metadata"]["is_byok"], true, "{last}");
        assert!(
            !written.contains(&id),
            "which credential it was is nobody's business"
        );
        let record = world.settled(&generation).await;
        assert_eq!(record["is_byok"], true, "{record}");
        assert_eq!(record["total_cost"], 0, "{record}");
        assert_eq!(
            nanos_at(&record.to_string(), "/upstream_inference_cost"),
            list
        );
        assert_eq!(attempts_of(&record), ["birch(own)"]);
        assert_eq!(
            record["provider_responses"][0]["endpoint_id"],
            format!("{OAK}|birch"),
            "{record}"
        );
    }
    assert_eq!(total_usage_nanos(&world, &manager).await, 0);
    let key = world
        .api()
        .get("/api/v1/key")
        .key(&world.key.text)
        .send()
        .await;
    key.ok();
    assert_eq!(nanos_at(key.text(), "/data/usage"), 0);
    assert_eq!(nanos_at(key.text(), "/data/byok_usage"), 2 * list);
    opened(&world, &id, 2).await;
    world.verified_ledger().await;
});

story!(t59_no_word_of_a_provider_is_kept_of_a_refusal, |world| {
    const PROMPT: &str = "canary-prompt-of-seventeen-tall-ships";
    let id = bring(&world, "alder", "K1", &["--always-use"]).await;
    let secret = secret_of("alder", "K1");
    let mut asked = question_to(OAK, &["alder"]);
    asked["messages"][0]["content"] = json!(PROMPT);
    asked["provider"]["allow_fallbacks"] = json!(false);
    let echo = Behaviour::Status(Status {
        status: 401,
        message: Some(format!("May not ask: {PROMPT}")),
        ..Status::default()
    });
    answers_by_credential(&world, "alder", &[("K1", echo)]);
    world.ask(&asked).await.error(403);
    assert_eq!(asked_with(&world, "alder"), [end_of("K1")]);
    let failing = wait::until("the refusal to be noted", PATIENCE, || async {
        let listed = listed(&world, &id).await;
        (listed["state"] == "failing").then_some(listed)
    })
    .await;
    assert_eq!(failing["last_error_status"], 401, "{failing}");
    let told = ["byok", "events", "--account", &world.account];
    let told = world.deployment.run(&told).await;
    for shown in [failing.to_string(), told.to_string()] {
        assert!(shown.contains(&id), "{shown}");
        assert!(
            !shown.contains("seventeen-tall") && !shown.contains(&secret),
            "{shown}"
        );
    }
});

story!(refused_credentials_make_room_for_the_next, |world| {
    let gone = store(&world, "alder", "K1", &[]).await;
    store(&world, "alder", "K2", &[]).await;
    bring(&world, "alder", "K3", &[]).await;
    answers_by_credential(
        &world,
        "alder",
        &[
            ("K1", refusal(401, None)),
            ("K2", refusal(402, None)),
            ("K3", refusal(429, Some("60"))),
        ],
    );
    world.simulator().script("alder", [answer("Tall.", 33, 7)]);
    let reply = world.ask(&question_to(OAK, &["alder"])).await;
    let body = reply.ok();
    assert_eq!(body["usage"]["is_byok"], false, "{body}");
    assert_eq!(
        nanos_at(reply.text(), "/usage/cost"),
        cost_nanos(oak_prices("alder"), 33, 7),
        "paid capacity served"
    );
    assert_eq!(
        asked_with(&world, "alder"),
        [
            end_of("K1"),
            end_of("K2"),
            end_of("K3"),
            shared_end("alder")
        ]
    );
    let record = world.settled(&text(&body, "id")).await;
    assert_eq!(record["is_byok"], false);
    assert_eq!(
        attempts_of(&record),
        ["alder(own)", "alder(own)", "alder(own)", "alder"]
    );
    // Its owner hears of the first that was refused, within seconds.
    let failing = wait::until("the refusal to be noted", PATIENCE, || async {
        let listed = listed(&world, &gone).await;
        (listed["state"] == "failing").then_some(listed)
    })
    .await;
    assert_eq!(failing["last_error_status"], 401, "{failing}");
    let error = failing["last_error"].as_str().expect("what was said");
    assert!(!error.contains(&secret_of("alder", "K1")), "{error}");
    assert_eq!(events(&world, &gone).await, ["credential.failing"]);
    // And that it works again, once it is renewed and used.
    answers_by_credential(&world, "alder", &[]);
    let rotate = ["byok", "rotate", "--account", &world.account, "--id", &gone];
    world
        .deployment
        .run_with_input(&rotate, &secret_of("alder", "K4"))
        .await;
    assert_eq!(listed(&world, &gone).await["state"], "unchecked");
    known(&world).await;
    world.ask(&question_to(OAK, &["alder"])).await.ok();
    wait::until("the success to be noted", PATIENCE, || async {
        (listed(&world, &gone).await["state"] == "ok").then_some(())
    })
    .await;
});

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// What was told about a credential.
async fn events(world: &World, id: &str) -> Vec<String> {
    let told = world
        .deployment
        .run(&["byok", "events", "--account", &world.account])
        .await;
    let told = told["events"].as_array().expect("a list").clone();
    told.iter()
        .filter(|event| event["subject"] == id)
        .map(|event| text(event, "kind"))
        .collect()
}

story!(a_credential_that_recovers_is_told, |world| {
    let id = bring(&world, "alder", "K1", &[]).await;
    answers_by_credential(&world, "alder", &[("K1", refusal(403, None))]);
    world.ask(&question_to(OAK, &["alder"])).await.ok();
    wait::until("the refusal to be told", PATIENCE, || async {
        (events(&world, &id).await == ["credential.failing"]).then_some(())
    })
    .await;
    answers_by_credential(&world, "alder", &[]);
    let reply = world.ask(&question_to(OAK, &["alder"])).await.ok();
    assert_eq!(
        reply["usage"]["is_byok"], true,
        "one refusal is not the end"
    );
    wait::until("the recovery to be told", PATIENCE, || async {
        (events(&world, &id).await == ["credential.failing", "credential.recovered"]).then_some(())
    })
    .await;
});

story!(always_use_never_falls_into_paid_capacity, |world| {
    bring(&world, "alder", "K", &["--always-use"]).await;
    answers_by_credential(&world, "alder", &[("K", refusal(401, None))]);
    let reply = world.ask(&question_to(OAK, &["alder"])).await;
    let error = reply.error(403);
    assert_eq!(error["error_type"], "permission_denied", "{error}");
    assert_eq!(error["metadata"]["is_byok"], true, "{error}");
    assert_eq!(asked_with(&world, "alder"), [end_of("K")]);
    // Asked too fast, it is not passed over either.
    answers_by_credential(&world, "alder", &[("K", refusal(429, Some("7")))]);
    let reply = world.ask(&question_to(OAK, &["alder"])).await;
    reply.error(429);
    assert_eq!(reply.header("retry-after"), Some("7"));
    assert_eq!(asked_with(&world, "alder"), [end_of("K"), end_of("K")]);
});

story!(only_own_closes_the_whole_provider, |world| {
    bring(&world, "alder", "K", &["--only-own", "--model", OAK]).await;
    let reply = world.ask(&question_to(METER, &["alder"])).await;
    let error = reply.error(404);
    let message = error["message"].as_str().expect("a message");
    assert!(
        message.contains("only its own credentials at alder"),
        "{error}"
    );
    assert_eq!(world.asked("alder"), 0);
    let reply = world.ask(&question_to(OAK, &["alder"])).await.ok();
    assert_eq!(reply["usage"]["is_byok"], true);
});

story!(
    without_credit_own_credentials_serve_and_others_do_not,
    Setup {
        credit_usd: None,
        ..Setup::default()
    },
    |world| {
        world.ask(&question(OAK)).await.error(402);
        bring(&world, "alder", "K", &[]).await;
        let reply = world.ask(&question(OAK)).await.ok();
        assert_eq!(reply["usage"]["is_byok"], true);
        // Nobody pays for what comes after it, so it is not asked.
        all_answer(&world, &["alder", "birch", "cedar"], 503);
        let reply = world.ask(&question(OAK)).await;
        reply.error(503);
        let id = reply.header("x-generation-id").expect("an id").to_owned();
        assert_eq!(attempts_of(&world.settled(&id).await), ["alder(own)"]);
        let path = format!("/api/v1/generation/{id}/decision");
        let decided = world.api().get(&path).key(&world.key.text).send().await;
        let record = &decided.ok()["data"]["decision"];
        assert_eq!(record["own_only"], true, "{record}");
        let rows = record["candidates"].as_array().expect("candidates");
        let ranks: Vec<_> = rows.iter().filter(|row| !row["rank"].is_null()).collect();
        assert_eq!(ranks.len(), 1, "{record}");
        assert!(ranks[0]["credential"]["own"].is_string(), "{record}");
        assert_eq!(world.asked("birch") + world.asked("cedar"), 0);
    }
);

story!(
    debts_are_paid_first,
    Setup {
        credit_usd: Some("0.0001"),
        ..Setup::default()
    },
    |world| {
        // Held is what 100 tokens cost; the provider says that it were 1,000.
        world
            .simulator()
            .script("alder", [answer("Tick.", 10, 1_000)]);
        world.ask(&metered_request()).await.ok();
        world.nothing_held().await;
        bring(&world, "alder", "K", &[]).await;
        let error = world.ask(&question(OAK)).await.error(402);
        assert_eq!(error["error_type"], "payment_required", "{error}");
        assert!(!asked_with(&world, "alder").contains(&end_of("K")));
        world.grant("0.01").await;
        let reply = world.ask(&question(OAK)).await.ok();
        assert_eq!(reply["usage"]["is_byok"], true);
    }
);

story!(
    two_hundred_at_once_on_a_limit_that_counts_own_traffic,
    |world| {
        let manager = world.create_key(&["--management"]).await;
        let counting = world
            .create_key(&["--limit-usd", "0.001", "--include-byok"])
            .await;
        let free = world.create_key(&["--limit-usd", "0.0001"]).await;
        bring(&world, "alder", "K", &["--always-use"]).await;
        meter_to_the_full(&world, 500);
        let served = storm(&[world.api()], &counting.text, 200).await;
        assert!((1..=10).contains(&served), "{served} were served");
        meter_to_the_full(&world, 0);
        world.nothing_held().await;
        let rest = drain(world.api(), &counting.text).await;
        assert_eq!(served + rest, 10);
        world.nothing_held().await;
        let reply = world
            .api()
            .get("/api/v1/key")
            .key(&counting.text)
            .send()
            .await;
        reply.ok();
        assert_eq!(nanos_at(reply.text(), "/data/usage"), 0);
        assert_eq!(
            nanos_at(reply.text(), "/data/byok_usage"),
            10 * METERED_COST_NANOS
        );
        assert_eq!(nanos_at(reply.text(), "/data/limit_remaining"), 0);
        // A limit that does not count it is not touched by it.
        for _ in 0..5 {
            let call = world
                .api()
                .post("/api/v1/chat/completions", &metered_request());
            call.key(&free.text).send().await.ok();
        }
        assert_eq!(
            total_usage_nanos(&world, &manager).await,
            0,
            "nobody was charged"
        );
        world.verified_ledger().await;
    }
);
