//! The link by which an operator lets somebody in.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::people::links::Purpose;

use crate::{
    Console,
    error::PageError,
    form::Submitted,
    shell::{Nav, Shell, page},
    visit::{Visit, session_cookie},
};

#[derive(Template)]
#[template(path = "pages/sign_in_link.html")]
struct LinkPage {
    shell: Shell,
    is_usable: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Nothing {}

/// Asks before it is used: programs that look at mail follow links.
pub(crate) async fn look(
    State(console): State<Console>,
    Path(token): Path<String>,
    visit: Visit,
) -> Result<Response, PageError> {
    let people = console.app.people();
    let link = people.look_at_link(&token, Purpose::SignIn).await?;
    page(&LinkPage {
        shell: Shell::new(&visit, "Sign in", Nav::None),
        is_usable: link.is_some(),
    })
}

/// Signs in, once.
pub(crate) async fn follow(
    State(console): State<Console>,
    Path(token): Path<String>,
    visit: Visit,
    headers: HeaderMap,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    let device = visit.device(&headers);
    let session = console.app.people().sign_in_by_link(&token, device).await?;
    let Some(session) = session else {
        return page(&LinkPage {
            shell: Shell::new(&visit, "Sign in", Nav::None),
            is_usable: false,
        });
    };
    let cookie = [(header::SET_COOKIE, session_cookie(session.expose()))];
    Ok((cookie, Redirect::to("/")).into_response())
}
