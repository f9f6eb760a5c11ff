//! Keys change, secrets stay.

use std::sync::Arc;

use switchyard_domain::secret::Secret;
use switchyard_vault::{
    OsRandom, SealedSecret, TenantKeyStore as _, Vault, VaultSettings,
    key_provider::{Keyring, SealedRows},
    tenant_key::InMemoryTenantKeys,
};

use crate::{
    bench::{Bench, ManualClock, customer, wait},
    keyring::TemporaryDirectory,
};

/// Where the secret's nonce, ciphertext and tag begin.
const SECRET_AT: usize = 118;

#[test]
fn a_new_tenant_key_seals_from_now_on_and_old_seals_move_by_rewrap() {
    let bench = Bench::new();
    let old: Vec<SealedSecret> = (0..20_u8).map(|n| bench.seal(&customer(1), &[n])).collect();
    assert!(
        wait(bench.vault.rewrap(&customer(1), &old[0]))
            .expect("it opens")
            .is_none()
    );
    assert_eq!(
        wait(bench.vault.rotate_tenant_key(customer(1).tenant)).expect("it rotates"),
        2
    );
    for (n, old) in (0..20_u8).zip(&old) {
        assert_eq!(bench.open_afresh(&customer(1), old).expect("it opens"), [n]);
        let moved = wait(bench.vault.rewrap(&customer(1), old)).expect("it opens");
        let moved = moved.expect("it was under the old key");
        assert_eq!(moved.as_bytes()[SECRET_AT..], old.as_bytes()[SECRET_AT..]);
        assert_eq!(moved.as_bytes()[22..26], 2_u32.to_be_bytes());
        assert_eq!(
            bench.open_afresh(&customer(1), &moved).expect("it opens"),
            [n]
        );
        assert!(
            wait(bench.vault.rewrap(&customer(1), &moved))
                .expect("it opens")
                .is_none()
        );
    }
    let new = bench.seal(&customer(1), b"new");
    assert_eq!(new.as_bytes()[22..26], 2_u32.to_be_bytes());
}

#[test]
fn nothing_is_rewrapped_for_another_context() {
    let bench = Bench::new();
    let sealed = bench.seal(&customer(1), b"secret");
    bench.seal(&customer(2), b"gives the other tenant a key");
    wait(bench.vault.rotate_tenant_key(customer(1).tenant)).expect("it rotates");
    wait(bench.vault.rotate_tenant_key(customer(2).tenant)).expect("it rotates");
    let error = wait(bench.vault.rewrap(&customer(2), &sealed)).expect_err("not theirs");
    assert!(error.is_integrity_failure());
    let mut elsewhere = customer(1);
    elsewhere.endpoint_host = Some("evil.example".into());
    let error = wait(bench.vault.rewrap(&elsewhere, &sealed)).expect_err("not there");
    assert!(error.is_integrity_failure());
}

#[test]
fn nodes_that_rotate_at_once_make_one_new_key() {
    let bench = Bench::new();
    bench.seal(&customer(1), b"secret");
    let other = bench.neighbour();
    let (here, there) = wait(async {
        tokio::join!(
            bench.vault.rotate_tenant_key(customer(1).tenant),
            other.vault.rotate_tenant_key(customer(1).tenant)
        )
    });
    let versions = [here.expect("it rotates"), there.expect("it rotates")];
    let newest = wait(bench.tenant_keys.newest(customer(1).tenant))
        .unwrap()
        .unwrap();
    assert_eq!(newest.version, versions.into_iter().max().unwrap());
    let sealed = other.seal(&customer(1), b"secret");
    assert_eq!(
        bench.open_afresh(&customer(1), &sealed).expect("it opens"),
        b"secret"
    );
}

#[test]
fn a_new_version_in_the_keyring_takes_over_the_tenant_keys() {
    let directory = TemporaryDirectory::new();
    let path = directory.path("keyring.json");
    let random = Arc::new(OsRandom);
    let tenant_keys = Arc::new(InMemoryTenantKeys::default());
    let vault = |keyring: Keyring| {
        let clock = Arc::new(ManualClock::default());
        let settings = VaultSettings::default();
        Vault::new(
            Arc::new(keyring),
            tenant_keys.clone(),
            Arc::new(OsRandom),
            clock,
            settings,
        )
    };
    let context = customer(1);

    let first = Keyring::open_or_create(&path, SealedRows::None, random.clone()).unwrap();
    let sealed = wait(vault(first).seal(&context, &Secret::new(b"secret".to_vec()))).unwrap();
    let row = wait(tenant_keys.newest(context.tenant)).unwrap().unwrap();
    assert_eq!(row.wrapped.kek_version, 1);

    Keyring::advance_primary(&path, random.clone()).unwrap();
    let rotated = vault(Keyring::open(&path, random.clone()).unwrap());
    let moved = wait(rotated.rewrap_tenant_key(&row))
        .unwrap()
        .expect("it was under version 1");
    assert_eq!(
        (moved.tenant, moved.version, moved.wrapped.kek_version),
        (row.tenant, row.version, 2)
    );
    assert!(wait(rotated.rewrap_tenant_key(&moved)).unwrap().is_none());

    // Both rows open the secret, whose bytes nobody touched.
    for row in [row, moved] {
        tenant_keys.overwrite(row);
        let vault = vault(Keyring::open(&path, random.clone()).unwrap());
        assert_eq!(
            wait(vault.open(&context, &sealed)).unwrap().expose(),
            b"secret"
        );
    }
}
