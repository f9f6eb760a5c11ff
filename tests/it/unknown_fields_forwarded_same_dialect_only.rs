//! Fields that the router does not know go to a provider of the same dialect as they came, and to no
//! other, which would refuse them.

use crate::world::*;

story!(the_same_dialect_gets_them, |world| {
    let fields = json!({ "safe_prompt": true, "x_custom": { "deep": [1, "two", null] } });
    let body = with(&question_to(OAK, &["alder"]), &fields);
    world.ask(&body).await.ok();
    world.transcript(&body).await;
    for request in world.simulator().requests("alder") {
        let seen = request.json();
        assert_eq!(seen["safe_prompt"], true, "{seen}");
        assert_eq!(seen["x_custom"], fields["x_custom"]);
    }
    let body = with(&question_to(OAK, &["cedar"]), &fields);
    world.ask(&body).await.ok();
    let seen = world.simulator().requests("cedar")[0].json();
    assert!(
        seen.get("safe_prompt").is_none() && seen.get("x_custom").is_none(),
        "{seen}"
    );
});

story!(fields_that_are_ours_stay_here, |world| {
    let ours = json!({
        "provider": { "order": ["alder"], "sticky": "prefer", "hedge": true, "has": ["tool-use"],
            "first_token_timeouts": { "alder": 60_000 }, "first_token_deadline_ms": 60_000 },
        "providerOptions": { "gateway": { "zeroDataRetention": true, "tags": ["team"] } },
        "fallbacks": [{ OAK: [OAK] }],
        "context_window_fallbacks": [OAK],
        "content_policy_fallbacks": [OAK],
        "plugins": [{ "id": "auto-router", "cost_tier": "low" }],
        "prompt_cache_key": "k-1",
        "session_id": "s-1",
        "usage": { "include": true },
    });
    world.ask(&with(&question(OAK), &ours)).await.ok();
    let seen = world.simulator().requests("alder")[0].json();
    for field in ours.as_object().expect("an object").keys() {
        assert!(seen.get(field).is_none(), "{field} went up: {seen}");
    }
});
