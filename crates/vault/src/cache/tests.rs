use switchyard_domain::{id::CredentialId, provider::ProviderSlug};
use uuid::Uuid;

use super::*;
use crate::context::Tenant;

const TTL: Duration = Duration::from_secs(60);

fn context(record: u128, record_version: u32) -> SecretContext {
    SecretContext {
        tenant: Tenant::Operator,
        workspace: None,
        provider: ProviderSlug::new("deepinfra"),
        endpoint_host: None,
        record: CredentialId::from_uuid(Uuid::from_u128(record)),
        record_version,
    }
}

fn sealed(content: &str) -> SealedSecret {
    SealedSecret::from_bytes(content.as_bytes())
}

fn plaintext(content: &str) -> Plaintext {
    Arc::new(Secret::new(content.as_bytes().to_vec()))
}

fn put(cache: &PlaintextCache, context: &SecretContext, now: Duration) {
    let ticket = cache.ticket(context.record);
    cache.put(ticket, context, &sealed("s"), &plaintext("p"), now);
}

fn holds(cache: &PlaintextCache, context: &SecretContext, now: Duration) -> bool {
    cache.get(context, &sealed("s"), now).is_some()
}

#[test]
fn an_entry_answers_its_context_and_bytes_until_its_time_is_over() {
    let cache = PlaintextCache::new(100, TTL);
    put(&cache, &context(1, 1), Duration::ZERO);
    let just_before = TTL - Duration::from_micros(1);
    assert!(holds(&cache, &context(1, 1), just_before));
    assert!(!holds(&cache, &context(1, 1), TTL));
    assert!(
        !holds(&cache, &context(1, 2), just_before),
        "another version"
    );
    assert!(
        cache
            .get(&context(1, 1), &sealed("t"), just_before)
            .is_none(),
        "other bytes"
    );
    let elsewhere = SecretContext {
        endpoint_host: Some("evil.example".into()),
        ..context(1, 1)
    };
    assert!(
        !holds(&cache, &elsewhere, just_before),
        "another destination"
    );
}

#[test]
fn invalidation_takes_every_version_of_one_record() {
    let cache = PlaintextCache::new(10_000, TTL);
    // Records 1 and 257 share a shard.
    for (record, version) in [(1, 1), (1, 2), (257, 1)] {
        put(&cache, &context(record, version), Duration::ZERO);
    }
    cache.invalidate(context(1, 1).record);
    assert!(!holds(&cache, &context(1, 1), Duration::ZERO));
    assert!(!holds(&cache, &context(1, 2), Duration::ZERO));
    assert!(holds(&cache, &context(257, 1), Duration::ZERO));
    cache.invalidate_all();
    assert_eq!(cache.len(), 0);
}

#[test]
fn what_was_opened_before_an_invalidation_is_not_let_in_after_it() {
    let cache = PlaintextCache::new(100, TTL);
    let context = context(1, 1);
    for invalidate in [
        (|cache: &PlaintextCache, record| cache.invalidate(record)) as fn(&PlaintextCache, _),
        |cache, _| cache.invalidate_all(),
    ] {
        let ticket = cache.ticket(context.record);
        invalidate(&cache, context.record);
        cache.put(
            ticket,
            &context,
            &sealed("s"),
            &plaintext("p"),
            Duration::ZERO,
        );
        assert!(!holds(&cache, &context, Duration::ZERO));
        put(&cache, &context, Duration::ZERO);
        assert!(
            holds(&cache, &context, Duration::ZERO),
            "a new opening is let in"
        );
    }
}

#[test]
fn capacity_is_kept_by_dropping_what_expires_first() {
    let cache = PlaintextCache::new(2, TTL);
    // Even record numbers share the first of two shards, which holds one entry.
    put(&cache, &context(2, 1), Duration::ZERO);
    put(&cache, &context(4, 1), Duration::from_secs(1));
    assert!(!holds(&cache, &context(2, 1), Duration::from_secs(1)));
    assert!(holds(&cache, &context(4, 1), Duration::from_secs(1)));

    let cache = PlaintextCache::new(10_000, TTL);
    for record in 0..20_000 {
        put(&cache, &context(record, 1), Duration::ZERO);
    }
    assert!(cache.len() <= 10_000, "{}", cache.len());
    assert!(cache.len() > 9_000, "{}", cache.len());
}

#[test]
fn a_cache_of_nothing_keeps_nothing() {
    let cache = PlaintextCache::new(0, TTL);
    put(&cache, &context(1, 1), Duration::ZERO);
    assert_eq!(cache.len(), 0);
}

#[test]
fn a_sweep_wipes_what_has_expired() {
    let cache = PlaintextCache::new(10_000, TTL);
    put(&cache, &context(1, 1), Duration::ZERO);
    put(&cache, &context(257, 1), Duration::from_secs(30));
    let plaintext = cache
        .get(&context(1, 1), &sealed("s"), Duration::ZERO)
        .unwrap();
    assert_eq!(Arc::strong_count(&plaintext), 2);
    cache.sweep(TTL);
    assert_eq!(cache.len(), 1);
    assert_eq!(
        Arc::strong_count(&plaintext),
        1,
        "only the borrower holds it still"
    );
}
