//! Other people's packages that have one home here: what is heavy, dangerous or easily spread.

use toml::{Table, Value};

use super::manifest::Manifest;
use crate::{finding::Finding, tree::Tree};

const RULE: &str = "outside walls";

struct Wall {
    dependency: &'static str,
    homes: &'static [&'static str],
    reason: &'static str,
}

const fn wall(
    dependency: &'static str,
    homes: &'static [&'static str],
    reason: &'static str,
) -> Wall {
    Wall {
        dependency,
        homes,
        reason,
    }
}

const WALLS: &[Wall] = &[
    wall("sqlx", &["store"], "all SQL lives in store"),
    wall("redis", &["coordination"], "Redis is coordination's affair"),
    wall(
        "axum",
        &["edge", "console", "switchyard"],
        "HTTP types stop at the edge and the console",
    ),
    wall(
        "tower",
        &["edge", "console", "upstream"],
        "layers belong to HTTP",
    ),
    wall("tower-http", &["console"], "pages are compressed"),
    wall("askama", &["console"], "pages are written by the console"),
    wall("ammonia", &["console"], "markup is shown by the console"),
    wall("lettre", &["mail"], "mail is sent from one place"),
    wall(
        "argon2",
        &["identity"],
        "how people prove who they are is one crate's affair",
    ),
    wall(
        "totp-rs",
        &["identity"],
        "how people prove who they are is one crate's affair",
    ),
    wall(
        "qrcodegen",
        &["identity"],
        "only authenticator apps read pictures",
    ),
    wall(
        "webauthn-rs",
        &["identity"],
        "how people prove who they are is one crate's affair",
    ),
    wall(
        "openidconnect",
        &["identity"],
        "how people prove who they are is one crate's affair",
    ),
    wall("utoipa", &["edge"], "the edge describes its own API"),
    wall(
        "hyper",
        &[
            "upstream",
            "key-services",
            "edge",
            "simulator",
            "testkit",
            "bench",
        ],
        "the edge listens, upstream and key-services dial, the rest is for tests and measurements",
    ),
    wall(
        "hyper-util",
        &[
            "upstream",
            "key-services",
            "edge",
            "simulator",
            "testkit",
            "bench",
        ],
        "the edge listens, upstream and key-services dial, the rest is for tests and measurements",
    ),
    wall(
        "hyper-rustls",
        &["upstream", "key-services"],
        "only upstream and key-services dial out",
    ),
    wall(
        "rustls",
        &["upstream", "key-services"],
        "only upstream and key-services dial out",
    ),
    wall(
        "aws-sigv4",
        &["upstream", "key-services"],
        "only upstream and key-services speak to AWS",
    ),
    wall(
        "tokio-rustls",
        &["upstream", "key-services"],
        "only their tests' fakes serve TLS",
    ),
    wall(
        "ring",
        &["upstream", "testkit"],
        "service accounts sign with RSA, a test's device signs for passkeys; all other cryptography is the \
         vault's, or TLS",
    ),
    wall("aes-gcm", &["vault"], "ciphers live in the vault"),
    wall(
        "ed25519-dalek",
        &["vault"],
        "signatures are made in the vault",
    ),
    wall("hkdf", &["vault"], "ciphers live in the vault"),
    wall(
        "subtle",
        &["vault", "identity"],
        "secrets are compared in the vault, proofs of people in identity",
    ),
    wall(
        "chrono",
        &[],
        "time is `time`; only the OpenID Connect client brings this one",
    ),
    wall(
        "hmac",
        &["vault", "routing", "key-services"],
        "the vault, routing for the digests of pins, and a test that checks signatures",
    ),
    wall(
        "getrandom",
        &["vault"],
        "only keys and nonces need the system's randomness",
    ),
    wall(
        "rand",
        &["switchyard"],
        "randomness is an argument everywhere else",
    ),
    wall(
        "metrics-exporter-prometheus",
        &["telemetry"],
        "telemetry exports",
    ),
    wall(
        "tracing-subscriber",
        &["telemetry"],
        "telemetry says where logs go",
    ),
    wall(
        "clap",
        &["switchyard", "simulator", "bench"],
        "only binaries have a command line",
    ),
    wall(
        "toml",
        &["switchyard", "xtask"],
        "only the binary reads configuration",
    ),
];

/// Packages that no dependency may bring either.
const NOWHERE: &[(&str, &str)] = &[
    ("openssl-sys", "TLS is rustls"),
    ("native-tls", "TLS is rustls"),
    (
        "reqwest",
        "upstream is built on hyper: no redirects, no proxies, no cookies",
    ),
];

/// Where every package may come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Compares manifests and the lock file with the walls.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let (manifests, mut findings) = Manifest::all(tree);
    for manifest in &manifests {
        for dependency in &manifest.dependencies {
            let wall = WALLS.iter().find(|wall| wall.dependency == dependency.name);
            if let Some(wall) = wall
                && !wall.homes.contains(&manifest.name.as_str())
            {
                let says = format!("`{}` is not for here: {}", wall.dependency, wall.reason);
                findings.push(Finding::about(&manifest.path, RULE, says));
            }
        }
    }
    if let Some(lock) = tree.text("Cargo.lock") {
        findings.extend(check_lock(lock));
    }
    findings
}

fn check_lock(lock: &str) -> Vec<Finding> {
    let path = "Cargo.lock";
    let table: Table = match toml::from_str(lock) {
        Ok(table) => table,
        Err(error) => return vec![Finding::about(path, RULE, error.to_string())],
    };
    let packages = table.get("package").and_then(Value::as_array);
    let mut findings = Vec::new();
    for package in packages.into_iter().flatten() {
        let field = |key: &str| package.get(key).and_then(Value::as_str);
        let name = field("name").unwrap_or_default();
        if let Some((_, reason)) = NOWHERE.iter().find(|(banned, _)| *banned == name) {
            findings.push(Finding::about(
                path,
                RULE,
                format!("`{name}` is banned: {reason}"),
            ));
        }
        if field("source").is_some_and(|source| source != REGISTRY) {
            let says = format!("`{name}` does not come from crates.io");
            findings.push(Finding::about(path, RULE, says));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(name: &str, section: &str, dependency: &str) -> Vec<Finding> {
        let path = format!("crates/{name}/Cargo.toml");
        let text = format!(
            "[package]\nname = \"switchyard-{name}\"\n[{section}]\n{dependency}.workspace = true\n"
        );
        check(&Tree::of([(path.as_str(), text.as_str())]))
    }

    #[test]
    fn heavy_packages_stay_at_home() {
        for (name, section, dependency, is_home) in [
            ("store", "dependencies", "sqlx", true),
            ("app", "dependencies", "sqlx", false),
            ("app", "dev-dependencies", "sqlx", false),
            ("edge", "dependencies", "axum", true),
            ("app", "dependencies", "axum", false),
            ("routing", "dependencies", "hmac", true),
            ("routing", "dependencies", "aes-gcm", false),
            ("app", "dependencies", "serde", true),
        ] {
            let found = findings(name, section, dependency);
            assert_eq!(
                found.is_empty(),
                is_home,
                "{name} {section} {dependency}: {found:?}"
            );
        }
    }

    #[test]
    fn the_lock_file_is_read() {
        for (package, is_fine) in [
            (format!("name = \"serde\"\nsource = \"{REGISTRY}\""), true),
            ("name = \"switchyard-app\"".to_owned(), true),
            (
                format!("name = \"openssl-sys\"\nsource = \"{REGISTRY}\""),
                false,
            ),
            (
                "name = \"serde\"\nsource = \"git+https://example.com/serde\"".to_owned(),
                false,
            ),
        ] {
            let lock = format!("version = 4\n[[package]]\n{package}\n");
            let found = check(&Tree::of([("Cargo.lock", lock.as_str())]));
            assert_eq!(found.is_empty(), is_fine, "{package}: {found:?}");
        }
    }
}
