//! The views against the shipped catalogue, row by row.

mod checker;
mod lists;
mod queries;

use std::{path::Path, sync::Arc, time::Duration};

use axum::{
    body::to_bytes,
    extract::State,
    http::Uri,
    response::{IntoResponse, Response},
};
use serde_json::Value;
use switchyard_app::health::EndpointFigures;
use switchyard_catalog::{load::load, snapshot::Catalog};
use switchyard_domain::clock::{Clock, Timestamp};

use super::{models, shelf::Shelf};

/// A clock that stands.
struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// The day the shipped catalogue was gathered.
fn today() -> Timestamp {
    Timestamp::parse_rfc3339("2026-11-22T12:00:00Z").expect("an instant")
}

fn shipped() -> Arc<Catalog> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/catalog");
    Arc::new(load(&dir, today()).expect("the shipped catalogue holds together"))
}

fn shelf_of(catalog: &Arc<Catalog>) -> Shelf {
    let catalog = Arc::clone(catalog);
    Shelf::new(
        move || Arc::clone(&catalog),
        |_| EndpointFigures::default(),
        Arc::new(Still(today())),
    )
}

async fn body_of(response: impl IntoResponse) -> (u16, Value) {
    let response: Response = response.into_response();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 10_000_000)
        .await
        .expect("a body");
    (status, serde_json::from_slice(&body).expect("JSON"))
}

async fn list(shelf: &Shelf, query: &str) -> (u16, Value) {
    let uri: Uri = format!("/api/v1/models{query}")
        .parse()
        .expect("an address");
    body_of(models::list(State(shelf.clone()), uri).await).await
}

/// The ids of a list.
fn ids(list: &Value) -> Vec<&str> {
    let rows = list["data"].as_array().expect("rows");
    rows.iter()
        .map(|row| row["id"].as_str().expect("an id"))
        .collect()
}
