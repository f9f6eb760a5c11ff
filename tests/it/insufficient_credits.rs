//! Credit is never overspent: what may cost too much is refused before it is sent.

use tokio::task::JoinSet;

use crate::world::*;

/// A request for [`METER`], whose input is free, that costs exactly what is held for it: 100 output
/// tokens at a micro-dollar each.
pub(crate) fn metered_request() -> Value {
    with(&question(METER), &json!({ "max_tokens": 100 }))
}

pub(crate) const METERED_COST_NANOS: i128 = 100_000;

/// Makes `alder` answer every metered request with its whole length, and slowly, so that requests meet.
pub(crate) fn meter_to_the_full(world: &World, delay_ms: u64) {
    let Behaviour::Answer(base) = answer("Tick.", 10, 100) else {
        unreachable!("it is an answer")
    };
    let behaviour = Behaviour::Answer(Answer {
        delay_ms: Some(delay_ms),
        ..base
    });
    let profile = Profile {
        behaviour,
        ..Profile::default()
    };
    world.simulator().set_profile("alder", profile);
}

/// Sends `count` metered requests at once to each of `apis`; tells how many were served.
pub(crate) async fn storm(apis: &[&HttpClient], key: &str, count: usize) -> usize {
    let mut requests = JoinSet::new();
    for _ in 0..count {
        for api in apis {
            requests.spawn(
                api.post("/api/v1/chat/completions", &metered_request())
                    .key(key)
                    .send(),
            );
        }
    }
    let mut served = 0;
    while let Some(reply) = requests.join_next().await {
        let reply = reply.expect("every request is answered");
        if reply.status == 200 {
            served += 1;
        } else {
            reply.error(402);
        }
    }
    served
}

/// Sends metered requests one after another until one is refused; tells how many were served.
pub(crate) async fn drain(api: &HttpClient, key: &str) -> usize {
    let ask = || {
        api.post("/api/v1/chat/completions", &metered_request())
            .key(key)
            .send()
    };
    let mut served = 0;
    loop {
        let reply = ask().await;
        if reply.status != 200 {
            reply.error(402);
            return served;
        }
        served += 1;
        assert!(served <= 1_000, "there is no end to it");
    }
}

story!(
    two_hundred_at_once_on_credit_for_ten,
    Setup {
        credit_usd: Some("0.001"),
        ..Setup::default()
    },
    |world| {
        meter_to_the_full(&world, 500);
        let served = storm(&[world.api()], &world.key.text, 200).await;
        assert!((1..=10).contains(&served), "{served} were served");
        // What the storm did not get is still there, to the last request.
        meter_to_the_full(&world, 0);
        world.nothing_held().await;
        let rest = drain(world.api(), &world.key.text).await;
        assert_eq!(served + rest, 10);

        let report = world.nothing_held().await;
        assert_eq!(report["generations"], 10, "{report}");
        let manager = world.create_key(&["--management"]).await;
        assert_eq!(
            total_usage_nanos(&world, &manager).await,
            10 * METERED_COST_NANOS
        );
        assert_eq!(world.asked("alder"), 10, "nobody else was sent on");
    }
);

story!(
    a_refusal_says_what_is_affordable,
    Setup {
        credit_usd: Some("0.00004"),
        ..Setup::default()
    },
    |world| {
        let reply = world.ask(&metered_request()).await;
        let error = reply.error(402);
        assert_eq!(error["metadata"]["error_type"], "payment_required");
        let affordable = error["metadata"]["affordable_output_tokens"].as_u64();
        assert_eq!(affordable, Some(40), "{error}");
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|text| text.contains("40")),
            "{error}"
        );
        assert_eq!(world.asked("alder"), 0);

        // Asking for that much works, and then nothing is left.
        world.simulator().script("alder", [answer("Tick.", 10, 40)]);
        world
            .ask(&with(&metered_request(), &json!({ "max_tokens": 40 })))
            .await
            .ok();
        world
            .ask(&with(&metered_request(), &json!({ "max_tokens": 1 })))
            .await
            .error(402);
        world.grant("0.001").await;
        meter_to_the_full(&world, 0);
        world.ask(&metered_request()).await.ok();
    }
);

story!(
    who_sets_no_limit_gets_what_is_affordable,
    Setup {
        credit_usd: Some("0.00004"),
        ..Setup::default()
    },
    |world| {
        world.simulator().script("alder", [answer("Tick.", 10, 40)]);
        world.ask(&question(METER)).await.ok();
        let sent = world.simulator().requests("alder")[0].json();
        let limit = sent.get("max_tokens").or(sent.get("max_completion_tokens"));
        assert_eq!(limit.and_then(Value::as_u64), Some(40), "{sent}");
    }
);

story!(
    without_credit,
    Setup {
        credit_usd: None,
        ..Setup::default()
    },
    |world| {
        let error = world.ask(&question(OAK)).await.error(402);
        assert_eq!(error["metadata"]["affordable_output_tokens"], 0, "{error}");
        world
            .chat(&streaming(&question(OAK)))
            .send()
            .await
            .error(402);
        assert_eq!(
            world.asked("alder") + world.asked("birch") + world.asked("cedar"),
            0
        );
    }
);
