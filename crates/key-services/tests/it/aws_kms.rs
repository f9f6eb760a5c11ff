//! AWS KMS as the provider of guarded keys.

use std::{sync::Arc, time::Duration};

use switchyard_domain::secret::Secret;
use switchyard_key_services::Trouble;
use switchyard_vault::{KekRef, KeyProvider, KeyProviderError, WrappedKey};

use crate::{
    clock::ManualClock,
    fake::Fake,
    fake_kms::{FakeKms, KEY, OTHER_KEY, Policy, client, client_as},
};

const CONTEXT: &[u8] = b"\x00\x01tenant 1, version 1";

async fn bench() -> (Fake<FakeKms>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::default());
    (FakeKms::start(&clock).await, clock)
}

fn secret(byte: u8) -> Secret<[u8; 32]> {
    Secret::new([byte; 32])
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
    let (fake, clock) = bench().await;
    let kms = client(&fake, KEY, &clock);
    let wrapped = kms.wrap(CONTEXT, &secret(7)).await.expect("wrapped");
    assert_eq!((wrapped.kek_id.as_str(), wrapped.kek_version), (KEY, 1));
    let plain = kms.unwrap(CONTEXT, &wrapped).await.expect("unwrapped");
    assert_eq!(*plain.expose(), [7; 32]);
    assert_eq!(fake.take_asked(), 2);

    let elsewhere = kms.unwrap(b"tenant 2, version 1", &wrapped).await;
    assert!(matches!(elsewhere, Err(KeyProviderError::Rejected)));
    let mut changed = wrapped.clone();
    changed.bytes[0] ^= 1;
    let changed = kms.unwrap(CONTEXT, &changed).await;
    assert!(matches!(changed, Err(KeyProviderError::Rejected)));
    assert_eq!(
        fake.take_asked(),
        2,
        "a definite answer is not asked for twice"
    );
}

#[tokio::test]
async fn only_the_configured_key_is_used() {
    let (fake, clock) = bench().await;
    let (ours, other) = (client(&fake, KEY, &clock), client(&fake, OTHER_KEY, &clock));
    let current = ours.current().await.expect("it is configured");
    let key = KekRef {
        id: KEY.to_owned(),
        version: 1,
    };
    assert_eq!(current, key);

    let foreign = other.wrap(CONTEXT, &secret(7)).await.expect("wrapped");
    assert_eq!(fake.take_asked(), 1);
    let refused = ours.unwrap(CONTEXT, &foreign).await;
    assert!(matches!(refused, Err(KeyProviderError::UnknownKey(key)) if key.id == OTHER_KEY));
    let other_version = WrappedKey {
        kek_id: KEY.to_owned(),
        kek_version: 2,
        ..foreign.clone()
    };
    let refused = ours.unwrap(CONTEXT, &other_version).await;
    assert!(matches!(refused, Err(KeyProviderError::UnknownKey(_))));
    assert_eq!(fake.take_asked(), 0);

    let relabelled = WrappedKey {
        kek_id: KEY.to_owned(),
        ..foreign
    };
    let refused = ours.unwrap(CONTEXT, &relabelled).await;
    assert!(matches!(refused, Err(KeyProviderError::Rejected)));
}

#[tokio::test]
async fn t09_an_answer_about_another_key_is_refused() {
    let (fake, clock) = bench().await;
    let kms = client(&fake, KEY, &clock);
    let wrapped = kms.wrap(CONTEXT, &secret(7)).await.expect("wrapped");
    for claimed in [OTHER_KEY, "1234abcd-12ab-34cd-56ef-1234567890ab", ""] {
        fake.service.set(Policy {
            claimed_key: Some(claimed),
            ..Policy::default()
        });
        let unwrapped = kms.unwrap(CONTEXT, &wrapped).await;
        assert!(
            matches!(unwrapped, Err(KeyProviderError::Rejected)),
            "{claimed}"
        );
        let wrapped = kms.wrap(CONTEXT, &secret(7)).await;
        assert!(
            matches!(wrapped, Err(KeyProviderError::Rejected)),
            "{claimed}"
        );
    }
}

#[tokio::test]
async fn authentic_bytes_that_are_no_key_are_refused() {
    let (fake, clock) = bench().await;
    let kms = client(&fake, KEY, &clock);
    let wrapped = kms.wrap(CONTEXT, &secret(7)).await.expect("wrapped");
    for (plaintext, is_garbled) in [("AAAA", false), ("", false), ("not base64!", true)] {
        fake.service.set(Policy {
            plaintext: Some(plaintext),
            ..Policy::default()
        });
        let unwrapped = kms.unwrap(CONTEXT, &wrapped).await;
        if is_garbled {
            assert_eq!(trouble(unwrapped), "its answer cannot be understood");
        } else {
            assert!(matches!(unwrapped, Err(KeyProviderError::Rejected)));
        }
    }
}

#[tokio::test]
async fn only_what_may_pass_is_tried_again() {
    for (name, status, asked, says) in [
        (
            "AccessDeniedException",
            400,
            1,
            "it refused with status 400: AccessDeniedException",
        ),
        (
            "DisabledException",
            400,
            1,
            "it refused with status 400: DisabledException",
        ),
        (
            "KMSInvalidStateException",
            400,
            1,
            "it refused with status 400: KMSInvalidStateException",
        ),
        (
            "ExpiredTokenException",
            400,
            1,
            "it refused with status 400: ExpiredTokenException",
        ),
        (
            "com.amazonaws.kms#DisabledException",
            400,
            1,
            "it refused with status 400: DisabledException",
        ),
        (
            "ThrottlingException",
            400,
            2,
            "it failed with status 400: ThrottlingException",
        ),
        (
            "KeyUnavailableException",
            500,
            2,
            "it failed with status 500: KeyUnavailableException",
        ),
        (
            "DependencyTimeoutException",
            503,
            2,
            "it failed with status 503: DependencyTimeoutException",
        ),
        ("Whatever", 502, 2, "it failed with status 502: Whatever"),
        (
            "Too\u{1b}[31m\nMany",
            429,
            2,
            "it failed with status 429: Too[31mMany",
        ),
    ] {
        let (fake, clock) = bench().await;
        let kms = client(&fake, KEY, &clock);
        fake.service.set(Policy {
            failing: Some(("Encrypt", name, status)),
            ..Policy::default()
        });
        let wrapped = kms.wrap(CONTEXT, &secret(7)).await;
        assert_eq!(trouble(wrapped), says);
        assert_eq!(fake.take_asked(), asked, "{name}");
    }
}

#[tokio::test]
async fn a_key_that_is_gone_is_unknown() {
    let (fake, clock) = bench().await;
    let kms = client(&fake, KEY, &clock);
    let wrapped = kms.wrap(CONTEXT, &secret(7)).await.expect("wrapped");
    fake.service.set(Policy {
        failing: Some(("Decrypt", "NotFoundException", 400)),
        ..Policy::default()
    });
    let unwrapped = kms.unwrap(CONTEXT, &wrapped).await;
    assert!(matches!(unwrapped, Err(KeyProviderError::UnknownKey(key)) if key.id == KEY));
}

#[tokio::test]
async fn each_question_is_signed_with_its_own_time() {
    let (fake, clock) = bench().await;
    let kms = client(&fake, KEY, &clock);
    let wrapped = kms.wrap(CONTEXT, &secret(7)).await.expect("wrapped");
    clock.advance(Duration::from_secs(3_600));
    kms.unwrap(CONTEXT, &wrapped).await.expect("signed anew");

    let stranger = client_as(&fake, KEY, &clock, "another secret");
    let refused = trouble(stranger.unwrap(CONTEXT, &wrapped).await);
    assert_eq!(
        refused,
        "it refused with status 400: InvalidSignatureException"
    );
}

#[tokio::test]
async fn health_needs_both_directions() {
    let (fake, clock) = bench().await;
    let kms = client(&fake, KEY, &clock);
    kms.health().await.expect("it is well");
    for operation in ["Encrypt", "Decrypt"] {
        fake.service.set(Policy {
            failing: Some((operation, "AccessDeniedException", 400)),
            ..Policy::default()
        });
        assert!(kms.health().await.is_err(), "{operation}");
    }
}
