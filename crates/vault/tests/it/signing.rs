//! Signing keys: sealed when they are made, opened only in their own place.

use switchyard_vault::OpenError;

use crate::bench::{Bench, wait};

#[test]
fn a_signing_key_is_opened_by_every_node() {
    let bench = Bench::new();
    let (public, sealed) = wait(bench.vault.new_signing_key()).expect("made");
    let neighbour = bench.neighbour();
    let here = wait(bench.vault.open_signing_key(&public, &sealed)).expect("opened");
    let there = wait(neighbour.vault.open_signing_key(&public, &sealed)).expect("opened");
    let signature = here.sign(b"evidence");
    assert_eq!(signature, there.sign(b"evidence"));
    assert_eq!(public.verify(b"evidence", &signature), Ok(()));
}

#[test]
fn no_two_keys_are_alike_and_neither_opens_for_the_other() {
    let bench = Bench::new();
    let (public, sealed) = wait(bench.vault.new_signing_key()).expect("made");
    let (other, other_sealed) = wait(bench.vault.new_signing_key()).expect("made");
    assert_ne!(public, other);
    for (public, sealed) in [(public, other_sealed), (other, sealed)] {
        let refused = wait(bench.vault.open_signing_key(&public, &sealed));
        assert!(matches!(refused, Err(OpenError::Rejected)), "{refused:?}");
    }
}
