//! Callers say how long a first token may take: at one provider, and over all attempts.

use crate::world::*;

fn asking(providers: &[&str], wishes: &Value) -> Value {
    let mut body = question_to(OAK, providers);
    for (name, wish) in wishes.as_object().expect("an object") {
        body["provider"][name] = wish.clone();
    }
    streaming(&body)
}

fn slow_to_begin(delay_ms: u64) -> Behaviour {
    Behaviour::Answer(Answer {
        text: Some("At last.".to_owned()),
        first_event_delay_ms: Some(delay_ms),
        ..Answer::default()
    })
}

story!(a_slow_provider_gives_way_to_the_next, |world| {
    world
        .simulator()
        .script("alder", [Behaviour::HangBeforeHeaders]);
    let body = asking(
        &["alder", "birch"],
        &json!({"first_token_timeouts": {"alder": 150}}),
    );
    let transcript = world.transcript(&body).await;
    assert_eq!(transcript.chunks[0]["provider"], "Birch");
    assert!(transcript.done && transcript.error().is_none());
    world
        .simulator()
        .wait_for("alder", |counters| counters.aborted == 1)
        .await;
    // A status line alone is no token.
    world.simulator().script("alder", [slow_to_begin(60_000)]);
    let transcript = world.transcript(&body).await;
    assert_eq!(transcript.chunks[0]["provider"], "Birch");
    // Who is not named has all the time it needs.
    world.simulator().script("birch", [slow_to_begin(400)]);
    let others = json!({"first_token_timeouts": {"alder": 1}});
    let transcript = world.transcript(&asking(&["birch"], &others)).await;
    assert_eq!(transcript.text(), "At last.");
});

story!(a_deadline_is_shared_by_the_attempts, |world| {
    for provider in ["alder", "birch", "cedar"] {
        world
            .simulator()
            .script(provider, [Behaviour::HangBeforeHeaders]);
    }
    let body = asking(
        &["alder", "birch", "cedar"],
        &json!({"first_token_deadline_ms": 600}),
    );
    let reply = world.ask(&body).await;
    let error = reply.error(504);
    assert_eq!(error["metadata"]["error_type"], "timeout");
    assert_eq!(error["availability"]["code"], "temporarily_unavailable");
    assert_eq!(world.asked("birch"), 1, "the second had its share");
    // A first that hangs leaves time enough for the second.
    world
        .simulator()
        .script("alder", [Behaviour::HangBeforeHeaders]);
    let body = asking(
        &["alder", "birch"],
        &json!({"first_token_deadline_ms": 2_000}),
    );
    let transcript = world.transcript(&body).await;
    assert_eq!(transcript.chunks[0]["provider"], "Birch");
});
