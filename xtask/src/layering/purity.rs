//! The pure crates: no files, no network, no clock, no threads, no async. What they decide can be
//! replayed from what they were given.

use super::manifest::{Kind, Manifest};
use crate::{
    finding::Finding,
    rust_source::RustSource,
    tree::{Tree, is_test_file},
};

const RULE: &str = "purity";

const PURE: [&str; 5] = ["domain", "interchange", "dialects", "routing", "billing"];

/// What pure crates may be built on: data, text, digests.
const BUILT_ON: [&str; 14] = [
    "async-trait",
    "base64",
    "bytes",
    "hmac",
    "itoa",
    "memchr",
    "serde",
    "serde_json",
    "sha2",
    "smallvec",
    "thiserror",
    "time",
    "uuid",
    "zeroize",
];

const FORBIDDEN: [&str; 10] = [
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "Instant",
    "SystemTime",
    "now_utc",
    "new_v4",
    "now_v7",
];

const ASYNC: [&str; 2] = ["async", "await"];

/// A port's trait must be asynchronous; its file is the only one.
const PORTS: [&str; 1] = ["crates/billing/src/store.rs"];

/// Looks into the pure crates' manifests and code.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let (manifests, mut findings) = Manifest::all(tree);
    for manifest in manifests
        .iter()
        .filter(|manifest| PURE.contains(&manifest.name.as_str()))
    {
        for dependency in &manifest.dependencies {
            let is_built_in = dependency.kind == Kind::Normal && !dependency.is_optional;
            let is_known =
                dependency.ours().is_some() || BUILT_ON.contains(&dependency.name.as_str());
            if is_built_in && !is_known {
                let says = format!("`{}` is not for a pure crate", dependency.name);
                findings.push(Finding::about(&manifest.path, RULE, says));
            }
        }
    }
    for (path, text) in tree.rust_files() {
        let is_pure = PURE
            .iter()
            .any(|name| path.starts_with(&format!("crates/{name}/src/")));
        if is_pure && !is_test_file(path) {
            findings.extend(check_source(path, text));
        }
    }
    findings
}

fn check_source(path: &str, text: &str) -> Vec<Finding> {
    let source = RustSource::new(text);
    let is_port = PORTS.contains(&path);
    let words = FORBIDDEN.iter().chain(ASYNC.iter().filter(|_| !is_port));
    let mut findings = Vec::new();
    for word in words {
        for at in source.find_word(word) {
            if !source.is_test(at) {
                let says = format!("`{word}` in a pure crate: take what it gives as an argument");
                findings.push(Finding::at(path, source.line(at), RULE, says));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pure_code_is_told_from_impure() {
        for (path, text, is_pure) in [
            (
                "crates/routing/src/a.rs",
                "fn f() { std::fs::read(p); }",
                false,
            ),
            ("crates/routing/src/a.rs", "async fn f() {}", false),
            ("crates/billing/src/store.rs", "async fn f() {}", true),
            (
                "crates/billing/src/store.rs",
                "fn f() { Instant::now(); }",
                false,
            ),
            (
                "crates/routing/src/a.rs",
                "// async, Instant and std::fs are absent\n",
                true,
            ),
            (
                "crates/routing/src/a.rs",
                "#[cfg(test)]\nmod tests { use std::fs; }",
                true,
            ),
            ("crates/routing/src/tests/a.rs", "use std::fs;", true),
            (
                "crates/app/src/a.rs",
                "async fn f() { std::fs::read(p); }",
                true,
            ),
        ] {
            let found = check(&Tree::of([(path, text)]));
            assert_eq!(found.is_empty(), is_pure, "{path} {text}: {found:?}");
        }
    }

    #[test]
    fn pure_crates_are_built_on_little() {
        for (line, is_fine) in [
            ("serde.workspace = true", true),
            ("tokio.workspace = true", false),
            ("tokio = { workspace = true, optional = true }", true),
        ] {
            let text =
                format!("[package]\nname = \"switchyard-billing\"\n[dependencies]\n{line}\n");
            let found = check(&Tree::of([("crates/billing/Cargo.toml", text.as_str())]));
            assert_eq!(found.is_empty(), is_fine, "{line}: {found:?}");
        }
    }
}
