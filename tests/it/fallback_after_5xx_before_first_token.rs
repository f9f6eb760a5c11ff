//! Until the caller has seen a token, another provider takes over unseen, whatever went wrong.

use crate::world::*;

/// Ways to fail before anything of an answer is out.
fn failures() -> Vec<(&'static str, Behaviour)> {
    let flawed = |flaw| Behaviour::flawed(flaw);
    vec![
        ("500", refusal(500, None)),
        ("502", refusal(502, None)),
        ("503", refusal(503, Some("1"))),
        ("529", refusal(529, None)),
        ("408", refusal(408, None)),
        ("credential refused", refusal(401, None)),
        ("model unknown", refusal(404, None)),
        ("an error under a good status", Behaviour::ErrorInsideOk),
        ("an empty answer", Behaviour::EmptyBody { status: 200 }),
        ("connection closed", flawed(Flaw::Cut { after_events: 0 })),
        ("connection reset", flawed(Flaw::Reset { after_events: 0 })),
        (
            "an error event first",
            flawed(Flaw::ErrorEvent {
                after_events: 0,
                status: 529,
            }),
        ),
    ]
}

story!(the_caller_notices_nothing, |world| {
    for (name, failure) in failures() {
        for ask_for_stream in [false, true] {
            let asked_before = (world.asked("alder"), world.asked("birch"));
            world.simulator().script("alder", [failure.clone()]);
            world
                .simulator()
                .script("birch", [answer("Forty metres.", 33, 7)]);
            let body = question_to(OAK, &["alder", "birch"]);
            let text = if ask_for_stream {
                let transcript = world.transcript(&body).await;
                assert!(transcript.done && transcript.error().is_none(), "{name}");
                transcript.text()
            } else {
                let reply = world.ask(&body).await;
                assert_eq!(reply.status, 200, "{name}: {}", reply.text());
                assert_eq!(reply.header("x-provider-name"), Some("Birch"), "{name}");
                text(&reply.json()["choices"][0]["message"], "content")
            };
            assert_eq!(text, "Forty metres.", "{name}");
            let asked_now = (world.asked("alder"), world.asked("birch"));
            assert_eq!(
                asked_now,
                (asked_before.0 + 1, asked_before.1 + 1),
                "{name}"
            );
        }
    }
    world.verified_ledger().await;
});

story!(
    a_provider_that_says_nothing_is_given_up,
    Setup {
        settings: vec![("upstream.first_byte_timeout", "300ms")],
        ..Setup::default()
    },
    |world| {
        world
            .simulator()
            .script("alder", [Behaviour::HangBeforeHeaders]);
        let transcript = world
            .transcript(&question_to(OAK, &["alder", "birch"]))
            .await;
        assert_eq!(transcript.chunks[0]["provider"], "Birch");
        assert!(transcript.done);
        world
            .simulator()
            .wait_for("alder", |counters| counters.aborted == 1)
            .await;
    }
);

story!(another_model_takes_over_where_one_was_named, |world| {
    world.simulator().script("birch", [refusal(500, None)]);
    let body = with(&question(KEPT), &json!({ "models": [KEPT, CLAUDE] }));
    let reply = world.ask(&body).await;
    let body = reply.ok();
    assert_eq!(body["model"], CLAUDE, "the answer names who served");
    assert_eq!(body["provider"], "Cedar");
});

story!(a_request_that_is_wrong_is_not_tried_elsewhere, |world| {
    world.simulator().script("alder", [refusal(400, None)]);
    world
        .ask(&question_to(OAK, &["alder", "birch"]))
        .await
        .error(400);
    assert_eq!(world.asked("birch"), 0);
});
