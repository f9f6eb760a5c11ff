//! Where a rule of this folder does not hold, and why. The list may only shrink: an entry that
//! excuses nothing any more has to go.

use crate::finding::Finding;

/// A rule that a file may break.
pub(super) struct Exception {
    /// As findings spell it.
    pub(super) rule: &'static str,
    pub(super) path: &'static str,
    pub(super) reason: &'static str,
}

pub(super) const EXCEPTIONS: &[Exception] = &[Exception {
    rule: "sleeps",
    path: "tests/clients/world.py",
    reason: "asks a starting process whether it is ready, for a bounded time",
}];

pub(super) fn excuse(findings: Vec<Finding>, exceptions: &[Exception]) -> Vec<Finding> {
    let excuses = |exception: &Exception, finding: &Finding| {
        exception.rule == finding.rule && exception.path == finding.path
    };
    let idle = exceptions
        .iter()
        .filter(|exception| !findings.iter().any(|finding| excuses(exception, finding)))
        .map(|exception| {
            let says = format!(
                "the exception from \"{}\" ({}) excuses nothing any more: delete it",
                exception.rule, exception.reason
            );
            Finding::about(exception.path, "exceptions", says)
        });
    let idle: Vec<Finding> = idle.collect();
    findings
        .into_iter()
        .filter(|finding| {
            !exceptions
                .iter()
                .any(|exception| excuses(exception, finding))
        })
        .chain(idle)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_excuse_their_file_and_rule_only_and_must_be_needed() {
        let list = [
            Exception {
                rule: "size",
                path: "a.rs",
                reason: "a table",
            },
            Exception {
                rule: "size",
                path: "gone.rs",
                reason: "was a table",
            },
        ];
        let findings = vec![
            Finding::about("a.rs", "size", "large"),
            Finding::about("a.rs", "sleeps", "sleeps"),
            Finding::about("b.rs", "size", "large"),
        ];
        let left: Vec<(String, &str)> = excuse(findings, &list)
            .into_iter()
            .map(|finding| (finding.path, finding.rule))
            .collect();
        let expected = [
            ("a.rs", "sleeps"),
            ("b.rs", "size"),
            ("gone.rs", "exceptions"),
        ];
        assert_eq!(left, expected.map(|(path, rule)| (path.to_owned(), rule)));
    }
}
