//! What an account's traffic was, for its owners to look at: the log of its generations, their
//! sessions, and sums over any part of them by time and by what they can be told apart by.
//!
//! Whose traffic somebody may see is for the caller to say, as the [`Scope`]'s account and conditions.

mod export;
mod tail;

use std::sync::Arc;

use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId, WorkspaceId},
};
pub use switchyard_store::activity::{
    AppName, Bound, Breakdown, Condition, Cursor, Detail, Dimension, Facet, FacetCount, Filter,
    Interval, KeyName, LatencyHistogram, LogQuery, LogRow, LogStatus, Names, PersonName, Range,
    RowMeasure, Scope, SessionQuery, SessionRow, Slice, Step, Sums, ThroughputHistogram, Turn,
    Value, WorkspaceName,
};
use switchyard_store::{ActivityStore, DirectoryError, activity::TOO_SLOW};

pub use self::{export::Export, tail::Tail};
use crate::{
    limits::{ANALYTICS_PATIENCE, ROLL_UP_BATCH, ROLL_UP_BATCHES_PER_TURN},
    poster::Poster,
    reads::FLUSH_PATIENCE,
};

/// Lists stop counting here; what is more is told as "10,000+".
pub const LOG_COUNT_MAX: u32 = 10_001;

/// Why sums were not told.
#[derive(Debug, thiserror::Error)]
pub enum AnalyticsError {
    /// It takes too long; less of it may not.
    #[error("the sums take too long to make")]
    TooSlow,
    #[error(transparent)]
    Directory(DirectoryError),
}

impl From<DirectoryError> for AnalyticsError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Refused(TOO_SLOW) => Self::TooSlow,
            other => Self::Directory(other),
        }
    }
}

/// What stands above and beside a page of the log: sums over the whole filter, whatever is on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSummary {
    /// Over all of it.
    pub totals: Sums,
    /// Along time; pieces without generations are left out.
    pub histogram: Vec<Slice>,
    /// Along the dimensions that were asked for, in their order.
    pub facets: Vec<Facet>,
}

/// Reads what the traffic was.
pub struct Activity {
    store: Arc<dyn ActivityStore>,
    poster: Arc<Poster>,
}

impl std::fmt::Debug for Activity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Activity")
    }
}

impl Activity {
    pub fn new(store: Arc<dyn ActivityStore>, poster: Arc<Poster>) -> Self {
        Self { store, poster }
    }

    /// A page of the log. Holds what this node has shown the end of before.
    pub async fn log_page(&self, asked: &LogQuery) -> Result<Vec<LogRow>, DirectoryError> {
        self.poster.flush(FLUSH_PATIENCE).await;
        self.store.log_page(asked).await
    }

    /// How many generations there are, up to [`LOG_COUNT_MAX`].
    pub async fn log_count(&self, scope: &Scope) -> Result<u64, DirectoryError> {
        self.store.log_count(scope, LOG_COUNT_MAX).await
    }

    /// Sums, the outline of their course in time cut by `step`, and up to `values_max` values of each
    /// dimension. A range that begins and ends with full hours costs least, and over many days steps of
    /// whole days from midnight.
    pub async fn log_summary(
        &self,
        scope: &Scope,
        step: Step,
        facets: &[Dimension],
        values_max: u32,
    ) -> Result<LogSummary, DirectoryError> {
        self.poster.flush(FLUSH_PATIENCE).await;
        let course = Breakdown {
            scope: scope.clone(),
            step,
            dimensions: Vec::new(),
            detail: Detail::Outline,
            limit: HISTOGRAM_PIECES_MAX,
        };
        let (totals, histogram, facets) = tokio::try_join!(
            self.store.totals(scope, Detail::Counts),
            self.store.breakdown(&course),
            self.store.facets(scope, facets, values_max),
        )?;
        let mut histogram = histogram;
        histogram.sort_by_key(|piece| piece.at);
        Ok(LogSummary {
            totals,
            histogram,
            facets,
        })
    }

    /// Sums over a scope.
    pub async fn totals(&self, scope: &Scope, detail: Detail) -> Result<Sums, DirectoryError> {
        self.poster.flush(FLUSH_PATIENCE).await;
        self.store.totals(scope, detail).await
    }

    /// Sums by time and by dimensions, in no order.
    pub async fn breakdown(&self, asked: &Breakdown) -> Result<Vec<Slice>, DirectoryError> {
        self.poster.flush(FLUSH_PATIENCE).await;
        self.store.breakdown(asked).await
    }

    /// The same, for questions that anybody may make as large as they like.
    pub async fn analytics(&self, asked: &Breakdown) -> Result<Vec<Slice>, AnalyticsError> {
        match tokio::time::timeout(ANALYTICS_PATIENCE, self.breakdown(asked)).await {
            Ok(slices) => Ok(slices?),
            Err(_elapsed) => Err(AnalyticsError::TooSlow),
        }
    }

    /// How many generations have which values.
    pub async fn facets(
        &self,
        scope: &Scope,
        dimensions: &[Dimension],
        values_max: u32,
    ) -> Result<Vec<Facet>, DirectoryError> {
        self.store.facets(scope, dimensions, values_max).await
    }

    /// A workspace's sessions, the one used last first.
    pub async fn sessions(&self, asked: &SessionQuery) -> Result<Vec<SessionRow>, DirectoryError> {
        self.poster.flush(FLUSH_PATIENCE).await;
        self.store.sessions(asked).await
    }

    /// One session's generations, oldest first.
    pub async fn session_log(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        session_id: &str,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Vec<LogRow>, DirectoryError> {
        self.poster.flush(FLUSH_PATIENCE).await;
        self.store
            .session_log(account, workspace, session_id, after, limit)
            .await
    }

    /// What API keys, workspaces and people are called, also those that are gone.
    pub async fn names(
        &self,
        account: AccountId,
        keys: &[ApiKeyId],
    ) -> Result<Names, DirectoryError> {
        self.store.names(account, keys).await
    }

    /// What finished from an instant on, for those who watch.
    async fn finished_since(
        &self,
        scope: &Scope,
        finished_at: Timestamp,
        limit: u32,
    ) -> Result<Vec<LogRow>, DirectoryError> {
        self.poster.flush(FLUSH_PATIENCE).await;
        self.store
            .log_finished_since(scope, finished_at, limit)
            .await
    }

    /// Rolls up what was posted before there were roll-ups, some batches of it; how many generations.
    pub async fn roll_up_missing(&self) -> Result<u64, DirectoryError> {
        let mut rolled_up = 0;
        for _ in 0..ROLL_UP_BATCHES_PER_TURN {
            match self.store.roll_up_missing(ROLL_UP_BATCH).await? {
                0 => break,
                some => rolled_up += some,
            }
        }
        Ok(rolled_up)
    }
}

/// More pieces than a chart has points for.
const HISTOGRAM_PIECES_MAX: u32 = 1_000;
