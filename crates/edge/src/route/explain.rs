//! `POST /route/explain`.

mod options;
#[cfg(test)]
mod tests;

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use serde::Serialize;
use serde_json::value::RawValue;
use switchyard_app::{
    explain::{ExplainRequest, ExplainedCandidate, Explanation, PolicyLayer, RankingWords},
    unavailable::DocumentedAvailability,
};
use switchyard_dialects::openai_chat::decode_request;
use utoipa::ToSchema;

use self::options::Options;
use crate::{
    Edge,
    account::amount::Usd,
    body,
    caller::{Authorized, cap},
    client, error,
    limits::INFERENCE_BODY_BYTES_MAX,
    openapi::schemas::{ErrorBody, ExplainRequestBody},
    reply::{Refusal, json},
};

#[derive(Serialize, ToSchema)]
pub(crate) struct ExplanationAnswer<'a> {
    data: ExplanationView<'a>,
}

/// Where a request would go and why. `plan` is empty where nothing may serve it; then `relaxation` and
/// `availability` say what would help.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
struct ExplanationView<'a> {
    /// The models as asked for.
    requested: &'a [String],
    /// How the order came about.
    #[schema(example = "default")]
    strategy: &'a str,
    /// Of the random draw. The same seed gives the same order.
    seed: u64,
    /// RFC 3339, UTC: the time it is explained for.
    at: String,
    catalog_version: &'a str,
    /// The standing rules that hold, outermost first.
    policy: Vec<LayerView<'a>>,
    /// The endpoint where the conversation's prompt cache is warm.
    #[schema(required = true)]
    pin: Option<&'a str>,
    /// Every endpoint of every requested model.
    candidates: Vec<CandidateView<'a>>,
    /// The endpoints that would be tried, in order.
    plan: Vec<&'a str>,
    #[schema(required = true)]
    relaxation: Option<RelaxationView<'a>>,
    /// As in the error that the request would get.
    #[schema(required = true, value_type = Option<Object>)]
    availability: Option<AvailabilityView<'a>>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PolicyLayer)]
struct LayerView<'a> {
    /// `account`, `workspace` or `key`.
    scope: &'a str,
    #[schema(value_type = Object)]
    rules: &'a RawValue,
}

/// The least that would have to change for an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = Relaxation)]
struct RelaxationView<'a> {
    text: &'a str,
    steps: &'a [String],
}

#[derive(Serialize)]
struct AvailabilityView<'a> {
    status: u16,
    message: &'a str,
    #[serde(flatten)]
    availability: &'a DocumentedAvailability,
}

/// One endpoint and what would become of it.
#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedCandidate)]
struct CandidateView<'a> {
    endpoint: &'a str,
    /// Its provider's display name.
    provider: &'a str,
    model: &'a str,
    /// `shared`, or one of the caller's own, by number: `own 1`.
    credential: &'a str,
    /// `selected`, `planned`, `ruled_out`, or `cut_off` where fallbacks are off.
    verdict: &'a str,
    /// Its place in the plan, from 0.
    #[schema(required = true)]
    rank: Option<usize>,
    /// Its chance of being drawn first, from 0 to 1; `null` where nothing was drawn.
    #[schema(required = true)]
    draw_probability: Option<f64>,
    #[schema(required = true, value_type = Option<f64>)]
    expected_cost_usd: Option<Usd>,
    /// `stable`, `outage`, `degraded` or `down`.
    health: &'a str,
    #[schema(required = true)]
    ruled_out: Option<RuledOutView<'a>>,
    /// Why it stands where it stands, in words.
    #[schema(required = true)]
    ranking_key: Option<RankingView<'a>>,
}

/// The first rule that stands against it.
#[derive(Serialize, ToSchema)]
#[schema(as = RuledOut)]
struct RuledOutView<'a> {
    rule: &'a str,
    /// Who set it.
    scope: &'a str,
    /// What it compares with, such as `provider.only`.
    field: &'a str,
    /// The compared values.
    detail: &'a str,
    /// All of it in a sentence.
    text: &'a str,
}

/// What does not apply is absent.
#[derive(Serialize, ToSchema)]
#[schema(as = RankingKey)]
struct RankingView<'a> {
    order: &'a str,
    credential: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cache: Option<&'a str>,
    health: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    draw: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cost: Option<&'a str>,
}

impl<'a> ExplanationView<'a> {
    fn of(explanation: &'a Explanation) -> Self {
        Self {
            requested: &explanation.requested,
            strategy: explanation.strategy,
            seed: explanation.seed,
            at: explanation.at.to_rfc3339(),
            catalog_version: &explanation.catalog_version,
            policy: explanation.policy.iter().map(LayerView::of).collect(),
            pin: explanation.pin.as_ref().map(|pin| pin.as_str()),
            candidates: explanation
                .candidates
                .iter()
                .map(CandidateView::of)
                .collect(),
            plan: explanation.plan.iter().map(|one| one.as_str()).collect(),
            relaxation: explanation.relaxation.as_ref().map(|one| RelaxationView {
                text: &one.text,
                steps: &one.steps,
            }),
            availability: explanation
                .unavailable
                .as_ref()
                .map(|one| AvailabilityView {
                    status: one.status,
                    message: &one.message,
                    availability: &one.availability,
                }),
        }
    }
}

impl<'a> LayerView<'a> {
    fn of(layer: &'a PolicyLayer) -> Self {
        Self {
            scope: layer.scope,
            rules: &layer.rules,
        }
    }
}

impl<'a> CandidateView<'a> {
    fn of(candidate: &'a ExplainedCandidate) -> Self {
        Self {
            endpoint: candidate.endpoint.as_str(),
            provider: &candidate.provider,
            model: &candidate.model,
            credential: &candidate.credential,
            verdict: candidate.verdict.as_str(),
            rank: candidate.rank,
            draw_probability: candidate.draw_ppm.map(share),
            expected_cost_usd: candidate.expected_cost.map(Usd),
            health: candidate.health,
            ruled_out: candidate.ruled_out.as_ref().map(|why| RuledOutView {
                rule: &why.rule,
                scope: &why.scope,
                field: &why.field,
                detail: &why.detail,
                text: &why.text,
            }),
            ranking_key: candidate.ranking.as_ref().map(RankingView::of),
        }
    }
}

impl<'a> RankingView<'a> {
    fn of(words: &'a RankingWords) -> Self {
        Self {
            order: &words.order,
            credential: &words.credential,
            cache: words.cache.as_deref(),
            health: &words.health,
            draw: words.draw.as_deref(),
            cost: words.cost.as_deref(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a million is far below 2^52")]
fn share(ppm: u64) -> f64 {
    ppm as f64 / 1e6
}

#[utoipa::path(
    post,
    path = "/api/v1/route/explain",
    operation_id = "explainRoute",
    tag = "Routing",
    summary = "Where a request would go and why",
    description = "A dry run of `POST /chat/completions`: the same selection for the same body, \
                   under the caller's standing policy and the health of the moment. Nothing is \
                   sent to a provider, charged or kept. Also where nothing may serve the request \
                   the answer is 200: it says why.",
    params(("x-session-id" = Option<String>, Header,
        description = "Names the conversation, as for `POST /chat/completions`.")),
    request_body = ExplainRequestBody,
    responses(
        (status = 200, description = "The explanation.", body = ExplanationAnswer),
        (status = 400, description = "The request or the model's name is wrong.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 404, description = "The model's free edition has ended.", body = ErrorBody),
        (status = 408, description = "The body did not arrive.", body = ErrorBody),
        (status = 413, description = "The body is too large.", body = ErrorBody),
        (status = 415, description = "The body is compressed.", body = ErrorBody),
        (status = 503, description = "The standing policy cannot be read.", body = ErrorBody)
    )
)]
pub(crate) async fn explain(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ExplainRoutes>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = body::read(&parts.headers, body, INFERENCE_BODY_BYTES_MAX).await?;
    let (body, options) = Options::take_from(body)?;
    let mut chat = decode_request(body).map_err(|error| error::undecodable(&error))?;
    body::wipe_secrets(&mut chat);
    client::join_session(&parts.headers, &mut chat)?;
    let trusted = client::country(&parts.headers, edge.country_header.as_ref());
    let request = ExplainRequest {
        caller,
        chat,
        seed: options.seed,
        at: options.at,
        // As for a real request, unless the caller asks about another place.
        country: options
            .country
            .or_else(|| trusted.map(|country| country.as_str().to_owned())),
    };
    let explanation = edge
        .app
        .explain(request)
        .await
        .map_err(|error| error::not_generated(&error))?;
    let data = ExplanationView::of(&explanation);
    Ok(json(StatusCode::OK, &ExplanationAnswer { data }))
}
