//! What providers are told about the prompt's cache, and what stays here.

use crate::world::*;

/// A question behind instructions that are long enough to be kept.
fn instructed(model: &str, provider: Value) -> Value {
    json!({
        "model": model,
        "provider": provider,
        "messages": [
            { "role": "system", "content": "Mind every detail of the house rules. ".repeat(300) },
            { "role": "user", "content": "Why is the sky blue?" },
        ],
    })
}

fn cached(reply: &Reply) -> (u64, u64) {
    let details = &reply.json()["usage"]["prompt_tokens_details"];
    let count = |name: &str| details[name].as_u64().expect("a count");
    (count("cache_write_tokens"), count("cached_tokens"))
}

story!(marks_are_placed_for_callers_that_ask, |world| {
    let body = instructed(CLAUDE, json!({ "caching": "auto" }));
    let first = world.ask(&body).await;
    first.ok();
    let second = world.ask(&body).await;
    second.ok();
    let (written, read) = cached(&first);
    assert!(written > 1_000 && read == 0, "{written} {read}");
    let (written, read) = cached(&second);
    assert!(written == 0 && read > 1_000, "{written} {read}");
    let cost = |reply: &Reply| nanos_at(reply.text(), "/usage/cost");
    assert!(cost(&second) < cost(&first));
    let seen = world.simulator().requests("cedar")[0].json();
    assert_eq!(
        seen["system"][0]["cache_control"],
        json!({ "type": "ephemeral" })
    );

    // Vercel's clients ask for the same in their own words.
    let mut theirs = instructed(CLAUDE, json!({}));
    theirs["providerOptions"] = json!({ "gateway": { "caching": "auto" } });
    let (_, read) = cached(&world.ask(&theirs).await);
    assert!(read > 1_000);

    // Nobody asked.
    let plain = world.ask(&instructed(CLAUDE, json!({}))).await;
    plain.ok();
    assert_eq!(cached(&plain), (0, 0));
    assert!(!seen_last(&world, "cedar").contains("cache_control"));
});

fn seen_last(world: &World, provider: &str) -> String {
    let seen = world.simulator().requests(provider);
    let last = seen.last().expect("one request");
    format!("{:?} {}", last.headers, String::from_utf8_lossy(&last.body))
}

story!(names_of_conversations_stay_here, |world| {
    for provider in ["alder", "cedar"] {
        let body = with(
            &question_to(OAK, &[provider]),
            &json!({ "prompt_cache_key": "callers-key", "session_id": "callers-session",
                "user": "callers-user" }),
        );
        let headers = [
            ("x-session-id", "callers-header"),
            ("x-claude-code-session-id", "callers-agent"),
            ("session_id", "callers-codex"),
            ("x-session-affinity", "callers-affinity"),
        ];
        let mut call = world.chat(&body);
        for (name, value) in headers {
            call = call.header(name, value);
        }
        call.send().await.ok();
        let seen = seen_last(&world, provider);
        assert!(!seen.contains("callers"), "{provider}: {seen}");
    }
});

story!(
    an_agents_session_is_recorded_and_a_bad_one_is_no_error,
    |world| {
        let body = question(OAK);
        let long = "x".repeat(257);
        for (header, value, session) in [
            ("x-claude-code-session-id", "57a121ec", json!("57a121ec")),
            ("session_id", &long, Value::Null),
        ] {
            let reply = world.chat(&body).header(header, value).send().await;
            let id = text(&reply.ok(), "id");
            let generation = world.settled(&id).await;
            assert_eq!(generation["session_id"], session, "{header}");
        }
        let chosen = world.chat(&body).header("x-session-id", &long).send().await;
        chosen.error(400);
    }
);

story!(zero_retention_takes_out_what_asks_to_be_kept, |world| {
    for (zdr, kept) in [(false, Some("24h")), (true, None)] {
        let body = with(
            &question(OAK),
            &json!({ "prompt_cache_retention": "24h", "store": true,
                "provider": { "zdr": zdr, "only": ["alder"] } }),
        );
        world.ask(&body).await.ok();
        let seen = world.simulator().requests("alder");
        let seen = seen.last().expect("one request").json();
        assert_eq!(seen["prompt_cache_retention"].as_str(), kept);
        assert!(seen.get("store").is_none(), "{seen}");
    }
});
