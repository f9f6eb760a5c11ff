//! The lints that keep functions short and panics stated must stay on.

use crate::{
    finding::Finding,
    rust_source::RustSource,
    tree::{Tree, is_test_file},
};

const RULE: &str = "lints";

/// What the files that configure the lints must say.
const SETTINGS: [(&str, &str); 6] = [
    ("clippy.toml", "too-many-lines-threshold = 70"),
    ("Cargo.toml", "unsafe_code = \"forbid\""),
    ("Cargo.toml", "allow_attributes = \"deny\""),
    ("Cargo.toml", "disallowed_methods = \"deny\""),
    ("Cargo.toml", "too_many_lines = \"warn\""),
    ("Cargo.toml", "unwrap_used = \"deny\""),
];

/// Not switched off anywhere, not even with a reason.
const EVERYWHERE: &str = "clippy::too_many_lines";
/// Nor this one, except in tests.
const OUTSIDE_TESTS: &str = "clippy::unwrap_used";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, setting) in SETTINGS {
        let says_so = tree
            .text(path)
            .is_some_and(|text| text.lines().any(|line| line == setting));
        if !says_so {
            findings.push(Finding::about(path, RULE, format!("must say `{setting}`")));
        }
    }
    for (path, text) in tree.rust_files() {
        let source = RustSource::new(text);
        let lints = [
            Some(EVERYWHERE),
            (!is_test_file(path)).then_some(OUTSIDE_TESTS),
        ];
        for lint in lints.into_iter().flatten() {
            for at in source.find_word(lint) {
                let says = format!("`{lint}` stays on: split the function, or handle the case");
                findings.push(Finding::at(path, source.line(at), RULE, says));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(left_out: &str) -> Vec<(&'static str, String)> {
        ["clippy.toml", "Cargo.toml"]
            .map(|file| {
                let lines = SETTINGS
                    .iter()
                    .filter(|(path, line)| *path == file && *line != left_out);
                (file, lines.map(|(_, line)| format!("{line}\n")).collect())
            })
            .to_vec()
    }

    fn findings(left_out: &str, path: &str, code: &str) -> usize {
        let files = settings(left_out);
        let files = files.iter().map(|(path, text)| (*path, text.as_str()));
        check(&Tree::of(files.chain([(path, code)]))).len()
    }

    #[test]
    fn every_setting_counts() {
        assert_eq!(findings("", "crates/a/src/lib.rs", "fn f() {}"), 0);
        for (_, setting) in SETTINGS {
            assert_eq!(
                findings(setting, "crates/a/src/lib.rs", "fn f() {}"),
                1,
                "{setting}"
            );
        }
    }

    #[test]
    fn some_lints_cannot_be_expected_away() {
        for (path, lint, is_fine) in [
            ("crates/a/src/lib.rs", "clippy::too_many_lines", false),
            ("crates/a/tests/it.rs", "clippy::too_many_lines", false),
            ("crates/a/src/lib.rs", "clippy::unwrap_used", false),
            ("crates/a/tests/it.rs", "clippy::unwrap_used", true),
            ("crates/a/src/lib.rs", "clippy::print_stdout", true),
        ] {
            let code = format!("#[expect({lint}, reason = \"so\")]\nfn f() {{}}");
            assert_eq!(findings("", path, &code) == 0, is_fine, "{path} {lint}");
        }
    }
}
