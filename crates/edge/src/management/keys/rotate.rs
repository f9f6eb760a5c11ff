//! `POST /keys/{hash}/rotate`: a new key in an old one's place.

use std::sync::Arc;

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};
use serde::Serialize;
use switchyard_app::api_keys::KeySight;
use utoipa::ToSchema;

use super::{input, text_of, view::KeyView};
use crate::{
    Edge,
    caller::cap,
    error,
    management::change::{Answer, Change},
    openapi::{management_schemas::ApiKeyRotationBody, schemas::ErrorBody},
    reply::Refusal,
};

#[derive(Serialize, ToSchema)]
pub(crate) struct RotatedApiKeyAnswer<'a> {
    /// The new key.
    data: KeyView<'a>,
    /// The new key itself. It is not shown again.
    key: &'a str,
    /// The old key as it is now: its time is over at `expires_at`.
    old: KeyView<'a>,
}

#[utoipa::path(
    post,
    path = "/api/v1/keys/{hash}/rotate",
    operation_id = "rotateKeys",
    tag = "Management",
    summary = "Put a new API key in an old one's place",
    description = "Needs a management key. The new key has the old one's name, limit, standing rules \
                   and credentials. Both spend from one limit, and a change to it is a change for \
                   both. The old key works on for `old_key_expires_in`, if its own time is not over \
                   earlier. The new key's text is in this answer and nowhere else, so send an \
                   `Idempotency-Key`.",
    params(("hash" = String, Path, description = "The old key's public hash."),
        ("idempotency-key" = Option<String>, Header,
        description = "The same key with the same body gets the same answer for 24 hours.")),
    request_body = ApiKeyRotationBody,
    responses(
        (status = 201, description = "Both keys.", body = RotatedApiKeyAnswer),
        (status = 400, description = "A field is wrong or unknown.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "No such key.", body = ErrorBody),
        (status = 409, description = "It was rotated already, or has expired.", body = ErrorBody),
        (status = 413, description = "The body is too large.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn rotate(
    State(edge): State<Edge>,
    hash: Result<Path<String>, PathRejection>,
    change: Change<cap::ManageApiKeys>,
) -> Result<Response, Refusal> {
    let (hash, old_life) = (text_of(hash), input::old_key_life(change.fields()?)?);
    let app = Arc::clone(&edge.app);
    let work = async move |actor| {
        let rotated = app
            .rotate_api_key(&actor, KeySight::CALLING, &hash, old_life)
            .await;
        let rotated = rotated.map_err(|error| error::management::api_key(&error))?;
        let answer = RotatedApiKeyAnswer {
            data: KeyView::of(&rotated.key),
            key: rotated.text.expose(),
            old: KeyView::of(&rotated.old),
        };
        Ok(Answer::json(StatusCode::CREATED, &answer))
    };
    change.once(&edge, work).await
}
