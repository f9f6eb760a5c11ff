//! What goes in comes out.

use std::sync::Arc;

use proptest::prelude::*;
use switchyard_domain::{
    id::{AccountId, CredentialId, WorkspaceId},
    provider::ProviderSlug,
    secret::Secret,
};
use switchyard_vault::{
    SECRET_BYTES_MAX, SealError, SecretContext, Tenant, TenantKeyStore as _, random,
    random::RandomUnavailable, tenant_key::InMemoryTenantKeys,
};
use uuid::Uuid;

use crate::bench::{Bench, customer, wait};

pub(crate) fn any_context() -> impl Strategy<Value = SecretContext> {
    let tenant = prop::option::of(any::<u128>()).prop_map(|account| match account {
        None => Tenant::Operator,
        Some(number) => Tenant::Account(AccountId::from_uuid(Uuid::from_u128(number))),
    });
    (
        tenant,
        prop::option::of(any::<u128>()),
        any::<String>(),
        prop::option::of("[a-z.]{1,30}"),
        any::<u128>(),
        any::<u32>(),
    )
        .prop_map(
            |(tenant, workspace, provider, host, record, record_version)| SecretContext {
                tenant,
                workspace: workspace.map(|number| WorkspaceId::from_uuid(Uuid::from_u128(number))),
                provider: ProviderSlug::new(provider),
                endpoint_host: host.map(Arc::from),
                record: CredentialId::from_uuid(Uuid::from_u128(record)),
                record_version,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn t01_any_secret_opens_in_its_own_context(
        context in any_context(),
        secret in prop::collection::vec(any::<u8>(), 0..2_000),
    ) {
        let bench = Bench::new();
        let sealed = bench.seal(&context, &secret);
        prop_assert_eq!(bench.open_afresh(&context, &sealed).expect("it opens"), secret.clone());
        let remembered = wait(bench.vault.open(&context, &sealed)).expect("it opens");
        prop_assert_eq!(remembered.expose(), &secret);
        if secret.len() >= 4 {
            let leaked = sealed.as_bytes().windows(secret.len()).any(|part| part == secret);
            prop_assert!(!leaked);
        }
    }

    #[test]
    fn t02_any_other_context_is_refused(
        sealed_for in any_context(),
        opened_for in any_context(),
    ) {
        prop_assume!(sealed_for != opened_for);
        let bench = Bench::new();
        let sealed = bench.seal(&sealed_for, b"secret");
        bench.seal(&opened_for, b"gives the other tenant a key");
        let error = bench.open_afresh(&opened_for, &sealed).expect_err("it must not open");
        prop_assert!(error.is_integrity_failure());
    }
}

#[test]
fn the_same_secret_never_looks_the_same_twice() {
    let bench = Bench::new();
    let [one, two] = [1, 2].map(|_| bench.seal(&customer(1), b"secret"));
    // From the commitment on, nothing repeats: a new data key for each seal.
    assert_ne!(one.as_bytes()[26..58], two.as_bytes()[26..58]);
    assert_ne!(one.as_bytes()[130..], two.as_bytes()[130..]);
}

#[test]
fn secrets_have_a_largest_size() {
    let bench = Bench::new();
    let largest = vec![7; SECRET_BYTES_MAX];
    let sealed = bench.seal(&customer(1), &largest);
    assert_eq!(sealed.as_bytes().len(), switchyard_vault::SEALED_BYTES_MAX);
    assert_eq!(
        bench.open_afresh(&customer(1), &sealed).expect("it opens"),
        largest
    );
    let too_large = Secret::new(vec![7; SECRET_BYTES_MAX + 1]);
    let refused = wait(bench.vault.seal(&customer(1), &too_large));
    assert!(matches!(
        refused,
        Err(SealError::TooLarge { bytes: 65_537 })
    ));
}

#[test]
fn nodes_that_make_a_tenants_first_key_at_once_agree_on_one() {
    let bench = Bench::new();
    let other = bench.neighbour();
    let secret = Secret::new(b"secret".to_vec());
    let (here, there) = wait(async {
        let context = customer(1);
        let (here, there) = tokio::join!(
            bench.vault.seal(&context, &secret),
            other.vault.seal(&context, &secret)
        );
        (
            here.expect("it can be sealed"),
            there.expect("it can be sealed"),
        )
    });
    for sealed in [&here, &there] {
        assert_eq!(
            bench.open_afresh(&customer(1), sealed).expect("it opens"),
            b"secret"
        );
    }
    let newest = wait(bench.tenant_keys.newest(customer(1).tenant)).expect("it is in memory");
    assert_eq!(newest.expect("a key was made").version, 1);
}

#[test]
fn without_randomness_nothing_is_sealed() {
    struct Dry;
    impl random::Random for Dry {
        fn fill(&self, _: &mut [u8]) -> Result<(), RandomUnavailable> {
            Err(RandomUnavailable::without_cause())
        }
    }
    let bench = Bench::new();
    let dry = switchyard_vault::Vault::new(
        bench.provider.clone(),
        Arc::new(InMemoryTenantKeys::default()),
        Arc::new(Dry),
        bench.clock.clone(),
        switchyard_vault::VaultSettings::default(),
    );
    let refused = wait(dry.seal(&customer(1), &Secret::new(b"secret".to_vec())));
    assert!(
        matches!(refused, Err(SealError::Unavailable(_))),
        "{refused:?}"
    );
}
