//! Browsers may call the API from anywhere: it knows no cookies, so `*` gives nothing away.

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
            ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
            ACCESS_CONTROL_REQUEST_HEADERS, ALLOW, VARY,
        },
    },
    response::Response,
};

static ANY: HeaderValue = HeaderValue::from_static("*");
static METHODS: HeaderValue = HeaderValue::from_static("GET,OPTIONS,PATCH,DELETE,POST,PUT");
static EXPOSED: HeaderValue = HeaderValue::from_static(
    "X-Generation-Id,X-Provider-Name,X-Request-Id,request-id,cf-ray,Retry-After,\
     X-RateLimit-Limit,X-RateLimit-Remaining,X-RateLimit-Reset,X-OpenRouter-Cache-Status,\
     X-OpenRouter-Cache-TTL,X-OpenRouter-Cache-Age,X-OpenRouter-Cache-Source-Id,\
     Idempotency-Replayed",
);
/// What a preflight that names no headers is told.
static USUAL_HEADERS: HeaderValue = HeaderValue::from_static("Authorization,Content-Type");
static REQUESTED_HEADERS: HeaderValue = HeaderValue::from_static("Access-Control-Request-Headers");
/// A day.
static MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("86400");

/// Marks an answer as readable by any page.
pub(super) fn allow(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY.clone());
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED.clone());
}

/// The answer to `OPTIONS`: whatever headers the page wants to send, it may.
pub(super) fn preflight(request: &HeaderMap) -> Response {
    let wanted = request
        .get(ACCESS_CONTROL_REQUEST_HEADERS)
        .unwrap_or(&USUAL_HEADERS)
        .clone();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ALLOW, METHODS.clone());
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS.clone());
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted);
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS.clone());
    headers.insert(VARY, REQUESTED_HEADERS.clone());
    response
}
