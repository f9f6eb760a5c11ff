//! Whom a credential is open to, and how news of changes travels.

use std::time::Duration;

use switchyard_domain::{
    id::{PersonId, WorkspaceId},
    patch::Patch,
    tenancy::{ApiKey, Caller},
};
use switchyard_routing::credentials::{OwnCredentialId, Section};
use uuid::Uuid;

use super::*;

/// The credentials that are open to a caller, in order.
async fn open_to(node: &Node, caller: &Caller) -> Vec<CredentialId> {
    let eligible = node.own.open_to(caller).await.expect("readable");
    let ids = eligible.own().iter().map(|own| match own.id {
        OwnCredentialId::Stored(id) => id,
        OwnCredentialId::Supplied(place) => panic!("supplied {place}"),
    });
    ids.collect()
}

async fn change(
    installation: &Installation,
    node: &Node,
    id: CredentialId,
    change: CredentialChange,
) {
    let account = installation.account;
    let changed = node.own.change(account, &node.catalog, id, change, ada());
    changed.await.expect("changed");
}

fn made_by(caller: &Caller, change: impl FnOnce(&mut ApiKey)) -> Caller {
    let mut key = (*caller.key).clone();
    change(&mut key);
    Caller { key: Arc::new(key) }
}

#[tokio::test]
async fn an_account_without_any_costs_nothing() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let (first, second) = (installation.caller(1).await, installation.caller(2).await);
    let mine = node.own.open_to(&first).await.expect("readable");
    let others = node.own.open_to(&second).await.expect("readable");
    assert!(Arc::ptr_eq(&mine, &others), "one nothing for all");
    assert!(mine.own().is_empty());
}

#[tokio::test]
async fn filters_and_workspace_decide_who_may_use_one() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let owner = PersonId::from_uuid(installation.account.as_uuid());
    let plain = installation.stranger(1);
    let members = made_by(&installation.stranger(2), |key| {
        key.creator_id = Some(owner)
    });
    let elsewhere = made_by(&installation.stranger(3), |key| {
        key.workspace_id = WorkspaceId::from_uuid(Uuid::from_u128(77));
    });

    let everywhere = node
        .stored(&installation, "alder", "sk-alder-a123456789")
        .await;
    let mut here = NewCredential {
        workspace_id: Some(installation.workspace),
        provider: ProviderSlug::new("alder"),
        secret: secret_of("sk-alder-b123456789"),
        settings: CredentialSettings::default(),
    };
    here.settings.section = StoredSection::Fallback;
    let here = node
        .own
        .create(installation.account, &node.catalog, here, ada());
    let here = here.await.expect("stored");
    let mut settings = CredentialSettings::default();
    settings.filters.user_ids = Some(vec![owner.to_string()]);
    let owners = node.store(&installation, "alder", "sk-alder-c123456789", settings);
    let owners = owners.await.expect("stored");

    assert_eq!(open_to(&node, &plain).await, [everywhere.id, here.id]);
    assert_eq!(
        open_to(&node, &members).await,
        [everywhere.id, here.id, owners.id]
    );
    assert_eq!(open_to(&node, &elsewhere).await, [everywhere.id]);
    let eligible = node.own.open_to(&plain).await.expect("readable");
    assert_eq!(eligible.own()[1].section, Section::Fallback);

    let off = CredentialChange {
        disabled: Some(true),
        ..CredentialChange::default()
    };
    change(&installation, &node, everywhere.id, off).await;
    assert_eq!(
        open_to(&node, &plain).await,
        [here.id],
        "at once on this node"
    );
    let models = CredentialChange {
        disabled: Some(false),
        allowed_models: Patch::Set(vec!["acme/oak".to_owned()]),
        ..CredentialChange::default()
    };
    change(&installation, &node, everywhere.id, models).await;
    let eligible = node.own.open_to(&plain).await.expect("readable");
    let allowed = eligible.own()[0].allowed_models.as_ref().expect("a list");
    assert_eq!(allowed[0].as_str(), "acme/oak");
}

#[tokio::test]
async fn t17_changes_elsewhere_hold_from_the_next_poll_on() {
    let installation = Installation::new().await;
    let (here, there) = (
        Node::start(&installation).await,
        Node::start(&installation).await,
    );
    let caller = installation.caller(1).await;
    assert!(open_to(&there, &caller).await.is_empty());
    let row = here
        .stored(&installation, "alder", "sk-alder-a123456789")
        .await;
    assert!(
        open_to(&there, &caller).await.is_empty(),
        "it has not heard yet"
    );
    there.own.follow().await.expect("answered");
    assert_eq!(open_to(&there, &caller).await, [row.id]);

    let account = installation.account;
    here.own
        .delete(account, row.id, ada())
        .await
        .expect("deleted");
    let planned = there.own.open_to(&caller).await.expect("readable");
    let opened = there.own.open(&caller, &planned, row.id).await;
    assert!(opened.is_ok(), "until it hears");
    there.own.follow().await.expect("answered");
    assert!(open_to(&there, &caller).await.is_empty());
    let opened = there.own.open(&caller, &planned, row.id).await;
    assert!(
        matches!(opened, Err(OpeningError::Withdrawn)),
        "even by a request that was planned before: {opened:?}"
    );
}

#[tokio::test]
async fn what_nobody_confirms_is_not_trusted_for_ever() {
    let installation = Installation::new().await;
    let (here, there) = (
        Node::start(&installation).await,
        Node::start(&installation).await,
    );
    let caller = installation.caller(1).await;
    assert!(open_to(&there, &caller).await.is_empty());
    let row = here
        .stored(&installation, "alder", "sk-alder-a123456789")
        .await;
    there
        .clock
        .advance(OWN_CREDENTIAL_STALE_LIFE - Duration::from_secs(1));
    assert!(open_to(&there, &caller).await.is_empty());
    there.clock.advance(Duration::from_secs(1));
    assert_eq!(open_to(&there, &caller).await, [row.id]);
}

#[tokio::test]
async fn without_the_database_nothing_known_is_not_no_credentials() {
    let installation = Installation::without_schema().await;
    let node = Node::new(&installation);
    let refused = node.own.open_to(&installation.stranger(1)).await;
    assert!(
        refused.is_err(),
        "one may say that paid capacity is not to be used"
    );
}
