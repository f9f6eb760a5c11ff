//! Adding, naming and removing passkeys.

use askama::Template;
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::people::proofs::{PasskeyView, ProofError};
use switchyard_domain::{clock::Timestamp, id::PasskeyId};

use super::super::sign_in::{
    PASSKEY, finished_cookie, on_to,
    passkey::{CHALLENGE_SECONDS, as_page},
    unfinished_cookie,
};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page},
    visit::{SignedIn, cookie},
};

#[derive(Template)]
#[template(path = "pages/security/passkey.html")]
struct PasskeyPage {
    shell: Shell,
    faults: Faults,
    passkey: PasskeyView,
    now: Timestamp,
}

/// A new passkey: without an answer the browser is asked for one.
#[derive(Debug, Deserialize)]
pub(crate) struct New {
    #[serde(default)]
    answer: String,
    #[serde(default)]
    name: String,
}

/// A new name, or none: then it is removed.
#[derive(Debug, Deserialize)]
pub(crate) struct Change {
    name: Option<String>,
}

/// Asks the browser for a passkey (for the page's script), then keeps what it made.
pub(crate) async fn add(
    State(console): State<Console>,
    SignedIn { visitor, .. }: SignedIn,
    headers: HeaderMap,
    Submitted(new): Submitted<New>,
) -> Result<Response, PageError> {
    let (proofs, now) = (console.app.proofs(), console.app.clock().now());
    if new.answer.is_empty() {
        let asked = proofs.start_adding_passkey(&visitor).await;
        let (question, token) = asked.map_err(|error| as_page(error, now))?;
        let cookie = unfinished_cookie(PASSKEY, token.expose(), CHALLENGE_SECONDS);
        return Ok(([(header::SET_COOKIE, cookie)], Json(question)).into_response());
    }
    let token = cookie(&headers, PASSKEY).unwrap_or_default();
    let added = proofs.add_passkey(&visitor, token, &new.answer, &new.name);
    added.await.map_err(|error| as_page(error, now))?;
    on_to(
        "/settings/security?done=passkey",
        &[finished_cookie(PASSKEY)],
    )
}

/// One passkey.
pub(crate) async fn show(
    State(console): State<Console>,
    Path(id): Path<String>,
    SignedIn { visit, visitor }: SignedIn,
) -> Result<Response, PageError> {
    let now = console.app.clock().now();
    let passkeys = console.app.proofs().passkeys(visitor.person().id).await;
    let passkeys = passkeys.map_err(|error| as_page(error, now))?;
    let id = parse(&id)?;
    let passkey = passkeys.into_iter().find(|passkey| passkey.id == id);
    page(&PasskeyPage {
        shell: Shell::new(&visit, "Passkey", Nav::Settings),
        faults: Faults::default(),
        passkey: passkey.ok_or(PageError::NotFound)?,
        now,
    })
}

/// Names it, or removes it.
pub(crate) async fn change(
    State(console): State<Console>,
    Path(id): Path<String>,
    SignedIn { visitor, .. }: SignedIn,
    Submitted(change): Submitted<Change>,
) -> Result<Response, PageError> {
    let (proofs, id) = (console.app.proofs(), parse(&id)?);
    let (changed, done) = match change.name {
        Some(name) => (proofs.rename_passkey(&visitor, id, &name).await, "renamed"),
        None => (proofs.remove_passkey(&visitor, id).await, "removed"),
    };
    let changed: Result<(), ProofError> = changed;
    changed.map_err(|error| as_page(error, console.app.clock().now()))?;
    Ok(Redirect::to(&format!("/settings/security?done={done}")).into_response())
}

fn parse(id: &str) -> Result<PasskeyId, PageError> {
    id.parse().map_err(|_| PageError::NotFound)
}
