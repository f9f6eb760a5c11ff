//! A key's limit holds like credit does, whatever the account has.

use crate::{
    insufficient_credits::{METERED_COST_NANOS, drain, meter_to_the_full, metered_request, storm},
    world::*,
};

story!(two_hundred_at_once_on_a_limit_for_ten, |world| {
    let limited = world.create_key(&["--limit-usd", "0.001"]).await;
    meter_to_the_full(&world, 500);
    let served = storm(&[world.api()], &limited.text, 200).await;
    assert!((1..=10).contains(&served), "{served} were served");
    meter_to_the_full(&world, 0);
    world.nothing_held().await;
    let rest = drain(world.api(), &limited.text).await;
    assert_eq!(served + rest, 10);
    world.nothing_held().await;

    let reply = world
        .api()
        .get("/api/v1/key")
        .key(&limited.text)
        .send()
        .await;
    reply.ok();
    assert_eq!(
        nanos_at(reply.text(), "/data/usage"),
        10 * METERED_COST_NANOS
    );
    assert_eq!(nanos_at(reply.text(), "/data/limit_remaining"), 0);
    let error = world
        .api()
        .post("/api/v1/chat/completions", &metered_request())
        .key(&limited.text)
        .send()
        .await
        .error(402);
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("limit")),
        "{error}"
    );
    // The account itself has plenty.
    world.ask(&metered_request()).await.ok();
});

story!(a_limit_is_not_touched_by_other_keys, |world| {
    let limited = world
        .create_key(&["--limit-usd", "0.0001", "--limit-reset", "daily"])
        .await;
    meter_to_the_full(&world, 0);
    for _ in 0..3 {
        world.ask(&metered_request()).await.ok();
    }
    assert_eq!(drain(world.api(), &limited.text).await, 1);
});
