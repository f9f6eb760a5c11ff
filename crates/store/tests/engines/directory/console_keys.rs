//! Keys that the console calls models with.

use switchyard_billing::test_suite::Fixture;
use switchyard_domain::{patch::Patch, tenancy::KeyKind};
use switchyard_store::{
    DirectoryError,
    api_key::{CONSOLE_LABEL, KeyChange, KeyFilter, KeySight},
};

use super::workspaces::{ALL, make, noted, tenancy};
use crate::engine::{Engine, NOW};

const ALL_KEYS: KeySight = KeySight {
    creator: None,
    management: true,
};

pub(crate) async fn keys_of_the_console_are_nobodys_to_manage(engine: &Engine) {
    let tenant = engine.new_account().await;
    let account = tenant.account_id;
    let workspace = make(engine, account, "chats").await;
    let mut new = engine.new_key_row(account, workspace);
    CONSOLE_LABEL.clone_into(&mut new.key.label);
    assert_eq!(new.key.kind, KeyKind::Inference);
    let store = engine.store.api_keys.as_ref();
    let event = noted("api_key.create", new.key.id);
    store.create_key(&new, None, &event).await.expect("stored");

    // It is found by whom it stands for, and by nobody else.
    let found = engine.directory().key_by_lookup_id(&new.lookup_id).await;
    assert_eq!(found.expect("answered").expect("there").key, new.key);
    let hash = &new.key.hash;
    let managed = store.managed_key(account, ALL_KEYS, hash, NOW).await;
    assert_eq!(managed.expect("answered"), None);
    let filter = KeyFilter {
        workspace,
        sight: ALL_KEYS,
        disabled: None,
        expired: None,
        never_used: false,
        text: None,
    };
    let listed = store.managed_keys(account, &filter, ALL, NOW).await;
    assert_eq!(listed.expect("answered"), (Vec::new(), 0));
    let change = KeyChange {
        name: "mine".to_owned(),
        disabled: true,
        limit: Patch::Clear,
        expected_revision: 1,
        at: NOW,
    };
    let changed = store
        .change_key(account, ALL_KEYS, hash, &change, &event)
        .await;
    assert!(
        matches!(changed, Err(DirectoryError::Missing(_))),
        "{changed:?}"
    );
    let removed = store.remove_key(account, ALL_KEYS, hash, &event).await;
    assert!(
        matches!(removed, Err(DirectoryError::Missing(_))),
        "{removed:?}"
    );

    // A second one of the same name is told from a failure.
    let again = store.create_key(&new, None, &event).await;
    assert!(
        matches!(again, Err(DirectoryError::Conflict("lookup_id"))),
        "{again:?}"
    );

    // It keeps no workspace from going.
    let gone = tenancy(engine)
        .delete_workspace(account, workspace, &noted("workspace.delete", workspace))
        .await;
    assert!(gone.is_ok(), "{gone:?}");
}
