//! A test waits for what it needs, not for time. Time that tests move themselves may pass.

use crate::{
    finding::Finding,
    rust_source::{RustSource, find_word},
    tree::{Tree, extension, is_test_file},
};

const RULE: &str = "sleeps";
const RUST: [&str; 3] = ["sleep(", "sleep_until(", "thread::sleep"];
/// A file whose tests run on tokio's paused clock says so.
const PAUSED: [&str; 2] = ["start_paused = true", "time::pause()"];
const SCRIPTS: [(&str, &[&str]); 4] = [
    ("py", &["time.sleep(", "asyncio.sleep("]),
    ("js", &["setTimeout("]),
    ("mjs", &["setTimeout("]),
    ("ts", &["setTimeout("]),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        if extension(path) == "rs" {
            findings.extend(check_rust(path, text));
        } else if let Some((_, words)) = SCRIPTS.iter().find(|(name, _)| *name == extension(path)) {
            let is_test = path.starts_with("tests/");
            for at in words
                .iter()
                .filter(|_| is_test)
                .flat_map(|word| find_word(text, word))
            {
                findings.push(finding(path, 1 + text[..at].matches('\n').count()));
            }
        }
    }
    findings
}

fn check_rust(path: &str, text: &str) -> Vec<Finding> {
    if PAUSED.iter().any(|paused| text.contains(paused)) {
        return Vec::new();
    }
    let source = RustSource::new(text);
    let mut sleeps: Vec<usize> = RUST
        .iter()
        .flat_map(|word| source.find_word(word))
        .collect();
    sleeps.retain(|at| is_test_file(path) || source.is_test(*at));
    let mut lines: Vec<usize> = sleeps.into_iter().map(|at| source.line(at)).collect();
    lines.sort_unstable();
    lines.dedup();
    lines.into_iter().map(|line| finding(path, line)).collect()
}

fn finding(path: &str, line: usize) -> Finding {
    Finding::at(
        path,
        line,
        RULE,
        "a test that sleeps hopes: wait for the condition instead",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_do_not_sleep() {
        for (path, text, is_fine) in [
            (
                "crates/a/tests/it.rs",
                "tokio::time::sleep(d).await;",
                false,
            ),
            ("crates/a/tests/it.rs", "thread::sleep(d);", false),
            ("crates/a/src/lib.rs", "tokio::time::sleep(d).await;", true),
            (
                "crates/a/src/lib.rs",
                "#[cfg(test)]\nmod tests { fn f() { sleep(d) } }",
                false,
            ),
            (
                "crates/a/src/lib.rs",
                "#[cfg(test)]\nmod tests { #[tokio::test(start_paused = true)]\nasync fn f() { sleep(d) } }",
                true,
            ),
            ("tests/clients/a.py", "time.sleep(1)\n", false),
            (
                "tests/clients/a.mjs",
                "await new Promise((r) => setTimeout(r, 9));\n",
                false,
            ),
            ("crates/console/assets/a.js", "setTimeout(fade, 9);\n", true),
        ] {
            assert_eq!(
                check(&Tree::of([(path, text)])).is_empty(),
                is_fine,
                "{path} {text}"
            );
        }
    }
}
