//! The pages. Each has a handler here and a template beside `templates/pages`.

pub(crate) mod activity;
pub(crate) mod audit;
pub(crate) mod authorize;
pub(crate) mod billing;
pub(crate) mod chat;
pub(crate) mod credentials;
pub(crate) mod demo_mail;
pub(crate) mod generation;
pub(crate) mod keys;
pub(crate) mod kit;
pub(crate) mod landing;
pub(crate) mod logs;
pub(crate) mod members;
pub(crate) mod models;
pub(crate) mod notifications;
pub(crate) mod onboarding;
pub(crate) mod overview;
pub(crate) mod privacy;
pub(crate) mod security;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod sign_in_link;
pub(crate) mod sign_out;
pub(crate) mod theme;
pub(crate) mod workspaces;

use axum::response::Response;

use crate::{error::PageError, visit::Visit};

/// For addresses that are none of ours.
pub(crate) async fn not_found(visit: Visit) -> Response {
    PageError::NotFound.show(&visit)
}
