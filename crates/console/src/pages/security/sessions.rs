//! Signing other devices out.

use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::reads::DirectoryError;
use switchyard_domain::id::SessionId;

use super::super::sign_in::on_to;
use crate::{
    Console,
    error::PageError,
    form::Submitted,
    visit::{SignedIn, no_session_cookie},
};

/// One session, or all others.
#[derive(Debug, Deserialize)]
pub(crate) struct Ending {
    session: Option<String>,
}

/// For whoever comes back here by address.
pub(crate) async fn back() -> Redirect {
    Redirect::to("/settings/security")
}

/// Ends them.
pub(crate) async fn end(
    State(console): State<Console>,
    SignedIn { visitor, .. }: SignedIn,
    Submitted(ending): Submitted<Ending>,
) -> Result<Response, PageError> {
    let people = console.app.people();
    let Some(id) = ending.session else {
        people.end_other_sessions(&visitor).await?;
        return Ok(Redirect::to("/settings/security?done=sessions").into_response());
    };
    let id: SessionId = id.parse().map_err(|_| PageError::NotFound)?;
    match people.end_session(&visitor, id).await {
        // It was over already.
        Ok(()) | Err(DirectoryError::Missing(_)) => {}
        Err(error) => return Err(error.into()),
    }
    if id == visitor.session().id {
        return on_to("/login", &[no_session_cookie()]);
    }
    Ok(Redirect::to("/settings/security?done=session").into_response())
}
