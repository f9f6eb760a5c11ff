//! After the first token no other provider can take over: the stream ends with the error, and costs
//! nothing.

use crate::world::*;

async fn breaks_off(world: &World, provider: &str, flaw: Flaw) {
    let asked_before: u64 = ["alder", "birch", "cedar"]
        .iter()
        .map(|one| world.asked(one))
        .sum();
    let behaviour = Behaviour::Answer(Answer {
        tokens: Some(40),
        flaws: vec![flaw.clone()],
        ..Answer::default()
    });
    world.simulator().script(provider, [behaviour]);
    // The order names others as well: they must not be asked.
    let order = [provider, "birch", "alder"];
    let transcript = world.transcript(&question_to(OAK, &order)).await;

    assert!(
        !transcript.text().is_empty(),
        "{flaw:?}: some of it was seen"
    );
    assert_eq!(transcript.finish_reason(), Some("error"), "{flaw:?}");
    let error = transcript
        .error()
        .unwrap_or_else(|| panic!("{flaw:?}: the last chunk has it"));
    assert!(
        error["code"].as_u64().is_some_and(|code| code >= 500),
        "{error}"
    );
    assert!(
        error["message"].is_string() && error["metadata"]["error_type"].is_string(),
        "{error}"
    );
    let asked_now: u64 = ["alder", "birch", "cedar"]
        .iter()
        .map(|one| world.asked(one))
        .sum();
    assert_eq!(
        asked_now,
        asked_before + 1,
        "{flaw:?}: nobody else was asked"
    );

    let id = text(&transcript.chunks[0], "id");
    let reply = world.generation(&id).await;
    let record = &reply.ok()["data"];
    assert_eq!(
        nanos_at(reply.text(), "/data/total_cost"),
        0,
        "{flaw:?}: {record}"
    );
    assert_eq!(record["finish_reason"], "error", "{flaw:?}");
}

story!(the_error_comes_in_the_stream_and_costs_nothing, |world| {
    let manager = world.create_key(&["--management"]).await;
    for provider in ["alder", "cedar"] {
        for flaw in [
            Flaw::Cut { after_events: 8 },
            Flaw::Reset { after_events: 8 },
            Flaw::Stop { after_events: 8 },
            Flaw::ErrorEvent {
                after_events: 8,
                status: 529,
            },
            Flaw::BadJson { after_events: 8 },
            Flaw::HugeLine {
                after_events: 8,
                bytes: 2 * 1_024 * 1_024,
            },
        ] {
            breaks_off(&world, provider, flaw).await;
        }
    }
    assert_eq!(total_usage_nanos(&world, &manager).await, 0);
    world.nothing_held().await;
});

story!(
    silence_is_an_error_too,
    Setup {
        settings: vec![("upstream.idle_timeout", "300ms")],
        ..Setup::default()
    },
    |world| {
        breaks_off(&world, "alder", Flaw::Hang { after_events: 8 }).await;
    }
);
