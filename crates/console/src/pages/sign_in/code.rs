//! The second factor: a code of the authenticator app, or a recovery code.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::people::proofs::ProofError;
use switchyard_domain::secret::Secret;

use super::{Refusal, SECOND_FACTOR, welcome};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    pages::theme::local,
    shell::{Nav, Shell, page},
    visit::{Visit, cookie},
};

#[derive(Template)]
#[template(path = "pages/sign_in/code.html")]
struct CodePage {
    shell: Shell,
    faults: Faults,
    back: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Back {
    #[serde(default)]
    back: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Code {
    code: String,
    #[serde(default)]
    back: String,
}

fn form(visit: &Visit, back: &str) -> CodePage {
    CodePage {
        shell: Shell::new(visit, "Second factor", Nav::None),
        faults: Faults::default(),
        back: local(back).to_owned(),
    }
}

/// The form, for whom the password let in so far.
pub(crate) async fn ask(
    State(console): State<Console>,
    Query(Back { back }): Query<Back>,
    headers: HeaderMap,
    visit: Visit,
) -> Result<Response, PageError> {
    let waits = match cookie(&headers, SECOND_FACTOR) {
        Some(token) => console.app.proofs().waits_for_code(token).await,
        None => Ok(false),
    };
    let waits = waits.or_else(|error| {
        let refusal = Refusal::of(error, "", console.app.clock().now());
        refusal.map(|_| false)
    })?;
    if !waits {
        return Ok(Redirect::to("/login").into_response());
    }
    page(&form(&visit, &back))
}

/// Signs in.
pub(crate) async fn sign_in(
    State(console): State<Console>,
    visit: Visit,
    headers: HeaderMap,
    Submitted(sent): Submitted<Code>,
) -> Result<Response, PageError> {
    let Some(token) = cookie(&headers, SECOND_FACTOR) else {
        return Ok(Redirect::to("/login").into_response());
    };
    let (device, code) = (visit.device(&headers), Secret::new(sent.code));
    let proofs = console.app.proofs();
    match proofs.sign_in_with_code(token, &code, device).await {
        Ok(session) => {
            welcome(
                &console,
                &visit,
                session.expose(),
                &sent.back,
                SECOND_FACTOR,
            )
            .await
        }
        Err(ProofError::Expired) => Ok(Redirect::to("/login").into_response()),
        Err(error) => {
            let wrong = "This code is not right, or was used already. Wait for the next one.";
            let refusal = Refusal::of(error, wrong, console.app.clock().now())?;
            let mut page = form(&visit, &sent.back);
            page.faults.add("code", &refusal.text);
            refusal.show(&page)
        }
    }
}
