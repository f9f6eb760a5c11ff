//! Giving somebody another role, and sending somebody away.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::organizations::{OrganizationError, OrganizationMember};
use switchyard_domain::{
    authority::{Capability, Reach},
    id::PersonId,
    tenancy::Role,
};

use super::role_name;
use crate::{
    Console,
    error::PageError,
    form::Submitted,
    shell::{Nav, Shell, page},
    visit::SignedIn,
};

#[derive(Debug, Deserialize)]
pub(crate) struct RoleForm {
    role: Role,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RemovalForm {
    /// Whether their keys are to be switched off.
    #[serde(default)]
    with_keys: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/members_remove.html")]
struct RemovePage {
    shell: Shell,
    /// What becomes of their keys.
    keys_said: String,
    member: OrganizationMember,
    account_name: String,
}

/// Gives somebody another role.
pub(crate) async fn role(
    State(console): State<Console>,
    Path(person): Path<String>,
    signed_in: SignedIn,
    Submitted(form): Submitted<RoleForm>,
) -> Result<Response, PageError> {
    expect_reach(&signed_in, Capability::ChangeRoles)?;
    let person = person_in(&person)?;
    let organizations = console.app.organizations();
    organizations
        .change_role(&signed_in.acting(), person, form.role)
        .await?;
    Ok(Redirect::to("/members?done=role").into_response())
}

/// Asks first, and says what goes.
pub(crate) async fn ask_removal(
    State(console): State<Console>,
    Path(person): Path<String>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    expect_reach(&signed_in, Capability::ManageMembers)?;
    let membership = signed_in.visitor.membership();
    let organizations = console.app.organizations();
    let person = person_in(&person)?;
    let member = organizations.member(membership.account_id, person).await?;
    page(&RemovePage {
        shell: Shell::new(&signed_in.visit, "Remove a member", Nav::Members),
        keys_said: keys_said(member.keys),
        member,
        account_name: membership.account_name.clone(),
    })
}

/// What becomes of somebody's keys when they go.
pub(crate) fn keys_said(keys: u64) -> String {
    let (these, they) = match keys {
        1 => ("1 API key".to_owned(), "It is"),
        keys => (format!("{keys} API keys"), "They are"),
    };
    format!(
        "There are {these} of theirs here. {they} switched off within seconds, and programs that use \
         them stop. Coming back does not switch them on again."
    )
}

/// Sends somebody away.
pub(crate) async fn remove(
    State(console): State<Console>,
    Path(person): Path<String>,
    signed_in: SignedIn,
    Submitted(form): Submitted<RemovalForm>,
) -> Result<Response, PageError> {
    expect_reach(&signed_in, Capability::ManageMembers)?;
    let person = person_in(&person)?;
    let with_keys = form.with_keys.is_some();
    let app = &console.app;
    app.remove_member(&signed_in.acting(), person, with_keys)
        .await?;
    Ok(Redirect::to("/members?done=removed").into_response())
}

/// Only for those who may do it everywhere in the account.
pub(super) fn expect_reach(signed_in: &SignedIn, capability: Capability) -> Result<(), PageError> {
    match signed_in.visitor.reach(capability) {
        Reach::Everything => Ok(()),
        _ => Err(PageError::NotAllowed(capability)),
    }
}

fn person_in(text: &str) -> Result<PersonId, PageError> {
    text.parse().map_err(|_| PageError::NotFound)
}

impl From<OrganizationError> for PageError {
    fn from(error: OrganizationError) -> Self {
        let words = match error {
            OrganizationError::Missing => return Self::NotFound,
            OrganizationError::Directory(error) => return error.into(),
            error @ OrganizationError::Random(_) => return Self::Unavailable(Box::new(error)),
            OrganizationError::Invalid { message, .. } => format!("It {message}."),
            OrganizationError::Personal => {
                "This is a personal account. Make an organization to work with others.".to_owned()
            }
            OrganizationError::LastOwner => {
                "An organization has at least one owner. Make somebody \
                                             else an owner first."
                    .to_owned()
            }
            OrganizationError::AboveOwnRole => {
                "Nobody gives or takes a role above their own.".to_owned()
            }
            OrganizationError::HasKeys => "This person has API keys that work. Remove them with \
                                           “Disable keys and remove”."
                .to_owned(),
            OrganizationError::Unverified => {
                "Verify your e-mail address first: open the link in the mail we sent you."
                    .to_owned()
            }
            OrganizationError::OtherAddress => {
                "This invitation is for another e-mail address. Sign in with that one.".to_owned()
            }
            OrganizationError::AlreadyMember => "They are a member already.".to_owned(),
            OrganizationError::AlreadyInvited => {
                "They were invited already. Send that invitation again instead.".to_owned()
            }
            OrganizationError::TooMany => {
                "There are 200 open invitations. Withdraw some first.".to_owned()
            }
            OrganizationError::Contended => {
                "Somebody else is changing this at the same moment. Try again.".to_owned()
            }
            OrganizationError::Unsent(error) => format!("The mail was not sent: {error}."),
        };
        Self::Conflict(words)
    }
}
