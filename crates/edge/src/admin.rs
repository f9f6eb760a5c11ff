//! The operators' listener: health, metrics and the catalogue's reload. It has no authentication
//! of its own; it is bound where only operators reach.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
    routing::{get, post},
};
use serde::Serialize;
use switchyard_catalog::{cell::ReloadReport, findings::CatalogFaults};

use crate::{
    Edge, error, health,
    reply::{Refusal, json},
    routes::{method_not_allowed, unknown_route},
};

/// What the operators' routes need beside the edge.
#[derive(Clone)]
pub struct Admin {
    pub edge: Edge,
    /// Renders all metrics as Prometheus text.
    pub render_metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Loads the catalogue again. May block on the file system.
    pub reload_catalog: Arc<dyn Fn() -> Result<ReloadReport, CatalogFaults> + Send + Sync>,
}

/// The operators' routes.
pub fn admin_router(admin: Admin) -> Router {
    let edge = admin.edge.clone();
    let health = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .with_state(edge);
    Router::new()
        .route("/metrics", get(metrics))
        .route("/admin/catalog/reload", post(reload))
        .with_state(admin)
        .merge(health)
        .fallback(unknown_route)
        .method_not_allowed_fallback(method_not_allowed)
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let mut response = Response::new(Body::from((admin.render_metrics)()));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    response
}

async fn reload(State(admin): State<Admin>) -> Result<Response, Refusal> {
    let reload = Arc::clone(&admin.reload_catalog);
    match tokio::task::spawn_blocking(move || reload()).await {
        Ok(Ok(report)) => Ok(json(StatusCode::OK, &Reloaded::from(&report))),
        Ok(Err(faults)) => Ok(json(
            StatusCode::UNPROCESSABLE_ENTITY,
            &Refused::from(&faults),
        )),
        Err(panicked) => {
            tracing::error!(error = %panicked, "the catalogue's reload broke");
            Err(error::internal().into())
        }
    }
}

/// What a reload did.
#[derive(Serialize)]
struct Reloaded {
    changed: bool,
    version_before: String,
    version_after: String,
    models: Changed,
    endpoints: Changed,
    repriced_endpoints: usize,
    remarks: Vec<String>,
}

#[derive(Serialize)]
struct Changed {
    added: usize,
    removed: usize,
    total: usize,
}

/// Why the files were refused; the catalogue in use stays.
#[derive(Serialize)]
struct Refused {
    faults: Vec<String>,
    /// How many more there were than are listed.
    omitted: usize,
}

impl From<&ReloadReport> for Reloaded {
    fn from(report: &ReloadReport) -> Self {
        let changed = |changes: switchyard_catalog::cell::Changes| Changed {
            added: changes.added,
            removed: changes.removed,
            total: changes.total,
        };
        Self {
            changed: report.is_change(),
            version_before: report.version_before.clone(),
            version_after: report.version_after.clone(),
            models: changed(report.models),
            endpoints: changed(report.endpoints),
            repriced_endpoints: report.repriced_endpoints,
            remarks: report.remarks.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<&CatalogFaults> for Refused {
    fn from(faults: &CatalogFaults) -> Self {
        Self {
            faults: faults.faults.iter().map(ToString::to_string).collect(),
            omitted: faults.omitted,
        }
    }
}
