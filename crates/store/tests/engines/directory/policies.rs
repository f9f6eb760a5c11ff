//! Standing policies.

use std::time::Duration;

use serde_json::{Value, json, value::RawValue};
use switchyard_billing::test_suite::{Fixture, Tenant};
use switchyard_store::{
    DirectoryError,
    policy::{PolicyChange, PolicyRevision, PolicySubject, StoredPolicy},
};

use crate::{
    engine::{Engine, NOW},
    schema::Backdoor,
};

fn change(tenant: Tenant, subject: PolicySubject) -> PolicyChange {
    PolicyChange {
        account_id: tenant.account_id,
        subject,
        by: "operator".to_owned(),
        at: NOW,
    }
}

fn raw(rules: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(rules).expect("a document")
}

async fn put(
    engine: &Engine,
    change: &PolicyChange,
    rules: &Value,
) -> Result<PolicyRevision, DirectoryError> {
    engine.directory().put_policy(change, &raw(rules)).await
}

fn subjects(tenant: Tenant) -> [PolicySubject; 3] {
    [
        PolicySubject::Account(tenant.account_id),
        PolicySubject::Workspace(tenant.workspace_id),
        PolicySubject::Key(tenant.api_key_id),
    ]
}

fn rules_of(policy: &StoredPolicy) -> Value {
    serde_json::from_str(policy.rules.get()).expect("a document")
}

async fn poll(engine: &Engine, after: i64) -> Vec<PolicyRevision> {
    let changes = engine.directory().policy_revisions_after(after).await;
    changes.expect("answered")
}

pub(crate) async fn a_policy_is_read_back_as_it_was_set(engine: &Engine) {
    let tenant = engine.new_account().await;
    for subject in subjects(tenant) {
        let mut change = change(tenant, subject);
        let first = json!({ "allowed_providers": ["acme", "bö\u{1}lt"], "zdr": { "other": true } });
        let one = put(engine, &change, &first).await.expect("set");
        change.at = NOW.plus(Duration::from_micros(7));
        change.by = "ada".to_owned();
        let second = json!({ "ignored_providers": ["acme"] });
        let two = put(engine, &change, &second).await.expect("replaced");
        assert!(one.revision < two.revision);
        let stored = engine.directory().policy(tenant.account_id, subject).await;
        let stored = stored.expect("answered").expect("stored");
        assert_eq!(rules_of(&stored), second);
        assert_eq!(stored.subject, subject);
        assert_eq!(stored.account_id, tenant.account_id);
        assert_eq!(stored.revision, two.revision);
        assert_eq!(
            (stored.updated_at, stored.updated_by),
            (change.at, change.by)
        );
    }
    let all = engine
        .directory()
        .policies_of_account(tenant.account_id)
        .await
        .expect("answered");
    let listed: Vec<_> = all.iter().map(|policy| policy.subject).collect();
    assert_eq!(listed, subjects(tenant));
}

pub(crate) async fn a_subject_must_be_the_accounts_own(engine: &Engine) {
    let (tenant, other) = (engine.new_account().await, engine.new_account().await);
    let rules = json!({});
    for subject in subjects(other) {
        let foreign = change(tenant, subject);
        let refused = put(engine, &foreign, &rules).await;
        assert!(
            matches!(refused, Err(DirectoryError::Missing(_))),
            "{subject}: {refused:?}"
        );
        put(engine, &change(other, subject), &rules)
            .await
            .expect("set");
        let refused = engine.directory().delete_policy(&foreign).await;
        assert!(
            matches!(refused, Err(DirectoryError::Missing(_))),
            "{subject}: {refused:?}"
        );
        let read = engine.directory().policy(tenant.account_id, subject).await;
        assert!(read.expect("answered").is_none(), "{subject}");
    }
    let deleted = engine
        .directory()
        .delete_key(tenant.workspace_id, tenant.api_key_id, NOW)
        .await;
    deleted.expect("deleted");
    let refused = put(
        engine,
        &change(tenant, PolicySubject::Key(tenant.api_key_id)),
        &rules,
    )
    .await;
    assert!(matches!(refused, Err(DirectoryError::Missing(_))));
}

pub(crate) async fn a_caller_gets_its_own_layers_outermost_first(engine: &Engine) {
    let (tenant, other) = (engine.new_account().await, engine.new_account().await);
    let second = engine.new_key_row(tenant.account_id, tenant.workspace_id);
    engine
        .directory()
        .insert_key(&second)
        .await
        .expect("stored");
    let [account, workspace, key] = subjects(tenant);
    // Not in their order, so that it cannot come from the table.
    for subject in [key, account, workspace] {
        put(engine, &change(tenant, subject), &json!({}))
            .await
            .expect("set");
    }
    for (asking, expected) in [
        (tenant.api_key_id, vec![account, workspace, key]),
        (second.key.id, vec![account, workspace]),
    ] {
        let found = engine
            .directory()
            .policies_for(tenant.account_id, tenant.workspace_id, asking)
            .await
            .expect("answered");
        let found: Vec<_> = found.iter().map(|policy| policy.subject).collect();
        assert_eq!(found, expected, "{asking}");
    }
    let found = engine
        .directory()
        .policies_for(other.account_id, other.workspace_id, other.api_key_id)
        .await;
    assert!(found.expect("answered").is_empty());
}

pub(crate) async fn a_cleared_policy_is_gone_but_noticed(engine: &Engine) {
    let tenant = engine.new_account().await;
    let subject = PolicySubject::Workspace(tenant.workspace_id);
    let change = change(tenant, subject);
    let set = put(engine, &change, &json!({})).await.expect("set");
    let cleared = engine.directory().delete_policy(&change).await;
    let cleared = cleared.expect("cleared");
    assert_eq!(poll(engine, set.revision).await, [cleared]);
    let stored = engine.directory().policy(tenant.account_id, subject).await;
    assert!(stored.expect("answered").is_none());
    let list = engine.directory();
    let list = list.policies_of_account(tenant.account_id).await;
    assert!(list.expect("answered").is_empty());
    let again = engine.directory().delete_policy(&change).await;
    assert!(matches!(again, Err(DirectoryError::Missing(_))));
    assert_eq!(poll(engine, cleared.revision).await, []);
    put(engine, &change, &json!({})).await.expect("set anew");
    let stored = engine.directory().policy(tenant.account_id, subject).await;
    assert!(stored.expect("answered").is_some());
}

pub(crate) async fn a_poll_sees_the_latest_change_of_each(engine: &Engine) {
    let (one, two) = (engine.new_account().await, engine.new_account().await);
    let start = engine.directory().policy_revision().await;
    let start = start.expect("answered");
    let of = |tenant: Tenant| change(tenant, PolicySubject::Account(tenant.account_id));
    put(engine, &of(one), &json!({})).await.expect("set");
    let second = put(engine, &of(two), &json!({})).await.expect("set");
    let third = put(engine, &of(one), &json!({})).await.expect("set");
    assert_eq!(poll(engine, start).await, [second, third]);
    assert_eq!(poll(engine, third.revision).await, []);
    let latest = engine.directory().policy_revision().await;
    assert_eq!(latest.expect("answered"), third.revision);
}

pub(crate) async fn every_change_is_in_the_audit_log(engine: &Engine) {
    let tenant = engine.new_account().await;
    let change = change(tenant, PolicySubject::Key(tenant.api_key_id));
    put(engine, &change, &json!({ "zdr": { "xai": true } }))
        .await
        .expect("set");
    engine
        .directory()
        .delete_policy(&change)
        .await
        .expect("cleared");
    engine
        .directory()
        .delete_policy(&change)
        .await
        .expect_err("nothing to clear");
    let sql = format!(
        "SELECT action || ' by ' || actor || ': ' || CAST(detail AS TEXT) FROM audit_log
        WHERE subject = '{}' ORDER BY audit_no",
        tenant.api_key_id
    );
    let events = Backdoor::open(engine).await.texts(&sql).await;
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(
        events[0].starts_with("policy.set by operator: "),
        "{events:?}"
    );
    assert!(events[0].contains("xai"), "{events:?}");
    assert!(
        events[0].contains(&tenant.account_id.to_string()),
        "{events:?}"
    );
    assert!(
        events[1].starts_with("policy.clear by operator: "),
        "{events:?}"
    );
}
