//! Keys that take others' places.

use std::time::Duration;

use serde_json::value::RawValue;
use switchyard_billing::test_suite::{Fixture, Tenant};
use switchyard_domain::{clock::ResetInterval, money::UsdNanos, patch::Patch, tenancy::KeyLimit};
use switchyard_store::{
    DirectoryError,
    api_key::{ApiKeyStore, KeyFilter, KeyRotation, KeySight, ManagedKey, Page, RotatedKey},
    policy::{PolicyChange, PolicySubject},
};

use super::{
    managed_keys::{Limited, audit, change, created, known},
    own_credentials as own,
};
use crate::engine::{Engine, NOW};

const DAY: Duration = Duration::from_secs(86_400);

/// Rotates a key of the tenant; the successor's hash, too.
async fn rotate(
    engine: &Engine,
    tenant: Tenant,
    hash: &str,
) -> Result<(String, RotatedKey), DirectoryError> {
    let old = known(engine, tenant, hash).await;
    rotate_seen(engine, tenant, &old).await
}

async fn rotate_seen(
    engine: &Engine,
    tenant: Tenant,
    old: &ManagedKey,
) -> Result<(String, RotatedKey), DirectoryError> {
    let mut successor = engine.new_key_row(tenant.account_id, tenant.workspace_id);
    successor.key.limit = old.key.limit;
    successor.key.shares_limit_of = Some(old.key.limit_key());
    let hash = successor.key.hash.clone();
    let rotation = KeyRotation {
        successor,
        old_expires_at: NOW.plus(DAY),
        expected_revision: old.revision,
        at: NOW,
    };
    let store: &dyn ApiKeyStore = engine.store.api_keys.as_ref();
    let event = audit("api_key.rotate");
    let rotated = store
        .rotate_key(
            tenant.account_id,
            KeySight::CALLING,
            &old.key.hash,
            &rotation,
            &event,
        )
        .await;
    Ok((hash, rotated?))
}

pub(crate) async fn a_successor_has_the_limit_and_both_spend_from_it(engine: &Engine) {
    let daily = Some(ResetInterval::Daily);
    let mut old = Limited::new(engine).await;
    old.set(100, daily).await;
    let hold = old.hold(old.fund(daily), 100, 30).await.expect("granted");
    old.spend(30, vec![hold]).await;
    let (hash, rotated) = rotate(engine, old.tenant, &old.hash)
        .await
        .expect("rotated");
    assert_eq!(rotated.keys.len(), 2);
    let new = known(engine, old.tenant, &hash).await;
    assert_eq!(new.key.limit.map(|limit| limit.limit.get()), Some(100));
    assert_eq!(new.key.limit_key(), old.tenant.api_key_id);
    assert_eq!(new.rotated_from.as_ref(), Some(&old.hash));
    assert_eq!(
        new.usage.limit_used.get(),
        30,
        "what the old one spent counts"
    );
    assert_eq!(new.usage.usage.total.get(), 0, "and is not its own");

    // A node holds of the one fund for the new key, too, and posts under its name.
    let before = known(engine, old.tenant, &old.hash).await;
    assert_eq!(before.key.expires_at, Some(NOW.plus(DAY)));
    assert_eq!(before.rotated_to.as_ref(), Some(&hash));
    let hold = old.hold(old.fund(daily), 100, 50).await.expect("granted");
    let first = old.tenant;
    old.tenant.api_key_id = new.key.id;
    old.spend(50, vec![hold]).await;
    old.tenant = first;
    assert_eq!(old.free(daily).await, 20);
    assert!(old.hold(old.fund(daily), 100, 21).await.is_none());
    for hash in [&old.hash, &hash] {
        let one = known(engine, old.tenant, hash).await;
        assert_eq!(one.usage.limit_used.get(), 80);
        let usage = engine.directory().key_usage(one.key.id, NOW).await;
        assert_eq!(usage.expect("read").limit_used.get(), 80);
    }

    // A change by one is a change for both, and counts what both have used.
    let weekly = KeyLimit {
        limit: UsdNanos::new(200),
        reset: Some(ResetInterval::Weekly),
        include_byok: false,
    };
    change(engine, old.tenant, &hash, Patch::Set(weekly), NOW)
        .await
        .expect("changed");
    assert_eq!(
        known(engine, old.tenant, &old.hash).await.key.limit,
        Some(weekly)
    );
    assert_eq!(old.free(Some(ResetInterval::Weekly)).await, 120);
    old.sound().await;
}

pub(crate) async fn a_successor_is_kept_from_what_the_old_key_was(engine: &Engine) {
    let tenant = engine.new_account().await;
    let hash = created(engine, tenant, |_| {}).await;
    let old = known(engine, tenant, &hash).await;
    let rules = RawValue::from_string(r#"{"ignored_providers":["fir"]}"#.to_owned());
    let change = PolicyChange {
        account_id: tenant.account_id,
        subject: PolicySubject::Key(old.key.id),
        by: "ada".to_owned(),
        at: NOW,
    };
    let directory = engine.directory();
    directory
        .put_policy(&change, &rules.expect("a JSON text"))
        .await
        .expect("set");
    let mut credential = own::plain(engine, tenant, "alder", 1);
    credential.settings.filters.api_key_hashes = Some(vec![hash.clone()]);
    let open = own::plain(engine, tenant, "alder", 2);
    for one in [&credential, &open] {
        own::insert(engine, one).await;
    }
    let revision = own::own(engine).own_credential_revision().await;
    let (new_hash, rotated) = rotate(engine, tenant, &hash).await.expect("rotated");
    assert_eq!(
        (rotated.credentials.as_slice(), rotated.policy),
        (&[credential.id][..], true)
    );
    let new = known(engine, tenant, &new_hash).await;
    let policies = directory
        .policies_for(tenant.account_id, tenant.workspace_id, new.key.id)
        .await
        .expect("read");
    assert_eq!(policies.len(), 1);
    assert!(policies[0].rules.get().contains("fir"));
    let filtered = own::row(engine, &credential).await;
    assert_eq!(
        filtered.settings.filters.api_key_hashes,
        Some(vec![hash, new_hash])
    );
    let changes = own::own(engine)
        .own_credential_revisions_after(revision.expect("read"))
        .await
        .expect("read");
    assert_eq!(changes.len(), 1, "nodes hear of it");
}

pub(crate) async fn a_key_has_one_successor_and_no_stranger_rotates_it(engine: &Engine) {
    let (tenant, other) = (engine.new_account().await, engine.new_account().await);
    let hash = created(engine, tenant, |_| {}).await;
    let old = known(engine, tenant, &hash).await;
    let foreign = rotate_seen(engine, other, &old).await;
    assert!(
        matches!(foreign, Err(DirectoryError::Missing(_))),
        "{foreign:?}"
    );
    let stale = old.clone();
    rotate(engine, tenant, &hash).await.expect("rotated");
    let again = rotate(engine, tenant, &hash).await;
    assert!(
        matches!(again, Err(DirectoryError::Refused("rotated"))),
        "{again:?}"
    );
    let late = rotate_seen(engine, tenant, &stale).await;
    assert!(
        matches!(late, Err(DirectoryError::Conflict("revision"))),
        "{late:?}"
    );
    let filter = KeyFilter {
        workspace: tenant.workspace_id,
        sight: KeySight::CALLING,
        disabled: None,
        expired: Some(false),
        never_used: true,
        text: Some("HASH OF".to_lowercase()),
    };
    let page = Page {
        offset: 0,
        limit: 10,
    };
    let store: &dyn ApiKeyStore = engine.store.api_keys.as_ref();
    let found = store
        .managed_keys(tenant.account_id, &filter, page, NOW)
        .await
        .expect("read");
    assert_eq!(found.1, 3, "the fixture's, the old one, its successor");
}
