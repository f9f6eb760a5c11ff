//! Values that must not leak. [`Secret`] holds credentials and wipes them; [`Private`] holds what
//! callers and models said. Neither has `Display` or `Serialize`, and `Debug` shows nothing, so
//! neither can reach a log or a database by accident.

use std::fmt;

use zeroize::Zeroize;

/// A credential in plain form. Wiped when dropped; not `Clone`, so copies are visible in code.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes ownership of the plain value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The plain value. Every call is a place to review.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Prompt or completion content.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Private<T>(T);

impl<T> Private<T> {
    /// Wraps content.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The content, for encoding it to a provider or back to its owner.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The content, by value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> From<T> for Private<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl From<&str> for Private<String> {
    fn from(value: &str) -> Self {
        Self(value.to_owned())
    }
}

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(
            format!("{:?}", Secret::new("sk-live".to_owned())),
            "[secret]"
        );
        assert_eq!(format!("{:?}", Private::new("hello")), "[private]");
    }
}
