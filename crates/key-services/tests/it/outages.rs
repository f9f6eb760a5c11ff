//! A key service that is slow, broken, confused or away: an error within two seconds and two
//! tries, known tenants served, and nobody asked instead.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use switchyard_domain::{
    id::{AccountId, CredentialId, WorkspaceId},
    provider::ProviderSlug,
    secret::Secret,
};
use switchyard_key_services::Trouble;
use switchyard_vault::{
    KeyProvider, KeyProviderError, OpenError, OsRandom, SealError, SecretContext, Tenant,
    TenantKeyStore, Vault, VaultSettings, tenant_key::InMemoryTenantKeys,
};
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    clock::ManualClock,
    fake::{Fake, Manner},
    fake_kms::{self, FakeKms, KEY},
    fake_transit::{self, FakeTransit},
};

const DEADLINE: Duration = Duration::from_secs(2);
const REST: Duration = Duration::from_secs(5);
const TENANT_KEY_TTL: Duration = Duration::from_secs(5 * 60);
const PLAINTEXT_TTL: Duration = Duration::from_secs(60);

enum AnyFake {
    Kms(Fake<FakeKms>),
    Transit(Fake<FakeTransit>),
}

impl AnyFake {
    fn behave(&self, manner: Manner) {
        match self {
            Self::Kms(fake) => fake.behave(manner),
            Self::Transit(fake) => fake.behave(manner),
        }
    }

    fn take_asked(&self) -> usize {
        match self {
            Self::Kms(fake) => fake.take_asked(),
            Self::Transit(fake) => fake.take_asked(),
        }
    }

    const fn socket(&self) -> SocketAddr {
        match self {
            Self::Kms(fake) => fake.socket,
            Self::Transit(fake) => fake.socket,
        }
    }
}

struct Bench {
    fake: AnyFake,
    clock: Arc<ManualClock>,
    provider: Arc<dyn KeyProvider>,
}

impl Bench {
    /// One for each service.
    async fn both() -> [Self; 2] {
        [Self::kms().await, Self::transit().await]
    }

    async fn kms() -> Self {
        let clock = Arc::new(ManualClock::default());
        let fake = FakeKms::start(&clock).await;
        Self {
            provider: Arc::new(fake_kms::client(&fake, KEY, &clock)),
            fake: AnyFake::Kms(fake),
            clock,
        }
    }

    async fn transit() -> Self {
        let clock = Arc::new(ManualClock::default());
        let fake = fake_transit::start().await;
        Self {
            provider: Arc::new(fake_transit::client(&fake, &clock)),
            fake: AnyFake::Transit(fake),
            clock,
        }
    }

    async fn wrap(&self) -> Result<(), Box<Trouble>> {
        match self.provider.wrap(b"context", &Secret::new([7; 32])).await {
            Ok(_) => Ok(()),
            Err(KeyProviderError::Unavailable(source)) => {
                Err(source.downcast().expect("a trouble of ours"))
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn t09_trouble_is_typed_and_ends_after_two_tries() {
    let bystander = FakeKms::start(&Arc::default()).await;
    type IsExpected = fn(&Trouble) -> bool;
    let cases: [(Manner, IsExpected); 8] = [
        (Manner::Says(500, ""), |trouble| {
            matches!(trouble, Trouble::Failing { status: 500, .. })
        }),
        (Manner::Says(503, "<html>busy</html>"), |trouble| {
            matches!(trouble, Trouble::Failing { status: 503, .. })
        }),
        (Manner::Says(200, "<html>hello</html>"), |trouble| {
            matches!(trouble, Trouble::Garbled)
        }),
        (Manner::Says(200, "{}"), |trouble| {
            matches!(trouble, Trouble::Garbled)
        }),
        (Manner::Says(200, ""), |trouble| {
            matches!(trouble, Trouble::Garbled)
        }),
        (Manner::OfBytes(64 * 1024 + 1), |trouble| {
            matches!(trouble, Trouble::TooLong)
        }),
        (Manner::RedirectsTo(bystander.socket), |trouble| {
            matches!(trouble, Trouble::Redirected { status: 307 })
        }),
        (Manner::HangsUp, |trouble| {
            matches!(trouble, Trouble::Unreachable(_))
        }),
    ];
    for (manner, is_expected) in cases {
        for bench in Bench::both().await {
            bench.fake.behave(manner.clone());
            let trouble = bench.wrap().await.expect_err("it is in trouble");
            assert!(is_expected(&trouble), "{manner:?}: {trouble:?}");
            assert_eq!(bench.fake.take_asked(), 2, "{manner:?}");
        }
    }
    assert_eq!(bystander.take_asked(), 0, "no redirect is followed");
}

#[tokio::test]
async fn answers_of_the_longest_length_are_read() {
    for bench in Bench::both().await {
        bench.fake.behave(Manner::OfBytes(64 * 1024));
        bench.wrap().await.expect("it is understood");
    }
}

#[tokio::test(start_paused = true)]
async fn t09_silence_ends_at_the_deadline() {
    for manner in [Manner::Silent, Manner::HalfWay] {
        for bench in Bench::both().await {
            bench.fake.behave(manner.clone());
            let begun = Instant::now();
            let trouble = bench.wrap().await.expect_err("nothing comes");
            assert!(matches!(*trouble, Trouble::TimedOut), "{trouble:?}");
            // Paused time moves by whole timers, so this is exact.
            assert_eq!(begun.elapsed(), DEADLINE, "{manner:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn t09_questions_that_wait_for_each_other_keep_the_deadline() {
    let bench = Bench::kms().await;
    bench.fake.behave(Manner::Silent);
    let begun = Instant::now();
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let provider = Arc::clone(&bench.provider);
        asking.spawn(async move { provider.wrap(b"context", &Secret::new([7; 32])).await });
    }
    while let Some(wrapped) = asking.join_next().await {
        let wrapped = wrapped.expect("no panic");
        assert!(matches!(wrapped, Err(KeyProviderError::Unavailable(_))));
    }
    assert_eq!(begun.elapsed(), DEADLINE);
}

#[tokio::test]
async fn t09_a_service_that_keeps_failing_rests_and_is_probed() {
    for bench in Bench::both().await {
        bench.fake.behave(Manner::Says(500, ""));
        for _ in 0..3 {
            let trouble = bench.wrap().await.expect_err("it fails");
            assert!(matches!(*trouble, Trouble::Failing { .. }), "{trouble:?}");
        }
        assert_eq!(bench.fake.take_asked(), 6);

        let trouble = bench.wrap().await.expect_err("it rests");
        assert!(
            matches!(*trouble, Trouble::Resting { left } if left == REST),
            "{trouble:?}"
        );
        bench.clock.advance(REST - Duration::from_micros(1));
        bench.wrap().await.expect_err("it still rests");
        assert_eq!(bench.fake.take_asked(), 0);

        bench.clock.advance(Duration::from_micros(1));
        bench.wrap().await.expect_err("the probe fails");
        bench.wrap().await.expect_err("and it rests again");
        assert_eq!(bench.fake.take_asked(), 2);

        bench.fake.behave(Manner::Well);
        bench.clock.advance(2 * REST);
        bench.wrap().await.expect("the probe is answered");
        bench.wrap().await.expect("and so is the next");
        assert_eq!(bench.fake.take_asked(), 2);
    }
}

fn customer(account: u128) -> SecretContext {
    SecretContext {
        tenant: Tenant::Account(AccountId::from_uuid(Uuid::from_u128(account))),
        workspace: Some(WorkspaceId::from_uuid(Uuid::from_u128(21))),
        provider: ProviderSlug::new("openai"),
        endpoint_host: None,
        record: CredentialId::from_uuid(Uuid::from_u128(account + 100)),
        record_version: 1,
    }
}

#[tokio::test]
async fn t09_known_tenants_are_served_while_the_service_is_away_and_nobody_else_is() {
    let settings = VaultSettings::default();
    for bench in Bench::both().await {
        let rows = Arc::new(InMemoryTenantKeys::default());
        let vault = || {
            Vault::new(
                Arc::clone(&bench.provider),
                Arc::clone(&rows) as Arc<_>,
                Arc::new(OsRandom),
                Arc::clone(&bench.clock) as Arc<_>,
                settings,
            )
        };
        let node = vault();
        let secret = Secret::new(b"sk-known".to_vec());
        let known = node.seal(&customer(1), &secret).await.expect("sealed");
        // Another node sealed it; this one has not seen its tenant.
        let stranger = vault().seal(&customer(2), &secret).await.expect("sealed");
        node.open(&customer(1), &known).await.expect("it opens");

        bench.fake.behave(Manner::Says(500, ""));
        for _ in 0..5 {
            let refused = node.open(&customer(2), &stranger).await;
            assert!(
                matches!(refused, Err(OpenError::Unavailable(_))),
                "{refused:?}"
            );
        }
        let refused = node.seal(&customer(3), &secret).await;
        assert!(
            matches!(refused, Err(SealError::Unavailable(_))),
            "{refused:?}"
        );
        let made = rows.newest(customer(3).tenant).await.expect("readable");
        assert_eq!(
            made, None,
            "nothing is stored that the service did not wrap"
        );
        assert!(node.health().await.is_err());

        let last_moment = TENANT_KEY_TTL + settings.outage_grace - Duration::from_micros(1);
        bench.clock.advance(last_moment);
        let opened = node.open(&customer(1), &known).await;
        assert_eq!(
            *opened.expect("within the grace").expose(),
            *secret.expose()
        );
        bench.clock.advance(PLAINTEXT_TTL);
        let refused = node.open(&customer(1), &known).await;
        assert!(
            matches!(refused, Err(OpenError::Unavailable(_))),
            "{refused:?}"
        );

        bench.fake.behave(Manner::Well);
        bench.clock.advance(Duration::from_secs(60));
        node.open(&customer(1), &known).await.expect("it is back");
        node.open(&customer(2), &stranger).await.expect("for all");
    }
}

#[tokio::test]
async fn t09_a_service_that_is_not_there_is_unavailable() {
    let Bench {
        fake,
        clock: _clock,
        provider,
    } = Bench::transit().await;
    let gone = fake.socket();
    drop(fake);
    let refused = provider.wrap(b"context", &Secret::new([7; 32])).await;
    assert!(
        matches!(refused, Err(KeyProviderError::Unavailable(_))),
        "{gone}: {refused:?}"
    );
}
