//! OpenAI's dialect in front, Anthropic's behind: callers see no difference.

use std::collections::BTreeSet;

use crate::world::*;

const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn weather_tool() -> Value {
    json!([{
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Tells the weather.",
            "parameters": {
                "type": "object",
                "properties": { "city": { "type": "string" } },
                "required": ["city"],
            },
        },
    }])
}

/// Every key in a value that is not null, with the path to it; list positions do not count.
fn paths(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![(String::new(), value)];
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    open.push((format!("{path}/{name}"), value));
                }
                found.insert(path);
            }
            Value::Array(items) => open.extend(items.iter().map(|item| (path.clone(), item))),
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                found.insert(path);
            }
        }
    }
    // Told where the provider tells it.
    for own in ["/service_tier", "/system_fingerprint"] {
        found.remove(own);
    }
    found
}

fn last_seen(world: &World) -> Value {
    world
        .simulator()
        .requests("cedar")
        .last()
        .expect("cedar was asked")
        .json()
}

story!(answers_have_the_same_shape, |world| {
    let mut shapes = Vec::new();
    for provider in ["alder", "cedar"] {
        world
            .simulator()
            .script(provider, [answer("Forty metres.", 30, 4)]);
        let body = world.ask(&question_to(OAK, &[provider])).await.ok();
        assert_eq!(body["choices"][0]["message"]["content"], "Forty metres.");
        assert_eq!(body["choices"][0]["finish_reason"], "stop");
        shapes.push(paths(&body));
    }
    assert_eq!(shapes[0], shapes[1]);

    let mut transcripts = Vec::new();
    for provider in ["alder", "cedar"] {
        world
            .simulator()
            .script(provider, [answer("Forty metres.", 30, 4)]);
        transcripts.push(world.transcript(&question_to(OAK, &[provider])).await);
    }
    let [openai, anthropic] = transcripts.as_slice() else {
        unreachable!("two were pushed")
    };
    assert_eq!(openai.text(), anthropic.text());
    assert_eq!(openai.finish_reason(), anthropic.finish_reason());
    let usage = |transcript: &Transcript| paths(transcript.usage().expect("usage"));
    assert_eq!(usage(openai), usage(anthropic));
    assert!(openai.done && anthropic.done);
});

story!(prompts_arrive_in_its_own_words, |world| {
    let body = json!({
        "model": CLAUDE,
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": [
                { "type": "text", "text": "What is this?" },
                { "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{PIXEL}") } },
            ] },
        ],
        "max_tokens": 500,
        "temperature": 0.2,
        "stop": ["END"],
    });
    let reply = world.ask(&body).await;
    let answer = text(&reply.ok()["choices"][0]["message"], "content");
    assert!(answer.contains("image"), "it saw the image: {answer}");
    let seen = last_seen(&world);
    assert_eq!(seen["model"], "cedar-claude-cedar");
    assert_eq!(seen["max_tokens"], 500);
    assert_eq!(seen["temperature"], 0.2);
    assert_eq!(seen["stop_sequences"], json!(["END"]));
    assert!(seen["system"].to_string().contains("Be brief."), "{seen}");
    let image = &seen["messages"][0]["content"][1];
    assert_eq!(
        image["source"],
        json!({ "type": "base64", "media_type": "image/png", "data": PIXEL })
    );
});

story!(a_tool_is_called_and_answered, |world| {
    for ask_for_stream in [false, true] {
        let body = with(
            &question(CLAUDE),
            &json!({ "tools": weather_tool(), "tool_choice": "required" }),
        );
        let (call, finish) = if ask_for_stream {
            let transcript = world.transcript(&body).await;
            let part =
                |field: &str| transcript.concat(&format!("/choices/0/delta/tool_calls/0/{field}"));
            let call = json!({ "id": part("id"), "type": "function", "function": {
                "name": part("function/name"), "arguments": part("function/arguments") } });
            (call, transcript.finish_reason().map(str::to_owned))
        } else {
            let choice = world.ask(&body).await.ok()["choices"][0].clone();
            (
                choice["message"]["tool_calls"][0].clone(),
                Some(text(&choice, "finish_reason")),
            )
        };
        assert_eq!(finish.as_deref(), Some("tool_calls"));
        assert_eq!(call["type"], "function");
        assert_eq!(call["function"]["name"], "get_weather");
        let arguments: Value =
            serde_json::from_str(&text(&call["function"], "arguments")).expect("JSON arguments");
        assert!(arguments["city"].is_string(), "{arguments}");

        let mut body = with(&question(CLAUDE), &json!({ "tools": weather_tool() }));
        let messages = body["messages"].as_array_mut().expect("messages");
        messages.push(json!({ "role": "assistant", "content": null, "tool_calls": [call] }));
        messages
            .push(json!({ "role": "tool", "tool_call_id": call["id"], "content": "17 degrees" }));
        let reply = world.ask(&body).await;
        let answer = text(&reply.ok()["choices"][0]["message"], "content");
        assert!(answer.contains("17 degrees"), "{answer}");
        let seen = last_seen(&world);
        let blocks = seen["messages"].to_string();
        assert!(
            blocks.contains("tool_use") && blocks.contains("tool_result"),
            "{blocks}"
        );
    }
});

story!(thinking_comes_back_and_goes_in_again, |world| {
    let body = with(
        &question(CLAUDE),
        &json!({ "reasoning": { "max_tokens": 1_024 }, "max_tokens": 3_000 }),
    );
    let message = world.ask(&body).await.ok()["choices"][0]["message"].clone();
    assert!(
        message["reasoning"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{message}"
    );
    let detail = &message["reasoning_details"][0];
    assert_eq!(detail["type"], "reasoning.text");
    assert_eq!(detail["format"], "anthropic-claude-v1");
    let signature = text(detail, "signature");
    assert_eq!(
        last_seen(&world)["thinking"],
        json!({ "type": "enabled", "budget_tokens": 1_024 })
    );

    let transcript = world.transcript(&body).await;
    assert_eq!(
        transcript.concat("/choices/0/delta/reasoning"),
        text(&message, "reasoning")
    );
    assert!(!transcript.text().is_empty());

    let mut next = body.clone();
    let messages = next["messages"].as_array_mut().expect("messages");
    messages.push(message.clone());
    messages.push(json!({ "role": "user", "content": "And in Poland?" }));
    world.ask(&next).await.ok();
    let sent = last_seen(&world);
    let block = &sent["messages"][1]["content"][0];
    assert_eq!(block["type"], "thinking", "{sent}");
    assert_eq!(block["signature"], signature.as_str());
    assert_eq!(block["thinking"], message["reasoning"]);
});

story!(structured_output_satisfies_the_schema, |world| {
    let format = json!({ "response_format": { "type": "json_schema", "json_schema": {
        "name": "tree", "strict": true, "schema": {
            "type": "object",
            "properties": { "height_metres": { "type": "number" }, "name": { "type": "string" } },
            "required": ["height_metres", "name"],
            "additionalProperties": false,
        } } } });
    for provider in ["alder", "cedar"] {
        let body = world
            .ask(&with(&question_to(OAK, &[provider]), &format))
            .await
            .ok();
        let content = text(&body["choices"][0]["message"], "content");
        let tree: Value = serde_json::from_str(&content).expect("JSON");
        assert!(
            tree["height_metres"].is_number() && tree["name"].is_string(),
            "{provider}: {tree}"
        );
    }
});

story!(its_refusals_become_ours, |world| {
    for (status, expected) in [(400, 400), (413, 413), (429, 429), (500, 502), (529, 503)] {
        world.simulator().script("cedar", [refusal(status, None)]);
        let error = world.ask(&question(CLAUDE)).await.error(expected);
        assert_eq!(error["metadata"]["provider_name"], "Cedar", "{error}");
    }
});
