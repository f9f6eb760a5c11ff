//! What a client may send, how slowly, and how much of it at once.

use std::time::Duration;

/// The largest inference body.
pub const INFERENCE_BODY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The largest body of any other request.
pub const MANAGEMENT_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Rows on a page of things that are managed.
pub const MANAGEMENT_PAGE_ROWS_MAX: u32 = 100;
/// Rows on such a page of unstated size.
pub const MANAGEMENT_PAGE_ROWS_DEFAULT: u32 = 50;
/// How deep such a body may be nested.
pub const MANAGEMENT_BODY_DEPTH_MAX: usize = 16;
/// Memory set aside for a body on the word of its `Content-Length` alone.
pub const BODY_BYTES_TRUSTED: usize = 256 * 1024;
/// Request line and headers together.
pub const HEADER_BYTES_MAX: usize = 32 * 1024;
/// How long a client may take over its headers, and over its first request.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may pause within its body.
pub const BODY_IDLE_TIMEOUT: Duration = Duration::from_secs(15);
/// How long it may take over the whole body.
pub const BODY_TOTAL_TIMEOUT: Duration = Duration::from_secs(120);
/// How long a client may leave what was written to it unread before it counts as gone.
pub const WRITE_STALL_MAX: Duration = Duration::from_secs(30);
/// How long a client may pause within a body that was refused already, before the connection is
/// closed on it. Altogether it has [`WRITE_STALL_MAX`].
pub const LINGER_SILENCE_MAX: Duration = Duration::from_secs(5);
/// Connections from one address.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 4_096;
/// How long the accept loop waits when the system has no more sockets to give.
pub const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);
/// Requests in flight on one HTTP/2 connection.
pub const H2_STREAMS_MAX: u32 = 256;
/// Streams that an HTTP/2 client may reset before they were looked at.
pub const H2_RESETS_PENDING_MAX: usize = 20;
/// Streams that this side may have reset for a client's errors before it gives the client up.
pub const H2_RESETS_LOCAL_MAX: usize = 256;
/// Bytes that wait for an HTTP/2 client to take them, for each stream.
pub const H2_SEND_BUFFER_BYTES: usize = 256 * 1024;
/// How often an HTTP/2 client is asked whether it is still there.
pub const H2_PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long it may take to say so.
pub const H2_PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long an HTTP status is held back for a provider's first token; after that the stream is
/// begun with keep-alives and errors are told in band.
pub const STATUS_PATIENCE: Duration = Duration::from_secs(10);
/// Silence after which a stream gets a keep-alive comment.
pub const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// The longest header value that is kept with a generation.
pub const CLIENT_FACT_CHARS_MAX: usize = 256;
/// The longest session id.
pub const SESSION_ID_CHARS_MAX: usize = 256;
/// The longest path that an error message repeats.
pub const PATH_CHARS_SHOWN: usize = 200;
/// Rows on one page of the model list, where a caller asks for pages.
pub const PAGE_ROWS_MAX: usize = 1_000;
/// Rows on a page of unstated size.
pub const PAGE_ROWS_DEFAULT: usize = 500;
/// The longest free-text search.
pub const SEARCH_CHARS_MAX: usize = 256;
/// Completed UTC days that the activity list has.
pub const ACTIVITY_DAYS: u32 = 30;
/// Pieces that sums are cut into before they are put in order; what is beyond is not told.
pub const ANALYTICS_SLICES_MAX: u32 = 100_000;
/// Rows of an answer to a question about activity.
pub const ANALYTICS_ROWS_MAX: u32 = 10_000;
/// Rows where nothing is said of how many.
pub const ANALYTICS_ROWS_DEFAULT: u32 = 1_000;
/// Conditions of such a question.
pub const ANALYTICS_FILTERS_MAX: usize = 20;
/// Values of a condition.
pub const ANALYTICS_VALUES_MAX: usize = 100;
/// Metrics of such a question.
pub const ANALYTICS_METRICS_MAX: usize = 50;
