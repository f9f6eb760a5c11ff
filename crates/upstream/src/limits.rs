//! Every bound on what a provider may make us wait for or hold in memory.

use std::time::Duration;

/// How long each stage of a call may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Name look-up, TCP and TLS.
    pub connect: Duration,
    /// From sending the request to the response's status line, for a streamed answer.
    pub first_byte: Duration,
    /// Between two reads of the response body. Provider keep-alives count as life.
    pub idle: Duration,
    /// The whole call.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            total: Duration::from_secs(1_800),
        }
    }
}

impl Timeouts {
    /// A complete answer comes only when all of it is generated, so its first byte may take ten
    /// times as long as a stream's.
    pub fn first_byte_of_complete(&self) -> Duration {
        self.first_byte.saturating_mul(10).min(self.total)
    }
}

/// The longest single server-sent event.
pub const SSE_EVENT_BYTES_MAX: usize = 1024 * 1024;
/// The largest complete answer.
pub const COMPLETE_BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The largest error body that is read; the rest is dropped with the connection.
pub const ERROR_BODY_BYTES_MAX: usize = 64 * 1024;
/// The most a streamed answer may bring in all.
pub const STREAM_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How long an unused connection is kept.
pub const POOL_IDLE: Duration = Duration::from_secs(45);
/// Unused connections kept per provider address.
pub const POOL_IDLE_PER_HOST_MAX: usize = 256;
/// The longest a provider's `Retry-After` is believed.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);
