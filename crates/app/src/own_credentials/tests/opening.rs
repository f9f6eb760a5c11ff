//! From sealed to plain: counted, bound to its place, and never in anybody's way.

use switchyard_domain::{clock::Timestamp, tenancy::Caller};
use switchyard_store::sealed::{SealedKind, SealedRow};

use super::{super::eligible::Held, *};

async fn open(node: &Node, caller: &Caller, id: CredentialId) -> Result<String, OpeningError> {
    let eligible = node.own.open_to(caller).await.expect("readable");
    let opened = node.own.open(caller, &eligible, id).await?;
    Ok(String::from_utf8(opened.secret.expose().clone()).expect("text"))
}

/// Replaces a credential's bytes behind everybody's back.
async fn overwrite(installation: &Installation, row: &OwnCredentialRow, bytes: &[u8]) {
    let secret = row.secret.as_ref().expect("sealed");
    let stored = SealedRow {
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
    let sealed = &installation.store.sealed;
    let replaced = sealed.rewrap_sealed_row(&stored, bytes, secret.tenant_key_version);
    assert!(replaced.await.expect("written"), "nobody was faster");
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

#[tokio::test]
async fn an_opening_that_hangs_is_in_nobodys_way() {
    let installation = Installation::new().await;
    let node = Node::start(&installation).await;
    let caller = installation.caller(1).await;
    let row = node
        .stored(&installation, "alder", "sk-alder-a123456789")
        .await;
    let warm = node
        .stored(&installation, "birch", "sk-birch-a123456789")
        .await;
    // Another node, which has not unwrapped the tenant's key yet.
    let fresh = Node::start(&installation).await;
    open(&node, &caller, warm.id).await.expect("opened");
    fresh.keys.keep_silent(true);
    let (own, stuck) = (Arc::clone(&fresh.own), caller.clone());
    let opening = tokio::spawn(async move {
        let eligible = own.open_to(&stuck).await.expect("readable");
        own.open(&stuck, &eligible, row.id)
            .await
            .map(|opened| opened.record_version)
    });
    let _asked = fresh
        .keys
        .waiting
        .acquire()
        .await
        .expect("it asks the key provider");
    // While it waits, others look up and manage theirs.
    let neighbour = installation.caller(2).await;
    let eligible = fresh.own.open_to(&neighbour).await.expect("readable");
    assert_eq!(eligible.own().len(), 2);
    fresh.own.follow().await.expect("answered");
    let list = fresh.own.get(installation.account, warm.id).await;
    assert_eq!(list.expect("read").id, warm.id);
    assert!(!opening.is_finished());
    fresh.keys.keep_silent(false);
    assert_eq!(opening.await.expect("no panic").expect("opened"), 1);
    assert_eq!(fresh.keys.unwraps.load(Ordering::SeqCst), 1);
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
        |row| {
            row.workspace_id = Some(switchyard_domain::id::WorkspaceId::from_uuid(
                uuid::Uuid::nil(),
            ))
        },
        |row| row.id = CredentialId::from_uuid(uuid::Uuid::nil()),
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
