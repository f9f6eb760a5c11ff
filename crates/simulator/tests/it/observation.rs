//! What is seen, counted, and noticed when the client leaves.

use std::time::Duration;

use switchyard_simulator::{Answer, Behaviour, Flaw};
use tokio::time::timeout;

use crate::client::{CHAT, Call, chat, post, send, start, streamed};

#[tokio::test]
async fn requests_are_remembered_without_their_credentials() {
    let server = start().await;
    let headers = [
        ("authorization", "Bearer very-secret"),
        ("x-title", "tests"),
        ("cookie", "session=very-secret"),
    ];
    send(&server, "POST", CHAT, &headers, chat("Hi").to_string()).await;
    let requests = server.simulator().requests("alpha");
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!(
        (request.method.as_str(), request.path.as_str()),
        ("POST", CHAT)
    );
    assert_eq!(request.credential.as_deref(), Some("bearer"));
    assert_eq!(request.header("x-title"), Some("tests"));
    assert_eq!(request.json(), chat("Hi"));
    assert!(!format!("{request:?}").contains("very-secret"));
}

#[tokio::test]
async fn memory_is_a_ring() {
    let server = start().await;
    for number in 0..260 {
        post(&server, CHAT, &chat(&format!("{number} [[sim: tokens=1]]"))).await;
    }
    let requests = server.simulator().requests("alpha");
    assert_eq!(
        (requests.len(), requests[0].number, requests[255].number),
        (256, 5, 260)
    );
    let counters = server.simulator().counters("alpha");
    assert_eq!(
        (counters.started, counters.finished, counters.open),
        (260, 260, 0)
    );
}

/// However an answer is stuck, the client's leaving is noticed at once.
#[tokio::test]
async fn leaving_is_noticed() {
    let slow = Behaviour::Answer(Answer {
        token_delay_ms: Some(60_000),
        ..Answer::default()
    });
    let late = Behaviour::Answer(Answer {
        delay_ms: Some(60_000),
        ..Answer::default()
    });
    let hanging = Behaviour::flawed(Flaw::Hang { after_events: 2 });
    for behaviour in [Behaviour::HangBeforeHeaders, hanging, slow, late] {
        let server = start().await;
        let simulator = server.simulator();
        simulator.script("alpha", [behaviour.clone()]);
        let headers = [("authorization", "Bearer k")];
        let body = streamed(chat("Hi")).to_string();
        let opened = Call::open(server.address(), "POST", CHAT, &headers, body);
        let call = tokio::select! {
            call = opened => Some(call),
            () = async {
                simulator.wait_for("alpha", |counters| counters.open == 1).await;
                while simulator.requests("alpha").is_empty() {
                    tokio::task::yield_now().await;
                }
            } => None,
        };
        drop(call);
        let left = simulator.wait_for("alpha", |counters| counters.aborted == 1);
        let counters = timeout(Duration::from_secs(1), left).await.unwrap();
        assert_eq!((counters.open, counters.finished), (0, 0), "{behaviour:?}");
    }
}

#[tokio::test]
async fn a_planned_break_is_not_an_abort() {
    let server = start().await;
    for flaw in [
        Flaw::Cut { after_events: 2 },
        Flaw::Reset { after_events: 2 },
    ] {
        server
            .simulator()
            .script("alpha", [Behaviour::flawed(flaw)]);
        post(&server, CHAT, &streamed(chat("Hi"))).await;
    }
    let counters = server
        .simulator()
        .wait_for("alpha", |counters| counters.open == 0)
        .await;
    assert_eq!((counters.finished, counters.aborted), (2, 0));
}

#[tokio::test]
async fn stopping_ends_what_hangs() {
    let server = start().await;
    let simulator = server.simulator().clone();
    simulator.script("alpha", [Behaviour::flawed(Flaw::Hang { after_events: 1 })]);
    let headers = [("authorization", "Bearer k")];
    let body = streamed(chat("Hi")).to_string();
    let _call = Call::open(server.address(), "POST", CHAT, &headers, body).await;
    let address = server.address();
    timeout(Duration::from_secs(5), server.stop())
        .await
        .unwrap();
    assert_eq!(simulator.counters("alpha").open, 0);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
