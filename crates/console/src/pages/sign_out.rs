//! Signing out.

use askama::Template;
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse as _, Redirect, Response},
};

use super::sign_in_link::Nothing;
use crate::{
    Console,
    error::PageError,
    form::Submitted,
    shell::{Nav, Shell, page},
    visit::{SignedIn, no_session_cookie},
};

#[derive(Template)]
#[template(path = "pages/sign_out.html")]
struct SignOutPage {
    shell: Shell,
}

/// For whoever comes by address.
pub(crate) async fn ask(SignedIn { visit, .. }: SignedIn) -> Result<Response, PageError> {
    page(&SignOutPage {
        shell: Shell::new(&visit, "Sign out", Nav::None),
    })
}

/// Ends the session.
pub(crate) async fn leave(
    State(console): State<Console>,
    SignedIn { visitor, .. }: SignedIn,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    let id = visitor.session().id;
    console.app.people().end_session(&visitor, id).await?;
    let cookie = [(header::SET_COOKIE, no_session_cookie())];
    Ok((cookie, Redirect::to("/login")).into_response())
}
