//! What surrounds every page: a name for the request, headers that keep browsers strict, one log line, and
//! a page where a handler panicked.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Response as HttpResponse, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::{Console, error::PageError, visit::Visit};

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
    let (parts, body) = request.into_parts();
    let visit = Visit::of(&parts, None);
    let response = next.run(Request::from_parts(parts, body)).await;
    let mut response = shown(response, &visit);
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

/// A failure that no door has shown, as a page: where it happened, nobody knew who looks.
fn shown(mut response: Response, visit: &Visit) -> Response {
    let error = response.extensions_mut().remove::<Arc<PageError>>();
    error.map_or(response, |error| error.show(visit))
}

/// The answer in place of one that a handler panicked over. What it panicked with is for the log.
pub(crate) fn after_panic(panic: Box<dyn Any + Send>) -> HttpResponse<Body> {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("not a text"), "a page panicked");
    PageError::Broken("a handler panicked".into()).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::to_bytes, http::StatusCode, middleware::map_response, routing::get};
    use tower::ServiceExt as _;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;
    use crate::pages::theme::Theme;

    fn visit() -> Visit {
        Visit {
            visitor: None,
            ip: None,
            request_id: "req_1".to_owned(),
            address: "/".to_owned(),
            theme: Theme::System,
            is_partial: false,
        }
    }

    async fn broken() -> &'static str {
        panic!("the row of sk-secret is missing")
    }

    #[tokio::test]
    async fn a_panic_is_a_page_that_tells_nothing_but_its_name() {
        let router = Router::new()
            .route("/", get(broken))
            .layer(CatchPanicLayer::custom(after_panic))
            .layer(map_response(|response: Response| async move {
                shown(response, &visit())
            }));
        let request = Request::get("/").body(Body::empty()).expect("a request");
        let response = router.oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = to_bytes(response.into_body(), 1 << 20)
            .await
            .expect("a body");
        let page = String::from_utf8_lossy(&body);
        assert!(page.contains("<h1>Something broke</h1>"), "{page}");
        assert!(page.contains("req_1"), "{page}");
        assert!(!page.contains("sk-secret"), "{page}");
    }
}
