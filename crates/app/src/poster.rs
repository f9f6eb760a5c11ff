//! Ships settlements from the journal to SQL, in batches, until they are there.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use switchyard_billing::{
    settlement::Settlement,
    store::{LedgerStore, PostOutcome, StoreError},
};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    journal::{Journal, Position},
    limits::{POST_BACKOFF_MAX, POST_BATCH_MAX, POST_LINGER, UNPOSTED_MAX},
    treasury::Treasury,
};

/// The queue of settlements that SQL does not have, and the task that empties it.
#[derive(Debug)]
pub struct Poster {
    queue: Mutex<Queue>,
    wake: Notify,
    /// Sequence number of the last settlement that SQL has.
    posted: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// Taken out by the poster and not in SQL yet.
    in_flight: usize,
    /// Sequence number of the last settlement that was queued.
    last: u64,
    /// Somebody waits for the queue to empty: do not linger.
    flush: bool,
}

#[derive(Debug)]
struct Waiting {
    /// `None` for one that could not be journalled and lives in memory only.
    position: Option<Position>,
    settlement: Settlement,
}

#[derive(Debug, Default)]
struct Batch {
    positions: Vec<Option<Position>>,
    settlements: Vec<Settlement>,
}

impl Default for Poster {
    fn default() -> Self {
        Self {
            queue: Mutex::default(),
            wake: Notify::new(),
            posted: watch::Sender::new(0),
        }
    }
}

impl Poster {
    /// Queues a settlement.
    pub fn push(&self, position: Option<Position>, settlement: Settlement) {
        let mut queue = self.lock();
        queue.last += 1;
        queue.waiting.push_back(Waiting {
            position,
            settlement,
        });
        let is_first = queue.waiting.len() == 1;
        let is_full = queue.waiting.len() == POST_BATCH_MAX;
        drop(queue);
        // In between, the poster knows already.
        if is_first || is_full {
            self.wake.notify_one();
        }
    }

    /// Whether more may be admitted.
    pub fn has_room(&self) -> bool {
        self.backlog() < UNPOSTED_MAX
    }

    /// How many settlements wait for SQL.
    pub fn backlog(&self) -> usize {
        let queue = self.lock();
        queue.waiting.len() + queue.in_flight
    }

    /// Waits until everything queued so far is in SQL, or `patience` runs out.
    pub async fn flush(&self, patience: Duration) -> bool {
        let target = {
            let mut queue = self.lock();
            queue.flush = !queue.waiting.is_empty() || queue.in_flight > 0;
            queue.last
        };
        self.wake.notify_one();
        let mut posted = self.posted.subscribe();
        let reached = posted.wait_for(|posted| *posted >= target);
        matches!(tokio::time::timeout(patience, reached).await, Ok(Ok(_)))
    }

    /// Posts until `stop`, and then until the queue is empty or SQL refuses.
    pub async fn run(
        &self,
        ledger: Arc<dyn LedgerStore>,
        journal: Arc<Journal>,
        treasury: Arc<Treasury>,
        stop: CancellationToken,
    ) {
        let mut backoff = Duration::ZERO;
        let mut batch = Batch::default();
        loop {
            self.wait_for_batch(backoff, &stop).await;
            if batch.settlements.is_empty() {
                batch = self.take();
            }
            if batch.settlements.is_empty() {
                if stop.is_cancelled() {
                    return;
                }
                continue;
            }
            match post(&*ledger, &batch.settlements).await {
                Ok(outcomes) => {
                    backoff = Duration::ZERO;
                    treasury.posted(&batch.settlements, &outcomes);
                    self.done(std::mem::take(&mut batch), &outcomes, &journal);
                }
                Err(error) => {
                    let backlog = self.backlog();
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        backlog,
                        "settlements cannot be posted yet"
                    );
                    if stop.is_cancelled() {
                        // They stay in the journal and are posted at the next start.
                        return;
                    }
                    backoff = (backoff * 2).clamp(Duration::from_millis(100), POST_BACKOFF_MAX);
                }
            }
        }
    }

    async fn wait_for_batch(&self, backoff: Duration, stop: &CancellationToken) {
        if !backoff.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(backoff) => {}
                () = stop.cancelled() => {}
            }
            return;
        }
        if self.lock().waiting.is_empty() {
            tokio::select! {
                () = self.wake.notified() => {}
                () = stop.cancelled() => return,
            }
        }
        let mut linger = std::pin::pin!(tokio::time::sleep(POST_LINGER));
        // What was queued while the last batch was being posted has left a wake-up behind, which is no
        // reason to post it alone.
        while !self.is_batch_ready() {
            tokio::select! {
                () = &mut linger => return,
                () = self.wake.notified() => {}
                () = stop.cancelled() => return,
            }
        }
    }

    fn is_batch_ready(&self) -> bool {
        let queue = self.lock();
        queue.flush || queue.waiting.len() >= POST_BATCH_MAX
    }

    fn take(&self) -> Batch {
        let mut queue = self.lock();
        let count = queue.waiting.len().min(POST_BATCH_MAX);
        queue.in_flight = count;
        let taken = queue.waiting.drain(..count);
        let (positions, settlements) = taken.map(|one| (one.position, one.settlement)).unzip();
        Batch {
            positions,
            settlements,
        }
    }

    fn done(&self, batch: Batch, outcomes: &[PostOutcome], journal: &Journal) {
        let posted = {
            let mut queue = self.lock();
            queue.in_flight = 0;
            if queue.waiting.is_empty() {
                queue.flush = false;
            }
            queue.last - queue.waiting.len() as u64
        };
        let in_sql = batch
            .positions
            .into_iter()
            .zip(outcomes)
            .filter_map(|(position, outcome)| {
                // What SQL refuses stays in the journal, for a human to look at.
                position.filter(|_| *outcome != PostOutcome::Conflict)
            });
        let mut positions = in_sql.peekable();
        while let Some(position) = positions.next() {
            let mut count = 1;
            while positions.next_if_eq(&position).is_some() {
                count += 1;
            }
            journal.posted(position, count);
        }
        self.posted.send_replace(posted);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Posts a batch. One that the books refuse for its content, rather than for want of a database,
/// is halved until the culprit stands alone: it must not hold up the others.
pub(crate) async fn post(
    ledger: &dyn LedgerStore,
    settlements: &[Settlement],
) -> Result<Vec<PostOutcome>, StoreError> {
    let mut outcomes = Vec::with_capacity(settlements.len());
    let mut parts: Vec<_> = settlements.chunks(POST_BATCH_MAX).rev().collect();
    while let Some(part) = parts.pop() {
        match ledger.post(part).await {
            Ok(some) => {
                report(part, &some);
                outcomes.extend(some);
            }
            Err(error @ StoreError::Unavailable(_)) => return Err(error),
            Err(error @ (StoreError::Missing(_) | StoreError::Inconsistent(_))) => match part {
                [culprit] => {
                    metrics::counter!("switchyard_settlement_conflicts_total").increment(1);
                    tracing::error!(
                        generation.id = %culprit.generation_id,
                        error = &error as &dyn std::error::Error,
                        "the books refuse a settlement; it stays in the journal"
                    );
                    outcomes.push(PostOutcome::Conflict);
                }
                several => {
                    let (first, second) = several.split_at(several.len() / 2);
                    parts.push(second);
                    parts.push(first);
                }
            },
        }
    }
    Ok(outcomes)
}

fn report(settlements: &[Settlement], outcomes: &[PostOutcome]) {
    metrics::counter!("switchyard_settlements_posted_total").increment(settlements.len() as u64);
    for (settlement, outcome) in settlements.iter().zip(outcomes) {
        if *outcome == PostOutcome::Conflict {
            metrics::counter!("switchyard_settlement_conflicts_total").increment(1);
            tracing::error!(
                generation.id = %settlement.generation_id,
                "a generation was settled twice with different content; the first stands"
            );
        }
    }
}

#[cfg(test)]
mod tests;
