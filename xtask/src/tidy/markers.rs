//! Unfinished business belongs in an issue; a note about it in the code says which.

use crate::{
    finding::Finding,
    rust_source::{RustSource, find_word},
    tree::{Tree, extension},
};

const RULE: &str = "markers";
const MARKERS: [&str; 3] = ["TODO", "FIXME", "XXX"];
/// Beside Rust, where only comments are read.
const SCRIPTS: [&str; 9] = ["css", "html", "js", "lua", "mjs", "py", "sh", "sql", "ts"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        match extension(path) {
            "rs" => {
                let source = RustSource::new(text);
                for (at, comment) in source.comments() {
                    scan(path, source.line(at), comment, &mut findings);
                }
                for at in source.code().match_indices("#[ignore").map(|(at, _)| at) {
                    let says = "a test runs or is deleted";
                    findings.push(Finding::at(path, source.line(at), RULE, says));
                }
            }
            other if SCRIPTS.contains(&other) => scan(path, 1, text, &mut findings),
            _ => {}
        }
    }
    findings
}

fn scan(path: &str, first_line: usize, text: &str, findings: &mut Vec<Finding>) {
    for (offset, line) in text.lines().enumerate() {
        let is_linked = line.contains("https://");
        for marker in MARKERS {
            if !is_linked && !find_word(line, marker).is_empty() {
                let says = format!("{marker} without the address of its issue");
                findings.push(Finding::at(path, first_line + offset, RULE, says));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_need_an_address() {
        for (path, text, is_fine) in [
            ("a.rs", "// TODO later\n", false),
            ("a.rs", "// TODO https://example.com/issues/1 later\n", true),
            ("a.rs", "let a = \"TODO\";\n", true),
            ("a.rs", "//! Length of `\\uXXXX`\n", true),
            ("a.rs", "#[test]\n#[ignore]\nfn f() {}\n", false),
            ("a.py", "x = 1  # FIXME\n", false),
            ("a.sh", "mktemp -d /tmp/a.XXXXXX\n", true),
        ] {
            assert_eq!(
                check(&Tree::of([(path, text)])).is_empty(),
                is_fine,
                "{path} {text}"
            );
        }
    }

    #[test]
    fn the_line_is_the_markers_own() {
        let found = check(&Tree::of([("a.rs", "\n/* one\n TODO two */\n")]));
        assert_eq!(found[0].line, 3);
    }
}
