//! A keyring gets new versions and loses old ones, while programs run on it.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use switchyard_domain::secret::Secret;
use switchyard_vault::{
    KeyProvider, KeyProviderError, OsRandom, WrappedKey,
    api_key::{KeyVerification as _, MintedKey},
    key_provider::{Keyring, KeyringError, LiveKeyring, SealedRows},
    keyed_digest::KeyedDigest as _,
};

use crate::{
    bench::wait,
    keyring::{TemporaryDirectory, open},
};

fn random() -> Arc<OsRandom> {
    Arc::new(OsRandom)
}

fn mode(path: &Path) -> u32 {
    let metadata = fs::metadata(path).expect("it is there");
    metadata.permissions().mode() & 0o7777
}

fn wrap(keyring: &dyn KeyProvider) -> WrappedKey {
    wait(keyring.wrap(b"context", &Secret::new([9; 32]))).expect("it wraps")
}

fn opens(keyring: &dyn KeyProvider, wrapped: &WrappedKey) -> Result<(), KeyProviderError> {
    let plain = wait(keyring.unwrap(b"context", wrapped))?;
    assert_eq!(plain.expose(), &[9; 32]);
    Ok(())
}

/// A keyring's file, and a program that has read it.
struct Scene {
    directory: TemporaryDirectory,
    path: PathBuf,
    node: Arc<LiveKeyring>,
}

impl Scene {
    fn new() -> Self {
        let directory = TemporaryDirectory::new();
        let path = directory.path("keyring.json");
        let node =
            LiveKeyring::open_or_create(&path, SealedRows::None, random()).expect("it is made");
        let node = Arc::new(node);
        Self {
            directory,
            path,
            node,
        }
    }

    /// What a command makes of the file, behind the node's back.
    fn advanced(&self) -> Keyring {
        Keyring::advance_primary(&self.path, random()).expect("it grows")
    }
}

#[test]
fn an_added_version_becomes_the_primary_and_old_ones_still_open() {
    let scene = Scene::new();
    let wrapped = wrap(&*scene.node);
    let key = MintedKey::mint(&OsRandom).unwrap();
    let verifier = scene.node.peppers().verifier(&key.presented());
    for mode_before in [0o600, 0o400] {
        fs::set_permissions(&scene.path, fs::Permissions::from_mode(mode_before)).unwrap();
        let grown = scene.advanced();
        assert_eq!(mode(&scene.path), mode_before);
        assert_eq!(
            scene.directory.names(),
            ["keyring.json"],
            "nothing is left beside it"
        );
        let read = open(&scene.path, SealedRows::Exist).expect("it is read");
        for keyring in [grown, read] {
            assert_eq!(
                keyring.primary_version(),
                *keyring.versions().last().unwrap()
            );
            opens(&keyring, &wrapped).expect("it still opens");
            assert_eq!(wrap(&keyring).kek_version, keyring.primary_version());
            let peppers = keyring.peppers();
            assert!(peppers.verify(&key.presented(), Some(&verifier)));
            assert!(peppers.is_outdated(&verifier));
        }
    }
    let versions = open(&scene.path, SealedRows::Exist).unwrap().versions();
    assert_eq!(versions, [1, 2, 3]);
}

#[test]
fn a_staged_version_is_used_only_once_it_is_made_the_primary() {
    let scene = Scene::new();
    let staged = Keyring::stage_version(&scene.path, random()).expect("it grows");
    assert_eq!(
        (staged.primary_version(), staged.versions()),
        (1, vec![1, 2])
    );
    let advanced = scene.advanced();
    assert_eq!(
        (advanced.primary_version(), advanced.versions()),
        (2, vec![1, 2]),
        "the staged one, and no other"
    );
    opens(&staged, &wrap(&advanced)).expect("who had it staged opens what it wraps");
}

#[test]
fn commands_that_add_versions_at_once_lose_none() {
    let scene = Scene::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| Keyring::stage_version(&scene.path, random()).expect("it grows"));
        }
    });
    let keyring = open(&scene.path, SealedRows::Exist).expect("it is read");
    assert_eq!(keyring.versions(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_retired_version_opens_nothing_but_its_audit_links_can_be_checked() {
    let scene = Scene::new();
    let wrapped = wrap(&*scene.node);
    let parts: [&[u8]; 2] = [b"previous", b"entry"];
    let (link, version) = scene.node.audit_keys().digest(&parts);
    let refused = Keyring::retire_version(&scene.path, 1, random());
    assert!(
        matches!(refused, Err(KeyringError::Refused { .. })),
        "the primary: {refused:?}"
    );
    scene.advanced();
    let refused = Keyring::retire_version(&scene.path, 3, random());
    assert!(
        matches!(refused, Err(KeyringError::Refused { .. })),
        "there is none: {refused:?}"
    );

    let before = fs::read_to_string(&scene.path).unwrap();
    let retired = Keyring::retire_version(&scene.path, 1, random()).expect("it shrinks");
    let after = fs::read_to_string(&scene.path).unwrap();
    let material = before
        .split('"')
        .find(|part| part.len() == 44)
        .expect("a key");
    assert!(!after.contains(material), "the key is gone");
    for keyring in [retired, open(&scene.path, SealedRows::Exist).unwrap()] {
        assert_eq!(keyring.versions(), [2]);
        let gone = opens(&keyring, &wrapped);
        assert!(
            matches!(gone, Err(KeyProviderError::UnknownKey(_))),
            "{gone:?}"
        );
        assert!(keyring.audit_keys().is_of(&parts, &link, version));
        assert!(!keyring.audit_keys().is_of(&parts, &[0; 32], version));
    }
    // Its number does not come back, though it was the highest but one.
    Keyring::stage_version(&scene.path, random()).expect("it grows");
    Keyring::retire_version(&scene.path, 3, random()).expect("it shrinks");
    let again = Keyring::stage_version(&scene.path, random()).expect("it grows");
    assert_eq!(again.versions(), [2, 4]);
}

#[test]
fn t07_a_running_node_takes_up_a_version_that_was_added_later() {
    let scene = Scene::new();
    let key = MintedKey::mint(&OsRandom).unwrap();
    let parts: [&[u8]; 1] = [b"entry"];
    for _ in 0..3 {
        let newer = scene.advanced();
        let (link, version) = newer.audit_keys().digest(&parts);
        let verifier = newer.peppers().verifier(&key.presented());
        // Each of them is the first to meet the new version, in turn.
        match version {
            2 => opens(&*scene.node, &wrap(&newer)).expect("a wrap of the new version"),
            3 => assert!(
                scene
                    .node
                    .peppers()
                    .verify(&key.presented(), Some(&verifier))
            ),
            _ => assert!(scene.node.audit_keys().is_of(&parts, &link, version)),
        }
        assert_eq!(scene.node.versions().0, version, "and wraps with it");
    }
    scene.advanced();
    assert_eq!(scene.node.versions().0, 4, "nothing asked for it yet");
    wait(scene.node.refresh()).expect("a look is enough");
    assert_eq!(scene.node.versions().0, 5);
}

#[test]
fn a_running_node_keeps_what_it_knows_when_the_file_turns_bad() {
    let scene = Scene::new();
    let old_file = fs::read(&scene.path).unwrap();
    scene.advanced();
    wait(scene.node.refresh()).expect("a good file");
    let wrapped = wrap(&*scene.node);
    let other = Scene::new();
    let replace = |content: &[u8], mode: u32| {
        fs::remove_file(&scene.path).unwrap();
        fs::write(&scene.path, content).unwrap();
        fs::set_permissions(&scene.path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let good_file = fs::read(&scene.path).unwrap();
    let bad_files: [(&str, &[u8], u32); 4] = [
        ("damaged", b"{", 0o600),
        ("readable by others", &good_file, 0o644),
        ("another keyring", &fs::read(&other.path).unwrap(), 0o600),
        ("an older copy", &old_file, 0o600),
    ];
    for (what, content, mode) in bad_files {
        replace(content, mode);
        wait(scene.node.refresh()).expect_err(what);
        opens(&*scene.node, &wrapped).expect(what);
        assert_eq!(wrap(&*scene.node).kek_version, 2, "{what}");
        let unknown = WrappedKey {
            kek_version: 9,
            ..wrapped.clone()
        };
        let refused = opens(&*scene.node, &unknown);
        assert!(
            matches!(refused, Err(KeyProviderError::UnknownKey(_))),
            "{what}: {refused:?}"
        );
    }
    fs::remove_file(&scene.path).unwrap();
    wait(scene.node.refresh()).expect_err("gone");
    opens(&*scene.node, &wrapped).expect("gone");
    fs::write(&scene.path, &good_file).unwrap();
    fs::set_permissions(&scene.path, fs::Permissions::from_mode(0o600)).unwrap();
    wait(scene.node.refresh()).expect("it is back");
}
