use std::time::Duration;

use switchyard_coordination::in_process::InProcess;
use switchyard_domain::{
    id::{AccountId, CredentialId, WorkspaceId},
    secret::Secret,
};
use switchyard_store::{
    account::NewAccount,
    idempotency::IdempotentRequest,
    own_credential::{CredentialSettings, NewOwnCredential, SealedRecord, SecretFacts},
    sealed::RewrappedRow,
};
use switchyard_testkit::folder::Folder;
use switchyard_vault::{
    OsRandom, VaultSettings,
    key_provider::{LiveKeyring, SealedRows},
};
use uuid::Uuid;

use super::*;
use crate::{
    fixture::{HandClock, Installation, NOW},
    shredding::shred,
    tenant_keys::DirectoryTenantKeys,
    vault_upkeep::VaultUpkeep,
};

const HOST: Option<&str> = Some("acme.openai.azure.com");

/// A database, a keyring, and a node's vault on them.
struct Scene {
    installation: Installation,
    keyring: Arc<LiveKeyring>,
    vault: Arc<Vault>,
    // Removed with the keyring.
    _folder: Folder,
}

impl Scene {
    async fn new() -> Self {
        let (installation, folder) = (Installation::new().await, Folder::fresh());
        let path = folder.path().join("keyring.json");
        let keyring = LiveKeyring::open_or_create(&path, SealedRows::None, Arc::new(OsRandom));
        let keyring = Arc::new(keyring.expect("it is made"));
        let vault = vault(&installation, &keyring);
        Self {
            installation,
            keyring,
            vault,
            _folder: folder,
        }
    }

    fn store(&self) -> &Store {
        &self.installation.store
    }

    fn rotation(&self) -> Rotation {
        let pace = Pace {
            rows_per_second: None,
            settling: Duration::ZERO,
        };
        Rotation::new(self.store(), Arc::clone(&self.vault), pace)
    }

    /// Another account, and the one workspace that it has.
    async fn account(&self, number: u128) -> (AccountId, WorkspaceId) {
        let account_id = AccountId::from_uuid(Uuid::from_u128(100 + number));
        let workspace_id = WorkspaceId::from_uuid(Uuid::from_u128(200 + number));
        let new = NewAccount {
            account_id,
            workspace_id,
            email: format!("{number}@example.com"),
            name: "Owner".to_owned(),
            at: NOW,
        };
        let created = self.store().directory.create_account(&new).await;
        created.expect("created");
        (account_id, workspace_id)
    }

    async fn seal(&self, context: &SecretContext) -> SealedSecret {
        let secret = Secret::new(b"sk-own".to_vec());
        self.vault.seal(context, &secret).await.expect("it seals")
    }

    /// Stores a record of an account, sealed for the context that is handed back.
    async fn record(&self, owner: (AccountId, WorkspaceId), number: u128) -> SecretContext {
        let context = context(owner, number);
        let sealed = self.seal(&context).await;
        self.put(owner, number, &sealed, HOST).await;
        context
    }

    async fn put(
        &self,
        (account_id, workspace_id): (AccountId, WorkspaceId),
        number: u128,
        sealed: &SealedSecret,
        host: Option<&str>,
    ) {
        let version = sealed.tenant_key_version().expect("it is sealed");
        let new = NewOwnCredential {
            id: CredentialId::from_uuid(Uuid::from_u128(number)),
            account_id,
            workspace_id: Some(workspace_id),
            provider: ProviderSlug::new("azure"),
            secret: SealedRecord {
                sealed: sealed.as_bytes().to_vec(),
                record_version: 1,
                tenant_key_version: i32::try_from(version).expect("small"),
            },
            facts: SecretFacts {
                kind: "api_key".to_owned(),
                label: "sk-…".to_owned(),
                endpoint_host: host.map(str::to_owned),
                fingerprint: [0; 32],
            },
            settings: CredentialSettings::default(),
            created_by: "operator".to_owned(),
            at: NOW,
        };
        let stored = self.store().own_credentials.insert_many(&[new]).await;
        stored.expect("stored");
    }

    async fn rows(&self, account: AccountId) -> Vec<SealedRow> {
        let sealed = &self.store().sealed;
        let rows = sealed.sealed_rows_not_under(Some(account), 0, None, 100);
        rows.await.expect("answered")
    }

    /// Changes a record's bytes behind everybody's back.
    async fn flip_a_bit(&self, row: &SealedRow, at: usize) {
        let mut sealed = row.sealed.clone();
        sealed[at] ^= 1;
        let version = sealed_secret(row).tenant_key_version().expect("sealed");
        let flipped = RewrappedRow {
            expected: row.clone(),
            sealed,
            tenant_key_version: i32::try_from(version).expect("small"),
        };
        let changed = self.store().sealed.rewrap_sealed_rows(&[flipped]).await;
        assert_eq!(changed.expect("changed"), 1);
    }

    async fn versions(&self, tenant: &str) -> Vec<i32> {
        let rows = self.store().sealed.tenant_key_versions(tenant).await;
        let rows = rows.expect("answered").into_iter();
        rows.map(|row| row.version).collect()
    }
}

fn vault(installation: &Installation, keyring: &Arc<LiveKeyring>) -> Arc<Vault> {
    let directory = Arc::clone(&installation.store.directory);
    Arc::new(Vault::new(
        Arc::clone(keyring) as Arc<_>,
        Arc::new(DirectoryTenantKeys::new(directory)),
        Arc::new(OsRandom),
        Arc::new(HandClock::default()),
        VaultSettings::default(),
    ))
}

fn context((account, workspace): (AccountId, WorkspaceId), number: u128) -> SecretContext {
    SecretContext {
        tenant: Tenant::Account(account),
        workspace: Some(workspace),
        provider: ProviderSlug::new("azure"),
        endpoint_host: HOST.map(Arc::from),
        record: CredentialId::from_uuid(Uuid::from_u128(number)),
        record_version: 1,
    }
}

#[tokio::test]
async fn t07_every_kind_of_record_moves_to_its_tenants_new_key() {
    let scene = Scene::new().await;
    let owner = scene.account(1).await;
    for number in 1..=3 {
        scene.record(owner, number).await;
    }
    let receipts = &scene.store().receipts;
    let (public, sealed) = scene.vault.new_signing_key().await.expect("made");
    let signing_key = switchyard_store::receipts::SigningKeyRow {
        key_id: public.key_id(),
        public_key: *public.as_bytes(),
        sealed: sealed.as_bytes().to_vec(),
        created_at: NOW,
        retired_at: None,
    };
    receipts
        .put_signing_key(&signing_key)
        .await
        .expect("stored");

    let report = scene.rotation().rotate_tenant_keys(Tenants::All).await;
    let report = report.expect("it rotates");
    assert!(report.is_done(), "{report:?}");
    assert_eq!((report.tenants, report.rotated, report.resumed), (2, 2, 0));
    assert_eq!(report.rewrapped, 4);
    assert_eq!((report.old_keys_deleted, report.old_keys_kept), (1, 1));
    assert_eq!(scene.versions(&owner.0.to_string()).await, [2]);
    let keys = receipts.signing_keys().await.expect("answered");
    let moved = SealedSecret::from_bytes(keys[0].sealed.as_slice());
    assert_eq!(moved.tenant_key_version(), Some(2));

    let found = scene.rotation().verify(None).await.expect("it verifies");
    assert!(found.holds(), "{found:?}");
    // Two versions of the operator's key, one of the account's.
    assert_eq!((found.tenants, found.tenant_keys, found.records), (2, 3, 4));
    let status = scene.rotation().status().await.expect("it tells");
    assert_eq!(
        (status.records_under_newest, status.records_under_older),
        (4, 0)
    );
    assert_eq!((status.tenants, status.tenants_with_old_keys), (2, 1));
}

#[tokio::test]
async fn t07_what_an_earlier_rotation_left_is_finished_first() {
    let scene = Scene::new().await;
    let (halted, untouched) = (scene.account(1).await, scene.account(2).await);
    scene.record(halted, 1).await;
    scene.record(untouched, 2).await;
    // As a rotation leaves it that was killed after it had made the key.
    let version = scene
        .vault
        .rotate_tenant_key(Tenant::Account(halted.0))
        .await;
    assert_eq!(version.expect("it rotates"), 2);

    let report = scene.rotation().rotate_tenant_keys(Tenants::All).await;
    let report = report.expect("it rotates");
    assert_eq!(
        (report.rotated, report.resumed, report.rewrapped),
        (1, 1, 2)
    );
    assert!(report.is_done(), "{report:?}");
    for (account, _) in [halted, untouched] {
        assert_eq!(scene.versions(&account.to_string()).await, [2]);
    }

    // Whoever names a tenant wants a new key for it, whatever it has.
    scene
        .vault
        .rotate_tenant_key(Tenant::Account(halted.0))
        .await
        .expect("it rotates");
    let one = Tenants::One(Tenant::Account(halted.0));
    let report = scene
        .rotation()
        .rotate_tenant_keys(one)
        .await
        .expect("it rotates");
    assert_eq!((report.tenants, report.rotated), (1, 1));
    assert_eq!(scene.versions(&halted.0.to_string()).await, [4]);
    assert_eq!(scene.versions(&untouched.0.to_string()).await, [2]);
}

#[tokio::test]
async fn t07_the_outermost_key_is_left_only_when_nothing_is_under_the_old_one() {
    let scene = Scene::new().await;
    for number in 1..=3 {
        let owner = scene.account(number).await;
        scene.record(owner, number).await;
    }
    let rotation = scene.rotation();
    assert!(!rotation.is_outermost_unfinished().await.expect("answered"));
    scene.keyring.advance_primary().expect("it grows");
    assert!(rotation.is_outermost_unfinished().await.expect("answered"));
    let report = rotation.rewrap_tenant_keys().await.expect("it rotates");
    assert_eq!(
        (report.kek_version, report.rewrapped, report.left),
        (2, 3, 0)
    );
    assert!(report.is_done());
    assert!(!rotation.is_outermost_unfinished().await.expect("answered"));
    assert!(rotation.verify(None).await.expect("it verifies").holds());
    // Again, there is nothing to do.
    let again = rotation.rewrap_tenant_keys().await.expect("it rotates");
    assert_eq!((again.rewrapped, again.left), (0, 0));
}

#[tokio::test]
async fn t02_a_tampered_record_is_told_and_holds_nobody_up() {
    let scene = Scene::new().await;
    let owner = scene.account(1).await;
    for number in 1..=3 {
        scene.record(owner, number).await;
    }
    let rows = scene.rows(owner.0).await;
    // In the wrapped key of the second.
    scene.flip_a_bit(&rows[1], 80).await;
    let report = scene.rotation().rotate_tenant_keys(Tenants::All).await;
    let report = report.expect("it rotates");
    assert!(!report.is_done());
    assert_eq!((report.rewrapped, report.left), (2, 1));
    assert_eq!(report.failed.count, 1);
    assert_eq!(report.failed.rows[0].row, rows[1].key);
    assert!(report.failed.rows[0].is_integrity_failure);
    // Its key stays: whoever repairs the row can still open it.
    assert_eq!(scene.versions(&owner.0.to_string()).await, [1, 2]);

    let found = scene.rotation().verify(None).await.expect("it verifies");
    assert!(!found.holds());
    assert_eq!((found.records, found.failed.count), (2, 1));
    assert_eq!(found.failed.rows[0].row, rows[1].key);
}

#[tokio::test]
async fn t04_a_record_out_of_its_place_does_not_verify() {
    let scene = Scene::new().await;
    let (owner, thief) = (scene.account(1).await, scene.account(2).await);
    scene.record(thief, 9).await;
    let sealed = scene.seal(&context(owner, 1)).await;
    // The endpoint was edited; the row was copied to another tenant, and to one without a key.
    scene.put(owner, 1, &sealed, Some("evil.example")).await;
    scene.put(thief, 2, &sealed, HOST).await;
    let keyless = scene.account(3).await;
    scene.put(keyless, 3, &sealed, HOST).await;
    let found = scene.rotation().verify(None).await.expect("it verifies");
    assert_eq!((found.records, found.failed.count), (1, 3), "{found:?}");
    assert!(found.failed.rows.iter().all(|row| row.is_integrity_failure));
    let sampled = scene.rotation().verify(Some(1)).await.expect("it verifies");
    assert_eq!(
        sampled.records + sampled.failed.count,
        3,
        "one of each tenant"
    );
}

#[tokio::test]
async fn an_answer_kept_for_a_repeated_request_keeps_its_key() {
    let scene = Scene::new().await;
    let owner = scene.account(1).await;
    scene.record(owner, 1).await;
    let request = IdempotentRequest {
        account_id: owner.0,
        route: "POST /keys".to_owned(),
        key: "once".to_owned(),
        digest: [0; 32],
        record: CredentialId::from_uuid(Uuid::from_u128(7)),
        claimed_until: NOW.plus(Duration::from_secs(60)),
        expires_at: NOW.plus(Duration::from_secs(86_400)),
        at: NOW,
    };
    let kept = &scene.store().idempotency;
    kept.claim(&request).await.expect("claimed");
    kept.finish(&request, 201, b"sealed").await.expect("kept");
    let rotate = async || {
        let report = scene.rotation().rotate_tenant_keys(Tenants::All).await;
        report.expect("it rotates")
    };
    let report = rotate().await;
    assert!(report.is_done(), "nothing is wrong: {report:?}");
    assert_eq!((report.old_keys_deleted, report.old_keys_kept), (0, 1));

    kept.forget_expired(NOW.plus(Duration::from_secs(90_000)))
        .await
        .expect("forgotten");
    let report = rotate().await;
    assert_eq!((report.resumed, report.old_keys_deleted), (1, 1));
    assert_eq!(scene.versions(&owner.0.to_string()).await, [2]);
}

#[tokio::test]
async fn a_node_forgets_what_was_shredded_elsewhere() {
    let scene = Scene::new().await;
    let (owner, other) = (scene.account(1).await, scene.account(2).await);
    let (context, others) = (scene.record(owner, 1).await, scene.record(other, 2).await);
    let sealed = sealed_secret(&scene.rows(owner.0).await[0]);
    let others_sealed = sealed_secret(&scene.rows(other.0).await[0]);
    let upkeep = VaultUpkeep::new(Arc::clone(&scene.vault), Arc::clone(&scene.store().sealed));
    upkeep.start().await.expect("it starts");
    scene.vault.open(&context, &sealed).await.expect("it opens");

    // What a command does, which is another process.
    let clock = Arc::new(HandClock::default());
    let coordination = InProcess::new(Arc::clone(&clock) as Arc<_>);
    let shredded = shred(scene.store(), &coordination, &*clock, owner.0).await;
    let shredded = shredded.expect("it is destroyed");
    assert_eq!((shredded.keys, shredded.records), (1, 1));
    assert!(
        scene.vault.opened(&context, &sealed).is_some(),
        "nobody told this node"
    );

    upkeep.turn().await;
    assert!(scene.vault.opened(&context, &sealed).is_none());
    let gone = scene.vault.open(&context, &sealed).await;
    assert!(matches!(gone, Err(OpenError::Shredded { .. })), "{gone:?}");
    scene
        .vault
        .open(&others, &others_sealed)
        .await
        .expect("it is another's");
    // Once is enough.
    upkeep.turn().await;
    assert!(scene.vault.opened(&others, &others_sealed).is_some());
    let found = scene.rotation().verify(None).await.expect("it verifies");
    assert!(
        found.holds(),
        "nothing is left of the account that could fail: {found:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept_however_the_rows_are_spread() {
    let pace = Pace {
        rows_per_second: NonZeroU32::new(200),
        settling: Duration::ZERO,
    };
    assert_eq!(pace.batch(), 20);
    let begin = Instant::now();
    let mut turns = pace.start();
    for rows in [20, 1, 9, 20, 50] {
        turns.took(rows).await;
    }
    assert_eq!(begin.elapsed(), Duration::from_millis(500));
    let mut unhurried = Pace {
        rows_per_second: None,
        ..pace
    }
    .start();
    unhurried.took(1_000_000).await;
    assert_eq!(begin.elapsed(), Duration::from_millis(500));
}
