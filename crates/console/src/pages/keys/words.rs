//! How a key is doing, in words.

use std::time::Duration;

use switchyard_app::{api_keys::ManagedKey, reads};
use switchyard_domain::{
    clock::{ResetInterval, Timestamp},
    money::UsdNanos,
};

use crate::ui::{Places, usd_plain};

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

/// How much of a limit is spent, for a meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meter {
    pub(crate) label: &'static str,
    /// In nano-dollars.
    pub(crate) used: u64,
    pub(crate) full: u64,
    pub(crate) text: String,
}

impl Meter {
    pub(crate) fn new(label: &'static str, spent: UsdNanos, limit: UsdNanos) -> Self {
        let whole = |amount: UsdNanos| u64::try_from(amount.get()).unwrap_or(0);
        // Cents of a limit of cents would say nothing.
        let places = if limit < UsdNanos::new(1_000_000_000) {
            Places::Four
        } else {
            Places::Two
        };
        Self {
            label,
            used: whole(spent),
            full: whole(limit),
            text: format!(
                "{} of {}",
                usd_plain(spent, places),
                usd_plain(limit, places)
            ),
        }
    }

    pub(crate) fn of(managed: &ManagedKey) -> Option<Self> {
        let limit = managed.key.limit?;
        let label = match limit.reset {
            None => "In all",
            Some(ResetInterval::Daily) => "Today",
            Some(ResetInterval::Weekly) => "This week",
            Some(ResetInterval::Monthly) => "This month",
        };
        Some(Self::new(label, managed.usage.limit_used, limit.limit))
    }
}
