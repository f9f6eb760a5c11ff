//! API keys and the changes that other nodes must hear of.

use std::time::Duration;

use switchyard_domain::{
    clock::ResetInterval,
    id::{AccountId, ApiKeyId, WorkspaceId},
    money::UsdNanos,
    tenancy::{KeyKind, KeyLimit},
};
use switchyard_store::{
    DirectoryError,
    account::NewAccount,
    api_key::{KeyRevision, NewApiKey, Page, StoredKey},
};
use tokio::task::JoinSet;

use crate::engine::{Engine, NOW};

const WHOLE_LIST: Page = Page {
    offset: 0,
    limit: 100,
};

async fn account(engine: &Engine) -> NewAccount {
    let account = engine.new_account_row(&format!("{}@example.com", engine.fresh_uuid()));
    engine
        .directory()
        .create_account(&account)
        .await
        .expect("created");
    account
}

async fn stored(engine: &Engine) -> NewApiKey {
    let account = account(engine).await;
    let key = engine.new_key_row(account.account_id, account.workspace_id);
    engine.directory().insert_key(&key).await.expect("stored");
    key
}

async fn lookup(engine: &Engine, lookup_id: &str) -> Option<StoredKey> {
    engine
        .directory()
        .key_by_lookup_id(lookup_id)
        .await
        .expect("answered")
}

pub(crate) async fn a_key_is_read_back_as_it_was_stored(engine: &Engine) {
    let account = account(engine).await;
    let limited = |reset, include_byok| {
        let limit = UsdNanos::new(7_000_000_000);
        Some(KeyLimit {
            limit,
            reset,
            include_byok,
        })
    };
    for (kind, limit, expires_at, disabled) in [
        (KeyKind::Inference, None, None, false),
        (
            KeyKind::Management,
            None,
            Some(NOW.plus(Duration::from_micros(1))),
            true,
        ),
        (KeyKind::Inference, limited(None, true), None, false),
        (
            KeyKind::Inference,
            limited(Some(ResetInterval::Daily), false),
            None,
            false,
        ),
        (
            KeyKind::Inference,
            limited(Some(ResetInterval::Weekly), false),
            None,
            false,
        ),
        (
            KeyKind::Inference,
            limited(Some(ResetInterval::Monthly), true),
            None,
            false,
        ),
    ] {
        let mut new = engine.new_key_row(account.account_id, account.workspace_id);
        new.key.kind = kind;
        new.key.limit = limit;
        new.key.expires_at = expires_at;
        new.key.disabled = disabled;
        new.key.created_at = NOW.plus(Duration::from_micros(3));
        new.verifier[31] = 0;
        new.pepper_version = 9;
        engine.directory().insert_key(&new).await.expect("stored");

        let found = lookup(engine, &new.lookup_id).await.expect("known");

        assert_eq!(found.key, new.key);
        assert_eq!(
            (found.verifier, found.pepper_version),
            (new.verifier, new.pepper_version)
        );
    }
    for unknown in ["", "lookup", "%", "' OR 1=1 --", "a\0b"] {
        assert_eq!(lookup(engine, unknown).await, None, "{unknown}");
    }
}

pub(crate) async fn a_key_needs_a_workspace_of_its_account(engine: &Engine) {
    let (one, other) = (account(engine).await, account(engine).await);
    let nobody = AccountId::from_uuid(engine.fresh_uuid());
    let nowhere = WorkspaceId::from_uuid(engine.fresh_uuid());
    for (account_id, workspace_id) in [
        (one.account_id, other.workspace_id),
        (one.account_id, nowhere),
        (nobody, one.workspace_id),
    ] {
        let key = engine.new_key_row(account_id, workspace_id);
        let refused = engine.directory().insert_key(&key).await;
        assert!(
            matches!(refused, Err(DirectoryError::Missing(_))),
            "{refused:?}"
        );
        assert_eq!(lookup(engine, &key.lookup_id).await, None);
    }
}

pub(crate) async fn lookup_ids_are_unique(engine: &Engine) {
    let first = stored(engine).await;
    let account = account(engine).await;
    let mut second = engine.new_key_row(account.account_id, account.workspace_id);
    second.lookup_id.clone_from(&first.lookup_id);

    let refused = engine.directory().insert_key(&second).await;

    assert!(
        matches!(refused, Err(DirectoryError::Conflict("lookup_id"))),
        "{refused:?}"
    );
    assert_eq!(
        lookup(engine, &first.lookup_id)
            .await
            .map(|found| found.key),
        Some(first.key)
    );
}

pub(crate) async fn switching_off_and_on(engine: &Engine) {
    let NewApiKey { key, lookup_id, .. } = stored(engine).await;
    for disabled in [true, true, false] {
        let change = engine
            .directory()
            .set_key_disabled(key.workspace_id, key.id, disabled, NOW)
            .await;
        assert_eq!(change.expect("changed").lookup_id, lookup_id);
        let found = lookup(engine, &lookup_id).await.expect("known");
        assert_eq!(found.key.disabled, disabled);
    }
}

pub(crate) async fn a_deleted_key_is_gone_for_good(engine: &Engine) {
    let NewApiKey { key, lookup_id, .. } = stored(engine).await;
    let change = engine
        .directory()
        .delete_key(key.workspace_id, key.id, NOW)
        .await;
    assert_eq!(change.expect("deleted").lookup_id, lookup_id);

    assert_eq!(lookup(engine, &lookup_id).await, None);
    let left = engine
        .directory()
        .list_keys(key.workspace_id, WHOLE_LIST)
        .await;
    assert_eq!(left.expect("answered"), []);
    let again = engine
        .directory()
        .delete_key(key.workspace_id, key.id, NOW)
        .await;
    assert!(
        matches!(again, Err(DirectoryError::Missing(_))),
        "{again:?}"
    );
    let woken = engine
        .directory()
        .set_key_disabled(key.workspace_id, key.id, false, NOW)
        .await;
    assert!(
        matches!(woken, Err(DirectoryError::Missing(_))),
        "{woken:?}"
    );
}

pub(crate) async fn another_workspace_cannot_touch_a_key(engine: &Engine) {
    let NewApiKey { key, lookup_id, .. } = stored(engine).await;
    let other = account(engine).await.workspace_id;
    let before = engine.directory().key_revision().await.expect("answered");

    let disabled = engine
        .directory()
        .set_key_disabled(other, key.id, true, NOW)
        .await;
    assert!(
        matches!(disabled, Err(DirectoryError::Missing(_))),
        "{disabled:?}"
    );
    let deleted = engine.directory().delete_key(other, key.id, NOW).await;
    assert!(
        matches!(deleted, Err(DirectoryError::Missing(_))),
        "{deleted:?}"
    );

    assert_eq!(
        engine
            .directory()
            .list_keys(other, WHOLE_LIST)
            .await
            .expect("answered"),
        []
    );
    assert_eq!(
        lookup(engine, &lookup_id).await.map(|found| found.key),
        Some(key)
    );
    let after = engine.directory().key_revision().await.expect("answered");
    assert_eq!(after, before, "a refused change is no change");
}

pub(crate) async fn lists_come_newest_first_in_pages(engine: &Engine) {
    let account = account(engine).await;
    let mut newest_first = Vec::new();
    for second in 0..5 {
        let mut new = engine.new_key_row(account.account_id, account.workspace_id);
        new.key.created_at = NOW.plus(Duration::from_secs(second));
        engine.directory().insert_key(&new).await.expect("stored");
        newest_first.insert(0, new.key);
    }
    stored(engine).await;

    for (offset, limit, expected) in [
        (0, 100, 0..5),
        (0, 2, 0..2),
        (2, 2, 2..4),
        (4, 2, 4..5),
        (5, 2, 5..5),
        (0, 0, 0..0),
    ] {
        let page = Page { offset, limit };
        let list = engine
            .directory()
            .list_keys(account.workspace_id, page)
            .await;
        assert_eq!(list.expect("answered"), newest_first[expected], "{page:?}");
    }
}

pub(crate) async fn a_poll_sees_every_change_once_in_order(engine: &Engine) {
    let start = engine.directory().key_revision().await.expect("answered");
    let (one, two) = (stored(engine).await, stored(engine).await);
    let seen = poll(engine, start).await;
    assert_eq!(ids(&seen), [one.key.id, two.key.id]);

    let workspace = one.key.workspace_id;
    let off = engine
        .directory()
        .set_key_disabled(workspace, one.key.id, true, NOW)
        .await;
    let last = seen.last().expect("two changes").revision;
    assert_eq!(poll(engine, last).await, [off.expect("changed")]);

    let gone = engine
        .directory()
        .delete_key(workspace, one.key.id, NOW)
        .await
        .expect("deleted");
    let seen = poll(engine, last).await;
    assert_eq!(seen, [gone], "the latest change of a key stands for all");
    let last = seen[0].revision;
    assert_eq!(poll(engine, last).await, []);
    assert_eq!(
        engine.directory().key_revision().await.expect("answered"),
        last
    );
}

pub(crate) async fn a_poll_during_parallel_changes_misses_none(engine: &Engine) {
    let account = account(engine).await;
    let start = engine.directory().key_revision().await.expect("answered");
    let mut tasks = JoinSet::new();
    let mut stored = Vec::new();
    for _ in 0..24 {
        let directory = engine.store.directory.clone();
        let key = engine.new_key_row(account.account_id, account.workspace_id);
        stored.push(key.key.id);
        tasks.spawn(async move { directory.insert_key(&key).await.expect("stored") });
    }

    let (mut seen, mut last) = (Vec::new(), start);
    loop {
        let running = !tasks.is_empty();
        while tasks.try_join_next().is_some() {}
        let changes = poll(engine, last).await;
        last = changes.last().map_or(last, |change| change.revision);
        seen.extend(ids(&changes));
        if !running {
            break;
        }
    }

    stored.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, stored);
}

async fn poll(engine: &Engine, after: i64) -> Vec<KeyRevision> {
    let changes = engine
        .directory()
        .key_revisions_after(after)
        .await
        .expect("answered");
    assert!(
        changes.is_sorted_by(|one, next| one.revision < next.revision),
        "{changes:?}"
    );
    changes
}

fn ids(changes: &[KeyRevision]) -> Vec<ApiKeyId> {
    changes.iter().map(|change| change.api_key_id).collect()
}
