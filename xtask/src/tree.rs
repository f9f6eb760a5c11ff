//! The files of the repository, read once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

/// Folders that hold what was built or installed, not what was written.
const SKIPPED_FOLDERS: [&str; 9] = [
    ".git",
    ".pytest_cache",
    ".test-tools",
    ".venv",
    "__pycache__",
    "bench-results",
    "node_modules",
    "switchyard-data",
    "target",
];

/// Every file's path from the root, and the contents of those that are text.
#[derive(Debug, Default)]
pub struct Tree {
    paths: BTreeSet<String>,
    texts: BTreeMap<String, String>,
}

impl Tree {
    /// Reads everything below `root`.
    ///
    /// # Errors
    /// When a folder or a file cannot be read.
    pub fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    /// A tree made up for a test.
    pub fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.paths.insert(path.to_owned());
            tree.texts.insert(path.to_owned(), text.to_owned());
        }
        tree
    }

    fn read_folder(&mut self, folder: &Path, below: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if below.is_empty() {
                name.clone()
            } else {
                format!("{below}/{name}")
            };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if !SKIPPED_FOLDERS.contains(&name.as_str()) {
                    self.read_folder(&entry.path(), &path)?;
                }
            } else if kind.is_file() && name != ".git" {
                // In a checkout beside another, `.git` is a file that says where the other one is.
                if let Ok(text) = String::from_utf8(fs::read(entry.path())?) {
                    self.texts.insert(path.clone(), text);
                }
                self.paths.insert(path);
            }
        }
        Ok(())
    }

    /// Whether there is such a file or folder.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let inside = format!("{path}/");
        self.paths.contains(path)
            || self
                .paths
                .range(inside.clone()..)
                .next()
                .is_some_and(|next| next.starts_with(&inside))
    }

    /// The contents of a text file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// All text files in the order of their paths.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// All Rust files in the order of their paths.
    pub fn rust_files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(|(path, _)| extension(path) == "rs")
    }

    /// The names of the folders directly below `crates/` that hold a package.
    pub fn crate_folders(&self) -> Vec<&str> {
        self.paths
            .iter()
            .filter_map(|path| path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml"))
            .filter(|name| !name.contains('/'))
            .collect()
    }
}

/// What follows the last dot of the file's name, or nothing.
pub(crate) fn extension(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Whether a Rust file holds tests or what only tests use.
pub(crate) fn is_test_file(path: &str) -> bool {
    path.starts_with("tests/")
        || path.starts_with("crates/testkit/")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.contains("/test_suite/")
        || path.ends_with("/test_suite.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_exist_when_something_is_in_them() {
        let tree = Tree::of([("crates/edge/src/lib.rs", ""), ("crates/edges.rs", "")]);
        for (path, exists) in [
            ("crates/edge/src/lib.rs", true),
            ("crates/edge/", true),
            ("crates/edge", true),
            ("crates/edg", false),
            ("crates/edge/src/main.rs", false),
        ] {
            assert_eq!(tree.has(path), exists, "{path}");
        }
    }

    #[test]
    fn test_files_are_told_by_their_place() {
        for (path, is_test) in [
            ("tests/it/main.rs", true),
            ("crates/store/tests/engines/main.rs", true),
            ("crates/routing/src/tests/golden.rs", true),
            ("crates/billing/src/lease/tests.rs", true),
            ("crates/billing/src/test_suite.rs", true),
            ("crates/testkit/src/redis.rs", true),
            ("crates/routing/src/select.rs", false),
            ("crates/app/src/contests.rs", false),
        ] {
            assert_eq!(is_test_file(path), is_test, "{path}");
        }
    }
}
