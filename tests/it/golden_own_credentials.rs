//! The rows of the golden routing table that are about own credentials, from end to end. A plan shows
//! where every endpoint on it fails.

use crate::{own::*, world::*};

story!(
    golden_31_a_key_never_rescues_an_endpoint_that_keeps_prompts,
    |world| {
        let id = bring(&world, "birch", "K", &[]).await;
        let body = with(&question(KEPT), &json!({ "provider": { "zdr": true } }));
        let error = world.ask(&body).await.error(404);
        assert_eq!(
            error["availability"]["code"], "privacy_restricted",
            "{error}"
        );
        let excluded = &error["availability"]["excluded_by"];
        assert_eq!(excluded[0], "data_policy:zdr", "{error}");
        assert_eq!(world.asked("birch"), 0);
        let actions = async || {
            let entries = noted(&world, &id).await;
            let actions = entries.iter().map(|entry| text(entry, "action"));
            actions.collect::<Vec<_>>()
        };
        assert_eq!(actions().await, ["credential.create"]);
        assert_eq!(listed(&world, &id).await["openings_30d"], 0);
        // Without that wish the key serves. It is the first time that it is opened, and a count that
        // was still on its way before would be found now.
        let served = world.ask(&question(KEPT)).await.ok();
        assert_eq!(served["usage"]["is_byok"], true, "{served}");
        opened(&world, &id, 1).await;
        assert_eq!(actions().await, ["credential.create"]);
    }
);

story!(golden_33_own_keys_precede_the_listed_order, |world| {
    bring(&world, "birch", "K", &[]).await;
    all_answer(&world, &["alder", "birch"], 503);
    let body = question_to(OAK, &["alder", "birch"]);
    assert_eq!(
        attempts(&world, &body, 503).await,
        ["birch(own)", "alder", "birch"]
    );
});

story!(golden_34_prioritized_shared_then_fallback_keys, |world| {
    store(&world, "alder", "K1", &[]).await;
    store(&world, "alder", "K3", &["--fallback"]).await;
    bring(&world, "alder", "K2", &[]).await;
    all_answer(&world, &["alder", "birch"], 503);
    let body = with(
        &question(OAK),
        &json!({ "provider": { "only": ["alder", "birch"], "sort": "price" } }),
    );
    assert_eq!(
        attempts(&world, &body, 503).await,
        ["alder(own)", "alder(own)", "alder", "birch", "alder(own)"]
    );
    assert_eq!(
        asked_with(&world, "alder"),
        [
            end_of("K1"),
            end_of("K2"),
            shared_end("alder"),
            end_of("K3")
        ]
    );
});

story!(
    golden_35_always_use_holds_where_the_key_is_for_the_model,
    |world| {
        store(&world, "alder", "KA", &["--always-use", "--model", OAK]).await;
        bring(&world, "alder", "KB", &[]).await;
        all_answer(&world, &["alder"], 503);
        let at_alder = |model| question_to(model, &["alder"]);
        assert_eq!(
            attempts(&world, &at_alder(OAK), 503).await,
            ["alder(own)", "alder(own)"]
        );
        assert_eq!(asked_with(&world, "alder"), [end_of("KA"), end_of("KB")]);
        assert_eq!(
            attempts(&world, &at_alder(METER), 503).await,
            ["alder(own)", "alder"]
        );
        assert_eq!(
            asked_with(&world, "alder")[2..],
            [end_of("KB"), shared_end("alder")]
        );
    }
);

story!(golden_37_models_come_first_unless_they_compete, |world| {
    bring(&world, "alder", "K", &[]).await;
    all_answer(&world, &["alder", "cedar"], 503);
    let models = json!({ "models": [CLAUDE, METER] });
    let body = with(&question(CLAUDE), &models);
    assert_eq!(
        attempts(&world, &body, 503).await,
        ["cedar", "alder(own)", "alder"]
    );
    let compete = json!({ "provider": { "sort": { "by": "price", "partition": "none" } } });
    let body = with(&body, &compete);
    assert_eq!(
        attempts(&world, &body, 503).await,
        ["alder(own)", "alder", "cedar"]
    );
});

story!(order_and_filters_combine, |world| {
    let for_others = world.create_key(&[]).await;
    let first = store(&world, "alder", "K1", &["--model", METER]).await;
    let second = store(&world, "alder", "K2", &["--key", &for_others.hash]).await;
    let third = store(&world, "alder", "K3", &[]).await;
    let order = [
        "byok",
        "order",
        "--account",
        &world.account,
        "--provider",
        "alder",
        &third,
        &second,
        &first,
    ];
    world.deployment.run(&order).await;
    known(&world).await;
    let body = |model| question_to(model, &["alder"]);
    all_answer(&world, &["alder"], 503);
    for (key, model, expected) in [
        (&world.key, OAK, vec!["K3"]),
        (&world.key, METER, vec!["K3", "K1"]),
        (&for_others, OAK, vec!["K3", "K2"]),
        (&for_others, METER, vec!["K3", "K2", "K1"]),
    ] {
        world.simulator().forget("alder");
        let call = world.api().post("/api/v1/chat/completions", &body(model));
        call.key(&key.text).send().await.error(503);
        let mut expected: Vec<_> = expected.into_iter().map(end_of).collect();
        expected.push(shared_end("alder"));
        assert_eq!(asked_with(&world, "alder"), expected, "{model}");
    }
});
