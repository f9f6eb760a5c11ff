//! Who may depend on whom. The table is the house's floor plan: an edge that is not drawn here is a
//! wall, and taking one down is a decision to be made openly, here and in `ARCHITECTURE.md`.

mod manifest;
mod outside;
mod purity;

use crate::{finding::Finding, tree::Tree};
use manifest::{Kind, Manifest};

pub use outside::check as outside_walls;
pub use purity::check as purity;

const RULE: &str = "layering";

/// One package and what it may use of ours.
struct Row {
    package: &'static str,
    may_use: &'static [&'static str],
    /// What its tests may use beside that, [`TEST_TOOLS`] and itself.
    tests_may_use: &'static [&'static str],
}

const fn row(package: &'static str, may_use: &'static [&'static str]) -> Row {
    Row {
        package,
        may_use,
        tests_may_use: &[],
    }
}

/// Any package's tests may use these, and only tests may use the first.
const TEST_TOOLS: [&str; 2] = ["testkit", "simulator"];

const TABLE: &[Row] = &[
    row("domain", &[]),
    row("interchange", &["domain"]),
    row("catalog", &["domain"]),
    row("billing", &["domain"]),
    row("vault", &["domain"]),
    // A second home for KeyProvider: the vault knows no HTTP.
    row("key-services", &["vault", "domain"]),
    row("coordination", &["domain"]),
    row("identity", &["domain"]),
    row("dialects", &["interchange", "domain"]),
    row("routing", &["interchange", "catalog", "domain"]),
    row("store", &["billing", "catalog", "domain"]),
    row(
        "upstream",
        &["dialects", "interchange", "catalog", "routing", "domain"],
    ),
    row(
        "app",
        &[
            "interchange",
            "catalog",
            "routing",
            "billing",
            "vault",
            "coordination",
            "identity",
            "store",
            "upstream",
            "domain",
        ],
    ),
    // An implementation of the app's port, kept apart for what it takes to build.
    row("mail", &["app", "domain"]),
    row("console", &["app", "catalog", "domain"]),
    row(
        "edge",
        &["app", "catalog", "dialects", "interchange", "domain"],
    ),
    row("telemetry", &["domain"]),
    // It reads wire formats on its own, so that a mistake in a codec cannot hide itself.
    row("simulator", &[]),
    row(
        "switchyard",
        &[
            "app",
            "billing",
            "catalog",
            "console",
            "coordination",
            "dialects",
            "domain",
            "edge",
            "identity",
            "interchange",
            "key-services",
            "mail",
            "routing",
            "simulator",
            "store",
            "telemetry",
            "upstream",
            "vault",
        ],
    ),
    row(
        "testkit",
        &["domain", "interchange", "dialects", "simulator", "billing"],
    ),
    row("xtask", &[]),
    Row {
        package: "bench",
        may_use: &["simulator"],
        tests_may_use: &["catalog", "domain"],
    },
];

/// Compares every manifest with the table.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let (manifests, mut findings) = Manifest::all(tree);
    for manifest in &manifests {
        match TABLE.iter().find(|row| row.package == manifest.name) {
            Some(row) => findings.extend(check_one(row, manifest)),
            None => findings.push(Finding::about(
                &manifest.path,
                RULE,
                "the package has no row in the table of xtask/src/layering.rs",
            )),
        }
        findings.extend(manifest.misses());
    }
    for row in TABLE {
        if !manifests
            .iter()
            .any(|manifest| manifest.name == row.package)
        {
            findings.push(Finding::about(
                "xtask/src/layering.rs",
                RULE,
                format!("the table names `{}`, which is no package", row.package),
            ));
        }
    }
    findings
}

fn check_one(row: &Row, manifest: &Manifest) -> Vec<Finding> {
    let mut findings = Vec::new();
    for dependency in &manifest.dependencies {
        let Some(ours) = dependency.ours() else {
            continue;
        };
        let drawn = match dependency.kind {
            Kind::Normal => row.may_use.contains(&ours),
            Kind::Dev => {
                row.may_use.contains(&ours)
                    || row.tests_may_use.contains(&ours)
                    || TEST_TOOLS.contains(&ours)
                    || ours == row.package
            }
        };
        if !drawn {
            findings.push(Finding::about(
                &manifest.path,
                RULE,
                format!(
                    "`{}` may not use `{ours}` {}",
                    row.package,
                    dependency.kind.place()
                ),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, rest: &str) -> (String, String) {
        let folder = match name {
            "xtask" | "bench" => name.to_owned(),
            name => format!("crates/{name}"),
        };
        let full = match name {
            "switchyard" | "xtask" => name.to_owned(),
            name => format!("switchyard-{name}"),
        };
        let text = format!("[package]\nname = \"{full}\"\n[lints]\nworkspace = true\n{rest}");
        (format!("{folder}/Cargo.toml"), text)
    }

    /// The findings of a tree with every package of the table, one of them with dependencies.
    fn findings(name: &str, rest: &str) -> Vec<String> {
        let files: Vec<(String, String)> = TABLE
            .iter()
            .map(|row| package(row.package, if row.package == name { rest } else { "" }))
            .chain((!TABLE.iter().any(|row| row.package == name)).then(|| package(name, rest)))
            .collect();
        let tree = Tree::of(
            files
                .iter()
                .map(|(path, text)| (path.as_str(), text.as_str())),
        );
        check(&tree)
            .into_iter()
            .map(|finding| finding.says)
            .collect()
    }

    #[test]
    fn drawn_edges_pass() {
        for (name, rest) in [
            ("edge", "[dependencies]\nswitchyard-app.workspace = true\n"),
            ("routing", "[dependencies]\nserde.workspace = true\n"),
            (
                "billing",
                "[dev-dependencies]\nswitchyard-testkit.workspace = true\n",
            ),
            (
                "billing",
                "[dev-dependencies]\nswitchyard-billing = { path = \".\" }\n",
            ),
            (
                "bench",
                "[dev-dependencies]\nswitchyard-catalog.workspace = true\n",
            ),
        ] {
            assert_eq!(findings(name, rest), Vec::<String>::new(), "{name} {rest}");
        }
    }

    #[test]
    fn walls_hold() {
        for (name, rest, says) in [
            (
                "edge",
                "[dependencies]\nswitchyard-store.workspace = true\n",
                "`edge` may not use `store` at all",
            ),
            (
                "store",
                "[target.'cfg(unix)'.dependencies]\nswitchyard-vault.workspace = true\n",
                "`store` may not use `vault` at all",
            ),
            (
                "app",
                "[dependencies]\nswitchyard-testkit.workspace = true\n",
                "`app` may not use `testkit` at all",
            ),
            (
                "bench",
                "[dependencies]\nswitchyard-catalog.workspace = true\n",
                "`bench` may not use `catalog` at all",
            ),
            (
                "dialects",
                "[dev-dependencies]\nswitchyard-app.workspace = true\n",
                "`dialects` may not use `app` in its tests",
            ),
            (
                "basement",
                "",
                "the package has no row in the table of xtask/src/layering.rs",
            ),
        ] {
            assert_eq!(findings(name, rest), [says], "{name}");
        }
    }

    #[test]
    fn a_package_that_is_gone_is_noticed() {
        let findings = check(&Tree::default());
        assert_eq!(findings.len(), TABLE.len());
        assert!(findings[0].says.contains("no package"), "{}", findings[0]);
    }
}
