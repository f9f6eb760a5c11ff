//! Whether this process lives, and whether it can serve.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Edge, reply::json};

/// How a process is doing.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`, `ready` or `unready`.
    status: &'static str,
    /// What keeps it from serving.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

#[utoipa::path(
    get,
    path = "/healthz",
    tag = "Service",
    summary = "Whether the process lives",
    responses((status = 200, description = "It does.", body = Health)),
    security(())
)]
pub(crate) async fn healthz() -> Response {
    json(
        StatusCode::OK,
        &Health {
            status: "ok",
            reason: None,
        },
    )
}

#[utoipa::path(
    get,
    path = "/readyz",
    tag = "Service",
    summary = "Whether requests can be served and charged",
    responses(
        (status = 200, description = "They can.", body = Health),
        (status = 503, description = "They cannot; `reason` says why.", body = Health)
    ),
    security(())
)]
pub(crate) async fn readyz(State(edge): State<Edge>) -> Response {
    match edge.app.readiness().await {
        Ok(()) => json(
            StatusCode::OK,
            &Health {
                status: "ready",
                reason: None,
            },
        ),
        Err(reason) => {
            let unready = Health {
                status: "unready",
                reason: Some(reason),
            };
            json(StatusCode::SERVICE_UNAVAILABLE, &unready)
        }
    }
}
