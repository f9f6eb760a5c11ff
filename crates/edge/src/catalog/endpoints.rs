//! `GET /models/{author}/{slug}/endpoints` and `GET /endpoints/zdr`.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    endpoint_view::EndpointView,
    model_view::ArchitectureView,
    names::{NamePath, find, name_in},
    shelf::Shelf,
};
use crate::{
    openapi::schemas::{EndpointList, ErrorBody},
    reply::{Refusal, json, json_bytes},
};

#[derive(Serialize, ToSchema)]
pub(crate) struct ModelEndpoints<'a> {
    data: ModelEndpointsData<'a>,
}

/// A model and who serves it.
#[derive(Serialize, ToSchema)]
struct ModelEndpointsData<'a> {
    id: &'a str,
    name: &'a str,
    created: i64,
    description: &'a str,
    architecture: ArchitectureView<'a>,
    endpoints: Vec<EndpointView<'a>>,
}

#[utoipa::path(
    get,
    path = "/api/v1/models/{author}/{slug}/endpoints",
    operation_id = "listModelEndpoints",
    tag = "Catalogue",
    summary = "Who serves a model, and at which price",
    params(
        ("author" = String, Path, description = "The part of the model's id before the slash."),
        ("slug" = String, Path, description = "The part after it, with a variant if any.")
    ),
    responses(
        (status = 200, description = "The endpoints whose price is known.", body = ModelEndpoints),
        (status = 404, description = "No such model.", body = ErrorBody)
    ),
    security(())
)]
pub(crate) async fn of_model(
    State(shelf): State<Shelf>,
    path: NamePath,
) -> Result<Response, Refusal> {
    let name = name_in(path)?;
    let catalog = shelf.catalog();
    let model = find(&catalog, &name)?.model;
    let endpoints = catalog.endpoints_of(model);
    let data = ModelEndpointsData {
        id: model.id.as_str(),
        name: &model.name,
        created: model.created.unwrap_or(0),
        description: model.description.as_deref().unwrap_or_default(),
        architecture: ArchitectureView::from(model),
        endpoints: endpoints
            .filter_map(|one| {
                let view = EndpointView::new(&catalog, one)?;
                Some(view.measured(&shelf.figures(&one.id)))
            })
            .collect(),
    };
    Ok(json(StatusCode::OK, &ModelEndpoints { data }))
}

#[utoipa::path(
    get,
    path = "/api/v1/endpoints/zdr",
    operation_id = "listZdrEndpoints",
    tag = "Catalogue",
    summary = "All endpoints that neither keep prompts nor train on them",
    responses((status = 200, description = "The endpoints.", body = EndpointList)),
    security(())
)]
pub(crate) async fn zero_data_retention(State(shelf): State<Shelf>) -> Response {
    json_bytes(StatusCode::OK, shelf.rendered().zero_data_retention())
}
