//! Log messages and error texts read alike: lower case, no full stop, so that they can be strung
//! together.

use crate::{
    finding::Finding,
    rust_source::RustSource,
    tree::{Tree, is_test_file},
};

const RULE: &str = "messages";
const MACROS: [&str; 6] = [
    "trace!(", "debug!(", "info!(", "warn!(", "error!(", "event!(",
];
/// Names that are written with a capital wherever they stand.
const NAMES: [&str; 6] = [
    "Anthropic",
    "Linux",
    "Prometheus",
    "Redis",
    "Stripe",
    "Switchyard",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.rust_files().filter(|(path, _)| !is_test_file(path)) {
        let source = RustSource::new(text);
        let logged = MACROS.iter().flat_map(|name| {
            source
                .find_word(name)
                .into_iter()
                .map(|at| at + name.len() - 1)
        });
        let failures = source
            .code()
            .match_indices("#[error(")
            .map(|(at, name)| at + name.len() - 1);
        for open in logged.chain(failures) {
            let message = source.literal_behind(source.bracketed(open), b"(,");
            if let Some(message) = message.filter(|message| !is_well_formed(message)) {
                let says =
                    format!("\"{message}\" should start in lower case and end without a stop");
                findings.push(Finding::at(path, source.line(open), RULE, says));
            }
        }
    }
    findings
}

fn is_well_formed(message: &str) -> bool {
    let first = message
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let mut letters = first.chars();
    let is_capitalised = letters.next().is_some_and(char::is_uppercase)
        && letters.clone().next().is_some()
        && letters.all(char::is_lowercase);
    (!is_capitalised || NAMES.contains(&first)) && !message.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_lower_case_without_a_stop() {
        for (text, is_fine) in [
            ("fn f() { tracing::info!(port, \"listening\"); }", true),
            ("fn f() { tracing::info!(port, \"Listening\"); }", false),
            ("fn f() { warn!(error = %e, \"it failed.\"); }", false),
            ("fn f() { warn!(\"Redis is down\"); }", true),
            ("fn f() { warn!(\"SQL is down\"); }", true),
            (
                "fn f() { warn!(kind = \"Upstream\", \"it failed\"); }",
                true,
            ),
            ("#[error(\"Cannot be read\")]\nstruct E;", false),
            ("#[error(\"cannot be read\")]\nstruct E;", true),
            (
                "#[cfg(feature = \"Error\")]\nfn f() { say_error(\"A\"); }",
                true,
            ),
        ] {
            let found = check(&Tree::of([("crates/a/src/lib.rs", text)]));
            assert_eq!(found.is_empty(), is_fine, "{text}: {found:?}");
        }
    }
}
