//! How customers' credentials are doing: what is noted, what is told, how often they were opened.

use std::sync::Arc;

use serde_json::json;
use switchyard_billing::test_suite::Fixture;
use switchyard_domain::{clock::Timestamp, id::CredentialId};
use switchyard_store::{
    OwnCredentialStore,
    own_credential::{CredentialCondition, CredentialState, NewOwnCredential, OwnerEvent},
};
use tokio::task::JoinSet;

use super::own_credentials::{audit, change, facts, insert, later, own, plain, row, sealed};
use crate::engine::{Engine, NOW};

async fn note(
    engine: &Engine,
    new: &NewOwnCredential,
    condition: CredentialCondition,
    at: Timestamp,
) -> bool {
    note_version(engine, new, 1, condition, at).await
}

async fn note_version(
    engine: &Engine,
    new: &NewOwnCredential,
    record_version: i32,
    condition: CredentialCondition,
    at: Timestamp,
) -> bool {
    let is_ok = condition == CredentialCondition::Ok;
    let state = CredentialState {
        record_version,
        condition,
        changed_at: at,
        last_ok_at: is_ok.then_some(at),
        last_error: (!is_ok).then(|| "no such key".to_owned()),
        last_error_status: (!is_ok).then_some(401),
        last_error_at: (!is_ok).then_some(at),
    };
    let event = OwnerEvent {
        number: 0,
        at,
        account_id: new.account_id,
        workspace_id: None,
        kind: condition.as_str().to_owned(),
        subject: new.id.to_string(),
        detail: json!({ "status": 401 }),
    };
    let noted = own(engine).note_credential_state(new.id, &state, Some(&event));
    noted.await.expect("written")
}

async fn told(engine: &Engine, new: &NewOwnCredential) -> Vec<String> {
    let events = own(engine).events_after(new.account_id, 0, 100).await;
    let events = events.expect("read");
    assert!(
        events
            .windows(2)
            .all(|pair| pair[0].number < pair[1].number)
    );
    let mut backwards = own(engine)
        .events_before(new.account_id, i64::MAX, 100)
        .await
        .expect("read");
    backwards.reverse();
    assert_eq!(backwards, events, "the same, from either end");
    events.into_iter().map(|event| event.kind).collect()
}

pub(crate) async fn owners_hear_of_changes_of_condition_once(engine: &Engine) {
    use CredentialCondition::{Failing, Ok};
    let tenant = engine.new_account().await;
    let new = plain(engine, tenant, "alder", 1);
    insert(engine, &new).await;
    assert!(note(engine, &new, Ok, later(1)).await);
    assert_eq!(
        told(engine, &new).await,
        Vec::<String>::new(),
        "that is as it should be"
    );
    assert!(note(engine, &new, Failing, later(2)).await);
    assert!(
        note(engine, &new, Failing, later(3)).await,
        "another node saw it, too"
    );
    let state = row(engine, &new).await.state.expect("seen");
    assert_eq!(state.condition, Failing);
    assert_eq!(state.changed_at, later(2), "since then");
    assert_eq!(state.last_ok_at, Some(later(1)));
    assert_eq!(state.last_error.as_deref(), Some("no such key"));
    assert_eq!(
        (state.last_error_status, state.last_error_at),
        (Some(401), Some(later(3)))
    );
    assert!(
        !note(engine, &new, Ok, later(2)).await,
        "what was seen later stays"
    );
    assert!(note(engine, &new, Ok, later(4)).await);
    assert_eq!(told(engine, &new).await, ["failing", "ok"]);
    let state = row(engine, &new).await.state.expect("seen");
    assert_eq!((state.condition, state.changed_at), (Ok, later(4)));
    assert_eq!(
        state.last_error_at,
        Some(later(3)),
        "what was wrong is remembered"
    );
}

pub(crate) async fn nothing_is_noted_of_what_is_gone(engine: &Engine) {
    let tenant = engine.new_account().await;
    let new = plain(engine, tenant, "alder", 1);
    insert(engine, &new).await;
    own(engine)
        .delete_own_credential(tenant.account_id, new.id, &audit("x", 1))
        .await
        .expect("deleted");
    assert!(!note(engine, &new, CredentialCondition::Failing, later(5)).await);
    assert_eq!(told(engine, &new).await, Vec::<String>::new());
}

pub(crate) async fn a_new_secret_has_a_clean_slate(engine: &Engine) {
    use CredentialCondition::{Failing, Ok};
    let tenant = engine.new_account().await;
    let new = plain(engine, tenant, "alder", 1);
    insert(engine, &new).await;
    note(engine, &new, Failing, later(1)).await;
    let mut rotated = change(&row(engine, &new).await);
    rotated.secret = Some((sealed(2), facts(2)));
    own(engine)
        .change_own_credential(tenant.account_id, new.id, &rotated, &audit("x", 1))
        .await
        .expect("rotated");
    assert_eq!(row(engine, &new).await.state, None);
    assert!(
        !note(engine, &new, Failing, later(9)).await,
        "that was about the old one"
    );
    assert!(note_version(engine, &new, 2, Ok, later(3)).await);
    let state = row(engine, &new).await.state.expect("seen");
    assert_eq!((state.condition, state.last_error), (Ok, None));
    assert_eq!(told(engine, &new).await, ["failing"]);
}

pub(crate) async fn parallel_nodes_tell_a_failure_once(engine: &Engine) {
    let tenant = engine.new_account().await;
    let new = plain(engine, tenant, "alder", 1);
    insert(engine, &new).await;
    let store: Arc<dyn OwnCredentialStore> = engine.store.own_credentials.clone();
    let mut nodes = JoinSet::new();
    for _ in 0..8 {
        let (store, account, id) = (Arc::clone(&store), new.account_id, new.id);
        nodes.spawn(async move {
            let state = CredentialState {
                record_version: 1,
                condition: CredentialCondition::Failing,
                changed_at: NOW,
                last_ok_at: None,
                last_error: None,
                last_error_status: Some(401),
                last_error_at: Some(NOW),
            };
            let event = OwnerEvent {
                number: 0,
                at: NOW,
                account_id: account,
                workspace_id: None,
                kind: "credential.failing".to_owned(),
                subject: id.to_string(),
                detail: json!({}),
            };
            store.note_credential_state(id, &state, Some(&event)).await
        });
    }
    for noted in nodes.join_all().await {
        noted.expect("written");
    }
    assert_eq!(told(engine, &new).await, ["credential.failing"]);
}

pub(crate) async fn openings_add_up_by_hour(engine: &Engine) {
    let tenant = engine.new_account().await;
    let new = plain(engine, tenant, "alder", 1);
    insert(engine, &new).await;
    let other = CredentialId::from_uuid(engine.fresh_uuid());
    let (first, second) = (NOW, later(3_600));
    for _ in 0..2 {
        own(engine)
            .count_openings(&[(new.id, second, 3), (new.id, first, 2), (other, first, 9)])
            .await
            .expect("counted");
    }
    let since = |at| own(engine).openings(new.id, at);
    assert_eq!(since(first).await.expect("read"), 10);
    assert_eq!(since(second).await.expect("read"), 6);
    assert_eq!(since(later(7_200)).await.expect("read"), 0);
}
