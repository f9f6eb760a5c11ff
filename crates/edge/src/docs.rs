//! What the API says about itself: the pages that answers point to, and its description.

use axum::{
    body::Body,
    http::{HeaderValue, header::CONTENT_TYPE},
    response::Response,
};

const ERRORS: &str = include_str!("../../../docs/errors.md");
const OPENAPI: &str = include_str!("../../../openapi.yaml");

/// Explains the error envelope; `availability.docs_url` points here.
#[utoipa::path(
    get,
    path = "/docs/errors",
    tag = "Service",
    summary = "What errors mean and what to do about them",
    responses((status = 200, description = "A page.", body = String, content_type = "text/markdown")),
    security(())
)]
pub(crate) async fn errors() -> Response {
    text(
        ERRORS,
        HeaderValue::from_static("text/markdown; charset=utf-8"),
    )
}

/// The OpenAPI description.
#[utoipa::path(
    get,
    path = "/openapi.yaml",
    tag = "Service",
    summary = "This description",
    responses((status = 200, description = "OpenAPI.", body = String, content_type = "application/yaml")),
    security(())
)]
pub(crate) async fn openapi() -> Response {
    text(OPENAPI, HeaderValue::from_static("application/yaml"))
}

fn text(text: &'static str, kind: HeaderValue) -> Response {
    let mut response = Response::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_errors_knows_every_type_that_is_answered() {
        let source = concat!(
            include_str!("error.rs"),
            include_str!("error/attempts.rs"),
            include_str!("error/credentials.rs"),
            include_str!("error/management.rs"),
            include_str!("error/tenancy.rs")
        );
        let types = source.split('"').filter(|text| {
            // Fields are named there as well.
            text.contains('_')
                && !text.ends_with("_id")
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        });
        let mut seen = 0;
        for error_type in types {
            assert!(
                ERRORS.contains(&format!("`{error_type}`")),
                "{error_type} is not explained"
            );
            seen += 1;
        }
        assert!(seen > 10, "the source was read");
        // Without an underscore.
        for error_type in ["authentication", "conflict", "server", "timeout"] {
            assert!(ERRORS.contains(&format!("`{error_type}`")), "{error_type}");
        }
    }
}
