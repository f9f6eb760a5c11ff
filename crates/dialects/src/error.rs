//! Why a client's body is not a request.

use std::fmt;

/// The longest message a decode error carries, in bytes.
const MESSAGE_BYTES_MAX: usize = 400;

/// A body that could not be decoded, and where it went wrong. Never quotes values, only the names
/// of fields, so it may be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct DecodeError {
    /// Such as `messages[2].content[0].type`; empty is the body itself.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
    pub kind: DecodeErrorKind,
}

/// What sort of mistake it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecodeErrorKind {
    /// Not JSON, nested too deep, or a key given twice.
    Malformed,
    /// A wrong type, value or combination.
    Invalid,
    /// More of something than we take.
    TooLarge,
    /// Understood, but nothing here can do it.
    Unsupported,
}

impl DecodeError {
    /// A mistake of `kind` at `path`.
    pub fn new(kind: DecodeErrorKind, path: impl Into<String>, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > MESSAGE_BYTES_MAX {
            let end = message.floor_char_boundary(MESSAGE_BYTES_MAX);
            message.truncate(end);
            message.push('…');
        }
        Self {
            path: path.into(),
            message,
            kind,
        }
    }

    /// Not JSON as we take it.
    pub fn malformed(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(DecodeErrorKind::Malformed, path, message)
    }

    /// A wrong type, value or combination.
    pub fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(DecodeErrorKind::Invalid, path, message)
    }

    /// More of something than we take.
    pub fn too_large(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(DecodeErrorKind::TooLarge, path, message)
    }

    /// Understood, but nothing here can do it.
    pub fn unsupported(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(DecodeErrorKind::Unsupported, path, message)
    }

    /// The same mistake, seen from the value that holds `path` at `outer`.
    #[must_use]
    pub fn within(mut self, outer: impl fmt::Display) -> Self {
        let outer = outer.to_string();
        self.path = match (outer.as_str(), self.path.as_str()) {
            (_, "") => outer,
            ("", _) => self.path,
            (_, inner) if inner.starts_with('[') => format!("{outer}{inner}"),
            (_, inner) => format!("{outer}.{inner}"),
        };
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_join_like_javascript() {
        for (outer, inner, joined) in [
            ("messages[2]", "content", "messages[2].content"),
            ("messages", "[2].role", "messages[2].role"),
            ("", "model", "model"),
            ("model", "", "model"),
        ] {
            assert_eq!(DecodeError::invalid(inner, "x").within(outer).path, joined);
        }
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let error = DecodeError::invalid("", "é".repeat(MESSAGE_BYTES_MAX));
        assert!(error.message.len() <= MESSAGE_BYTES_MAX + '…'.len_utf8());
    }
}
