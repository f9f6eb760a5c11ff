//! Requests that nothing can serve: 400 for a name nobody knows, 404 where constraints leave nothing.

use crate::world::*;

story!(an_unknown_model, |world| {
    let error = world.ask(&question("acme/okk")).await.error(400);
    let availability = &error["availability"];
    assert_eq!(availability["code"], "model_not_found", "{error}");
    assert_eq!(availability["retryable"], false);
    assert_eq!(availability["requested_models"], json!(["acme/okk"]));
    assert!(availability["docs_url"].is_string());
    let similar = availability["fallback_models"]
        .as_array()
        .expect("similar names");
    assert!(similar.contains(&json!(OAK)), "{availability}");
    for field in ["model", "models"] {
        let body = with(&question(OAK), &json!({ field: ["nobody/nothing"] }));
        world.ask(&body).await.error(400);
    }
});

story!(constraints_that_leave_nothing, |world| {
    for (model, provider, code) in [
        (UNPRICED, json!({}), "no_endpoints"),
        (OAK, json!({ "only": ["dogwood"] }), "no_endpoints"),
        (
            OAK,
            json!({ "ignore": ["alder", "birch", "cedar"] }),
            "no_endpoints",
        ),
        (KEPT, json!({ "zdr": true }), "privacy_restricted"),
        (
            TAUGHT,
            json!({ "data_collection": "deny" }),
            "privacy_restricted",
        ),
        (
            OAK,
            json!({ "max_price": { "prompt": 0.01 } }),
            "constraint_filtered",
        ),
        (
            OAK,
            json!({ "quantizations": ["bf16"] }),
            "constraint_filtered",
        ),
    ] {
        let body = with(&question(model), &json!({ "provider": provider }));
        let error = world.ask(&body).await.error(404);
        assert_eq!(
            error["availability"]["code"], code,
            "{model} {provider}: {error}"
        );
        assert_eq!(error["availability"]["retryable"], false);
        world.chat(&streaming(&body)).send().await.error(404);
    }
    let long = with(&question(OAK), &json!({ "max_tokens": 1_000_000 }));
    let error = world.ask(&long).await.error(404);
    assert_eq!(
        error["availability"]["code"], "constraint_filtered",
        "{error}"
    );
    for provider in ["alder", "birch", "cedar", "dogwood"] {
        assert_eq!(world.asked(provider), 0, "{provider} was asked");
    }
});
