//! The plain case, down to the last nano-dollar.

use crate::world::*;

/// The fields that strict clients insist on, with the kinds they insist on.
fn check_usage(usage: &Value, input: u64, output: u64) {
    assert_eq!(usage["prompt_tokens"], input, "{usage}");
    assert_eq!(usage["completion_tokens"], output);
    assert_eq!(usage["total_tokens"], input + output);
    assert_eq!(usage["is_byok"], false);
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 0);
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 0);
    for part in [
        "upstream_inference_prompt_cost",
        "upstream_inference_completions_cost",
    ] {
        assert!(usage["cost_details"][part].is_number(), "{part} in {usage}");
    }
}

fn check_ids(id: &str, header: impl Fn(&str) -> Option<String>) {
    assert!(id.starts_with("gen-"), "{id}");
    for name in ["x-generation-id", "x-request-id", "request-id"] {
        assert_eq!(header(name).as_deref(), Some(id), "{name}");
    }
    assert_eq!(header("x-provider-name").as_deref(), Some("Alder"));
    assert_eq!(header("access-control-allow-origin").as_deref(), Some("*"));
}

story!(an_answer_in_one_piece, |world| {
    let manager = world.create_key(&["--management"]).await;
    // 7575.5 and 7822.5 nano-dollars: halves go to the even side, one up and one down.
    for (input, output) in [(33, 7), (35, 7), (1_000, 250)] {
        let before = total_usage_nanos(&world, &manager).await;
        world
            .simulator()
            .script("alder", [answer("Some reach forty metres.", input, output)]);
        let reply = world.ask(&question_to(OAK, &["alder"])).await;
        let body = reply.ok();
        assert_eq!(media_type(&reply.headers), Some("application/json"));
        check_ids(&text(&body, "id"), |name| {
            reply.header(name).map(str::to_owned)
        });
        assert_eq!(body["object"], "chat.completion");
        assert_eq!(body["model"], OAK);
        assert_eq!(body["provider"], "Alder");
        assert!(body["created"].is_i64());
        assert!(
            body.as_object()
                .expect("an object")
                .contains_key("system_fingerprint")
        );
        let choice = &body["choices"][0];
        assert_eq!(choice["index"], 0);
        assert_eq!(choice["finish_reason"], "stop");
        assert_eq!(choice["native_finish_reason"], "stop");
        assert_eq!(choice["message"]["role"], "assistant");
        assert_eq!(choice["message"]["content"], "Some reach forty metres.");
        check_usage(&body["usage"], input, output);

        let expected = cost_nanos(oak_prices("alder"), input, output);
        assert_eq!(
            nanos_at(reply.text(), "/usage/cost"),
            expected,
            "{input} in, {output} out"
        );
        let used = total_usage_nanos(&world, &manager).await - before;
        assert_eq!(
            used, expected,
            "the account is charged what the answer says"
        );
    }
    world.verified_ledger().await;
});

story!(an_answer_as_a_stream, |world| {
    let manager = world.create_key(&["--management"]).await;
    world
        .simulator()
        .script("alder", [answer("Some reach forty metres.", 33, 7)]);
    let opened = world.ask_for_stream(&question_to(OAK, &["alder"])).await;
    assert_eq!(media_type(&opened.headers), Some("text/event-stream"));
    let headers = opened.headers.clone();
    let transcript = opened.transcript().await;

    let first = &transcript.chunks[0];
    let id = text(first, "id");
    check_ids(&id, |name| {
        Some(headers.get(name)?.to_str().ok()?.to_owned())
    });
    for chunk in &transcript.chunks {
        assert_eq!(chunk["id"], id.as_str());
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!(chunk["model"], OAK);
        assert_eq!(chunk["provider"], "Alder");
        let fields = chunk.as_object().expect("an object");
        for absent in ["error", "system_fingerprint"] {
            assert!(
                !fields.get(absent).is_some_and(Value::is_null),
                "{absent} must not be null"
            );
        }
        for choice in chunk["choices"].as_array().expect("a list") {
            let choice = choice.as_object().expect("an object");
            assert!(choice.contains_key("finish_reason") && choice.contains_key("index"));
        }
    }
    assert_eq!(transcript.text(), "Some reach forty metres.");
    assert_eq!(transcript.finish_reason(), Some("stop"));
    assert!(transcript.done);

    check_usage(transcript.usage().expect("usage is always told"), 33, 7);
    let last = transcript.texts.last().expect("chunks");
    let cost = nanos_at(last, "/usage/cost");
    assert_eq!(cost, cost_nanos(oak_prices("alder"), 33, 7));
    assert_eq!(total_usage_nanos(&world, &manager).await, cost);
});

story!(what_the_provider_sees, |world| {
    let body = with(
        &question_to(OAK, &["alder"]),
        &json!({ "temperature": 0.5, "max_tokens": 64 }),
    );
    let call = world
        .chat(&body)
        .header("cookie", "session=1")
        .header("x-forwarded-for", "10.0.0.1");
    call.send().await.ok();
    let seen = world.simulator().requests("alder");
    let [request] = seen.as_slice() else {
        panic!("one request, not {}", seen.len())
    };
    assert_eq!(request.path, "/p/alder/v1/chat/completions");
    assert_eq!(
        request.credential.as_deref(),
        Some("bearer"),
        "the cookie stays behind"
    );
    let sent = request.json();
    assert_eq!(sent["model"], "alder-oak");
    assert_eq!(sent["temperature"], 0.5);
    assert_eq!(sent["messages"], body["messages"]);
    assert!(
        sent.get("provider").is_none(),
        "preferences are ours: {sent}"
    );
    let everything = format!("{:?}", request.headers);
    for ours in [&world.key.text, "10.0.0.1", "session=1"] {
        assert!(!everything.contains(ours), "{ours} went up: {everything}");
    }
});

story!(a_provider_lets_in_only_its_own_credential, |world| {
    for provider in ["alder", "birch", "cedar"] {
        let credentials =
            switchyard_testkit::world::simulator::Credentials::Exactly(vec![provider_secret(
                provider,
            )]);
        let profile = Profile {
            credentials,
            ..Profile::default()
        };
        world.simulator().set_profile(provider, profile);
        world.ask(&question_to(OAK, &[provider])).await.ok();
    }
});

story!(the_free_edition_costs_nothing, |world| {
    let reply = world.ask(&question(OAK_FREE)).await;
    let body = reply.ok();
    assert_eq!(body["model"], OAK_FREE);
    assert_eq!(nanos_at(reply.text(), "/usage/cost"), 0);
});

story!(both_prefixes_and_both_key_headers_work, |world| {
    let body = question(OAK);
    for path in ["/api/v1/chat/completions", "/v1/chat/completions"] {
        let call = world
            .api()
            .post(path, &body)
            .header("x-api-key", &world.key.text);
        call.send().await.ok();
        let call = world.api().post(path, &body);
        call.header("authorization", &format!("bearer {}", world.key.text))
            .send()
            .await
            .ok();
    }
    assert_eq!(
        world.asked("alder") + world.asked("birch") + world.asked("cedar"),
        4
    );
});
