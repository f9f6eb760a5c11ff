//! What the client suites install is pinned, and comes from the public registries.

use crate::{finding::Finding, tree::Tree};

const RULE: &str = "pins";
const NPM: &str = "https://registry.npmjs.org/";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        let numbered = || {
            text.lines()
                .enumerate()
                .map(|(index, line)| (index + 1, line.trim()))
        };
        if path.ends_with("requirements.txt") {
            for (line, requirement) in numbered() {
                let is_requirement =
                    !requirement.is_empty() && !requirement.starts_with(['#', '-']);
                if is_requirement && !requirement.contains("==") {
                    findings.push(Finding::at(path, line, RULE, "pin it: `name==version`"));
                }
            }
        } else if path.ends_with("package-lock.json") {
            for (line, entry) in numbered() {
                let address = entry.strip_prefix("\"resolved\": \"");
                if address.is_some_and(|address| !address.starts_with(NPM)) {
                    let says = format!("must be resolved at {NPM}");
                    findings.push(Finding::at(path, line, RULE, says));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_exact_and_public() {
        for (path, text, is_fine) in [
            (
                "tests/requirements.txt",
                "# clients\nopenai==3.54.0\n",
                true,
            ),
            ("tests/requirements.txt", "openai>=3\n", false),
            ("tests/requirements.txt", "openai\n", false),
            (
                "tests/package-lock.json",
                "  \"resolved\": \"https://registry.npmjs.org/ai/-/ai-6.0.0.tgz\",\n",
                true,
            ),
            (
                "tests/package-lock.json",
                "  \"resolved\": \"http://mirror.test/ai.tgz\",\n",
                false,
            ),
        ] {
            assert_eq!(
                check(&Tree::of([(path, text)])).is_empty(),
                is_fine,
                "{path} {text}"
            );
        }
    }
}
