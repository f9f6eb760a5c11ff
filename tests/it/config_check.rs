//! Settings and catalogues that are wrong are told before anything starts, all faults together.

use std::fs;

use switchyard_testkit::catalog::TestCatalog;

use crate::world::*;

fn deployment() -> Deployment {
    let catalog = TestCatalog::new(|provider| format!("https://{provider}.example/v1"));
    Deployment::new(binary(), Configuration::Embedded, &catalog)
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(bytes)))
}

#[tokio::test]
async fn every_fault_is_told_at_once() {
    let mut deployment = deployment();
    let good = deployment.run(&["config", "check"]).await;
    assert_eq!(good["ok"], true, "{good}");

    deployment.set("server.listen", "nowhere");
    deployment.set("upstream.idle_timeout", "soon");
    deployment.set("server.no_such_setting", "1");
    deployment.set_variable("REDIS_URL", "mongodb://x");
    let names = [
        "server.listen",
        "idle_timeout",
        "no_such_setting",
        "redis.url",
    ];
    let checked = deployment.output(&["config", "check", "--json"], "").await;
    assert!(!checked.status.success());
    let report = json_of(&checked.stdout);
    assert_eq!(report["ok"], false);
    let faults = report["faults"].as_array().expect("a list").iter();
    let faults: Vec<_> = faults.filter_map(Value::as_str).collect();
    assert_eq!(faults.len(), names.len(), "{faults:?}");

    let served = deployment.output(&["serve"], "").await;
    assert!(!served.status.success(), "a node does not start on a guess");
    let said = String::from_utf8_lossy(&served.stderr).into_owned();
    for name in names {
        assert!(
            faults.iter().any(|fault| fault.contains(name)),
            "{name} in {faults:?}"
        );
        assert!(said.contains(name), "{name} in {said}");
    }
}

#[tokio::test]
async fn settings_come_from_file_and_environment_and_say_so() {
    let mut deployment = deployment();
    let file = deployment.path().join("switchyard.toml");
    fs::write(
        &file,
        "[upstream]\nidle_timeout = \"7s\"\nconnect_timeout = \"2s\"\n",
    )
    .expect("the folder is writable");
    deployment.set("upstream.connect_timeout", "1s");
    deployment.set_variable(
        "DATABASE_URL",
        "postgres://ada:hunter2@db.example/switchyard",
    );
    let path = file.display().to_string();
    let shown = deployment.run(&["--config", &path, "config", "show"]).await;
    assert_eq!(shown["upstream.idle_timeout"]["value"], "7s");
    assert!(text(&shown["upstream.idle_timeout"], "origin").contains("switchyard.toml"));
    assert_eq!(
        shown["upstream.connect_timeout"]["value"], "1s",
        "the environment wins"
    );
    assert_eq!(
        shown["server.drain_grace"]["value"], "300s",
        "the rest keeps its default"
    );
    assert!(!shown.to_string().contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_catalogue_is_checked_without_a_node() {
    let deployment = deployment();
    let folder = deployment.catalog_folder().display().to_string();
    let good = deployment.run(&["catalog", "check", &folder]).await;
    assert_eq!(
        (&good["ok"], &good["providers"]),
        (&json!(true), &json!(4)),
        "{good}"
    );

    let models = deployment.catalog_folder().join("models.json");
    let rows = fs::read_to_string(&models).expect("the file is there");
    fs::write(&models, rows.replace("acme/meter", "acme/metre")).expect("the file can be written");
    let checked = deployment
        .output(&["catalog", "check", &folder, "--json"], "")
        .await;
    assert!(!checked.status.success());
    let report = json_of(&checked.stdout);
    assert!(
        report["faults"].to_string().contains("acme/meter"),
        "{report}"
    );
    let served = deployment.output(&["serve"], "").await;
    assert!(
        !served.status.success(),
        "a node does not start on half a catalogue"
    );
}

#[tokio::test]
async fn commands_refuse_what_makes_no_sense() {
    let deployment = deployment();
    let created = deployment
        .run(&["account", "create", "--email", "ada@example.com"])
        .await;
    let account = text(&created, "account_id");
    for command in [
        vec![
            "credit",
            "grant",
            "--account",
            &account,
            "--usd",
            "-1",
            "--reason",
            "x",
        ],
        vec![
            "credit",
            "grant",
            "--account",
            &account,
            "--usd",
            "much",
            "--reason",
            "x",
        ],
        vec![
            "key",
            "create",
            "--account",
            &account,
            "--name",
            "k",
            "--limit-usd",
            "-1",
        ],
        vec!["key", "create", "--account", "nobody", "--name", "k"],
        vec![
            "key",
            "create",
            "--account",
            &account,
            "--name",
            "k",
            "--expires-at",
            "tomorrow",
        ],
        vec!["provider-key", "set", "nobody"],
        vec!["account", "create", "--email", "no address"],
    ] {
        let output = deployment.output(&command, "secret").await;
        assert!(!output.status.success(), "{command:?}");
        assert!(!output.stderr.is_empty(), "{command:?} says why");
    }
    let empty = deployment
        .output(&["provider-key", "set", "alder"], "")
        .await;
    assert!(!empty.status.success(), "an empty credential is none");
}

#[tokio::test]
async fn a_keyring_that_others_can_read_or_that_is_gone_is_not_used() {
    use std::os::unix::fs::PermissionsExt;

    let deployment = deployment();
    deployment
        .run_with_input(&["provider-key", "set", "alder"], &provider_secret("alder"))
        .await;
    let keyring = deployment.path().join("keys/keyring.json");
    let mode = |mode| fs::Permissions::from_mode(mode);
    let command = ["account", "create", "--email", "ada@example.com"];
    fs::set_permissions(&keyring, mode(0o644)).expect("the file is ours");
    assert!(
        !deployment.output(&command, "").await.status.success(),
        "others could read it"
    );
    fs::set_permissions(&keyring, mode(0o600)).expect("the file is ours");
    deployment.run(&command).await;
    let aside = keyring.with_extension("aside");
    fs::rename(&keyring, &aside).expect("the folder is ours");
    assert!(
        !deployment.output(&command, "").await.status.success(),
        "sealed rows need it"
    );
    assert!(!keyring.exists(), "no new one is made in its place");
}
