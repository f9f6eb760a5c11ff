//! Vault's transit engine as the provider of guarded keys.

use std::{sync::Arc, time::Duration};

use switchyard_domain::secret::Secret;
use switchyard_key_services::{Transit, Trouble, Trust};
use switchyard_vault::{KekRef, KeyProvider, KeyProviderError, WrappedKey};

use crate::{
    clock::ManualClock,
    fake::Fake,
    fake_transit::{FakeTransit, KEK_ID, TOKEN, client, client_with, start},
};

const CONTEXT: &[u8] = b"\x00\x01tenant 1, version 1";

struct Bench {
    fake: Fake<FakeTransit>,
    clock: Arc<ManualClock>,
    transit: Transit,
}

impl Bench {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let fake = start().await;
        let transit = client(&fake, &clock);
        Self {
            fake,
            clock,
            transit,
        }
    }

    async fn wrap(&self) -> WrappedKey {
        let secret = Secret::new([7; 32]);
        self.transit.wrap(CONTEXT, &secret).await.expect("wrapped")
    }

    async fn unwrap(&self, wrapped: &WrappedKey) -> Result<[u8; 32], KeyProviderError> {
        let plain = self.transit.unwrap(CONTEXT, wrapped).await?;
        Ok(*plain.expose())
    }
}

fn kek(version: u32) -> KekRef {
    KekRef {
        id: KEK_ID.to_owned(),
        version,
    }
}

fn trouble<T>(result: Result<T, KeyProviderError>) -> String {
    let Err(KeyProviderError::Unavailable(source)) = result else {
        panic!("it is not unavailable")
    };
    source
        .downcast_ref::<Trouble>()
        .expect("a trouble of ours")
        .to_string()
}

#[tokio::test]
async fn what_is_wrapped_opens_for_its_context_only() {
    for ignores_associated_data in [false, true] {
        let bench = Bench::new().await;
        bench
            .fake
            .change(|state| state.ignores_associated_data = ignores_associated_data);
        let wrapped = bench.wrap().await;
        assert_eq!((wrapped.kek_id.as_str(), wrapped.kek_version), (KEK_ID, 1));
        assert_eq!(bench.unwrap(&wrapped).await.expect("unwrapped"), [7; 32]);
        bench.fake.take_asked();
        for context in [&b"tenant 2"[..], b"", &CONTEXT[..CONTEXT.len() - 1]] {
            let elsewhere = bench.transit.unwrap(context, &wrapped).await;
            assert!(matches!(elsewhere, Err(KeyProviderError::Rejected)));
        }
        let mut changed = wrapped.clone();
        changed.bytes.push(b'A');
        let changed = bench.unwrap(&changed).await;
        assert!(matches!(changed, Err(KeyProviderError::Rejected)));
        assert_eq!(bench.fake.take_asked(), 4, "asked once each");
    }
}

#[tokio::test]
async fn versions_are_those_of_the_service() {
    let bench = Bench::new().await;
    let old = bench.wrap().await;
    bench.fake.change(|state| state.latest_version = 3);
    let new = bench.wrap().await;
    assert_eq!((old.kek_version, new.kek_version), (1, 3));
    assert_eq!(
        bench.unwrap(&old).await.expect("an old version opens"),
        [7; 32]
    );
    assert_eq!(bench.unwrap(&new).await.expect("the newest opens"), [7; 32]);

    bench.fake.change(|state| state.min_decryption_version = 2);
    let retired = bench.unwrap(&old).await;
    assert!(matches!(retired, Err(KeyProviderError::UnknownKey(key)) if key == kek(1)));
    bench.fake.change(|state| state.latest_version = 2);
    let not_there_yet = bench.unwrap(&new).await;
    assert!(matches!(not_there_yet, Err(KeyProviderError::UnknownKey(key)) if key == kek(3)));
}

#[tokio::test]
async fn a_row_cannot_claim_another_version_or_key() {
    let bench = Bench::new().await;
    let wrapped = bench.wrap().await;
    bench.fake.take_asked();
    let relabelled = WrappedKey {
        kek_version: 2,
        ..wrapped.clone()
    };
    let refused = bench.unwrap(&relabelled).await;
    assert!(matches!(refused, Err(KeyProviderError::Rejected)));
    let no_text = WrappedKey {
        bytes: vec![0xff; 8],
        ..wrapped.clone()
    };
    let refused = bench.unwrap(&no_text).await;
    assert!(matches!(refused, Err(KeyProviderError::Rejected)));
    let foreign = WrappedKey {
        kek_id: "transit:other/switchyard".to_owned(),
        ..wrapped
    };
    let refused = bench.unwrap(&foreign).await;
    assert!(matches!(refused, Err(KeyProviderError::UnknownKey(_))));
    assert_eq!(bench.fake.take_asked(), 0);
}

#[tokio::test]
async fn the_newest_version_is_asked_for_now_and_then() {
    let bench = Bench::new().await;
    for _ in 0..3 {
        assert_eq!(bench.transit.current().await.expect("told"), kek(1));
    }
    assert_eq!(bench.fake.take_asked(), 1);
    bench.fake.change(|state| state.latest_version = 2);
    assert_eq!(bench.transit.current().await.expect("remembered"), kek(1));
    bench.clock.advance(Duration::from_secs(30));
    assert_eq!(bench.transit.current().await.expect("told"), kek(2));
    assert_eq!(bench.fake.take_asked(), 1);

    bench.fake.change(|state| state.latest_version = 3);
    bench.wrap().await;
    assert_eq!(
        bench.transit.current().await.expect("a wrap tells as well"),
        kek(3)
    );
}

#[tokio::test]
async fn keys_that_authenticate_nothing_are_refused() {
    let bench = Bench::new().await;
    bench.fake.change(|state| state.kind = "rsa-2048");
    let refused = trouble(bench.transit.current().await);
    assert_eq!(
        refused,
        "the transit key `switchyard` must be of type aes256-gcm96"
    );
    assert_eq!(bench.fake.take_asked(), 1);
}

#[tokio::test]
async fn an_agent_may_show_its_own_token() {
    let bench = Bench::new().await;
    let nameless = client_with(&bench.fake, &bench.clock, None, &Trust::public());
    let refused = trouble(nameless.current().await);
    assert_eq!(refused, "it refused with status 403: permission denied");
    bench.fake.change(|state| state.token = None);
    nameless.health().await.expect("the agent let it in");
}

#[tokio::test]
async fn only_what_may_pass_is_tried_again_and_tokens_are_not_repeated() {
    for (status, says, asked, expected) in [
        (400, "no key", 1, "it refused with status 400: no key"),
        (
            403,
            "permission denied",
            1,
            "it refused with status 403: permission denied",
        ),
        (
            404,
            "no handler for route",
            1,
            "it refused with status 404: no handler for route",
        ),
        (403, TOKEN, 1, "it refused with status 403: [redacted]"),
        (
            412,
            "required index state not present",
            2,
            "it failed with status 412: required index state not present",
        ),
        (429, "", 2, "it failed with status 429"),
        (
            500,
            "internal error",
            2,
            "it failed with status 500: internal error",
        ),
        (
            503,
            "Vault is sealed",
            2,
            "it failed with status 503: Vault is sealed",
        ),
    ] {
        let bench = Bench::new().await;
        let wrapped = bench.wrap().await;
        bench
            .fake
            .change(|state| state.error = Some((status, says)));
        bench.fake.take_asked();
        assert_eq!(trouble(bench.unwrap(&wrapped).await), expected);
        assert_eq!(bench.fake.take_asked(), asked, "{status} {says}");
    }
}

#[tokio::test]
async fn health_is_a_round_trip() {
    let bench = Bench::new().await;
    bench.transit.health().await.expect("it is well");
    bench.fake.change(|state| state.min_decryption_version = 2);
    assert!(bench.transit.health().await.is_err());
}
