//! Many small parts of a key as one number, so that two keys compare in one step.

/// Parts in order of significance, the most significant first; each is a number of its own bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Grade(u128);

/// One part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    shift: u32,
    bits: u32,
}

impl Part {
    /// The least significant part.
    pub(super) const fn last(bits: u32) -> Self {
        Self { shift: 0, bits }
    }

    /// The part that goes before `next`.
    pub(super) const fn before(next: Self, bits: u32) -> Self {
        let shift = next.shift + next.bits;
        assert!(shift + bits <= u128::BITS, "a grade has room for all parts");
        Self { shift, bits }
    }

    /// The largest number it can hold.
    pub(super) const fn max(self) -> u64 {
        (1 << self.bits) - 1
    }

    const fn mask(self) -> u128 {
        (self.max() as u128) << self.shift
    }
}

impl Grade {
    /// With a part that was zero set; what is too large for it is the largest it can hold.
    pub(super) fn with(self, part: Part, value: impl Into<u64>) -> Self {
        let value = value.into().min(part.max());
        Self(self.0 | u128::from(value) << part.shift)
    }

    /// With a part set to zero.
    pub(super) fn without(self, part: Part) -> Self {
        Self(self.0 & !part.mask())
    }

    pub(super) fn get(self, part: Part) -> u64 {
        u64::try_from((self.0 & part.mask()) >> part.shift).unwrap_or(u64::MAX)
    }

    /// This part and everything more significant.
    pub(super) fn down_to(self, part: Part) -> u128 {
        self.0 >> part.shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINOR: Part = Part::last(2);
    const MIDDLE: Part = Part::before(MINOR, 24);
    const MAJOR: Part = Part::before(MIDDLE, 1);

    #[test]
    fn parts_compare_by_significance() {
        let grade = |major: bool, middle: u64, minor: u64| {
            Grade::default()
                .with(MAJOR, major)
                .with(MIDDLE, middle)
                .with(MINOR, minor)
        };
        assert!(grade(false, 9, 3) < grade(true, 0, 0));
        assert!(grade(true, 8, 3) < grade(true, 9, 0));
        assert!(grade(true, 9, 0) < grade(true, 9, 1));
        let one = grade(true, 9, 3);
        assert_eq!((one.get(MAJOR), one.get(MIDDLE), one.get(MINOR)), (1, 9, 3));
        assert_eq!(one.without(MIDDLE), grade(true, 0, 3));
        assert_eq!(one.down_to(MIDDLE), grade(true, 9, 0).down_to(MIDDLE));
        assert_ne!(one.down_to(MIDDLE), grade(true, 8, 3).down_to(MIDDLE));
        assert_eq!(grade(false, u64::MAX, 0).get(MIDDLE), MIDDLE.max());
    }
}
