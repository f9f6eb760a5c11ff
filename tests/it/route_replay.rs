//! What a proposed policy would have done to the requests of the past.

use std::fs;

use crate::world::*;

async fn served(world: &World, body: &Value, count: usize) {
    for _ in 0..count {
        let id = text(&world.ask(body).await.ok(), "id");
        world.settled(&id).await;
    }
}

async fn replay(world: &World, rules: &Value, options: &[&str]) -> Value {
    let file = world.deployment.path().join("proposal.json");
    fs::write(&file, rules.to_string()).expect("written");
    let file = file.display().to_string();
    let command = ["route", "replay", "--since", "1h", "--policy", &file];
    world.deployment.run(&[&command, options].concat()).await
}

fn provider<'a>(report: &'a Value, name: &str) -> &'a Value {
    let rows = report["providers"].as_array().expect("a list");
    rows.iter()
        .find(|row| row["provider"] == name)
        .unwrap_or(&Value::Null)
}

story!(a_proposal_is_weighed_before_it_is_set, |world| {
    let listed = with(
        &question(OAK),
        &json!({ "provider": { "order": ["birch"] } }),
    );
    served(&world, &question(OAK), 4).await;
    served(&world, &listed, 3).await;
    served(&world, &question(KEPT), 2).await;
    let asked = ["alder", "birch", "cedar"].map(|provider| world.asked(provider));

    let nothing = replay(&world, &json!({}), &[]).await;
    assert_eq!(nothing["requests"], 9, "{nothing}");
    assert_eq!(nothing["replayed"], 9, "{nothing}");
    assert_eq!(nothing["as_recorded"], 9, "{nothing}");
    assert_eq!(nothing["stays"], 9, "{nothing}");
    assert_eq!(nothing["would_fail"], 0, "{nothing}");
    assert_eq!(nothing["expected_cost"]["delta_usd"], "0", "{nothing}");
    assert_eq!(nothing["measured"]["unknown_share"], 0.0, "{nothing}");
    assert_eq!(
        nothing["measured"]["mean_before_usd"],
        nothing["measured"]["mean_after_usd"]
    );

    let zdr = json!({ "zdr": { "other": true } });
    for scope in ["account", "workspace", "key"] {
        let options = ["--account", &world.account, "--scope", scope];
        let report = replay(&world, &zdr, &options).await;
        assert_eq!(
            report["failing"],
            json!([{ "code": "privacy_restricted", "rule": "zdr", "scope": scope, "requests": 2 }])
        );
        let birch = provider(&report, "Birch");
        assert!(birch["before"].as_u64() >= Some(5), "{report}");
        assert_eq!(birch["after"], 0, "{report}");
        let moves = report["moves"].as_array().expect("a list");
        assert!(
            moves.iter().all(|one| one["from"] == "acme/oak|birch"),
            "{report}"
        );
        // Those that went to birch by order tell nothing of what others would have charged.
        let unknown = report["measured"]["unknown_share"]
            .as_f64()
            .expect("a share");
        assert!((unknown - 3.0 / 7.0).abs() < 1e-3, "{report}");
    }
    assert_eq!(
        ["alder", "birch", "cedar"].map(|provider| world.asked(provider)),
        asked,
        "a replay asks nobody"
    );
    // It was a proposal only.
    world.ask(&question(KEPT)).await.ok();

    let printed = world
        .deployment
        .output(
            &[
                "route",
                "replay",
                "--since",
                "1h",
                "--policy",
                &world
                    .deployment
                    .path()
                    .join("proposal.json")
                    .display()
                    .to_string(),
            ],
            "",
        )
        .await;
    assert!(printed.status.success());
    let printed = String::from_utf8(printed.stdout).expect("text");
    for part in [
        "requests",
        "would fail",
        "zdr of the account",
        "unknown share",
    ] {
        assert!(printed.contains(part), "{printed}");
    }
});

story!(time_and_account_bound_it, |world| {
    served(&world, &question(OAK), 2).await;
    let report = replay(&world, &json!({}), &["--until", "30m"]).await;
    assert_eq!(report["requests"], 0, "{report}");
    let created = ["account", "create", "--email", "eve@example.com"];
    let eve = text(&world.deployment.run(&created).await, "account_id");
    let report = replay(&world, &json!({}), &["--account", &eve]).await;
    assert_eq!(report["requests"], 0, "{report}");
    let report = replay(&world, &json!({}), &["--account", &world.account]).await;
    assert_eq!(report["requests"], 2, "{report}");
});
