//! Without the keyring that sealed its rows, a deployment does not start, and makes no new one.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use crate::world::*;

/// Whatever needs the keyring ends with an error that says so.
async fn is_refused(deployment: &Deployment, reason: &str) {
    for command in [
        &["serve"][..],
        &["account", "create", "--email", "b@example.com"],
        &["vault", "status"],
        &["vault", "rotate"],
    ] {
        let output = deployment.output(command, "").await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let logged = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success(), "{command:?}: {said}{logged}");
        assert!(said.contains(reason), "{command:?}: {said}{logged}");
    }
}

fn files_beside(keyring: &Path) -> Vec<String> {
    let folder = keyring.parent().expect("a folder of its own");
    let entries = fs::read_dir(folder).expect("it can be read");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry
            .expect("it can be read")
            .file_name()
            .to_string_lossy()
            .into_owned()
    };
    entries.map(name).collect()
}

story!(
    t08_a_keyring_that_others_may_read_or_that_is_missing,
    |mut world| {
        world.node.stop().await;
        let keyring = world.deployment.keyring();
        let content = fs::read(&keyring).expect("it is ours");
        let restrict = |mode| {
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(&keyring, mode).expect("it is ours");
        };
        restrict(0o644);
        is_refused(&world.deployment, "has mode 0644").await;
        assert_eq!(
            fs::read(&keyring).expect("it is ours"),
            content,
            "untouched"
        );

        fs::remove_file(&keyring).expect("it is ours");
        is_refused(&world.deployment, "restore it from its backup").await;
        assert_eq!(files_beside(&keyring), Vec::<String>::new(), "no new one");

        fs::write(&keyring, content).expect("it is ours");
        restrict(0o600);
        world.node.restart(&world.deployment).await;
        world.ask(&question(OAK)).await.ok();
    }
);
