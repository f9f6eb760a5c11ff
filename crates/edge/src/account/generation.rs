//! `GET /generation?id=`.

use axum::{
    extract::{Query, State},
    http::{StatusCode, Uri},
    response::Response,
};
use serde::{Deserialize, Serialize};
use switchyard_app::reads::AttemptFacts;
use switchyard_domain::{
    id::{AccountId, GenerationId, WorkspaceId},
    tenancy::{Caller, KeyKind},
    tokens::TokenUsage,
};
use switchyard_interchange::reply::PublicFailure;
use utoipa::{IntoParams, ToSchema};

use super::amount::Usd;
use crate::{
    Edge,
    caller::{Authorized, cap},
    error,
    openapi::schemas::ErrorBody,
    reply::{Refusal, json},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct GenerationQuery {
    /// The generation's id, as in the answer's `id` and in `X-Generation-Id`.
    #[param(value_type = String, required = true, example = "gen-1764000000-0123456789abcdefghij")]
    id: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct GenerationAnswer<'a> {
    data: GenerationData<'a>,
}

/// A settled generation. Money is US dollars.
#[derive(Serialize, ToSchema)]
#[schema(as = Generation)]
struct GenerationData<'a> {
    id: &'a str,
    #[schema(required = true)]
    upstream_id: Option<&'a str>,
    /// What the account was charged.
    #[schema(value_type = f64)]
    total_cost: Usd,
    /// What prompt caching saved; negative when writing the cache cost more.
    #[schema(required = true, value_type = Option<f64>)]
    cache_discount: Option<Usd>,
    /// What the provider bills the owner of the credential; `null` when the credential was ours.
    #[schema(required = true, value_type = Option<f64>)]
    upstream_inference_cost: Option<Usd>,
    /// RFC 3339, UTC.
    created_at: String,
    /// The model that served, or that was asked for when none did.
    model: &'a str,
    #[schema(required = true, value_type = Option<u64>)]
    app_id: Option<()>,
    #[schema(required = true)]
    streamed: Option<bool>,
    #[schema(required = true)]
    cancelled: Option<bool>,
    #[schema(required = true)]
    provider_name: Option<&'a str>,
    /// Milliseconds to the first token.
    #[schema(required = true)]
    latency: Option<u64>,
    #[schema(required = true, value_type = Option<u64>)]
    moderation_latency: Option<()>,
    /// Milliseconds to the last byte.
    #[schema(required = true)]
    generation_time: Option<u64>,
    #[schema(required = true)]
    finish_reason: Option<&'a str>,
    #[schema(required = true)]
    native_finish_reason: Option<&'a str>,
    #[schema(required = true)]
    service_tier: Option<&'a str>,
    #[serde(flatten)]
    counts: Counts,
    /// The app's address; empty is unknown.
    origin: &'a str,
    /// The charge, once more.
    #[schema(value_type = f64)]
    usage: Usd,
    is_byok: bool,
    data_region: &'static str,
    #[schema(required = true)]
    external_user: Option<&'a str>,
    #[schema(required = true)]
    api_type: Option<&'a str>,
    #[schema(required = true, value_type = Option<String>)]
    preset_id: Option<()>,
    #[schema(required = true, value_type = Option<String>)]
    router: Option<()>,
    /// Every attempt, in order.
    #[schema(required = true)]
    provider_responses: Option<Vec<AttemptView<'a>>>,
    #[schema(required = true)]
    user_agent: Option<&'a str>,
    #[schema(required = true)]
    http_referer: Option<&'a str>,
    #[schema(required = true)]
    workspace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    session_id: Option<&'a str>,
}

/// What was counted. Counts are the provider's own, in both groups.
#[derive(Serialize, ToSchema)]
struct Counts {
    #[schema(required = true)]
    tokens_prompt: Option<u64>,
    #[schema(required = true)]
    tokens_completion: Option<u64>,
    #[schema(required = true)]
    native_tokens_prompt: Option<u64>,
    #[schema(required = true)]
    native_tokens_completion: Option<u64>,
    #[schema(required = true)]
    native_tokens_completion_images: Option<u64>,
    #[schema(required = true)]
    native_tokens_reasoning: Option<u64>,
    #[schema(required = true)]
    native_tokens_cached: Option<u64>,
    #[schema(required = true)]
    num_media_prompt: Option<u32>,
    #[schema(required = true, value_type = Option<u64>)]
    num_input_audio_prompt: Option<()>,
    #[schema(required = true, value_type = Option<u64>)]
    num_media_completion: Option<()>,
    #[schema(required = true, value_type = Option<u64>)]
    num_search_results: Option<()>,
    #[schema(required = true, value_type = Option<u64>)]
    num_fetches: Option<()>,
    #[schema(required = true, value_type = Option<String>)]
    web_search_engine: Option<()>,
}

/// One try at one endpoint.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(super) struct AttemptView<'a> {
    /// The provider's HTTP status; `null` when it did not answer.
    #[schema(required = true)]
    status: Option<u16>,
    endpoint_id: &'a str,
    /// The provider's slug.
    provider: &'a str,
    is_byok: bool,
    /// Whose credential was used: `shared` is the operator's, `own` one that the account stored,
    /// `supplied` one that came with the request.
    #[schema(value_type = String)]
    credential: &'static str,
    /// Milliseconds to the first token, or to the end when none came.
    latency: u64,
    /// What went wrong; absent when it served.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<&'a str>,
}

impl<'a> AttemptView<'a> {
    pub(super) fn of(attempt: &'a AttemptFacts) -> Self {
        Self {
            status: attempt.status,
            endpoint_id: attempt.endpoint_id.as_str(),
            provider: attempt.provider.as_str(),
            is_byok: attempt.is_byok,
            credential: match (attempt.is_byok, attempt.supplied) {
                (_, true) => "supplied",
                (true, false) => "own",
                (false, false) => "shared",
            },
            latency: attempt.first_token_ms.unwrap_or(attempt.duration_ms),
            error: attempt.failure.as_deref(),
        }
    }
}

impl Counts {
    fn new(usage: &TokenUsage, media_prompt: u32) -> Self {
        let (prompt, completion) = (usage.input_total(), usage.output_total());
        Self {
            tokens_prompt: Some(prompt),
            tokens_completion: Some(completion),
            native_tokens_prompt: Some(prompt),
            native_tokens_completion: Some(completion),
            native_tokens_completion_images: Some(usage.image_out),
            native_tokens_reasoning: Some(usage.reasoning),
            native_tokens_cached: Some(usage.cache_read),
            num_media_prompt: Some(media_prompt),
            num_input_audio_prompt: None,
            num_media_completion: None,
            num_search_results: None,
            num_fetches: None,
            web_search_engine: None,
        }
    }
}

#[utoipa::path(
    get,
    path = "/api/v1/generation",
    operation_id = "getGeneration",
    tag = "Account",
    summary = "What a generation used and cost",
    description = "An inference key sees the generations of its workspace, a management key those \
                   of the account. Anybody else's do not exist.",
    params(GenerationQuery),
    responses(
        (status = 200, description = "The generation.", body = GenerationAnswer),
        (status = 400, description = "Not a generation's id.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 404, description = "No such generation.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn one(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ReadGenerations>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let id = id_in(&uri)?;
    let found = edge.app.generation(caller.account_id(), &id).await;
    let found = found.map_err(|error| error::unreadable(&error))?;
    let Some(view) = found.filter(|one| may_see(&caller, one.account_id, one.workspace_id)) else {
        return Err(error::not_found(&format!("Generation {id}")).into());
    };
    let (served, request) = (view.served.as_ref(), &view.request);
    let is_byok = view.is_byok();
    let attempts = view.attempts.iter().map(AttemptView::of);
    let data = GenerationData {
        id: view.generation_id.as_str(),
        upstream_id: served.and_then(|served| served.upstream_id.as_deref()),
        total_cost: Usd(view.charge.total),
        cache_discount: served.map(|_| Usd(view.charge.cache_discount)),
        upstream_inference_cost: is_byok.then_some(Usd(view.charge.list)),
        created_at: view.admitted_at.to_rfc3339(),
        model: served.map_or(request.requested_model.as_str(), |served| &served.model),
        app_id: None,
        streamed: Some(request.streamed),
        cancelled: Some(served.is_some_and(|served| served.cancelled)),
        provider_name: served.map(|served| served.provider_name.as_str()),
        latency: served.and_then(|served| served.latency_ms),
        moderation_latency: None,
        generation_time: served.and_then(|served| served.generation_time_ms),
        finish_reason: served.and_then(|served| served.finish_reason.as_deref()),
        native_finish_reason: served.and_then(|served| served.native_finish_reason.as_deref()),
        service_tier: served.and_then(|served| served.service_tier.as_deref()),
        counts: Counts::new(&view.usage, request.media_prompt),
        origin: request.http_referer.as_deref().unwrap_or_default(),
        usage: Usd(view.charge.total),
        is_byok,
        data_region: "global",
        external_user: request.external_user.as_deref(),
        api_type: Some(request.api_type.as_str()).filter(|name| !name.is_empty()),
        preset_id: None,
        router: None,
        provider_responses: Some(attempts.collect()),
        user_agent: request.user_agent.as_deref(),
        http_referer: request.http_referer.as_deref(),
        workspace_id: Some(view.workspace_id.to_string()),
        request_id: request.request_id.as_deref(),
        session_id: request.session_id.as_deref(),
    };
    Ok(json(StatusCode::OK, &GenerationAnswer { data }))
}

fn id_in(uri: &Uri) -> Result<GenerationId, PublicFailure> {
    let Query(query) =
        Query::<GenerationQuery>::try_from_uri(uri).map_err(|_| error::unreadable_query())?;
    let id = query
        .id
        .ok_or_else(|| error::bad_query("id", "is missing"))?;
    id.parse()
        .map_err(|_| error::bad_query("id", "is not a generation's id, such as gen-1764000000-…"))
}

/// The workspace is the wall between inference keys; the account is whole to its managers.
pub(super) fn may_see(caller: &Caller, account: AccountId, workspace: WorkspaceId) -> bool {
    account == caller.account_id()
        && match caller.key.kind {
            KeyKind::Inference => workspace == caller.workspace_id(),
            KeyKind::Management => true,
        }
}

#[cfg(test)]
mod tests;
