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
/// The longest frame of an event stream. It holds one event in letters that take a third more.
pub const EVENT_STREAM_FRAME_BYTES_MAX: usize = 2 * SSE_EVENT_BYTES_MAX;
/// The most its headers may take of a frame.
pub const EVENT_STREAM_HEADER_BYTES_MAX: usize = 128 * 1024;
/// Service accounts whose access tokens are kept; beyond, those used least lately are fetched anew.
pub const ACCESS_TOKENS_MAX: usize = 1_024;
/// How long before its end a token is replaced.
pub const TOKEN_RENEWED_BEFORE: Duration = Duration::from_secs(300);
/// The longest that a token is believed to live.
pub const TOKEN_LIFE_MAX: Duration = Duration::from_secs(12 * 3_600);
/// How long a token that could not be replaced is used before the next try, while it lasts.
pub const TOKEN_RENEWAL_PAUSE: Duration = Duration::from_secs(30);
/// How long nobody asks again for a token that was refused.
pub const TOKEN_REFUSAL_REMEMBERED: Duration = Duration::from_secs(5);
/// How long the token service may take to begin its answer, and then to end it.
pub const TOKEN_EXCHANGE_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer of the token service.
pub const TOKEN_ANSWER_BYTES_MAX: usize = 64 * 1024;
