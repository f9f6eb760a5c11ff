//! Every bound, in one place.

use std::time::Duration;

/// One question, both tries and the wait for a free place included.
pub(crate) const ASK_TIMEOUT: Duration = Duration::from_secs(2);
/// The first try ends early enough that the second has as long.
pub(crate) const FIRST_TRY_TIMEOUT: Duration = Duration::from_secs(1);
/// Requests and answers are a few hundred bytes.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;
/// Room that a request is written into at once: a buffer that grew would leave copies behind.
pub(crate) const REQUEST_BYTES_ROOM: usize = 16 * 1024;
/// Questions on their way at once.
pub(crate) const ASKED_AT_ONCE_MAX: usize = 64;
/// Failures in a row after which a service is left alone.
pub(crate) const FAILURES_MAX: u32 = 3;
/// How long it is left alone at first; twice as long after each probe that failed.
pub(crate) const REST_MIN: Duration = Duration::from_secs(5);
/// And at most.
pub(crate) const REST_MAX: Duration = Duration::from_secs(60);
/// How long a service's word about its newest key version counts.
pub(crate) const CURRENT_VERSION_TTL: Duration = Duration::from_secs(30);
/// How long an unused connection is kept, so that changed addresses are noticed.
pub(crate) const POOL_IDLE: Duration = Duration::from_secs(45);
/// Unused connections kept.
pub(crate) const POOL_IDLE_MAX: usize = 8;
/// What an error may quote of a service's own words.
pub(crate) const QUOTED_CHARS_MAX: usize = 200;
