//! What an owner rules out is ruled out for every request, soon, everywhere.

use std::time::Duration;

use crate::world::*;

const SOON: Duration = Duration::from_secs(1);

/// Sets the policy of the account, or of what `options` name.
async fn set(world: &World, options: &[&str], rules: &Value) -> Value {
    let command = [&["policy", "set", "--account", &world.account], options].concat();
    let rules = rules.to_string();
    world.deployment.run_with_input(&command, &rules).await
}

async fn clear(world: &World, options: &[&str]) {
    let command = [&["policy", "clear", "--account", &world.account], options].concat();
    let cleared = world.deployment.run(&command).await;
    assert_eq!(cleared["cleared"], true);
}

async fn ask(api: &HttpClient, key: &Key, body: &Value) -> Reply {
    let call = api.post("/api/v1/chat/completions", body);
    call.key(&key.text).send().await
}

/// Waits until a request is answered with this status.
async fn comes_to(api: &HttpClient, key: &Key, body: &Value, status: u16) -> Reply {
    wait::until(format!("an answer {status}"), SOON, || async {
        let reply = ask(api, key, body).await;
        (reply.status == status).then_some(reply)
    })
    .await
}

fn zdr() -> Value {
    json!({ "zdr": { "other": true } })
}

story!(an_account_policy_holds_within_a_second, |world| {
    let kept = question(KEPT);
    world.ask(&kept).await.ok();
    let told = set(&world, &[], &zdr()).await;
    assert_eq!(told["scope"], "account");
    assert_eq!(told["subject"], world.account.as_str());
    assert_eq!(told["warnings"], json!([]));
    let refused = comes_to(world.api(), &world.key, &kept, 404).await;
    let error = refused.error(404);
    assert_eq!(error["availability"]["code"], "privacy_restricted");
    assert!(
        error["message"].to_string().contains("account settings"),
        "{error}"
    );
    let asked = world.asked("birch");
    for _ in 0..20 {
        world.ask(&question(OAK)).await.ok();
    }
    assert_eq!(world.asked("birch"), asked, "it keeps prompts");

    let show = ["policy", "show", "--account", &world.account];
    let shown = world.deployment.run(&show).await;
    assert_eq!(shown["policies"][0]["scope"], "account", "{shown}");
    assert_eq!(shown["policies"][0]["rules"]["zdr"]["other"], true);
    assert_eq!(shown["policies"][0]["updated_by"], "operator");

    clear(&world, &[]).await;
    comes_to(world.api(), &world.key, &kept, 200).await;
    let shown = world.deployment.run(&show).await;
    assert_eq!(shown["policies"], json!([]));
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn also_at_another_node() {
    let mut world = start(Configuration::PostgresRedis, Setup::default()).await;
    let second = world.deployment.start_node().await;
    let kept = question(KEPT);
    for api in [world.api(), &second.api] {
        ask(api, &world.key, &kept).await.ok();
    }
    set(&world, &[], &zdr()).await;
    comes_to(&second.api, &world.key, &kept, 404).await;
    comes_to(world.api(), &world.key, &kept, 404).await;
    clear(&world, &[]).await;
    comes_to(&second.api, &world.key, &kept, 200).await;
    comes_to(world.api(), &world.key, &kept, 200).await;
}

story!(privacy_only_tightens, |world| {
    let kept = question(KEPT);
    let free = world.create_key(&[]).await;
    let key = ["--key", &world.key.hash];
    // A key's own rules hold for it alone.
    set(&world, &key, &zdr()).await;
    comes_to(world.api(), &world.key, &kept, 404).await;
    ask(world.api(), &free, &kept).await.ok();
    // What the account demands no key and no request takes back.
    set(&world, &[], &zdr()).await;
    comes_to(world.api(), &free, &kept, 404).await;
    let lax = json!({ "zdr": { "other": false }, "allow_paid_training": true });
    set(&world, &key, &lax).await;
    set(&world, &["--key", &free.hash], &lax).await;
    let insisting = with(
        &kept,
        &json!({ "provider": { "zdr": false, "only": ["birch"] } }),
    );
    let asked = world.asked("birch");
    for key in [&world.key, &free] {
        for body in [&kept, &insisting] {
            ask(world.api(), key, body).await.error(404);
        }
    }
    assert_eq!(world.asked("birch"), asked);
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_policy_lets_nothing_through() {
    let world = start(Configuration::PostgresRedis, Setup::default()).await;
    let oak = question(OAK);
    set(&world, &[], &zdr()).await;
    world.ask(&oak).await.ok();
    let break_it = "
        UPDATE revisions SET revision = revision + 1 WHERE subject = 'policies';
        UPDATE policies SET rules = '{\"allowed_moon_phases\": [\"full\"]}',
            revision = (SELECT revision FROM revisions WHERE subject = 'policies')";
    world.deployment.tamper(break_it).await;
    let refused = comes_to(world.api(), &world.key, &oak, 503).await;
    let error = refused.error(503);
    assert!(
        error["message"].to_string().contains("standing policy"),
        "{error}"
    );
    let asked = ["alder", "birch", "cedar"].map(|provider| world.asked(provider));
    for body in [&oak, &streaming(&oak), &question(METER)] {
        ask(world.api(), &world.key, body).await.error(503);
    }
    let explained = world.api().post("/api/v1/route/explain", &oak);
    explained.key(&world.key.text).send().await.error(503);
    assert_eq!(
        ["alder", "birch", "cedar"].map(|provider| world.asked(provider)),
        asked
    );
    set(&world, &[], &zdr()).await;
    comes_to(world.api(), &world.key, &oak, 200).await;
}

story!(what_is_no_policy_is_refused_with_its_place, |world| {
    let say = async |options: &[&str], input: &str| {
        let command = [&["policy"], options].concat();
        let output = world.deployment.output(&command, input).await;
        assert!(!output.status.success(), "{options:?}");
        String::from_utf8(output.stderr).expect("text")
    };
    let mine = ["set", "--account", &world.account];
    for (rules, says) in [
        ("{\n  \"zrd\": {}\n}", "unknown field `zrd`"),
        ("{\n  \"zrd\": {}\n}", "at line 2 column 7"),
        ("", "standard input"),
        ("[]", "rules are an object"),
    ] {
        let complaint = say(&mine, rules).await;
        assert!(complaint.contains(says), "{rules}: {complaint}");
    }
    let created = ["account", "create", "--email", "eve@example.com"];
    let eve = world.deployment.run(&created).await;
    let (eves, workspace) = (text(&eve, "account_id"), text(&eve, "workspace_id"));
    let foreign_key = ["set", "--account", &eves, "--key", &world.key.hash];
    assert!(say(&foreign_key, "{}").await.contains("has no API key"));
    let foreign = [&mine[..], &["--workspace", &workspace]].concat();
    assert!(say(&foreign, "{}").await.contains("does not exist"));

    let misspelt = json!({ "allowed_providers": ["alder", "adler"] });
    let told = set(&world, &[], &misspelt).await;
    assert!(told["warnings"][0].to_string().contains("adler"), "{told}");
});
