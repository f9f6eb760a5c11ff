use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
    routing::{any, get, post},
};
use switchyard_domain::clock::Timestamp;
use tower::ServiceExt;

use super::*;
use crate::routes::{method_not_allowed, unknown_route};

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_764_000_000)
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

async fn broken() -> &'static str {
    panic!("on purpose")
}

fn router() -> Router {
    let frame = Frame::new(Arc::new(Still), "n1");
    let framed = |methods: axum::routing::MethodRouter, path| {
        methods
            .fallback(method_not_allowed)
            .layer(Observe::new(path, &frame))
    };
    Router::new()
        .route(
            "/v1/models",
            framed(get(|| async { "all of them" }), "/models"),
        )
        .route("/v1/chat", framed(post(broken), "/chat"))
        .fallback_service(any(unknown_route).layer(Observe::new("unknown", &frame)))
}

async fn send(method: &str, path: &str, headers: &[(&str, &str)]) -> (Response, String) {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let Ok(response) = router().oneshot(request).await;
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 10_000).await.expect("a short body");
    let text = String::from_utf8(body.to_vec()).expect("text");
    (Response::from_parts(parts, Body::empty()), text)
}

#[tokio::test]
async fn every_answer_may_be_read_by_any_page_and_has_an_id() {
    for (method, path, status) in [
        ("GET", "/v1/models", 200),
        ("HEAD", "/v1/models", 200),
        ("DELETE", "/v1/models", 405),
        ("GET", "/v1/chat", 405),
        ("POST", "/v1/chat", 500),
        ("GET", "/v1/nothing", 404),
        ("POST", "/", 404),
        ("OPTIONS", "/v1/models", 204),
        ("OPTIONS", "/v1/nothing", 204),
    ] {
        let (response, body) = send(method, path, &[]).await;
        let headers = response.headers();
        let case = format!("{method} {path}");
        assert_eq!(response.status().as_u16(), status, "{case}");
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*", "{case}");
        let exposed = headers[header::ACCESS_CONTROL_EXPOSE_HEADERS]
            .to_str()
            .expect("text");
        for name in [
            "X-Generation-Id",
            "X-Provider-Name",
            "request-id",
            "Retry-After",
        ] {
            assert!(exposed.split(',').any(|one| one == name), "{case}: {name}");
        }
        assert_eq!(headers["x-request-id"], "req-1764000000-n1-0", "{case}");
        assert_eq!(headers["x-request-id"], headers["request-id"], "{case}");
        if status >= 400 {
            assert_eq!(headers[header::CONTENT_TYPE], "application/json", "{case}");
            let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
            assert_eq!(body["error"]["code"], status, "{case}");
            assert!(body["error"]["message"].is_string(), "{case}");
        }
    }
}

#[tokio::test]
async fn preflights_allow_whatever_is_asked_for() {
    let wanted = "authorization,x-stainless-os,x-openrouter-title";
    let asked = [
        ("access-control-request-headers", wanted),
        ("origin", "https://a.example"),
    ];
    let (response, body) = send("OPTIONS", "/v1/chat", &asked).await;
    let headers = response.headers();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_HEADERS], wanted);
    assert!(
        headers[header::ACCESS_CONTROL_ALLOW_METHODS]
            .to_str()
            .expect("text")
            .contains("POST")
    );
    assert_eq!(headers[header::ACCESS_CONTROL_MAX_AGE], "86400");
    assert!(body.is_empty());
    let (response, _) = send("OPTIONS", "/v1/chat", &[]).await;
    assert_eq!(
        response.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS],
        "Authorization,Content-Type"
    );
}

#[tokio::test]
async fn wrong_methods_learn_the_right_ones() {
    let (response, _) = send("PUT", "/v1/models", &[]).await;
    assert_eq!(response.headers()[header::ALLOW], "GET,HEAD");
}

#[tokio::test]
async fn a_panic_says_nothing() {
    let (response, body) = send("POST", "/v1/chat", &[]).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!body.contains("purpose"), "{body}");
}

#[tokio::test]
async fn a_head_ends_at_the_limit() {
    let fits = "x".repeat(HEADER_BYTES_MAX - 100);
    let (response, _) = send("GET", "/v1/models", &[("x-padding", &fits)]).await;
    assert_eq!(response.status(), StatusCode::OK);
    let exceeds = "x".repeat(HEADER_BYTES_MAX);
    let (response, body) = send("GET", "/v1/models", &[("x-padding", &exceeds)]).await;
    assert_eq!(response.status().as_u16(), 431);
    assert!(body.contains("headers"), "{body}");
}
