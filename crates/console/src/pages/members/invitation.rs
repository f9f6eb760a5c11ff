//! Inviting, and accepting an invitation.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::organizations::{Invitation, OrganizationError, Sent};
use switchyard_domain::{authority::Capability, clock::Timestamp, id::InvitationId, tenancy::Role};

use super::{Left, change::expect_reach, role_name, show};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    pages::sign_in_link::Nothing,
    shell::{Nav, Shell, page, page_with},
    visit::{SignedIn, Visit},
};

#[derive(Debug, Deserialize)]
pub(crate) struct InviteForm {
    email: String,
    role: Role,
}

/// Invites somebody.
pub(crate) async fn invite(
    State(console): State<Console>,
    signed_in: SignedIn,
    Submitted(form): Submitted<InviteForm>,
) -> Result<Response, PageError> {
    expect_reach(&signed_in, Capability::ManageMembers)?;
    let (base, acting) = (&console.settings.public_url, signed_in.acting());
    let person = signed_in.visitor.person();
    let wanted = (form.email.as_str(), form.role);
    let invited = console.app.invite(&acting, person, wanted, base).await;
    let mut left = Left::default();
    match invited {
        Ok(invited) if invited.sent == Sent::Yes => {
            return Ok(Redirect::to("/members?done=invited").into_response());
        }
        Ok(invited) => left.link = Some(link(base, invited.token.expose())),
        Err(OrganizationError::Directory(error)) => return Err(error.into()),
        Err(OrganizationError::Invalid { field, message }) => {
            left.faults.add(field, format!("The address {message}."));
        }
        Err(error) => left.faults.add("email", words(error)?),
    }
    if left.link.is_none() {
        left.email = form.email;
        left.role = Some(form.role);
    }
    show(&console, &signed_in, None, left).await
}

/// What a refusal says beside the field.
fn words(error: OrganizationError) -> Result<String, PageError> {
    match PageError::from(error) {
        PageError::Conflict(words) => Ok(words),
        other => Err(other),
    }
}

fn link(base: &str, token: &str) -> String {
    format!("{base}/invitations/{token}")
}

/// Sends an invitation again.
pub(crate) async fn resend(
    State(console): State<Console>,
    Path(id): Path<String>,
    signed_in: SignedIn,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    expect_reach(&signed_in, Capability::ManageMembers)?;
    let (base, acting) = (&console.settings.public_url, signed_in.acting());
    let resent = console.app.resend_invitation(&acting, id_in(&id)?, base);
    let resent = resent.await?;
    if resent.sent == Sent::Yes {
        return Ok(Redirect::to("/members?done=resent").into_response());
    }
    let left = Left {
        link: Some(link(base, resent.token.expose())),
        ..Left::default()
    };
    show(&console, &signed_in, None, left).await
}

/// Withdraws an invitation.
pub(crate) async fn withdraw(
    State(console): State<Console>,
    Path(id): Path<String>,
    signed_in: SignedIn,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    expect_reach(&signed_in, Capability::ManageMembers)?;
    let organizations = console.app.organizations();
    organizations
        .withdraw(&signed_in.acting(), id_in(&id)?)
        .await?;
    Ok(Redirect::to("/members?done=withdrawn").into_response())
}

fn id_in(text: &str) -> Result<InvitationId, PageError> {
    text.parse().map_err(|_| PageError::NotFound)
}

#[derive(Template)]
#[template(path = "pages/invitation.html")]
struct InvitationPage {
    shell: Shell,
    faults: Faults,
    /// `None`: the link works no more.
    invitation: Option<Invitation>,
    /// Whoever is signed in has the address that was invited.
    is_for_visitor: bool,
    /// The pages that lead back here.
    sign_in_href: String,
    sign_up_href: String,
    now: Timestamp,
}

/// What somebody is invited to, before they accept.
pub(crate) async fn look(
    State(console): State<Console>,
    Path(token): Path<String>,
    visit: Visit,
) -> Result<Response, PageError> {
    let invitation = console.app.organizations().invitation(&token).await?;
    page(&invitation_page(
        &console,
        &visit,
        invitation,
        Faults::default(),
    ))
}

fn invitation_page(
    console: &Console,
    visit: &Visit,
    invitation: Option<Invitation>,
    faults: Faults,
) -> InvitationPage {
    let visitor = visit.visitor.as_ref();
    let own = visitor.map(|visitor| visitor.person().email.to_lowercase());
    let invited = invitation.as_ref().map(|one| one.email.to_lowercase());
    InvitationPage {
        shell: Shell::new(visit, "Invitation", Nav::None),
        faults,
        is_for_visitor: own.is_some() && own == invited,
        invitation,
        sign_in_href: back_from("/login", &visit.address),
        sign_up_href: back_from("/signup", &visit.address),
        now: console.app.clock().now(),
    }
}

fn back_from(page: &str, address: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("back", address)
        .finish();
    format!("{page}?{query}")
}

/// Accepts an invitation and looks at the organization from then on.
pub(crate) async fn accept(
    State(console): State<Console>,
    Path(token): Path<String>,
    signed_in: SignedIn,
    Submitted(Nothing {}): Submitted<Nothing>,
) -> Result<Response, PageError> {
    let organizations = console.app.organizations();
    let person = signed_in.visitor.person().id;
    let accepted = organizations
        .accept(&signed_in.acting(), person, &token)
        .await;
    match accepted {
        Ok(invitation) => {
            let people = console.app.people();
            people
                .move_to(&signed_in.visitor, invitation.account_id, None)
                .await?;
            Ok(Redirect::to("/").into_response())
        }
        Err(OrganizationError::Missing) => {
            let none = invitation_page(&console, &signed_in.visit, None, Faults::default());
            page(&none)
        }
        Err(error) => {
            let mut faults = Faults::default();
            faults.add("accept", words(error)?);
            let invitation = organizations.invitation(&token).await?;
            let shown = invitation_page(&console, &signed_in.visit, invitation, faults);
            page_with(axum::http::StatusCode::CONFLICT, &shown)
        }
    }
}
