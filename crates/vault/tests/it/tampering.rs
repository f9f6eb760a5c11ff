//! What lies in the database is not believed.

use proptest::prelude::*;
use switchyard_domain::{
    id::{CredentialId, WorkspaceId},
    provider::ProviderSlug,
    secret::Secret,
};
use switchyard_vault::{
    OpenError, SealError, SealedSecret, SecretContext, Tenant, TenantKeyStore as _,
};
use uuid::Uuid;

use crate::bench::{Bench, customer, wait};

#[test]
fn t02_every_changed_byte_is_noticed() {
    let bench = Bench::new();
    let sealed = bench.seal(&customer(1), b"sk-customers-own");
    for at in 0..sealed.as_bytes().len() {
        for change in [0x01, 0x80, 0xff] {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[at] ^= change;
            let error = bench
                .open_afresh(&customer(1), &SealedSecret::from_bytes(bytes))
                .expect_err("it must not open");
            // A changed tenant key version names a key that never was.
            let is_key_version = (22..26).contains(&at);
            assert_eq!(
                error.is_integrity_failure(),
                !is_key_version,
                "byte {at}: {error}"
            );
            assert!(!is_key_version || matches!(error, OpenError::Shredded { .. }));
        }
    }
}

proptest! {
    #[test]
    fn t03_any_bytes_are_refused_without_panic(
        mut bytes in prop::collection::vec(any::<u8>(), 0..300),
        genuine_start in any::<bool>(),
    ) {
        let bench = Bench::new();
        if genuine_start {
            let sealed = bench.seal(&customer(1), b"secret");
            bytes.splice(0..0, sealed.as_bytes()[..26].to_vec());
        }
        let refused = bench.open_afresh(&customer(1), &SealedSecret::from_bytes(bytes));
        prop_assert!(refused.expect_err("it must not open").is_integrity_failure());
    }
}

/// Everything a row could be moved to, one fact at a time.
fn elsewhere_than(home: &SecretContext) -> Vec<(&'static str, SecretContext)> {
    let changed = |change: fn(&mut SecretContext)| {
        let mut elsewhere = home.clone();
        change(&mut elsewhere);
        elsewhere
    };
    vec![
        (
            "another tenant",
            changed(|to| to.tenant = customer(2).tenant),
        ),
        ("the operator", changed(|to| to.tenant = Tenant::Operator)),
        (
            "another workspace",
            changed(|to| to.workspace = Some(WorkspaceId::from_uuid(Uuid::from_u128(22)))),
        ),
        ("no workspace", changed(|to| to.workspace = None)),
        (
            "another provider",
            changed(|to| to.provider = ProviderSlug::new("openai")),
        ),
        (
            "an endpoint edited in the database",
            changed(|to| to.endpoint_host = Some("evil.example".into())),
        ),
        (
            "a catalogue endpoint",
            changed(|to| to.endpoint_host = None),
        ),
        (
            "another record",
            changed(|to| to.record = CredentialId::from_uuid(Uuid::from_u128(32))),
        ),
        ("an earlier version", changed(|to| to.record_version = 0)),
        ("a later version", changed(|to| to.record_version = 2)),
    ]
}

#[test]
fn t04_a_row_opens_nowhere_but_in_its_place() {
    let bench = Bench::new();
    let home = customer(1);
    let sealed = bench.seal(&home, b"sk-customers-own");
    bench.seal(&customer(2), b"gives the other tenant a key");
    bench.seal(
        &SecretContext {
            tenant: Tenant::Operator,
            ..customer(1)
        },
        b"the operator too",
    );
    for (place, context) in elsewhere_than(&home) {
        let refused = bench.open_afresh(&context, &sealed);
        assert!(
            matches!(refused, Err(OpenError::Rejected)),
            "{place}: {refused:?}"
        );
        // Nor where the secret was opened a moment ago.
        wait(bench.vault.open(&home, &sealed)).expect("it opens at home");
        let refused = wait(bench.vault.open(&context, &sealed));
        assert!(
            matches!(refused, Err(OpenError::Rejected)),
            "{place}, remembered: {refused:?}"
        );
        assert!(bench.vault.opened(&context, &sealed).is_none());
    }
}

#[test]
fn t04_fields_cannot_be_shifted_into_each_other() {
    let bench = Bench::new();
    let context = |provider: &str, host: &str| SecretContext {
        provider: ProviderSlug::new(provider),
        endpoint_host: Some(host.into()),
        ..customer(1)
    };
    let sealed = bench.seal(&context("azure", "acme.example"), b"secret");
    let refused = bench.open_afresh(&context("azurea", "cme.example"), &sealed);
    assert!(matches!(refused, Err(OpenError::Rejected)));
}

#[test]
fn t04_a_tenant_key_works_in_its_own_row_only() {
    let bench = Bench::new();
    let (victim, thief) = (customer(1), customer(2));
    let sealed = bench.seal(&victim, b"secret");
    let sealed_by_thief = bench.seal(&thief, b"gives the thief a key");
    let stolen = wait(bench.tenant_keys.newest(victim.tenant))
        .unwrap()
        .expect("a key was made");
    for (tenant, version) in [(thief.tenant, 1), (victim.tenant, 2)] {
        let mut row = stolen.clone();
        (row.tenant, row.version) = (tenant, version);
        bench.tenant_keys.overwrite(row);
    }
    let refused = bench.open_afresh(&thief, &sealed_by_thief);
    assert!(matches!(refused, Err(OpenError::Rejected)), "{refused:?}");
    let refused = wait(
        bench
            .neighbour()
            .vault
            .seal(&thief, &Secret::new(b"new".to_vec())),
    );
    assert!(matches!(refused, Err(SealError::Rejected)), "{refused:?}");
    let refused = wait(bench.neighbour().vault.rewrap(&victim, &sealed));
    assert!(matches!(refused, Err(OpenError::Rejected)), "{refused:?}");
}

#[test]
fn a_shredded_tenant_stays_unreadable() {
    let bench = Bench::new();
    let sealed = bench.seal(&customer(1), b"secret");
    wait(bench.vault.open(&customer(1), &sealed)).expect("it opens");
    bench.tenant_keys.shred(customer(1).tenant);
    bench.vault.forget_everything();
    let gone = wait(bench.vault.open(&customer(1), &sealed));
    assert!(
        matches!(gone, Err(OpenError::Shredded { version: 1, .. })),
        "{gone:?}"
    );

    // The tenant comes back: its new key has the same version, and opens nothing old.
    let renewed = bench.seal(&customer(1), b"new secret");
    assert_eq!(
        bench.open_afresh(&customer(1), &renewed).expect("it opens"),
        b"new secret"
    );
    let refused = bench.open_afresh(&customer(1), &sealed);
    assert!(matches!(refused, Err(OpenError::Rejected)), "{refused:?}");
}

#[test]
fn a_node_that_missed_the_shredding_seals_under_the_new_key() {
    let bench = Bench::new();
    let behind = bench.neighbour();
    behind.seal(&customer(1), b"remembers the first key");
    bench.tenant_keys.shred(customer(1).tenant);
    bench.vault.forget_everything();
    bench.seal(&customer(1), b"makes the second key, version 1 again");
    let sealed = behind.seal(&customer(1), b"secret");
    assert_eq!(
        bench.open_afresh(&customer(1), &sealed).expect("it opens"),
        b"secret"
    );
}

#[test]
fn errors_tell_nothing_of_the_secret() {
    let bench = Bench::new();
    let sealed = bench.seal(&customer(1), b"sk-canary");
    let error = bench
        .open_afresh(&customer(2), &sealed)
        .expect_err("it must not open");
    let opened = wait(bench.vault.open(&customer(1), &sealed)).expect("it opens");
    for shown in [
        format!("{error:?} {error}"),
        format!("{sealed:?}"),
        format!("{opened:?}"),
    ] {
        assert!(!shown.contains("canary"), "{shown}");
    }
}
