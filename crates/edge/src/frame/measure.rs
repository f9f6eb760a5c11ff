//! Counts of answers. Labels come from the route table and from a list of statuses, never from a
//! caller.

use std::time::Duration;

/// Counts an answer and the time to its first byte.
pub(super) fn answered(route: &'static str, status: u16, elapsed: Duration) {
    metrics::counter!(
        "switchyard_http_requests_total", "route" => route, "status" => label(status)
    )
    .increment(1);
    metrics::histogram!("switchyard_http_first_byte_seconds", "route" => route)
        .record(elapsed.as_secs_f64());
}

const fn label(status: u16) -> &'static str {
    match status {
        200 => "200",
        204 => "204",
        400 => "400",
        401 => "401",
        402 => "402",
        403 => "403",
        404 => "404",
        405 => "405",
        408 => "408",
        413 => "413",
        415 => "415",
        429 => "429",
        431 => "431",
        500 => "500",
        502 => "502",
        503 => "503",
        504 => "504",
        _ => "other",
    }
}
