//! A request under zero data retention does not reach a provider that keeps prompts, however much goes
//! wrong elsewhere.

use crate::world::*;

story!(not_even_when_everyone_else_fails, |world| {
    let failing = Profile {
        behaviour: refusal(500, None),
        ..Profile::default()
    };
    for provider in ["alder", "cedar"] {
        world.simulator().set_profile(provider, failing.clone());
    }
    for preferences in [
        json!({ "zdr": true }),
        json!({ "zdr": true, "order": ["birch", "alder"] }),
        json!({ "zdr": true, "sort": "price" }),
        json!({ "zdr": true, "sort": "latency", "allow_fallbacks": true }),
    ] {
        for _ in 0..5 {
            let body = with(&question(OAK), &json!({ "provider": preferences }));
            world.ask(&body).await.error(502);
            world.chat(&streaming(&body)).send().await.error(502);
        }
    }
    let only_birch = json!({ "provider": { "zdr": true, "only": ["birch"] } });
    world
        .ask(&with(&question(OAK), &only_birch))
        .await
        .error(404);
    let other_model = json!({ "models": [OAK, KEPT, TAUGHT], "provider": { "zdr": true } });
    world
        .ask(&with(&question(OAK), &other_model))
        .await
        .error(502);
    assert!(world.asked("alder") > 0 && world.asked("cedar") > 0);
    assert_eq!(world.asked("birch"), 0, "it keeps prompts for thirty days");
    assert_eq!(world.asked("dogwood"), 0, "nobody knows what it keeps");
});

story!(
    a_request_that_denies_training_does_not_reach_who_trains,
    |world| {
        let body = json!({ "models": [TAUGHT, KEPT], "provider": { "data_collection": "deny" } });
        let reply = world.ask(&with(&question(TAUGHT), &body)).await;
        assert_eq!(reply.ok()["provider"], "Birch");
        assert_eq!(world.asked("dogwood"), 0);
        // Without the wish it is served like any other.
        assert_eq!(
            world.ask(&question(TAUGHT)).await.ok()["provider"],
            "Dogwood"
        );
    }
);

story!(with_zdr_the_others_still_serve, |world| {
    for _ in 0..10 {
        let body = with(&question(OAK), &json!({ "provider": { "zdr": true } }));
        world.ask(&body).await.ok();
    }
    assert_eq!(world.asked("birch"), 0);
    assert_eq!(world.asked("alder") + world.asked("cedar"), 10);
});
