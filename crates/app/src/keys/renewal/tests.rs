//! Keys on a keyring that changes.

use std::sync::Arc;

use switchyard_coordination::in_process::InProcess;
use switchyard_domain::{clock::Clock, tenancy::KeyKind};
use switchyard_testkit::folder::Folder;
use switchyard_vault::{
    OsRandom,
    api_key::MintedKey,
    key_provider::{LiveKeyring, SealedRows},
};

use crate::{
    fixture::{HandClock, Installation},
    keys::{AuthError, KeyRequest, Keys},
    limits::KEY_CACHE_LIFE,
    random::RandomSource,
};

struct Scene {
    installation: Installation,
    folder: Folder,
    clock: Arc<HandClock>,
}

struct NoRandom;

impl RandomSource for NoRandom {
    fn u64(&self) -> u64 {
        7
    }
}

impl Scene {
    async fn new() -> Self {
        Self {
            installation: Installation::new().await,
            folder: Folder::fresh(),
            clock: Arc::default(),
        }
    }

    /// A node, and the keyring that it has read.
    fn node(&self) -> (Keys, Arc<LiveKeyring>) {
        let path = self.folder.path().join("keyring.json");
        let keyring = LiveKeyring::open_or_create(&path, SealedRows::None, Arc::new(OsRandom));
        let keyring = Arc::new(keyring.expect("it is there"));
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let keys = Keys::new(
            Arc::clone(&self.installation.store.directory),
            Arc::new(InProcess::new(Arc::clone(&clock))),
            keyring.peppers(),
            clock,
            Arc::new(NoRandom),
        );
        (keys, keyring)
    }

    async fn created(&self, keys: &Keys) -> String {
        let request = KeyRequest {
            account_id: self.installation.account,
            workspace_id: self.installation.workspace,
            name: "test".to_owned(),
            kind: KeyKind::Inference,
            limit: None,
            expires_at: None,
            creator_id: None,
        };
        let created = keys.create(request).await.expect("created");
        created.text.expose().clone()
    }

    async fn by_pepper(&self) -> Vec<(i32, u64)> {
        let counts = self.installation.store.sealed.api_keys_by_pepper().await;
        counts.expect("answered")
    }
}

#[tokio::test]
async fn a_key_moves_to_the_newest_pepper_when_it_is_used() {
    let scene = Scene::new().await;
    let (keys, keyring) = scene.node();
    let text = scene.created(&keys).await;
    keys.authenticate(&text).await.expect("it is known");
    keys.store_renewals().await.expect("stored");
    assert_eq!(scene.by_pepper().await, [(1, 1)], "there is no newer one");

    keyring.advance_primary().expect("it grows");
    keys.authenticate(&text).await.expect("it is remembered");
    keys.store_renewals().await.expect("stored");
    assert_eq!(scene.by_pepper().await, [(1, 1)], "it was not looked up");

    scene.clock.advance(KEY_CACHE_LIFE);
    keys.authenticate(&text).await.expect("it is looked up");
    assert_eq!(
        scene.by_pepper().await,
        [(1, 1)],
        "not on the request's time"
    );
    keys.store_renewals().await.expect("stored");
    assert_eq!(scene.by_pepper().await, [(2, 1)]);

    keyring.retire_version(1).expect("it shrinks");
    keys.forget_all();
    keys.authenticate(&text)
        .await
        .expect("it needs the old one no more");
}

#[tokio::test]
async fn t07_a_key_made_under_a_newer_pepper_is_known_at_once() {
    let scene = Scene::new().await;
    let (running, _) = scene.node();
    let (command, keyring) = scene.node();
    keyring.advance_primary().expect("it grows");
    let text = scene.created(&command).await;
    running.authenticate(&text).await.expect("it is known");
    let stranger = MintedKey::mint(&OsRandom).expect("made");
    let refused = running.authenticate(stranger.text().expose()).await;
    assert!(matches!(refused, Err(AuthError::Unknown)), "{refused:?}");
}
