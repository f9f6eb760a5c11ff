//! `/workspaces`: the parts of an account.

pub(super) mod body;
mod view;

use axum::{
    extract::{Path, Query, State, rejection::PathRejection},
    http::{StatusCode, Uri},
    response::Response,
};
use serde::Deserialize;
use switchyard_interchange::reply::PublicFailure;
use utoipa::IntoParams;

pub(crate) use self::body::{NewWorkspaceBody, WorkspaceEditBody};
pub(crate) use self::view::{WorkspaceAnswer, WorkspaceList};

use self::view::WorkspaceView;
use super::{
    change::{Answer, Change, Deleted},
    page::page,
};
use crate::{
    Edge,
    caller::{Authorized, cap},
    error,
    openapi::schemas::ErrorBody,
    reply::{Refusal, json},
};

/// A list's query.
#[derive(Deserialize, IntoParams, Default)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Rows to skip.
    #[param(value_type = Option<u32>)]
    pub(super) offset: Option<String>,
    /// Rows to return, 1 to 100; 50 where nothing is said.
    #[param(value_type = Option<u32>)]
    pub(super) limit: Option<String>,
}

/// The query of a request; what is said twice is refused.
pub(super) fn query<T: for<'de> Deserialize<'de>>(uri: &Uri) -> Result<T, PublicFailure> {
    let parsed = Query::try_from_uri(uri);
    parsed
        .map(|Query(query)| query)
        .map_err(|_| error::unreadable_query())
}

/// The workspace that a path names: an id, or a slug.
pub(super) type NamePath = Result<Path<String>, PathRejection>;

pub(super) fn name_in(path: NamePath) -> Result<String, PublicFailure> {
    path.map(|Path(name)| name)
        .map_err(|_| error::tenancy::no_workspace())
}

#[utoipa::path(
    get,
    path = "/api/v1/workspaces",
    operation_id = "listWorkspaces",
    tag = "Management",
    summary = "The account's workspaces",
    description = "The default one first, the others by age. Needs a management key.",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of them.", body = WorkspaceList),
        (status = 400, description = "A parameter is wrong.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn list(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ManageWorkspaces>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let asked: PageQuery = query(&uri)?;
    let page = page(asked.offset.as_deref(), asked.limit.as_deref())?;
    let workspaces = edge.app.workspaces();
    let (rows, total_count) = workspaces
        .list(caller.account_id(), page)
        .await
        .map_err(|error| error::tenancy::workspace(&error))?;
    let data = rows.iter().map(WorkspaceView::of).collect();
    Ok(json(StatusCode::OK, &WorkspaceList { data, total_count }))
}

#[utoipa::path(
    post,
    path = "/api/v1/workspaces",
    operation_id = "createWorkspace",
    tag = "Management",
    summary = "Makes a workspace",
    description = "Needs a management key. The person whose key it is becomes a member.",
    request_body = NewWorkspaceBody,
    responses(
        (status = 201, description = "It is made.", body = WorkspaceAnswer),
        (status = 400, description = "A field is wrong.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 409, description = "The slug is taken.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn create(
    State(edge): State<Edge>,
    change: Change<cap::ManageWorkspaces>,
) -> Result<Response, Refusal> {
    let draft = body::draft(change.fields()?)?;
    let app = edge.app.clone();
    change
        .once(&edge, async move |by| {
            let made = app.workspaces().create(&by, draft).await;
            let made = made.map_err(|error| error::tenancy::workspace(&error))?;
            Ok(answer(StatusCode::CREATED, &made))
        })
        .await
}

fn answer(status: StatusCode, workspace: &switchyard_app::workspaces::Workspace) -> Answer {
    let data = WorkspaceView::of(workspace);
    Answer::json(status, &WorkspaceAnswer { data })
}

#[utoipa::path(
    get,
    path = "/api/v1/workspaces/{id}",
    operation_id = "getWorkspace",
    tag = "Management",
    summary = "One workspace",
    description = "Needs a management key.",
    params(("id" = String, Path, description = "Its id or its slug.")),
    responses(
        (status = 200, description = "The workspace.", body = WorkspaceAnswer),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "The account has no such workspace.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn one(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ManageWorkspaces>,
    name: NamePath,
) -> Result<Response, Refusal> {
    let name = name_in(name)?;
    let workspaces = edge.app.workspaces();
    let found = workspaces
        .get(caller.account_id(), &name)
        .await
        .map_err(|error| error::tenancy::workspace(&error))?;
    let data = WorkspaceView::of(&found);
    Ok(json(StatusCode::OK, &WorkspaceAnswer { data }))
}

#[utoipa::path(
    patch,
    path = "/api/v1/workspaces/{id}",
    operation_id = "updateWorkspace",
    tag = "Management",
    summary = "Changes a workspace",
    description = "What is left out stays; `null` takes away. Needs a management key.",
    params(("id" = String, Path, description = "Its id or its slug.")),
    request_body = WorkspaceEditBody,
    responses(
        (status = 200, description = "The workspace as it is now.", body = WorkspaceAnswer),
        (status = 400, description = "A field is wrong.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "The account has no such workspace.", body = ErrorBody),
        (status = 409, description = "The slug is taken.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn update(
    State(edge): State<Edge>,
    name: NamePath,
    change: Change<cap::ManageWorkspaces>,
) -> Result<Response, Refusal> {
    let name = name_in(name)?;
    let edit = body::edit(change.fields()?)?;
    let app = edge.app.clone();
    change
        .once(&edge, async move |by| {
            let changed = app.workspaces().change(&by, &name, edit).await;
            let changed = changed.map_err(|error| error::tenancy::workspace(&error))?;
            Ok(answer(StatusCode::OK, &changed))
        })
        .await
}

#[utoipa::path(
    delete,
    path = "/api/v1/workspaces/{id}",
    operation_id = "deleteWorkspace",
    tag = "Management",
    summary = "Deletes a workspace",
    description = "With its members, its standing policy and its provider credentials, whose secrets \
                   are wiped. Its API keys must be deleted before. Needs a management key.",
    params(("id" = String, Path, description = "Its id or its slug.")),
    responses(
        (status = 200, description = "It is deleted.", body = Deleted),
        (status = 400, description = "It has API keys.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key, or the default workspace.",
            body = ErrorBody),
        (status = 404, description = "The account has no such workspace.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn delete(
    State(edge): State<Edge>,
    name: NamePath,
    change: Change<cap::ManageWorkspaces>,
) -> Result<Response, Refusal> {
    let name = name_in(name)?;
    let app = edge.app.clone();
    change
        .once(&edge, async move |by| {
            let deleted = app.workspaces().delete(&by, &name).await;
            deleted.map_err(|error| error::tenancy::workspace(&error))?;
            Ok(Answer::deleted())
        })
        .await
}
