//! Sealed credentials and wrapped tenant keys.

use std::time::Duration;

use switchyard_domain::{id::CredentialId, provider::ProviderSlug};
use switchyard_store::credential::{NewProviderCredential, StoredCredential, TenantKeyRow};
use tokio::task::JoinSet;

use crate::engine::{Engine, NOW};

pub(crate) fn credential(engine: &Engine, provider: &str, label: &str) -> NewProviderCredential {
    NewProviderCredential {
        credential_id: CredentialId::from_uuid(engine.fresh_uuid()),
        provider: ProviderSlug::new(provider),
        label: label.to_owned(),
        sealed: vec![0, 1, 255, 0],
        record_version: 1,
        at: NOW,
    }
}

fn as_stored(new: &NewProviderCredential) -> StoredCredential {
    StoredCredential {
        credential_id: new.credential_id,
        provider: new.provider.clone(),
        label: new.label.clone(),
        sealed: new.sealed.clone(),
        record_version: new.record_version,
        created_at: new.at,
    }
}

pub(crate) fn tenant_key(tenant: &str, version: i32, wrapped: u8) -> TenantKeyRow {
    TenantKeyRow {
        tenant: tenant.to_owned(),
        version,
        kek_id: "keyring".to_owned(),
        kek_version: 1,
        wrapped: vec![wrapped; 40],
    }
}

pub(crate) async fn a_provider_credential_replaces_its_namesake(engine: &Engine) {
    let put = async |new| {
        engine
            .directory()
            .put_provider_credential(new)
            .await
            .expect("stored")
    };
    let acme = credential(engine, "acme", "main");
    let spare = credential(engine, "acme", "spare");
    let bolt = credential(engine, "bolt", "main");
    for new in [&bolt, &spare, &acme] {
        put(new).await;
    }
    let mut newer = credential(engine, "acme", "main");
    newer.sealed = vec![9];
    newer.record_version = 2;
    newer.at = NOW.plus(Duration::from_secs(1));
    put(&newer).await;

    let all = engine
        .directory()
        .provider_credentials()
        .await
        .expect("answered");
    assert_eq!(
        all,
        [as_stored(&newer), as_stored(&spare), as_stored(&bolt)]
    );

    let provider = ProviderSlug::new("acme");
    for (label, deleted) in [("main", true), ("main", false), ("other", false)] {
        let outcome = engine
            .directory()
            .delete_provider_credential(&provider, label)
            .await;
        assert_eq!(outcome.expect("answered"), deleted, "{label}");
    }
    let left = engine
        .directory()
        .provider_credentials()
        .await
        .expect("answered");
    assert_eq!(left, [as_stored(&spare), as_stored(&bolt)]);
}

pub(crate) async fn the_revision_changes_with_every_credential(engine: &Engine) {
    let revision = async || {
        engine
            .directory()
            .credential_revision()
            .await
            .expect("answered")
    };
    let mut seen = vec![revision().await];
    for _ in 0..2 {
        let new = credential(engine, "acme", "main");
        engine
            .directory()
            .put_provider_credential(&new)
            .await
            .expect("stored");
        seen.push(revision().await);
    }
    let provider = ProviderSlug::new("acme");
    engine
        .directory()
        .delete_provider_credential(&provider, "main")
        .await
        .expect("deleted");
    seen.push(revision().await);
    assert!(seen.is_sorted_by(|one, next| one < next), "{seen:?}");
    engine
        .directory()
        .delete_provider_credential(&provider, "main")
        .await
        .expect("no credential");
    assert_eq!(
        revision().await,
        seen[3],
        "deleting nothing changes nothing"
    );
}

pub(crate) async fn the_first_tenant_key_wins(engine: &Engine) {
    let mut tasks = JoinSet::new();
    for writer in 0..8 {
        let directory = engine.store.directory.clone();
        let row = tenant_key("ws_1", 1, writer);
        tasks.spawn(async move { directory.put_tenant_key(&row).await.expect("stored") });
    }
    let answers = tasks.join_all().await;
    let there = engine
        .directory()
        .tenant_key("ws_1", 1)
        .await
        .expect("answered");

    let there = there.expect("stored");
    assert_eq!(answers, vec![there; 8], "everyone holds the same key");

    assert_eq!(
        engine
            .directory()
            .tenant_key("ws_1", 2)
            .await
            .expect("answered"),
        None
    );
    assert_eq!(
        engine
            .directory()
            .latest_tenant_key("ws_2")
            .await
            .expect("answered"),
        None
    );
    let second = tenant_key("ws_1", 2, 77);
    assert_eq!(
        engine
            .directory()
            .put_tenant_key(&second)
            .await
            .expect("stored"),
        second
    );
    let latest = engine
        .directory()
        .latest_tenant_key("ws_1")
        .await
        .expect("answered");
    assert_eq!(latest, Some(second));
}

pub(crate) async fn a_rewrap_needs_the_wrapping_it_read(engine: &Engine) {
    let old = tenant_key("ws_1", 1, 1);
    engine
        .directory()
        .put_tenant_key(&old)
        .await
        .expect("stored");
    let new = TenantKeyRow {
        kek_version: 2,
        wrapped: vec![2; 40],
        ..old.clone()
    };
    let other = TenantKeyRow {
        kek_version: 2,
        wrapped: vec![3; 40],
        ..old.clone()
    };

    for (expected, rewrapped, done) in [
        (&other, &new, false),
        (&old, &new, true),
        (&old, &other, false),
    ] {
        let outcome = engine
            .directory()
            .rewrap_tenant_key(expected, rewrapped)
            .await;
        assert_eq!(outcome.expect("answered"), done);
    }
    assert_eq!(
        engine
            .directory()
            .tenant_key("ws_1", 1)
            .await
            .expect("answered"),
        Some(new)
    );
}

pub(crate) async fn rotation_finds_what_is_left_to_rewrap(engine: &Engine) {
    let rows: Vec<_> = (1..4)
        .map(|version| tenant_key("ws_1", version, 1))
        .collect();
    for row in &rows {
        engine
            .directory()
            .put_tenant_key(row)
            .await
            .expect("stored");
    }
    let rewrapped = TenantKeyRow {
        kek_version: 2,
        ..rows[1].clone()
    };
    engine
        .directory()
        .rewrap_tenant_key(&rows[1], &rewrapped)
        .await
        .expect("rewrapped");

    let other = tenant_key("ws_2", 1, 1);
    engine
        .directory()
        .put_tenant_key(&other)
        .await
        .expect("stored");

    for (kek_id, kek_version, after, limit, left) in [
        ("keyring", 2, None, 10, vec![&rows[0], &rows[2], &other]),
        ("keyring", 2, None, 1, vec![&rows[0]]),
        ("keyring", 2, Some(&rows[0]), 1, vec![&rows[2]]),
        ("keyring", 2, Some(&rows[2]), 10, vec![&other]),
        ("keyring", 1, None, 10, vec![&rewrapped]),
        (
            "kms",
            2,
            None,
            10,
            vec![&rows[0], &rewrapped, &rows[2], &other],
        ),
    ] {
        let answer = engine
            .directory()
            .tenant_keys_not_under(kek_id, kek_version, after, limit)
            .await;
        assert_eq!(answer.expect("answered").iter().collect::<Vec<_>>(), left);
    }
}

pub(crate) async fn t08_sealed_rows_are_noticed(engine: &Engine) {
    let sealed = async || {
        engine
            .directory()
            .holds_sealed_rows()
            .await
            .expect("answered")
    };
    assert!(!sealed().await);
    let new = credential(engine, "acme", "main");
    engine
        .directory()
        .put_provider_credential(&new)
        .await
        .expect("stored");
    assert!(sealed().await, "a credential");
    engine
        .directory()
        .delete_provider_credential(&new.provider, "main")
        .await
        .expect("deleted");
    assert!(!sealed().await);
    engine
        .directory()
        .put_tenant_key(&tenant_key("ws_1", 1, 1))
        .await
        .expect("stored");
    assert!(sealed().await, "a tenant key");
}
