//! A tenant's key is rotated between the moment that a secret is sealed and the moment that it is
//! stored.

use switchyard_store::sealed::SealedStore;
use switchyard_vault::{SealedSecret, SecretContext, Tenant, TenantKeyRow, TenantKeyStoreError};

use super::*;
use crate::{
    limits::OWN_CREDENTIAL_TRIES_MAX,
    rotation::{Pace, Rotation, Tenants},
};

/// What becomes of a tenant's key once it was handed out for sealing.
#[derive(Clone, Copy)]
enum Meanwhile {
    /// The whole rotation: records move, and their revisions rise.
    Rotated,
    /// A new key and the end of the old one, which seals no record.
    Replaced,
}

/// Tenants' keys that change right after they were looked up, this often.
struct Restless {
    keys: DirectoryTenantKeys,
    /// Another node, which does it.
    other: Arc<Vault>,
    rotation: Rotation,
    sealed: Arc<dyn SealedStore>,
    meanwhile: Meanwhile,
    times_left: AtomicU64,
}

impl Restless {
    fn new(installation: &Installation, other: &Node, meanwhile: Meanwhile) -> Arc<Self> {
        let store = &installation.store;
        let pace = Pace {
            rows_per_second: None,
            settling: std::time::Duration::ZERO,
        };
        Arc::new(Self {
            keys: DirectoryTenantKeys::new(store.directory.clone()),
            other: other.vault.clone(),
            rotation: Rotation::new(store, other.vault.clone(), pace),
            sealed: store.sealed.clone(),
            meanwhile,
            times_left: AtomicU64::new(0),
        })
    }

    fn change_it(&self, times: usize) {
        self.times_left.store(times as u64, Ordering::SeqCst);
    }

    async fn go_on(&self, row: &TenantKeyRow) {
        match self.meanwhile {
            Meanwhile::Rotated => {
                let report = self
                    .rotation
                    .rotate_tenant_keys(Tenants::One(row.tenant))
                    .await
                    .expect("it rotates");
                assert!(report.is_done(), "{report:?}");
            }
            Meanwhile::Replaced => {
                let rotated = self.other.rotate_tenant_key(row.tenant).await;
                rotated.expect("it rotates");
                let version = i32::try_from(row.version).expect("small");
                let deleted = self
                    .sealed
                    .delete_tenant_key(&row.tenant.to_string(), version)
                    .await;
                deleted.expect("nothing names it");
            }
        }
    }
}

#[async_trait]
impl TenantKeyStore for Restless {
    async fn newest(&self, tenant: Tenant) -> Result<Option<TenantKeyRow>, TenantKeyStoreError> {
        let found = self.keys.newest(tenant).await?;
        let left = self
            .times_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        if let (Ok(_), Some(row)) = (left, &found) {
            self.go_on(row).await;
        }
        Ok(found)
    }

    async fn get(
        &self,
        tenant: Tenant,
        version: u32,
    ) -> Result<Option<TenantKeyRow>, TenantKeyStoreError> {
        self.keys.get(tenant, version).await
    }

    async fn insert(&self, row: TenantKeyRow) -> Result<TenantKeyRow, TenantKeyStoreError> {
        self.keys.insert(row).await
    }
}

/// A node whose tenants' keys are restless, and one that opens what it stored.
struct Scene {
    installation: Installation,
    other: Node,
    node: Node,
    restless: Arc<Restless>,
}

impl Scene {
    async fn new(meanwhile: Meanwhile) -> Self {
        let installation = Installation::new().await;
        let other = Node::start(&installation).await;
        let tenant = Tenant::Account(installation.account);
        let made = other.vault.rotate_tenant_key(tenant).await;
        assert_eq!(made.expect("made"), 1);
        let restless = Restless::new(&installation, &other, meanwhile);
        let node = Node::with_tenant_keys(&installation, restless.clone());
        node.own.start_following().await.expect("answered");
        Self {
            installation,
            other,
            node,
            restless,
        }
    }

    /// Sees to it that the other node reads this secret from a row, under this version of the
    /// tenant's key.
    async fn opens(&self, row: &OwnCredentialRow, expected: &str, version: i32) {
        let sealed = row.secret.as_ref().expect("sealed");
        assert_eq!(sealed.tenant_key_version, version);
        let context = SecretContext {
            tenant: Tenant::Account(row.account_id),
            workspace: row.workspace_id,
            provider: row.provider.clone(),
            endpoint_host: row.endpoint_host.as_deref().map(Into::into),
            record: row.id,
            record_version: u32::try_from(sealed.record_version).expect("positive"),
        };
        let sealed = SealedSecret::from_bytes(sealed.sealed.clone());
        let opened = self.other.vault.open(&context, &sealed).await;
        let opened = opened.expect("it opens");
        assert_eq!(opened.expose(), expected.as_bytes());
    }

    async fn rotate(
        &self,
        row: &OwnCredentialRow,
        secret: &str,
    ) -> Result<OwnCredentialRow, OwnCredentialError> {
        let (account, catalog) = (self.installation.account, &self.node.catalog);
        let secret = secret_of(secret);
        self.node
            .own
            .rotate(account, catalog, row.id, secret, ada())
            .await
    }

    async fn actions(&self, row: &OwnCredentialRow) -> Vec<String> {
        let audit = &self.installation.store.audit;
        let entries = audit.audit_of(&row.id.to_string(), 100).await;
        let entries = entries.expect("read").into_iter();
        entries.map(|one| one.event.action).collect()
    }
}

const FIRST: &str = "sk-alder-0123456789abcdef";
const SECOND: &str = "sk-alder-fedcba9876543210";

#[tokio::test]
async fn t07_a_secret_whose_key_went_is_sealed_anew_and_stored() {
    for meanwhile in [Meanwhile::Rotated, Meanwhile::Replaced] {
        let scene = Scene::new(meanwhile).await;
        scene.restless.change_it(OWN_CREDENTIAL_TRIES_MAX - 1);
        let row = scene.node.stored(&scene.installation, "alder", FIRST).await;
        scene.opens(&row, FIRST, 5).await;
        assert_eq!(scene.actions(&row).await, ["credential.create"]);
    }
}

#[tokio::test]
async fn t07_a_new_secret_is_stored_over_one_that_a_rotation_moved() {
    let scene = Scene::new(Meanwhile::Rotated).await;
    let row = scene.node.stored(&scene.installation, "alder", FIRST).await;
    scene.restless.change_it(OWN_CREDENTIAL_TRIES_MAX - 1);
    let rotated = scene.rotate(&row, SECOND).await.expect("rotated");
    scene.opens(&rotated, SECOND, 5).await;
    assert_eq!(
        scene.actions(&row).await,
        ["credential.create", "credential.rotate"]
    );
}

#[tokio::test]
async fn t07_a_new_secret_whose_key_went_is_sealed_anew() {
    let scene = Scene::new(Meanwhile::Replaced).await;
    let row = scene.node.stored(&scene.installation, "alder", FIRST).await;
    // The record stays under the first key, so that its revision says nothing of the later ones.
    let tenant = Tenant::Account(scene.installation.account);
    let second = scene.other.vault.rotate_tenant_key(tenant).await;
    assert_eq!(second.expect("made"), 2);
    scene.restless.change_it(OWN_CREDENTIAL_TRIES_MAX - 1);
    let rotated = scene.rotate(&row, SECOND).await.expect("rotated");
    scene.opens(&rotated, SECOND, 6).await;
    assert_eq!(
        scene.actions(&row).await,
        ["credential.create", "credential.rotate"]
    );
}

#[tokio::test]
async fn t07_keys_that_never_rest_are_given_up_on() {
    let scene = Scene::new(Meanwhile::Rotated).await;
    let row = scene.node.stored(&scene.installation, "alder", FIRST).await;
    scene.restless.change_it(OWN_CREDENTIAL_TRIES_MAX);
    let rotated = scene.rotate(&row, SECOND).await;
    assert!(
        matches!(rotated, Err(OwnCredentialError::Contended)),
        "{rotated:?}"
    );
    scene.restless.change_it(OWN_CREDENTIAL_TRIES_MAX);
    let settings = CredentialSettings::default();
    let installation = &scene.installation;
    let stored = scene
        .node
        .store(installation, "alder", SECOND, settings)
        .await;
    assert!(
        matches!(stored, Err(OwnCredentialError::Contended)),
        "{stored:?}"
    );
    let everything = OwnCredentialFilter::default();
    let page = switchyard_store::api_key::Page {
        offset: 0,
        limit: 10,
    };
    let listed = scene.node.own.list(row.account_id, &everything, page).await;
    let (rows, count) = listed.expect("read");
    assert_eq!(count, 1, "nothing is left half done");
    let versions = 1 + 2 * i32::try_from(OWN_CREDENTIAL_TRIES_MAX).expect("few");
    scene.opens(&rows[0], FIRST, versions).await;
    assert_eq!(scene.actions(&row).await, ["credential.create"]);
}
