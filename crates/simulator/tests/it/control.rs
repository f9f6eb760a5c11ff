//! The control surface for tests in other processes.

use serde_json::{Value, json};
use switchyard_simulator::{Behaviour, Canned, Flaw, Profile, Server};

use crate::client::{Answered, CHAT, MESSAGES, chat, messages, post, send, start, streamed};

async fn control(server: &Server, method: &str, path: &str, body: &Value) -> Answered {
    send(
        server,
        method,
        &format!("/_sim/{path}"),
        &[],
        body.to_string(),
    )
    .await
}

#[tokio::test]
async fn scripts_come_in_full_or_in_words() {
    let server = start().await;
    let script = json!([
        { "do": "status", "status": 503, "retry_after": "2" },
        { "do": "answer", "text": "from afar", "flaws": [{ "flaw": "no_usage" }] },
        { "do": "hang_before_headers" },
        "status=529",
        "tokens=2",
    ]);
    let queued = control(&server, "POST", "script/alpha", &script)
        .await
        .json();
    assert_eq!(queued, json!({ "queued": 5 }));
    let refused = post(&server, CHAT, &chat("Hi")).await;
    assert_eq!(
        (
            refused.status.as_u16(),
            refused.headers["retry-after"].to_str().ok()
        ),
        (503, Some("2"))
    );
    let answered = post(&server, CHAT, &chat("Hi")).await.json();
    assert_eq!(answered["choices"][0]["message"]["content"], "from afar");
    assert!(answered.get("usage").is_none());
    assert_eq!(server.simulator().script_length("alpha"), 3);

    control(&server, "DELETE", "script/alpha", &Value::Null).await;
    control(&server, "POST", "script/alpha", &json!("status=529")).await;
    assert_eq!(post(&server, CHAT, &chat("Hi")).await.status, 529);
    for nonsense in [json!({ "do": "dance" }), json!("dance=1"), json!(7)] {
        assert_eq!(
            control(&server, "POST", "script/alpha", &nonsense)
                .await
                .status,
            400
        );
    }
}

#[tokio::test]
async fn every_behaviour_survives_the_way_through_json() {
    let behaviours = vec![
        Behaviour::default(),
        Behaviour::status(429),
        Behaviour::EmptyBody { status: 204 },
        Behaviour::ErrorInsideOk,
        Behaviour::Redirect {
            status: 301,
            location: "http://127.0.0.1/".to_owned(),
        },
        Behaviour::Replay(switchyard_simulator::behaviour::Replay {
            status: 200,
            body: vec![0, 255, 13].into(),
            chunk_lengths: vec![1, 2],
            ..Default::default()
        }),
        Behaviour::flawed(Flaw::HugeLine {
            after_events: 1,
            bytes: 9,
        }),
        Behaviour::flawed(Flaw::CrLf),
    ];
    let json = serde_json::to_string(&behaviours).unwrap();
    assert_eq!(
        serde_json::from_str::<Vec<Behaviour>>(&json).unwrap(),
        behaviours
    );
}

#[tokio::test]
async fn requests_and_counters_can_be_asked_for() {
    let server = start().await;
    post(&server, CHAT, &chat("Hi")).await;
    let seen = control(&server, "GET", "requests/alpha", &Value::Null).await;
    assert!(!seen.text().contains("Bearer"));
    let seen = seen.json();
    assert_eq!(
        seen["counters"],
        json!({ "started": 1, "finished": 1, "aborted": 0, "open": 0 })
    );
    assert_eq!(seen["requests"][0]["body"], chat("Hi"));
    assert_eq!(seen["requests"][0]["credential"], "bearer");
    let counters = control(&server, "GET", "counters", &Value::Null)
        .await
        .json();
    assert_eq!(counters["alpha"]["finished"], 1);
    control(&server, "DELETE", "requests/alpha", &Value::Null).await;
    let seen = control(&server, "GET", "requests/alpha", &Value::Null)
        .await
        .json();
    assert_eq!(
        (&seen["counters"]["started"], &seen["requests"]),
        (&json!(0), &json!([]))
    );
    assert_eq!(
        control(&server, "GET", "nothing/alpha", &Value::Null)
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn profiles_can_be_replaced() {
    let server = start().await;
    let profile = json!({
        "credentials": { "exactly": ["k2"] },
        "behaviour": { "do": "status", "status": 500 },
    });
    assert_eq!(
        control(&server, "PUT", "profile/alpha", &profile)
            .await
            .status,
        200
    );
    assert_eq!(post(&server, CHAT, &chat("Hi")).await.status, 401);
    let open = json!({ "credentials": "anyone", "behaviour": { "do": "status", "status": 500 } });
    control(&server, "PUT", "profile/alpha", &open).await;
    assert_eq!(post(&server, CHAT, &chat("Hi")).await.status, 500);
    assert_eq!(
        control(&server, "PUT", "profile/alpha", &json!({ "speed": 1 }))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_canned_profile_answers_in_both_dialects() {
    let server = start().await;
    let canned = Canned {
        chunks: 20,
        ..Canned::default()
    };
    let profile = Profile {
        canned: Some(canned),
        ..Profile::default()
    };
    server.simulator().set_profile("alpha", profile);
    let whole = post(&server, CHAT, &chat("Hi")).await.json();
    assert_eq!(whole["usage"]["completion_tokens"], 20);
    let stream = post(&server, CHAT, &streamed(chat("Hi"))).await;
    let events = stream.events();
    let content = events.iter().filter(|event| {
        event["choices"][0]["delta"]["content"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    });
    assert_eq!(content.count(), 20);
    assert_eq!(events[events.len() - 2]["usage"], whole["usage"]);
    let messages = post(&server, MESSAGES, &streamed(messages("Hi"))).await;
    assert_eq!(messages.text().matches("text_delta").count(), 20);
}
