//! How a key is doing, in words.

use std::time::Duration;

use switchyard_app::{api_keys::ManagedKey, reads};
use switchyard_domain::{clock::Timestamp, money::UsdNanos};

const SOON: Duration = Duration::from_secs(7 * 86_400);

/// How a key is doing: a word, and the kind of badge that it stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) kind: &'static str,
    pub(crate) word: &'static str,
}

impl State {
    pub(crate) fn of(managed: &ManagedKey, now: Timestamp) -> Self {
        let key = &managed.key;
        let left = reads::limit_remaining(key, &managed.usage);
        let (kind, word) = match key.expires_at {
            Some(end) if end <= now => ("plain", "Expired"),
            _ if key.disabled => ("plain", "Disabled"),
            _ if left.is_some_and(|left| !left.is_positive()) => ("danger", "Limit reached"),
            Some(end) if end <= now.plus(SOON) => ("warn", "Expires soon"),
            _ if managed.last_used_at.is_none() && managed.usage.requests == 0 => {
                ("info", "Never used")
            }
            _ => ("ok", "Active"),
        };
        Self { kind, word }
    }
}

/// How much of a limit is spent, for a meter: in parts of a thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meter {
    pub(crate) spent: UsdNanos,
    pub(crate) limit: UsdNanos,
    pub(crate) thousandths: i64,
}

impl Meter {
    pub(crate) fn new(spent: UsdNanos, limit: UsdNanos) -> Self {
        let share = i128::from(spent.get()) * 1_000 / i128::from(limit.get().max(1));
        Self {
            spent,
            limit,
            thousandths: i64::try_from(share.clamp(0, 1_000)).unwrap_or(1_000),
        }
    }

    pub(crate) fn of(managed: &ManagedKey) -> Option<Self> {
        let limit = managed.key.limit?;
        Some(Self::new(managed.usage.limit_used, limit.limit))
    }

    /// In whole percents.
    pub(crate) const fn percent(&self) -> i64 {
        self.thousandths / 10
    }
}
