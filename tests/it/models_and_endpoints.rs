//! What there is to call, as clients read it.

use crate::world::*;

async fn data(world: &World, path: &str) -> Value {
    world.api().get(path).send().await.ok()["data"].clone()
}

fn ids(rows: &Value) -> Vec<&str> {
    let rows = rows.as_array().expect("a list").iter();
    rows.map(|row| row["id"].as_str().expect("an id")).collect()
}

fn has_keys(row: &Value, keys: &[&str]) {
    let object = row.as_object().expect("an object");
    for key in keys {
        assert!(object.contains_key(*key), "{key} is missing in {row}");
    }
}

story!(the_list_of_models, |world| {
    let reply = world.api().get("/api/v1/models").send().await.ok();
    let rows = &reply["data"];
    let listed = ids(rows);
    for id in [OAK, OAK_FREE, METER, KEPT, TAUGHT, CLAUDE] {
        assert!(listed.contains(&id), "{id} in {listed:?}");
    }
    assert!(
        !listed.contains(&UNPRICED),
        "what has no price cannot be called"
    );
    assert_eq!(reply["total_count"], listed.len());
    assert_eq!(reply["links"]["next"], Value::Null);
    for row in rows.as_array().expect("a list") {
        has_keys(
            row,
            &[
                "id",
                "canonical_slug",
                "name",
                "created",
                "context_length",
                "architecture",
                "pricing",
                "top_provider",
                "per_request_limits",
                "supported_parameters",
                "default_parameters",
                "supported_voices",
                "links",
            ],
        );
        assert!(
            row["created"].is_i64() && row["context_length"].is_u64(),
            "{row}"
        );
        assert!(row["pricing"]["prompt"].is_string() && row["pricing"]["completion"].is_string());
    }
    let count = world.api().get("/api/v1/models/count").send().await.ok();
    assert_eq!(count["data"]["count"], listed.len());
    assert_eq!(
        data(&world, "/v1/models").await,
        *rows,
        "both prefixes show the same"
    );
});

story!(filters_and_pages, |world| {
    for (query, expected) in [
        ("q=meter", vec![METER]),
        ("zdr=true&q=oak", vec![OAK]),
        ("max_price=0&q=oak", vec![OAK_FREE]),
        ("providers=dogwood", vec![TAUGHT]),
        ("output_modalities=image", vec![]),
    ] {
        let found = data(&world, &format!("/api/v1/models?{query}")).await;
        assert_eq!(ids(&found), expected, "{query}");
    }
    let everything = data(&world, "/api/v1/models").await;
    let mut paged = Vec::new();
    for offset in 0..ids(&everything).len() + 2 {
        let path = format!("/api/v1/models?limit=1&offset={offset}");
        let page = data(&world, &path).await;
        paged.extend(
            page.as_array()
                .expect("a list, also beyond the end")
                .clone(),
        );
    }
    assert_eq!(Value::Array(paged), everything);
    world
        .api()
        .get("/api/v1/models?limit=0")
        .send()
        .await
        .error(400);
});

story!(one_model_and_its_endpoints, |world| {
    let model = data(&world, "/api/v1/model/acme/oak").await;
    assert_eq!(model["id"], OAK);
    assert_eq!(
        data(&world, "/api/v1/model/~acme/oak-latest").await["id"],
        OAK
    );
    world
        .api()
        .get("/api/v1/model/acme/elm")
        .send()
        .await
        .error(404);

    let with_endpoints = data(&world, "/api/v1/models/acme/oak/endpoints").await;
    has_keys(
        &with_endpoints,
        &[
            "id",
            "name",
            "created",
            "description",
            "architecture",
            "endpoints",
        ],
    );
    has_keys(
        &with_endpoints["architecture"],
        &["instruct_type", "tokenizer"],
    );
    let endpoints = with_endpoints["endpoints"].as_array().expect("a list");
    let mut tags: Vec<_> = endpoints.iter().map(|row| text(row, "tag")).collect();
    tags.sort_unstable();
    assert_eq!(tags, ["alder", "birch", "cedar"]);
    for row in endpoints {
        has_keys(
            row,
            &[
                "name",
                "model_id",
                "model_name",
                "provider_name",
                "tag",
                "context_length",
                "max_completion_tokens",
                "max_prompt_tokens",
                "quantization",
                "pricing",
                "supported_parameters",
                "supports_implicit_caching",
                "uptime_last_5m",
                "uptime_last_30m",
                "uptime_last_1d",
                "latency_last_30m",
                "throughput_last_30m",
                "supports_tool_choice",
                "service_tier",
                "supports_diarization",
                "native_tools",
            ],
        );
        let prices = oak_prices(row["tag"].as_str().expect("a tag"));
        assert_eq!(row["pricing"]["prompt"], prices.prompt);
        assert_eq!(row["pricing"]["completion"], prices.completion);
    }
    world
        .api()
        .get("/api/v1/models/acme/elm/endpoints")
        .send()
        .await
        .error(404);
});

story!(providers_and_who_keeps_nothing, |world| {
    let providers = data(&world, "/api/v1/providers").await;
    let slugs: Vec<_> = providers
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| {
            has_keys(
                row,
                &["name", "slug", "privacy_policy_url", "terms_of_service_url"],
            );
            text(row, "slug")
        })
        .collect();
    assert_eq!(slugs, ["alder", "birch", "cedar", "dogwood"]);

    let private = data(&world, "/api/v1/endpoints/zdr").await;
    let rows = private.as_array().expect("a list");
    assert!(!rows.is_empty());
    for row in rows {
        let name = text(row, "provider_name");
        assert!(
            ["Alder", "Cedar"].contains(&name.as_str()),
            "{name} keeps prompts"
        );
    }
});

story!(the_callers_own_key, |world| {
    let limited = world
        .create_key(&["--limit-usd", "2.5", "--limit-reset", "monthly"])
        .await;
    let other = world.chat(&question(OAK)).send().await.ok();
    assert!(other["usage"]["cost"].is_number());
    for path in ["/api/v1/key", "/api/v1/auth/key"] {
        let reply = world.api().get(path).key(&limited.text).send().await;
        let key = &reply.ok()["data"];
        has_keys(
            key,
            &[
                "label",
                "limit",
                "limit_remaining",
                "limit_reset",
                "include_byok_in_limit",
                "usage",
                "usage_daily",
                "usage_weekly",
                "usage_monthly",
                "byok_usage",
                "byok_usage_daily",
                "byok_usage_weekly",
                "byok_usage_monthly",
                "is_free_tier",
                "is_management_key",
                "is_provisioning_key",
                "creator_user_id",
                "rate_limit",
            ],
        );
        assert_eq!(nanos_at(reply.text(), "/data/limit"), 2_500_000_000);
        assert_eq!(
            nanos_at(reply.text(), "/data/limit_remaining"),
            2_500_000_000
        );
        assert_eq!(key["limit_reset"], "monthly");
        assert_eq!(key["is_management_key"], false);
        assert_eq!(key["rate_limit"]["requests"], -1);
    }
});
