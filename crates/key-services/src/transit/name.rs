//! Names that become parts of a path.

use std::{fmt, str::FromStr};

/// The name of a transit key: one path segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitName(String);

/// A mount or a namespace: path segments, such as `teams/a/transit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitPath(String);

/// The text cannot be part of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("may have letters, digits, `-`, `_` and `.` only, and `/` between the parts of a path")]
pub struct InvalidName;

impl TransitPath {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TransitName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_segment(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName)
        }
    }
}

impl FromStr for TransitPath {
    type Err = InvalidName;

    /// Slashes at the ends, as Vault's own tools print them, do not count.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inner = text.trim_matches('/');
        if inner.split('/').all(is_segment) {
            Ok(Self(inner.to_owned()))
        } else {
            Err(InvalidName)
        }
    }
}

impl fmt::Display for TransitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TransitPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_segment(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty()
        && text.len() <= 128
        && text.bytes().all(plain)
        && !text.bytes().all(|byte| byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place() {
        for (text, is_name, is_path) in [
            ("switchyard", true, true),
            ("switch_yard-2.kek", true, true),
            ("teams/a/transit", false, true),
            ("transit/", false, true),
            ("..", false, false),
            ("a/../b", false, false),
            ("a//b", false, false),
            ("a%2fb", false, false),
            ("a?b", false, false),
            ("a#b", false, false),
            ("a\\b", false, false),
            ("a b", false, false),
            ("/", false, false),
            ("", false, false),
        ] {
            assert_eq!(text.parse::<TransitName>().is_ok(), is_name, "{text}");
            assert_eq!(text.parse::<TransitPath>().is_ok(), is_path, "{text}");
        }
    }
}
