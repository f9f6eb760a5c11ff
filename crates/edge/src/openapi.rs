//! The API's own description, generated from the handlers that serve it.

pub(crate) mod schemas;

mod routing_schemas;

pub(crate) mod management_schemas;

use utoipa::{
    Modify, OpenApi,
    openapi::{
        ComponentsBuilder,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};

use crate::{
    account, activity, analytics, catalog, docs, generation, health, management, oauth, route,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Switchyard",
        version = "1",
        description = "One API for many models at many providers, compatible with OpenRouter's. \
                       Every path under `/api/v1` is also served under `/v1`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "This service.")),
    tags(
        (name = "Generation", description = "Calling models."),
        (name = "Routing", description = "Where requests go and why."),
        (name = "Catalogue", description = "What there is to call. Public."),
        (name = "Account", description = "The caller's own."),
        (name = "Activity", description = "What the traffic was: for management keys."),
        (name = "Management", description = "What an account has: for management keys."),
        (name = "Service", description = "For load balancers.")
    ),
    paths(
        generation::chat_completions::chat_completions,
        route::explain::explain,
        catalog::models::list,
        catalog::models::count,
        catalog::models::one,
        catalog::endpoints::of_model,
        catalog::endpoints::zero_data_retention,
        catalog::providers::list,
        account::key::current,
        account::credits::current,
        account::generation::one,
        account::receipt::of_generation,
        account::receipt::keys,
        account::decision::one,
        activity::list,
        analytics::meta,
        analytics::query,
        oauth::exchange,
        oauth::create,
        management::keys::list,
        management::keys::create,
        management::keys::one,
        management::keys::update,
        management::keys::delete,
        management::keys::rotate,
        management::workspaces::list,
        management::workspaces::create,
        management::workspaces::one,
        management::workspaces::update,
        management::workspaces::delete,
        management::members::list,
        management::members::add,
        management::members::remove,
        management::members::organization,
        management::byok::list,
        management::byok::create,
        management::byok::one,
        management::byok::update,
        management::byok::delete,
        management::byok::order,
        management::byok::check,
        health::healthz,
        health::readyz,
        docs::errors,
        docs::openapi
    ),
    security(("bearer" = []), ("api_key" = [])),
    modifiers(&Credentials)
)]
struct Api;

/// How a key is presented.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.take().unwrap_or_default();
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let header = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("x-api-key")));
        openapi.components = Some(
            ComponentsBuilder::from(components)
                .security_scheme("bearer", bearer)
                .security_scheme("api_key", header)
                .build(),
        );
    }
}

/// The description.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Api::openapi()
}

/// The description as `openapi.yaml` holds it.
pub fn openapi_yaml() -> String {
    let yaml = openapi()
        .to_yaml()
        .expect("a description of text, numbers and lists cannot fail");
    format!("# Generated from the handlers by `make openapi`. Do not edit.\n{yaml}")
}

#[cfg(test)]
mod tests;
