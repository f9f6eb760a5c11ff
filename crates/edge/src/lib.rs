//! The JSON API over HTTP: OpenRouter's surface, so that its clients work unchanged.
//!
//! A handler decodes, calls `switchyard-app` and encodes; nothing here decides about money,
//! routing or privacy, and nothing here sees a database. What a caller may do is a parameter type
//! of the handler ([`caller`]), so that it cannot be forgotten. Which status goes with which
//! failure stands in one file, `error.rs`.
//!
//! Start at `routes.rs`, where every route is on one page, then read
//! `generation/chat_completions.rs`. [`server`] is the accept loop beneath it all.

mod routes;

mod admin;

mod caller;
mod client;

mod generation;

mod route;

mod catalog;

mod account;
mod activity;
mod analytics;

mod management;
mod oauth;

mod docs;
mod health;

mod body;
mod error;
mod reply;

mod frame;

pub mod openapi;

pub mod limits;
pub mod server;

use std::sync::Arc;

use axum::{
    extract::{FromRef, Request},
    http::HeaderName,
    response::{IntoResponse as _, Response},
};
use switchyard_app::App;
use switchyard_domain::{clock::Clock, tenancy::Caller};

use crate::{catalog::shelf::Shelf, frame::Frame};

pub use admin::{Admin, admin_router};
pub use routes::router;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct Edge {
    pub(crate) app: Arc<App>,
    pub(crate) shelf: Shelf,
    pub(crate) frame: Frame,
    pub(crate) country_header: Option<HeaderName>,
}

impl Edge {
    /// An edge in front of `app`. `node` tells this process's request ids from another's.
    pub fn new(app: Arc<App>, clock: Arc<dyn Clock>, node: &str) -> Self {
        let (source, health) = (Arc::clone(&app), Arc::clone(&app));
        let shelf = Shelf::new(
            move || source.catalog(),
            move |endpoint| health.endpoint_figures(endpoint),
            Arc::clone(&clock),
        );
        Self {
            app,
            shelf,
            frame: Frame::new(clock, node),
            country_header: None,
        }
    }

    /// The same, with the header in which a trusted front names the caller's country.
    #[must_use]
    pub fn with_country_header(mut self, header: Option<HeaderName>) -> Self {
        self.country_header = header;
        self
    }

    /// Answers `POST /chat/completions` for a caller who was let in elsewhere. The request's own
    /// credentials are not looked at.
    pub async fn chat_completions(&self, caller: Caller, request: Request) -> Response {
        generation::chat_completions::answer(self.clone(), caller, request)
            .await
            .into_response()
    }
}

impl FromRef<Edge> for Shelf {
    fn from_ref(edge: &Edge) -> Self {
        edge.shelf.clone()
    }
}
