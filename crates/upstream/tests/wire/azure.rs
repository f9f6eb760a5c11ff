//! Azure, as far as it can be played on this machine: the catalogue's address has the resource in its
//! path, and the simulator plays a provider by the name of each resource.

use switchyard_simulator::Credentials;

use super::*;

const KEY: &str = "azure-key-0123456789";

struct Azure(World);

impl Azure {
    async fn new() -> Self {
        let world = World::new().await;
        for resource in ["first", "second"] {
            world.server.simulator().set_profile(
                resource,
                Profile {
                    credentials: Credentials::Exactly(vec![KEY.to_owned()]),
                    ..Profile::default()
                },
            );
        }
        Self(world)
    }

    async fn ask(&self, model: &str, credential: &Value, stream: bool) -> Result<Answer, Failure> {
        let address = format!("http://{}/p/{{resource}}", self.0.server.address());
        let endpoint = Listed {
            model,
            ..Listed::new("azure", "azure", &address)
        }
        .vetted();
        let credential = Secret::new(serde_json::to_vec(credential).expect("JSON"));
        let request = request(stream);
        let call = Call {
            endpoint: &endpoint,
            credential: &credential,
            request: &request,
            affinity: None,
            zero_retention: false,
        };
        let answered = self.0.upstream.send(call).await;
        answered.map(|answered| answered.answer)
    }

    /// Path, scheme of the credential and model of the only request that a resource had.
    fn seen(&self, resource: &str) -> (String, String, String) {
        let seen = self.0.server.simulator().requests(resource);
        let [seen] = &seen[..] else {
            panic!("{} requests at {resource}", seen.len());
        };
        let model = seen.json()["model"].as_str().expect("a model").to_owned();
        let scheme = seen.credential.clone().expect("a credential");
        (seen.path.clone(), scheme, model)
    }
}

fn resource(name: &str, kind: &str) -> Value {
    json!({"api_key": KEY, "resource_name": name, "resource_type": kind})
}

#[tokio::test]
async fn azure_serves_each_author_in_its_dialect() {
    let both = json!([
        resource("first", "openai"),
        resource("second", "ai_foundry")
    ]);
    for (model, resource, path, scheme) in [
        (
            "openai/gpt",
            "first",
            "/p/first/openai/v1/chat/completions",
            "api-key",
        ),
        (
            "anthropic/claude",
            "second",
            "/p/second/anthropic/v1/messages",
            "x-api-key",
        ),
        (
            "deepseek/deepseek",
            "second",
            "/p/second/openai/v1/chat/completions",
            "api-key",
        ),
    ] {
        for stream in [false, true] {
            let azure = Azure::new().await;
            match azure.ask(model, &both, stream).await.expect("an answer") {
                Answer::Complete(answer) => assert_eq!(answer.finish.reason, FinishReason::Stop),
                Answer::Stream(mut answer) => {
                    let mut steps = Vec::new();
                    while answer.read(&mut steps).await.expect("a clean stream") {}
                    assert!(!text_of(&steps).is_empty(), "{model}");
                }
            }
            let expected = [path, scheme, "upstream-model"].map(str::to_owned);
            assert_eq!(
                <[String; 3]>::from(azure.seen(resource)),
                expected,
                "{model}"
            );
        }
    }
}

#[tokio::test]
async fn azure_credentials_that_do_not_fit_ask_nobody() {
    let azure = Azure::new().await;
    for (model, credential) in [
        ("anthropic/claude", json!([resource("first", "openai")])),
        (
            "openai/gpt",
            json!({"api_key": KEY, "resource_name": "first/../second"}),
        ),
        ("openai/gpt", json!(KEY)),
        (
            "openai/gpt",
            json!({"api_key": KEY, "model_slug": "openai/other", "model_id": "other",
                "endpoint_url": "https://a.openai.azure.com/openai/v1/chat/completions"}),
        ),
    ] {
        let failure = azure.ask(model, &credential, false).await.err();
        let failure = failure.expect("nothing to ask");
        assert_eq!(
            (failure.kind, failure.status),
            (FailureKind::Auth, None),
            "{credential}"
        );
        assert!(!failure.message.contains(KEY));
    }
    for resource in ["first", "second"] {
        assert_eq!(azure.0.server.simulator().counters(resource).started, 0);
    }
}

#[tokio::test]
async fn v9_an_echoed_part_of_a_credential_is_taken_out() {
    let azure = Azure::new().await;
    for status in [400, 401, 403, 429, 500] {
        let echo = Status {
            status,
            message: Some(format!("the key {KEY} is not for `max_tokens`")),
            ..Status::default()
        };
        azure
            .0
            .server
            .simulator()
            .script("first", [Behaviour::Status(echo)]);
        let credential = json!([resource("first", "openai")]);
        let asked = azure.ask("openai/gpt", &credential, false).await;
        let failure = asked.err().expect("refused");
        assert_eq!(failure.status, Some(status));
        assert!(!format!("{failure:?}").contains(KEY), "{failure:?}");
    }
}
