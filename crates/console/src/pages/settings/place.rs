//! Which account and workspace is looked at.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use switchyard_app::workspaces::{Page, WorkspaceRow};
use switchyard_domain::{
    authority::{Capability, Reach, Standing},
    id::{AccountId, WorkspaceId},
};

use crate::{
    Console,
    error::PageError,
    form::Submitted,
    pages::members::role_name,
    shell::{Nav, Shell, page},
    visit::SignedIn,
};

/// Workspaces of one account that are listed.
const WORKSPACES_MAX: u32 = 100;

#[derive(Debug, Deserialize)]
pub(crate) struct PlaceForm {
    /// An account, a slash, a workspace.
    place: String,
}

struct Account {
    name: String,
    role: &'static str,
    workspaces: Vec<Place>,
}

struct Place {
    /// What the form sends.
    value: String,
    name: String,
    is_here: bool,
}

#[derive(Template)]
#[template(path = "pages/settings_place.html")]
struct PlacePage {
    shell: Shell,
    accounts: Vec<Account>,
}

/// The accounts and workspaces that the visitor can look at.
pub(crate) async fn ask(
    State(console): State<Console>,
    SignedIn { visit, visitor }: SignedIn,
) -> Result<Response, PageError> {
    let memberships = console.app.people().memberships(visitor.person().id);
    let mut accounts = Vec::new();
    for membership in memberships.await? {
        let workspaces = workspaces_of(&console, &visitor, &membership).await?;
        let here = (visitor.account_id(), visitor.workspace_id());
        let place = |(id, name): (WorkspaceId, String)| Place {
            value: format!("{}/{id}", membership.account_id),
            name,
            is_here: (membership.account_id, id) == here,
        };
        accounts.push(Account {
            role: role_name(membership.role),
            workspaces: workspaces.into_iter().map(place).collect(),
            name: membership.account_name,
        });
    }
    page(&PlacePage {
        shell: Shell::new(&visit, "Account and workspace", Nav::None),
        accounts,
    })
}

/// The workspaces that somebody works in: all, for those who see all; else those they are let into.
pub(crate) async fn workspaces_of(
    console: &Console,
    visitor: &switchyard_app::people::sessions::Visitor,
    membership: &switchyard_app::people::Membership,
) -> Result<Vec<(WorkspaceId, String)>, PageError> {
    let whole = Page {
        offset: 0,
        limit: WORKSPACES_MAX,
    };
    let workspaces = console.app.workspaces();
    let (rows, _) = workspaces.list(membership.account_id, whole).await?;
    let standing = Standing::Person(membership.role);
    let sees_all = standing.reach(Capability::ManageWorkspaces) == Reach::Everything
        || standing.reach(Capability::ReadActivity) == Reach::Everything;
    let organizations = console.app.organizations();
    let theirs = organizations
        .workspaces_of(membership.account_id, visitor.person().id)
        .await?;
    let rows = rows.into_iter().map(|workspace| workspace.row);
    let is_theirs = |row: &WorkspaceRow| sees_all || row.is_default || theirs.contains(&row.id);
    Ok(rows
        .filter(is_theirs)
        .map(|row| (row.id, row.name))
        .collect())
}

/// Looks elsewhere from then on.
pub(crate) async fn choose(
    State(console): State<Console>,
    SignedIn { visitor, .. }: SignedIn,
    Submitted(form): Submitted<PlaceForm>,
) -> Result<Response, PageError> {
    let (account, workspace) = form.place.split_once('/').ok_or(PageError::NotFound)?;
    let account: AccountId = account.parse().map_err(|_| PageError::NotFound)?;
    let workspace: WorkspaceId = workspace.parse().map_err(|_| PageError::NotFound)?;
    let memberships = console.app.people().memberships(visitor.person().id);
    let memberships = memberships.await?;
    let found = memberships.iter().find(|one| one.account_id == account);
    let membership = found.ok_or(PageError::NotFound)?;
    let workspaces = workspaces_of(&console, &visitor, membership).await?;
    if !workspaces.iter().any(|(id, _)| *id == workspace) {
        return Err(PageError::NotFound);
    }
    let people = console.app.people();
    people.move_to(&visitor, account, Some(workspace)).await?;
    Ok(Redirect::to("/").into_response())
}
