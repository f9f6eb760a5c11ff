//! Credentials of the world's own account: stored by command, known by nodes.

use std::time::Duration;

use crate::world::*;

const PATIENCE: Duration = Duration::from_secs(5);

/// The secret of an own credential; its last letters tell it apart where a provider sees it.
pub(crate) fn secret_of(provider: &str, tail: &str) -> String {
    format!("sk-own-{provider}-{tail:z>12}")
}

/// How a provider knows that secret.
pub(crate) fn end_of(tail: &str) -> String {
    format!("{tail:z>6}")
}

/// Stores a credential and tells its id. Nodes need not know of it yet.
pub(crate) async fn store(world: &World, provider: &str, tail: &str, options: &[&str]) -> String {
    store_in(&world.deployment, &world.account, provider, tail, options).await
}

/// The same, for any account.
pub(crate) async fn store_in(
    deployment: &Deployment,
    account: &str,
    provider: &str,
    tail: &str,
    options: &[&str],
) -> String {
    let base = ["byok", "add", "--account", account, "--provider", provider];
    let stored = deployment
        .run_with_input(&[&base, options].concat(), &secret_of(provider, tail))
        .await;
    text(&stored, "id")
}

/// Runs one of `byok`'s commands on a credential of the world's account.
pub(crate) async fn byok(world: &World, command: &str, id: &str, words: &[&str]) -> Value {
    let base = ["byok", command, "--account", &world.account, "--id", id];
    world.deployment.run(&[&base, words].concat()).await
}

/// What is listed of a credential.
pub(crate) async fn listed(world: &World, id: &str) -> Value {
    let list = ["byok", "list", "--account", &world.account];
    let list = world.deployment.run(&list).await;
    let found = list["credentials"].as_array().expect("a list");
    let found = found.iter().find(|one| one["id"] == id);
    found
        .unwrap_or_else(|| panic!("{id} is not in {list}"))
        .clone()
}

/// What the audit log says about something of the world's account, oldest first.
pub(crate) async fn noted(world: &World, subject: &str) -> Vec<Value> {
    let show = ["audit", "show", "--account", &world.account];
    let shown = world.deployment.run(&show).await;
    let entries = shown["entries"].as_array().expect("a list").clone();
    let about = entries
        .into_iter()
        .rev()
        .filter(|entry| entry["subject"] == subject);
    about.collect()
}

/// Waits until it was opened exactly so often in all, and counted.
pub(crate) async fn opened(world: &World, id: &str, times: u64) {
    wait::until(
        format!("{times} openings of {id}"),
        PATIENCE * 2,
        || async {
            let openings = listed(world, id).await["openings_30d"].as_u64();
            assert!(openings <= Some(times), "{openings:?} of {times}");
            (openings == Some(times)).then_some(())
        },
    )
    .await;
}

/// Waits until a node knows all that was done to the account's credentials before. What is stored
/// last is known last: a credential at a provider that nobody asks here.
pub(crate) async fn known(world: &World) {
    known_at(world, world.api()).await;
}

/// The same, at another node.
pub(crate) async fn known_at(world: &World, api: &HttpClient) {
    let list = [
        "byok",
        "list",
        "--account",
        &world.account,
        "--provider",
        "dogwood",
    ];
    let list = world.deployment.run(&list).await;
    let before = list["credentials"].as_array().expect("a list").len();
    store(
        world,
        "dogwood",
        &format!("canary{before}"),
        &["--model", TAUGHT],
    )
    .await;
    wait::until("the node to know the credential", PATIENCE, || async {
        let explained = api
            .post("/api/v1/route/explain", &question(TAUGHT))
            .key(&world.key.text)
            .send()
            .await
            .ok();
        let candidates = explained["data"]["candidates"]
            .as_array()
            .expect("candidates");
        let own = candidates.iter().filter(|one| {
            one["credential"]
                .as_str()
                .is_some_and(|name| name.starts_with("own"))
        });
        (own.count() > before).then_some(())
    })
    .await;
}

/// Stores a credential and waits until the node knows it.
pub(crate) async fn bring(world: &World, provider: &str, tail: &str, options: &[&str]) -> String {
    let id = store(world, provider, tail, options).await;
    known(world).await;
    id
}

/// Makes providers answer everybody with this status.
pub(crate) fn all_answer(world: &World, providers: &[&str], status: u16) {
    for provider in providers {
        let profile = Profile {
            behaviour: Behaviour::status(status),
            ..Profile::default()
        };
        world.simulator().set_profile(provider, profile);
    }
}

/// Makes a provider treat these own credentials apart.
pub(crate) fn answers_by_credential(world: &World, provider: &str, answers: &[(&str, Behaviour)]) {
    let by_credential = answers
        .iter()
        .map(|(tail, behaviour)| (secret_of(provider, tail), behaviour.clone()))
        .collect();
    let profile = Profile {
        by_credential,
        ..Profile::default()
    };
    world.simulator().set_profile(provider, profile);
}

/// The credentials that a provider was asked with, in order, by their last letters.
pub(crate) fn asked_with(world: &World, provider: &str) -> Vec<String> {
    let requests = world.simulator().requests(provider);
    requests
        .into_iter()
        .map(|request| request.credential_end.expect("a credential is shown"))
        .collect()
}

/// How providers know the operator's credential.
pub(crate) fn shared_end(provider: &str) -> String {
    let secret = provider_secret(provider);
    secret[secret.len() - 6..].to_owned()
}

/// A generation's attempts: provider, and whose credential was used where it is not the operator's.
pub(crate) fn attempts_of(record: &Value) -> Vec<String> {
    let attempts = record["provider_responses"].as_array().expect("attempts");
    attempts
        .iter()
        .map(|attempt| {
            let provider = attempt["provider"].as_str().expect("a slug");
            let credential = attempt["credential"].as_str().expect("a word");
            assert_eq!(attempt["is_byok"], credential != "shared", "{attempt}");
            match credential {
                "shared" => provider.to_owned(),
                own => format!("{provider}({own})"),
            }
        })
        .collect()
}

/// The attempts of a request that ends in this status.
pub(crate) async fn attempts(world: &World, body: &Value, status: u16) -> Vec<String> {
    let reply = world.ask(body).await;
    assert_eq!(reply.status, status, "{}", reply.text());
    let id = reply.header("x-generation-id").expect("an id").to_owned();
    attempts_of(&world.settled(&id).await)
}
