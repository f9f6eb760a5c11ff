//! A stop loses nothing: answers in flight finish, or are ended cleanly when the grace is over.

use std::time::Duration;

use crate::world::*;

const SOON: Duration = Duration::from_millis(500);

/// Opens streams that last about `tokens` × 10 ms, and waits for the first token of each.
async fn open_streams(world: &World, count: usize, tokens: u64) -> Vec<Opened> {
    world
        .simulator()
        .script("alder", vec![drip(tokens, 10); count]);
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut opened = world.ask_for_stream(&question_to(OAK, &["alder"])).await;
        opened.first_text().await;
        streams.push(opened);
    }
    streams
}

fn id_of(opened: &Opened) -> String {
    opened.header("x-generation-id").expect("an id").to_owned()
}

story!(
    streams_finish,
    Setup {
        settings: vec![("server.drain_delay", "2s")],
        ..Setup::default()
    },
    |mut world| {
        let streams = open_streams(&world, 10, 300).await;
        world.node.signal(Signal::Terminate).await;
        let (api, admin) = (world.node.api.clone(), world.node.admin.clone());
        for client in [&api, &admin] {
            wait::until("readiness to turn", SOON, || async {
                let reply = client.get("/readyz").send().await;
                (reply.status == 503).then(|| assert_eq!(reply.json()["reason"], "draining"))
            })
            .await;
            assert_eq!(
                client.get("/healthz").send().await.status,
                200,
                "it still lives"
            );
        }
        let refused = world.ask(&question(OAK)).await;
        refused.error(503);
        assert!(refused.header("retry-after").is_some());
        let mut ids = Vec::new();
        for opened in streams {
            ids.push(id_of(&opened));
            let transcript = opened.transcript().await;
            assert_eq!(transcript.finish_reason(), Some("stop"));
            assert!(transcript.done && transcript.error().is_none());
        }
        let status = world.node.exit().await;
        assert!(status.success(), "{status}");
        let report = world.verified_ledger().await;
        assert_eq!(
            (&report["generations"], &report["leases"]),
            (&json!(10), &json!(0)),
            "{report}"
        );
        world.node.restart(&world.deployment).await;
        for id in ids {
            let record = world.generation(&id).await.ok();
            assert!(record["data"]["total_cost"].as_f64() > Some(0.0));
        }
    }
);

story!(
    when_the_grace_is_over_streams_end_with_an_error,
    Setup {
        settings: vec![("server.drain_grace", "500ms")],
        ..Setup::default()
    },
    |mut world| {
        let streams = open_streams(&world, 5, 20_000).await;
        world.node.signal(Signal::Terminate).await;
        let mut ids = Vec::new();
        for opened in streams {
            ids.push(id_of(&opened));
            let transcript = opened.transcript().await;
            assert_eq!(transcript.finish_reason(), Some("error"));
            let error = transcript.error().expect("an error in the stream");
            assert!(
                error["code"].as_u64().is_some_and(|code| code >= 500),
                "{error}"
            );
        }
        let status = world.node.exit().await;
        assert!(status.success(), "{status}");
        let stopped = world
            .simulator()
            .wait_for("alder", |counters| counters.open == 0);
        tokio::time::timeout(Duration::from_secs(1), stopped)
            .await
            .expect("providers are told");
        let report = world.verified_ledger().await;
        assert_eq!(
            (&report["generations"], &report["leases"]),
            (&json!(5), &json!(0)),
            "{report}"
        );
        world.node.restart(&world.deployment).await;
        for id in ids {
            let record = world.generation(&id).await.ok();
            assert_eq!(
                record["data"]["total_cost"], 0.0,
                "what we broke off costs nothing"
            );
        }
    }
);
