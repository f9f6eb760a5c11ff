//! Amazon Bedrock: what leaves, and what becomes of what comes back.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use switchyard_interchange::failure::{Failure, FailureKind};
use switchyard_routing::vetted::Vetted;
use switchyard_upstream::http::HttpUpstream;

use crate::{
    endpoint::{Place, Told, chat, message, send, text_of},
    fake::{Arrived, Cloud, Noon, Reply, recording, replay},
    signature::is_signed,
};

const LISTED: &str = "https://bedrock-runtime.{region}.amazonaws.com";
const CLAUDE: &str = "us.anthropic.claude-3-5-sonnet-20240620-v1:0";
const OPEN_MODEL: &str = "openai.gpt-oss-20b-1:0";
const API_KEY: &str = "ABSKQmVkcm9ja0FQSUtleS1leGFtcGxl";
const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLETOKEN";

/// The headers that leave with every request, beside those of the credential.
const COMMON: [&str; 5] = [
    "accept",
    "accept-encoding",
    "content-length",
    "content-type",
    "user-agent",
];

fn place<'a>(model: &'a str, regions: Option<&'a [&'a str]>) -> Place<'a> {
    Place {
        family: "bedrock",
        base_url: LISTED,
        model,
        regions,
        is_own: false,
    }
}

fn claude(regions: Option<&[&str]>) -> Vetted {
    place(CLAUDE, regions).vetted()
}

fn access_key(region: &str) -> String {
    json!({"accessKeyId": KEY_ID, "secretAccessKey": SECRET, "region": region}).to_string()
}

fn answer() -> Reply {
    let recorded = recording("../dialects/fixtures/anthropic_messages/anthropic-plain.json");
    replay(&recorded)
}

fn chat_answer() -> Reply {
    replay(&recording(
        "../dialects/fixtures/openai_chat/bedrock-openai-chat.json",
    ))
}

fn invocation() -> Value {
    recording("fixtures/bedrock/bedrock-invoke-stream-anthropic-tool.json")
}

struct World {
    cloud: Cloud,
    upstream: HttpUpstream,
}

impl World {
    async fn new() -> Self {
        let cloud = Cloud::start().await;
        let upstream = cloud.upstream(Arc::new(Noon));
        Self { cloud, upstream }
    }

    /// Sends one request, which is answered with `reply`, and says what arrived.
    async fn arrives(&self, endpoint: &Vetted, credential: &str, reply: Reply) -> Arrived {
        self.cloud.reply(reply);
        let told = send(&self.upstream, endpoint, credential, &chat(false)).await;
        told.expect("an answer");
        let mut arrived = self.cloud.arrived();
        assert_eq!(arrived.len(), 1);
        arrived.remove(0)
    }

    /// How a request that is answered with `reply` fails.
    async fn failure(&self, reply: Reply, stream: bool) -> Failure {
        self.cloud.reply(reply);
        match send(&self.upstream, &claude(None), API_KEY, &chat(stream)).await {
            Err(failure) => failure,
            Ok(Told::Stream(_, Err(failure))) => failure,
            Ok(Told::Stream(_, Ok(())) | Told::Complete) => panic!("an answer"),
        }
    }
}

fn names(of_credential: &[&'static str]) -> Vec<&'static str> {
    let mut names: Vec<&str> = COMMON
        .into_iter()
        .chain(of_credential.iter().copied())
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn t33_an_api_key_and_the_listed_headers_leave_and_nothing_else() {
    let world = World::new().await;
    let arrived = world.arrives(&claude(None), API_KEY, answer()).await;
    assert_eq!(arrived.host, "bedrock-runtime.us-east-1.amazonaws.com");
    assert_eq!(
        arrived.path,
        "/model/us.anthropic.claude-3-5-sonnet-20240620-v1%3A0/invoke"
    );
    assert_eq!(arrived.header_names(), names(&["authorization"]));
    assert_eq!(arrived.header("authorization"), format!("Bearer {API_KEY}"));
    assert_eq!(arrived.header("accept"), "application/json");
    assert_eq!(
        arrived.json(),
        json!({
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 64,
            "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
        })
    );
}

#[tokio::test]
async fn t33_an_access_key_signs_what_leaves_and_stays_here() {
    let world = World::new().await;
    let temporary = json!({
        "accessKeyId": KEY_ID, "secretAccessKey": SECRET, "region": "eu-west-1",
        "sessionToken": SESSION_TOKEN,
    });
    let signature = ["authorization", "x-amz-content-sha256", "x-amz-date"];
    let with_token = [&signature[..], &["x-amz-security-token"]].concat();
    let open_model = place(OPEN_MODEL, None).vetted();
    for (endpoint, reply, path) in [
        (
            claude(None),
            answer(),
            "/model/us.anthropic.claude-3-5-sonnet-20240620-v1%3A0/invoke",
        ),
        (open_model, chat_answer(), "/openai/v1/chat/completions"),
    ] {
        for (credential, headers) in [
            (access_key("eu-west-1"), &signature[..]),
            (temporary.to_string(), &with_token),
        ] {
            let arrived = world.arrives(&endpoint, &credential, reply.clone()).await;
            assert_eq!(arrived.host, "bedrock-runtime.eu-west-1.amazonaws.com");
            assert_eq!(arrived.path, path);
            assert_eq!(arrived.header_names(), names(headers));
            assert_eq!(arrived.header("x-amz-date"), "20261124T120000Z");
            assert!(is_signed(&arrived, KEY_ID, SECRET, "eu-west-1"), "{path}");
            assert!(!is_signed(&arrived, KEY_ID, "another secret", "eu-west-1"));
            let mut changed = arrived.clone();
            changed.path.push('x');
            assert!(!is_signed(&changed, KEY_ID, SECRET, "eu-west-1"));
            assert!(!format!("{arrived:?}").contains(SECRET));
        }
    }
}

#[tokio::test]
async fn open_models_of_openai_are_asked_in_their_own_format() {
    let world = World::new().await;
    let open_model = place(OPEN_MODEL, Some(&["eu-west-1"])).vetted();
    let arrived = world.arrives(&open_model, API_KEY, chat_answer()).await;
    // A key that names no region is tried where the endpoint is.
    assert_eq!(arrived.host, "bedrock-runtime.eu-west-1.amazonaws.com");
    assert_eq!(arrived.header_names(), names(&["authorization"]));
    assert_eq!(arrived.json()["model"], OPEN_MODEL);
}

#[tokio::test]
async fn a_body_of_the_dialect_is_passed_on_without_what_the_host_does_not_take() {
    let world = World::new().await;
    world.cloud.reply(answer());
    let sent = send(&world.upstream, &claude(None), API_KEY, &message(false)).await;
    sent.expect("an answer");
    assert_eq!(
        world.cloud.arrived()[0].json(),
        json!({
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 64,
            "messages": [{"role": "user", "content": [
                {"type": "text", "text": "hello", "cache_control": {"type": "ephemeral"}},
            ]}],
        })
    );
}

#[tokio::test]
async fn a_key_for_another_region_is_not_sent() {
    let world = World::new().await;
    for (credential, regions) in [
        (access_key("us-east-1"), &["eu-west-1"][..]),
        (access_key("us-east-1"), &["eu"]),
        (API_KEY.to_owned(), &["eu"]),
    ] {
        let told = send(
            &world.upstream,
            &claude(Some(regions)),
            &credential,
            &chat(false),
        )
        .await;
        let failure = told.err().expect("refused");
        assert_eq!(failure.kind, FailureKind::Unsupported, "{regions:?}");
        assert!(failure.message.contains("us-east-1"), "{failure}");
    }
    assert!(world.cloud.arrived().is_empty());
}

#[tokio::test]
async fn a_customers_own_credential_leads_to_public_addresses_alone() {
    let world = World::new().await;
    let own = Place {
        is_own: true,
        ..place(CLAUDE, None)
    };
    // Here every name stands for this machine, which only the operator may name.
    let told = send(&world.upstream, &own.vetted(), API_KEY, &chat(false)).await;
    assert_eq!(
        told.err().expect("refused").kind,
        FailureKind::EgressBlocked
    );
    assert!(world.cloud.arrived().is_empty());
}

#[tokio::test]
async fn a_recorded_stream_reads_the_same_in_pieces_of_any_size() {
    let world = World::new().await;
    let recorded = invocation();
    let mut told_first = None;
    for bytes in [usize::MAX, 1_000, 64, 7, 1] {
        world.cloud.reply(replay(&recorded).in_pieces_of(bytes));
        let told = send(&world.upstream, &claude(None), API_KEY, &chat(true)).await;
        let Ok(Told::Stream(steps, Ok(()))) = told else {
            panic!("no whole stream in pieces of {bytes}")
        };
        assert!(
            text_of(&steps).starts_with("Certainly!"),
            "{}",
            text_of(&steps)
        );
        let events: Vec<String> = steps
            .iter()
            .flat_map(|step| &step.events)
            .map(|event| format!("{event:?}"))
            .collect();
        assert!(
            events
                .iter()
                .any(|event| event.contains("get_current_weather"))
        );
        let arrived = world.cloud.arrived();
        assert!(arrived[0].path.ends_with("/invoke-with-response-stream"));
        assert_eq!(
            arrived[0].header("accept"),
            "application/vnd.amazon.eventstream"
        );
        let first = told_first.get_or_insert_with(|| events.clone());
        assert_eq!(*first, events, "in pieces of {bytes}");
    }
}

#[tokio::test]
async fn the_hosts_own_figures_stay_here() {
    let world = World::new().await;
    world.cloud.reply(replay(&invocation()));
    let told = send(&world.upstream, &claude(None), API_KEY, &message(true)).await;
    let Ok(Told::Stream(steps, Ok(()))) = told else {
        panic!("no whole stream")
    };
    let verbatim: Vec<&[u8]> = steps
        .iter()
        .filter_map(|step| step.verbatim.as_ref())
        .map(|verbatim| &verbatim.json.expose()[..])
        .collect();
    assert_eq!(verbatim.last(), Some(&&br#"{"type":"message_stop"}"#[..]));
    let metrics = b"amazon-bedrock";
    let found = |event: &&[u8]| event.windows(metrics.len()).any(|window| window == metrics);
    assert!(!verbatim.iter().any(found));
}

#[tokio::test]
async fn exceptions_and_damage_in_a_stream_are_typed() {
    let world = World::new().await;
    let exception = recording("fixtures/bedrock/bedrock-stream-exception.json");
    let failure = world.failure(replay(&exception), true).await;
    assert_eq!(failure.kind, FailureKind::BadRequest);
    assert_eq!(
        failure.provider_code.as_deref(),
        Some("validationException")
    );

    // A frame that is not what its checksum says, and a stream that stops.
    let whole = replay(&invocation());
    let body = whole.pieces.concat();
    let mut damaged = body.clone();
    damaged[2_000] ^= 1;
    for body in [
        &damaged[..],
        &body[..2_000],
        &body[..body.len() - 1],
        b"data: {}\n\n",
        b"",
    ] {
        let reply = Reply {
            pieces: vec![Bytes::copy_from_slice(body)],
            ..whole.clone()
        };
        let failure = world.failure(reply, true).await;
        assert_eq!(failure.kind, FailureKind::Protocol, "{} bytes", body.len());
    }

    // What came before the exception was said.
    let both = [whole.pieces.concat(), replay(&exception).pieces.concat()];
    let cut = both[0].len() - 700;
    let first_frames = frames_within(&both[0], cut);
    let reply = Reply {
        pieces: vec![[&both[0][..first_frames], &both[1][..]].concat().into()],
        ..whole
    };
    world.cloud.reply(reply);
    let told = send(&world.upstream, &claude(None), API_KEY, &chat(true)).await;
    let Ok(Told::Stream(steps, Err(failure))) = told else {
        panic!("no exception")
    };
    assert!(text_of(&steps).starts_with("Certainly!"));
    assert_eq!(failure.kind, FailureKind::BadRequest);
}

/// The end of the last frame that ends before `limit`.
fn frames_within(stream: &[u8], limit: usize) -> usize {
    let mut end = 0;
    loop {
        let length: [u8; 4] = stream[end..end + 4].try_into().expect("four bytes");
        let next = end + usize::try_from(u32::from_be_bytes(length)).expect("short");
        if next > limit {
            return end;
        }
        end = next;
    }
}

#[tokio::test]
async fn refusals_are_told_by_their_type_before_their_status() {
    let world = World::new().await;
    let refused = recording("fixtures/bedrock/bedrock-err-403.json");
    let failure = world.failure(replay(&refused), false).await;
    assert_eq!(
        (failure.kind, failure.status),
        (FailureKind::Auth, Some(403))
    );

    let named = |status: u16, kind: &str, message: &str| {
        Reply::json(status, &json!({"message": message})).with("x-amzn-errortype", kind)
    };
    let unauthenticated = "Authentication failed: Please make sure your API Key is valid.";
    let unknown = "The provided model identifier is invalid.";
    let too_long = "Input is too long for requested model.";
    for (status, kind, message, expected) in [
        (
            403,
            "AccessDeniedException",
            "no access",
            FailureKind::Permission,
        ),
        (
            403,
            "AccessDeniedException",
            unauthenticated,
            FailureKind::Auth,
        ),
        (403, "ExpiredTokenException", "expired", FailureKind::Auth),
        (403, "InvalidSignatureException", "late", FailureKind::Auth),
        (
            400,
            "ThrottlingException",
            "too many",
            FailureKind::RateLimit,
        ),
        (
            400,
            "ServiceQuotaExceededException",
            "",
            FailureKind::RateLimit,
        ),
        (424, "ModelErrorException", "failed", FailureKind::Server),
        (408, "ModelTimeoutException", "slow", FailureKind::Timeout),
        (
            503,
            "ServiceUnavailableException",
            "",
            FailureKind::Overloaded,
        ),
        (400, "ValidationException", unknown, FailureKind::NotFound),
        (
            400,
            "ValidationException",
            too_long,
            FailureKind::ContextLength,
        ),
        (
            429,
            "SomethingNewException",
            "slow down",
            FailureKind::RateLimit,
        ),
    ] {
        let failure = world.failure(named(status, kind, message), true).await;
        let found = (failure.kind, failure.status);
        assert_eq!(found, (expected, Some(status)), "{kind} {message}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed_and_echoed_keys_not_repeated() {
    let world = World::new().await;
    let redirect = Reply::new(302, "text/html", "").with("location", "https://evil.example");
    let failure = world.failure(redirect, true).await;
    assert_eq!(failure.kind, FailureKind::Protocol);
    let leaked = Reply::json(400, &json!({"message": format!("bad key {API_KEY}")}));
    let failure = world.failure(leaked, false).await;
    assert!(!failure.to_string().contains(API_KEY), "{failure}");
}

#[tokio::test]
async fn a_credential_of_another_family_is_not_sent() {
    let world = World::new().await;
    let key_file = std::fs::read_to_string(format!(
        "{}/fixtures/vertex/service-account.json",
        env!("CARGO_MANIFEST_DIR")
    ));
    for credential in [
        "",
        "{}",
        &key_file.expect("a file"),
        &access_key("eu-west-1#.evil.example"),
    ] {
        let told = send(&world.upstream, &claude(None), credential, &chat(false)).await;
        assert_eq!(told.err().expect("refused").kind, FailureKind::Auth);
    }
    assert!(world.cloud.arrived().is_empty());
}
