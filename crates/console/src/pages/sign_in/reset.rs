//! A new password for whoever forgot theirs.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::{accounts::is_address, people::proofs::ProofError};
use switchyard_domain::secret::Secret;

use super::{Refusal, on_to, passkey::as_page};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page, page_with},
    visit::{Visit, no_session_cookie},
};

#[derive(Template)]
#[template(path = "pages/sign_in/reset.html")]
struct ResetPage {
    shell: Shell,
    faults: Faults,
    email: String,
    is_sent: bool,
    is_demo: bool,
}

#[derive(Template)]
#[template(path = "pages/sign_in/new_password.html")]
struct NewPasswordPage {
    shell: Shell,
    faults: Faults,
    /// The address, if the link can be used.
    email: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    #[serde(default)]
    sent: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Address {
    email: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NewPassword {
    password: String,
}

fn form(console: &Console, visit: &Visit, is_sent: bool) -> ResetPage {
    ResetPage {
        shell: Shell::new(visit, "New password", Nav::None),
        faults: Faults::default(),
        email: String::new(),
        is_sent,
        is_demo: console.settings.is_demo,
    }
}

/// Asks for the address, or says that a mail may be on its way.
pub(crate) async fn ask(
    State(console): State<Console>,
    Query(Sent { sent }): Query<Sent>,
    visit: Visit,
) -> Result<Response, PageError> {
    page(&form(&console, &visit, sent))
}

/// Sends a link, if there is anybody to send it to. The answer is the same.
pub(crate) async fn send(
    State(console): State<Console>,
    visit: Visit,
    Submitted(address): Submitted<Address>,
) -> Result<Response, PageError> {
    let mut form = form(&console, &visit, false);
    address.email.trim().clone_into(&mut form.email);
    if !is_address(&form.email) {
        let what = "This is no e-mail address. One looks like ada@example.com.";
        form.faults.add("email", what);
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &form);
    }
    match console.app.proofs().ask_reset(&form.email).await {
        Ok(()) => Ok(Redirect::to("/reset?sent=true").into_response()),
        Err(error) => {
            let mut refusal = Refusal::of(error, "", console.app.clock().now())?;
            refusal.text = refusal.text.replace(
                "Locked after too many tries.",
                "A mail was sent a moment ago.",
            );
            form.faults.add("email", &refusal.text);
            refusal.show(&form)
        }
    }
}

/// Asks for the new password.
pub(crate) async fn look(
    State(console): State<Console>,
    Path(token): Path<String>,
    visit: Visit,
) -> Result<Response, PageError> {
    page(&new_password(&console, &visit, &token).await?)
}

async fn new_password(
    console: &Console,
    visit: &Visit,
    token: &str,
) -> Result<NewPasswordPage, PageError> {
    let person = console.app.proofs().may_reset(token).await;
    let person = person.map_err(|error| as_page(error, console.app.clock().now()))?;
    Ok(NewPasswordPage {
        shell: Shell::new(visit, "New password", Nav::None),
        faults: Faults::default(),
        email: person.map(|person| person.email),
    })
}

/// Sets it, and ends all sessions.
pub(crate) async fn choose(
    State(console): State<Console>,
    Path(token): Path<String>,
    visit: Visit,
    Submitted(sent): Submitted<NewPassword>,
) -> Result<Response, PageError> {
    let password = Secret::new(sent.password);
    let proofs = console.app.proofs();
    match proofs.reset(&token, password, visit.ip.as_deref()).await {
        Ok(()) => on_to("/login?done=reset", &[no_session_cookie()]),
        Err(ProofError::Expired) => {
            let page = new_password(&console, &visit, &token).await?;
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => {
            let refusal = Refusal::of(error, "", console.app.clock().now())?;
            let mut page = new_password(&console, &visit, &token).await?;
            page.faults.add("password", &refusal.text);
            refusal.show(&page)
        }
    }
}
