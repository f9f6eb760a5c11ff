//! Signing in with a passkey alone.

use askama::Template;
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use switchyard_app::people::proofs::ProofError;

use super::{PASSKEY, Refusal, unfinished_cookie, welcome};
use crate::{
    Console,
    error::PageError,
    form::Submitted,
    pages::sign_in_link::Nothing,
    shell::{Nav, Shell},
    visit::{Visit, cookie},
};

/// How long a passkey may be asked for, in seconds.
pub(crate) const CHALLENGE_SECONDS: u32 = 300;

#[derive(Template)]
#[template(path = "pages/sign_in/passkey.html")]
struct PasskeyPage {
    shell: Shell,
    text: String,
}

/// What a browser's device answered.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    /// Empty where the page's script did not run.
    #[serde(default)]
    pub(crate) answer: String,
    #[serde(default)]
    pub(crate) back: String,
}

/// Asks the browser; for the page's script.
pub(crate) async fn start(
    State(console): State<Console>,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    let asked = console.app.proofs().start_passkey().await;
    let now = console.app.clock().now();
    let (question, token) = asked.map_err(|error| as_page(error, now))?;
    let cookie = unfinished_cookie(PASSKEY, token.expose(), CHALLENGE_SECONDS);
    Ok(([(header::SET_COOKIE, cookie)], Json(question)).into_response())
}

/// Signs in.
pub(crate) async fn sign_in(
    State(console): State<Console>,
    visit: Visit,
    headers: HeaderMap,
    Submitted(sent): Submitted<Answer>,
) -> Result<Response, PageError> {
    let token = cookie(&headers, PASSKEY).unwrap_or_default();
    let device = visit.device(&headers);
    let proofs = console.app.proofs();
    let signed_in = proofs.sign_in_with_passkey(token, &sent.answer, device);
    match signed_in.await {
        Ok(session) => welcome(&console, &visit, session.expose(), &sent.back, PASSKEY).await,
        Err(error) => {
            let wrong = "This passkey is not known here. Sign in another way, then add it.";
            let refusal = Refusal::of(error, wrong, console.app.clock().now())?;
            refusal.show(&PasskeyPage {
                shell: Shell::new(&visit, "Passkey", Nav::None),
                text: refusal.text.clone(),
            })
        }
    }
}

/// A failure where no form can be shown again.
pub(crate) fn as_page(error: ProofError, now: switchyard_domain::clock::Timestamp) -> PageError {
    match Refusal::of(error, "This was not accepted.", now) {
        Ok(refusal) => PageError::Conflict(refusal.text),
        Err(error) => error,
    }
}
