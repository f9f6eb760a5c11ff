//! The file that guards everything.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use switchyard_domain::secret::Secret;
use switchyard_vault::{
    KeyProvider as _, KeyProviderError, OsRandom,
    key_provider::{EnvironmentKey, InvalidEnvironmentKey, Keyring, KeyringError, SealedRows},
};

use crate::bench::wait;

pub(crate) struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("switchyard-vault-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a directory of its own");
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("a readable directory");
        entries
            .map(|entry| {
                entry
                    .expect("a readable entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        // Left over, it harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn open(path: &Path, sealed_rows: SealedRows) -> Result<Keyring, KeyringError> {
    Keyring::open_or_create(path, sealed_rows, Arc::new(OsRandom))
}

#[test]
fn a_first_boot_makes_a_file_that_only_its_owner_reads() {
    let directory = TemporaryDirectory::new();
    let path = directory.path("keyring.json");
    let made = open(&path, SealedRows::None).expect("it is made");
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
    assert_eq!(metadata.nlink(), 1);
    assert_eq!(
        directory.names(),
        ["keyring.json"],
        "nothing is left beside it"
    );

    let content = fs::read(&path).unwrap();
    for rows in [SealedRows::None, SealedRows::Exist] {
        let again = open(&path, rows).expect("it is read");
        assert_eq!(
            wait(again.current()).unwrap(),
            wait(made.current()).unwrap()
        );
    }
    assert_eq!(
        fs::read(&path).unwrap(),
        content,
        "it is never written again"
    );
}

#[test]
fn a_directory_on_the_way_is_made() {
    let directory = TemporaryDirectory::new();
    open(&directory.path("keys/keyring.json"), SealedRows::None).expect("it is made");
}

#[test]
fn processes_that_boot_at_once_share_one_keyring() {
    let directory = TemporaryDirectory::new();
    let path = directory.path("keyring.json");
    let ids: Vec<String> = std::thread::scope(|scope| {
        let boots: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| open(&path, SealedRows::None).expect("it is there")))
            .collect();
        let keyrings = boots.into_iter().map(|boot| boot.join().expect("no panic"));
        keyrings
            .map(|keyring| wait(keyring.current()).unwrap().id)
            .collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(directory.names(), ["keyring.json"]);
}

#[test]
fn t08_a_missing_file_is_not_replaced_when_rows_need_it() {
    let directory = TemporaryDirectory::new();
    let path = directory.path("keyring.json");
    let refused = open(&path, SealedRows::Exist);
    assert!(
        matches!(refused, Err(KeyringError::Missing(_))),
        "{refused:?}"
    );
    assert!(directory.names().is_empty(), "no new key was made");
}

#[test]
fn t08_a_file_that_others_may_read_or_write_is_refused() {
    let directory = TemporaryDirectory::new();
    let path = directory.path("keyring.json");
    open(&path, SealedRows::None).expect("it is made");
    for mode in [0o644, 0o640, 0o604, 0o660, 0o602, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        for rows in [SealedRows::None, SealedRows::Exist] {
            let refused = open(&path, rows);
            assert!(
                matches!(refused, Err(KeyringError::Exposed { mode: found, .. }) if found == mode),
                "{mode:o}: {refused:?}"
            );
        }
    }
    for mode in [0o600, 0o400] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        open(&path, SealedRows::Exist).expect("only its owner reads it");
    }
}

#[test]
fn links_and_directories_are_refused() {
    let directory = TemporaryDirectory::new();
    let target = directory.path("keyring.json");
    open(&target, SealedRows::None).expect("it is made");
    for (name, link) in [("link", &*target), ("dangling", Path::new("nowhere"))] {
        let path = directory.path(name);
        symlink(link, &path).unwrap();
        let refused = open(&path, SealedRows::None);
        assert!(
            matches!(refused, Err(KeyringError::NotAFile(_))),
            "{name}: {refused:?}"
        );
    }
    let refused = open(&directory.0, SealedRows::None);
    assert!(
        matches!(refused, Err(KeyringError::NotAFile(_))),
        "{refused:?}"
    );
}

#[test]
fn a_damaged_file_is_refused_and_left_alone() {
    let directory = TemporaryDirectory::new();
    let path = directory.path("keyring.json");
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let keys = |keys: &str| format!(r#"{{"format":1,"id":"k","primary":1,"keys":[{keys}]}}"#);
    let one = format!(r#"{{"version":1,"key":"{key}"}}"#);
    let table = [
        ("empty", String::new()),
        ("cut short", keys(&one)[..60].to_owned()),
        (
            "of another format",
            keys(&one).replace(r#""format":1"#, r#""format":2"#),
        ),
        (
            "without an id",
            keys(&one).replace(r#""id":"k""#, r#""id":"""#),
        ),
        (
            "without its primary",
            keys(&one).replace(r#""primary":1"#, r#""primary":2"#),
        ),
        ("without keys", keys("")),
        ("with a version twice", keys(&format!("{one},{one}"))),
        ("with a short key", keys(&one).replace("AAEC", "")),
        ("with a long key", keys(&one).replace("AAEC", "AAECAAEC")),
        ("not in base64", keys(&one).replace("AAEC", "AAE!")),
        (
            "with a field nobody knows",
            keys(&one).replace("\"id\"", "\"extra\":1,\"id\""),
        ),
        (
            "too large",
            format!("{}{}", keys(&one), " ".repeat(64 * 1024)),
        ),
    ];
    let write = |content: &str| {
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write(&keys(&one));
    open(&path, SealedRows::Exist).expect("the table starts from a good file");
    for (what, content) in table {
        write(&content);
        let refused = open(&path, SealedRows::None).expect_err(what);
        assert!(
            matches!(refused, KeyringError::Invalid { .. }),
            "{what}: {refused:?}"
        );
        assert!(
            !format!("{refused:?} {refused}").contains("AAEC"),
            "{what}: {refused:?}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), content, "{what}");
    }
}

#[test]
fn a_wrap_opens_under_its_own_key_and_context_only() {
    let directory = TemporaryDirectory::new();
    let keyring = open(&directory.path("one.json"), SealedRows::None).expect("it is made");
    let other = open(&directory.path("two.json"), SealedRows::None).expect("it is made");
    let wrapped = wait(keyring.wrap(b"context", &Secret::new([9; 32]))).unwrap();

    let elsewhere = wait(keyring.unwrap(b"contexu", &wrapped));
    assert!(
        matches!(elsewhere, Err(KeyProviderError::Rejected)),
        "{elsewhere:?}"
    );
    let foreign = wait(other.unwrap(b"context", &wrapped));
    assert!(
        matches!(foreign, Err(KeyProviderError::UnknownKey(_))),
        "{foreign:?}"
    );
    for at in 0..wrapped.bytes.len() {
        let mut changed = wrapped.clone();
        changed.bytes[at] ^= 1;
        let refused = wait(keyring.unwrap(b"context", &changed));
        assert!(
            matches!(refused, Err(KeyProviderError::Rejected)),
            "byte {at}"
        );
        changed.bytes.truncate(at);
        let refused = wait(keyring.unwrap(b"context", &changed));
        assert!(
            matches!(refused, Err(KeyProviderError::Rejected)),
            "{at} bytes"
        );
    }
}

#[test]
fn an_environment_key_is_32_bytes_in_base64() {
    let take =
        |value: &str| EnvironmentKey::new(&Secret::new(value.to_owned()), Arc::new(OsRandom));
    let key = take(" AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").expect("a good key");
    let wrapped = wait(key.wrap(b"context", &Secret::new([9; 32]))).unwrap();
    assert_eq!(
        wait(key.unwrap(b"context", &wrapped)).unwrap().expose(),
        &[9; 32]
    );
    for value in [
        "",
        "password",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
        &"0".repeat(64),
    ] {
        assert!(
            matches!(take(value).err(), Some(InvalidEnvironmentKey)),
            "{value}"
        );
    }
}
