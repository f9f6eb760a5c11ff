//! `expect` states why a value is there; `unwrap` only hopes, and is for tests.

use crate::{
    finding::Finding,
    rust_source::RustSource,
    tree::{Tree, is_test_file},
};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust_files().filter(|(path, _)| !is_test_file(path)) {
        let source = RustSource::new(text);
        for at in source.find_word(".unwrap()") {
            if !source.is_test(at) {
                let says = "say why it cannot fail: `expect(\"…\")`";
                findings.push(Finding::at(path, source.line(at), "unwraps", says));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tests_unwrap() {
        for (path, text, is_fine) in [
            ("crates/a/src/lib.rs", "fn f() { g().unwrap(); }", false),
            (
                "crates/a/src/lib.rs",
                "fn f() { g().unwrap_or_default(); }",
                true,
            ),
            ("crates/a/src/lib.rs", "/// `g().unwrap()`\nfn f() {}", true),
            (
                "crates/a/src/lib.rs",
                "#[cfg(test)]\nmod tests { fn f() { g().unwrap() } }",
                true,
            ),
            ("crates/a/src/lib/tests.rs", "fn f() { g().unwrap() }", true),
        ] {
            assert_eq!(
                check(&Tree::of([(path, text)])).is_empty(),
                is_fine,
                "{path} {text}"
            );
        }
    }
}
