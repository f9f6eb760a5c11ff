//! What a chart counts, and how that is written on its axis and in its table.

use switchyard_domain::money::UsdNanos;

use crate::ui::{Places, count, milliseconds, percent, short_tokens, usd_plain};

/// What values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Nano-dollars.
    Usd,
    Tokens,
    Count,
    Milliseconds,
    /// Thousandths of a whole.
    PerMille,
    /// Tenths of a token in a second.
    TokensPerSecond,
}

impl Unit {
    /// On the axis, where `top` is the most that fits: all marks of one axis have the same places.
    pub(super) fn on_axis(self, value: u64, top: u64) -> String {
        match self {
            Self::Usd => usd_plain(nanos(value), places(top / 4)),
            Self::Tokens => short_tokens(value),
            Self::Count => count(value),
            Self::Milliseconds => milliseconds(value),
            Self::PerMille => percent(value, 1_000),
            Self::TokensPerSecond => format!("{}/s", value / 10),
        }
    }

    /// In the table, where there is room.
    pub(in crate::ui) fn in_table(self, value: u64, top: u64) -> String {
        match self {
            Self::Usd => usd_plain(nanos(value), places(top / 400)),
            Self::Tokens | Self::Count => count(value),
            Self::TokensPerSecond => format!("{}.{}/s", value / 10, value % 10),
            Self::Milliseconds | Self::PerMille => self.on_axis(value, top),
        }
    }
}

fn nanos(value: u64) -> UsdNanos {
    UsdNanos::new(i64::try_from(value).unwrap_or(i64::MAX))
}

/// The fewest that still tell `step` from nothing.
const fn places(step: u64) -> Places {
    match step {
        10_000_000.. => Places::Two,
        100_000..10_000_000 => Places::Four,
        1_000..100_000 => Places::Six,
        0..1_000 => Places::Nine,
    }
}
