//! What is remembered, and for how long.

use std::{sync::atomic::Ordering, time::Duration};

use switchyard_vault::{OpenError, SealError};

use crate::bench::{Bench, customer, wait};

const PLAINTEXT_TTL: Duration = Duration::from_secs(60);
const TENANT_KEY_TTL: Duration = Duration::from_secs(5 * 60);
const OUTAGE_GRACE: Duration = Duration::from_secs(15 * 60);

#[test]
fn an_opened_secret_is_remembered_for_a_minute() {
    let bench = Bench::new();
    let sealed = bench.seal(&customer(1), b"secret");
    assert!(
        bench.vault.opened(&customer(1), &sealed).is_none(),
        "sealing remembers nothing"
    );
    wait(bench.vault.open(&customer(1), &sealed)).expect("it opens");
    bench
        .clock
        .advance(PLAINTEXT_TTL - Duration::from_micros(1));
    assert!(bench.vault.opened(&customer(1), &sealed).is_some());
    bench.clock.advance(Duration::from_micros(1));
    assert!(bench.vault.opened(&customer(1), &sealed).is_none());
}

#[test]
fn a_forgotten_secret_is_gone_at_once() {
    let bench = Bench::new();
    let sealed = bench.seal(&customer(1), b"secret");
    for forget in [
        (|bench: &Bench| bench.vault.forget(customer(1).record)) as fn(&Bench),
        |bench| bench.vault.forget_everything(),
        |bench| {
            bench.clock.advance(PLAINTEXT_TTL);
            bench.vault.sweep();
        },
    ] {
        let held = wait(bench.vault.open(&customer(1), &sealed)).expect("it opens");
        assert_eq!(std::sync::Arc::strong_count(&held), 2);
        forget(&bench);
        assert!(bench.vault.opened(&customer(1), &sealed).is_none());
        assert_eq!(
            std::sync::Arc::strong_count(&held),
            1,
            "the vault still holds it"
        );
    }
}

#[test]
fn a_tenants_key_is_unwrapped_once_in_five_minutes() {
    let bench = Bench::new();
    let sealed = bench.seal(&customer(1), b"secret");
    let unwraps = || bench.provider.unwraps.load(Ordering::SeqCst);
    let before = unwraps();
    for _ in 0..4 {
        bench.clock.advance(PLAINTEXT_TTL);
        wait(bench.vault.open(&customer(1), &sealed)).expect("it opens");
        bench.seal(&customer(1), b"another");
    }
    assert_eq!(unwraps(), before);
    bench.clock.advance(PLAINTEXT_TTL);
    wait(bench.vault.open(&customer(1), &sealed)).expect("it opens");
    assert_eq!(unwraps(), before + 1);
}

#[test]
fn known_tenants_outlast_an_absent_provider_for_a_while() {
    let bench = Bench::new();
    let (known, unknown) = (customer(1), customer(2));
    let sealed = bench.seal(&known, b"secret");
    let sealed_unknown = bench.seal(&unknown, b"secret");
    bench.vault.forget_everything();
    wait(bench.vault.open(&known, &sealed)).expect("it opens");
    bench.provider.is_away.store(true, Ordering::SeqCst);
    assert!(wait(bench.vault.health()).is_err());

    let refused = wait(bench.vault.open(&unknown, &sealed_unknown));
    assert!(
        matches!(refused, Err(OpenError::Unavailable(_))),
        "{refused:?}"
    );
    let refused = wait(bench.vault.seal(
        &customer(3),
        &switchyard_domain::secret::Secret::new(vec![]),
    ));
    assert!(
        matches!(refused, Err(SealError::Unavailable(_))),
        "never plaintext: {refused:?}"
    );

    let last_moment = TENANT_KEY_TTL + OUTAGE_GRACE - Duration::from_micros(1);
    bench.clock.advance(last_moment);
    wait(bench.vault.open(&known, &sealed)).expect("it opens within the grace");
    bench.clock.advance(PLAINTEXT_TTL);
    let refused = wait(bench.vault.open(&known, &sealed));
    assert!(
        matches!(refused, Err(OpenError::Unavailable(_))),
        "{refused:?}"
    );

    bench.provider.is_away.store(false, Ordering::SeqCst);
    wait(bench.vault.open(&known, &sealed)).expect("it opens again");
    wait(bench.vault.health()).expect("it is well again");
}
