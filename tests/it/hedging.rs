//! Who asks for it has the next endpoint asked as well, when a first token is late.

use std::time::Duration;

use crate::world::*;

const PATIENCE: Duration = Duration::from_secs(60);

fn body() -> Value {
    let mut body = streaming(&question_to(OAK, &["alder", "birch"]));
    body["provider"]["hedge"] = json!(true);
    body["provider"]["first_token_timeouts"] = json!({ "alder": 2_000 });
    body
}

/// Waits until the node knows how quickly the endpoint usually begins.
async fn until_measured(world: &World, provider: &str) {
    wait::until("a measured first token", PATIENCE, || async {
        let path = format!("/api/v1/models/{OAK}/endpoints");
        let listing = world.api().get(&path).send().await.ok();
        let endpoints = listing["data"]["endpoints"].as_array()?.clone();
        let endpoint = endpoints.into_iter().find(|one| one["tag"] == provider)?;
        endpoint["latency_last_30m"]["p99"].as_f64().map(drop)
    })
    .await;
}

/// The decision record of a generation, as its owner reads it.
async fn decision(world: &World, id: &str) -> Value {
    let path = format!("/api/v1/generation/{id}/decision");
    let reply = world.api().get(&path).key(&world.key.text).send().await;
    reply.ok()["data"].clone()
}

story!(the_first_to_begin_wins_and_is_paid, |world| {
    let manager = world.create_key(&["--management"]).await;
    // Before anything is measured nothing is late.
    for _ in 0..20 {
        let transcript = world.transcript(&body()).await;
        assert_eq!(transcript.chunks[0]["provider"], "Alder");
    }
    assert_eq!(world.asked("birch"), 0);
    until_measured(&world, "alder").await;
    let before = total_usage_nanos(&world, &manager).await;
    // What the listing shows reaches the planning within a quarter of a second.
    let data = wait::until("a hedged request", PATIENCE, || async {
        world
            .simulator()
            .script("alder", [Behaviour::HangBeforeHeaders]);
        world
            .simulator()
            .script("birch", [answer("Forty metres.", 33, 7)]);
        let transcript = world.transcript(&body()).await;
        assert_eq!(transcript.chunks[0]["provider"], "Birch");
        assert!(transcript.done && transcript.error().is_none());
        assert_eq!(transcript.text(), "Forty metres.");
        let data = decision(&world, &text(&transcript.chunks[0], "id")).await;
        data["decision"]["hedge"].is_object().then_some(data)
    })
    .await;
    let served = data["attempts"].as_array().map(Vec::len);
    assert_eq!(served, Some(2), "{data}");
    let hedge = &data["decision"]["hedge"];
    assert_eq!(hedge["endpoint"], format!("{OAK}|birch"), "{data}");
    assert_eq!(hedge["won"], true);
    assert!(hedge["loser_cost_nanos"].as_i64() > Some(0), "{hedge}");
    let each = cost_nanos(oak_prices("birch"), 33, 7);
    let charged = total_usage_nanos(&world, &manager).await - before;
    assert_eq!(charged % each, 0, "the winner is paid and nobody else");
    assert!(charged >= each);
    world.verified_ledger().await;
});
