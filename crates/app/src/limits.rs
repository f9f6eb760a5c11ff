//! Every bound of the request path, in one place.

use std::time::Duration;

/// Endpoints tried for one request at most.
pub const ATTEMPTS_MAX: usize = 3;
/// Steps that wait for a slow reader before the provider is no longer read.
pub const REPLY_CHANNEL_STEPS: usize = 32;
/// How long a caller may leave its answer unread before it counts as gone.
pub const READER_STALL_MAX: Duration = Duration::from_secs(30);
/// Requests served at once by one node.
pub const CONCURRENT_GENERATIONS_MAX: usize = 20_000;
/// Settlements that may wait for SQL before nothing new is admitted.
pub const UNPOSTED_MAX: usize = 200_000;
/// Settlements posted in one transaction.
pub const POST_BATCH_MAX: usize = 2_048;
/// How long the poster waits for a batch to fill.
pub const POST_LINGER: Duration = Duration::from_millis(200);
/// The longest pause between tries to reach SQL.
pub const POST_BACKOFF_MAX: Duration = Duration::from_secs(5);
/// How long a lease holds without renewal.
pub const LEASE_LIFE: Duration = Duration::from_secs(120);
/// How often a node moves the expiry of its leases.
pub const LEASE_RENEWAL: Duration = Duration::from_secs(20);
/// A lease that nothing was reserved from for this long goes back.
pub const LEASE_QUIET: Duration = Duration::from_secs(1);
/// How often a node looks for what lost nodes held.
pub const LEASE_SWEEP: Duration = Duration::from_secs(15);
/// How far the clocks of two nodes may differ.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(30);
/// How often leases are looked after.
pub const LEASE_TENDING: Duration = Duration::from_millis(500);
/// How often a node asks for changed API keys.
pub const KEY_POLL: Duration = Duration::from_millis(500);
/// How long a cached API key is trusted when nothing contradicts it.
pub const KEY_CACHE_LIFE: Duration = Duration::from_secs(60);
/// How long it is trusted while the database cannot be asked.
pub const KEY_CACHE_STALE_LIFE: Duration = Duration::from_secs(300);
/// Cached API keys.
pub const KEY_CACHE_ENTRIES_MAX: usize = 100_000;
/// How often a node asks for changed provider credentials.
pub const CREDENTIAL_POLL: Duration = Duration::from_secs(2);
/// Output tokens assumed for a model whose output limit nobody knows.
pub const OUTPUT_TOKENS_UNKNOWN_MAX: u64 = 32_768;
