//! A caller leaves: the provider is told within a second, and what was produced is charged.

use std::time::Duration;

use tokio::time::timeout;

use crate::world::*;

const TOLD_WITHIN: Duration = Duration::from_secs(1);

async fn provider_is_told(world: &World, provider: &str) {
    let told = world
        .simulator()
        .wait_for(provider, |counters| counters.aborted == 1);
    let counters = timeout(TOLD_WITHIN, told)
        .await
        .expect("the provider is told within a second");
    assert_eq!((counters.open, counters.finished), (0, 0), "{counters:?}");
}

story!(what_was_produced_is_charged, |world| {
    let manager = world.create_key(&["--management"]).await;
    let mut charged = 0;
    for provider in ["alder", "cedar"] {
        world.simulator().script(provider, [drip(2_000, 20)]);
        let mut opened = world.ask_for_stream(&question_to(OAK, &[provider])).await;
        let id = opened.header("x-generation-id").expect("an id").to_owned();
        for _ in 0..5 {
            opened.first_text().await;
        }
        drop(opened);
        provider_is_told(&world, provider).await;

        let record = world.settled(&id).await;
        assert_eq!(record["cancelled"], true, "{record}");
        let output = record["native_tokens_completion"]
            .as_u64()
            .expect("counted");
        assert!(
            (1..2_000).contains(&output),
            "what came, not all that was to come: {record}"
        );
        let input = record["native_tokens_prompt"].as_u64().expect("counted");
        let reply = world.generation(&id).await;
        let cost = nanos_at(reply.text(), "/data/total_cost");
        assert_eq!(cost, cost_nanos(oak_prices(provider), input, output));
        assert!(cost > 0);
        charged += cost;
        assert_eq!(total_usage_nanos(&world, &manager).await, charged);
    }
    world.nothing_held().await;
});

story!(also_one_that_did_not_ask_for_a_stream, |world| {
    let slow = Behaviour::Answer(Answer {
        delay_ms: Some(60_000),
        ..Answer::default()
    });
    world.simulator().script("alder", [slow]);
    let call = world.chat(&question_to(OAK, &["alder"])).send();
    let asked = world
        .simulator()
        .wait_for("alder", |counters| counters.open == 1);
    tokio::select! {
        reply = call => panic!("answered with {}", reply.status),
        _ = asked => {}
    }
    provider_is_told(&world, "alder").await;
    let report = world.nothing_held().await;
    assert_eq!(report["generations"], 1, "it is on record: {report}");
    let manager = world.create_key(&["--management"]).await;
    assert_eq!(
        total_usage_nanos(&world, &manager).await,
        0,
        "nothing was produced"
    );
});
