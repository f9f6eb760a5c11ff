//! The authenticator app and its recovery codes.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::people::proofs::{CodeState, ProofError, SetUp, ShownCodes};
use switchyard_domain::secret::Secret;

use super::super::sign_in::{Refusal, passkey::as_page};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page},
    ui::Markup,
    visit::SignedIn,
};

const HERE: &str = "/settings/security/authenticator";

#[derive(Template)]
#[template(path = "pages/security/authenticator.html")]
struct AuthenticatorPage {
    shell: Shell,
    faults: Faults,
    codes: CodeState,
    /// An app that is being set up.
    set_up: Option<SetUp>,
}

#[derive(Template)]
#[template(path = "pages/security/recovery_codes.html")]
struct RecoveryCodesPage {
    shell: Shell,
    codes: ShownCodes,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Draw a seed.
    Start,
    /// Take the first code.
    Confirm,
    /// Ask no code any more.
    Off,
    /// Draw new recovery codes.
    NewCodes,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    step: Step,
    #[serde(default)]
    code: String,
}

async fn form(console: &Console, signed_in: &SignedIn) -> Result<AuthenticatorPage, PageError> {
    let (proofs, visitor) = (console.app.proofs(), &*signed_in.visitor);
    let known = async {
        let codes = proofs.code_state(visitor.person().id).await?;
        let set_up = proofs.authenticator_set_up(visitor).await?;
        Ok((codes, set_up))
    };
    let known: Result<_, ProofError> = known.await;
    let (codes, set_up) = known.map_err(|error| as_page(error, console.app.clock().now()))?;
    Ok(AuthenticatorPage {
        shell: Shell::new(&signed_in.visit, "Authenticator app", Nav::Settings),
        faults: Faults::default(),
        codes,
        set_up,
    })
}

impl AuthenticatorPage {
    /// The picture, which was drawn here.
    fn picture(set_up: &SetUp) -> Markup {
        Markup::trusted(set_up.picture.expose().clone())
    }
}

/// How it is. A seed is shown only to whom has proved recently who they are.
pub(crate) async fn show(
    State(console): State<Console>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    if !signed_in.visitor.is_fresh(console.app.clock().now()) {
        return Err(PageError::NeedsProof);
    }
    page(&form(&console, &signed_in).await?)
}

/// Changes it.
pub(crate) async fn change(
    State(console): State<Console>,
    signed_in: SignedIn,
    Submitted(sent): Submitted<Sent>,
) -> Result<Response, PageError> {
    let (proofs, visitor) = (console.app.proofs(), &*signed_in.visitor);
    let code = Secret::new(sent.code);
    let done = match sent.step {
        Step::Start => proofs
            .set_up_authenticator(visitor)
            .await
            .map(|()| Redirect::to(HERE).into_response()),
        Step::Off => {
            let removed = proofs.remove_authenticator(visitor).await;
            let next = "/settings/security?done=authenticator-off";
            removed.map(|()| Redirect::to(next).into_response())
        }
        Step::Confirm | Step::NewCodes => {
            let codes = match sent.step {
                Step::Confirm => proofs.confirm_authenticator(visitor, &code).await,
                _ => proofs.new_recovery_codes(visitor).await,
            };
            match codes {
                Ok(codes) => {
                    return page(&RecoveryCodesPage {
                        shell: Shell::new(&signed_in.visit, "Recovery codes", Nav::Settings),
                        codes,
                    });
                }
                Err(error) => Err(error),
            }
        }
    };
    match done {
        Ok(response) => Ok(response),
        Err(error) => {
            let wrong = "This code is not right. Enter the one that the app shows now.";
            let refusal = Refusal::of(error, wrong, console.app.clock().now())?;
            let mut form = form(&console, &signed_in).await?;
            form.faults.add("code", &refusal.text);
            refusal.show(&form)
        }
    }
}
