//! `/keys`: an account's API keys, for its management keys.

pub(super) mod input;
mod rotate;
mod view;

pub(crate) use self::rotate::*;

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State, rejection::PathRejection},
    http::{StatusCode, Uri},
    response::Response,
};
use serde::{Deserialize, Serialize};
use switchyard_app::api_keys::{KeyQuery, KeySight};
use switchyard_interchange::reply::PublicFailure;
use utoipa::{IntoParams, ToSchema};

use self::view::KeyView;
use super::change::{Answer, Change, Deleted};
use crate::{
    Edge,
    caller::{Authorized, cap},
    error,
    openapi::{
        management_schemas::{ApiKeyBody, ApiKeyPatchBody},
        schemas::ErrorBody,
    },
    reply::{Refusal, json},
};

#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKeyAnswer<'a> {
    data: KeyView<'a>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKeyListAnswer<'a> {
    /// Newest first, at most 100.
    data: Vec<KeyView<'a>>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct NewApiKeyAnswer<'a> {
    data: KeyView<'a>,
    /// The key itself. It is not shown again.
    key: &'a str,
}

/// Every parameter, as text.
#[derive(Deserialize, IntoParams, Default)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct KeysQuery {
    /// Also keys that are switched off.
    #[param(value_type = Option<bool>)]
    include_disabled: Option<String>,
    /// Also keys whose time is over.
    #[param(value_type = Option<bool>)]
    include_expired: Option<String>,
    /// Keys to skip.
    #[param(value_type = Option<u32>)]
    offset: Option<String>,
    /// The keys of this workspace; of the default one where it is not given.
    workspace_id: Option<String>,
}

impl KeysQuery {
    fn read(uri: &Uri) -> Result<KeyQuery, PublicFailure> {
        let Query(query) =
            Query::<Self>::try_from_uri(uri).map_err(|_| error::unreadable_query())?;
        let flag = |name, value: &Option<String>| match value.as_deref() {
            None | Some("" | "false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(error::bad_query(name, "must be true or false")),
        };
        let offset = query.offset.filter(|text| !text.is_empty());
        let offset = offset.map_or(Ok(0), |text| text.parse());
        let workspace = query.workspace_id.map(|text| text.parse());
        Ok(KeyQuery {
            disabled: only_without(flag("include_disabled", &query.include_disabled)?),
            expired: only_without(flag("include_expired", &query.include_expired)?),
            offset: offset.map_err(|_| error::bad_query("offset", "must be a whole number"))?,
            workspace_id: workspace
                .transpose()
                .map_err(|_| error::management::no_such_workspace())?,
            ..KeyQuery::default()
        })
    }
}

/// Where something is not asked for, only what is not so.
fn only_without(is_included: bool) -> Option<bool> {
    (!is_included).then_some(false)
}

#[utoipa::path(
    get,
    path = "/api/v1/keys",
    operation_id = "listKeys",
    tag = "Management",
    summary = "The account's API keys",
    description = "Needs a management key. Newest first, in pages of 100. Management keys are not \
                   listed. With what each key used; windows turn at midnight UTC, weeks begin on \
                   Monday.",
    params(KeysQuery),
    responses(
        (status = 200, description = "The keys.", body = ApiKeyListAnswer),
        (status = 400, description = "A parameter is wrong.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "No such workspace.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn list(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ManageApiKeys>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let query = KeysQuery::read(&uri)?;
    let found = edge.app.api_keys(caller.account_id(), query).await;
    let (keys, _) = found.map_err(|error| error::management::api_key(&error))?;
    let data = keys.iter().map(KeyView::of).collect();
    Ok(json(StatusCode::OK, &ApiKeyListAnswer { data }))
}

#[utoipa::path(
    post,
    path = "/api/v1/keys",
    operation_id = "createKeys",
    tag = "Management",
    summary = "Make an API key",
    description = "Needs a management key. The key calls models; no key makes management keys. Its \
                   text is in this answer and nowhere else, so send an `Idempotency-Key` and ask \
                   again with the same one where the answer got lost.",
    params(("idempotency-key" = Option<String>, Header,
        description = "The same key with the same body gets the same answer for 24 hours.")),
    request_body = ApiKeyBody,
    responses(
        (status = 201, description = "The key.", body = NewApiKeyAnswer),
        (status = 400, description = "A field is wrong, unknown, or not the caller's to set.",
            body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "No such workspace.", body = ErrorBody),
        (status = 409, description = "The `Idempotency-Key` is in use.", body = ErrorBody),
        (status = 413, description = "The body is too large.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn create(
    State(edge): State<Edge>,
    change: Change<cap::ManageApiKeys>,
) -> Result<Response, Refusal> {
    let wanted = input::new_key(change.fields()?)?;
    let app = Arc::clone(&edge.app);
    let work = async move |actor| {
        let made = app.create_api_key(&actor, wanted).await;
        let made = made.map_err(|error| error::management::api_key(&error))?;
        let answer = NewApiKeyAnswer {
            data: KeyView::of(&made.key),
            key: made.text.expose(),
        };
        Ok(Answer::json(StatusCode::CREATED, &answer))
    };
    change.once(&edge, work).await
}

#[utoipa::path(
    get,
    path = "/api/v1/keys/{hash}",
    operation_id = "getKey",
    tag = "Management",
    summary = "One API key",
    description = "Needs a management key. Other accounts' keys and management keys do not exist.",
    params(("hash" = String, Path, description = "The key's public hash.")),
    responses(
        (status = 200, description = "The key.", body = ApiKeyAnswer),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "No such key.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn one(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ManageApiKeys>,
    hash: Result<Path<String>, PathRejection>,
) -> Result<Response, Refusal> {
    let (account, hash) = (caller.account_id(), text_of(hash));
    let found = edge.app.api_key(account, KeySight::CALLING, &hash).await;
    let key = found.map_err(|error| error::management::api_key(&error))?;
    let data = KeyView::of(&key);
    Ok(json(StatusCode::OK, &ApiKeyAnswer { data }))
}

#[utoipa::path(
    patch,
    path = "/api/v1/keys/{hash}",
    operation_id = "updateKeys",
    tag = "Management",
    summary = "Change an API key",
    description = "Needs a management key. What is left out stays, `null` takes a limit or its \
                   interval away. A change of the limit counts what the key used in the limit's \
                   window already. Every node goes by the change within seconds.",
    params(("hash" = String, Path, description = "The key's public hash.")),
    request_body = ApiKeyPatchBody,
    responses(
        (status = 200, description = "The key as it is now.", body = ApiKeyAnswer),
        (status = 400, description = "A field is wrong, unknown, or not the caller's to set.",
            body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "No such key.", body = ErrorBody),
        (status = 409, description = "Others are changing it.", body = ErrorBody),
        (status = 413, description = "The body is too large.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn update(
    State(edge): State<Edge>,
    hash: Result<Path<String>, PathRejection>,
    change: Change<cap::ManageApiKeys>,
) -> Result<Response, Refusal> {
    let (hash, wishes) = (text_of(hash), input::key_wishes(change.fields()?)?);
    let app = Arc::clone(&edge.app);
    let work = async move |actor| {
        let changed = app
            .change_api_key(&actor, KeySight::CALLING, &hash, &wishes)
            .await;
        let key = changed.map_err(|error| error::management::api_key(&error))?;
        let data = KeyView::of(&key);
        Ok(Answer::json(StatusCode::OK, &ApiKeyAnswer { data }))
    };
    change.once(&edge, work).await
}

#[utoipa::path(
    delete,
    path = "/api/v1/keys/{hash}",
    operation_id = "deleteKeys",
    tag = "Management",
    summary = "Delete an API key for good",
    description = "Needs a management key. Every node refuses the key within seconds; what it used \
                   stays on record.",
    params(("hash" = String, Path, description = "The key's public hash.")),
    responses(
        (status = 200, description = "It is deleted.", body = Deleted),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "No such key.", body = ErrorBody),
        (status = 409, description = "The `Idempotency-Key` is in use.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn delete(
    State(edge): State<Edge>,
    hash: Result<Path<String>, PathRejection>,
    change: Change<cap::ManageApiKeys>,
) -> Result<Response, Refusal> {
    let hash = text_of(hash);
    let app = Arc::clone(&edge.app);
    let work = async move |actor| {
        let deleted = app.delete_api_key(&actor, KeySight::CALLING, &hash).await;
        deleted.map_err(|error| error::management::api_key(&error))?;
        Ok(Answer::deleted())
    };
    change.once(&edge, work).await
}

/// The hash in the path. One that is no text names no key.
fn text_of(hash: Result<Path<String>, PathRejection>) -> String {
    hash.map(|Path(hash)| hash).unwrap_or_default()
}

#[cfg(test)]
mod tests;
