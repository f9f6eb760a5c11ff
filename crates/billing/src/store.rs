//! The port through which money reaches SQL. One method is one transaction; what a method
//! promises holds on every engine, and `test_suite` proves it on each.

use async_trait::async_trait;
use switchyard_domain::{
    clock::Timestamp,
    id::{AccountId, GenerationId, LeaseId, LedgerTransactionId, NodeId},
    money::UsdNanos,
};

use crate::{
    fund::{FundBalance, FundId, FundRef},
    settlement::Settlement,
};

/// Why the books could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or is too slow; the same call may succeed later.
    #[error("the ledger is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The row the call names does not exist.
    #[error("{0} does not exist")]
    Missing(String),
    /// The database answered something that cannot be; a human must look.
    #[error("the ledger is inconsistent: {0}")]
    Inconsistent(String),
}

/// A node asks to hold money of a fund.
#[derive(Debug, Clone, Copy)]
pub struct LeaseAsk {
    /// The fund.
    pub fund: FundRef,
    /// The lease to enlarge; a new one is opened under this id if it does not exist.
    pub lease: LeaseId,
    /// Who asks.
    pub node: NodeId,
    /// Hold at least this much or nothing.
    pub needed: UsdNanos,
    /// Hold up to this much if the fund is ample: the store grants
    /// `max(needed, min(wanted, available / 8))`, so leases shrink as a fund runs dry.
    pub wanted: UsdNanos,
    /// When the hold lapses unless renewed. Enlarging a lease never makes it lapse earlier.
    pub expires_at: Timestamp,
    /// Now.
    pub now: Timestamp,
}

/// The answer to a [`LeaseAsk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseOutcome {
    /// This much more is held now.
    Granted(UsdNanos),
    /// The fund cannot bear `needed`; nothing was held. `available` may be zero or negative.
    Insufficient {
        /// What could have been held.
        available: UsdNanos,
    },
}

/// What became of one settlement in a posted batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostOutcome {
    /// Written now.
    Posted,
    /// Was written before with the same content; nothing changed.
    AlreadyPosted,
    /// Was written before with other content; nothing changed, a human must look.
    Conflict,
}

/// Money comes in.
#[derive(Debug, Clone)]
pub struct CreditGrant {
    /// The transaction's id.
    pub transaction_id: LedgerTransactionId,
    /// Names the transaction: granting again under the same name does nothing.
    pub idempotency_key: String,
    /// Who receives.
    pub account_id: AccountId,
    /// How much; positive.
    pub amount: UsdNanos,
    /// Why, for the audit trail.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What a ledger check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerReport {
    /// Transactions looked at.
    pub transactions: u64,
    /// Generations looked at.
    pub generations: u64,
    /// The sum of all postings; must be zero.
    pub postings_sum: i128,
    /// Money held by leases now.
    pub held: UsdNanos,
    /// Leases outstanding now.
    pub leases: u64,
    /// What does not hold, in words; empty when all is well.
    pub faults: Vec<String>,
}

/// The books.
#[async_trait]
pub trait LedgerStore: Send + Sync + 'static {
    /// Holds money of a fund for a node, in one guarded update.
    async fn take_lease(&self, ask: &LeaseAsk) -> Result<LeaseOutcome, StoreError>;

    /// Gives `amount` of a lease back to its fund; all that is left of it if `amount` is more.
    /// A lease that has nothing left disappears; one that is gone already is no error.
    async fn return_lease(&self, lease: LeaseId, amount: UsdNanos) -> Result<(), StoreError>;

    /// Moves the expiry of all of a node's leases to a later instant, never to an earlier one.
    async fn renew_leases(&self, node: NodeId, expires_at: Timestamp) -> Result<(), StoreError>;

    /// Gives back everything a node holds; for its start, after its journal was replayed, and
    /// for its stop. Returns how much.
    async fn release_node(&self, node: NodeId) -> Result<UsdNanos, StoreError>;

    /// Gives back what leases hold that lapsed at `now` or before, whoever took them. Returns how
    /// much. Nodes stop using a lease when it lapses by their own clock, so `now` should lag
    /// behind by what clocks may differ.
    async fn sweep_expired(&self, now: Timestamp) -> Result<UsdNanos, StoreError>;

    /// Writes a batch of settlements: generation, attempts, postings, fund spending, hold
    /// consumption and roll-ups, all or none. A charge is always posted, whatever the balance,
    /// and no text in a settlement can prevent it. Two settlements of one generation are the same
    /// when their [`content_digest`](crate::ledger::content_digest) is.
    /// Outcomes stand in the order of the batch.
    async fn post(&self, batch: &[Settlement]) -> Result<Vec<PostOutcome>, StoreError>;

    /// Adds credit; `false` when this grant was already made.
    async fn grant(&self, grant: &CreditGrant) -> Result<bool, StoreError>;

    /// A fund's state; zeros when nothing ever touched it.
    async fn fund(&self, id: FundId) -> Result<FundBalance, StoreError>;

    /// Whether a generation has been posted.
    async fn is_posted(&self, id: &GenerationId) -> Result<bool, StoreError>;

    /// Checks every invariant of the ledger.
    async fn verify(&self) -> Result<LedgerReport, StoreError>;
}
