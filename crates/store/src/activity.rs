//! What an account's traffic was, for its owners to look at: the log of its generations, their
//! sessions, and sums over any part of them. Sums come from hourly roll-ups where those can tell, and
//! from the generations themselves where they cannot; whoever asks gets the same numbers either way.

mod filter;
mod histogram;
mod log;
mod sums;

pub(crate) use self::{
    histogram::{LATENCY_ENDS, THROUGHPUT_ENDS},
    log::{foreign_id, shortened},
};

use async_trait::async_trait;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, ApiKeyId, WorkspaceId},
};

pub use self::{
    filter::{Bound, Condition, Dimension, Filter, Range, RowMeasure, Scope, Value},
    histogram::{LATENCY_BUCKETS, LatencyHistogram, THROUGHPUT_BUCKETS, ThroughputHistogram},
    log::{
        AppName, Cursor, KeyName, LogQuery, LogRow, LogStatus, Names, PersonName, SessionQuery,
        SessionRow, Turn, WorkspaceName, context_length_bucket, variant_of,
    },
    sums::{Breakdown, Detail, Facet, FacetCount, Interval, Slice, Step, Sums},
};
use crate::directory::DirectoryError;

/// [`DirectoryError::Refused`]: the database gave up, because it would take too long.
pub const TOO_SLOW: &str = "too_slow";

/// Reads what the traffic was.
#[async_trait]
pub trait ActivityStore: Send + Sync + 'static {
    /// A page of the log.
    async fn log_page(&self, asked: &LogQuery) -> Result<Vec<LogRow>, DirectoryError>;

    /// How many generations the scope has, counted up to `cap`.
    async fn log_count(&self, scope: &Scope, cap: u32) -> Result<u64, DirectoryError>;

    /// Generations that were finished at or after an instant, in the order in which they finished;
    /// at most `limit`, and of those admitted in the scope's range.
    async fn log_finished_since(
        &self,
        scope: &Scope,
        finished_at: Timestamp,
        limit: u32,
    ) -> Result<Vec<LogRow>, DirectoryError>;

    /// Sums over a scope.
    async fn totals(&self, scope: &Scope, detail: Detail) -> Result<Sums, DirectoryError>;

    /// Sums over a scope by time and by dimensions: at most `limit` slices and one more where there
    /// are more, in no order.
    async fn breakdown(&self, asked: &Breakdown) -> Result<Vec<Slice>, DirectoryError>;

    /// How many generations of a scope have which values of the dimensions, the most frequent first.
    async fn facets(
        &self,
        scope: &Scope,
        dimensions: &[Dimension],
        values_max: u32,
    ) -> Result<Vec<Facet>, DirectoryError>;

    /// A workspace's sessions, the one used last first.
    async fn sessions(&self, asked: &SessionQuery) -> Result<Vec<SessionRow>, DirectoryError>;

    /// One session's generations, oldest first.
    async fn session_log(
        &self,
        account: AccountId,
        workspace: WorkspaceId,
        session_id: &str,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Vec<LogRow>, DirectoryError>;

    /// What API keys, their workspaces and their makers are called; deleted ones too.
    async fn names(&self, account: AccountId, keys: &[ApiKeyId]) -> Result<Names, DirectoryError>;

    /// Rolls up generations that were posted before there were roll-ups, or by a program that did not
    /// know of them: at most `limit`, the newest first. Returns how many; 0 is all done. Any number of
    /// callers may do so at once.
    async fn roll_up_missing(&self, limit: u32) -> Result<u64, DirectoryError>;

    /// Compares roll-ups with generations: the hours of `scope`'s range in which they differ.
    async fn roll_up_faults(
        &self,
        account: AccountId,
        range: Range,
    ) -> Result<Vec<Timestamp>, DirectoryError>;
}
