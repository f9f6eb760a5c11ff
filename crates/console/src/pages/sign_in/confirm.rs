//! Before something dangerous: is it still them? Then back to where they were.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::Response,
};
use serde::Deserialize;
use switchyard_app::people::proofs::ProofError;
use switchyard_domain::secret::Secret;

use super::{
    PASSKEY, Refusal, finished_cookie, on_to,
    passkey::{Answer, as_page},
    passkey_script,
};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    pages::theme::local,
    shell::{Nav, Shell, page},
    visit::{SignedIn, cookie, session_cookie},
};

#[derive(Template)]
#[template(path = "pages/sign_in/confirm.html")]
struct ConfirmPage {
    shell: Shell,
    faults: Faults,
    back: String,
    email: String,
    asks_code: bool,
    has_password: bool,
    has_passkeys: bool,
    passkey_script: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Back {
    #[serde(default)]
    back: String,
}

/// One of them is asked.
#[derive(Debug, Deserialize)]
pub(crate) struct Confirmation {
    password: Option<String>,
    code: Option<String>,
    #[serde(default)]
    back: String,
}

async fn form(
    console: &Console,
    signed_in: &SignedIn,
    back: &str,
) -> Result<ConfirmPage, PageError> {
    let (proofs, person) = (console.app.proofs(), signed_in.visitor.person());
    let known = async {
        let asks_code = proofs.code_state(person.id).await?.is_on;
        let has_password = proofs.password_since(person.id).await?.is_some();
        let has_passkeys = !proofs.passkeys(person.id).await?.is_empty();
        Ok((asks_code, has_password, has_passkeys))
    };
    let known: Result<_, ProofError> = known.await;
    let now = console.app.clock().now();
    let (asks_code, has_password, has_passkeys) = known.map_err(|error| as_page(error, now))?;
    Ok(ConfirmPage {
        shell: Shell::new(&signed_in.visit, "Confirm that it is you", Nav::None),
        faults: Faults::default(),
        back: local(back).to_owned(),
        email: person.email.clone(),
        asks_code,
        has_password,
        has_passkeys: has_passkeys && proofs.has_passkeys(),
        passkey_script: passkey_script(),
    })
}

/// The form.
pub(crate) async fn ask(
    State(console): State<Console>,
    Query(Back { back }): Query<Back>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    page(&form(&console, &signed_in, &back).await?)
}

/// Takes the proof.
pub(crate) async fn confirm(
    State(console): State<Console>,
    signed_in: SignedIn,
    Submitted(sent): Submitted<Confirmation>,
) -> Result<Response, PageError> {
    let (proofs, visitor) = (console.app.proofs(), &*signed_in.visitor);
    let (field, confirmed) = match (sent.code, sent.password) {
        (Some(code), _) => {
            let code = Secret::new(code);
            ("code", proofs.confirm_with_code(visitor, &code).await)
        }
        (None, password) => {
            let password = Secret::new(password.unwrap_or_default());
            let confirmed = proofs.confirm_with_password(visitor, password);
            ("password", confirmed.await)
        }
    };
    match confirmed {
        Ok(session) => on_to(local(&sent.back), &[session_cookie(session.expose())]),
        Err(error) => {
            let refusal = Refusal::of(error, "That is not right.", console.app.clock().now())?;
            let mut page = form(&console, &signed_in, &sent.back).await?;
            page.faults.add(field, &refusal.text);
            refusal.show(&page)
        }
    }
}

/// Takes a passkey as the proof.
pub(crate) async fn with_passkey(
    State(console): State<Console>,
    signed_in: SignedIn,
    headers: HeaderMap,
    Submitted(sent): Submitted<Answer>,
) -> Result<Response, PageError> {
    let token = cookie(&headers, PASSKEY).unwrap_or_default();
    let (proofs, visitor) = (console.app.proofs(), &*signed_in.visitor);
    match proofs
        .confirm_with_passkey(visitor, token, &sent.answer)
        .await
    {
        Ok(session) => {
            let cookies = [session_cookie(session.expose()), finished_cookie(PASSKEY)];
            on_to(local(&sent.back), &cookies)
        }
        Err(error) => {
            let wrong = "This passkey is not one of yours.";
            let refusal = Refusal::of(error, wrong, console.app.clock().now())?;
            let mut page = form(&console, &signed_in, &sent.back).await?;
            page.faults.add("passkey", &refusal.text);
            refusal.show(&page)
        }
    }
}
