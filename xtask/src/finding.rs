//! What a check has to say.

use std::fmt;

/// A rule broken at a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Path from the root of the repository.
    pub path: String,
    /// Counted from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// The rule's short name, as exceptions spell it.
    pub rule: &'static str,
    /// What is wrong and what to do.
    pub says: String,
}

impl Finding {
    /// A finding about a line.
    pub fn at(path: &str, line: usize, rule: &'static str, says: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            rule,
            says: says.into(),
        }
    }

    /// A finding about a file as a whole.
    pub fn about(path: &str, rule: &'static str, says: impl Into<String>) -> Self {
        Self::at(path, 0, rule, says)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {} [{}]", self.path, self.says, self.rule),
            line => write!(f, "{}:{line}: {} [{}]", self.path, self.says, self.rule),
        }
    }
}

/// All findings, one a line, in the order of their places.
pub fn report(mut findings: Vec<Finding>) -> String {
    findings.sort();
    findings
        .iter()
        .map(|finding| format!("{finding}\n"))
        .collect()
}
