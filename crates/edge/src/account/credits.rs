//! `GET /credits`.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::amount::Usd;
use crate::{
    Edge,
    caller::{Authorized, cap},
    error,
    openapi::schemas::ErrorBody,
    reply::{Refusal, json},
};

#[derive(Serialize, ToSchema)]
pub(crate) struct CreditsAnswer {
    data: CreditsView,
}

/// US dollars.
#[derive(Serialize, ToSchema)]
#[schema(as = Credits)]
struct CreditsView {
    /// All that was bought or granted.
    #[schema(value_type = f64)]
    total_credits: Usd,
    /// All that was charged.
    #[schema(value_type = f64)]
    total_usage: Usd,
}

#[utoipa::path(
    get,
    path = "/api/v1/credits",
    operation_id = "getCredits",
    tag = "Account",
    summary = "What the account was granted and what it used",
    description = "Needs a management key.",
    responses(
        (status = 200, description = "The sums.", body = CreditsAnswer),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn current(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ReadSpend>,
) -> Result<Response, Refusal> {
    let credits = edge
        .app
        .credits(caller.account_id())
        .await
        .map_err(|e| error::unreadable(&e))?;
    let data = CreditsView {
        total_credits: Usd(credits.total_credits),
        total_usage: Usd(credits.total_usage),
    };
    Ok(json(StatusCode::OK, &CreditsAnswer { data }))
}
