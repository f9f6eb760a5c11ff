//! Who works in a workspace, and the people of an account.

use std::time::Duration;

use switchyard_billing::test_suite::Fixture;
use switchyard_domain::{
    id::{AccountId, PersonId},
    tenancy::Role,
};
use switchyard_store::{
    DirectoryError,
    api_key::Page,
    audit::AuditEvent,
    tenancy::{AccountPerson, DEFAULT_WORKSPACE, LIVE_KEYS, WorkspaceRole},
};

use super::workspaces::{ALL, make, noted, tenancy, told};
use crate::{
    engine::{Engine, NOW},
    schema::Backdoor,
};

/// Somebody else in the account. The store has no way in for them.
async fn join(engine: &Engine, account: AccountId, name: &str, role: Role) -> PersonId {
    let person = PersonId::from_uuid(engine.fresh_uuid());
    let id = person.as_uuid().simple().to_string();
    let account_id = account.as_uuid().simple().to_string();
    let (role, later) = (role.as_str(), NOW.plus(Duration::from_secs(1)));
    let (blob, at) = if engine.url.starts_with("sqlite:") {
        ("X", later.micros().to_string())
    } else {
        ("", format!("to_timestamp({})", later.seconds()))
    };
    let sql = format!(
        "INSERT INTO people (person_id, email, email_folded, name, created_at)
        VALUES ({blob}'{id}', '{name}@x.org', '{name}@x.org', '{name}', {at});
        INSERT INTO memberships (account_id, person_id, role, created_at)
        VALUES ({blob}'{account_id}', {blob}'{id}', '{role}', {at});"
    );
    let mut database = Backdoor::open(engine).await;
    database.run(&sql).await.expect("joined");
    person
}

pub(crate) async fn members_come_and_go(engine: &Engine) {
    let account = engine.new_account().await.account_id;
    let id = make(engine, account, "team").await;
    let ada = join(engine, account, "ada", Role::Admin).await;
    let bob = join(engine, account, "bob", Role::Viewer).await;
    let store = tenancy(engine);
    let audit = noted("workspace.members_add", id);
    let added = store
        .add_members(account, id, &[bob, ada, bob], &audit)
        .await;
    let added = added.expect("added");
    let role_of = |person| {
        let member = added.iter().find(|member| member.person_id == person);
        member.expect("added").role
    };
    assert_eq!(added.len(), 2);
    assert_eq!(role_of(ada), WorkspaceRole::Admin);
    assert_eq!(role_of(bob), WorkspaceRole::Member);
    // Whoever is there already stays since then.
    let again = AuditEvent {
        at: NOW.plus(Duration::from_secs(3_600)),
        ..audit.clone()
    };
    let same = store.add_members(account, id, &[ada], &again).await;
    assert_eq!(same.expect("added")[0].created_at, audit.at);
    let first = Page {
        offset: 0,
        limit: 1,
    };
    let (page, count) = store
        .list_members(account, id, first)
        .await
        .expect("answered");
    assert_eq!((page.len(), count), (1, 2));

    let audit = noted("workspace.members_remove", id);
    let nobody = PersonId::from_uuid(engine.fresh_uuid());
    let removed = store
        .remove_members(account, id, &[ada, nobody], &audit)
        .await;
    assert_eq!(removed.expect("removed"), 1);
    let (left, count) = store
        .list_members(account, id, ALL)
        .await
        .expect("answered");
    assert_eq!((left[0].person_id, count), (bob, 1));
}

pub(crate) async fn only_people_of_the_account_are_let_in(engine: &Engine) {
    let (tenant, other) = (engine.new_account().await, engine.new_account().await);
    let account = tenant.account_id;
    let id = make(engine, account, "team").await;
    let owner = PersonId::from_uuid(account.as_uuid());
    let stranger = PersonId::from_uuid(other.account_id.as_uuid());
    let audit = noted("workspace.members_add", id);
    let store = tenancy(engine);
    let refused = store
        .add_members(account, id, &[owner, stranger], &audit)
        .await;
    let Err(DirectoryError::Missing(who)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(who, stranger.to_string());
    let (_, count) = store
        .list_members(account, id, ALL)
        .await
        .expect("answered");
    assert_eq!(count, 0, "all or none");
    assert_eq!(told(engine, "workspace.members_add", id).await, 0);
}

pub(crate) async fn whoever_has_keys_in_a_workspace_stays(engine: &Engine) {
    let account = engine.new_account().await.account_id;
    let id = make(engine, account, "team").await;
    let ada = join(engine, account, "ada", Role::Member).await;
    let store = tenancy(engine);
    let audit = noted("workspace.members", id);
    let added = store.add_members(account, id, &[ada], &audit).await;
    added.expect("added");
    let mut key = engine.new_key_row(account, id);
    key.key.creator_id = Some(ada);
    engine.directory().insert_key(&key).await.expect("stored");
    let refused = store.remove_members(account, id, &[ada], &audit).await;
    let has_keys = matches!(refused, Err(DirectoryError::Refused(LIVE_KEYS)));
    assert!(has_keys, "{refused:?}");
    let deleted = engine.directory().delete_key(id, key.key.id, NOW).await;
    deleted.expect("deleted");
    let removed = store.remove_members(account, id, &[ada], &audit).await;
    assert_eq!(removed.expect("removed"), 1);
}

pub(crate) async fn the_default_workspace_is_everybodys(engine: &Engine) {
    let tenant = engine.new_account().await;
    let (account, workspace) = (tenant.account_id, tenant.workspace_id);
    let owner = PersonId::from_uuid(account.as_uuid());
    let bob = join(engine, account, "bob", Role::Member).await;
    let store = tenancy(engine);
    let (members, count) = store
        .list_members(account, workspace, ALL)
        .await
        .expect("answered");
    let found: Vec<_> = members
        .iter()
        .map(|member| (member.person_id, member.role))
        .collect();
    let expected = [(owner, WorkspaceRole::Admin), (bob, WorkspaceRole::Member)];
    assert_eq!((&found[..], count), (&expected[..], 2));
    let audit = noted("workspace.members", workspace);
    let added = store.add_members(account, workspace, &[bob], &audit).await;
    let removed = store
        .remove_members(account, workspace, &[bob], &audit)
        .await;
    for refused in [added.map(drop), removed.map(drop)] {
        let is_default = matches!(refused, Err(DirectoryError::Refused(DEFAULT_WORKSPACE)));
        assert!(is_default, "{refused:?}");
    }
}

pub(crate) async fn an_account_knows_its_people(engine: &Engine) {
    let (tenant, other) = (engine.new_account().await, engine.new_account().await);
    let account = tenant.account_id;
    let bob = join(engine, account, "bob", Role::Billing).await;
    join(engine, other.account_id, "eve", Role::Admin).await;
    let store = tenancy(engine);
    let (people, count) = store.list_people(account, ALL).await.expect("answered");
    assert_eq!(count, 2);
    assert_eq!(people[0].role, Role::Owner);
    assert_eq!(people[0].id.as_uuid(), account.as_uuid());
    let expected = AccountPerson {
        id: bob,
        email: "bob@x.org".to_owned(),
        name: "bob".to_owned(),
        role: Role::Billing,
        created_at: NOW.plus(Duration::from_secs(1)),
    };
    assert_eq!(people[1], expected);
    let second = Page {
        offset: 1,
        limit: 1,
    };
    let (people, count) = store.list_people(account, second).await.expect("answered");
    assert_eq!((people, count), (vec![expected], 2));
}
