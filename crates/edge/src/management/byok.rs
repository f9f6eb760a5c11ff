//! `/byok`: the provider credentials that an account brings.

pub(super) mod body;
mod secret;
mod view;

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::{StatusCode, Uri},
    response::Response,
};
use serde::Deserialize;
use switchyard_app::own_credentials::{NewCredential, OwnCredentialFilter, OwnCredentialRow};
use switchyard_domain::{id::CredentialId, patch::Patch, provider::ProviderSlug};
use switchyard_interchange::reply::PublicFailure;
use utoipa::IntoParams;

pub(crate) use self::body::{CheckBody, CredentialEditBody, NewCredentialBody, OrderBody};
pub(crate) use self::view::{CheckedCredentialAnswer, CredentialAnswer, CredentialList};

use self::{
    body::{Draft, credential_id, workspace_id},
    view::{CheckView, CredentialView},
};
use super::{
    change::{Answer, Change, Deleted},
    page::page,
    workspaces::query,
};
use crate::{
    Edge,
    caller::{Authorized, cap},
    error,
    limits::MANAGEMENT_PAGE_ROWS_MAX,
    openapi::schemas::ErrorBody,
    reply::{Refusal, json},
};

/// Which credentials to list.
#[derive(Deserialize, IntoParams, Default)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Rows to skip.
    #[param(value_type = Option<u32>)]
    offset: Option<String>,
    /// Rows to return, 1 to 100; 50 where nothing is said.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
    /// Those used in this workspace: its own, and those of every workspace. Left out: the default
    /// one.
    workspace_id: Option<String>,
    /// Those of one provider, by its slug.
    provider: Option<String>,
}

/// How a credential is stored.
#[derive(Deserialize, IntoParams, Default)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct CreateQuery {
    /// Whether to try it out at once. What comes of that is the credential's `state`; it is stored
    /// in any case.
    #[param(value_type = Option<bool>)]
    check: Option<String>,
}

impl CreateQuery {
    fn wants_check(&self) -> Result<bool, PublicFailure> {
        match self.check.as_deref() {
            None | Some("" | "false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(error::bad_query("check", "must be true or false")),
        }
    }
}

type IdPath = Result<Path<String>, PathRejection>;

fn id_in(path: IdPath) -> Result<CredentialId, PublicFailure> {
    match path {
        Ok(Path(id)) => credential_id(&id),
        Err(_) => Err(error::tenancy::no_credential()),
    }
}

fn answer(status: StatusCode, row: &OwnCredentialRow) -> Answer {
    let data = CredentialView::of(row);
    Answer::json(status, &CredentialAnswer { data })
}

#[utoipa::path(
    get,
    path = "/api/v1/byok",
    operation_id = "listBYOKKeys",
    tag = "Management",
    summary = "The account's own provider credentials",
    description = "By provider and place. Needs a management key.",
    params(ListQuery),
    responses(
        (status = 200, description = "A page of them.", body = CredentialList),
        (status = 400, description = "A parameter is wrong.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "The account has no such workspace.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn list(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ManageCredentials>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let account = caller.account_id();
    let asked: ListQuery = query(&uri)?;
    let page = page(asked.offset.as_deref(), asked.limit.as_deref())?;
    let workspaces = edge.app.workspaces();
    let workspace = match asked.workspace_id.as_deref() {
        None | Some("") => workspaces.default_of(account).await,
        Some(id) => workspaces.expect(account, workspace_id(id)?).await,
    };
    let filter = OwnCredentialFilter {
        workspace: Some(workspace.map_err(|error| error::tenancy::workspace(&error))?),
        provider: asked
            .provider
            .filter(|slug| !slug.is_empty())
            .map(ProviderSlug::new),
    };
    let (rows, total_count) = edge
        .app
        .own_credentials()
        .list(account, &filter, page)
        .await
        .map_err(|error| error::tenancy::own_credential(&error))?;
    let data = rows.iter().map(CredentialView::of).collect();
    Ok(json(StatusCode::OK, &CredentialList { data, total_count }))
}

#[utoipa::path(
    post,
    path = "/api/v1/byok",
    operation_id = "createBYOKKey",
    tag = "Management",
    summary = "Stores a provider credential",
    description = "Behind the others of its provider. The secret is looked at offline, sealed, and \
                   never shown again. Needs a management key.",
    params(CreateQuery),
    request_body = NewCredentialBody,
    responses(
        (status = 201, description = "It is stored.", body = CredentialAnswer),
        (status = 400, description = "A field is wrong.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "The account has no such workspace.", body = ErrorBody),
        (status = 409, description = "The same secret is stored already.", body = ErrorBody),
        (status = 503, description = "The database or the vault cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn create(
    State(edge): State<Edge>,
    uri: Uri,
    change: Change<cap::ManageCredentials>,
) -> Result<Response, Refusal> {
    let wants_check = query::<CreateQuery>(&uri)?.wants_check()?;
    let Draft {
        provider,
        secret,
        workspace,
        settings,
    } = body::draft(change.fields()?)?;
    let app = edge.app.clone();
    change
        .once(&edge, async move |by| {
            let (account, by) = (by.account_id(), by.as_audited());
            let workspace_id = match workspace {
                Patch::Clear => None,
                Patch::Set(id) => Some(id),
                Patch::Keep => {
                    let default = app.workspaces().default_of(account).await;
                    Some(default.map_err(|error| error::tenancy::workspace(&error))?)
                }
            };
            let new = NewCredential {
                workspace_id,
                provider,
                secret,
                settings,
            };
            let catalog = app.catalog();
            let stored = app
                .own_credentials()
                .create(account, &catalog, new, &by)
                .await
                .map_err(|error| error::tenancy::own_credential(&error))?;
            if wants_check {
                let checked = app.check_own_credential(account, stored.id, None, &by);
                match checked.await {
                    Ok((row, _)) => return Ok(answer(StatusCode::CREATED, &row)),
                    // It is stored, so this is no failure.
                    Err(error) => tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "a new credential could not be tried out"
                    ),
                }
            }
            Ok(answer(StatusCode::CREATED, &stored))
        })
        .await
}

#[utoipa::path(
    get,
    path = "/api/v1/byok/{id}",
    operation_id = "getBYOKKey",
    tag = "Management",
    summary = "One of the account's own provider credentials",
    description = "Never its secret. Needs a management key.",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, description = "The credential.", body = CredentialAnswer),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "The account has no such credential.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn one(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ManageCredentials>,
    id: IdPath,
) -> Result<Response, Refusal> {
    let id = id_in(id)?;
    let found = edge.app.own_credentials().get(caller.account_id(), id);
    let found = found
        .await
        .map_err(|error| error::tenancy::own_credential(&error))?;
    let data = CredentialView::of(&found);
    Ok(json(StatusCode::OK, &CredentialAnswer { data }))
}

#[utoipa::path(
    patch,
    path = "/api/v1/byok/{id}",
    operation_id = "updateBYOKKey",
    tag = "Management",
    summary = "Changes a provider credential",
    description = "What is left out stays, `null` takes away, lists are replaced. A `key` takes the \
                   place of the old secret and keeps everything else. Needs a management key.",
    params(("id" = String, Path, description = "Its id.")),
    request_body = CredentialEditBody,
    responses(
        (status = 200, description = "The credential as it is now.", body = CredentialAnswer),
        (status = 400, description = "A field is wrong.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "The account has no such credential.", body = ErrorBody),
        (status = 409, description = "The same secret is stored already.", body = ErrorBody),
        (status = 503, description = "The database or the vault cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn update(
    State(edge): State<Edge>,
    id: IdPath,
    change: Change<cap::ManageCredentials>,
) -> Result<Response, Refusal> {
    let id = id_in(id)?;
    let edit = body::edit(change.fields()?)?;
    let app = edge.app.clone();
    change
        .once(&edge, async move |by| {
            let catalog = app.catalog();
            let changed = app
                .own_credentials()
                .change(by.account_id(), &catalog, id, edit, &by.as_audited())
                .await
                .map_err(|error| error::tenancy::own_credential(&error))?;
            Ok(answer(StatusCode::OK, &changed))
        })
        .await
}

#[utoipa::path(
    delete,
    path = "/api/v1/byok/{id}",
    operation_id = "deleteBYOKKey",
    tag = "Management",
    summary = "Deletes a provider credential",
    description = "Its secret is wiped for good. Needs a management key.",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, description = "It is deleted.", body = Deleted),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "The account has no such credential.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn delete(
    State(edge): State<Edge>,
    id: IdPath,
    change: Change<cap::ManageCredentials>,
) -> Result<Response, Refusal> {
    let id = id_in(id)?;
    let app = edge.app.clone();
    change
        .once(&edge, async move |by| {
            app.own_credentials()
                .delete(by.account_id(), id, &by.as_audited())
                .await
                .map_err(|error| error::tenancy::own_credential(&error))?;
            Ok(Answer::deleted())
        })
        .await
}

#[utoipa::path(
    put,
    path = "/api/v1/byok/order",
    operation_id = "orderBYOKKeys",
    tag = "Management",
    summary = "Puts the credentials of a provider in order",
    description = "Answers with the account's credentials at that provider in their new order. Needs \
                   a management key.",
    request_body = OrderBody,
    responses(
        (status = 200, description = "The first 100 of them.", body = CredentialList),
        (status = 400, description = "A field is wrong.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "The account has no such credential at this provider.",
            body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn order(
    State(edge): State<Edge>,
    change: Change<cap::ManageCredentials>,
) -> Result<Response, Refusal> {
    let (provider, ids) = body::order(change.fields()?)?;
    let app = edge.app.clone();
    change
        .once(&edge, async move |by| {
            let (account, credentials) = (by.account_id(), app.own_credentials());
            let failed = |error| error::tenancy::own_credential(&error);
            credentials
                .order(account, &provider, &ids, &by.as_audited())
                .await
                .map_err(failed)?;
            let filter = OwnCredentialFilter {
                workspace: None,
                provider: Some(provider),
            };
            let first = super::page::first(MANAGEMENT_PAGE_ROWS_MAX);
            let listed = credentials.list(account, &filter, first).await;
            let (rows, total_count) = listed.map_err(failed)?;
            let data = rows.iter().map(CredentialView::of).collect();
            let body = CredentialList { data, total_count };
            Ok(Answer::json(StatusCode::OK, &body))
        })
        .await
}

#[utoipa::path(
    post,
    path = "/api/v1/byok/{id}/check",
    operation_id = "checkBYOKKey",
    tag = "Management",
    summary = "Tries a provider credential out",
    description = "One tiny question with this credential and no other, to a model that it is for and \
                   that the account's rules allow. It costs you a few tokens at the provider and \
                   nothing here. Needs a management key.",
    params(("id" = String, Path, description = "Its id.")),
    request_body(content = Option<CheckBody>),
    responses(
        (status = 200, description = "What came of it.", body = CheckedCredentialAnswer),
        (status = 400, description = "A field is wrong.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "The account has no such credential.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn check(
    State(edge): State<Edge>,
    id: IdPath,
    change: Change<cap::ManageCredentials>,
) -> Result<Response, Refusal> {
    let id = id_in(id)?;
    let model = body::check(change.optional_fields()?)?;
    let app = edge.app.clone();
    change
        .once(&edge, async move |by| {
            let account = by.account_id();
            let by = by.as_audited();
            let checked = app.check_own_credential(account, id, model.as_deref(), &by);
            let (row, check) = checked
                .await
                .map_err(|error| error::tenancy::own_credential(&error))?;
            let body = CheckedCredentialAnswer {
                data: CredentialView::of(&row),
                check: CheckView::of(&check),
            };
            Ok(Answer::json(StatusCode::OK, &body))
        })
        .await
}
