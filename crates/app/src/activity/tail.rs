//! New generations as they come. They come in the order in which nodes post them, which is nearly the
//! one in which they finish: each look reaches a little further back than the last one ended, and what
//! was shown before is left out.

use std::{collections::BTreeSet, time::Duration};

use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, GenerationId},
};
use switchyard_store::DirectoryError;

use super::{Activity, Filter, LogRow, Range, Scope};

/// How much later than others a node may post what it finished.
const POSTING_LAG: Duration = Duration::from_secs(30);
/// No generation takes longer from its admission to its end.
const GENERATION_LIFE: Duration = Duration::from_secs(3_600);
/// Rows per look.
const ROWS_MAX: u32 = 200;

/// What somebody who watches the log has seen.
#[derive(Debug, Clone)]
pub struct Tail {
    account: AccountId,
    filter: Filter,
    /// Everything that finished before then was shown.
    settled_until: Timestamp,
    /// What of the time after that was shown.
    shown: BTreeSet<(Timestamp, GenerationId)>,
}

impl Tail {
    /// Watches what finishes from `from` on; after a cut, the `finished_at` of the last row that came
    /// through. What comes once more then has the id of a row that is there.
    pub const fn new(account: AccountId, filter: Filter, from: Timestamp) -> Self {
        Self {
            account,
            filter,
            settled_until: from,
            shown: BTreeSet::new(),
        }
    }

    /// What is new, in the order in which it finished.
    pub async fn next(
        &mut self,
        activity: &Activity,
        now: Timestamp,
    ) -> Result<Vec<LogRow>, DirectoryError> {
        let scope = Scope {
            account: self.account,
            range: Range {
                from: self.settled_until.minus(GENERATION_LIFE),
                until: now.plus(GENERATION_LIFE),
            },
            filter: self.filter.clone(),
        };
        let mut fresh = Vec::new();
        let mut from = self.settled_until;
        loop {
            let rows = activity.finished_since(&scope, from, ROWS_MAX).await?;
            let is_full = rows.len() >= ROWS_MAX as usize;
            let furthest = rows.last().map_or(from, |row| row.finished_at);
            for row in rows {
                let place = (row.finished_at, row.generation_id.clone());
                if self.shown.insert(place) {
                    fresh.push(row);
                }
            }
            if !is_full || furthest <= from {
                break;
            }
            from = furthest;
        }
        self.settle(now.minus(POSTING_LAG));
        Ok(fresh)
    }

    /// Forgets what is too long ago for anything to come before it.
    fn settle(&mut self, until: Timestamp) {
        if until > self.settled_until {
            self.settled_until = until;
            self.shown.retain(|(finished_at, _)| *finished_at >= until);
        }
    }
}
