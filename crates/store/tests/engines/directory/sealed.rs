//! Everything sealed, as those see it who rotate keys and destroy them.

use super::credentials::{credential, tenant_key};
use crate::engine::{Engine, NOW};
use switchyard_billing::test_suite::{Fixture, Tenant};
use switchyard_domain::{
    id::{AccountId, CredentialId, PersonId},
    provider::ProviderSlug,
};
use switchyard_store::{
    DirectoryError,
    api_key::KeyVerifier,
    audit::{AuditEvent, AuditOrigin},
    own_credential::{
        CredentialSettings, NewOwnCredential, OwnCredentialStore, SealedRecord, SecretFacts,
    },
    receipts::SigningKeyRow,
    sealed::{KeyVersionCount, RewrappedRow, SealedKind, SealedRow, SealedStore},
};

const PAGE: u32 = 100;

pub(super) fn sealed(engine: &Engine) -> &dyn SealedStore {
    engine.store.sealed.as_ref()
}

pub(super) fn own(engine: &Engine) -> &dyn OwnCredentialStore {
    engine.store.own_credentials.as_ref()
}

pub(super) fn audit(action: &str, account: AccountId) -> AuditEvent {
    AuditEvent {
        at: NOW,
        actor: "operator".to_owned(),
        action: action.to_owned(),
        subject: account.to_string(),
        detail: serde_json::json!({}),
        origin: AuditOrigin {
            account_id: Some(account),
            ..AuditOrigin::default()
        },
    }
}

pub(super) fn new_record(engine: &Engine, tenant: Tenant, version: i32) -> NewOwnCredential {
    let id = engine.fresh_uuid();
    let mut fingerprint = [0; 32];
    fingerprint[..16].copy_from_slice(id.as_bytes());
    NewOwnCredential {
        id: CredentialId::from_uuid(id),
        account_id: tenant.account_id,
        workspace_id: Some(tenant.workspace_id),
        provider: ProviderSlug::new("acme"),
        secret: SealedRecord {
            sealed: vec![0, 7, 255],
            record_version: 3,
            tenant_key_version: version,
        },
        facts: SecretFacts {
            kind: "api_key".to_owned(),
            label: "sk-…xyz".to_owned(),
            endpoint_host: Some("a.example,b.example".to_owned()),
            fingerprint,
        },
        settings: CredentialSettings::default(),
        created_by: "operator".to_owned(),
        at: NOW,
    }
}

pub(super) async fn put_key(engine: &Engine, account: AccountId, version: i32) {
    let row = tenant_key(&account.to_string(), version, 1);
    engine
        .directory()
        .put_tenant_key(&row)
        .await
        .expect("stored");
}

pub(super) async fn put_record(
    engine: &Engine,
    new: &NewOwnCredential,
) -> Result<i64, DirectoryError> {
    let event = audit("credential.create", new.account_id);
    let stored = own(engine).insert_own_credential(new, &event).await?;
    Ok(stored.revision)
}

/// An account with a key of version 1 and this many records under it.
pub(super) async fn filled(engine: &Engine, records: usize) -> (Tenant, Vec<CredentialId>) {
    let tenant = engine.new_account().await;
    put_key(engine, tenant.account_id, 1).await;
    let mut ids = Vec::new();
    for _ in 0..records {
        let new = new_record(engine, tenant, 1);
        put_record(engine, &new).await.expect("stored");
        ids.push(new.id);
    }
    (tenant, ids)
}

pub(super) async fn not_under(engine: &Engine, account: AccountId, version: i32) -> Vec<SealedRow> {
    sealed(engine)
        .sealed_rows_not_under(Some(account), version, None, PAGE)
        .await
        .expect("answered")
}

pub(super) fn moved(row: &SealedRow, byte: u8, version: i32) -> RewrappedRow {
    RewrappedRow {
        expected: row.clone(),
        sealed: vec![byte; 5],
        tenant_key_version: version,
    }
}

pub(crate) async fn t08_each_kind_of_sealed_row_is_noticed_by_itself(engine: &Engine) {
    let noticed = async || {
        let answer = engine.directory().holds_sealed_rows().await;
        answer.expect("answered")
    };
    let account = engine.new_account_row("ada@example.com");
    engine
        .directory()
        .create_account(&account)
        .await
        .expect("created");
    assert!(!noticed().await, "an account alone needs no keyring");

    let (account_id, workspace_id) = (account.account_id, account.workspace_id);
    let key = engine.new_key_row(account_id, workspace_id);
    engine.directory().insert_key(&key).await.expect("stored");
    assert!(noticed().await, "an API key is verified with its help");
    let deleted = engine.directory().delete_key(workspace_id, key.key.id, NOW);
    deleted.await.expect("deleted");
    assert!(!noticed().await);

    let tenant = Tenant {
        account_id,
        workspace_id,
        api_key_id: key.key.id,
    };
    let record = new_record(engine, tenant, 1);
    put_record(engine, &record).await.expect("stored");
    assert!(noticed().await, "a customer's credential");
    let event = audit("credential.delete", account_id);
    let deleted = own(engine).delete_own_credential(account_id, record.id, &event);
    deleted.await.expect("deleted");
    assert!(!noticed().await, "its secret is gone");

    let person = PersonId::from_uuid(account_id.as_uuid());
    let proofs = &engine.store.proofs;
    let set_up = proofs.set_up_authenticator(person, record.id, b"sealed", NOW);
    set_up.await.expect("set up");
    assert!(noticed().await, "the seed of an authenticator app");
    let event = audit("authenticator.remove", account_id);
    let removed = proofs.remove_authenticator(person, &event).await;
    removed.expect("removed");
    assert!(!noticed().await, "it is gone with its seed");

    let signing_key = SigningKeyRow {
        key_id: "sig_1".to_owned(),
        public_key: [1; 32],
        sealed: vec![1],
        created_at: NOW,
        retired_at: None,
    };
    let put = engine.receipts().put_signing_key(&signing_key).await;
    put.expect("stored");
    assert!(noticed().await, "a key that signs");
}

pub(crate) async fn records_are_found_until_they_are_under_the_key(engine: &Engine) {
    let (tenant, ids) = filled(engine, 3).await;
    filled(engine, 1).await;
    let found = not_under(engine, tenant.account_id, 2).await;
    assert_eq!(
        found.iter().map(|row| row.record).collect::<Vec<_>>(),
        ids.iter().copied().map(Some).collect::<Vec<_>>()
    );
    assert_eq!(
        found[0],
        SealedRow {
            kind: SealedKind::OwnCredential,
            key: ids[0].to_string(),
            account_id: Some(tenant.account_id),
            workspace_id: Some(tenant.workspace_id),
            provider: ProviderSlug::new("acme"),
            endpoint_host: Some("a.example,b.example".to_owned()),
            record: Some(ids[0]),
            public_key: None,
            record_version: 3,
            sealed: vec![0, 7, 255],
        }
    );
    for (after, limit, expected) in [
        (None, 2, &ids[..2]),
        (Some(ids[0]), 2, &ids[1..]),
        (Some(ids[2]), 2, &[]),
    ] {
        let page = sealed(engine)
            .sealed_rows_not_under(Some(tenant.account_id), 2, after, limit)
            .await
            .expect("answered");
        let page: Vec<_> = page.into_iter().filter_map(|row| row.record).collect();
        assert_eq!(page, expected);
    }
    assert_eq!(not_under(engine, tenant.account_id, 1).await, []);
    let two: Vec<_> = found[..2].iter().map(|row| moved(row, 9, 2)).collect();
    put_key(engine, tenant.account_id, 2).await;
    assert_eq!(
        sealed(engine).rewrap_sealed_rows(&two).await.expect("done"),
        2
    );
    assert_eq!(not_under(engine, tenant.account_id, 2).await, found[2..]);
    let under_old = not_under(engine, tenant.account_id, 1).await;
    assert_eq!(under_old.len(), 2);
    assert_eq!(under_old[0].sealed, [9; 5]);
    assert_eq!(under_old[0].record_version, 3, "the secret is the same");
}

pub(crate) async fn t07_a_rewrap_needs_the_bytes_it_read(engine: &Engine) {
    let (tenant, _) = filled(engine, 2).await;
    put_key(engine, tenant.account_id, 2).await;
    let new = credential(engine, "acme", "main");
    engine
        .directory()
        .put_provider_credential(&new)
        .await
        .expect("stored");
    let signing_key = SigningKeyRow {
        key_id: "sig_1".to_owned(),
        public_key: [1; 32],
        sealed: vec![1],
        created_at: NOW,
        retired_at: None,
    };
    engine
        .receipts()
        .put_signing_key(&signing_key)
        .await
        .expect("stored");
    let operators = async || {
        let rows = sealed(engine)
            .sealed_rows_not_under(None, 1, None, PAGE)
            .await;
        rows.expect("answered")
    };
    let shared = operators().await;
    let kinds: Vec<_> = shared.iter().map(|row| row.kind).collect();
    assert_eq!(
        kinds,
        [SealedKind::SharedCredential, SealedKind::SigningKey]
    );
    assert_eq!(shared[1].public_key, Some([1; 32]));

    let mut rows = not_under(engine, tenant.account_id, 2).await;
    rows.extend(shared);
    let mut stale = rows.clone();
    for row in &mut stale {
        row.sealed.push(1);
    }
    let stale: Vec<_> = stale.iter().map(|row| moved(row, 4, 2)).collect();
    assert_eq!(
        sealed(engine)
            .rewrap_sealed_rows(&stale)
            .await
            .expect("done"),
        0
    );
    // One of them was replaced meanwhile: the others are moved all the same.
    let mut batch: Vec<_> = rows.iter().map(|row| moved(row, 5, 2)).collect();
    batch[0] = stale[0].clone();
    assert_eq!(
        sealed(engine)
            .rewrap_sealed_rows(&batch)
            .await
            .expect("done"),
        3
    );
    assert_eq!(
        sealed(engine)
            .rewrap_sealed_rows(&batch)
            .await
            .expect("done"),
        0
    );
    assert_eq!(not_under(engine, tenant.account_id, 2).await, rows[..1]);
    assert!(operators().await.iter().all(|row| row.sealed == [5; 5]));
}

pub(crate) async fn running_nodes_hear_of_a_rewrap(engine: &Engine) {
    let (tenant, ids) = filled(engine, 2).await;
    let new = credential(engine, "acme", "main");
    engine
        .directory()
        .put_provider_credential(&new)
        .await
        .expect("stored");
    let own_before = own(engine)
        .own_credential_revision()
        .await
        .expect("answered");
    let shared_before = engine
        .directory()
        .credential_revision()
        .await
        .expect("answered");

    let mut rows = not_under(engine, tenant.account_id, 2).await;
    rows.extend(
        sealed(engine)
            .sealed_rows_not_under(None, 1, None, PAGE)
            .await
            .expect("answered"),
    );
    let batch: Vec<_> = rows.iter().map(|row| moved(row, 5, 1)).collect();
    sealed(engine)
        .rewrap_sealed_rows(&batch)
        .await
        .expect("done");

    let changed = own(engine).own_credential_revisions_after(own_before).await;
    let changed: Vec<_> = changed
        .expect("answered")
        .iter()
        .map(|one| one.id)
        .collect();
    assert_eq!(changed, ids);
    let shared_after = engine
        .directory()
        .credential_revision()
        .await
        .expect("answered");
    assert!(shared_after > shared_before);
}

pub(crate) async fn versions_are_counted(engine: &Engine) {
    let (tenant, _) = filled(engine, 2).await;
    let (other, _) = filled(engine, 1).await;
    put_key(engine, tenant.account_id, 2).await;
    let rows = not_under(engine, tenant.account_id, 2).await;
    let batch = [moved(&rows[0], 5, 2)];
    sealed(engine)
        .rewrap_sealed_rows(&batch)
        .await
        .expect("done");

    let count = |key: &str, version, count| KeyVersionCount {
        key: key.to_owned(),
        version,
        count,
    };
    let by_kek = sealed(engine).tenant_keys_by_kek().await.expect("answered");
    assert_eq!(by_kek, [count("keyring", 1, 3)]);
    let (name, other_name) = (tenant.account_id.to_string(), other.account_id.to_string());
    let mut by_key = sealed(engine)
        .records_by_tenant_key()
        .await
        .expect("answered");
    by_key.sort_by(|one, two| (&one.key, one.version).cmp(&(&two.key, two.version)));
    let mut expected = [
        count(&name, 1, 1),
        count(&name, 2, 1),
        count(&other_name, 1, 1),
    ];
    expected.sort_by(|one, two| (&one.key, one.version).cmp(&(&two.key, two.version)));
    assert_eq!(by_key, expected);
    let of_one = sealed(engine).records_of_account(tenant.account_id).await;
    assert_eq!(of_one.expect("answered"), [(1, 1), (2, 1)]);
    assert_eq!(
        sealed(engine).api_keys_by_pepper().await.expect("answered"),
        [(1, 2)]
    );

    let tenants = sealed(engine)
        .tenants_after("", 10)
        .await
        .expect("answered");
    let mut facts: Vec<_> = tenants
        .iter()
        .map(|one| (&*one.tenant, one.newest, one.count))
        .collect();
    facts.sort_unstable();
    let mut expected = [(&*name, 2, 2), (&*other_name, 1, 1)];
    expected.sort_unstable();
    assert_eq!(facts, expected);
    let second = sealed(engine).tenants_after(&tenants[0].tenant, 10).await;
    assert_eq!(second.expect("answered"), tenants[1..]);
}

pub(crate) async fn a_verifier_is_replaced_once(engine: &Engine) {
    let tenant = engine.new_account().await;
    let row = engine.new_key_row(tenant.account_id, tenant.workspace_id);
    engine.directory().insert_key(&row).await.expect("stored");
    let verifier = |byte, pepper_version| KeyVerifier {
        mac: [byte; 32],
        pepper_version,
    };
    let revision = engine.directory().key_revision().await.expect("answered");
    let replace = async |expected, new| {
        let outcome = engine
            .directory()
            .replace_verifier(row.key.id, &expected, &new);
        outcome.await.expect("answered")
    };
    assert!(!replace(verifier(7, 2), verifier(9, 2)).await);
    assert!(replace(verifier(7, 1), verifier(8, 2)).await);
    assert!(!replace(verifier(7, 1), verifier(9, 2)).await);
    let stored = engine.directory().key_by_lookup_id(&row.lookup_id).await;
    let stored = stored.expect("answered").expect("it is there");
    assert_eq!((stored.verifier, stored.pepper_version), ([8; 32], 2));
    assert_eq!(
        engine.directory().key_revision().await.expect("answered"),
        revision,
        "no cache needs to know"
    );
    let deleted = engine
        .directory()
        .delete_key(tenant.workspace_id, row.key.id, NOW);
    deleted.await.expect("deleted");
    assert!(!replace(verifier(8, 2), verifier(9, 3)).await);
}
