//! Credentials that come with one request: used before all others at their provider, and gone with it.

use crate::{own::*, world::*};

/// The same request with credentials of its own.
fn bringing(body: &Value, byok: &Value) -> Value {
    with(
        body,
        &json!({ "providerOptions": { "gateway": { "byok": byok } } }),
    )
}

story!(they_serve_and_leave_no_trace, |world| {
    bring(&world, "alder", "K1", &[]).await;
    let secret = secret_of("alder", "S1");
    let byok = json!({ "alder": [{ "apiKey": secret }] });
    for body in [question(OAK), streaming(&question(OAK))] {
        let body = bringing(&body, &byok);
        let reply = world.ask(&body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let id = reply.header("x-generation-id").expect("an id").to_owned();
        let record = world.settled(&id).await;
        assert_eq!(record["is_byok"], true, "{record}");
        assert_eq!(record["total_cost"], 0, "{record}");
        assert_eq!(attempts_of(&record), ["alder(supplied)"]);
    }
    assert_eq!(
        asked_with(&world, "alder"),
        [end_of("S1"), end_of("S1")],
        "the stored one is replaced"
    );
    for request in world.simulator().requests("alder") {
        let body = request.json().to_string();
        assert!(
            !body.contains("providerOptions") && !body.contains(&secret),
            "{body}"
        );
    }
    // Without it the next one is the stored one's again.
    world.ask(&question(OAK)).await.ok();
    assert_eq!(asked_with(&world, "alder").pop(), Some(end_of("K1")));
    world.nothing_held().await;
    let mut places = vec![(
        "the database".to_owned(),
        world.deployment.database_bytes().await,
    )];
    for file in world.deployment.files() {
        let bytes = std::fs::read(&file).unwrap_or_default();
        places.push((file.display().to_string(), bytes));
    }
    for (place, bytes) in places {
        let found = bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!found, "it is in {place}");
    }
});

story!(refused_they_make_room_like_any_other, |world| {
    answers_by_credential(&world, "alder", &[("S1", refusal(401, None))]);
    let byok = json!({ "alder": [
        { "apiKey": secret_of("alder", "S1") }, { "apiKey": secret_of("alder", "S2") },
    ] });
    let body = bringing(&question_to(OAK, &["alder"]), &byok);
    let reply = world.ask(&body).await.ok();
    assert_eq!(reply["usage"]["is_byok"], true);
    assert_eq!(asked_with(&world, "alder"), [end_of("S1"), end_of("S2")]);
    let alone = json!({ "alder": [{ "apiKey": secret_of("alder", "S1") }] });
    let reply = world
        .ask(&bringing(&question_to(OAK, &["alder"]), &alone))
        .await
        .ok();
    assert_eq!(
        reply["usage"]["is_byok"], false,
        "paid capacity may still serve"
    );
    // Unless the account's owner has ruled that out at this provider.
    bring(&world, "alder", "K1", &["--only-own"]).await;
    let reply = world
        .ask(&bringing(&question_to(OAK, &["alder"]), &alone))
        .await;
    reply.error(403);
});

story!(wrong_ones_are_refused_unused, |world| {
    for (byok, says) in [
        (
            json!({ "elder": [{ "apiKey": secret_of("alder", "S1") }] }),
            "not in the catalogue",
        ),
        (
            json!({ "alder": [{ "apiKey": "Bearer sk-0123456789" }] }),
            "credential 1 (for alder)",
        ),
        (
            json!({ "alder": [{ "secret": "x" }] }),
            "byok.alder[0].secret",
        ),
    ] {
        let error = world.ask(&bringing(&question(OAK), &byok)).await.error(400);
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains(says), "{message}");
        assert!(!message.contains("0123456789"), "{message}");
    }
    assert_eq!(world.asked("alder"), 0);
});
