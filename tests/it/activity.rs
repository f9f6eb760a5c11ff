//! What the traffic was, as whoever manages the account asks for it.

use crate::{managed::Manager, world::*};

story!(questions_about_activity_are_answered, |world| {
    let owner = Manager::of(&world).await;
    let stranger = Manager::stranger(&world).await;
    let spent = world.ask(&question(OAK)).await.ok();
    let key = world.key.hash.as_str();
    let asked = json!({
        "metrics": ["request_count", "credits_usage", "tokens_prompt", "p50_latency"],
        "dimensions": ["model", "api_key_id"],
        "filters": [{ "field": "api_key_id", "operator": "eq", "value": key }],
    });
    let answer = owner.post("/analytics/query", &asked).await.ok();
    let rows = answer["data"]["data"].as_array().expect("rows");
    assert_eq!(rows.len(), 1, "{answer}");
    assert_eq!(rows[0]["model"], OAK);
    assert_eq!(rows[0]["request_count"], "1");
    assert_eq!(rows[0]["credits_usage"], spent["usage"]["cost"]);
    let prompt_tokens = spent["usage"]["prompt_tokens"].to_string();
    assert_eq!(rows[0]["tokens_prompt"], prompt_tokens);
    assert_ne!(rows[0]["api_key_id"], key, "keys are told by name");
    assert_eq!(answer["data"]["metadata"]["row_count"], 1);
    assert_eq!(answer["data"]["metadata"]["truncated"], false);

    // The same hash means nothing to somebody else, and neither does the traffic.
    let refused = stranger.post("/analytics/query", &asked).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(
        refused.text().contains("filters[0].value"),
        "{}",
        refused.text()
    );
    let asked = json!({ "metrics": ["request_count"], "granularity": "day" });
    let nothing = stranger.post("/analytics/query", &asked).await.ok();
    assert_eq!(nothing["data"]["data"], json!([]));
    let today = owner.post("/analytics/query", &asked).await.ok();
    assert_eq!(today["data"]["data"][0]["request_count"], "1");

    let unmeasured = json!({ "metrics": ["guardrail_invoked_count"] });
    let refused = owner.post("/analytics/query", &unmeasured).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("metrics[0]"), "{}", refused.text());

    // Only days that are over are listed.
    let listed = owner.get("/activity").await.ok();
    assert_eq!(listed["data"], json!([]));
    let unfinished = owner.get("/activity?date=2999-01-01").await;
    assert_eq!(unfinished.status, 400);
    let foreign = format!("/activity?api_key_hash={key}");
    assert_eq!(stranger.get(&foreign).await.status, 404);
    assert_eq!(owner.get(&foreign).await.status, 200);
});
