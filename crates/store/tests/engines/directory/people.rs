//! People who sign in: sessions and links.

use std::time::Duration;

use serde_json::json;
use switchyard_billing::test_suite::Fixture;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, PersonId, SessionId, WorkspaceId},
    tenancy::Role,
};
use switchyard_store::{
    DirectoryError,
    person::{AccountKind, NewLink, NewSession, OpenSession, PersonStore},
};
use tokio::task::JoinSet;

use super::workspaces::{make, noted, told};
use crate::engine::{Engine, NOW};

const LONG_AGO: Timestamp = Timestamp::from_seconds(0);

fn people(engine: &Engine) -> &dyn PersonStore {
    engine.store.people.as_ref()
}

/// Whoever an account was made for has the account's id.
fn owner(account: AccountId) -> PersonId {
    PersonId::from_uuid(account.as_uuid())
}

async fn start(
    engine: &Engine,
    account: AccountId,
    workspace: WorkspaceId,
    token: u8,
) -> SessionId {
    let session = NewSession {
        id: SessionId::from_uuid(engine.fresh_uuid()),
        person_id: owner(account),
        token_hash: [token; 32],
        account_id: account,
        workspace_id: workspace,
        proof: "password".to_owned(),
        ip: Some("192.0.2.7".to_owned()),
        user_agent: Some("a browser".to_owned()),
        at: NOW,
    };
    let audit = noted("session.start", session.id);
    let started = people(engine).insert_session(&session, &audit).await;
    started.expect("started");
    session.id
}

async fn open(engine: &Engine, token: u8) -> Option<OpenSession> {
    let found = people(engine)
        .open_session(&[token; 32], LONG_AGO, LONG_AGO)
        .await;
    found.expect("answered")
}

pub(crate) async fn a_session_is_found_by_its_token_with_its_person_and_place(engine: &Engine) {
    let tenant = engine.new_account().await;
    let account = tenant.account_id;
    let id = start(engine, account, tenant.workspace_id, 1).await;
    let found = open(engine, 1).await.expect("open");
    assert_eq!(found.session.id, id);
    assert_eq!(found.session.proof, "password");
    assert_eq!(found.session.ip.as_deref(), Some("192.0.2.7"));
    assert_eq!(found.session.proved_at, NOW);
    assert_eq!(found.person.id, owner(account));
    assert_eq!(found.membership.account_id, account);
    assert_eq!(found.membership.role, Role::Owner);
    assert_eq!(found.membership.kind, AccountKind::Personal);
    assert_eq!(found.session.workspace_id, tenant.workspace_id);
    assert_eq!(open(engine, 2).await, None);
    assert_eq!(told(engine, "session.start", id).await, 1);
}

pub(crate) async fn a_session_that_is_idle_or_old_is_over(engine: &Engine) {
    let tenant = engine.new_account().await;
    let id = start(engine, tenant.account_id, tenant.workspace_id, 1).await;
    let store = people(engine);
    let later = NOW.plus(Duration::from_secs(60));
    for (seen_after, created_after, is_open) in [
        (LONG_AGO, LONG_AGO, true),
        (NOW, LONG_AGO, false),
        (LONG_AGO, NOW, false),
    ] {
        let found = store
            .open_session(&[1; 32], seen_after, created_after)
            .await;
        assert_eq!(found.expect("answered").is_some(), is_open);
        let listed = store
            .sessions(owner(tenant.account_id), seen_after, created_after)
            .await;
        assert_eq!(!listed.expect("answered").is_empty(), is_open);
    }
    let touched = store.touch_session(id, Some("192.0.2.8"), later).await;
    touched.expect("noted");
    let found = store.open_session(&[1; 32], NOW, LONG_AGO).await;
    let found = found.expect("answered").expect("used since");
    assert_eq!(found.session.ip.as_deref(), Some("192.0.2.8"));
    assert_eq!(found.session.last_seen_at, later);
}

pub(crate) async fn a_new_proof_replaces_the_token(engine: &Engine) {
    let tenant = engine.new_account().await;
    let id = start(engine, tenant.account_id, tenant.workspace_id, 1).await;
    let store = people(engine);
    let later = NOW.plus(Duration::from_secs(5));
    let proved = store.prove_session(id, &[2; 32], "passkey", later).await;
    proved.expect("proved");
    assert_eq!(open(engine, 1).await, None);
    let found = open(engine, 2).await.expect("open");
    assert_eq!((found.session.id, found.session.proved_at), (id, later));
    assert_eq!(found.session.proof, "passkey");
}

pub(crate) async fn sessions_end_one_by_one_and_all_but_one(engine: &Engine) {
    let tenant = engine.new_account().await;
    let (account, place) = (tenant.account_id, tenant.workspace_id);
    let other = engine.new_account().await;
    let mine = start(engine, account, place, 1).await;
    let second = start(engine, account, place, 2).await;
    start(engine, account, place, 3).await;
    start(engine, other.account_id, other.workspace_id, 4).await;
    let (store, person) = (people(engine), owner(account));
    let foreign = store
        .end_session(
            owner(other.account_id),
            second,
            &noted("session.end", second),
        )
        .await;
    assert!(matches!(foreign, Err(DirectoryError::Missing(_))));
    let audit = noted("session.end", second);
    store
        .end_session(person, second, &audit)
        .await
        .expect("ended");
    assert_eq!(open(engine, 2).await, None);
    let again = store.end_session(person, second, &audit).await;
    assert!(matches!(again, Err(DirectoryError::Missing(_))));
    let audit = noted("session.end_others", person);
    let ended = store.end_other_sessions(person, Some(mine), &audit).await;
    assert_eq!(ended.expect("ended"), 1);
    for (token, is_open) in [(1, true), (3, false), (4, true)] {
        assert_eq!(open(engine, token).await.is_some(), is_open, "{token}");
    }
    assert_eq!(told(engine, "session.end", second).await, 1);
    let proved = store.prove_session(second, &[9; 32], "password", NOW).await;
    assert!(matches!(proved, Err(DirectoryError::Missing(_))));
}

pub(crate) async fn a_session_looks_only_at_what_is_there(engine: &Engine) {
    let tenant = engine.new_account().await;
    let other = engine.new_account().await;
    let account = tenant.account_id;
    let team = make(engine, account, "team").await;
    let id = start(engine, account, tenant.workspace_id, 1).await;
    let store = people(engine);
    store.move_session(id, account, team).await.expect("moved");
    let found = open(engine, 1).await.expect("open");
    assert_eq!(found.session.workspace_id, team);
    assert_eq!(found.workspace_name, "Research");
    let foreign = store.move_session(id, account, other.workspace_id).await;
    assert!(matches!(foreign, Err(DirectoryError::Missing(_))));
    let tenancy = engine.store.tenancy.as_ref();
    let gone = tenancy
        .delete_workspace(account, team, &noted("workspace.delete", team))
        .await;
    gone.expect("deleted");
    let found = open(engine, 1).await.expect("open");
    assert_eq!(found.session.workspace_id, tenant.workspace_id);
}

pub(crate) async fn a_link_works_once_for_its_purpose_and_time(engine: &Engine) {
    let tenant = engine.new_account().await;
    let store = people(engine);
    let until = NOW.plus(Duration::from_secs(60));
    let link = NewLink {
        link_hash: [7; 32],
        purpose: "reset_password",
        person_id: owner(tenant.account_id),
        detail: json!({ "email": "ada@x.org" }),
        at: NOW,
        expires_at: until,
    };
    store.insert_link(&link).await.expect("kept");
    for (hash, purpose, now) in [
        (8, "reset_password", NOW),
        (7, "sign_in", NOW),
        (7, "reset_password", until),
    ] {
        let seen = store.link(&[hash; 32], purpose, now).await;
        assert_eq!(seen.expect("answered"), None);
        let used = store.use_link(&[hash; 32], purpose, now).await;
        assert_eq!(used.expect("answered"), None);
    }
    let seen = store.link(&[7; 32], "reset_password", NOW).await;
    let seen = seen.expect("answered").expect("usable");
    assert_eq!(seen.detail["email"], "ada@x.org");
    let mut uses = JoinSet::new();
    for _ in 0..8 {
        let people = engine.store.people.clone();
        uses.spawn(async move { people.use_link(&[7; 32], "reset_password", NOW).await });
    }
    let used = uses.join_all().await;
    let used = used.into_iter().flatten().flatten();
    assert_eq!(used.count(), 1);
    let seen = store.link(&[7; 32], "reset_password", NOW).await;
    assert_eq!(seen.expect("answered"), None);
}
