//! The first page of somebody who is not signed in: what this is, and a request to paste.

use askama::Template;
use axum::{extract::State, http::HeaderMap, response::Response};

use super::{models, overview};
use crate::{
    Console,
    error::PageError,
    shell::{Nav, Shell, page},
    snippets::{Asking, NO_KEY, snippets},
    ui,
    visit::{SignedIn, Visit},
};

#[derive(Template)]
#[template(path = "pages/landing.html")]
struct LandingPage {
    shell: Shell,
    models: String,
    providers: String,
    snippets: Vec<(&'static str, String)>,
    is_demo: bool,
}

/// The overview of whoever is signed in, or else what this is.
pub(crate) async fn first(
    State(console): State<Console>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    if let Some(visitor) = visit.visitor.clone() {
        return overview::show(State(console), SignedIn { visit, visitor }, headers).await;
    }
    let offer = console.app.offer(None).await?;
    let shelf = console.shelf(&offer.catalog);
    page(&LandingPage {
        shell: Shell::new(&visit, "One key for every model", Nav::Overview).public(),
        models: ui::count(shelf.models_of(&offer)),
        providers: ui::count(shelf.providers_of(&offer)),
        snippets: snippets(&Asking {
            public_url: &console.settings.public_url,
            key: NO_KEY,
            model: models::showcase(&offer).unwrap_or("author/model"),
        }),
        is_demo: console.settings.is_demo,
    })
}
