//! Keys that do not count: all get the same answer, and nothing is asked of anybody.

use crate::world::*;

story!(all_get_the_same_answer, |world| {
    let expired = world
        .create_key(&["--expires-at", "2026-01-01T00:00:00Z"])
        .await
        .text;
    let genuine = world.key.text.clone();
    let (start, last) = genuine.split_at(genuine.len() - 1);
    let forged = format!("{start}{}", if last == "A" { "B" } else { "A" });
    let longer = format!("{genuine}A");
    let shorter = start.to_owned();
    let mut messages = Vec::new();
    for key in [
        expired.as_str(),
        &forged,
        &longer,
        &shorter,
        &genuine.to_uppercase(),
        "sk-sy-v1-",
        "sk-or-v1-0000000000000000000000000000000000000000000000000000000000000000",
        "' OR 1=1 --",
        "%00",
        "null",
    ] {
        let reply = world
            .api()
            .post("/api/v1/chat/completions", &question(OAK))
            .key(key)
            .send()
            .await;
        let error = reply.error(401);
        messages.push(text(&error, "message"));
        world
            .api()
            .get("/api/v1/key")
            .key(key)
            .send()
            .await
            .error(401);
    }
    messages.dedup();
    assert_eq!(messages.len(), 1, "{messages:?}");
    let absent = world
        .api()
        .post("/api/v1/chat/completions", &question(OAK))
        .send()
        .await;
    absent.error(401);
    assert_eq!(
        world.asked("alder") + world.asked("birch") + world.asked("cedar"),
        0
    );
});

story!(a_key_that_expires_later_works, |world| {
    let later = world
        .create_key(&["--expires-at", "2126-01-01T00:00:00Z"])
        .await;
    let reply = world.api().get("/api/v1/key").key(&later.text).send().await;
    reply.ok();
    world
        .api()
        .post("/api/v1/chat/completions", &question(OAK))
        .key(&later.text)
        .send()
        .await
        .ok();
});
