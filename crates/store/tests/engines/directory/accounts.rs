//! Accounts, nodes, the audit log.

use serde_json::json;
use switchyard_billing::{
    store::CreditGrant,
    test_suite::{Fixture, scene::sample_settlement},
};
use switchyard_domain::{
    id::{AccountId, GenerationId, LedgerTransactionId, NodeId},
    money::UsdNanos,
};
use switchyard_store::{
    DirectoryError,
    account::{Account, Credits},
    audit::{AuditEvent, AuditOrigin},
};
use tokio::task::JoinSet;

use crate::engine::{Engine, NOW};

pub(crate) async fn an_account_is_found_by_id_and_by_address(engine: &Engine) {
    let new = engine.new_account_row(" Owner@Example.com ");
    engine
        .directory()
        .create_account(&new)
        .await
        .expect("created");
    let account = Account {
        account_id: new.account_id,
        default_workspace_id: new.workspace_id,
        email: "Owner@Example.com".to_owned(),
        name: "Acme".to_owned(),
        created_at: NOW,
    };

    let by_id = engine
        .directory()
        .account_by_id(new.account_id)
        .await
        .expect("answered");
    assert_eq!(by_id.as_ref(), Some(&account));
    for (email, found) in [
        ("owner@example.com", Some(&account)),
        ("OWNER@EXAMPLE.COM\n", Some(&account)),
        ("owner@example.org", None),
        ("%", None),
        ("' OR 1=1 --", None),
        ("owner@example.com\0", None),
    ] {
        let answer = engine
            .directory()
            .account_by_email(email)
            .await
            .expect("answered");
        assert_eq!(answer.as_ref(), found, "{email}");
    }
    let unknown = AccountId::from_uuid(engine.fresh_uuid());
    assert_eq!(
        engine
            .directory()
            .account_by_id(unknown)
            .await
            .expect("answered"),
        None
    );
}

pub(crate) async fn an_address_belongs_to_one_account(engine: &Engine) {
    let first = engine.new_account_row("ÄRGER@example.com");
    engine
        .directory()
        .create_account(&first)
        .await
        .expect("created");
    let second = engine.new_account_row("ärger@Example.com");

    let refused = engine.directory().create_account(&second).await;

    assert!(
        matches!(refused, Err(DirectoryError::Conflict("email"))),
        "{refused:?}"
    );
    let left = engine
        .directory()
        .account_by_id(second.account_id)
        .await
        .expect("answered");
    assert_eq!(left, None);
}

pub(crate) async fn ids_are_not_used_twice(engine: &Engine) {
    let first = engine.new_account_row("one@example.com");
    engine
        .directory()
        .create_account(&first)
        .await
        .expect("created");

    let mut same_account = engine.new_account_row("two@example.com");
    same_account.account_id = first.account_id;
    let refused = engine.directory().create_account(&same_account).await;
    assert!(
        matches!(refused, Err(DirectoryError::Conflict("account_id"))),
        "{refused:?}"
    );

    let mut same_workspace = engine.new_account_row("three@example.com");
    same_workspace.workspace_id = first.workspace_id;
    let refused = engine.directory().create_account(&same_workspace).await;
    assert!(
        matches!(refused, Err(DirectoryError::Conflict("workspace_id"))),
        "{refused:?}"
    );
    let left = engine
        .directory()
        .account_by_email("three@example.com")
        .await;
    assert_eq!(
        left.expect("answered"),
        None,
        "nothing is left of a refused account"
    );
}

pub(crate) async fn parallel_sign_ups_with_one_address_make_one_account(engine: &Engine) {
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let directory = engine.store.directory.clone();
        let account = engine.new_account_row("same@example.com");
        tasks.spawn(async move { directory.create_account(&account).await });
    }
    let outcomes = tasks.join_all().await;

    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for refused in outcomes.into_iter().filter_map(Result::err) {
        assert!(
            matches!(refused, DirectoryError::Conflict("email")),
            "{refused:?}"
        );
    }
}

pub(crate) async fn credits_tell_what_was_granted_and_used(engine: &Engine) {
    let tenant = engine.new_account().await;
    let credits = engine
        .directory()
        .credits(tenant.account_id)
        .await
        .expect("answered");
    assert_eq!(credits, Credits::default());

    let grant = CreditGrant {
        transaction_id: LedgerTransactionId::from_uuid(engine.fresh_uuid()),
        idempotency_key: "welcome".to_owned(),
        account_id: tenant.account_id,
        amount: UsdNanos::new(5_000),
        reason: "welcome".to_owned(),
        at: NOW,
    };
    engine.ledger().grant(&grant).await.expect("granted");
    let id = GenerationId::new(NOW.seconds(), 1);
    let settlement = sample_settlement(tenant, id, NOW, UsdNanos::new(225), Vec::new());
    engine.ledger().post(&[settlement]).await.expect("posted");

    let credits = engine
        .directory()
        .credits(tenant.account_id)
        .await
        .expect("answered");
    let expected = Credits {
        total_credits: UsdNanos::new(5_000),
        total_usage: UsdNanos::new(225),
    };
    assert_eq!(
        credits, expected,
        "an account pays even where no hold was named"
    );
    assert_eq!(
        engine.ledger().verify().await.expect("read").faults,
        Vec::<String>::new()
    );
}

pub(crate) async fn nodes_and_audit_events_are_recorded(engine: &Engine) {
    engine.directory().ping().await.expect("it answers");
    let node = NodeId::from_uuid(engine.fresh_uuid());
    for _ in 0..2 {
        engine
            .directory()
            .register_node(node, NOW)
            .await
            .expect("a node may start again");
    }
    let event = AuditEvent {
        at: NOW,
        actor: "operator".to_owned(),
        action: "credit.grant".to_owned(),
        subject: "acct_1\0".to_owned(),
        detail: json!({"amount": "5", "reason": "a\0b"}),
        origin: AuditOrigin::default(),
    };
    for _ in 0..2 {
        engine
            .directory()
            .append_audit(&event)
            .await
            .expect("appended");
    }
}
