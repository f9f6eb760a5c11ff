//! Calls over real sockets to a simulated provider, in both families.

mod azure;
mod endpoint;
mod headers;
mod prompt_cache;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::{Value, json};
use switchyard_dialects::openai_chat;
use switchyard_domain::{
    clock::{Clock, Timestamp},
    secret::Secret,
};
use switchyard_interchange::{
    event::{ChatEvent, Delta, FinishReason, StreamStep},
    failure::{Failure, FailureKind},
    request::ChatRequest,
};
use switchyard_routing::vetted::Vetted;
use switchyard_simulator::{
    Behaviour, Config, Flaw, Profile, Server, Simulator, Status, behaviour::Replay, serve,
};
use switchyard_upstream::{
    answer::Answer,
    call::{Answered, Call, Upstream},
    egress::EgressPolicy,
    http::HttpUpstream,
    limits::Timeouts,
};
use tokio::net::TcpListener;

use crate::endpoint::Listed;

/// Nothing about it says that it is a key.
const CREDENTIAL: &str = "tall-oaks-grow";

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_795_521_600)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

struct World {
    server: Server,
    upstream: HttpUpstream,
}

impl World {
    async fn new() -> Self {
        Self::with(EgressPolicy {
            private_cidrs: vec!["127.0.0.0/8".parse().expect("a range")],
        })
        .await
    }

    async fn with(egress: EgressPolicy) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let profile = Profile {
            credentials: switchyard_simulator::Credentials::Exactly(vec![CREDENTIAL.to_owned()]),
            ..Profile::default()
        };
        let simulator = Simulator::new(Config {
            profile,
            ..Config::default()
        });
        let server = serve(listener, simulator).expect("a simulator");
        let timeouts = Timeouts {
            connect: Duration::from_secs(2),
            first_byte: Duration::from_millis(300),
            idle: Duration::from_millis(300),
            total: Duration::from_secs(20),
        };
        Self {
            server,
            upstream: HttpUpstream::new(egress, timeouts, Arc::new(Noon)),
        }
    }

    fn endpoint(&self, family: &str) -> Vetted {
        endpoint(family, &self.server.base_url("alpha"))
    }

    fn script(&self, behaviour: Behaviour) {
        self.server.simulator().script("alpha", [behaviour]);
    }

    async fn send(&self, family: &str, stream: bool) -> Result<Answer, Failure> {
        let answered = self.send_and_see(family, stream).await;
        answered.map(|answered| answered.answer)
    }

    async fn send_and_see(&self, family: &str, stream: bool) -> Result<Answered, Failure> {
        let endpoint = self.endpoint(family);
        let credential = Secret::new(CREDENTIAL.as_bytes().to_vec());
        let request = request(stream);
        let call = Call {
            endpoint: &endpoint,
            credential: &credential,
            request: &request,
            affinity: None,
            zero_retention: false,
        };
        self.upstream.send(call).await
    }

    async fn failure(&self, family: &str, behaviour: Behaviour, stream: bool) -> Failure {
        self.script(behaviour);
        match self.send(family, stream).await {
            Err(failure) => failure,
            Ok(Answer::Complete(_)) => panic!("answered in spite of a fault"),
            Ok(Answer::Stream(mut answer)) => {
                let mut steps = Vec::new();
                loop {
                    match answer.read(&mut steps).await {
                        Err(failure) => return failure,
                        Ok(more) => {
                            if let Some(failure) = error_in(&steps) {
                                return failure;
                            }
                            assert!(more, "the stream ended well in spite of a fault");
                        }
                    }
                }
            }
        }
    }
}

fn error_in(steps: &[StreamStep]) -> Option<Failure> {
    steps
        .iter()
        .flat_map(|step| &step.events)
        .find_map(|event| match event {
            ChatEvent::Error(failure) => Some(failure.clone()),
            _ => None,
        })
}

fn endpoint(family: &str, base_url: &str) -> Vetted {
    endpoint_of("alpha", family, base_url, &json!({}))
}

/// An endpoint of a provider by its real name, with more or other fields in its row.
fn endpoint_of(slug: &str, family: &str, base_url: &str, fields: &Value) -> Vetted {
    Listed {
        fields: fields.clone(),
        ..Listed::new(slug, family, base_url)
    }
    .vetted()
}

fn request(stream: bool) -> ChatRequest {
    let body = json!({
        "model": "acme/model", "stream": stream, "max_tokens": 64,
        "messages": [{"role": "user", "content": "hello"}],
    });
    let body = Bytes::from(serde_json::to_vec(&body).expect("JSON"));
    openai_chat::decode_request(body).expect("a valid request")
}

fn text_of(steps: &[StreamStep]) -> String {
    let events = steps.iter().flat_map(|step| &step.events);
    events
        .filter_map(|event| match event {
            ChatEvent::Delta {
                delta: Delta::Text(text),
                ..
            } => Some(text.expose().as_str()),
            _ => None,
        })
        .collect()
}

const FAMILIES: [&str; 2] = ["openai-compatible", "anthropic"];

#[tokio::test]
async fn whole_answers_in_both_families() {
    let world = World::new().await;
    for family in FAMILIES {
        let Ok(Answer::Complete(answer)) = world.send(family, false).await else {
            panic!("{family}: no whole answer")
        };
        assert_eq!(answer.finish.reason, FinishReason::Stop, "{family}");
        assert!(
            answer
                .usage
                .is_some_and(|usage| usage.tokens.output_total() > 0),
            "{family}"
        );
    }
}

#[tokio::test]
async fn streams_in_both_families() {
    let world = World::new().await;
    for family in FAMILIES {
        world.script(Behaviour::text("The quick brown fox."));
        let Ok(Answer::Stream(mut answer)) = world.send(family, true).await else {
            panic!("{family}: no stream")
        };
        let mut steps = Vec::new();
        while answer.read(&mut steps).await.expect("a clean stream") {}
        assert_eq!(text_of(&steps), "The quick brown fox.", "{family}");
        assert!(!answer.read(&mut steps).await.expect("over stays over"));
    }
}

#[tokio::test]
async fn refusals_are_classified() {
    let world = World::new().await;
    for family in FAMILIES {
        for (status, kind) in [
            (401, FailureKind::Auth),
            (403, FailureKind::Permission),
            (429, FailureKind::RateLimit),
            (500, FailureKind::Server),
            (503, FailureKind::Overloaded),
            (529, FailureKind::Overloaded),
        ] {
            let failure = world.failure(family, Behaviour::status(status), true).await;
            assert_eq!(
                (failure.kind, failure.status),
                (kind, Some(status)),
                "{family} {status}"
            );
        }
    }
    let busy = Status {
        status: 429,
        retry_after: Some("7".to_owned()),
        ..Status::default()
    };
    let failure = world
        .failure(FAMILIES[0], Behaviour::Status(busy), false)
        .await;
    assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_used_up_rate_limit_is_told_with_answers_and_refusals() {
    let world = World::new().await;
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let used_up = vec![
        header("x-ratelimit-remaining-requests", "0"),
        header("x-ratelimit-reset-requests", "1m30s"),
    ];
    let wait = Some(Duration::from_secs(90));
    let body = r#"{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Yes."}}]}"#;
    let mut headers = used_up.clone();
    headers.push(header("content-type", "application/json"));
    for (headers, expected) in [(headers.clone(), wait), (headers.split_off(2), None)] {
        world.script(Behaviour::Replay(Replay {
            status: 200,
            headers,
            body: body.into(),
            ..Replay::default()
        }));
        let answered = world.send_and_see(FAMILIES[0], false).await;
        let answered = answered.expect("an answer");
        assert!(matches!(answered.answer, Answer::Complete(_)));
        assert_eq!(answered.exhausted_for, expected);
    }
    let refusal = Status {
        status: 429,
        headers: used_up,
        ..Status::default()
    };
    let failure = world
        .failure(FAMILIES[0], Behaviour::Status(refusal), false)
        .await;
    assert_eq!(failure.retry_after, wait);
}

#[tokio::test]
async fn faults_end_in_typed_failures_within_their_deadlines() {
    let world = World::new().await;
    for family in FAMILIES {
        for (behaviour, kind) in [
            (Behaviour::HangBeforeHeaders, FailureKind::Timeout),
            (Behaviour::EmptyBody { status: 200 }, FailureKind::Protocol),
            (
                Behaviour::flawed(Flaw::Hang { after_events: 2 }),
                FailureKind::Timeout,
            ),
            (
                Behaviour::flawed(Flaw::Cut { after_events: 2 }),
                FailureKind::Protocol,
            ),
            (
                Behaviour::flawed(Flaw::Reset { after_events: 2 }),
                FailureKind::Protocol,
            ),
            (
                Behaviour::flawed(Flaw::BadJson { after_events: 1 }),
                FailureKind::Protocol,
            ),
            (
                Behaviour::flawed(Flaw::HugeLine {
                    after_events: 1,
                    bytes: 2 << 20,
                }),
                FailureKind::Protocol,
            ),
        ] {
            let case = format!("{family} {behaviour:?}");
            let deadline = Duration::from_secs(5);
            let failing = world.failure(family, behaviour, true);
            let failure = tokio::time::timeout(deadline, failing).await;
            assert_eq!(failure.expect("in time").kind, kind, "{case}");
        }
    }
}

#[tokio::test]
async fn t31_a_redirect_is_an_error_and_its_target_hears_nothing() {
    let world = World::new().await;
    let elsewhere = World::new().await;
    for server in [&world.server, &elsewhere.server] {
        let location = server.base_url("thief");
        for family in FAMILIES {
            for status in [301, 302, 303, 307, 308] {
                let behaviour = Behaviour::Redirect {
                    status,
                    location: location.clone(),
                };
                let failure = world.failure(family, behaviour, status % 2 == 0).await;
                assert_eq!(
                    (failure.kind, failure.status),
                    (FailureKind::Protocol, Some(status))
                );
                assert!(!failure.message.contains("thief"), "{}", failure.message);
            }
        }
        assert_eq!(server.simulator().counters("thief").started, 0);
    }
    assert_eq!(world.server.simulator().counters("alpha").started, 20);
}

#[tokio::test]
async fn v9_an_echoed_credential_is_taken_out_wherever_it_stands() {
    let world = World::new().await;
    let complaint = |key: &str| format!("`temperature` is not for {key}");
    let openai = |message: &str| json!({"error": {"type": "invalid_request_error", "code": 400, "message": message}});
    let anthropic = |message: &str| json!({"type": "error", "error": {"type": "invalid_request_error", "message": message}});
    let message = complaint(CREDENTIAL);
    for (family, body, event) in [
        (FAMILIES[0], openai(&message), ""),
        (FAMILIES[1], anthropic(&message), "event: error\n"),
    ] {
        // As an answer, within an answer, and in a stream.
        for (status, kind, body) in [
            (400, "application/json", body.to_string()),
            (200, "application/json", body.to_string()),
            (200, "text/event-stream", format!("{event}data: {body}\n\n")),
        ] {
            let behaviour = Behaviour::Replay(Replay {
                status,
                headers: vec![("content-type".to_owned(), kind.to_owned())],
                body: body.into(),
                ..Replay::default()
            });
            let failure = world
                .failure(family, behaviour, kind.starts_with("text"))
                .await;
            let case = format!("{family} {status} {kind}: {failure:?}");
            assert_eq!(failure.kind, FailureKind::BadRequest, "{case}");
            assert_eq!(failure.message, complaint("[redacted]"), "{case}");
        }
    }
}

#[tokio::test]
async fn private_addresses_are_not_dialled_unless_named() {
    let world = World::with(EgressPolicy::default()).await;
    for host in ["127.0.0.1", "localhost", "[::1]", "2130706433", "127.1"] {
        let port = world.server.address().port();
        let endpoint = endpoint(FAMILIES[0], &format!("http://{host}:{port}/p/alpha/v1"));
        let credential = Secret::new(CREDENTIAL.as_bytes().to_vec());
        let request = request(false);
        let call = Call {
            endpoint: &endpoint,
            credential: &credential,
            request: &request,
            affinity: None,
            zero_retention: false,
        };
        let failure = world.upstream.send(call).await.err().expect("refused");
        assert_eq!(failure.kind, FailureKind::EgressBlocked, "{host}");
    }
    assert_eq!(world.server.simulator().counters("alpha").started, 0);
}

#[tokio::test]
async fn dropping_a_stream_cancels_it_at_the_provider() {
    let world = World::new().await;
    world.script(Behaviour::flawed(Flaw::Hang { after_events: 2 }));
    let Ok(Answer::Stream(mut answer)) = world.send(FAMILIES[0], true).await else {
        panic!("no stream")
    };
    let mut steps = Vec::new();
    assert!(answer.read(&mut steps).await.expect("it began"));
    drop(answer);
    let gone = world
        .server
        .simulator()
        .wait_for("alpha", |counters| counters.aborted == 1);
    tokio::time::timeout(Duration::from_secs(1), gone)
        .await
        .expect("within a second");
}

#[tokio::test]
async fn the_other_form_than_asked_for_is_understood() {
    let world = World::new().await;
    world.script(Behaviour::flawed(Flaw::NoStream));
    assert!(matches!(
        world.send(FAMILIES[0], true).await,
        Ok(Answer::Complete(_))
    ));
}
