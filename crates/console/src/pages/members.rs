//! Who belongs to the organization, as what, and who was invited to.

pub(crate) mod change;
pub(crate) mod invitation;
pub(crate) mod organization;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use serde::Deserialize;
use switchyard_app::organizations::{Invitation, OrganizationMember};
use switchyard_app::people::AccountKind;
use switchyard_domain::{
    authority::{Capability, Reach, Standing},
    clock::Timestamp,
    id::PersonId,
    tenancy::Role,
};

use crate::{
    Console,
    error::PageError,
    form::Faults,
    shell::{Nav, Shell, page_with},
    visit::SignedIn,
};

/// People on one page.
const PAGE: u32 = 50;

/// What can be asked for with the page.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// The last one on the page before.
    after: Option<String>,
    /// What was just done.
    done: Option<String>,
}

/// One row of the matrix that says what roles may do.
pub(crate) struct Right {
    name: &'static str,
    reaches: [(&'static str, &'static str); 5],
}

#[derive(Template)]
#[template(path = "pages/members.html")]
struct MembersPage {
    shell: Shell,
    faults: Faults,
    is_organization: bool,
    account_name: String,
    /// Whether the visitor may invite, change and remove.
    is_manager: bool,
    may_change_roles: bool,
    own_id: PersonId,
    own_role: Role,
    members: Vec<OrganizationMember>,
    next: Option<PersonId>,
    invitations: Vec<Invitation>,
    /// The roles that the visitor may give.
    grantable: Vec<(&'static str, &'static str)>,
    rights: Vec<Right>,
    email: String,
    role: Role,
    /// A link that could not be mailed.
    link: Option<String>,
    now: Timestamp,
}

/// What a form left on the page.
#[derive(Default)]
pub(crate) struct Left {
    pub(crate) faults: Faults,
    pub(crate) email: String,
    pub(crate) role: Option<Role>,
    pub(crate) link: Option<String>,
    pub(crate) notice: Option<&'static str>,
}

/// The people.
pub(crate) async fn list(
    State(console): State<Console>,
    signed_in: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let left = Left {
        notice: asked.done.as_deref().and_then(told),
        ..Left::default()
    };
    show(&console, &signed_in, asked.after.as_deref(), left).await
}

fn told(done: &str) -> Option<&'static str> {
    Some(match done {
        "invited" => "The invitation was sent.",
        "resent" => "The invitation was sent again. The link before it no longer works.",
        "withdrawn" => "The invitation was withdrawn.",
        "role" => "The role was changed. It holds from now on.",
        "removed" => "The member was removed.",
        "created" => "The organization was made. Invite those who work with you.",
        _ => return None,
    })
}

/// The page, with what a form left on it.
pub(crate) async fn show(
    console: &Console,
    SignedIn { visit, visitor }: &SignedIn,
    after: Option<&str>,
    left: Left,
) -> Result<Response, PageError> {
    let organizations = console.app.organizations();
    let membership = visitor.membership();
    let account = membership.account_id;
    let after = after.map(str::parse).transpose();
    let after: Option<PersonId> = after.map_err(|_| PageError::NotFound)?;
    let mut members = organizations.members(account, after, PAGE + 1).await?;
    let has_more = members.len() > PAGE as usize;
    members.truncate(PAGE as usize);
    let is_manager = visitor.reach(Capability::ManageMembers) == Reach::Everything;
    let invitations = if is_manager {
        organizations.invitations(account).await?
    } else {
        Vec::new()
    };
    let own_role = membership.role;
    let mut shell = Shell::new(visit, "Members", Nav::Members);
    if let Some(notice) = left.notice {
        shell = shell.with_notice(notice);
    }
    let status = if left.faults.is_empty() { 200 } else { 422 };
    let status = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    let page = MembersPage {
        shell,
        faults: left.faults,
        is_organization: membership.kind == AccountKind::Organization,
        account_name: membership.account_name.clone(),
        is_manager,
        may_change_roles: visitor.reach(Capability::ChangeRoles) == Reach::Everything,
        own_id: visitor.person().id,
        own_role,
        next: members.last().filter(|_| has_more).map(|last| last.id),
        members,
        invitations,
        grantable: grantable(own_role),
        rights: rights(),
        email: left.email,
        role: left.role.unwrap_or(Role::Member),
        link: left.link,
        now: console.app.clock().now(),
    };
    page_with(status, &page)
}

/// The roles that somebody may give.
fn grantable(own: Role) -> Vec<(&'static str, &'static str)> {
    let roles = Role::ALL.into_iter();
    roles
        .filter(|role| own.is_at_least(*role))
        .map(|role| (role.as_str(), role_name(role)))
        .collect()
}

/// A role as people read it.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Owner => "Owner",
        Role::Admin => "Admin",
        Role::Billing => "Billing",
        Role::Member => "Member",
        Role::Viewer => "Viewer",
    }
}

/// How somebody proved to be who they say, as people read it.
fn proof_name(proof: &str) -> String {
    match proof {
        "password" => "Password only".to_owned(),
        "password+code" => "Password and code".to_owned(),
        "password+recovery_code" => "Password and recovery code".to_owned(),
        "passkey" => "Passkey".to_owned(),
        "single_sign_on" => "Single sign-on".to_owned(),
        "link" => "Operator's link".to_owned(),
        other => other.replace(['_', '+'], " "),
    }
}

fn source_name(source: &str) -> &'static str {
    match source {
        "invite" => "Invited",
        "single_sign_on" => "Single sign-on",
        "scim" => "Directory",
        _ => "Founder",
    }
}

/// What roles may do, read off the table that decides it.
fn rights() -> Vec<Right> {
    const ROWS: [(&str, Capability); 13] = [
        (
            "Delete the account, enforce single sign-on",
            Capability::EndAccount,
        ),
        ("Change roles", Capability::ChangeRoles),
        ("Invite and remove members", Capability::ManageMembers),
        ("Workspaces", Capability::ManageWorkspaces),
        ("Privacy and routing", Capability::ManagePrivacy),
        ("Provider keys", Capability::ManageCredentials),
        ("Management keys", Capability::ManageManagementKeys),
        ("Buy credits, cards, tax ids", Capability::Buy),
        ("API keys", Capability::ManageApiKeys),
        ("Call models", Capability::Infer),
        ("Activity and logs", Capability::ReadActivity),
        ("Stored prompts and answers", Capability::ReadContent),
        ("Audit log", Capability::ReadAudit),
    ];
    let row = |(name, capability)| Right {
        name,
        reaches: Role::ALL.map(|role| {
            let reach = Standing::Person(role).reach(capability);
            (role_name(role), reach_name(reach))
        }),
    };
    ROWS.into_iter().map(row).collect()
}

const fn reach_name(reach: Reach) -> &'static str {
    match reach {
        Reach::Nothing => "–",
        Reach::Spend => "spend",
        Reach::Look => "read",
        Reach::Own => "own",
        Reach::OwnIfAllowed => "own, if allowed",
        Reach::OwnOrAllIfAllowed => "own, or all if allowed",
        Reach::AdministeredWorkspaces => "in workspaces they administer",
        Reach::Everything => "yes",
    }
}
