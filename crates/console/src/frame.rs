//! What surrounds every page: a name for the request, headers that keep browsers strict, one log line, and
//! a page where a handler panicked.

use std::{any::Any, time::Duration};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Response as HttpResponse, header},
    middleware::Next,
    response::Response,
};

use crate::{Console, error};

/// Nothing from elsewhere, nothing inline; only forms of our own.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

static STRICT: [(HeaderName, HeaderValue); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
    ),
];

static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name of a request, among its extensions.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// Names the request, and puts on its answer what every answer has.
pub(crate) async fn surround(
    State(console): State<Console>,
    mut request: Request,
    next: Next,
) -> Response {
    let started_at = console.app.clock().monotonic();
    let id = console.app.new_request_id();
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unknown page", MatchedPath::as_str);
    let mut response = next.run(request).await;
    let status = response.status().as_u16();
    let headers = response.headers_mut();
    for (name, value) in &STRICT {
        headers.insert(name.clone(), value.clone());
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::try_from(&id) {
        headers.insert(X_REQUEST_ID.clone(), value);
    }
    let elapsed = console.app.clock().monotonic().saturating_sub(started_at);
    measure(route, status, elapsed);
    if status >= 500 {
        tracing::warn!(
            http.method = method.as_str(),
            http.route = route,
            http.status = status,
            request.id = id,
            "could not show a page"
        );
    }
    response
}

fn measure(route: &str, status: u16, elapsed: Duration) {
    let route = route.to_owned();
    metrics::counter!("switchyard_console_requests_total", "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("switchyard_console_render_seconds", "route" => route)
        .record(elapsed.as_secs_f64());
}

/// The answer in place of one that a handler panicked over.
pub(crate) fn after_panic(panic: Box<dyn Any + Send>) -> HttpResponse<Body> {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("not a text"), "a page panicked");
    error::broken()
}
