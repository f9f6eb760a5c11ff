//! `GET /generation/{id}/receipt` and `GET /receipts/keys`.

use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};
use serde::Serialize;
use switchyard_app::receipts::verify::PublishedKey;
use switchyard_domain::id::GenerationId;
use utoipa::ToSchema;

use super::generation::may_see;
use crate::{
    Edge,
    caller::{Authorized, cap},
    error,
    openapi::schemas::{ErrorBody, ReceiptBody},
    reply::{Refusal, json, json_bytes},
};

#[utoipa::path(
    get,
    path = "/api/v1/generation/{id}/receipt",
    operation_id = "getGenerationReceipt",
    tag = "Account",
    summary = "The signed receipt of a generation",
    description = "Proves what this gateway attempted under which policy, for workspaces that ask \
                   for receipts. Visible to whom the generation is. `switchyard receipt verify` \
                   checks the answer as it is.",
    params(("id" = String, Path, description = "The generation's id, as in the answer's `id`.")),
    responses(
        (status = 200, description = "The receipt, in its canonical text.", body = ReceiptBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (
            status = 404,
            description = "No such generation, or its workspace had not asked for receipts.",
            body = ErrorBody
        ),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn of_generation(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ReadGenerations>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refusal> {
    // What is no generation's id names no generation.
    let id = path.ok().and_then(|Path(id)| id.parse().ok());
    let id: GenerationId = id.ok_or_else(|| error::not_found("This generation"))?;
    let found = edge.app.generation(caller.account_id(), &id).await;
    let found = found.map_err(|error| error::unreadable(&error))?;
    let Some(view) = found.filter(|one| may_see(&caller, one.account_id, one.workspace_id)) else {
        return Err(error::not_found(&format!("Generation {id}")).into());
    };
    let receipts = edge.app.receipts();
    match receipts.of_generation(view.workspace_id, &id).await {
        Ok(Some(receipt)) => Ok(json_bytes(StatusCode::OK, receipt.into())),
        Ok(None) => Err(error::no_receipt(id.as_str()).into()),
        Err(error) => Err(error::unreadable(&error).into()),
    }
}

/// A key to check receipts with.
#[derive(Serialize, ToSchema)]
#[schema(as = ReceiptKey)]
pub(crate) struct KeyView {
    /// The first half of the key's SHA-256, so that no other key goes by its name.
    #[schema(example = "sig_fe812c12f3ab4ce6ac5db69ac352f906")]
    key_id: String,
    #[schema(example = "ed25519")]
    algorithm: String,
    /// 32 bytes in base64.
    public_key: String,
}

impl From<PublishedKey> for KeyView {
    fn from(key: PublishedKey) -> Self {
        Self {
            key_id: key.key_id,
            algorithm: key.algorithm,
            public_key: key.public_key,
        }
    }
}

#[utoipa::path(
    get,
    path = "/api/v1/receipts/keys",
    operation_id = "listReceiptKeys",
    tag = "Account",
    summary = "The public keys that receipts are signed with",
    description = "Also those that sign no more. Keep a copy: with it, receipts can be checked \
                   without this service.",
    responses(
        (status = 200, description = "The keys, oldest first.", body = Vec<KeyView>),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    ),
    security(())
)]
pub(crate) async fn keys(State(edge): State<Edge>) -> Result<Response, Refusal> {
    let keys = edge.app.receipts().public_keys().await;
    let keys = keys.map_err(|error| error::unreadable(&error))?;
    let keys: Vec<KeyView> = keys.into_iter().map(KeyView::from).collect();
    Ok(json(StatusCode::OK, &keys))
}
