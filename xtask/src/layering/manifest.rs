//! What a package's `Cargo.toml` says about its dependencies.

use toml::{Table, Value};

use crate::{finding::Finding, tree::Tree};

const RULE: &str = "manifest";

/// What a dependency is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is part of what is built.
    Normal,
    /// Tests only.
    Dev,
}

impl Kind {
    pub(super) fn place(self) -> &'static str {
        match self {
            Self::Normal => "at all",
            Self::Dev => "in its tests",
        }
    }
}

pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) is_optional: bool,
    is_from_workspace: bool,
    has_path: bool,
}

impl Dependency {
    /// The folder's name, when the dependency is one of ours.
    pub(super) fn ours(&self) -> Option<&str> {
        short_name(&self.name)
    }
}

pub(super) struct Manifest {
    pub(super) path: String,
    /// The folder's name.
    pub(super) name: String,
    pub(super) dependencies: Vec<Dependency>,
    has_workspace_lints: bool,
}

impl Manifest {
    /// Every package of the tree, and what cannot be read.
    pub(super) fn all(tree: &Tree) -> (Vec<Self>, Vec<Finding>) {
        let (mut manifests, mut findings) = (Vec::new(), Vec::new());
        for (path, text) in tree.texts() {
            // A workspace of its own, such as the fuzz targets, has rules of its own.
            let is_member = path.ends_with("/Cargo.toml") && !text.contains("\n[workspace]");
            if !is_member {
                continue;
            }
            match Self::parse(path, text) {
                Ok(manifest) => manifests.push(manifest),
                Err(says) => findings.push(Finding::about(path, RULE, says)),
            }
        }
        (manifests, findings)
    }

    fn parse(path: &str, text: &str) -> Result<Self, String> {
        let table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
        let package = table
            .get("package")
            .and_then(|package| package.get("name"))
            .and_then(Value::as_str)
            .ok_or("the package has no name")?;
        let name = short_name(package)
            .ok_or_else(|| format!("`{package}`: packages are named switchyard-<folder>"))?;
        let folder = path.rsplit('/').nth(1).unwrap_or_default();
        if name != folder {
            return Err(format!(
                "the package `{package}` lives in the folder `{folder}`"
            ));
        }
        let mut dependencies = Vec::new();
        collect(&table, &mut dependencies);
        for target in tables(table.get("target")) {
            collect(target, &mut dependencies);
        }
        let has_workspace_lints = table
            .get("lints")
            .and_then(|lints| lints.get("workspace"))
            .and_then(Value::as_bool)
            .unwrap_or(false);
        Ok(Self {
            path: path.to_owned(),
            name: name.to_owned(),
            dependencies,
            has_workspace_lints,
        })
    }

    /// What every package owes: the workspace's lints, the workspace's versions.
    pub(super) fn misses(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if !self.has_workspace_lints {
            let says = "say `[lints] workspace = true`";
            findings.push(Finding::about(&self.path, RULE, says));
        }
        for dependency in &self.dependencies {
            let is_itself = dependency.has_path && dependency.ours() == Some(&self.name);
            if !dependency.is_from_workspace && !is_itself {
                let says = format!(
                    "`{}` must come from [workspace.dependencies]: `workspace = true`",
                    dependency.name
                );
                findings.push(Finding::about(&self.path, RULE, says));
            }
        }
        findings
    }
}

/// `switchyard-edge` is `edge`; the binary and `xtask` are called as their folders are.
fn short_name(package: &str) -> Option<&str> {
    match package {
        "switchyard" | "xtask" => Some(package),
        other => other.strip_prefix("switchyard-"),
    }
}

fn tables(value: Option<&Value>) -> impl Iterator<Item = &Table> {
    value
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(Table::values)
        .filter_map(Value::as_table)
}

fn collect(table: &Table, into: &mut Vec<Dependency>) {
    for (section, kind) in [
        ("dependencies", Kind::Normal),
        ("build-dependencies", Kind::Normal),
        ("dev-dependencies", Kind::Dev),
    ] {
        let Some(section) = table.get(section).and_then(Value::as_table) else {
            continue;
        };
        for (name, value) in section {
            let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
            let package = value.get("package").and_then(Value::as_str).unwrap_or(name);
            into.push(Dependency {
                name: package.to_owned(),
                kind,
                is_optional: flag("optional"),
                is_from_workspace: flag("workspace"),
                has_path: value.get("path").is_some(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_lints_come_from_the_workspace() {
        let text = "[package]\nname = \"switchyard-edge\"\n[dependencies]\nserde = \"1\"\n\
                    bytes.workspace = true\nswitchyard-app = { path = \"../app\" }\n";
        let manifest = Manifest::parse("crates/edge/Cargo.toml", text).expect("it can be read");
        let says: Vec<String> = manifest
            .misses()
            .into_iter()
            .map(|finding| finding.says)
            .collect();
        assert_eq!(says.len(), 3, "{says:?}");
        assert!(says[0].contains("lints"), "{says:?}");
        assert!(says[1].contains("`serde`"), "{says:?}");
        assert!(says[2].contains("`switchyard-app`"), "{says:?}");
    }

    #[test]
    fn a_renamed_package_is_known_by_its_own_name() {
        let text = "[package]\nname = \"switchyard-edge\"\n[dependencies]\n\
                    money = { workspace = true, package = \"switchyard-billing\" }\n";
        let manifest = Manifest::parse("crates/edge/Cargo.toml", text).expect("it can be read");
        assert_eq!(manifest.dependencies[0].ours(), Some("billing"));
    }

    #[test]
    fn folders_and_packages_have_one_name() {
        for text in [
            "[package]\nname = \"switchyard-edges\"\n",
            "[package]\nname = \"edge\"\n",
        ] {
            assert!(
                Manifest::parse("crates/edge/Cargo.toml", text).is_err(),
                "{text}"
            );
        }
    }
}
