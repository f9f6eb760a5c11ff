//! The catalogue is replaced while the node serves; one with faults is not taken.

use std::{fs, time::Duration};

use crate::world::*;

const PATIENCE: Duration = Duration::from_secs(10);

async fn is_logged(world: &World, words: &str) {
    wait::until(words, PATIENCE, || async {
        world.node.logs().contains(words).then_some(())
    })
    .await;
}

story!(
    a_new_model_can_be_called_and_a_broken_file_changes_nothing,
    |mut world| {
        world.ask(&question("acme/elm")).await.error(400);
        world.catalog.add_model("acme/elm");
        world.deployment.write_catalog(&world.catalog);
        world.node.signal(Signal::HangUp).await;
        wait::until("the new model", PATIENCE, || async {
            let reply = world.api().get("/api/v1/model/acme/elm").send().await;
            (reply.status == 200).then_some(())
        })
        .await;
        world.ask(&question("acme/elm")).await.ok();

        let endpoints = world.deployment.catalog_folder().join("endpoints.json");
        let good = fs::read_to_string(&endpoints).expect("the file is there");
        fs::write(&endpoints, &good[..good.len() / 2]).expect("the file can be written");
        world.node.signal(Signal::HangUp).await;
        is_logged(&world, "the last good one stays").await;
        world.ask(&question("acme/elm")).await.ok();
        world.ask(&question(OAK)).await.ok();
        assert_eq!(world.api().get("/readyz").send().await.status, 200);

        let refused = world
            .node
            .admin
            .call(Method::POST, "/admin/catalog/reload")
            .send()
            .await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert!(
            refused.json()["faults"]
                .as_array()
                .is_some_and(|faults| !faults.is_empty())
        );
        fs::write(&endpoints, good).expect("the file can be written");
        let taken = world
            .node
            .admin
            .call(Method::POST, "/admin/catalog/reload")
            .send()
            .await
            .ok();
        assert_eq!(taken["changed"], false, "it is what is in use: {taken}");
    }
);

story!(a_new_price_holds_for_new_requests_only, |mut world| {
    world
        .simulator()
        .script("alder", [answer("Old.", 33, 7), answer("New.", 33, 7)]);
    let before = world.ask(&question_to(OAK, &["alder"])).await;
    before.ok();
    let mut pricing = json!({ "prompt": "0.00001", "completion": "0.00002" });
    for unknown in ["request", "image", "input_cache_read", "input_cache_write"] {
        pricing[unknown] = Value::Null;
    }
    world
        .catalog
        .change_endpoint(OAK, "alder", "pricing", pricing);
    world.deployment.write_catalog(&world.catalog);
    let taken = world
        .node
        .admin
        .call(Method::POST, "/admin/catalog/reload")
        .send()
        .await
        .ok();
    assert_eq!(taken["repriced_endpoints"], 1, "{taken}");
    let after = world.ask(&question_to(OAK, &["alder"])).await;
    after.ok();
    assert_eq!(
        nanos_at(before.text(), "/usage/cost"),
        cost_nanos(oak_prices("alder"), 33, 7)
    );
    assert_eq!(
        nanos_at(after.text(), "/usage/cost"),
        33 * 10_000 + 7 * 20_000
    );
    let id = text(&before.json(), "id");
    let record = world.generation(&id).await;
    let charged = nanos_at(record.text(), "/data/total_cost");
    assert_eq!(
        charged,
        cost_nanos(oak_prices("alder"), 33, 7),
        "what is charged stays charged"
    );
});
