//! A customer who brings credentials by every door, and providers that show them to everybody.

use switchyard_testkit::world::simulator::behaviour::Replay;

use super::{AT_AZURE, OWN, PROMPT, request};
use crate::{managed::Manager, world::*};

/// A name that wants to be a line of its own, a header, a colour.
const NAME: &str = "Ours\r\nX-Evil: 1\n{\"level\":\"ERROR\"}\u{1b}[31m\u{9b}0m";
/// One that wants to be the end of a text.
const QUOTED: &str = "\"Ours\"\\\",\"level\":\"ERROR\"}\u{2028}{'%s' <b>";

/// A customer who brings credentials, and all that anybody answered it.
pub(super) struct Owner<'a> {
    world: &'a World,
    manager: Manager,
    pub(super) answers: Vec<Reply>,
    /// Keys that were made, which are shown once.
    pub(super) keys: Vec<String>,
}

impl<'a> Owner<'a> {
    pub(super) async fn of(world: &'a World) -> Self {
        Self {
            world,
            manager: Manager::of(world).await,
            answers: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// Lets everything happen that has to do with secrets of its own.
    pub(super) async fn live(&mut self) {
        live_with_own(self).await;
        live_at_azure(self).await;
        be_refused(self).await;
        bring_along(self).await;
        make_keys(self).await;
    }

    /// A secret of its own, marked as one.
    fn secret(&self, what: &str) -> String {
        let secret = format!("sk-{OWN}-{what:x>16}");
        self.world.deployment.guard(&secret);
        secret
    }

    async fn send(&mut self, method: Method, path: &str, body: &Value, status: u16) -> Value {
        let path = format!("/api/v1{path}");
        let call = self.manager.api.call(method, &path).json(body);
        let reply = call.key(&self.manager.key.text).send().await;
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
        let json = reply.json();
        self.answers.push(reply);
        json
    }

    async fn post(&mut self, path: &str, body: &Value, status: u16) -> Value {
        self.send(Method::POST, path, body, status).await
    }

    /// Stores a credential and tells where it lies.
    async fn upload(&mut self, provider: &str, key: &Value) -> String {
        let body = json!({ "provider": provider, "key": key, "name": QUOTED });
        let stored = self.post("/byok", &body, 201).await;
        format!("/byok/{}", text(&stored["data"], "id"))
    }

    /// Asks a model, in one piece and as a stream.
    async fn ask(&mut self, body: &Value) {
        for body in [body.clone(), streaming(body)] {
            let reply = self.world.chat(&body).send().await;
            self.answers.push(reply);
        }
    }

    /// Runs a command that is given a secret.
    async fn command(&self, words: &[&str], secret: &str) -> Value {
        self.world.deployment.run_with_input(words, secret).await
    }

    /// Runs a command that must refuse what it is given, and not show it.
    async fn is_refused(&self, words: &[&str], secret: &str) {
        let output = self.world.deployment.output(words, secret).await;
        assert!(!output.status.success(), "{words:?}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains(OWN) && !said.contains('\u{1b}'), "{said:?}");
    }
}

/// Everything that a provider can do to show the key that it was asked with.
fn echoes(secret: &str, asked: &str) -> Vec<Behaviour> {
    let message = format!("The key {secret} may not ask {asked}");
    let headers = [
        "x-request-id",
        "www-authenticate",
        "retry-after",
        "location",
    ];
    let headers: Vec<_> = headers
        .into_iter()
        .map(|name| (name.to_owned(), format!("Bearer {secret}")))
        .collect();
    let refusal = |status| {
        Behaviour::Status(Status {
            status,
            message: Some(message.clone()),
            kind: Some(secret.to_owned()),
            code: Some(secret.to_owned()),
            headers: headers.clone(),
            ..Status::default()
        })
    };
    let error = json!({ "error": { "message": message, "type": secret, "code": 500 } });
    let typed = |kind: &str| {
        let kind = ("content-type".to_owned(), kind.to_owned());
        headers.iter().cloned().chain([kind]).collect()
    };
    let in_a_stream = Replay {
        status: 200,
        headers: typed("text/event-stream"),
        body: format!("data: {error}\n\n").into(),
        ..Replay::default()
    };
    let in_an_answer = Replay {
        status: 200,
        headers: typed("application/json"),
        body: error.to_string().into(),
        ..Replay::default()
    };
    let mut all: Vec<_> = [400, 401, 402, 403, 429, 500].map(refusal).into();
    all.extend([in_a_stream, in_an_answer].map(Behaviour::Replay));
    all
}

/// Customers bring credentials by every door, and providers show them to everybody.
async fn live_with_own(owner: &mut Owner<'_>) {
    let first = owner.secret("first");
    let path = owner.upload("alder", &json!(first)).await;
    let second = owner.secret("second");
    let rotated = json!({ "key": second, "name": format!("{QUOTED}{QUOTED}") });
    owner.send(Method::PATCH, &path, &rotated, 200).await;
    for behaviour in echoes(&second, PROMPT) {
        let script = [behaviour.clone(), behaviour.clone(), behaviour.clone()];
        owner.world.simulator().script("alder", script);
        owner.ask(&request(&["alder"])).await;
        owner.world.simulator().clear_script("alder");
    }
    for behaviour in echoes(&second, "this") {
        owner.world.simulator().script("alder", [behaviour]);
        let check = format!("{path}/check");
        owner.post(&check, &json!({ "model": OAK }), 200).await;
        owner.world.simulator().clear_script("alder");
    }
    owner.manager.get(&path).await.ok();

    let account = owner.world.account.clone();
    let by_command = owner.secret("command");
    let add = ["byok", "add", "--account", &account, "--provider", "cedar"];
    let wrong = [&add[..], &["--name", NAME]].concat();
    owner.is_refused(&wrong, &by_command).await;
    let add = [&add[..], &["--name", QUOTED]].concat();
    let id = text(&owner.command(&add, &by_command).await, "id");
    let anew = owner.secret("anew");
    let rotate = ["byok", "rotate", "--account", &account, "--id", &id];
    owner.command(&rotate, &anew).await;
    for behaviour in echoes(&anew, PROMPT) {
        owner
            .world
            .simulator()
            .script("cedar", [behaviour.clone(), behaviour]);
        owner.ask(&request(&["cedar"])).await;
        owner.world.simulator().clear_script("cedar");
    }
}

/// A credential that is a document, for a resource of the customer's own.
async fn live_at_azure(owner: &mut Owner<'_>) {
    let key = owner.secret("azure");
    let document = json!({ "api_key": key, "resource_name": "Hazel" });
    let path = owner.upload("azure", &document).await;
    let key = owner.secret("azure-anew");
    let document = json!([{ "api_key": key, "resource_name": "Hazel" }]).to_string();
    let rotated = json!({ "key": document });
    owner.send(Method::PATCH, &path, &rotated, 200).await;
    for behaviour in echoes(&key, PROMPT) {
        owner
            .world
            .simulator()
            .script("hazel", [behaviour.clone(), behaviour]);
        owner
            .ask(&with(&request(&["azure"]), &json!({ "model": AT_AZURE })))
            .await;
        owner.world.simulator().clear_script("hazel");
    }
    for wrong in [
        json!({ "api_key": key }),
        json!({ "api_key": key, "resource_name": "Hazel", "base_url": key }),
        json!({ "api_key": { "of": key }, "resource_name": "Hazel" }),
        json!([{ "api_key": key, "resource_name": format!("{key}.example/") }]),
        json!([key]),
        json!(format!("{{\"api_key\": \"{key}\", ")),
    ] {
        let body = json!({ "provider": "azure", "key": wrong });
        owner.post("/byok", &body, 400).await;
        owner
            .send(Method::PATCH, &path, &json!({ "key": wrong }), 400)
            .await;
    }
}

/// Bodies that are refused, each with a secret in it.
async fn be_refused(owner: &mut Owner<'_>) {
    let secret = owner.secret("refused");
    for body in [
        json!({ "provider": "alder", "key": format!("Bearer {secret}") }),
        json!({ "provider": "alder", "key": format!("{secret}\r\nx-evil: 1") }),
        json!({ "provider": "alder", "key": format!("{secret}\u{1b}[2J") }),
        json!({ "provider": "alder", "key": { "api_key": secret } }),
        json!({ "provider": "alder", "key": [secret] }),
        json!({ "provider": "alder", "key": secret, "label": secret }),
        json!({ "provider": "alder", "key": secret, "is_fallback": secret }),
        json!({ "provider": "alder", "key": secret, "allowed_models": [secret] }),
        json!({ "provider": "alder", "key": secret, "allowed_models": secret }),
        json!({ "provider": "alder", "key": secret, "allowed_api_key_hashes": [secret] }),
        json!({ "provider": "alder", "key": secret, "declared_region": secret }),
        json!({ "provider": "alder", "keys": secret }),
        json!({ "provider": "alder", "key": secret, "name": NAME }),
        json!({ "provider": secret, "key": secret }),
        json!([secret]),
        json!(secret),
    ] {
        owner.post("/byok", &body, 400).await;
    }
    let elsewhere = json!({ "provider": "alder", "key": secret, "workspace_id": secret });
    owner.post("/byok", &elsewhere, 404).await;
    for body in [
        json!({ "name": NAME }),
        json!({ "name": QUOTED, "limit": secret }),
        json!({ "name": QUOTED, "secret": secret }),
        json!({ "name": { "is": secret } }),
    ] {
        owner.post("/keys", &body, 400).await;
        owner.post("/workspaces", &body, 400).await;
    }
    let cut = format!("{{\"provider\":\"alder\",\"key\":\"{secret}\",\"name\"");
    for path in ["/api/v1/byok", "/api/v1/keys"] {
        let call = owner.manager.api.call(Method::POST, path).body(cut.clone());
        let reply = call.key(&owner.manager.key.text).send().await;
        reply.error(400);
        owner.answers.push(reply);
    }
}

/// Credentials that come along with a request.
async fn bring_along(owner: &mut Owner<'_>) {
    let secret = owner.secret("brought");
    let bringing = |byok: Value| {
        let options = json!({ "providerOptions": { "gateway": { "byok": byok } } });
        with(&request(&["alder"]), &options)
    };
    let good = bringing(json!({ "alder": [{ "apiKey": secret }] }));
    owner.ask(&good).await;
    for behaviour in echoes(&secret, PROMPT) {
        owner.world.simulator().script("alder", vec![behaviour; 4]);
        owner.ask(&good).await;
        owner.world.simulator().clear_script("alder");
    }
    for wrong in [
        json!({ "nobody": [{ "apiKey": secret }] }),
        json!({ "alder": [{ "apiKey": format!("Bearer {secret}") }] }),
        json!({ "alder": [{ "apiKey": format!("{secret}\n{secret}") }] }),
        json!({ "alder": [{ "apiKey": { "is": secret } }] }),
        json!({ "alder": [{ "apiKey": secret, "token": secret }] }),
        json!({ "alder": [{ "accessKeyId": secret, "secretAccessKey": 7, "region": secret }] }),
        json!({ "alder": [secret] }),
        json!({ "alder": secret }),
        json!([secret]),
    ] {
        let body = bringing(wrong);
        let reply = owner.world.ask(&body).await;
        reply.error(400);
        owner.answers.push(reply);
        let call = owner.world.api().post("/api/v1/route/explain", &body);
        let reply = call.key(&owner.world.key.text).send().await;
        owner.answers.push(reply);
    }
    let call = owner.world.api().post("/api/v1/route/explain", &good);
    let reply = call.key(&owner.world.key.text).send().await;
    reply.ok();
    owner.answers.push(reply);
}

/// Keys and workspaces are made under names that nobody should write as they are.
async fn make_keys(owner: &mut Owner<'_>) {
    let body = json!({ "name": QUOTED, "limit": 1 });
    for _ in 0..2 {
        let call = owner.manager.api.post("/api/v1/keys", &body);
        let call = call.key(&owner.manager.key.text);
        let reply = call.header("idempotency-key", "once").send().await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        owner.keys.push(text(&reply.json(), "key"));
        owner.answers.push(reply);
    }
    assert_eq!(owner.keys[0], owner.keys[1], "answered again");
    owner.world.deployment.guard(&owner.keys[0]);
    let asked = owner.world.api();
    let asked = asked.post("/api/v1/chat/completions", &request(&["birch"]));
    owner.answers.push(asked.key(&owner.keys[0]).send().await);
    let body = json!({ "name": QUOTED, "slug": "ours" });
    owner.post("/workspaces", &body, 201).await;
    let create = ["key", "create", "--account", &owner.world.account];
    let wrong = [&create[..], &["--name", NAME]].concat();
    owner.is_refused(&wrong, "").await;
    let create = [&create[..], &["--name", QUOTED]].concat();
    let made = owner.world.deployment.run(&create).await;
    owner.keys.push(text(&made, "key"));
}
