//! Every public route, on one page.

use axum::{
    Router,
    extract::Request,
    http::{Method, Uri},
    routing::{MethodRouter, any, get, post, put},
};
use tower::{ServiceExt as _, service_fn};

use crate::{
    Edge, account, activity, analytics, catalog, docs, error, frame::Observe,
    generation::chat_completions::chat_completions, health, management, oauth, reply::Refusal,
    route,
};

/// OpenRouter's prefix, and the bare one that OpenAI's clients are pointed at.
const PREFIXES: [&str; 2] = ["/api/v1", "/v1"];

/// The public API, and beside it whatever has no place under its prefixes: the console's pages.
pub fn router(edge: Edge, pages: Router) -> Router {
    let mut router = Router::new();
    for (path, methods) in api() {
        let methods = finished(methods, path, &edge);
        for prefix in PREFIXES {
            router = router.route(&[prefix, path].concat(), methods.clone());
        }
    }
    for (path, methods) in management() {
        let methods = named_early(methods, path, &edge);
        for prefix in PREFIXES {
            router = router.route(&[prefix, path].concat(), methods.clone());
        }
    }
    for (path, methods) in service() {
        router = router.route(path, finished(methods, path, &edge));
    }
    let unknown = any(unknown_route).layer(Observe::new("unknown", &edge.frame));
    let unknown = unknown.with_state(edge.clone());
    let elsewhere = service_fn(move |request: Request| {
        let (unknown, pages) = (unknown.clone(), pages.clone());
        async move {
            if is_of_the_api(request.uri().path()) {
                unknown.oneshot(request).await
            } else {
                pages.oneshot(request).await
            }
        }
    });
    router.fallback_service(elsewhere).with_state(edge)
}

fn is_of_the_api(path: &str) -> bool {
    let below = |prefix: &&str| {
        let rest = path.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    PREFIXES.iter().any(below) || below(&"/api")
}

/// What lies under both prefixes.
fn api() -> Vec<(&'static str, MethodRouter<Edge>)> {
    vec![
        // Generation: an inference key.
        ("/chat/completions", post(chat_completions)),
        // What would be done with one: any key.
        ("/route/explain", post(route::explain::explain)),
        // The catalogue: public.
        ("/models", get(catalog::models::list)),
        ("/models/count", get(catalog::models::count)),
        ("/model/{author}/{slug}", get(catalog::models::one)),
        (
            "/models/{author}/{slug}/endpoints",
            get(catalog::endpoints::of_model),
        ),
        (
            "/endpoints/zdr",
            get(catalog::endpoints::zero_data_retention),
        ),
        ("/providers", get(catalog::providers::list)),
        // The caller's own: any key, for the credits a management key.
        ("/key", get(account::key::current)),
        ("/auth/key", get(account::key::current)),
        // A code for a key: whoever has the code and its verifier.
        ("/auth/keys", post(oauth::exchange)),
        ("/credits", get(account::credits::current)),
        ("/generation", get(account::generation::one)),
        (
            "/generation/{id}/receipt",
            get(account::receipt::of_generation),
        ),
        // What the traffic was: a management key.
        ("/activity", get(activity::list)),
        ("/analytics/meta", get(analytics::meta)),
        ("/analytics/query", post(analytics::query)),
        // What receipts are checked with: public.
        ("/receipts/keys", get(account::receipt::keys)),
        ("/generation/{id}/decision", get(account::decision::one)),
    ]
}

/// What lies under both prefixes and changes what an account has: a management key. Each line is one
/// path.
fn management() -> Vec<(&'static str, MethodRouter<Edge>)> {
    vec![
        (
            "/keys",
            get(management::keys::list).post(management::keys::create),
        ),
        ("/keys/{hash}/rotate", post(management::keys::rotate)),
        (
            "/keys/{hash}",
            get(management::keys::one)
                .patch(management::keys::update)
                .delete(management::keys::delete),
        ),
        ("/auth/keys/code", post(oauth::create)),
        (
            "/workspaces",
            get(management::workspaces::list).post(management::workspaces::create),
        ),
        (
            "/workspaces/{id}",
            get(management::workspaces::one)
                .patch(management::workspaces::update)
                .delete(management::workspaces::delete),
        ),
        ("/workspaces/{id}/members", get(management::members::list)),
        (
            "/workspaces/{id}/members/add",
            post(management::members::add),
        ),
        (
            "/workspaces/{id}/members/remove",
            post(management::members::remove),
        ),
        (
            "/organization/members",
            get(management::members::organization),
        ),
        (
            "/byok",
            get(management::byok::list).post(management::byok::create),
        ),
        (
            "/byok/{id}",
            get(management::byok::one)
                .patch(management::byok::update)
                .delete(management::byok::delete),
        ),
        ("/byok/order", put(management::byok::order)),
        ("/byok/{id}/check", post(management::byok::check)),
    ]
}

/// What load balancers and readers ask.
fn service() -> Vec<(&'static str, MethodRouter<Edge>)> {
    vec![
        ("/healthz", get(health::healthz)),
        ("/readyz", get(health::readyz)),
        ("/docs/errors", get(docs::errors)),
        ("/openapi.yaml", get(docs::openapi)),
    ]
}

/// The route with its answer to other methods, seen by logs and metrics under `path`.
fn finished(methods: MethodRouter<Edge>, path: &'static str, edge: &Edge) -> MethodRouter<Edge> {
    methods
        .fallback(method_not_allowed)
        .layer(Observe::new(path, &edge.frame))
}

/// The same, for handlers that write down who asked.
fn named_early(methods: MethodRouter<Edge>, path: &'static str, edge: &Edge) -> MethodRouter<Edge> {
    methods
        .fallback(method_not_allowed)
        .layer(Observe::new(path, &edge.frame).named_early())
}

pub(crate) async fn method_not_allowed(method: Method) -> Refusal {
    error::method_not_allowed(method.as_str()).into()
}

pub(crate) async fn unknown_route(method: Method, uri: Uri) -> Refusal {
    error::unknown_route(method.as_str(), uri.path()).into()
}

/// Every path of the table, without its prefix.
#[cfg(test)]
pub(crate) fn paths() -> Vec<&'static str> {
    api()
        .into_iter()
        .chain(management())
        .chain(service())
        .map(|(path, _)| path)
        .collect()
}
