//! Signing in with a password.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::people::proofs::SignedIn;
use switchyard_domain::secret::Secret;

use super::{Refusal, SECOND_FACTOR, SIGNED_UP, on_to, passkey_script, unfinished_cookie, welcome};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    pages::theme::local,
    shell::{Nav, Shell, page},
    visit::Visit,
};

/// How long a code may be asked, in seconds.
const CODE_SECONDS: u32 = 600;

#[derive(Template)]
#[template(path = "pages/sign_in/login.html")]
struct LoginPage {
    shell: Shell,
    faults: Faults,
    email: String,
    back: String,
    has_passkeys: bool,
    may_sign_up: bool,
    passkey_script: String,
}

impl LoginPage {
    fn new(console: &Console, visit: &Visit, back: &str) -> Self {
        let proofs = console.app.proofs();
        Self {
            shell: Shell::new(visit, "Sign in", Nav::None),
            faults: Faults::default(),
            email: String::new(),
            back: local(back).to_owned(),
            has_passkeys: proofs.has_passkeys(),
            may_sign_up: proofs.settings().sign_up_is_open,
            passkey_script: passkey_script(),
        }
    }
}

/// Where to, and what just happened.
#[derive(Debug, Deserialize)]
pub(crate) struct Arrival {
    #[serde(default)]
    back: String,
    #[serde(default)]
    done: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Login {
    email: String,
    password: String,
    #[serde(default)]
    back: String,
}

/// The form.
pub(crate) async fn ask(
    State(console): State<Console>,
    Query(arrival): Query<Arrival>,
    visit: Visit,
) -> Result<Response, PageError> {
    if visit.visitor.is_some() {
        return Ok(Redirect::to(local(&arrival.back)).into_response());
    }
    let mut form = LoginPage::new(&console, &visit, &arrival.back);
    let notice = match arrival.done.as_str() {
        "reset" => Some("Your password is changed. Sign in with the new one."),
        "verified" => Some("Your address is confirmed. Sign in to go on."),
        _ => None,
    };
    form.shell.notice = notice.map(str::to_owned);
    page(&form)
}

/// Signs in, or asks for the second factor.
pub(crate) async fn sign_in(
    State(console): State<Console>,
    visit: Visit,
    headers: HeaderMap,
    Submitted(login): Submitted<Login>,
) -> Result<Response, PageError> {
    let proofs = console.app.proofs();
    let device = visit.device(&headers);
    let password = Secret::new(login.password);
    let email = login.email.trim();
    match proofs.sign_in(email, password, device).await {
        Ok(SignedIn::Session(session)) => {
            welcome(&console, &visit, session.expose(), &login.back, SIGNED_UP).await
        }
        Ok(SignedIn::NeedsCode(token)) => {
            let cookie = unfinished_cookie(SECOND_FACTOR, token.expose(), CODE_SECONDS);
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("back", local(&login.back))
                .finish();
            on_to(&format!("/login/code?{query}"), &[cookie])
        }
        Err(error) => {
            let wrong = "Address or password is not right.";
            let refusal = Refusal::of(error, wrong, console.app.clock().now())?;
            let mut form = LoginPage::new(&console, &visit, &login.back);
            form.faults.add("password", &refusal.text);
            form.email = email.to_owned();
            refusal.show(&form)
        }
    }
}
