//! Asking models by hand, up to four beside each other.
//!
//! `ask.rs` sends a question the way the API would, `answers.rs` tells what became of it, `markdown.rs` makes
//! markup of what a model wrote.

mod answers;
mod ask;
mod markdown;

pub(crate) use self::{
    answers::{one as answer, total},
    ask::ask,
    markdown::render,
};

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use switchyard_domain::model::Modality;

use super::models;
use crate::{
    Console, assets,
    error::PageError,
    shell::{Nav, Shell, page},
    visit::SignedIn,
};

/// More than these do not fit beside each other.
const MODELS_MAX: usize = 4;

#[derive(Template)]
#[template(path = "pages/chat.html")]
struct ChatPage {
    shell: Shell,
    script: String,
    /// What can be asked, by name.
    offered: Vec<(String, String)>,
    /// Whom to ask first.
    chosen: Vec<String>,
    models_max: usize,
    public_url: String,
    lead: String,
}

/// The page; the models of the query are chosen.
pub(crate) async fn show(
    State(console): State<Console>,
    RawQuery(query): RawQuery,
    SignedIn { visit, visitor }: SignedIn,
) -> Result<Response, PageError> {
    let offer = models::offered(&console, &visit).await?;
    let shelf = console.shelf(&offer.catalog);
    let offered = shelf.offered(&offer).filter(|model| {
        let writes = model.output_modalities;
        writes.is_empty() || writes.contains(Modality::Text)
    });
    let offered: Vec<_> = offered
        .map(|model| (model.id.to_string(), model.name.clone()))
        .collect();
    let mut chosen = models::asked(query.as_deref().unwrap_or_default());
    chosen.truncate(MODELS_MAX);
    if chosen.is_empty() {
        chosen.extend(models::showcase(&offer).map(str::to_owned));
    }
    page(&ChatPage {
        lead: format!(
            "Requests go the same way as those of the API, and cost the same. Workspace: {}.",
            visitor.workspace_name()
        ),
        shell: Shell::new(&visit, "Chat", Nav::Chat),
        script: assets::address("chat.js"),
        offered,
        chosen,
        models_max: MODELS_MAX,
        public_url: console.settings.public_url.clone(),
    })
}
