//! A provider asks to slow down: another one serves, and the first is left alone for as long as it asked.

use crate::world::*;

story!(another_provider_serves, |world| {
    for ask_for_stream in [false, true] {
        world.simulator().script("alder", [refusal(429, Some("2"))]);
        world
            .simulator()
            .script("birch", [answer("Forty metres.", 33, 7)]);
        let body = question_to(OAK, &["alder", "birch"]);
        let (id, provider) = if ask_for_stream {
            let opened = world.ask_for_stream(&body).await;
            let provider = opened.header("x-provider-name").map(str::to_owned);
            let transcript = opened.transcript().await;
            assert_eq!(transcript.text(), "Forty metres.");
            (text(&transcript.chunks[0], "id"), provider)
        } else {
            let reply = world.ask(&body).await;
            let body = reply.ok();
            assert_eq!(body["choices"][0]["message"]["content"], "Forty metres.");
            (
                text(&body, "id"),
                reply.header("x-provider-name").map(str::to_owned),
            )
        };
        assert_eq!(provider.as_deref(), Some("Birch"));

        let reply = world.generation(&id).await;
        let record = &reply.ok()["data"];
        let statuses: Vec<_> = record["provider_responses"]
            .as_array()
            .expect("every attempt is on record")
            .iter()
            .map(|attempt| attempt["status"].as_u64())
            .collect();
        assert_eq!(statuses, [Some(429), Some(200)], "{record}");
        let charged = nanos_at(reply.text(), "/data/total_cost");
        assert_eq!(
            charged,
            cost_nanos(oak_prices("birch"), 33, 7),
            "who serves is who is paid"
        );
    }
});

story!(
    the_provider_is_left_alone_for_as_long_as_it_asked,
    |world| {
        world
            .simulator()
            .script("alder", [refusal(429, Some("60"))]);
        world.ask(&question_to(OAK, &["alder", "birch"])).await.ok();
        assert_eq!(world.asked("alder"), 1);
        // By price alone nearly all of these would be alder's.
        for _ in 0..20 {
            world.ask(&question(OAK)).await.ok();
        }
        assert_eq!(world.asked("alder"), 1, "it asked for a minute");
    }
);

story!(fallbacks_can_be_switched_off, |world| {
    world.simulator().script("alder", [refusal(429, Some("7"))]);
    let reply = world.ask(&question_to(OAK, &["alder"])).await;
    let error = reply.error(429);
    assert_eq!(reply.header("retry-after"), Some("7"));
    assert_eq!(
        error["availability"]["code"], "capacity_exhausted",
        "{error}"
    );
    assert_eq!(world.asked("birch") + world.asked("cedar"), 0);
});
