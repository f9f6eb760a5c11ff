//! Prompts, answers, API keys and provider credentials are nowhere but where they belong: not in logs,
//! not in the journal, not in the database, not in what operators are shown.

mod owner;

use std::time::Duration;

use self::owner::Owner;
use crate::world::*;

const PROMPT: &str = "canary-prompt-5f1c";
const SYSTEM: &str = "canary-system-90ab";
const ANSWER: &str = "canary-answer-77de";
const THOUGHT: &str = "canary-thought-31c8";
const ARGUMENT: &str = "canary-argument-e2f4";
const COMPLAINT: &str = "canary-complaint-6b0d";
/// In the middle of every secret that customers bring, so that none of it may be shown with a label.
const OWN: &str = "canary-own-48d3";
/// A model at a resource of the customer's own.
const AT_AZURE: &str = "openai/gpt-hazel";
const PATIENCE: Duration = Duration::from_secs(20);

fn request(order: &[&str]) -> Value {
    json!({
        "model": OAK,
        "messages": [
            { "role": "system", "content": SYSTEM },
            { "role": "user", "content": PROMPT },
            { "role": "assistant", "content": null, "tool_calls": [{ "id": "c1", "type": "function",
                "function": { "name": "look", "arguments": format!("{{\"at\":\"{ARGUMENT}\"}}") } }] },
            { "role": "tool", "tool_call_id": "c1", "content": PROMPT },
            { "role": "user", "content": PROMPT },
        ],
        "provider": { "order": order, "allow_fallbacks": false },
    })
}

/// Lets everything happen that could end up in a log.
async fn live(world: &World) {
    let behaviour = |flaws: Vec<Flaw>| {
        Behaviour::Answer(Answer {
            text: Some(format!(
                "{ANSWER} said at some length, so that it comes in several pieces"
            )),
            reasoning: Some(THOUGHT.to_owned()),
            tool_calls: Vec::new(),
            flaws,
            ..Answer::default()
        })
    };
    let echo = Behaviour::Status(Status {
        status: 500,
        message: Some(format!(
            "{COMPLAINT}: {PROMPT} {}",
            provider_secret("alder")
        )),
        ..Status::default()
    });
    let bad = Behaviour::Status(Status {
        status: 400,
        message: Some(format!("{COMPLAINT}: {PROMPT}")),
        ..Status::default()
    });
    for provider in ["alder", "cedar"] {
        for behaviour in [
            behaviour(Vec::new()),
            behaviour(vec![Flaw::Cut { after_events: 6 }]),
            behaviour(vec![Flaw::BadJson { after_events: 6 }]),
            behaviour(vec![Flaw::Garbage { after_events: 6 }]),
            behaviour(vec![Flaw::ErrorEvent {
                after_events: 6,
                status: 529,
            }]),
            behaviour(vec![Flaw::ContentType {
                value: "text/html".to_owned(),
            }]),
            echo.clone(),
            bad.clone(),
        ] {
            world
                .simulator()
                .script(provider, [behaviour.clone(), behaviour]);
            world.ask(&request(&[provider])).await;
            world.chat(&streaming(&request(&[provider]))).send().await;
        }
    }
    let wrong = format!("{}x", world.key.text);
    world
        .api()
        .post("/api/v1/chat/completions", &request(&["alder"]))
        .key(&wrong)
        .send()
        .await;
    let call = world
        .api()
        .call(Method::POST, "/api/v1/chat/completions")
        .key(&world.key.text);
    call.body(format!(
        "{{\"model\":\"{OAK}\",\"messages\":[{{\"{PROMPT}\""
    ))
    .send()
    .await;
    let tool = with(&request(&["alder"]), &json!({ "temperature": PROMPT }));
    world.ask(&tool).await.error(400);
}

/// A provider at which customers have resources of their own.
async fn add_azure(world: &mut World) {
    let address = format!("http://{}/p/{{resource}}", world.providers.address());
    world
        .catalog
        .add_provider("azure", "azure", &address, AT_AZURE);
    world.deployment.write_catalog(&world.catalog);
    world.node.signal(Signal::HangUp).await;
    wait::until("the catalogue to be read", PATIENCE, || async {
        let listed = world.api().get("/api/v1/models").send().await.ok();
        listed.to_string().contains(AT_AZURE).then_some(())
    })
    .await;
}

story!(
    t59_nothing_private_is_written_down,
    Setup {
        settings: vec![("log.level", "trace")],
        ..Setup::default()
    },
    |mut world| {
        add_azure(&mut world).await;
        live(&world).await;
        let mut owner = Owner::of(&world).await;
        owner.live().await;
        let Owner { answers, keys, .. } = owner;
        for answer in &answers {
            let headers = format!("{:?}", answer.headers);
            for told in [answer.text(), &headers] {
                assert!(!told.contains(OWN), "{told}");
                assert!(!told.contains("sk-upstream-"), "{told}");
                assert!(!told.contains('\u{1b}'), "{told}");
            }
        }
        let metrics = world.node.admin.get("/metrics").send().await;
        world.node.stop().await;
        let logs = world.node.logs();
        assert!(logs.lines().count() > 20, "it logs at all");
        for line in logs.lines() {
            let parsed = serde_json::from_str::<Value>(line);
            assert!(
                parsed.is_ok_and(|line| line.is_object()),
                "a line that is no JSON: {line}"
            );
        }

        let account = world.account.clone();
        let mut places = Vec::new();
        for command in [
            &["config", "show", "--json"][..],
            &["audit", "show", "--account", &account],
            &["audit", "show", "--subject", "alder"],
            &["byok", "list", "--account", &account],
            &["audit", "verify"],
        ] {
            let output = world.deployment.output(command, "").await;
            assert!(output.status.success(), "{command:?}: {output:?}");
            assert!(!output.stdout.contains(&0x1b), "{command:?}: {output:?}");
            places.push((command.join(" "), [output.stdout, output.stderr].concat()));
        }
        places.extend([
            ("metrics".to_owned(), metrics.body.to_vec()),
            (
                "the shared database".to_owned(),
                world.deployment.database_bytes().await,
            ),
        ]);
        for file in world.deployment.files() {
            let bytes = std::fs::read(&file).expect("the deployment's files are readable");
            places.push((file.display().to_string(), bytes));
        }
        assert!(
            places.iter().any(|(place, _)| place.contains("journal")),
            "the journal is looked at"
        );
        let secrets: Vec<String> = ["alder", "birch", "cedar"]
            .into_iter()
            .map(provider_secret)
            .collect();
        let key = world.key.text.clone();
        let canaries = [
            PROMPT, SYSTEM, ANSWER, THOUGHT, ARGUMENT, COMPLAINT, OWN, &key,
        ];
        for canary in canaries
            .into_iter()
            .chain(keys.iter().map(String::as_str))
            .chain(secrets.iter().map(String::as_str))
        {
            for (place, bytes) in &places {
                let found = bytes
                    .windows(canary.len())
                    .any(|window| window == canary.as_bytes());
                assert!(!found, "{canary} in {place}");
            }
        }
    }
);
