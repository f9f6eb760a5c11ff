//! What the nodes of one deployment must agree on: which endpoint a conversation sticks to, how
//! much of a rate limit is left, how endpoints are doing, and which cached facts have stopped being
//! true.
//!
//! One port, [`Coordination`], with two implementations: [`in_process`] for a deployment of one
//! node and [`redis`] for many. One suite, `test_suite` (feature `test-suite`), runs on both.
//!
//! Nothing here may decide about money: whoever loses this crate's state loses warm caches and
//! some precision in rate limits, never a cent. Nothing here sees a prompt or a secret either:
//! keys are digests, values are ids.
//!
//! Start at [`Coordination`], then [`in_process`], then [`redis`].
#![warn(missing_docs)]

mod breaker;
pub mod health;
pub mod in_process;
mod invalidation;
mod pin;
mod rate;
pub mod redis;
#[cfg(feature = "test-suite")]
pub mod test_suite;

use std::{error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;
use switchyard_domain::clock::Timestamp;

pub use health::{HealthDigest, PeerHealth};
pub use invalidation::{Invalidation, Invalidations};
pub use pin::{Pin, PinKey};
pub use rate::{Rate, RateDecision, RateKey};

/// Agreement between nodes.
///
/// Every method may answer [`Degraded`], quickly, and no caller may fail a request because of it.
/// What to do instead:
///
/// | method | while degraded |
/// |---|---|
/// | [`pin`](Self::pin), [`set_pin`](Self::set_pin), [`touch_pin`](Self::touch_pin) | route without stickiness |
/// | [`take`](Self::take) | ask a local [`in_process`] instance with [`Rate::shared_by`] the number of nodes: neither unlimited nor closed |
/// | [`publish_health`](Self::publish_health), [`health_of_peers`](Self::health_of_peers) | go by what this node sees itself |
/// | [`publish`](Self::publish) | this node has already heard it; the others learn of it when they next poll the database |
/// | [`subscribe`](Self::subscribe) | never fails; the stream says [`Invalidation::Everything`] once contact is back |
#[async_trait]
pub trait Coordination: Send + Sync + 'static {
    /// Where the conversation behind `key` was last served, if the pin has not run out.
    async fn pin(&self, key: &PinKey) -> Result<Option<Pin>, Degraded>;

    /// Pins the conversation for `ttl` from now, in place of any earlier pin.
    async fn set_pin(&self, key: &PinKey, pin: &Pin, ttl: Duration) -> Result<(), Degraded>;

    /// Lets an existing pin live for `ttl` from now. A pin that has run out stays gone: only a
    /// success at an endpoint may make a new one.
    async fn touch_pin(&self, key: &PinKey, ttl: Duration) -> Result<(), Degraded>;

    /// Takes one permit from `bucket`, if one is left at `now`. A refused call takes nothing.
    ///
    /// The limit is a sliding window made of two fixed ones: windows of length `limit.per` are
    /// aligned to the epoch, and the window before the current one counts in proportion to how
    /// much of it still lies within the last `limit.per`. So what was used up just before a boundary
    /// comes back evenly, not at once, and the state is two counters per bucket.
    ///
    /// A clock that jumps back reopens nothing: an instant before the newest two windows seen
    /// counts as the newest. Change of a bucket's `limit.per` starts it afresh.
    async fn take(
        &self,
        bucket: &RateKey,
        limit: Rate,
        now: Timestamp,
    ) -> Result<RateDecision, Degraded>;

    /// Whether there can be no other node, so that nothing needs to be told.
    fn is_alone(&self) -> bool {
        false
    }

    /// Tells the other nodes how endpoints are doing here, in place of this node's earlier digest.
    /// They have it for `ttl` from now, so a node that dies is forgotten within that time.
    async fn publish_health(&self, digest: &HealthDigest, ttl: Duration) -> Result<(), Degraded>;

    /// The latest digest of every other node that still has one. A digest that this version cannot
    /// read is as good as none.
    async fn health_of_peers(&self) -> Result<Vec<PeerHealth>, Degraded>;

    /// Tells every node, this one included, that cached facts have stopped being true. This node's
    /// subscribers have it when the call returns, even when it returns an error.
    async fn publish(&self, what: Invalidation) -> Result<(), Degraded>;

    /// What becomes untrue from now on.
    fn subscribe(&self) -> Invalidations;
}

/// Nodes cannot agree at the moment. Not a failure of the request: see the table at
/// [`Coordination`].
#[derive(Debug, Clone, thiserror::Error)]
pub enum Degraded {
    /// No answer came in time.
    #[error("coordination gave no answer within {deadline_ms} ms")]
    TimedOut {
        /// How long the call waited.
        deadline_ms: u64,
    },
    /// Too many calls failed of late; nobody was asked.
    #[error("coordination is not asked for a while, after repeated failures")]
    BreakerOpen,
    /// The call was refused or the connection broke.
    #[error("coordination failed")]
    Failed(#[source] Arc<dyn Error + Send + Sync>),
}

impl Degraded {
    /// A short name for metrics.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TimedOut { .. } => "timed_out",
            Self::BreakerOpen => "breaker_open",
            Self::Failed(_) => "failed",
        }
    }
}
