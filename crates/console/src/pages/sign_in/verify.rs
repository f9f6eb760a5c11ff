//! The link in a mail that shows that somebody reads it. Following it changes nothing: programs that look
//! at mail follow links too.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use switchyard_app::people::{links::Purpose, proofs::ProofError};

use super::{SIGNED_UP, finished_cookie, on_to, passkey::as_page};
use crate::{
    Console,
    error::PageError,
    form::Submitted,
    pages::sign_in_link::Nothing,
    shell::{Nav, Shell, page, page_with},
    visit::{Visit, cookie, session_cookie},
};

#[derive(Template)]
#[template(path = "pages/sign_in/verify.html")]
struct VerifyPage {
    shell: Shell,
    /// The address, if the link can be used.
    email: Option<String>,
}

/// Asks.
pub(crate) async fn look(
    State(console): State<Console>,
    Path(token): Path<String>,
    visit: Visit,
) -> Result<Response, PageError> {
    let people = console.app.people();
    let link = people.look_at_link(&token, Purpose::VerifyEmail).await?;
    let person = match link {
        Some(link) => people.person(link.person_id).await?,
        None => None,
    };
    page(&VerifyPage {
        shell: Shell::new(&visit, "Confirm your address", Nav::None),
        email: person.map(|person| person.email),
    })
}

/// Notes it; in the browser that signed up, a session starts.
pub(crate) async fn confirm(
    State(console): State<Console>,
    Path(token): Path<String>,
    visit: Visit,
    headers: HeaderMap,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    let browser = cookie(&headers, SIGNED_UP);
    let device = visit.device(&headers);
    let proofs = console.app.proofs();
    match proofs.verify_email(&token, browser, device).await {
        Ok(verified) => {
            let mut cookies = vec![finished_cookie(SIGNED_UP)];
            let next = match (&verified.session, &visit.visitor) {
                (Some(session), None) => {
                    cookies.push(session_cookie(session.expose()));
                    "/start"
                }
                (_, Some(_)) => "/",
                (None, None) => "/login?done=verified",
            };
            on_to(next, &cookies)
        }
        Err(ProofError::Expired) => page_with(
            StatusCode::UNPROCESSABLE_ENTITY,
            &VerifyPage {
                shell: Shell::new(&visit, "Confirm your address", Nav::None),
                email: None,
            },
        ),
        Err(error) => Err(as_page(error, console.app.clock().now())),
    }
}
