//! A new organization.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::organizations::OrganizationError;

use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page_with},
    visit::SignedIn,
};

#[derive(Debug, Deserialize)]
pub(crate) struct NewForm {
    name: String,
}

#[derive(Template)]
#[template(path = "pages/organization_new.html")]
struct NewPage {
    shell: Shell,
    faults: Faults,
    wanted_name: String,
    /// Whether the visitor showed that they read mail at their address.
    is_verified: bool,
    email: String,
}

/// The form.
pub(crate) async fn ask(signed_in: SignedIn) -> Result<Response, PageError> {
    show(&signed_in, String::new(), Faults::default())
}

fn show(signed_in: &SignedIn, name: String, faults: Faults) -> Result<Response, PageError> {
    let status = if faults.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let person = signed_in.visitor.person();
    let page = NewPage {
        shell: Shell::new(&signed_in.visit, "New organization", Nav::Members),
        faults,
        wanted_name: name,
        is_verified: person.email_verified_at.is_some(),
        email: person.email.clone(),
    };
    page_with(status, &page)
}

/// Makes it, and looks at it from then on.
pub(crate) async fn make(
    State(console): State<Console>,
    signed_in: SignedIn,
    Submitted(form): Submitted<NewForm>,
) -> Result<Response, PageError> {
    let (acting, founder) = (signed_in.acting(), signed_in.visitor.person().id);
    let organizations = console.app.organizations();
    match organizations.create(&acting, founder, &form.name).await {
        Ok(account) => {
            let people = console.app.people();
            people.move_to(&signed_in.visitor, account, None).await?;
            Ok(Redirect::to("/members?done=created").into_response())
        }
        Err(OrganizationError::Invalid { field, message }) => {
            let mut faults = Faults::default();
            faults.add(field, format!("The name {message}."));
            show(&signed_in, form.name, faults)
        }
        Err(error) => Err(error.into()),
    }
}
