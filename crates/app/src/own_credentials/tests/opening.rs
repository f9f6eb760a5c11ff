//! From sealed to plain: counted, bound to its place, and never in anybody's way.

use switchyard_domain::{clock::Timestamp, id::WorkspaceId, tenancy::Caller};
use switchyard_store::{
    account::NewAccount,
    sealed::{RewrappedRow, SealedKind, SealedRow},
};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{super::eligible::Held, *};
use crate::fixture::NOW;

async fn open(node: &Node, caller: &Caller, id: CredentialId) -> Result<String, OpeningError> {
    let eligible = node.own.open_to(caller).await.expect("readable");
    let opened = node.own.open(caller, &eligible, id).await?;
    Ok(String::from_utf8(opened.secret.expose().clone()).expect("text"))
}

/// Replaces a credential's bytes behind everybody's back.
async fn overwrite(installation: &Installation, row: &OwnCredentialRow, bytes: &[u8]) {
    let secret = row.secret.as_ref().expect("sealed");
    let expected = SealedRow {
        kind: SealedKind::OwnCredential,
        key: row.id.to_string(),
        account_id: Some(row.account_id),
        workspace_id: row.workspace_id,
        provider: row.provider.clone(),
        endpoint_host: row.endpoint_host.clone(),
        record: Some(row.id),
        public_key: None,
        record_version: secret.record_version,
        sealed: secret.sealed.clone(),
    };
    let row = RewrappedRow {
        expected,
        sealed: bytes.to_vec(),
        tenant_key_version: secret.tenant_key_version,
    };
    let replaced = installation.store.sealed.rewrap_sealed_rows(&[row]).await;
    assert_eq!(replaced.expect("written"), 1, "nobody was faster");
}

#[tokio::test]
async fn a_credential_opens_for_its_owner_and_every_opening_counts() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let caller = installation.caller(1).await;
    let row = node
        .stored(&installation, "alder", "sk-alder-a123456789")
        .await;
    for _ in 0..3 {
        let opened = open(&node, &caller, row.id).await.expect("opened");
        assert_eq!(opened, "sk-alder-a123456789");
    }
    let since = Timestamp::from_seconds(0);
    let counted = || installation.store.own_credentials.openings(row.id, since);
    assert_eq!(
        counted().await.expect("read"),
        0,
        "not on the request's path"
    );
    node.own.write_openings().await.expect("written");
    assert_eq!(counted().await.expect("read"), 3);
    node.own.write_openings().await.expect("nothing to write");
    assert_eq!(counted().await.expect("read"), 3);
}

#[tokio::test]
async fn a_new_secret_takes_the_place_of_the_old_one_at_once() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let caller = installation.caller(1).await;
    let row = node
        .stored(&installation, "alder", "sk-alder-a123456789")
        .await;
    let planned = node.own.open_to(&caller).await.expect("readable");
    open(&node, &caller, row.id).await.expect("opened");
    let fresh = secret_of("sk-alder-z987654321");
    let rotated = node
        .own
        .rotate(installation.account, &node.catalog, row.id, fresh, ada());
    rotated.await.expect("rotated");
    let opened = node
        .own
        .open(&caller, &planned, row.id)
        .await
        .expect("opened");
    assert_eq!(opened.record_version, 2);
    assert_eq!(opened.secret.expose(), b"sk-alder-z987654321");
}

#[tokio::test]
async fn t04_changed_bytes_are_a_typed_error_and_an_audit_event() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let caller = installation.caller(1).await;
    let secret = |number: usize| format!("sk-alder-{number}123456789");
    let victim = node.stored(&installation, "alder", &secret(1)).await;
    let other = node.stored(&installation, "birch", &secret(2)).await;
    let whole = victim.secret.clone().expect("sealed").sealed;
    let mut flipped = whole.clone();
    *flipped.last_mut().expect("bytes") ^= 1;
    let swapped = other.secret.clone().expect("sealed").sealed;
    let mut current = victim.clone();
    for (number, bytes) in [flipped, whole[..20].to_vec(), swapped, Vec::new()]
        .iter()
        .enumerate()
    {
        overwrite(&installation, &current, bytes).await;
        current
            .secret
            .as_mut()
            .expect("sealed")
            .sealed
            .clone_from(bytes);
        node.own.forget(installation.account, victim.id);
        let opened = open(&node, &caller, victim.id).await;
        assert!(
            matches!(opened, Err(OpeningError::Rejected { .. })),
            "{number}: {opened:?}"
        );
        let subject = victim.id.to_string();
        let audit = installation.store.audit.audit_of(&subject, 100).await;
        let audit = audit.expect("read");
        let rejections = audit
            .iter()
            .filter(|entry| entry.event.action == "credential.open_rejected");
        assert_eq!(rejections.count(), number + 1);
        let last = &audit.last().expect("an entry").event;
        assert_eq!(last.outcome.as_deref(), Some("failed"));
        assert_eq!(last.account_id, Some(installation.account));
    }
    let opened = open(&node, &caller, other.id).await;
    assert_eq!(opened.expect("untouched"), secret(2));
}

/// Another account, with credentials at two providers, and a caller of it.
async fn neighbour(installation: &Installation, node: &Node) -> (Caller, [CredentialId; 2]) {
    let account_id = AccountId::from_uuid(Uuid::from_u128(70));
    let workspace_id = WorkspaceId::from_uuid(Uuid::from_u128(71));
    let new = NewAccount {
        account_id,
        workspace_id,
        email: "bob@example.com".to_owned(),
        name: "Bob".to_owned(),
        at: NOW,
    };
    let created = installation.store.directory.create_account(&new).await;
    created.expect("created");
    let mut ids = Vec::new();
    for provider in ["alder", "birch"] {
        let new = NewCredential {
            workspace_id: None,
            provider: ProviderSlug::new(provider),
            secret: secret_of("sk-bobs-a123456789"),
            settings: CredentialSettings::default(),
        };
        let created = node.own.create(account_id, &node.catalog, new, ada()).await;
        ids.push(created.expect("stored").id);
    }
    let mut key = (*installation.stranger(72).key).clone();
    (key.account_id, key.workspace_id) = (account_id, workspace_id);
    (Caller { key: Arc::new(key) }, [ids[0], ids[1]])
}

#[tokio::test]
async fn an_opening_that_hangs_is_in_nobodys_way() {
    let installation = Installation::new().await;
    let first = Node::start(&installation).await;
    let caller = installation.caller(1).await;
    let row = first
        .stored(&installation, "alder", "sk-alder-a123456789")
        .await;
    let (other, [warm, cold]) = neighbour(&installation, &first).await;
    // Another node, which has to ask the key provider for every account once.
    let node = Node::start(&installation).await;
    open(&node, &other, warm).await.expect("opened");
    node.keys.waiting.forget_permits(1);
    node.keys.keep_silent(true);
    let (own, stuck) = (Arc::clone(&node.own), caller.clone());
    let mut opening = JoinSet::new();
    opening.spawn(async move {
        let eligible = own.open_to(&stuck).await.expect("readable");
        let opened = own.open(&stuck, &eligible, row.id).await;
        opened.map(|opened| opened.record_version)
    });
    let asked = node.keys.waiting.acquire().await;
    asked.expect("it asks the key provider").forget();
    // While it waits, others use theirs, opened before or not, and manage them.
    for id in [warm, cold] {
        let opened = open(&node, &other, id).await.expect("opened");
        assert_eq!(opened, "sk-bobs-a123456789");
    }
    node.own.follow().await.expect("answered");
    let own = node.own.get(installation.account, row.id).await;
    assert_eq!(own.expect("read").id, row.id);
    assert!(opening.try_join_next().is_none(), "it still waits");
    node.keys.keep_silent(false);
    let opened = opening.join_next().await.expect("one").expect("no panic");
    assert_eq!(opened.expect("opened"), 1);
    assert_eq!(node.keys.unwraps.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn t04_a_seal_is_bound_to_the_place_that_the_row_says() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let account = installation.account;
    let row = node
        .stored(&installation, "alder", "sk-alder-a123456789")
        .await;
    let open = async |row: OwnCredentialRow| {
        let held = Held::of(account, row).expect("sealed");
        node.own.open_held(&held).await
    };
    assert!(open(row.clone()).await.is_ok());
    let edits: [fn(&mut OwnCredentialRow); 5] = [
        |row| row.endpoint_host = Some("evil.example".to_owned()),
        |row| row.provider = ProviderSlug::new("birch"),
        |row| row.workspace_id = Some(WorkspaceId::from_uuid(Uuid::nil())),
        |row| row.id = CredentialId::from_uuid(Uuid::nil()),
        |row| row.secret.as_mut().expect("sealed").record_version = 2,
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        let mut edited = row.clone();
        edit(&mut edited);
        let opened = open(edited).await;
        assert!(
            matches!(opened, Err(OpeningError::Rejected { .. })),
            "{number}: {opened:?}"
        );
    }
}
