//! Workspaces.

use std::time::Duration;

use serde_json::{json, value::RawValue};
use switchyard_billing::test_suite::{Fixture, Tenant};
use switchyard_domain::{
    id::{AccountId, CredentialId, PersonId, WorkspaceId},
    provider::ProviderSlug,
};
use switchyard_store::{
    DirectoryError,
    api_key::Page,
    audit::{AuditEvent, AuditOrigin},
    own_credential::{CredentialSettings, NewOwnCredential, SealedRecord, SecretFacts},
    policy::{PolicyChange, PolicyRevision, PolicySubject},
    tenancy::{
        DEFAULT_WORKSPACE, DeletedWorkspace, LIVE_KEYS, NewWorkspace, RulesChange, TenancyStore,
        WorkspaceChange, WorkspaceName, WorkspaceRole, WorkspaceRow,
    },
};
use tokio::task::JoinSet;

use crate::{
    engine::{Engine, NOW},
    schema::Backdoor,
};

pub(super) const ALL: Page = Page {
    offset: 0,
    limit: 100,
};

pub(super) fn tenancy(engine: &Engine) -> &dyn TenancyStore {
    engine.store.tenancy.as_ref()
}

pub(super) fn noted(action: &str, subject: impl ToString) -> AuditEvent {
    AuditEvent {
        at: NOW.plus(Duration::from_secs(60)),
        actor: "key_7".to_owned(),
        action: action.to_owned(),
        subject: subject.to_string(),
        detail: json!({ "why": "test" }),
        origin: AuditOrigin::default(),
    }
}

/// How often the audit log tells of this.
pub(super) async fn told(engine: &Engine, action: &str, subject: impl ToString) -> usize {
    let entries = engine.store.audit.audit_of(&subject.to_string(), 100).await;
    let entries = entries.expect("answered");
    let of_action = entries.iter().filter(|entry| entry.event.action == action);
    of_action.count()
}

pub(super) async fn make(engine: &Engine, account: AccountId, slug: &str) -> WorkspaceId {
    let new = draft(engine, account, slug);
    let made = tenancy(engine)
        .insert_workspace(&new, &noted("workspace.create", new.id))
        .await;
    assert_eq!(made.expect("made"), None);
    new.id
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).expect("a JSON text")
}

fn draft(engine: &Engine, account: AccountId, slug: &str) -> NewWorkspace {
    NewWorkspace {
        id: WorkspaceId::from_uuid(engine.fresh_uuid()),
        account_id: account,
        name: "Research".to_owned(),
        slug: slug.to_owned(),
        description: None,
        created_by: None,
        rules: None,
        at: NOW,
    }
}

async fn by_id(engine: &Engine, account: AccountId, id: WorkspaceId) -> Option<WorkspaceRow> {
    let found = tenancy(engine)
        .workspace(account, &WorkspaceName::Id(id))
        .await;
    found.expect("answered")
}

async fn by_slug(engine: &Engine, account: AccountId, slug: &str) -> Option<WorkspaceRow> {
    let name = WorkspaceName::Slug(slug.to_owned());
    let found = tenancy(engine).workspace(account, &name).await;
    found.expect("answered")
}

const fn nothing() -> WorkspaceChange {
    WorkspaceChange {
        name: None,
        slug: None,
        description: None,
        rules: None,
        at: NOW,
    }
}

fn rules(text: &str, expected_revision: Option<i64>) -> WorkspaceChange {
    WorkspaceChange {
        rules: Some(RulesChange {
            rules: raw(text),
            expected_revision,
        }),
        ..nothing()
    }
}

async fn change(
    engine: &Engine,
    account: AccountId,
    id: WorkspaceId,
    change: &WorkspaceChange,
) -> Result<Option<PolicyRevision>, DirectoryError> {
    let audit = noted("workspace.update", id);
    tenancy(engine)
        .change_workspace(account, id, change, &audit)
        .await
}

async fn delete(
    engine: &Engine,
    account: AccountId,
    id: WorkspaceId,
) -> Result<DeletedWorkspace, DirectoryError> {
    let audit = noted("workspace.delete", id);
    tenancy(engine).delete_workspace(account, id, &audit).await
}

pub(crate) async fn a_workspace_is_read_back_as_it_was_made(engine: &Engine) {
    let tenant = engine.new_account().await;
    let account = tenant.account_id;
    let owner = PersonId::from_uuid(account.as_uuid());
    let new = NewWorkspace {
        name: "Bö\0lt".to_owned(),
        description: Some("for tests".to_owned()),
        created_by: Some(owner),
        rules: Some(raw(r#"{"default_sort":"price"}"#)),
        ..draft(engine, account, "bolt-1")
    };
    let policy = tenancy(engine)
        .insert_workspace(&new, &noted("workspace.create", new.id))
        .await;
    let policy = policy.expect("made").expect("it has a policy");
    let expected = WorkspaceRow {
        id: new.id,
        account_id: account,
        name: "Bö\u{fffd}lt".to_owned(),
        slug: "bolt-1".to_owned(),
        description: Some("for tests".to_owned()),
        is_default: false,
        created_by: Some(owner),
        created_at: NOW,
        updated_at: None,
    };
    assert_eq!(
        by_id(engine, account, new.id).await.as_ref(),
        Some(&expected)
    );
    assert_eq!(by_slug(engine, account, "bolt-1").await, Some(expected));
    let subject = PolicySubject::Workspace(new.id);
    let stored = engine.directory().policy(account, subject).await;
    let stored = stored.expect("answered").expect("set");
    assert_eq!(stored.revision, policy.revision);
    let members = tenancy(engine).list_members(account, new.id, ALL).await;
    let (members, count) = members.expect("answered");
    assert_eq!((members[0].person_id, count), (owner, 1));
    assert_eq!(members[0].role, WorkspaceRole::Admin);
    assert_eq!(told(engine, "workspace.create", new.id).await, 1);
}

pub(crate) async fn lists_begin_with_the_default_workspace(engine: &Engine) {
    let (tenant, other) = (engine.new_account().await, engine.new_account().await);
    let account = tenant.account_id;
    let mut ids = vec![tenant.workspace_id];
    for slug in ["a", "b", "c"] {
        ids.push(make(engine, account, slug).await);
    }
    make(engine, other.account_id, "a").await;
    for (offset, limit, expected) in [
        (0, 100, &ids[..]),
        (1, 2, &ids[1..3]),
        (3, 2, &ids[3..]),
        (4, 1, &[]),
    ] {
        let page = Page { offset, limit };
        let listed = tenancy(engine).list_workspaces(account, page).await;
        let (rows, count) = listed.expect("answered");
        let found: Vec<_> = rows.iter().map(|row| row.id).collect();
        assert_eq!((&found[..], count), (expected, 4), "{page:?}");
    }
    let default = by_slug(engine, account, "default").await.expect("there");
    assert_eq!(
        (default.id, default.is_default),
        (tenant.workspace_id, true)
    );
}

pub(crate) async fn a_slug_is_taken_once_per_account(engine: &Engine) {
    let (tenant, other) = (engine.new_account().await, engine.new_account().await);
    let account = tenant.account_id;
    let first = make(engine, account, "team").await;
    make(engine, other.account_id, "team").await;
    for slug in ["team", "default"] {
        let new = draft(engine, account, slug);
        let audit = noted("workspace.create", new.id);
        let refused = tenancy(engine).insert_workspace(&new, &audit).await;
        let is_taken = matches!(refused, Err(DirectoryError::Conflict("slug")));
        assert!(is_taken, "{slug}: {refused:?}");
        assert_eq!(told(engine, "workspace.create", new.id).await, 0);
    }
    let second = make(engine, account, "team-2").await;
    let renamed = WorkspaceChange {
        slug: Some("team".to_owned()),
        ..nothing()
    };
    let refused = change(engine, account, second, &renamed).await;
    assert!(matches!(refused, Err(DirectoryError::Conflict("slug"))));
    // A deleted one's is free again.
    delete(engine, account, first).await.expect("deleted");
    change(engine, account, second, &renamed)
        .await
        .expect("changed");
    assert_eq!(
        by_slug(engine, account, "team").await.map(|row| row.id),
        Some(second)
    );
}

pub(crate) async fn a_change_touches_what_it_mentions(engine: &Engine) {
    let account = engine.new_account().await.account_id;
    let id = make(engine, account, "one").await;
    let described = WorkspaceChange {
        description: Some(Some("words".to_owned())),
        ..nothing()
    };
    let named = WorkspaceChange {
        name: Some("Two".to_owned()),
        ..nothing()
    };
    let moved = WorkspaceChange {
        slug: Some("two".to_owned()),
        description: Some(None),
        at: NOW.plus(Duration::from_secs(5)),
        ..nothing()
    };
    for (one, expected) in [
        (described, ("Research", "one", Some("words"))),
        (named, ("Two", "one", Some("words"))),
        (moved, ("Two", "two", None)),
    ] {
        let changed = change(engine, account, id, &one).await;
        assert_eq!(changed.expect("changed"), None);
        let row = by_id(engine, account, id).await.expect("there");
        let found = (&*row.name, &*row.slug, row.description.as_deref());
        assert_eq!(found, expected);
        assert_eq!(row.updated_at, Some(one.at));
    }
    assert_eq!(told(engine, "workspace.update", id).await, 3);
}

pub(crate) async fn rules_change_only_from_what_was_read(engine: &Engine) {
    let account = engine.new_account().await.account_id;
    let id = make(engine, account, "one").await;
    let first = change(engine, account, id, &rules("{}", None)).await;
    let first = first.expect("set").expect("a revision").revision;
    for stale in [None, Some(first - 1)] {
        let refused = change(engine, account, id, &rules("{}", stale)).await;
        let is_stale = matches!(refused, Err(DirectoryError::Conflict("rules")));
        assert!(is_stale, "{stale:?}: {refused:?}");
    }
    let by_price = rules(r#"{"default_sort":"price"}"#, Some(first));
    let second = change(engine, account, id, &by_price).await;
    assert!(second.expect("set").expect("a revision").revision > first);
    let subject = PolicySubject::Workspace(id);
    let stored = engine.directory().policy(account, subject).await;
    let stored = stored.expect("answered").expect("set");
    assert!(stored.rules.get().contains("price"));
    assert_eq!(stored.updated_by, "key_7");
}

pub(crate) async fn another_account_cannot_touch_a_workspace(engine: &Engine) {
    let (tenant, other) = (engine.new_account().await, engine.new_account().await);
    let id = make(engine, tenant.account_id, "team").await;
    let stranger = other.account_id;
    let somebody = [PersonId::from_uuid(stranger.as_uuid())];
    assert_eq!(by_id(engine, stranger, id).await, None);
    assert_eq!(by_slug(engine, stranger, "team").await, None);
    let renamed = WorkspaceChange {
        name: Some("Mine".to_owned()),
        ..nothing()
    };
    let (store, audit) = (tenancy(engine), noted("workspace.update", id));
    let changed = change(engine, stranger, id, &renamed).await;
    let ruled = change(engine, stranger, id, &rules("{}", None)).await;
    let deleted = delete(engine, stranger, id).await;
    let listed = store.list_members(stranger, id, ALL).await;
    let added = store.add_members(stranger, id, &somebody, &audit).await;
    let removed = store.remove_members(stranger, id, &somebody, &audit).await;
    for (index, refused) in [
        changed.map(drop),
        ruled.map(drop),
        deleted.map(drop),
        listed.map(drop),
        added.map(drop),
        removed.map(drop),
    ]
    .into_iter()
    .enumerate()
    {
        let Err(DirectoryError::Missing(what)) = refused else {
            panic!("{index}: {refused:?}");
        };
        assert_eq!(what, id.to_string(), "{index}");
    }
    assert_eq!(told(engine, "workspace.update", id).await, 0);
    let row = by_id(engine, tenant.account_id, id).await.expect("there");
    assert_eq!(row.name, "Research");
}

fn credential(engine: &Engine, tenant: Tenant, workspace: Option<WorkspaceId>) -> NewOwnCredential {
    let id = CredentialId::from_uuid(engine.fresh_uuid());
    let mut fingerprint = [0; 32];
    fingerprint[..16].copy_from_slice(id.as_uuid().as_bytes());
    NewOwnCredential {
        id,
        account_id: tenant.account_id,
        workspace_id: workspace,
        provider: ProviderSlug::new("acme"),
        secret: SealedRecord {
            sealed: vec![1, 2, 3],
            record_version: 1,
            tenant_key_version: 1,
        },
        facts: SecretFacts {
            kind: "api_key".to_owned(),
            label: "sk-…1".to_owned(),
            endpoint_host: None,
            fingerprint,
        },
        settings: CredentialSettings::default(),
        created_by: "key_7".to_owned(),
        at: NOW,
    }
}

fn policy_of(account_id: AccountId, id: WorkspaceId) -> PolicyChange {
    PolicyChange {
        account_id,
        subject: PolicySubject::Workspace(id),
        by: "operator".to_owned(),
        at: NOW,
    }
}

pub(crate) async fn a_deletion_takes_policy_and_credentials_along(engine: &Engine) {
    let tenant = engine.new_account().await;
    let account = tenant.account_id;
    let id = make(engine, account, "team").await;
    let policy = policy_of(account, id);
    let set = engine.directory().put_policy(&policy, &raw("{}")).await;
    let set = set.expect("set");
    let own = &engine.store.own_credentials;
    let mut created = Vec::new();
    for workspace in [Some(id), Some(id), None, Some(tenant.workspace_id)] {
        let new = credential(engine, tenant, workspace);
        let audit = noted("credential.create", new.id);
        let made = own.insert_own_credential(&new, &audit).await;
        created.push(made.expect("stored"));
    }
    let deleted = delete(engine, account, id).await.expect("deleted");

    let cleared = deleted.policy.expect("there was one");
    let polled = engine
        .directory()
        .policy_revisions_after(set.revision)
        .await;
    assert_eq!(polled.expect("answered"), [cleared]);
    let stored = engine.directory().policy(account, policy.subject).await;
    assert!(stored.expect("answered").is_none());

    let gone: Vec<_> = deleted.credentials.iter().map(|gone| gone.id).collect();
    assert_eq!(gone, [created[0].id, created[1].id]);
    let polled = own
        .own_credential_revisions_after(created[3].revision)
        .await;
    assert_eq!(polled.expect("answered"), deleted.credentials);
    let left = own.own_credentials_of(account).await.expect("answered");
    let left: Vec<_> = left.iter().map(|row| row.id).collect();
    assert_eq!(left, [created[2].id, created[3].id]);
    let wiped = "SELECT CAST(COUNT(*) AS TEXT) FROM own_credentials
        WHERE sealed IS NULL AND fingerprint IS NULL AND deleted_at IS NOT NULL";
    assert_eq!(Backdoor::open(engine).await.texts(wiped).await, ["2"]);

    assert_eq!(by_id(engine, account, id).await, None);
    let again = delete(engine, account, id).await;
    assert!(matches!(again, Err(DirectoryError::Missing(_))));
    assert_eq!(told(engine, "workspace.delete", id).await, 1);
}

pub(crate) async fn live_keys_and_the_default_workspace_are_in_the_way(engine: &Engine) {
    let tenant = engine.new_account().await;
    let account = tenant.account_id;
    let id = make(engine, account, "team").await;
    let key = engine.new_key_row(account, id);
    let directory = engine.directory();
    directory.insert_key(&key).await.expect("stored");
    for disabled in [false, true] {
        directory
            .set_key_disabled(id, key.key.id, disabled, NOW)
            .await
            .expect("set");
        let refused = delete(engine, account, id).await;
        let has_keys = matches!(refused, Err(DirectoryError::Refused(LIVE_KEYS)));
        assert!(has_keys, "{refused:?}");
    }
    let refused = delete(engine, account, tenant.workspace_id).await;
    let is_default = matches!(refused, Err(DirectoryError::Refused(DEFAULT_WORKSPACE)));
    assert!(is_default, "{refused:?}");
    assert_eq!(told(engine, "workspace.delete", id).await, 0);
    directory
        .delete_key(id, key.key.id, NOW)
        .await
        .expect("deleted");
    delete(engine, account, id).await.expect("deleted");
}

pub(crate) async fn nothing_is_made_in_a_deleted_workspace(engine: &Engine) {
    let tenant = engine.new_account().await;
    let account = tenant.account_id;
    let id = make(engine, account, "team").await;
    delete(engine, account, id).await.expect("deleted");
    let key = engine.new_key_row(account, id);
    let refused = engine.directory().insert_key(&key).await;
    assert!(matches!(refused, Err(DirectoryError::Missing(_))));
    let new = credential(engine, tenant, Some(id));
    let own = &engine.store.own_credentials;
    let audit = noted("credential.create", new.id);
    let refused = own.insert_own_credential(&new, &audit).await;
    assert!(matches!(refused, Err(DirectoryError::Missing(_))));
    let policy = policy_of(account, id);
    let refused = engine.directory().put_policy(&policy, &raw("{}")).await;
    assert!(matches!(refused, Err(DirectoryError::Missing(_))));
}

/// A key, a credential and a deletion at the same moment: either the deletion is refused, or
/// nothing lives in what is gone.
pub(crate) async fn a_deletion_leaves_no_orphans_behind(engine: &Engine) {
    let tenant = engine.new_account().await;
    let account = tenant.account_id;
    for round in 0..8 {
        let id = make(engine, account, &format!("team-{round}")).await;
        let mut tasks = JoinSet::new();
        let key = engine.new_key_row(account, id);
        let directory = engine.store.directory.clone();
        tasks.spawn(async move { directory.insert_key(&key).await.is_ok() });
        let new = credential(engine, tenant, Some(id));
        let own = engine.store.own_credentials.clone();
        let audit = noted("credential.create", new.id);
        tasks.spawn(async move { own.insert_own_credential(&new, &audit).await.is_ok() });
        let store = engine.store.tenancy.clone();
        let audit = noted("workspace.delete", id);
        tasks.spawn(async move { store.delete_workspace(account, id, &audit).await.is_ok() });
        tasks.join_all().await;
        let keys = engine.directory().list_keys(id, ALL).await;
        let has_keys = !keys.expect("answered").is_empty();
        let is_there = by_id(engine, account, id).await.is_some();
        assert_eq!(is_there, has_keys, "round {round}");
        let all = engine.store.own_credentials.own_credentials_of(account);
        let all = all.await.expect("answered");
        let has_credential = all.iter().any(|row| row.workspace_id == Some(id));
        assert!(is_there || !has_credential, "round {round}");
    }
}
