//! A model in a resource of the credential's owner: the credential says where.

use std::time::Duration;

use switchyard_testkit::world::simulator::Credentials;

use crate::world::*;

const MODEL: &str = "openai/gpt-hazel";
const KEY: &str = "azure-key-0123456789abcdef";
const PATIENCE: Duration = Duration::from_secs(20);

story!(the_resource_is_filled_into_the_address, |mut world| {
    let address = format!("http://{}/p/{{resource}}", world.providers.address());
    world
        .catalog
        .add_provider("azure", "azure", &address, MODEL);
    world.deployment.write_catalog(&world.catalog);
    world.node.signal(Signal::HangUp).await;
    let profile = Profile {
        credentials: Credentials::Exactly(vec![KEY.to_owned()]),
        ..Profile::default()
    };
    world.simulator().set_profile("hazel", profile);
    let credential = json!([
        { "api_key": KEY, "resource_name": "Hazel" },
        { "api_key": "of-another-one-0123", "resource_name": "other", "resource_type": "ai_foundry" },
    ]);
    world
        .deployment
        .run_with_input(&["provider-key", "set", "azure"], &credential.to_string())
        .await;
    wait::until("the credential is taken up", PATIENCE, || async {
        let reply = world.ask(&question(MODEL)).await;
        (reply.status == 200).then_some(())
    })
    .await;
    let transcript = world.transcript(&question(MODEL)).await;
    assert!(!transcript.text().is_empty());
    for seen in world.simulator().requests("hazel") {
        assert_eq!(seen.path, "/p/hazel/openai/v1/chat/completions");
        assert_eq!(seen.credential.as_deref(), Some("api-key"));
        assert_eq!(seen.json()["model"], "azure-gpt-hazel");
    }
    assert_eq!(world.asked("other"), 0);

    // What it says when it refuses is shown without the key.
    let echo = Behaviour::Status(Status {
        status: 400,
        message: Some(format!("`temperature` is not for {KEY}")),
        ..Status::default()
    });
    world.simulator().script("hazel", [echo.clone(), echo]);
    let refused = world.ask(&question(MODEL)).await;
    assert_eq!(refused.status, 400);
    assert!(!refused.text().contains(KEY), "{}", refused.text());
    world.node.stop().await;
    assert!(!world.node.logs().contains(KEY));
});
