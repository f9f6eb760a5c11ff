//! Tenant keys go: when nothing names them any more, or with all they sealed.

use std::sync::Arc;

use switchyard_store::sealed::Shredded;
use tokio::task::JoinSet;

use super::sealed::{
    audit, filled, moved, new_record, not_under, own, put_key, put_record, sealed,
};
use crate::{engine::Engine, schema::Backdoor};

pub(crate) async fn a_key_goes_only_when_nothing_names_it(engine: &Engine) {
    let (tenant, _) = filled(engine, 1).await;
    let account = tenant.account_id;
    let delete = async |tenant: &str, version| {
        let outcome = sealed(engine).delete_tenant_key(tenant, version).await;
        outcome.map_err(|error| error.to_string())
    };
    let name = account.to_string();
    assert_eq!(delete(&name, 1).await, Err("refused: newest".to_owned()));
    put_key(engine, account, 2).await;
    assert_eq!(
        delete(&name, 1).await,
        Err("refused: records_left".to_owned())
    );
    let rows = not_under(engine, account, 2).await;
    let batch = [moved(&rows[0], 5, 2)];
    sealed(engine)
        .rewrap_sealed_rows(&batch)
        .await
        .expect("done");
    assert_eq!(delete(&name, 1).await, Ok(()));
    assert!(
        delete(&name, 1)
            .await
            .expect_err("gone")
            .contains("does not exist")
    );
    assert_eq!(delete(&name, 2).await, Err("refused: newest".to_owned()));
    assert_eq!(
        delete("operator", 1).await,
        Err("refused: operator".to_owned())
    );
    let left = sealed(engine)
        .tenant_key_versions(&name)
        .await
        .expect("answered");
    assert_eq!(left.iter().map(|row| row.version).collect::<Vec<_>>(), [2]);
}

/// Whoever sealed before a rotation and stores after it hears that the key is gone, and never
/// stores what nobody can open. Storing and deleting at once, one of them loses.
pub(crate) async fn no_record_is_stored_under_a_key_that_went(engine: &Engine) {
    let (tenant, _) = filled(engine, 0).await;
    put_key(engine, tenant.account_id, 2).await;
    let name = tenant.account_id.to_string();
    sealed(engine)
        .delete_tenant_key(&name, 1)
        .await
        .expect("deleted");
    let late = put_record(engine, &new_record(engine, tenant, 1)).await;
    assert_eq!(
        late.expect_err("too late").to_string(),
        "refused: tenant_key_gone"
    );
    for version in 3..9 {
        put_key(engine, tenant.account_id, version).await;
        let mut both = JoinSet::new();
        let store = Arc::clone(&engine.store.own_credentials);
        let new = new_record(engine, tenant, version - 1);
        let event = audit("credential.create", tenant.account_id);
        both.spawn(async move { store.insert_own_credential(&new, &event).await.is_ok() });
        let (store, name) = (Arc::clone(&engine.store.sealed), name.clone());
        both.spawn(async move { store.delete_tenant_key(&name, version - 1).await.is_ok() });
        let done = both.join_all().await;
        assert!(done[0] != done[1], "exactly one of them: {done:?}");
    }
}

pub(crate) async fn a_shredded_account_has_neither_keys_nor_records(engine: &Engine) {
    let (tenant, ids) = filled(engine, 2).await;
    let (other, _) = filled(engine, 1).await;
    put_key(engine, tenant.account_id, 2).await;
    let revision = async || sealed(engine).shred_revision().await.expect("answered");
    assert_eq!(revision().await, 0);
    let own_before = own(engine)
        .own_credential_revision()
        .await
        .expect("answered");

    let event = audit("vault.shred", tenant.account_id);
    let shredded = sealed(engine)
        .shred_account(tenant.account_id, &event)
        .await;
    assert_eq!(
        shredded.expect("done"),
        Shredded {
            keys: 2,
            records: 2
        }
    );
    assert_eq!(revision().await, 1);
    let name = tenant.account_id.to_string();
    assert_eq!(
        sealed(engine)
            .tenant_key_versions(&name)
            .await
            .expect("answered"),
        []
    );
    for id in &ids {
        let row = own(engine).own_credential(tenant.account_id, *id).await;
        assert_eq!(row.expect("answered"), None);
    }
    let changed = own(engine).own_credential_revisions_after(own_before).await;
    let changed: Vec<_> = changed
        .expect("answered")
        .iter()
        .map(|one| one.id)
        .collect();
    assert_eq!(changed, ids, "running nodes hear of it");
    let left = Backdoor::open(engine)
        .await
        .texts("SELECT label FROM own_credentials WHERE sealed IS NOT NULL")
        .await;
    assert_eq!(left.len(), 1, "another account's");
    assert_eq!(not_under(engine, other.account_id, 2).await.len(), 1);
    let entries = engine
        .store
        .audit
        .audit_entries(tenant.account_id, None, 10)
        .await;
    let entries = entries.expect("answered");
    assert_eq!(entries[0].event.action, "vault.shred");

    // Again: nothing is left to destroy, and that is said and not refused.
    let again = sealed(engine)
        .shred_account(tenant.account_id, &event)
        .await;
    assert_eq!(
        again.expect("done"),
        Shredded {
            keys: 0,
            records: 0
        }
    );
    assert_eq!(revision().await, 2);
}
