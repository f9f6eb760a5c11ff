//! Nobody can serve: the status tells clients whether to come back.

use crate::world::*;

async fn ask_with(world: &World, refusals: [(u16, Option<&str>); 3]) -> Reply {
    for (provider, (status, retry_after)) in ["alder", "birch", "cedar"].into_iter().zip(refusals) {
        world
            .simulator()
            .script(provider, [refusal(status, retry_after)]);
    }
    world
        .ask(&question_to(OAK, &["alder", "birch", "cedar"]))
        .await
}

story!(the_status_says_whether_to_come_back, |world| {
    let reply = ask_with(&world, [(500, None), (502, None), (500, None)]).await;
    let error = reply.error(502);
    assert_eq!(error["metadata"]["error_type"], "provider_unavailable");
    assert_eq!(error["metadata"]["provider_name"], "Cedar", "the last one");
    let previous = error["metadata"]["previous_errors"]
        .as_array()
        .expect("the others");
    let told: Vec<_> = previous
        .iter()
        .map(|one| (&one["provider"], &one["status"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("Alder"), &json!(500)),
            (&json!("Birch"), &json!(502))
        ]
    );
    assert!(
        reply.header("x-generation-id").is_some(),
        "also failures can be looked up"
    );

    let reply = ask_with(
        &world,
        [(429, Some("30")), (429, Some("5")), (429, Some("9"))],
    )
    .await;
    let error = reply.error(429);
    assert_eq!(reply.header("retry-after"), Some("5"), "the shortest wait");
    assert_eq!(error["metadata"]["error_type"], "rate_limit_exceeded");
    assert_eq!(error["availability"]["code"], "capacity_exhausted");
    assert_eq!(error["availability"]["retryable"], true);
    assert_eq!(error["availability"]["retry_after"], 5);

    let reply = ask_with(&world, [(404, None), (404, None), (404, None)]).await;
    let error = reply.error(404);
    assert_eq!(error["availability"]["code"], "model_unavailable_upstream");
    assert_eq!(error["availability"]["retryable"], false);

    let reply = ask_with(&world, [(500, None), (500, None), (529, None)]).await;
    let error = reply.error(503);
    assert_eq!(error["availability"]["code"], "temporarily_unavailable");
    assert!(reply.header("retry-after").is_some());
    world.nothing_held().await;
});

story!(a_failed_request_is_on_record_and_costs_nothing, |world| {
    let manager = world.create_key(&["--management"]).await;
    let reply = ask_with(&world, [(500, None), (500, None), (500, None)]).await;
    reply.error(502);
    let id = reply.header("x-generation-id").expect("an id").to_owned();
    let record = world.settled(&id).await;
    assert_eq!(record["total_cost"], 0.0, "{record}");
    assert_eq!(
        record["provider_responses"].as_array().map(Vec::len),
        Some(3),
        "{record}"
    );
    assert_eq!(total_usage_nanos(&world, &manager).await, 0);
});

story!(nobody_listens, |world| {
    let error = world.ask(&question(LOST)).await.error(502);
    assert_eq!(error["metadata"]["provider_name"], "Alder");
    let streamed = world.chat(&streaming(&question(LOST))).send().await;
    streamed.error(502);
});

story!(
    a_refused_credential_is_not_the_callers_fault_and_not_shown,
    |world| {
        let secret = provider_secret("alder");
        for status in [401, 403, 402, 500] {
            let echo = Behaviour::Status(Status {
                status,
                message: Some(format!("Incorrect API key provided: {secret}")),
                ..Status::default()
            });
            world.simulator().script("alder", [echo.clone(), echo]);
            let body = question_to(OAK, &["alder"]);
            for reply in [
                world.ask(&body).await,
                world.chat(&streaming(&body)).send().await,
            ] {
                let shown = reply.error(502).to_string();
                assert!(!shown.contains(&secret), "{status}: {shown}");
            }
        }
    }
);
