//! Changes to a thing that is there: what is not mentioned stays.

/// What becomes of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Not mentioned: it stays.
    #[default]
    Keep,
    /// `null`: it is taken away.
    Clear,
    /// It is replaced.
    Set(T),
}

impl<T> Patch<T> {
    /// The field as it shall be, where it may be absent.
    pub fn over(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// What was given; `None` for what was left out and for `null`.
    pub fn given(self) -> Option<T> {
        self.over(None)
    }

    /// Whether the field was mentioned.
    pub const fn is_mentioned(&self) -> bool {
        !matches!(self, Self::Keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_mentioned_stays_and_null_takes_away() {
        assert_eq!(Patch::Keep.over(Some(1)), Some(1));
        assert_eq!(Patch::Clear.over(Some(1)), None);
        assert_eq!(Patch::Set(2).over(Some(1)), Some(2));
        assert_eq!(Patch::Set(2).over(None), Some(2));
        assert_eq!(Patch::<u8>::Keep.given(), None);
        assert!(!Patch::<u8>::Keep.is_mentioned() && Patch::<u8>::Clear.is_mentioned());
    }
}
