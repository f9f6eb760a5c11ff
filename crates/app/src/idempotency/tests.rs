use std::time::Duration;

use switchyard_domain::{clock::Timestamp, secret::Secret};
use switchyard_vault::{
    OsRandom, VaultSettings, key_provider::EnvironmentKey, tenant_key::InMemoryTenantKeys,
};
use uuid::Uuid;

use super::*;
use crate::fixture::{HandClock, Installation};

/// Numbers instead of randomness.
#[derive(Default)]
struct Counter(std::sync::atomic::AtomicU64);

impl RandomSource for Counter {
    fn u64(&self) -> u64 {
        self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst)
    }

    fn uuid(&self, _: Timestamp) -> Uuid {
        Uuid::from_u128(1_000 + u128::from(self.u64()))
    }
}

struct Scene {
    installation: Installation,
    tenant_keys: Arc<InMemoryTenantKeys>,
    clock: Arc<HandClock>,
    idempotency: Idempotency,
}

impl Scene {
    async fn new() -> Self {
        let installation = Installation::new().await;
        let clock = Arc::new(HandClock::default());
        let tenant_keys = Arc::new(InMemoryTenantKeys::default());
        let value = Secret::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned());
        let vault = Vault::new(
            Arc::new(EnvironmentKey::new(&value, Arc::new(OsRandom)).expect("32 bytes in base64")),
            Arc::clone(&tenant_keys) as Arc<_>,
            Arc::new(OsRandom),
            Arc::clone(&clock) as Arc<_>,
            VaultSettings::default(),
        );
        Self {
            idempotency: Idempotency::new(
                Arc::clone(&installation.store.idempotency),
                Arc::new(vault),
                Arc::clone(&clock) as Arc<_>,
                Arc::new(Counter::default()),
            ),
            installation,
            tenant_keys,
            clock,
        }
    }

    async fn ask(&self, key: &str, body: &str) -> Begun {
        self.ask_at(key, "/api/v1/keys", body).await
    }

    async fn ask_at(&self, key: &str, target: &str, body: &str) -> Begun {
        let key = key.parse().expect("a good key");
        let asking = Asking {
            account_id: self.installation.account,
            key: &key,
            route: "POST /keys",
            target,
            body: body.as_bytes(),
        };
        self.idempotency
            .begin(asking)
            .await
            .expect("the database answers")
    }

    async fn claimed(&self, key: &str, body: &str) -> Box<Claim> {
        match self.ask(key, body).await {
            Begun::Claimed(claim) => claim,
            other => panic!("{other:?}"),
        }
    }
}

fn answer(begun: &Begun) -> (u16, String) {
    match begun {
        Begun::Done(kept) => (
            kept.status,
            String::from_utf8(kept.body.expose().clone()).expect("text"),
        ),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_done_is_answered_again_and_not_done_again() {
    let scene = Scene::new().await;
    let claim = scene.claimed("k", "{}").await;
    assert!(matches!(scene.ask("k", "{}").await, Begun::InFlight));
    scene.idempotency.keep(&claim, 201, b"the new key").await;
    let again = scene.ask("k", "{}").await;
    assert_eq!(answer(&again), (201, "the new key".to_owned()));
    for (key, target, body) in [
        ("k", "/api/v1/keys", "{ }"),
        ("k", "/api/v1/keys?x=1", "{}"),
    ] {
        let other = scene.ask_at(key, target, body).await;
        assert!(matches!(other, Begun::Mismatch), "{other:?}");
    }
    assert!(matches!(scene.ask("l", "{}").await, Begun::Claimed(_)));
}

#[tokio::test]
async fn what_failed_may_be_tried_again_at_once() {
    let scene = Scene::new().await;
    let claim = scene.claimed("k", "{}").await;
    scene.idempotency.give_up(&claim).await;
    let _second = scene.claimed("k", r#"{"other":1}"#).await;
}

#[tokio::test]
async fn a_dead_processes_claim_is_taken_over_after_a_minute() {
    let scene = Scene::new().await;
    let dead = scene.claimed("k", "{}").await;
    scene.clock.advance(Duration::from_secs(59));
    assert!(matches!(scene.ask("k", "{}").await, Begun::InFlight));
    scene.clock.advance(Duration::from_secs(2));
    assert!(matches!(scene.ask("k", "{ }").await, Begun::Mismatch));
    let second = scene.claimed("k", "{}").await;
    // The first one was not dead after all: its answer comes too late.
    scene.idempotency.keep(&dead, 201, b"first").await;
    scene.idempotency.give_up(&dead).await;
    assert!(matches!(scene.ask("k", "{}").await, Begun::InFlight));
    scene.idempotency.keep(&second, 201, b"second").await;
    assert_eq!(answer(&scene.ask("k", "{}").await).1, "second");
}

#[tokio::test]
async fn answers_are_kept_for_a_day_and_sealed() {
    let scene = Scene::new().await;
    let claim = scene.claimed("k", "{}").await;
    scene
        .idempotency
        .keep(&claim, 201, b"sk-sy-v1-secret")
        .await;
    let asked_again = IdempotentRequest {
        record: CredentialId::from_uuid(Uuid::from_u128(9)),
        ..claim.0.clone()
    };
    let stored = scene
        .installation
        .store
        .idempotency
        .claim(&asked_again)
        .await;
    let IdempotencyClaim::Done { sealed, record, .. } = stored.expect("answered") else {
        panic!("not done");
    };
    assert_eq!(record, claim.0.record);
    assert!(!sealed.windows(6).any(|window| window == b"secret"));

    scene.clock.advance(Duration::from_secs(24 * 3_600 - 1));
    assert_eq!(scene.idempotency.forget_expired().await.expect("done"), 0);
    assert_eq!(answer(&scene.ask("k", "{}").await).0, 201);
    scene.clock.advance(Duration::from_secs(2));
    assert_eq!(scene.idempotency.forget_expired().await.expect("done"), 1);
    let _new = scene.claimed("k", r#"{"other":1}"#).await;
}

#[tokio::test]
async fn an_answer_whose_key_is_gone_is_not_made_up_and_not_done_again() {
    let scene = Scene::new().await;
    let claim = scene.claimed("k", "{}").await;
    scene.idempotency.keep(&claim, 201, b"x").await;
    scene
        .tenant_keys
        .shred(Tenant::Account(scene.installation.account));
    // Past the time for which a node remembers a tenant's key.
    scene.clock.advance(Duration::from_secs(3_600));
    assert!(matches!(scene.ask("k", "{}").await, Begun::Unreadable));
}

#[test]
fn keys_are_visible_ascii() {
    for (text, is_good) in [
        ("a", true),
        ("550e8400-e29b-41d4-a716-446655440000", true),
        (&"x".repeat(255), true),
        (&"x".repeat(256), false),
        ("", false),
        ("a b", false),
        ("ü", false),
        ("a\u{7f}", false),
    ] {
        assert_eq!(text.parse::<IdempotencyKey>().is_ok(), is_good, "{text}");
    }
}
