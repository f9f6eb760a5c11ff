//! A name says what is inside, and a crate says what it is for before anything else.

use crate::{finding::Finding, tree::Tree};

const RULE: &str = "names";
/// Names under which anything could be filed.
const DUMPING_GROUNDS: [&str; 7] = [
    "common", "helper", "helpers", "misc", "shared", "util", "utils",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust_files() {
        let parts = path.trim_end_matches(".rs").split('/');
        for part in parts.filter(|part| DUMPING_GROUNDS.contains(part)) {
            let says = format!("`{part}` says nothing: put it beside its user, or name what it is");
            findings.push(Finding::about(path, RULE, says));
        }
        let is_root = path.ends_with("/src/lib.rs") || path.ends_with("/src/main.rs");
        if is_root && !text.starts_with("//! ") {
            let says = "opens with what it is for, what it must not do, where to start reading";
            findings.push(Finding::at(path, 1, RULE, says));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_something() {
        for (path, text, is_fine) in [
            ("crates/a/src/price.rs", "", true),
            ("crates/a/src/utils.rs", "", false),
            ("crates/a/tests/common/mod.rs", "", false),
            ("crates/a/src/lib.rs", "//! Prices.\n", true),
            ("crates/a/src/lib.rs", "mod price;\n", false),
            ("crates/a/src/main.rs", "fn main() {}\n", false),
        ] {
            assert_eq!(
                check(&Tree::of([(path, text)])).is_empty(),
                is_fine,
                "{path} {text}"
            );
        }
    }
}
