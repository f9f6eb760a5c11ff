//! Leaving an organization.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use switchyard_app::people::AccountKind;

use crate::{
    Console,
    error::PageError,
    form::Submitted,
    pages::{members::change::keys_said, sign_in_link::Nothing},
    shell::{Nav, Shell, page},
    visit::SignedIn,
};

#[derive(Template)]
#[template(path = "pages/settings_leave.html")]
struct LeavePage {
    shell: Shell,
    account_name: String,
    keys: u64,
    keys_said: String,
}

/// Asks first, and says what goes.
pub(crate) async fn ask(
    State(console): State<Console>,
    SignedIn { visit, visitor }: SignedIn,
) -> Result<Response, PageError> {
    let membership = visitor.membership();
    if membership.kind != AccountKind::Organization {
        return Err(PageError::NotFound);
    }
    let organizations = console.app.organizations();
    let member = organizations
        .member(membership.account_id, visitor.person().id)
        .await?;
    page(&LeavePage {
        shell: Shell::new(&visit, "Leave", Nav::Settings),
        account_name: membership.account_name.clone(),
        keys: member.keys,
        keys_said: keys_said(member.keys),
    })
}

/// Leaves.
pub(crate) async fn leave(
    State(console): State<Console>,
    signed_in: SignedIn,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    console.app.leave_organization(&signed_in.acting()).await?;
    Ok(Redirect::to("/").into_response())
}
