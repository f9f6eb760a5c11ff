//! What bounds a key's spending, and which of it blocks first.

use std::time::Duration;

use switchyard_domain::{clock::Timestamp, id::AccountId, money::UsdNanos};

use super::{ApiKeyError, KeyDay, ManagedKey};
use crate::{App, reads};

/// What bounds spending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendLayerKind {
    /// The key's own limit.
    KeyLimit,
    /// The account's credit.
    Credit,
}

/// One bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpendLayer {
    pub kind: SpendLayerKind,
    /// What may be spent in all, in the present window.
    pub limit: UsdNanos,
    pub spent: UsdNanos,
    /// Negative after an overrun.
    pub remaining: UsdNanos,
    /// When it starts afresh; `None` is never by itself.
    pub resets_at: Option<Timestamp>,
}

impl SpendLayer {
    /// Whether nothing can be spent.
    pub fn blocks(&self) -> bool {
        !self.remaining.is_positive()
    }
}

/// Everything that bounds a key's spending, in the order in which it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpendingRoom {
    pub layers: Vec<SpendLayer>,
}

impl SpendingRoom {
    /// The one that blocks first: that has least left.
    pub fn effective(&self) -> Option<&SpendLayer> {
        self.layers.iter().min_by_key(|layer| layer.remaining)
    }
}

impl App {
    /// What bounds a key's spending now.
    pub async fn spending_room(
        &self,
        account: AccountId,
        managed: &ManagedKey,
    ) -> Result<SpendingRoom, ApiKeyError> {
        let credits = self.credits(account).await?;
        let at = self.clock.now();
        let own = managed.key.limit.and_then(|limit| {
            let remaining = reads::limit_remaining(&managed.key, &managed.usage)?;
            Some(SpendLayer {
                kind: SpendLayerKind::KeyLimit,
                limit: limit.limit,
                spent: managed.usage.limit_used,
                remaining,
                resets_at: limit.reset.map(|reset| reset.window_end(at)),
            })
        });
        let credit = SpendLayer {
            kind: SpendLayerKind::Credit,
            limit: credits.total_credits,
            spent: credits.total_usage,
            remaining: credits.total_credits.saturating_sub(credits.total_usage),
            resets_at: None,
        };
        Ok(SpendingRoom {
            layers: [Some(credit), own].into_iter().flatten().collect(),
        })
    }

    /// What a key used in the last days, oldest first, a row for each of them.
    pub async fn key_days(
        &self,
        managed: &ManagedKey,
        days: u32,
    ) -> Result<Vec<KeyDay>, ApiKeyError> {
        const DAY: Duration = Duration::from_secs(86_400);
        let today = switchyard_domain::clock::ResetInterval::Daily.window_start(self.clock.now());
        let first = today.minus(DAY * days.saturating_sub(1));
        let used = self.key_store.key_days(managed.key.id, first).await?;
        let row = |place: u32| {
            let day = first.plus(DAY * place);
            let found = used.iter().find(|row| row.day == day);
            found.copied().unwrap_or(KeyDay {
                day,
                charge: UsdNanos::ZERO,
                byok_list_price: UsdNanos::ZERO,
                requests: 0,
            })
        };
        Ok((0..days).map(row).collect())
    }
}
