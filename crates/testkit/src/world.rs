//! A world to tell a story in: simulated providers, a running node, an account with credit and a key.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};
use switchyard_simulator::{Config, Server, Simulator};
use tokio::net::TcpListener;

use crate::{
    catalog::{PROVIDERS, TestCatalog},
    http_client::{Call, HttpClient, Opened, Reply},
    sse::Transcript,
    test_server::{Configuration, Deployment, Node},
    wait,
};

pub use switchyard_simulator as simulator;

/// How long a settlement may take on its way to the database.
const SETTLED_PATIENCE: Duration = Duration::from_secs(20);

/// How a world differs from the usual one.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Settings by name.
    pub settings: Vec<(&'static str, &'static str)>,
    /// Variables of the environment.
    pub variables: Vec<(&'static str, String)>,
    /// What the account is given, in US dollars.
    pub credit_usd: Option<&'static str>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            settings: Vec::new(),
            variables: Vec::new(),
            credit_usd: Some("10"),
        }
    }
}

/// An API key as its owner has it.
#[derive(Debug, Clone)]
pub struct Key {
    /// The key itself.
    pub text: String,
    /// Its public hash.
    pub hash: String,
}

/// Everything a story needs. What it starts ends with it.
#[derive(Debug)]
pub struct World {
    /// A running node.
    pub node: Node,
    /// The installation it belongs to.
    pub deployment: Deployment,
    /// The providers.
    pub providers: Server,
    /// Their catalogue.
    pub catalog: TestCatalog,
    /// An account with credit.
    pub account: String,
    /// A key that may call models.
    pub key: Key,
}

impl World {
    /// Starts providers and a node, and opens an account.
    ///
    /// # Panics
    /// When anything does not start.
    pub async fn start(binary: &Path, configuration: Configuration, setup: Setup) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let providers = switchyard_simulator::serve(listener, Simulator::new(Config::default()))
            .expect("the simulator starts");
        let catalog = TestCatalog::new(|provider| providers.base_url(provider));
        let mut deployment = Deployment::new(binary, configuration, &catalog);
        for (name, value) in &setup.settings {
            deployment.set(name, value);
        }
        for (variable, value) in &setup.variables {
            deployment.set_variable(variable, value);
        }
        for provider in PROVIDERS {
            let secret = provider_secret(provider);
            deployment
                .run_with_input(&["provider-key", "set", provider], &secret)
                .await;
        }
        let created = deployment
            .run(&["account", "create", "--email", "ada@example.com"])
            .await;
        let account = text(&created, "account_id");
        if let Some(usd) = setup.credit_usd {
            grant(&deployment, &account, usd).await;
        }
        let key = create_key(&deployment, &account, &[]).await;
        let node = deployment.start_node().await;
        Self {
            node,
            deployment,
            providers,
            catalog,
            account,
            key,
        }
    }

    /// The providers' simulator.
    pub fn simulator(&self) -> &Simulator {
        self.providers.simulator()
    }

    /// The node's public API.
    pub fn api(&self) -> &HttpClient {
        &self.node.api
    }

    /// A chat completion to be asked for with the world's key.
    pub fn chat(&self, body: &Value) -> Call {
        self.api()
            .post("/api/v1/chat/completions", body)
            .key(&self.key.text)
    }

    /// Asks for a chat completion in one piece.
    pub async fn ask(&self, body: &Value) -> Reply {
        self.chat(body).send().await
    }

    /// Asks for a chat completion as a stream.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn ask_for_stream(&self, body: &Value) -> Opened {
        let opened = self.chat(&streaming(body)).open().await;
        if opened.status.as_u16() == 200 {
            return opened;
        }
        let reply = opened.rest().await;
        panic!("{}: {}", reply.status, reply.text())
    }

    /// Asks for a stream and reads it to its end.
    pub async fn transcript(&self, body: &Value) -> Transcript {
        self.ask_for_stream(body).await.transcript().await
    }

    /// Creates another key of the world's account.
    pub async fn create_key(&self, options: &[&str]) -> Key {
        create_key(&self.deployment, &self.account, options).await
    }

    /// Gives the world's account credit.
    pub async fn grant(&self, usd: &str) {
        grant(&self.deployment, &self.account, usd).await;
    }

    /// The record of a generation, as its owner reads it.
    pub async fn generation(&self, id: &str) -> Reply {
        let path = format!("/api/v1/generation?id={id}");
        self.api().get(&path).key(&self.key.text).send().await
    }

    /// The record of a generation whose end nobody saw, once it is there.
    pub async fn settled(&self, id: &str) -> Value {
        wait::until(format!("the record of {id}"), SETTLED_PATIENCE, || async {
            let reply = self.generation(id).await;
            (reply.status.as_u16() == 200).then(|| reply.json()["data"].clone())
        })
        .await
    }

    /// The ledger's own report, which must find everything in order.
    pub async fn verified_ledger(&self) -> Value {
        let report = self.deployment.run(&["ledger", "verify"]).await;
        assert_eq!(report["ok"], true, "{report}");
        report
    }

    /// Waits until nothing is held for requests any more.
    pub async fn nothing_held(&self) -> Value {
        wait::until("holds to go back", SETTLED_PATIENCE, || async {
            let report = self.verified_ledger().await;
            let held = report["held_usd"]
                .as_str()
                .expect("an amount")
                .parse::<f64>();
            (held == Ok(0.0)).then_some(report)
        })
        .await
    }

    /// How many requests a provider has had.
    pub fn asked(&self, provider: &str) -> u64 {
        self.simulator().counters(provider).started
    }
}

/// The credential that a world stores for a provider.
pub fn provider_secret(provider: &str) -> String {
    format!("sk-upstream-{provider}-7c41d2")
}

/// A question to a model.
pub fn question(model: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": "How tall do oaks grow?" }] })
}

/// The same, answered by the first of these providers that can.
pub fn question_to(model: &str, providers: &[&str]) -> Value {
    let mut body = question(model);
    body["provider"] = json!({ "order": providers, "allow_fallbacks": false });
    body
}

/// The same request with `fields` added.
///
/// # Panics
/// When either is no object.
pub fn with(body: &Value, fields: &Value) -> Value {
    let mut body = body.clone();
    let target = body.as_object_mut().expect("a request is an object");
    for (name, value) in fields.as_object().expect("fields come as an object") {
        target.insert(name.clone(), value.clone());
    }
    body
}

/// The same request, for a stream.
pub fn streaming(body: &Value) -> Value {
    with(body, &json!({ "stream": true }))
}

/// A string field of an object.
///
/// # Panics
/// When there is none.
pub fn text(object: &Value, field: &str) -> String {
    let value = object.get(field).and_then(Value::as_str);
    value
        .unwrap_or_else(|| panic!("no text `{field}` in {object}"))
        .to_owned()
}

async fn grant(deployment: &Deployment, account: &str, usd: &str) {
    deployment
        .run(&[
            "credit",
            "grant",
            "--account",
            account,
            "--usd",
            usd,
            "--reason",
            "test",
        ])
        .await;
}

async fn create_key(deployment: &Deployment, account: &str, options: &[&str]) -> Key {
    let base = ["key", "create", "--account", account, "--name", "test"];
    let created = deployment.run(&[&base, options].concat()).await;
    Key {
        text: text(&created, "key"),
        hash: text(&created, "hash"),
    }
}
