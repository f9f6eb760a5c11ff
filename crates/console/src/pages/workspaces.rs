//! Workspaces: the walls between parts of an account.

pub(crate) mod one;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use serde_json::json;
use switchyard_app::{
    people::sessions::Visitor,
    workspaces::{Page, Workspace, WorkspaceDraft, WorkspaceError},
};
use switchyard_domain::{
    authority::{Capability, Reach},
    clock::Timestamp,
    id::WorkspaceId,
};

use crate::{
    Console,
    error::PageError,
    form::{Faults, Submitted},
    shell::{Nav, Shell, page, page_with},
    ui::ApiCall,
    visit::SignedIn,
};

/// Workspaces on one page.
const PAGE: u32 = 100;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Asked {
    /// Which page, from 0.
    #[serde(default)]
    page: u32,
    /// What was just done.
    done: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct WorkspaceForm {
    name: String,
    slug: String,
    #[serde(default)]
    description: String,
}

#[derive(Template)]
#[template(path = "pages/workspaces.html")]
struct ListPage {
    shell: Shell,
    workspaces: Vec<Workspace>,
    total: u64,
    may_make: bool,
    here: WorkspaceId,
    previous: String,
    next: String,
    now: Timestamp,
}

#[derive(Template)]
#[template(path = "pages/workspace_new.html")]
struct NewPage {
    shell: Shell,
    faults: Faults,
    form: WorkspaceForm,
    call: ApiCall,
}

/// All of the account's.
pub(crate) async fn list(
    State(console): State<Console>,
    SignedIn { visit, visitor }: SignedIn,
    Query(asked): Query<Asked>,
) -> Result<Response, PageError> {
    let stretch = Page {
        offset: asked.page.saturating_mul(PAGE),
        limit: PAGE,
    };
    let workspaces = console.app.workspaces();
    let (workspaces, total) = workspaces.list(visitor.account_id(), stretch).await?;
    let mut shell = Shell::new(&visit, "Workspaces", Nav::Settings);
    if asked.done.as_deref() == Some("deleted") {
        shell = shell.with_notice("The workspace was deleted.");
    }
    let to = |page: u32| format!("/workspaces?page={page}");
    let has_more = u64::from(stretch.offset) + u64::from(PAGE) < total;
    page(&ListPage {
        shell,
        workspaces,
        total,
        may_make: visitor.reach(Capability::ManageWorkspaces) == Reach::Everything,
        here: visitor.workspace_id(),
        previous: asked.page.checked_sub(1).map(to).unwrap_or_default(),
        next: if has_more {
            to(asked.page + 1)
        } else {
            String::new()
        },
        now: console.app.clock().now(),
    })
}

/// The form for a new one.
pub(crate) async fn ask(
    State(console): State<Console>,
    signed_in: SignedIn,
) -> Result<Response, PageError> {
    expect_all(&signed_in.visitor)?;
    render_new(
        &console,
        &signed_in,
        WorkspaceForm::default(),
        Faults::default(),
    )
}

fn render_new(
    console: &Console,
    signed_in: &SignedIn,
    form: WorkspaceForm,
    faults: Faults,
) -> Result<Response, PageError> {
    let status = status_of(&faults);
    let page = NewPage {
        shell: Shell::new(&signed_in.visit, "New workspace", Nav::Settings),
        faults,
        call: ApiCall::new(&console.settings.public_url, "POST", "/workspaces").with_body(json!({
            "name": form.name,
            "slug": form.slug,
            "description": form.description,
        })),
        form,
    };
    page_with(status, &page)
}

/// Makes one.
pub(crate) async fn make(
    State(console): State<Console>,
    signed_in: SignedIn,
    Submitted(form): Submitted<WorkspaceForm>,
) -> Result<Response, PageError> {
    expect_all(&signed_in.visitor)?;
    let description = form.description.trim();
    let draft = WorkspaceDraft {
        name: form.name.trim().to_owned(),
        slug: form.slug.trim().to_owned(),
        description: (!description.is_empty()).then(|| description.to_owned()),
        default_provider_sort: None,
    };
    let workspaces = console.app.workspaces();
    match workspaces.create(&signed_in.acting(), draft).await {
        Ok(made) => {
            let place = format!("/workspaces/{}?done=made", made.row.slug);
            Ok(Redirect::to(&place).into_response())
        }
        Err(error) => render_new(&console, &signed_in, form, faults_of(error)?),
    }
}

fn status_of(faults: &Faults) -> StatusCode {
    if faults.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    }
}

/// What is wrong at a form's fields; other failures are a page of their own.
fn faults_of(error: WorkspaceError) -> Result<Faults, PageError> {
    let mut faults = Faults::default();
    match error {
        WorkspaceError::Invalid { field, message } => {
            faults.add(field, format!("It {message}."));
        }
        WorkspaceError::SlugTaken => faults.add(
            "slug",
            "Another workspace of this account has this slug. Choose another one.",
        ),
        other => return Err(other.into()),
    }
    Ok(faults)
}

/// Only for those who may do it in the whole account.
fn expect_all(visitor: &Visitor) -> Result<(), PageError> {
    match visitor.reach(Capability::ManageWorkspaces) {
        Reach::Everything => Ok(()),
        _ => Err(PageError::NotAllowed(Capability::ManageWorkspaces)),
    }
}

impl From<WorkspaceError> for PageError {
    fn from(error: WorkspaceError) -> Self {
        let words = match error {
            WorkspaceError::Missing => return Self::NotFound,
            WorkspaceError::Directory(error) => return error.into(),
            WorkspaceError::HasKeys => {
                "It has API keys. Delete them first, expired and disabled ones too.".to_owned()
            }
            WorkspaceError::MemberHasKeys => "This member has API keys in the workspace. Delete \
                                              them first, expired and disabled ones too."
                .to_owned(),
            other => format!("It cannot be done: {other}."),
        };
        Self::Conflict(words)
    }
}
