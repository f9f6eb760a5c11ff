//! What somebody is called, what their account is called, what they look at, and how they leave.

pub(crate) mod leave;
pub(crate) mod place;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::{
    organizations::OrganizationError,
    people::{AccountKind, Person},
};
use switchyard_domain::authority::{Capability, Reach};

use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page_with},
    visit::SignedIn,
};

/// What can be asked for with the page.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// What was just done.
    done: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NameForm {
    name: String,
}

#[derive(Template)]
#[template(path = "pages/settings.html")]
struct SettingsPage {
    shell: Shell,
    faults: Faults,
    person: Person,
    own_name: String,
    account_name: String,
    account_id: String,
    is_organization: bool,
    may_rename: bool,
}

/// Names as they shall be, where a form brought them.
#[derive(Default)]
struct Left {
    faults: Faults,
    name: Option<String>,
    account_name: Option<String>,
}

/// The settings.
pub(crate) async fn show(
    signed_in: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let notice = match asked.done.as_deref() {
        Some("name") => Some("Your name was changed."),
        Some("account") => Some("The organization’s name was changed."),
        _ => None,
    };
    render(&signed_in, Left::default(), notice)
}

fn render(
    SignedIn { visit, visitor }: &SignedIn,
    left: Left,
    notice: Option<&str>,
) -> Result<Response, PageError> {
    let membership = visitor.membership();
    let mut shell = Shell::new(visit, "Settings", Nav::Settings);
    if let Some(notice) = notice {
        shell = shell.with_notice(notice);
    }
    let status = if left.faults.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let person = visitor.person().clone();
    let page = SettingsPage {
        shell,
        faults: left.faults,
        own_name: left.name.unwrap_or_else(|| person.name.clone()),
        person,
        account_name: left
            .account_name
            .unwrap_or_else(|| membership.account_name.clone()),
        account_id: membership.account_id.to_string(),
        is_organization: membership.kind == AccountKind::Organization,
        may_rename: may_rename(visitor),
    };
    page_with(status, &page)
}

fn may_rename(visitor: &switchyard_app::people::sessions::Visitor) -> bool {
    visitor.membership().kind == AccountKind::Organization
        && visitor.reach(Capability::ManageMembers) == Reach::Everything
}

/// Calls the visitor something else.
pub(crate) async fn rename(
    State(console): State<Console>,
    signed_in: SignedIn,
    Submitted(form): Submitted<NameForm>,
) -> Result<Response, PageError> {
    let person = signed_in.visitor.person().id;
    let organizations = console.app.organizations();
    let renamed = organizations
        .rename_person(&signed_in.acting(), person, &form.name)
        .await;
    match renamed {
        Ok(()) => Ok(Redirect::to("/settings?done=name").into_response()),
        Err(OrganizationError::Invalid { message, .. }) => {
            let mut left = Left {
                name: Some(form.name),
                ..Left::default()
            };
            left.faults.add("name", format!("The name {message}."));
            render(&signed_in, left, None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Calls the organization something else.
pub(crate) async fn rename_account(
    State(console): State<Console>,
    signed_in: SignedIn,
    Submitted(form): Submitted<NameForm>,
) -> Result<Response, PageError> {
    if !may_rename(&signed_in.visitor) {
        return Err(PageError::NotAllowed(Capability::ManageMembers));
    }
    let before = &signed_in.visitor.membership().account_name;
    let organizations = console.app.organizations();
    let renamed = organizations
        .rename(&signed_in.acting(), before, &form.name)
        .await;
    match renamed {
        Ok(()) => Ok(Redirect::to("/settings?done=account").into_response()),
        Err(OrganizationError::Invalid { message, .. }) => {
            let mut left = Left {
                account_name: Some(form.name),
                ..Left::default()
            };
            let message = format!("The name {message}.");
            left.faults.add("account-name", message);
            render(&signed_in, left, None)
        }
        Err(error) => Err(error.into()),
    }
}
