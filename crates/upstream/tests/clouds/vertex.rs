//! Google Vertex AI: what leaves, and what becomes of what comes back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use switchyard_domain::clock::{Clock, Timestamp};
use switchyard_interchange::failure::FailureKind;
use switchyard_routing::vetted::Vetted;
use switchyard_upstream::http::HttpUpstream;

use crate::{
    endpoint::{Place, Told, chat, message, send, text_of},
    fake::{Arrived, Cloud, Noon, Reply, recording, replay},
};

const LISTED: &str =
    "https://{region}-aiplatform.googleapis.com/v1/projects/{project}/locations/{region}";
const KEY_FILE: &str = include_str!("../../fixtures/vertex/service-account.json");
const CLAUDE: &str = "claude-haiku-4-5@20251001";

/// The headers that leave with every request.
const HEADERS: [&str; 6] = [
    "accept",
    "accept-encoding",
    "authorization",
    "content-length",
    "content-type",
    "user-agent",
];

fn model(name: &str, regions: Option<&[&str]>) -> Vetted {
    Place {
        family: "vertex",
        base_url: LISTED,
        model: name,
        regions,
        is_own: false,
    }
    .vetted()
}

fn key_file(region: Option<&str>) -> String {
    let mut file: Value = serde_json::from_str(KEY_FILE).expect("JSON");
    if let Some(region) = region {
        file["region"] = json!(region);
    }
    file.to_string()
}

fn token(name: &str) -> Reply {
    let body = json!({"access_token": name, "expires_in": 3_599, "token_type": "Bearer"});
    Reply::json(200, &body)
}

fn claude_answer() -> Reply {
    replay(&recording(
        "../dialects/fixtures/anthropic_messages/anthropic-plain.json",
    ))
}

fn chat_answer() -> Reply {
    let message = json!({"role": "assistant", "content": "Yes."});
    let choice = json!({"index": 0, "finish_reason": "stop", "message": message});
    Reply::json(200, &json!({"choices": [choice]}))
}

/// A clock that can be put forward.
#[derive(Default)]
struct Later(AtomicU64);

impl Clock for Later {
    fn now(&self) -> Timestamp {
        Noon.now()
            .plus(Duration::from_secs(self.0.load(Ordering::Relaxed)))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

struct World {
    cloud: Cloud,
    clock: Arc<Later>,
    upstream: HttpUpstream,
}

impl World {
    async fn new() -> Self {
        let cloud = Cloud::start().await;
        let clock = Arc::new(Later::default());
        Self {
            upstream: cloud.upstream(clock.clone()),
            cloud,
            clock,
        }
    }

    /// Sends a request for which no token is there yet, and says what arrived at the model.
    async fn arrives(&self, endpoint: &Vetted, credential: &str, reply: Reply) -> Arrived {
        self.cloud.reply(token("ya29.first"));
        self.cloud.reply(reply);
        let told = send(&self.upstream, endpoint, credential, &chat(false)).await;
        told.expect("an answer");
        let mut arrived = self.cloud.arrived();
        assert_eq!(arrived.len(), 2);
        arrived.remove(1)
    }
}

#[tokio::test]
async fn t33_a_token_and_the_listed_headers_leave_and_the_key_stays_here() {
    let world = World::new().await;
    world.cloud.reply(token("ya29.first"));
    world.cloud.reply(claude_answer());
    let claude = model(CLAUDE, None);
    let told = send(&world.upstream, &claude, &key_file(None), &chat(false)).await;
    told.expect("an answer");
    let arrived = world.cloud.arrived();
    let [exchange, call] = &arrived[..] else {
        panic!("{} requests", arrived.len())
    };

    assert_eq!(exchange.host, "oauth2.googleapis.com");
    assert_eq!(exchange.path, "/token");
    let without_token: Vec<&str> = HEADERS
        .into_iter()
        .filter(|name| *name != "authorization")
        .collect();
    assert_eq!(exchange.header_names(), without_token);
    assert_eq!(
        exchange.header("content-type"),
        "application/x-www-form-urlencoded"
    );

    assert_eq!(call.host, "aiplatform.googleapis.com");
    assert_eq!(
        call.path,
        "/v1/projects/acme-models-42/locations/global/publishers/anthropic/models/claude-haiku-4-5%4020251001:rawPredict"
    );
    assert_eq!(call.header_names(), HEADERS);
    assert_eq!(call.header("authorization"), "Bearer ya29.first");
    assert_eq!(
        call.json(),
        json!({
            "anthropic_version": "vertex-2023-10-16",
            "max_tokens": 64,
            "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
        })
    );
    let file: Value = serde_json::from_str(KEY_FILE).expect("JSON");
    let pem = file["private_key"].as_str().expect("a text");
    let line = pem.lines().nth(5).expect("a line of the key");
    for arrived in &arrived {
        let body = String::from_utf8_lossy(&arrived.body);
        assert!(!body.contains(line) && !format!("{:?}", arrived.headers).contains(line));
    }
}

#[tokio::test]
async fn googles_own_models_and_those_of_others_are_asked_in_openais_format() {
    for (name, sent) in [
        ("gemini-2.5-flash", "google/gemini-2.5-flash"),
        (
            "meta/llama-3.3-70b-instruct-maas",
            "meta/llama-3.3-70b-instruct-maas",
        ),
    ] {
        let world = World::new().await;
        let regional = key_file(Some("us-central1"));
        let arrived = world
            .arrives(&model(name, None), &regional, chat_answer())
            .await;
        assert_eq!(arrived.host, "us-central1-aiplatform.googleapis.com");
        assert_eq!(
            arrived.path,
            "/v1/projects/acme-models-42/locations/us-central1/endpoints/openapi/chat/completions"
        );
        assert_eq!(arrived.header_names(), HEADERS);
        assert_eq!(arrived.json()["model"], sent);
    }
}

#[tokio::test]
async fn calls_go_where_the_endpoint_is() {
    for (region, stated, host) in [
        (
            None,
            &["us-east5"][..],
            "us-east5-aiplatform.googleapis.com",
        ),
        (None, &["eu"], "aiplatform.eu.rep.googleapis.com"),
        (
            Some("europe-west4"),
            &["eu"],
            "europe-west4-aiplatform.googleapis.com",
        ),
        (None, &["global"], "aiplatform.googleapis.com"),
    ] {
        let world = World::new().await;
        let claude = model(CLAUDE, Some(stated));
        let arrived = world
            .arrives(&claude, &key_file(region), claude_answer())
            .await;
        assert_eq!(arrived.host, host);
    }
    let world = World::new().await;
    let claude = model(CLAUDE, Some(&["eu"]));
    let told = send(
        &world.upstream,
        &claude,
        &key_file(Some("us-east5")),
        &chat(false),
    )
    .await;
    let failure = told.err().expect("refused");
    assert_eq!(failure.kind, FailureKind::Unsupported);
    assert!(failure.message.contains("us-east5"), "{failure}");
    assert!(world.cloud.arrived().is_empty());
}

#[tokio::test]
async fn streams_are_server_sent_events_in_the_models_format() {
    let world = World::new().await;
    let recorded = recording("../dialects/fixtures/anthropic_messages/anthropic-stream.json");
    world.cloud.reply(token("ya29.first"));
    world.cloud.reply(replay(&recorded).in_pieces_of(11));
    let claude = model(CLAUDE, None);
    let told = send(&world.upstream, &claude, &key_file(None), &message(true)).await;
    let Ok(Told::Stream(steps, Ok(()))) = told else {
        panic!("no whole stream")
    };
    assert!(!text_of(&steps).is_empty());
    let call = world.cloud.arrived().remove(1);
    assert!(call.path.ends_with(":streamRawPredict"), "{}", call.path);
    let body = call.json();
    assert_eq!(body["stream"], true);
    for left_out in ["model", "cache_control", "service_tier"] {
        assert!(body.get(left_out).is_none(), "{left_out}");
    }
}

#[tokio::test]
async fn a_token_is_fetched_once_and_again_when_it_is_refused_or_old() {
    let world = World::new().await;
    let claude = model(CLAUDE, None);
    let credential = key_file(None);
    let hosts = |arrived: Vec<Arrived>| -> Vec<String> {
        arrived
            .iter()
            .map(|arrived| match arrived.host.as_str() {
                "oauth2.googleapis.com" => "token".to_owned(),
                _ => arrived.header("authorization").to_owned(),
            })
            .collect()
    };
    world.arrives(&claude, &credential, claude_answer()).await;

    world.cloud.reply(claude_answer());
    send(&world.upstream, &claude, &credential, &chat(false))
        .await
        .expect("an answer");
    assert_eq!(hosts(world.cloud.arrived()), ["Bearer ya29.first"]);

    let refusal = json!({"error": {"code": 401, "message": "Request had invalid authentication credentials ya29.first", "status": "UNAUTHENTICATED"}});
    world.cloud.reply(Reply::json(401, &refusal));
    let told = send(&world.upstream, &claude, &credential, &chat(false)).await;
    let failure = told.err().expect("refused");
    assert_eq!(failure.kind, FailureKind::Auth);
    assert!(!failure.to_string().contains("ya29"), "{failure}");
    world.cloud.arrived();

    world.cloud.reply(token("ya29.second"));
    world.cloud.reply(claude_answer());
    send(&world.upstream, &claude, &credential, &chat(false))
        .await
        .expect("an answer");
    assert_eq!(
        hosts(world.cloud.arrived()),
        ["token", "Bearer ya29.second"]
    );

    world.clock.0.store(3_300, Ordering::Relaxed);
    world.cloud.reply(token("ya29.third"));
    world.cloud.reply(claude_answer());
    send(&world.upstream, &claude, &credential, &chat(false))
        .await
        .expect("an answer");
    assert_eq!(hosts(world.cloud.arrived()), ["token", "Bearer ya29.third"]);
}

#[tokio::test]
async fn refusals_are_classified_wherever_they_come_from() {
    let world = World::new().await;
    let gemini = model("gemini-does-not-exist", None);
    world.cloud.reply(token("ya29.first"));
    world
        .cloud
        .reply(replay(&recording("fixtures/vertex/vertex-err-404.json")));
    let told = send(&world.upstream, &gemini, &key_file(None), &chat(false)).await;
    let failure = told.err().expect("refused");
    assert_eq!(
        (failure.kind, failure.status),
        (FailureKind::NotFound, Some(404))
    );
    world.cloud.arrived();

    let other = key_file(Some("us-central1"));
    let refusal = json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."});
    for (reply, expected) in [
        (Reply::json(400, &refusal), FailureKind::Auth),
        (
            Reply::new(302, "text/html", "").with("location", "https://oauth2.evil.example/token"),
            FailureKind::Protocol,
        ),
    ] {
        world.clock.0.fetch_add(60, Ordering::Relaxed);
        world.cloud.reply(reply);
        let told = send(&world.upstream, &gemini, &other, &chat(false)).await;
        assert_eq!(told.err().expect("refused").kind, expected);
        let arrived = world.cloud.arrived();
        assert_eq!(arrived.len(), 1);
        assert_eq!(arrived[0].host, "oauth2.googleapis.com");
    }
}

#[tokio::test]
async fn a_key_file_that_names_another_token_service_is_sent_nowhere() {
    let world = World::new().await;
    let mut file: Value = serde_json::from_str(KEY_FILE).expect("JSON");
    file["token_uri"] = json!("https://evil.googleapis.com/token");
    let told = send(
        &world.upstream,
        &model(CLAUDE, None),
        &file.to_string(),
        &chat(false),
    )
    .await;
    assert_eq!(told.err().expect("refused").kind, FailureKind::Auth);
    assert!(world.cloud.arrived().is_empty());
}
