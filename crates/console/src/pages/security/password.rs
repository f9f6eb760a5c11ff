//! Choosing another password while signed in.

use askama::Template;
use axum::{extract::State, response::Response};
use serde::Deserialize;
use switchyard_app::people::proofs::ProofError;
use switchyard_domain::secret::Secret;

use super::super::sign_in::{Refusal, on_to, passkey::as_page};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page},
    visit::{SignedIn, session_cookie},
};

#[derive(Template)]
#[template(path = "pages/security/password.html")]
struct PasswordPage {
    shell: Shell,
    faults: Faults,
    email: String,
    has_password: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Change {
    present: Option<String>,
    password: String,
}

async fn form(console: &Console, signed_in: &SignedIn) -> Result<PasswordPage, PageError> {
    let person = signed_in.visitor.person();
    let since = console.app.proofs().password_since(person.id).await;
    let since = since.map_err(|error| as_page(error, console.app.clock().now()))?;
    Ok(PasswordPage {
        shell: Shell::new(&signed_in.visit, "Password", Nav::Settings),
        faults: Faults::default(),
        email: person.email.clone(),
        has_password: since.is_some(),
    })
}

/// The form. Whoever has no password yet proves first who they are in another way.
pub(crate) async fn ask(
    State(console): State<Console>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    let form = form(&console, &signed_in).await?;
    let now = console.app.clock().now();
    if !form.has_password && !signed_in.visitor.is_fresh(now) {
        return Err(PageError::NeedsProof);
    }
    page(&form)
}

/// Changes it. Other devices are signed out.
pub(crate) async fn change(
    State(console): State<Console>,
    signed_in: SignedIn,
    Submitted(sent): Submitted<Change>,
) -> Result<Response, PageError> {
    let (proofs, visitor) = (console.app.proofs(), &*signed_in.visitor);
    let new = Secret::new(sent.password);
    let present = sent.present.map(Secret::new);
    match proofs.change_password(visitor, present, new).await {
        Ok(session) => {
            let cookie = session_cookie(session.expose());
            on_to("/settings/security?done=password", &[cookie])
        }
        Err(error) => {
            let mut form = form(&console, &signed_in).await?;
            if !form.has_password && matches!(error, ProofError::Wrong) {
                return Err(PageError::NeedsProof);
            }
            let field = match &error {
                ProofError::Weak(_) => "password",
                _ => "present",
            };
            let wrong = "This is not your password.";
            let refusal = Refusal::of(error, wrong, console.app.clock().now())?;
            form.faults.add(field, &refusal.text);
            refusal.show(&form)
        }
    }
}
