//! Sticky pins.

use std::time::Duration;

use switchyard_domain::{
    clock::Timestamp,
    endpoint::EndpointId,
    id::{AccountId, CredentialId},
};

use super::Deployment;
use crate::{Pin, PinKey};

const TTL: Duration = Duration::from_secs(600);

fn conversation(number: u8) -> PinKey {
    PinKey::from_digest([number; 32])
}

/// A pin to `endpoint` with something in every other field.
fn pin(endpoint: &str) -> Pin {
    Pin {
        endpoint: EndpointId::new(endpoint),
        credential: None,
        warm_tokens: 5_120,
        touched_at: Timestamp::from_micros(1_800_000_000_123_456),
        ttl: Duration::from_secs(300),
        hit_ppm: 750_000,
        dearer_turns: 1,
    }
}

fn pin_with_credential(endpoint: &str) -> Pin {
    // Any UUID does; an id of another kind lends one without a dependency.
    let account: AccountId = "acct_0193a1b2c3d47e5f8a9b0c1d2e3f4a5b"
        .parse()
        .expect("a well-formed id");
    let credential = Some(CredentialId::from_uuid(account.as_uuid()));
    Pin {
        credential,
        ..pin(endpoint)
    }
}

/// Pins set at one node lead the other, credential included.
pub async fn a_pin_is_seen_by_every_node(deployment: &impl Deployment) {
    let [here, there] = deployment.nodes();
    assert_eq!(there.pin(&conversation(1)).await.expect("contact"), None);
    for pin in [pin("m|a/fp8"), pin_with_credential("author/model-1:free|b")] {
        here.set_pin(&conversation(1), &pin, TTL)
            .await
            .expect("contact");
        assert_eq!(
            there.pin(&conversation(1)).await.expect("contact"),
            Some(pin)
        );
    }
}

/// A pin replaces the one before.
pub async fn the_last_pin_wins(deployment: &impl Deployment) {
    let [here, there] = deployment.nodes();
    here.set_pin(&conversation(1), &pin_with_credential("m|a"), TTL)
        .await
        .expect("contact");
    there
        .set_pin(&conversation(1), &pin("m|b"), TTL)
        .await
        .expect("contact");
    assert_eq!(
        here.pin(&conversation(1)).await.expect("contact"),
        Some(pin("m|b"))
    );
}

/// Keys that differ in one bit are different conversations.
pub async fn conversations_are_apart(deployment: &impl Deployment) {
    let [here, _] = deployment.nodes();
    let mut neighbour = [1; 32];
    neighbour[31] ^= 1;
    here.set_pin(&conversation(1), &pin("m|a"), TTL)
        .await
        .expect("contact");
    let found = here
        .pin(&PinKey::from_digest(neighbour))
        .await
        .expect("contact");
    assert_eq!(found, None);
}

/// An idle pin is gone after its time, not before.
pub async fn pins_run_out(deployment: &impl Deployment) {
    let [here, _] = deployment.nodes();
    here.set_pin(&conversation(1), &pin("m|a"), TTL)
        .await
        .expect("contact");
    here.set_pin(&conversation(2), &pin("m|b"), 2 * TTL)
        .await
        .expect("contact");
    deployment.age(TTL / 2).await;
    assert_eq!(
        here.pin(&conversation(1)).await.expect("contact"),
        Some(pin("m|a"))
    );
    deployment.age(TTL / 2).await;
    assert_eq!(here.pin(&conversation(1)).await.expect("contact"), None);
    assert_eq!(
        here.pin(&conversation(2)).await.expect("contact"),
        Some(pin("m|b"))
    );
}

/// A touch gives a living pin its full time again, and does nothing for one that has run out.
pub async fn a_touch_prolongs_but_never_revives(deployment: &impl Deployment) {
    let [here, there] = deployment.nodes();
    here.set_pin(&conversation(1), &pin("m|a"), TTL)
        .await
        .expect("contact");
    for _ in 0..3 {
        deployment.age(TTL * 3 / 4).await;
        there
            .touch_pin(&conversation(1), TTL)
            .await
            .expect("contact");
        assert_eq!(
            here.pin(&conversation(1)).await.expect("contact"),
            Some(pin("m|a"))
        );
    }
    deployment.age(TTL).await;
    there
        .touch_pin(&conversation(1), TTL)
        .await
        .expect("contact");
    there
        .touch_pin(&conversation(2), TTL)
        .await
        .expect("contact");
    assert_eq!(here.pin(&conversation(1)).await.expect("contact"), None);
    assert_eq!(here.pin(&conversation(2)).await.expect("contact"), None);
}
