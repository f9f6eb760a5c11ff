//! What owners do with their credentials, and what they are told when it is wrong.

use serde_json::json;
use switchyard_coordination::Coordination;
use switchyard_domain::{
    id::{CredentialId, PersonId, WorkspaceId},
    patch::Patch,
};
use switchyard_store::api_key::Page;
use uuid::Uuid;

use super::*;

const ALL: Page = Page {
    offset: 0,
    limit: 100,
};

async fn actions(installation: &Installation, subject: impl ToString) -> Vec<String> {
    let subject = subject.to_string();
    let entries = installation.store.audit.audit_of(&subject, 100).await;
    let entries = entries.expect("read");
    entries.into_iter().map(|one| one.event.action).collect()
}

/// What is said of a wrong field.
fn complaint(outcome: Result<OwnCredentialRow, OwnCredentialError>) -> String {
    match outcome {
        Err(error @ OwnCredentialError::Invalid { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_credential_is_stored_sealed_changed_and_replaced() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let account = installation.account;
    let row = node
        .stored(&installation, "alder", "  sk-alder-0123456789abcdef\n")
        .await;
    assert_eq!((row.kind.as_str(), row.sort_order), ("api_key", 0));
    assert!(!row.label.contains("0123456789"), "{}", row.label);
    let sealed = row.secret.clone().expect("sealed");
    assert_eq!(sealed.record_version, 1);
    let plain = b"0123456789abcdef";
    assert!(!sealed.sealed.windows(plain.len()).any(|part| part == plain));

    let change = CredentialChange {
        name: Patch::Set("production".to_owned()),
        is_fallback: Some(true),
        declared_zdr: Patch::Set(true),
        ..CredentialChange::default()
    };
    let changed = node
        .own
        .change(account, &node.catalog, row.id, change, ada());
    let changed = changed.await.expect("changed");
    assert_eq!(changed.settings.name.as_deref(), Some("production"));
    assert_eq!(changed.settings.section, StoredSection::Fallback);
    assert_eq!(changed.secret, row.secret, "the secret stays");

    let fresh = secret_of("sk-alder-fedcba9876543210");
    let rotated = node
        .own
        .rotate(account, &node.catalog, row.id, fresh, ada());
    let rotated = rotated.await.expect("rotated");
    assert_eq!(
        rotated.secret.as_ref().map(|new| new.record_version),
        Some(2)
    );
    assert_ne!(rotated.label, row.label);
    assert_eq!(rotated.settings, changed.settings);

    let clear = CredentialChange {
        name: Patch::Clear,
        ..CredentialChange::default()
    };
    let cleared = node
        .own
        .change(account, &node.catalog, row.id, clear, ada());
    let cleared = cleared.await.expect("changed");
    assert_eq!(cleared.settings.name, None);
    assert_eq!(cleared.settings.declared_zdr, Some(true));
    assert_eq!(
        actions(&installation, row.id).await,
        [
            "credential.create",
            "credential.change",
            "credential.rotate",
            "credential.change"
        ]
    );
}

#[tokio::test]
async fn a_deleted_credential_is_gone_and_every_change_is_news() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let account = installation.account;
    let mut news = node.coordination.subscribe();
    let row = node
        .stored(&installation, "alder", "sk-alder-0123456789abcdef")
        .await;
    let off = CredentialChange {
        disabled: Some(true),
        ..CredentialChange::default()
    };
    let changed = node.own.change(account, &node.catalog, row.id, off, ada());
    assert!(changed.await.expect("changed").settings.disabled);
    node.own
        .delete(account, row.id, ada())
        .await
        .expect("deleted");
    let gone = node.own.get(account, row.id).await;
    assert!(
        matches!(gone, Err(OwnCredentialError::Missing(_))),
        "{gone:?}"
    );
    let again = node.own.delete(account, row.id, ada()).await;
    assert!(
        matches!(again, Err(OwnCredentialError::Missing(_))),
        "{again:?}"
    );
    assert_eq!(
        actions(&installation, row.id).await,
        [
            "credential.create",
            "credential.change",
            "credential.delete"
        ]
    );
    for _ in 0..3 {
        let told = Some(Invalidation::OwnCredential {
            account_id: account,
            credential_id: row.id,
        });
        assert_eq!(news.next().await, told);
    }
}

#[tokio::test]
async fn the_same_secret_is_stored_once_in_one_place() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let secret = "sk-alder-0123456789abcdef";
    let first = node.stored(&installation, "alder", secret).await;
    let spaced = format!(" {secret} ");
    let default = CredentialSettings::default;
    let again = node.store(&installation, "alder", &spaced, default()).await;
    assert!(
        matches!(again, Err(OwnCredentialError::Duplicate)),
        "{again:?}"
    );
    // At another provider it is another credential.
    node.stored(&installation, "birch", secret).await;
    // In its own place a secret may replace itself.
    let same = node.own.rotate(
        installation.account,
        &node.catalog,
        first.id,
        secret_of(secret),
        ada(),
    );
    assert_eq!(same.await.expect("rotated").label, first.label);
}

#[tokio::test]
async fn lists_are_in_order_and_the_order_can_be_changed() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let account = installation.account;
    let mut ids = Vec::new();
    for number in 0..3 {
        let secret = format!("sk-alder-{number}123456789abcdef");
        ids.push(node.stored(&installation, "alder", &secret).await.id);
    }
    let alder = ProviderSlug::new("alder");
    let listed = || async {
        let everything = OwnCredentialFilter::default();
        let (rows, count) = node
            .own
            .list(account, &everything, ALL)
            .await
            .expect("read");
        assert_eq!(count, 3);
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, ids);
    let wanted = [ids[2], ids[0]];
    node.own
        .order(account, &alder, &wanted, ada())
        .await
        .expect("moved");
    assert_eq!(listed().await, [ids[2], ids[0], ids[1]]);
    let twice = node
        .own
        .order(account, &alder, &[ids[0], ids[0]], ada())
        .await;
    assert!(
        matches!(twice, Err(OwnCredentialError::Invalid { .. })),
        "{twice:?}"
    );
    let stranger = CredentialId::from_uuid(Uuid::from_u128(77));
    let strange = node.own.order(account, &alder, &[stranger], ada()).await;
    assert!(
        matches!(strange, Err(OwnCredentialError::Missing(_))),
        "{strange:?}"
    );
}

/// Settings of which one is stated.
fn with(field: &str, value: serde_json::Value) -> CredentialSettings {
    let mut settings = CredentialSettings::default();
    let list = || serde_json::from_value(value.clone()).expect("a list");
    match field {
        "name" => settings.name = Some(value.as_str().expect("a text").to_owned()),
        "region" => settings.declared_region = Some(value.as_str().expect("a text").to_owned()),
        "models" => settings.filters.models = list(),
        "hashes" => settings.filters.api_key_hashes = list(),
        "people" => settings.filters.user_ids = list(),
        other => panic!("{other}"),
    }
    settings
}

#[tokio::test]
async fn what_is_wrong_with_lists_is_said_by_field() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let hash = |digit: &str| digit.repeat(64);
    let many: Vec<String> = (0..101).map(|number| format!("acme/{number}")).collect();
    let owner = PersonId::from_uuid(installation.account.as_uuid());
    let stranger = PersonId::from_uuid(Uuid::from_u128(99));
    for (settings, says) in [
        (
            with("models", json!([])),
            "`allowed_models` must not be empty",
        ),
        (
            with("models", json!(many)),
            "`allowed_models` may have at most 100",
        ),
        (
            with("models", json!(["acme/elm"])),
            "`allowed_models[0]` is not a model",
        ),
        (
            with("models", json!(["acme/oak", "acme/oak"])),
            "`allowed_models[1]` is in the list",
        ),
        (
            with("models", json!(["~acme/oak-latest"])),
            "`allowed_models[0]` is a moving name; name the model itself, now `acme/oak`",
        ),
        (
            with("hashes", json!([hash("A")])),
            "`allowed_api_key_hashes[0]` is not the hash",
        ),
        (
            with("hashes", json!([hash("é")])),
            "`allowed_api_key_hashes[0]` is not the hash",
        ),
        (with("hashes", json!([hash("a")])), "that this account has"),
        (
            with("hashes", json!([])),
            "`allowed_api_key_hashes` must not be empty",
        ),
        (
            with("people", json!(["ada"])),
            "`allowed_user_ids[0]` is not the id",
        ),
        (
            with("people", json!([owner, stranger])),
            "`allowed_user_ids[1]` is not the id",
        ),
    ] {
        let outcome = node
            .store(&installation, "alder", "sk-alder-0123456789", settings)
            .await;
        let said = complaint(outcome);
        assert!(said.contains(says), "{said} / {says}");
    }
}

#[tokio::test]
async fn what_else_is_wrong_is_said_by_field() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let owner = PersonId::from_uuid(installation.account.as_uuid());
    let long = json!("x".repeat(256));
    for (settings, says) in [
        (with("name", long), "`name` must have 1 to 255"),
        (with("name", json!(" ")), "`name` must have 1 to 255"),
        (with("region", json!("mars")), "`declared_region` must be"),
    ] {
        let outcome = node
            .store(&installation, "alder", "sk-alder-0123456789", settings)
            .await;
        let said = complaint(outcome);
        assert!(said.contains(says), "{said} / {says}");
    }
    let both = CredentialSettings {
        section: StoredSection::Fallback,
        is_byok_only: true,
        ..CredentialSettings::default()
    };
    let said = complaint(
        node.store(&installation, "alder", "sk-alder-0123456789", both)
            .await,
    );
    assert!(
        said.contains("`is_byok_only` cannot go with `is_fallback`"),
        "{said}"
    );
    for (provider, secret, says) in [
        (
            "elder",
            "sk-alder-0123456789",
            "`provider` is not in the catalogue",
        ),
        ("alder", "Bearer sk-alder-0123456789", "`key`"),
        ("alder", "", "`key`"),
    ] {
        let settings = CredentialSettings::default();
        let said = complaint(node.store(&installation, provider, secret, settings).await);
        assert!(said.contains(says), "{said}");
        assert!(!said.contains("0123456789"), "{said}");
    }
    // A list that was right stays, whatever became of what it names.
    let settings = with("people", json!([owner]));
    let row = node
        .store(&installation, "alder", "sk-alder-0123456789", settings)
        .await
        .expect("stored");
    let change = CredentialChange {
        is_byok_only: Some(true),
        is_fallback: Some(true),
        ..CredentialChange::default()
    };
    let account = installation.account;
    let said = complaint(
        node.own
            .change(account, &node.catalog, row.id, change, ada())
            .await,
    );
    assert!(said.contains("cannot go with"), "{said}");
}

#[tokio::test]
async fn another_accounts_credential_is_no_credential() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let row = node
        .stored(&installation, "alder", "sk-alder-0123456789abcdef")
        .await;
    let other = AccountId::from_uuid(Uuid::from_u128(5));
    let missing = |outcome: &dyn std::fmt::Debug, is_missing: bool| {
        assert!(is_missing, "{outcome:?}");
    };
    let got = node.own.get(other, row.id).await;
    missing(&got, matches!(got, Err(OwnCredentialError::Missing(_))));
    let deleted = node.own.delete(other, row.id, ada()).await;
    missing(
        &deleted,
        matches!(deleted, Err(OwnCredentialError::Missing(_))),
    );
    let change = CredentialChange {
        disabled: Some(true),
        ..CredentialChange::default()
    };
    let changed = node
        .own
        .change(other, &node.catalog, row.id, change, ada())
        .await;
    missing(
        &changed,
        matches!(changed, Err(OwnCredentialError::Missing(_))),
    );
    let foreign = NewCredential {
        workspace_id: Some(WorkspaceId::from_uuid(Uuid::from_u128(66))),
        provider: ProviderSlug::new("alder"),
        secret: secret_of("sk-alder-abcdefabcdef"),
        settings: CredentialSettings::default(),
    };
    let account = installation.account;
    let made = node
        .own
        .create(account, &node.catalog, foreign, ada())
        .await;
    missing(
        &made,
        matches!(made, Err(OwnCredentialError::Missing("the workspace"))),
    );
}
