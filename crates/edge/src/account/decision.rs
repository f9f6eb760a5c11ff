//! `GET /generation/{id}/decision`.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::Serialize;
use serde_json::value::RawValue;
use switchyard_app::explain::Exclusion;
use switchyard_domain::id::GenerationId;
use utoipa::ToSchema;

use super::generation::{AttemptView, may_see};
use crate::{
    Edge,
    caller::{Authorized, cap},
    error,
    openapi::schemas::ErrorBody,
    reply::{Refusal, json},
};

#[derive(Serialize, ToSchema)]
pub(crate) struct DecisionAnswer<'a> {
    data: DecisionData<'a>,
}

/// How it was decided where a generation goes, and what came of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Decision)]
struct DecisionData<'a> {
    /// The generation's id.
    id: &'a str,
    /// RFC 3339, UTC: when it was decided.
    created_at: String,
    /// The whole record: what the request needed, the catalogue's version, the digest of the standing
    /// policy, the seed, and every candidate with its place or the first rule that removed it.
    /// `null` where none was kept.
    #[schema(required = true, value_type = Option<Object>)]
    decision: Option<&'a RawValue>,
    /// Every attempt, in order.
    attempts: Vec<AttemptView<'a>>,
    /// The endpoints that were left out, in words.
    excluded: Vec<ExcludedView<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Excluded)]
struct ExcludedView<'a> {
    endpoint: &'a str,
    text: &'a str,
}

impl<'a> ExcludedView<'a> {
    fn of(exclusion: &'a Exclusion) -> Self {
        Self {
            endpoint: exclusion.endpoint.as_str(),
            text: &exclusion.text,
        }
    }
}

#[utoipa::path(
    get,
    path = "/api/v1/generation/{id}/decision",
    operation_id = "getGenerationDecision",
    tag = "Routing",
    summary = "Why a generation went where it went",
    description = "An inference key sees the generations of its workspace, a management key those \
                   of the account. Anybody else's do not exist.",
    params(("id" = String, Path, description = "The generation's id.",
        example = "gen-1764000000-0123456789abcdefghij")),
    responses(
        (status = 200, description = "The decision.", body = DecisionAnswer),
        (status = 400, description = "Not a generation's id.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 404, description = "No such generation.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn one(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ReadGenerations>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id: GenerationId = id
        .parse()
        .map_err(|_| error::bad_path("is not a generation's id, such as gen-1764000000-…"))?;
    let found = edge.app.decision(caller.account_id(), &id).await;
    let found = found.map_err(|error| error::unreadable(&error))?;
    let may_see = |account, workspace| may_see(&caller, account, workspace);
    let Some(decided) =
        found.filter(|one| may_see(one.generation.account_id, one.generation.workspace_id))
    else {
        return Err(error::not_found(&format!("Generation {id}")).into());
    };
    let view = &decided.generation;
    let data = DecisionData {
        id: view.generation_id.as_str(),
        created_at: view.admitted_at.to_rfc3339(),
        decision: view.decision.as_deref(),
        attempts: view.attempts.iter().map(AttemptView::of).collect(),
        excluded: decided.excluded.iter().map(ExcludedView::of).collect(),
    };
    Ok(json(StatusCode::OK, &DecisionAnswer { data }))
}
