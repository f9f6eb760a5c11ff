//! Credentials that customers brought.

use std::time::Duration;

use serde_json::json;
use switchyard_billing::test_suite::{Fixture, Tenant};
use switchyard_domain::{
    clock::Timestamp,
    id::{CredentialId, PersonId, WorkspaceId},
    provider::ProviderSlug,
};
use switchyard_store::{
    DirectoryError, OwnCredentialStore,
    api_key::Page,
    audit::{AuditEvent, AuditOrigin},
    own_credential::{
        CredentialFilters, CredentialSettings, NewOwnCredential, OwnCredentialChange,
        OwnCredentialFilter, OwnCredentialRow, SealedRecord, SecretFacts, StoredSection,
    },
};

use crate::{
    engine::{Engine, NOW},
    schema::Backdoor,
};

const ALL: Page = Page {
    offset: 0,
    limit: 100,
};

pub(super) fn own(engine: &Engine) -> &dyn OwnCredentialStore {
    engine.store.own_credentials.as_ref()
}

pub(super) fn audit(action: &str, subject: impl ToString) -> AuditEvent {
    AuditEvent {
        at: NOW,
        actor: "ada".to_owned(),
        action: action.to_owned(),
        subject: subject.to_string(),
        detail: json!({}),
        origin: AuditOrigin::default(),
    }
}

pub(super) fn later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

pub(super) fn sealed(version: i32) -> SealedRecord {
    SealedRecord {
        sealed: vec![7, 0, 255, u8::try_from(version).expect("a small version")],
        record_version: version,
        tenant_key_version: 1,
    }
}

pub(super) fn facts(fingerprint: u8) -> SecretFacts {
    SecretFacts {
        kind: "api_key".to_owned(),
        label: "sk-ab...xyz".to_owned(),
        endpoint_host: None,
        fingerprint: [fingerprint; 32],
    }
}

/// A credential that is said of as little as possible.
pub(super) fn plain(
    engine: &Engine,
    tenant: Tenant,
    provider: &str,
    fingerprint: u8,
) -> NewOwnCredential {
    NewOwnCredential {
        id: CredentialId::from_uuid(engine.fresh_uuid()),
        account_id: tenant.account_id,
        workspace_id: None,
        provider: ProviderSlug::new(provider),
        secret: sealed(1),
        facts: facts(fingerprint),
        settings: CredentialSettings::default(),
        created_by: "key_1".to_owned(),
        at: NOW,
    }
}

pub(super) async fn insert(engine: &Engine, new: &NewOwnCredential) -> i64 {
    let audit = audit("credential.create", new.id);
    let inserted = own(engine).insert_own_credential(new, &audit).await;
    inserted.expect("stored").revision
}

pub(super) async fn row(engine: &Engine, new: &NewOwnCredential) -> OwnCredentialRow {
    let row = own(engine).own_credential(new.account_id, new.id).await;
    row.expect("read").expect("it is there")
}

pub(super) fn change(row: &OwnCredentialRow) -> OwnCredentialChange {
    OwnCredentialChange {
        settings: row.settings.clone(),
        secret: None,
        expected_revision: row.revision,
        at: later(1),
    }
}

pub(crate) async fn a_credential_is_read_back_as_it_was_stored(engine: &Engine) {
    let tenant = engine.new_account().await;
    let mut new = plain(engine, tenant, "alder", 1);
    new.workspace_id = Some(tenant.workspace_id);
    new.facts.endpoint_host = Some("a.example,b.example".to_owned());
    new.settings = CredentialSettings {
        name: Some("pröd \u{1}".to_owned()),
        disabled: true,
        section: StoredSection::Fallback,
        is_required: true,
        is_byok_only: true,
        declared_zdr: Some(false),
        declared_region: Some("europe".to_owned()),
        filters: CredentialFilters {
            models: Some(vec!["acme/oak".to_owned()]),
            api_key_hashes: None,
            user_ids: Some(vec!["user_1".to_owned()]),
        },
    };
    let revision = insert(engine, &new).await;
    let stored = row(engine, &new).await;
    assert_eq!(stored.settings, new.settings);
    assert_eq!(stored.secret.as_ref(), Some(&new.secret));
    assert_eq!(stored.provider, new.provider);
    assert_eq!(stored.workspace_id, new.workspace_id);
    assert_eq!(stored.endpoint_host, new.facts.endpoint_host);
    assert_eq!(
        (stored.kind, stored.label),
        (new.facts.kind, new.facts.label)
    );
    assert_eq!(
        (stored.created_by.as_str(), stored.created_at),
        ("key_1", NOW)
    );
    assert_eq!((stored.sort_order, stored.revision), (0, revision));
    assert_eq!(stored.state, None, "nothing was seen of it yet");
    let entries = engine.store.audit.audit_of(&new.id.to_string(), 10).await;
    assert_eq!(entries.expect("read").len(), 1);
}

pub(crate) async fn the_same_secret_is_not_stored_twice_in_one_place(engine: &Engine) {
    let tenant = engine.new_account().await;
    let first = plain(engine, tenant, "alder", 1);
    insert(engine, &first).await;
    let again = plain(engine, tenant, "alder", 1);
    let refused = own(engine)
        .insert_own_credential(&again, &audit("x", 1))
        .await;
    assert!(
        matches!(refused, Err(DirectoryError::Conflict("fingerprint"))),
        "{refused:?}"
    );
    // Elsewhere it may be.
    for (provider, workspace) in [("birch", None), ("alder", Some(tenant.workspace_id))] {
        let mut other = plain(engine, tenant, provider, 1);
        other.workspace_id = workspace;
        insert(engine, &other).await;
    }
    let neighbour = engine.new_account().await;
    insert(engine, &plain(engine, neighbour, "alder", 1)).await;
    // And once it is gone there.
    own(engine)
        .delete_own_credential(tenant.account_id, first.id, &audit("x", 2))
        .await
        .expect("deleted");
    insert(engine, &again).await;
    // Nor may one become another.
    let second = plain(engine, tenant, "alder", 2);
    insert(engine, &second).await;
    let mut rotated = change(&row(engine, &second).await);
    rotated.secret = Some((sealed(2), facts(1)));
    let refused = own(engine)
        .change_own_credential(tenant.account_id, second.id, &rotated, &audit("x", 3))
        .await;
    assert!(
        matches!(refused, Err(DirectoryError::Conflict("fingerprint"))),
        "{refused:?}"
    );
    rotated.secret = Some((sealed(2), facts(2)));
    own(engine)
        .change_own_credential(tenant.account_id, second.id, &rotated, &audit("x", 4))
        .await
        .expect("by itself it may be replaced");
}

pub(crate) async fn a_credential_is_its_accounts_alone(engine: &Engine) {
    let (tenant, stranger) = (engine.new_account().await, engine.new_account().await);
    let new = plain(engine, tenant, "alder", 1);
    insert(engine, &new).await;
    let read = own(engine)
        .own_credential(stranger.account_id, new.id)
        .await;
    assert_eq!(read.expect("read"), None);
    let change = change(&row(engine, &new).await);
    let changed = own(engine)
        .change_own_credential(stranger.account_id, new.id, &change, &audit("x", 1))
        .await;
    assert!(
        matches!(changed, Err(DirectoryError::Missing(_))),
        "{changed:?}"
    );
    let deleted = own(engine)
        .delete_own_credential(stranger.account_id, new.id, &audit("x", 2))
        .await;
    assert!(
        matches!(deleted, Err(DirectoryError::Missing(_))),
        "{deleted:?}"
    );
    let ordered = own(engine)
        .order_own_credentials(
            stranger.account_id,
            &new.provider,
            &[new.id],
            &audit("x", 3),
        )
        .await;
    assert!(
        matches!(ordered, Err(DirectoryError::Missing(_))),
        "{ordered:?}"
    );
    let mut foreign = plain(engine, tenant, "alder", 2);
    foreign.workspace_id = Some(stranger.workspace_id);
    let inserted = own(engine)
        .insert_own_credential(&foreign, &audit("x", 4))
        .await;
    assert!(
        matches!(inserted, Err(DirectoryError::Missing(_))),
        "{inserted:?}"
    );
    let all = own(engine).own_credentials_of(stranger.account_id).await;
    assert_eq!(all.expect("read"), []);
    // Nothing of all that was audited.
    let entries = engine.store.audit.audit_of("1", 10).await;
    assert_eq!(entries.expect("read"), []);
}

pub(crate) async fn a_change_needs_the_revision_it_was_made_from(engine: &Engine) {
    let tenant = engine.new_account().await;
    let new = plain(engine, tenant, "alder", 1);
    insert(engine, &new).await;
    let before = row(engine, &new).await;
    let mut first = change(&before);
    first.settings.name = Some("one".to_owned());
    first.secret = Some((sealed(2), facts(9)));
    let account = tenant.account_id;
    let changed = own(engine)
        .change_own_credential(account, new.id, &first, &audit("x", 1))
        .await
        .expect("changed");
    assert!(changed.revision > before.revision);
    let after = row(engine, &new).await;
    assert_eq!(after.secret, Some(sealed(2)));
    assert_eq!(after.settings.name.as_deref(), Some("one"));
    assert_eq!(after.updated_at, later(1));
    let stale = own(engine)
        .change_own_credential(account, new.id, &change(&before), &audit("x", 2))
        .await;
    assert!(
        matches!(stale, Err(DirectoryError::Conflict("revision"))),
        "{stale:?}"
    );
}

pub(crate) async fn a_deleted_secret_is_gone_and_its_row_is_not(engine: &Engine) {
    let tenant = engine.new_account().await;
    let new = plain(engine, tenant, "alder", 1);
    insert(engine, &new).await;
    let deleted = own(engine)
        .delete_own_credential(
            tenant.account_id,
            new.id,
            &audit("credential.delete", new.id),
        )
        .await
        .expect("deleted");
    let read = own(engine).own_credential(tenant.account_id, new.id).await;
    assert_eq!(read.expect("read"), None);
    let again = own(engine)
        .delete_own_credential(tenant.account_id, new.id, &audit("x", 1))
        .await;
    assert!(
        matches!(again, Err(DirectoryError::Missing(_))),
        "{again:?}"
    );
    let changes = own(engine)
        .own_credential_revisions_after(deleted.revision - 1)
        .await;
    assert_eq!(changes.expect("read"), [deleted], "nodes hear of it");
    let mut backdoor = Backdoor::open(engine).await;
    let wiped = backdoor
        .run(
            "UPDATE own_credentials SET label = label WHERE sealed IS NULL AND fingerprint IS NULL",
        )
        .await;
    assert_eq!(wiped, Ok(1), "the row stays, the secret does not");
}

pub(crate) async fn places_follow_from_order_and_age(engine: &Engine) {
    let tenant = engine.new_account().await;
    let mut ids = Vec::new();
    for fingerprint in 1..=3 {
        let new = plain(engine, tenant, "alder", fingerprint);
        insert(engine, &new).await;
        ids.push(new.id);
    }
    let elsewhere = plain(engine, tenant, "birch", 1);
    insert(engine, &elsewhere).await;
    let account = tenant.account_id;
    let listed = || async {
        let rows = own(engine).own_credentials_of(account).await.expect("read");
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let all = |ids: [CredentialId; 3]| [&ids[..], &[elsewhere.id]].concat();
    assert_eq!(listed().await, all([ids[0], ids[1], ids[2]]));
    let alder = ProviderSlug::new("alder");
    let moved = own(engine)
        .order_own_credentials(account, &alder, &[ids[2]], &audit("credential.order", 1))
        .await
        .expect("ordered");
    assert_eq!(listed().await, all([ids[2], ids[0], ids[1]]));
    let of_moved: Vec<_> = moved.iter().map(|change| change.id).collect();
    assert_eq!(of_moved, [ids[2], ids[0], ids[1]]);
    assert!(
        moved
            .windows(2)
            .all(|pair| pair[0].revision < pair[1].revision)
    );
    let foreign = own(engine)
        .order_own_credentials(account, &alder, &[elsewhere.id], &audit("x", 2))
        .await;
    assert!(
        matches!(foreign, Err(DirectoryError::Missing(_))),
        "{foreign:?}"
    );
}

pub(crate) async fn lists_are_filtered_and_cut_into_pages(engine: &Engine) {
    let tenant = engine.new_account().await;
    for (provider, fingerprint, workspace) in [
        ("alder", 1, None),
        ("alder", 2, Some(tenant.workspace_id)),
        ("birch", 3, None),
    ] {
        let mut new = plain(engine, tenant, provider, fingerprint);
        new.workspace_id = workspace;
        insert(engine, &new).await;
    }
    let count = |workspace: Option<WorkspaceId>, provider: Option<&str>, page: Page| {
        let filter = OwnCredentialFilter {
            workspace,
            provider: provider.map(ProviderSlug::new),
        };
        async move {
            let listed = own(engine).list_own_credentials(tenant.account_id, &filter, page);
            let (rows, total) = listed.await.expect("read");
            (rows.len(), total)
        }
    };
    let page = |offset, limit| Page { offset, limit };
    assert_eq!(count(None, None, ALL).await, (3, 3));
    assert_eq!(count(None, Some("alder"), ALL).await, (2, 2));
    assert_eq!(count(Some(tenant.workspace_id), None, ALL).await, (3, 3));
    let other = WorkspaceId::from_uuid(engine.fresh_uuid());
    assert_eq!(count(Some(other), None, ALL).await, (2, 2));
    assert_eq!(count(None, None, page(2, 5)).await, (1, 3));
    assert_eq!(count(None, None, page(0, 2)).await, (2, 3));
}

pub(crate) async fn members_are_told_from_strangers(engine: &Engine) {
    let (tenant, other) = (engine.new_account().await, engine.new_account().await);
    // Who opened an account is a member of it, by the account's own id.
    let of = |tenant: Tenant| PersonId::from_uuid(tenant.account_id.as_uuid());
    let nobody = PersonId::from_uuid(engine.fresh_uuid());
    let asked = [of(other), of(tenant), nobody];
    let members = own(engine).members_among(tenant.account_id, &asked).await;
    assert_eq!(members.expect("read"), [of(tenant)]);
    let none = own(engine).members_among(tenant.account_id, &[]).await;
    assert_eq!(none.expect("read"), []);
}

pub(crate) async fn a_poll_sees_every_change_in_order(engine: &Engine) {
    let tenant = engine.new_account().await;
    let start = own(engine).own_credential_revision().await.expect("read");
    let (first, second) = (
        plain(engine, tenant, "alder", 1),
        plain(engine, tenant, "birch", 2),
    );
    insert(engine, &first).await;
    insert(engine, &second).await;
    let renamed = change(&row(engine, &first).await);
    own(engine)
        .change_own_credential(tenant.account_id, first.id, &renamed, &audit("x", 1))
        .await
        .expect("changed");
    let changes = own(engine).own_credential_revisions_after(start).await;
    let changes = changes.expect("read");
    let ids: Vec<_> = changes.iter().map(|change| change.id).collect();
    assert_eq!(ids, [second.id, first.id], "each with its latest change");
    let last = changes.last().expect("two").revision;
    assert_eq!(
        own(engine).own_credential_revision().await.expect("read"),
        last
    );
    let rest = own(engine).own_credential_revisions_after(last).await;
    assert_eq!(rest.expect("read"), []);
}
