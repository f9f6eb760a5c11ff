//! `GET /providers`.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use switchyard_catalog::snapshot::Provider;
use utoipa::ToSchema;

use super::shelf::Shelf;
use crate::{openapi::schemas::ProviderList, reply::json_bytes};

/// A company that serves models.
#[derive(Serialize, ToSchema)]
#[schema(as = Provider)]
pub(crate) struct ProviderView<'a> {
    name: &'a str,
    slug: &'a str,
    #[schema(required = true)]
    privacy_policy_url: Option<&'a str>,
    #[schema(required = true)]
    terms_of_service_url: Option<&'a str>,
    #[schema(required = true)]
    status_page_url: Option<&'a str>,
    /// ISO 3166 alpha-2.
    #[schema(required = true)]
    headquarters: Option<&'a str>,
    /// ISO 3166 alpha-2.
    #[schema(required = true)]
    datacenters: Option<&'a [String]>,
}

impl<'a> From<&'a Provider> for ProviderView<'a> {
    fn from(provider: &'a Provider) -> Self {
        Self {
            name: &provider.name,
            slug: provider.slug.as_str(),
            privacy_policy_url: provider.privacy_policy_url.as_deref(),
            terms_of_service_url: provider.terms_of_service_url.as_deref(),
            status_page_url: provider.status_page_url.as_deref(),
            headquarters: provider.headquarters.as_deref(),
            datacenters: provider.datacenters.as_deref(),
        }
    }
}

#[utoipa::path(
    get,
    path = "/api/v1/providers",
    operation_id = "listProviders",
    tag = "Catalogue",
    summary = "All providers",
    responses((status = 200, description = "The providers.", body = ProviderList)),
    security(())
)]
pub(crate) async fn list(State(shelf): State<Shelf>) -> Response {
    json_bytes(StatusCode::OK, shelf.rendered().providers())
}
