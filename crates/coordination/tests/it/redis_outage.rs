//! What a node does while Redis is away, slow or coming back.

use std::{sync::Arc, time::Duration};

use switchyard_coordination::{
    Coordination, Degraded, Invalidation, Invalidations, Pin, PinKey,
    redis::{Listener, Redis, RedisSettings},
};
use switchyard_domain::id::NodeId;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
    task::JoinSet,
};
use uuid::Uuid;

use crate::{manual_clock::ManualClock, pins::pin_to, redis_server::RedisServer};

/// Long enough for any machine; reached only when something hangs.
const PATIENCE: Duration = Duration::from_secs(30);
const TTL: Duration = Duration::from_secs(600);

fn node(server: &RedisServer, deadline_ms: u64) -> (Arc<Redis>, Listener, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    let settings = RedisSettings {
        deadline: Duration::from_millis(deadline_ms),
        ..RedisSettings::default()
    };
    let id = NodeId::from_uuid(Uuid::from_u128(1));
    let (redis, listener) =
        Redis::new(&server.address(), id, clock.clone(), settings).expect("a valid address");
    (Arc::new(redis), listener, clock)
}

fn conversation(number: u16) -> PinKey {
    let mut digest = [0; 32];
    digest[..2].copy_from_slice(&number.to_be_bytes());
    PinKey::from_digest(digest)
}

fn pin(endpoint: impl std::fmt::Display) -> Pin {
    pin_to(&format!("m|{endpoint}"))
}

/// Calls until the breaker has opened, and returns what the calls before that said.
async fn call_until_open(redis: &Redis) -> Vec<Degraded> {
    let mut failures = Vec::new();
    loop {
        let key = conversation(1);
        let call = tokio::time::timeout(PATIENCE, redis.pin(&key));
        match call.await.expect("a call never hangs") {
            Ok(_) => panic!("nobody is there to answer"),
            Err(Degraded::BreakerOpen) => return failures,
            Err(other) => failures.push(other),
        }
        assert!(failures.len() < 100, "the breaker never opened");
    }
}

/// Lets the breaker probe until a probe gets through.
async fn probe_until_well(redis: &Redis, clock: &ManualClock) {
    for _ in 0..200 {
        clock.advance(Duration::from_secs(1));
        if redis.pin(&conversation(1)).await.is_ok() {
            return;
        }
        // A refused probe may be the one that started the next connection.
        tokio::task::yield_now().await;
    }
    panic!("contact never came back");
}

async fn next(news: &mut Invalidations) -> Invalidation {
    tokio::time::timeout(PATIENCE, news.next())
        .await
        .expect("news must arrive")
        .expect("the publisher is still there")
}

#[tokio::test]
async fn a_node_starts_without_redis_and_finds_it_later() {
    let mut server = RedisServer::prepare();
    let (redis, _listener, clock) = node(&server, 2_000);
    let failures = call_until_open(&redis).await;
    assert_eq!(failures.len(), 5, "{failures:?}");
    assert!(matches!(
        redis.pin(&conversation(1)).await,
        Err(Degraded::BreakerOpen)
    ));

    server.start_again();
    assert!(matches!(
        redis.pin(&conversation(1)).await,
        Err(Degraded::BreakerOpen)
    ));
    probe_until_well(&redis, &clock).await;
    redis
        .set_pin(&conversation(1), &pin("a"), TTL)
        .await
        .expect("contact");
    assert_eq!(
        redis.pin(&conversation(1)).await.expect("contact"),
        Some(pin("a"))
    );
}

#[tokio::test]
async fn a_frozen_server_costs_a_deadline_a_few_times_then_nothing() {
    let server = RedisServer::start();
    let (redis, _listener, clock) = node(&server, 1_000);
    redis
        .set_pin(&conversation(1), &pin("a"), TTL)
        .await
        .expect("contact");
    server.freeze();
    for failure in call_until_open(&redis).await {
        assert!(
            matches!(failure, Degraded::TimedOut { deadline_ms: 1_000 }),
            "{failure:?}"
        );
    }
    server.thaw();
    probe_until_well(&redis, &clock).await;
    assert_eq!(
        redis.pin(&conversation(1)).await.expect("contact"),
        Some(pin("a"))
    );
}

#[tokio::test]
async fn own_news_is_heard_even_when_nobody_else_can_be_told() {
    let server = RedisServer::prepare();
    let (redis, _listener, _clock) = node(&server, 2_000);
    let mut news = redis.subscribe();
    let told = redis.publish(Invalidation::Catalog).await;
    assert!(matches!(told, Err(Degraded::Failed(_))), "{told:?}");
    assert_eq!(next(&mut news).await, Invalidation::Catalog);
}

#[tokio::test]
async fn after_lost_contact_everything_is_suspect() {
    let mut server = RedisServer::prepare();
    let (redis, listener, _clock) = node(&server, 2_000);
    let mut news = redis.subscribe();
    let mut tasks = JoinSet::new();
    tasks.spawn(listener.run());
    for _ in 0..3 {
        server.start_again();
        assert_eq!(next(&mut news).await, Invalidation::Everything);
        server.stop();
    }
}

#[tokio::test]
async fn a_listener_gives_up_a_connection_that_went_silent() {
    let server = RedisServer::prepare();
    let silent = server.impostor();
    let (redis, listener, _clock) = node(&server, 2_000);
    let mut news = redis.subscribe();
    let mut tasks = JoinSet::new();
    tasks.spawn(listener.run());
    for _ in 0..2 {
        let (connection, _) = silent.accept().await.expect("a listener that connects");
        tasks.spawn(subscribe_then_say_nothing(connection));
        assert_eq!(next(&mut news).await, Invalidation::Everything);
        // Only a connection given up lets the next one come.
    }
}

/// Accepts a subscription, and never answers anything again while keeping the connection open.
async fn subscribe_then_say_nothing(mut connection: UnixStream) {
    let mut received = Vec::new();
    let mut handshakes = 0;
    while connection
        .read_buf(&mut received)
        .await
        .expect("a readable connection")
        > 0
    {
        let text = String::from_utf8_lossy(&received).to_ascii_uppercase();
        let asked = text.matches("SETINFO").count();
        for _ in handshakes..asked {
            connection
                .write_all(b"+OK\r\n")
                .await
                .expect("a writable connection");
        }
        handshakes = asked;
        if text.contains("\r\nSUBSCRIBE\r\n") {
            received.clear();
            handshakes = 0;
            let subscribed = b"*3\r\n$9\r\nsubscribe\r\n$15\r\nswitchyard:news\r\n:1\r\n";
            connection
                .write_all(subscribed)
                .await
                .expect("a writable connection");
        }
    }
}

#[tokio::test]
async fn abandoned_calls_never_hand_their_answer_to_another() {
    let server = RedisServer::start();
    let (redis, _listener, _clock) = node(&server, 20_000);
    for number in 0..200 {
        redis
            .set_pin(&conversation(number), &pin(number), TTL)
            .await
            .expect("contact");
    }
    for round in 0..5 {
        let mut calls = JoinSet::new();
        for number in 0..200 {
            let redis = redis.clone();
            calls.spawn(async move {
                let call = async { redis.pin(&conversation(number)).await };
                if (number + round) % 2 == 0 {
                    // Given up after it was sent, before it was answered.
                    tokio::select! {
                        biased;
                        answer = call => Some((number, answer)),
                        () = tokio::task::yield_now() => None,
                    }
                } else {
                    Some((number, call.await))
                }
            });
        }
        let answered: Vec<_> = calls.join_all().await.into_iter().flatten().collect();
        assert!(answered.len() >= 100);
        assert!(answered.len() < 200, "no call was abandoned");
        for (number, answer) in answered {
            assert_eq!(answer.expect("contact"), Some(pin(number)));
        }
    }
}

#[tokio::test]
async fn an_address_with_a_password_is_not_repeated_in_errors() {
    let clock = Arc::new(ManualClock::default());
    let id = NodeId::from_uuid(Uuid::from_u128(1));
    let address = "http://user:hunter2@localhost:not-a-port";
    let Err(error) = Redis::new(address, id, clock, RedisSettings::default()) else {
        panic!("the address is invalid");
    };
    let mut source: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = source {
        assert!(!error.to_string().contains("hunter2"), "{error}");
        source = error.source();
    }
}
