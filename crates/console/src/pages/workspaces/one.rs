//! One workspace: what it is called, who works in it, and what goes with it.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;
use switchyard_app::workspaces::{
    AccountPerson, Member, Page, Workspace, WorkspaceEdit, WorkspaceRole,
};
use switchyard_domain::{
    authority::{Capability, Reach},
    clock::Timestamp,
    id::WorkspaceId,
    patch::Patch,
};

use super::{Asked, WorkspaceForm, faults_of, status_of};
use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page, page_with},
    ui::ApiCall,
    visit::SignedIn,
};

/// People of an account, and of a workspace, that are listed.
const PEOPLE_MAX: u32 = 1_000;

#[derive(Debug, Deserialize)]
pub(crate) struct PersonForm {
    person: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct TypedForm {
    typed: String,
}

struct Worker {
    id: String,
    name: String,
    email: String,
    is_admin: bool,
    since: Timestamp,
}

#[derive(Template)]
#[template(path = "pages/workspace.html")]
struct OnePage {
    shell: Shell,
    faults: Faults,
    workspace: Workspace,
    form: WorkspaceForm,
    may_change: bool,
    workers: Vec<Worker>,
    /// Identifier and name of those who could be let in.
    others: Vec<(String, String)>,
    call: ApiCall,
    now: Timestamp,
}

#[derive(Template)]
#[template(path = "pages/workspace_delete.html")]
struct DeletePage {
    shell: Shell,
    faults: Faults,
    workspace: Workspace,
    members: u64,
}

/// The workspace.
pub(crate) async fn show(
    State(console): State<Console>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    let account = signed_in.visitor.account_id();
    let workspace = console.app.workspaces().get(account, &name).await?;
    let notice = match asked.done.as_deref() {
        Some("made") => Some("The workspace was made."),
        Some("changed") => Some("The workspace was changed."),
        Some("added") => Some("They work here from now on."),
        Some("removed") => Some("They no longer work here."),
        _ => None,
    };
    render(&console, &signed_in, workspace, None, notice).await
}

async fn render(
    console: &Console,
    signed_in: &SignedIn,
    workspace: Workspace,
    left: Option<(WorkspaceForm, Faults)>,
    notice: Option<&str>,
) -> Result<Response, PageError> {
    let whole = Page {
        offset: 0,
        limit: PEOPLE_MAX,
    };
    let (account, row) = (signed_in.visitor.account_id(), &workspace.row);
    let workspaces = console.app.workspaces();
    let id = row.id.to_string();
    let (members, _) = workspaces.members(account, &id, whole).await?;
    let (people, _) = workspaces.people(account, whole).await?;
    let (form, faults) = left.unwrap_or_else(|| {
        let form = WorkspaceForm {
            name: row.name.clone(),
            slug: row.slug.clone(),
            description: row.description.clone().unwrap_or_default(),
        };
        (form, Faults::default())
    });
    let mut shell = Shell::new(&signed_in.visit, row.name.clone(), Nav::Settings);
    if let Some(notice) = notice {
        shell = shell.with_notice(notice);
    }
    let path = format!("/workspaces/{id}");
    let call = ApiCall::new(&console.settings.public_url, "PATCH", &path);
    let status = status_of(&faults);
    let page = OnePage {
        shell,
        faults,
        call: call.with_body(json!({ "name": form.name, "description": form.description })),
        form,
        may_change: may_change(signed_in, row.id),
        workers: workers(&members, &people),
        others: others(&members, &people),
        workspace,
        now: console.app.clock().now(),
    };
    page_with(status, &page)
}

fn workers(members: &[Member], people: &[AccountPerson]) -> Vec<Worker> {
    let of = |member: &Member| {
        let person = people.iter().find(|person| person.id == member.person_id);
        Worker {
            id: member.person_id.to_string(),
            name: person.map_or_else(|| member.person_id.to_string(), |one| one.name.clone()),
            email: person.map(|one| one.email.clone()).unwrap_or_default(),
            is_admin: member.role == WorkspaceRole::Admin,
            since: member.created_at,
        }
    };
    members.iter().map(of).collect()
}

fn others(members: &[Member], people: &[AccountPerson]) -> Vec<(String, String)> {
    let works_here = |person: &AccountPerson| {
        let mut members = members.iter();
        members.any(|member| member.person_id == person.id)
    };
    let people = people.iter().filter(|person| !works_here(person));
    people
        .map(|person| {
            (
                person.id.to_string(),
                format!("{} ({})", person.name, person.email),
            )
        })
        .collect()
}

/// Whether the visitor manages this workspace: all of them, or this one, in which they are.
fn may_change(signed_in: &SignedIn, id: WorkspaceId) -> bool {
    match signed_in.visitor.reach(Capability::ManageWorkspaces) {
        Reach::Everything => true,
        Reach::AdministeredWorkspaces => signed_in.visitor.workspace_id() == id,
        _ => false,
    }
}

async fn changeable(
    console: &Console,
    signed_in: &SignedIn,
    name: &str,
) -> Result<Workspace, PageError> {
    let account = signed_in.visitor.account_id();
    let workspace = console.app.workspaces().get(account, name).await?;
    if may_change(signed_in, workspace.row.id) {
        return Ok(workspace);
    }
    Err(PageError::NotAllowed(Capability::ManageWorkspaces))
}

/// Changes what it is called.
pub(crate) async fn change(
    State(console): State<Console>,
    Path(name): Path<String>,
    signed_in: SignedIn,
    Submitted(form): Submitted<WorkspaceForm>,
) -> Result<Response, PageError> {
    let workspace = changeable(&console, &signed_in, &name).await?;
    let description = form.description.trim();
    let edit = WorkspaceEdit {
        name: Some(form.name.trim().to_owned()),
        slug: Some(form.slug.trim().to_owned()),
        description: if description.is_empty() {
            Patch::Clear
        } else {
            Patch::Set(description.to_owned())
        },
        default_provider_sort: Patch::Keep,
    };
    let id = workspace.row.id.to_string();
    let workspaces = console.app.workspaces();
    match workspaces.change(&signed_in.acting(), &id, edit).await {
        Ok(changed) => {
            let place = format!("/workspaces/{}?done=changed", changed.row.slug);
            Ok(Redirect::to(&place).into_response())
        }
        Err(error) => {
            let left = Some((form, faults_of(error)?));
            render(&console, &signed_in, workspace, left, None).await
        }
    }
}

/// Lets somebody work here.
pub(crate) async fn add(
    State(console): State<Console>,
    Path(name): Path<String>,
    signed_in: SignedIn,
    Submitted(form): Submitted<PersonForm>,
) -> Result<Response, PageError> {
    let workspace = changeable(&console, &signed_in, &name).await?;
    let (id, people) = (workspace.row.id.to_string(), [form.person]);
    let workspaces = console.app.workspaces();
    workspaces
        .add_members(&signed_in.acting(), &id, &people)
        .await?;
    let place = format!("/workspaces/{}?done=added", workspace.row.slug);
    Ok(Redirect::to(&place).into_response())
}

/// Ends somebody's work here.
pub(crate) async fn remove(
    State(console): State<Console>,
    Path(name): Path<String>,
    signed_in: SignedIn,
    Submitted(form): Submitted<PersonForm>,
) -> Result<Response, PageError> {
    let workspace = changeable(&console, &signed_in, &name).await?;
    let (id, people) = (workspace.row.id.to_string(), [form.person]);
    let workspaces = console.app.workspaces();
    workspaces
        .remove_members(&signed_in.acting(), &id, &people)
        .await?;
    let place = format!("/workspaces/{}?done=removed", workspace.row.slug);
    Ok(Redirect::to(&place).into_response())
}

/// Asks first, and says what goes.
pub(crate) async fn ask_deletion(
    State(console): State<Console>,
    Path(name): Path<String>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    let workspace = changeable(&console, &signed_in, &name).await?;
    page(&deletion(&console, &signed_in, workspace, Faults::default()).await?)
}

async fn deletion(
    console: &Console,
    signed_in: &SignedIn,
    workspace: Workspace,
    faults: Faults,
) -> Result<DeletePage, PageError> {
    let none = Page {
        offset: 0,
        limit: 1,
    };
    let (account, id) = (signed_in.visitor.account_id(), workspace.row.id.to_string());
    let (_, members) = console.app.workspaces().members(account, &id, none).await?;
    Ok(DeletePage {
        shell: Shell::new(&signed_in.visit, "Delete a workspace", Nav::Settings),
        faults,
        workspace,
        members,
    })
}

/// Deletes it.
pub(crate) async fn delete(
    State(console): State<Console>,
    Path(name): Path<String>,
    signed_in: SignedIn,
    Submitted(form): Submitted<TypedForm>,
) -> Result<Response, PageError> {
    let workspace = changeable(&console, &signed_in, &name).await?;
    if form.typed.trim() != workspace.row.slug {
        let mut faults = Faults::default();
        faults.add(
            "typed",
            "This is not its slug. Type it as it is written above.",
        );
        let status = status_of(&faults);
        let again = deletion(&console, &signed_in, workspace, faults).await?;
        return page_with(status, &again);
    }
    let id = workspace.row.id.to_string();
    let workspaces = console.app.workspaces();
    workspaces.delete(&signed_in.acting(), &id).await?;
    Ok(Redirect::to("/workspaces?done=deleted").into_response())
}
