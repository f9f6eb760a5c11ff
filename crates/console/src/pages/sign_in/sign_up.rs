//! Signing up.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::{
    accounts::is_address,
    people::proofs::{NewPerson, ProofError},
};
use switchyard_domain::secret::Secret;

use super::{Refusal, SIGNED_UP, on_to, unfinished_cookie};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page, page_with},
    visit::Visit,
};

const NAME_CHARS_MAX: usize = 100;
/// How long the browser that signed up is known as such, in seconds: as long as the mail's link.
const SIGNED_UP_SECONDS: u32 = 86_400;

#[derive(Template)]
#[template(path = "pages/sign_in/sign_up.html")]
struct SignUpPage {
    shell: Shell,
    faults: Faults,
    name: String,
    email: String,
    /// Why nobody can sign up.
    closed: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "pages/sign_in/sent.html")]
struct SentPage {
    shell: Shell,
    faults: Faults,
    email: String,
    is_demo: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SignUp {
    name: String,
    email: String,
    password: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Address {
    #[serde(default)]
    email: String,
    #[serde(default)]
    again: bool,
}

fn form(console: &Console, visit: &Visit) -> SignUpPage {
    let settings = console.app.proofs().settings();
    let closed = match (settings.sign_up_is_open, settings.sends_mail) {
        (false, _) => {
            Some("Nobody can sign up here. Ask whoever runs this service for an account.")
        }
        (true, false) => Some(
            "This service sends no mail, so addresses cannot be confirmed. Ask whoever runs it for an account.",
        ),
        (true, true) => None,
    };
    SignUpPage {
        shell: Shell::new(visit, "Sign up", Nav::None),
        faults: Faults::default(),
        name: String::new(),
        email: String::new(),
        closed,
    }
}

fn sent_page(console: &Console, visit: &Visit, email: &str) -> SentPage {
    SentPage {
        shell: Shell::new(visit, "Check your mail", Nav::None),
        faults: Faults::default(),
        email: email.to_owned(),
        is_demo: console.settings.is_demo,
    }
}

/// The form.
pub(crate) async fn ask(
    State(console): State<Console>,
    visit: Visit,
) -> Result<Response, PageError> {
    page(&form(&console, &visit))
}

/// Makes an account, or writes to whoever has one. The answer is the same.
pub(crate) async fn sign_up(
    State(console): State<Console>,
    visit: Visit,
    Submitted(sent): Submitted<SignUp>,
) -> Result<Response, PageError> {
    let mut form = form(&console, &visit);
    sent.name.trim().clone_into(&mut form.name);
    sent.email.trim().clone_into(&mut form.email);
    if form.name.is_empty() {
        form.faults.add("name", "Say what to call you.");
    } else if form.name.chars().count() > NAME_CHARS_MAX {
        form.faults.add("name", "Use at most 100 characters.");
    }
    if !is_address(&form.email) {
        let what = "This is no e-mail address. One looks like ada@example.com.";
        form.faults.add("email", what);
    }
    let password = Secret::new(sent.password);
    let proofs = console.app.proofs();
    let now = console.app.clock().now();
    let strong = proofs.check_new_password(&password, &form.email, &form.name);
    if let Err(error) = strong {
        form.faults
            .add("password", Refusal::of(error, "", now)?.text);
    }
    if !form.faults.is_empty() {
        return page_with(axum::http::StatusCode::UNPROCESSABLE_ENTITY, &form);
    }
    let new = NewPerson {
        name: form.name.clone(),
        email: form.email.clone(),
        password,
    };
    match proofs.sign_up(new, visit.ip.as_deref()).await {
        Ok(token) => {
            let cookie = unfinished_cookie(SIGNED_UP, token.expose(), SIGNED_UP_SECONDS);
            on_to(&sent_address(&form.email, false), &[cookie])
        }
        Err(error) => {
            let refusal = Refusal::of(error, "", now)?;
            form.faults.add("email", &refusal.text);
            refusal.show(&form)
        }
    }
}

fn sent_address(email: &str, again: bool) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("email", email);
    if again {
        query.append_pair("again", "true");
    }
    format!("/signup/sent?{}", query.finish())
}

/// What happens next.
pub(crate) async fn sent(
    State(console): State<Console>,
    Query(address): Query<Address>,
    visit: Visit,
) -> Result<Response, PageError> {
    if !is_address(&address.email) {
        return Ok(Redirect::to("/signup").into_response());
    }
    let mut next = sent_page(&console, &visit, &address.email);
    if address.again {
        next.shell.notice = Some("If the address needs it, another mail is on its way.".to_owned());
    }
    page(&next)
}

/// Sends the mail once more.
pub(crate) async fn resend(
    State(console): State<Console>,
    visit: Visit,
    Submitted(address): Submitted<Address>,
) -> Result<Response, PageError> {
    let proofs = console.app.proofs();
    match proofs.resend_verification(&address.email).await {
        Ok(()) => Ok(Redirect::to(&sent_address(&address.email, true)).into_response()),
        Err(error) => {
            let refusal = match error {
                // Said in other words than of guessing.
                ProofError::Locked { until } => {
                    let now = console.app.clock().now();
                    let mut refusal = Refusal::of(ProofError::Locked { until }, "", now)?;
                    refusal.text = refusal.text.replace(
                        "Locked after too many tries.",
                        "A mail was sent a moment ago.",
                    );
                    refusal
                }
                error => Refusal::of(error, "", console.app.clock().now())?,
            };
            let mut next = sent_page(&console, &visit, &address.email);
            next.faults.add("email", &refusal.text);
            refusal.show(&next)
        }
    }
}
