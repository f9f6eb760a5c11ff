//! Tokens over time, from a token service that is a script.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicI64, AtomicUsize},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};
use switchyard_domain::clock::Timestamp;
use tokio::sync::Semaphore;

use super::*;

const KEY_FILE: &str = include_str!("../../../fixtures/vertex/service-account.json");
const NOON: i64 = 1_795_521_600;

/// A clock that goes when it is told to.
#[derive(Default)]
struct HandClock(AtomicI64);

impl HandClock {
    fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(NOON + self.0.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed).unsigned_abs())
    }
}

/// Answers in order, each when it is let.
struct Script {
    answers: Mutex<VecDeque<(u16, Value)>>,
    forms: Mutex<Vec<String>>,
    asked: AtomicUsize,
    may_answer: Semaphore,
}

impl Script {
    fn of(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        Self {
            answers: Mutex::new(answers.into_iter().collect()),
            forms: Mutex::default(),
            asked: AtomicUsize::new(0),
            may_answer: Semaphore::new(1),
        }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl TokenExchange for Script {
    async fn exchange(&self, form: Secret<String>) -> Result<(StatusCode, Bytes), Failure> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.forms.lock().unwrap().push(form.expose().clone());
        drop(self.may_answer.acquire().await.unwrap());
        let (status, body) = self
            .answers
            .lock()
            .unwrap()
            .pop_front()
            .expect("asked once too often");
        let status = StatusCode::from_u16(status).unwrap();
        Ok((status, body.to_string().into()))
    }
}

fn token(name: &str, life_seconds: u64) -> (u16, Value) {
    (
        200,
        json!({"access_token": name, "expires_in": life_seconds, "token_type": "Bearer"}),
    )
}

struct World {
    clock: Arc<HandClock>,
    tokens: AccessTokens,
    account: ServiceAccount,
    credential: Secret<Vec<u8>>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(HandClock::default());
        Self {
            tokens: AccessTokens::new(clock.clone()),
            clock,
            account: ServiceAccount::parse(KEY_FILE.as_bytes()).expect("a key file"),
            credential: Secret::new(KEY_FILE.as_bytes().to_vec()),
        }
    }

    async fn ask(&self, script: &Script) -> Result<AccessToken, Failure> {
        self.tokens
            .token(&self.credential, &self.account, script)
            .await
    }

    async fn ask_text(&self, script: &Script) -> String {
        let token = self.ask(script).await.expect("a token");
        token.expose().clone()
    }
}

#[tokio::test]
async fn a_token_is_used_until_five_minutes_before_its_end() {
    let world = World::new();
    let script = Script::of([token("first", 3_600), token("second", 3_600)]);
    for (seconds, expected) in [
        (0, "first"),
        (3_299, "first"),
        (1, "second"),
        (10, "second"),
    ] {
        world.clock.advance(seconds);
        assert_eq!(world.ask_text(&script).await, expected);
    }
    assert_eq!(script.asked(), 2);
}

#[tokio::test]
async fn of_many_who_need_a_token_one_fetches_it() {
    let world = Arc::new(World::new());
    let script = Arc::new(Script {
        may_answer: Semaphore::new(0),
        ..Script::of([token("shared", 3_600)])
    });
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (world, script) = (Arc::clone(&world), Arc::clone(&script));
        waiting.spawn(async move { world.ask_text(&script).await });
    }
    tokio::task::yield_now().await;
    script.may_answer.add_permits(1);
    while let Some(found) = waiting.join_next().await {
        assert_eq!(found.expect("no panic"), "shared");
    }
    assert_eq!(script.asked(), 1);
}

#[tokio::test]
async fn whoever_waited_for_a_refusal_gets_it_too_and_later_ones_ask_again() {
    let world = World::new();
    let refusal = json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."});
    let script = Script::of([(400, refusal), token("after-all", 3_600)]);
    for _ in 0..3 {
        let failure = world.ask(&script).await.expect_err("refused");
        assert_eq!(failure.kind, FailureKind::Auth);
        assert_eq!(failure.provider_code.as_deref(), Some("invalid_grant"));
    }
    assert_eq!(script.asked(), 1);
    world.clock.advance(6);
    assert_eq!(world.ask_text(&script).await, "after-all");
}

#[tokio::test]
async fn a_token_outlives_a_token_service_that_is_down_but_not_an_account_that_was_refused() {
    let world = World::new();
    let down = || (503, json!({}));
    let refused = (401, json!({"error": "invalid_client"}));
    let script = Script::of([token("old", 3_600), down(), down(), refused]);
    assert_eq!(world.ask_text(&script).await, "old");
    world.clock.advance(3_400);
    // Nobody is kept waiting for the service at each request.
    for _ in 0..3 {
        assert_eq!(world.ask_text(&script).await, "old");
    }
    assert_eq!(script.asked(), 2);
    world.clock.advance(31);
    assert_eq!(world.ask_text(&script).await, "old");
    world.clock.advance(31);
    let failure = world
        .ask(&script)
        .await
        .expect_err("the account was refused");
    assert_eq!(failure.kind, FailureKind::Auth);
    assert_eq!(script.asked(), 4);
}

#[tokio::test]
async fn a_refused_token_is_dropped_and_a_newer_one_is_not() {
    let world = World::new();
    let script = Script::of([token("first", 3_600), token("second", 3_600)]);
    let first = world.ask(&script).await.expect("a token");
    world.tokens.drop_refused(&world.credential, &first);
    assert_eq!(world.ask_text(&script).await, "second");
    world.tokens.drop_refused(&world.credential, &first);
    assert_eq!(world.ask_text(&script).await, "second");
    assert_eq!(script.asked(), 2);
}

#[tokio::test]
async fn only_so_many_accounts_are_remembered() {
    let world = World::new();
    let script = Script::of((0..ACCESS_TOKENS_MAX + 2).map(|_| token("t", 3_600)));
    let file = |number: usize| Secret::new(format!("{number}").into_bytes());
    for number in 0..=ACCESS_TOKENS_MAX {
        let file = file(number);
        let token = world.tokens.token(&file, &world.account, &script);
        token.await.expect("a token");
    }
    assert_eq!(world.tokens.lock().len(), ACCESS_TOKENS_MAX);
    // The one used least lately had to go; the newest is still there.
    for (number, asked) in [(ACCESS_TOKENS_MAX, 0), (0, 1)] {
        let before = script.asked();
        let file = file(number);
        let token = world.tokens.token(&file, &world.account, &script);
        token.await.expect("a token");
        assert_eq!(script.asked() - before, asked, "{number}");
    }
}

#[tokio::test]
async fn answers_that_are_none_are_failures() {
    for (answer, expected) in [
        ((200, json!({"expires_in": 3_600})), FailureKind::Protocol),
        (
            (200, json!({"access_token": "", "expires_in": 1})),
            FailureKind::Protocol,
        ),
        (
            (200, json!({"access_token": "a\r\nb", "expires_in": 1})),
            FailureKind::Protocol,
        ),
        ((302, json!({})), FailureKind::Protocol),
        (
            (403, json!({"error": "access_denied"})),
            FailureKind::Permission,
        ),
        ((429, json!({})), FailureKind::RateLimit),
        ((500, json!("oops")), FailureKind::Server),
        (
            (400, json!({"error": "<b>ya29.secret</b>"})),
            FailureKind::Auth,
        ),
    ] {
        let world = World::new();
        let case = answer.1.to_string();
        let script = Script::of([answer]);
        let failure = world.ask(&script).await.expect_err("no token");
        assert_eq!(failure.kind, expected, "{case}");
        assert!(!format!("{failure:?}").contains("ya29"));
    }
}

#[tokio::test]
async fn the_assertion_is_signed_with_the_accounts_key_for_the_pinned_address() {
    let world = World::new();
    let script = Script::of([token("t", 3_600)]);
    world.ask(&script).await.expect("a token");
    let form = script.forms.lock().unwrap()[0].clone();
    let assertion = form
        .strip_prefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=")
        .expect("the grant");
    let (signed, signature) = assertion.rsplit_once('.').expect("three parts");
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64");
    let public = world.account.public_key();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
        .verify(signed.as_bytes(), &decoded(signature))
        .expect("a signature of the account's");
    let (header, claims) = signed.split_once('.').expect("two parts");
    let read = |part: &str| serde_json::from_slice::<Value>(&decoded(part)).expect("JSON");
    assert_eq!(
        read(header),
        json!({"alg": "RS256", "typ": "JWT", "kid": "0123456789abcdef0123456789abcdef01234567"})
    );
    assert_eq!(
        read(claims),
        json!({
            "iss": "router@acme-models-42.iam.gserviceaccount.com",
            "scope": "https://www.googleapis.com/auth/cloud-platform",
            "aud": "https://oauth2.googleapis.com/token",
            "iat": NOON,
            "exp": NOON + 3_600,
        })
    );
}
