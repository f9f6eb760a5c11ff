//! Nothing in the tree may depend on whose machine it was written on.

use crate::{finding::Finding, tree::Tree};

/// The first parts of paths that only exist on one machine, in pieces, so that this file passes.
const FOLDERS: [&str; 4] = ["work", "root", "home", "Users"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        for folder in FOLDERS {
            let start = format!("/{folder}/");
            for (at, _) in text
                .match_indices(&start)
                .filter(|(at, _)| is_path_start(text, *at))
            {
                let line = 1 + text.as_bytes()[..at]
                    .iter()
                    .filter(|byte| **byte == b'\n')
                    .count();
                let says = format!("`{start}…` is a path of one machine");
                findings.push(Finding::at(path, line, "machine paths", says));
            }
        }
    }
    findings
}

/// Not the middle of an address or of a longer path.
fn is_path_start(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    !before.is_some_and(|c| {
        c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '}' | ')' | '*')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_one_machine_are_refused() {
        for (before, folder, is_fine) in [
            ("see ", "work", false),
            ("\"", "root", false),
            ("PATH=/usr/bin:", "root", false),
            ("", "Users", false),
            ("https://example.com", "work", true),
            ("$PREFIX", "root", true),
            ("${HOME}", "work", true),
            ("see ", "workers", true),
        ] {
            let text = format!("{before}/{folder}/x\n");
            let found = check(&Tree::of([("README.md", text.as_str())]));
            assert_eq!(found.is_empty(), is_fine, "{text}");
        }
    }
}
