//! Who has seen the end of an answer can look it up at once.

use crate::world::*;

/// Every key is there; these are not even null.
const PRESENT: [&str; 8] = [
    "id",
    "created_at",
    "model",
    "origin",
    "total_cost",
    "usage",
    "is_byok",
    "data_region",
];

/// These may be null, but not missing.
const NULLABLE: [&str; 34] = [
    "upstream_id",
    "app_id",
    "cache_discount",
    "cancelled",
    "provider_name",
    "latency",
    "moderation_latency",
    "generation_time",
    "finish_reason",
    "native_finish_reason",
    "service_tier",
    "tokens_prompt",
    "tokens_completion",
    "native_tokens_prompt",
    "native_tokens_completion",
    "native_tokens_completion_images",
    "native_tokens_reasoning",
    "native_tokens_cached",
    "num_media_prompt",
    "num_input_audio_prompt",
    "num_media_completion",
    "num_search_results",
    "num_fetches",
    "web_search_engine",
    "streamed",
    "external_user",
    "api_type",
    "preset_id",
    "router",
    "provider_responses",
    "user_agent",
    "http_referer",
    "upstream_inference_cost",
    "workspace_id",
];

story!(a_stream_is_on_record_when_its_last_byte_is_read, |world| {
    for _ in 0..5 {
        world
            .simulator()
            .script("alder", [answer("Forty metres.", 40, 3)]);
        let body = with(&question_to(OAK, &["alder"]), &json!({ "user": "grace" }));
        let call = world
            .chat(&streaming(&body))
            .header("http-referer", "https://app.example");
        let transcript = call.open().await.transcript().await;
        let id = text(&transcript.chunks[0], "id");
        // No waiting here: that is the story.
        let reply = world.generation(&id).await;
        let record = &reply.ok()["data"];

        let fields = record.as_object().expect("an object");
        for field in PRESENT {
            assert!(
                fields.get(field).is_some_and(|value| !value.is_null()),
                "{field}: {record}"
            );
        }
        for field in NULLABLE {
            assert!(fields.contains_key(field), "{field}: {record}");
        }
        assert_eq!(record["id"], id.as_str());
        assert_eq!(record["model"], OAK);
        assert_eq!(record["provider_name"], "Alder");
        assert_eq!(record["streamed"], true);
        assert_eq!(record["cancelled"], false);
        assert_eq!(record["finish_reason"], "stop");
        assert_eq!(record["external_user"], "grace");
        assert_eq!(record["http_referer"], "https://app.example");
        assert_eq!(record["native_tokens_prompt"], 40);
        assert_eq!(record["native_tokens_completion"], 3);
        let charged = nanos_at(reply.text(), "/data/total_cost");
        assert_eq!(charged, cost_nanos(oak_prices("alder"), 40, 3));
    }
});

story!(records_are_their_owners_alone, |world| {
    let id = text(&world.ask(&question(OAK)).await.ok(), "id");
    assert_eq!(world.generation(&id).await.status, 200);

    let created = world
        .deployment
        .run(&["account", "create", "--email", "eve@example.com"])
        .await;
    let stranger = text(&created, "account_id");
    let command = ["key", "create", "--account", &stranger, "--name", "hers"];
    let key = text(&world.deployment.run(&command).await, "key");
    let path = format!("/api/v1/generation?id={id}");
    let foreign = world.api().get(&path).key(&key).send().await;
    let invented = "gen-1764000000-AAAAAAAAAAAAAAAAAAAA";
    let unknown = world.generation(invented).await;
    assert_eq!(
        foreign.error(404).to_string().replace(&id, "it"),
        unknown.error(404).to_string().replace(invented, "it"),
        "what is others' does not exist"
    );
    world.api().get(&path).send().await.error(401);
});
