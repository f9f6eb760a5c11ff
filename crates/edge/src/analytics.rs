//! Questions about activity: `GET /analytics/meta` says what can be asked, `POST /analytics/query`
//! answers.

mod answer;
mod ask;
mod words;

#[cfg(test)]
mod tests;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::{Deserialize, Serialize};
use switchyard_app::api_keys::{ApiKeyError, KeySight};
use utoipa::ToSchema;

use self::{answer::Row, ask::Question};
use crate::{
    Edge, body,
    caller::{Authorized, cap},
    error,
    limits::MANAGEMENT_BODY_BYTES_MAX,
    management::fields::Fields,
    openapi::schemas::ErrorBody,
    reply::{Refusal, json},
};

#[derive(Serialize, ToSchema)]
pub(crate) struct AnalyticsMetaAnswer {
    data: AnalyticsMeta,
}

/// What questions are made of.
#[derive(Serialize, ToSchema)]
struct AnalyticsMeta {
    metrics: Vec<MetricView>,
    dimensions: Vec<NameView>,
    operators: Vec<OperatorView>,
    granularities: Vec<NameView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AnalyticsMetric)]
struct MetricView {
    name: &'static str,
    display_label: &'static str,
    /// `number`, `currency`, `percent`, `latency` (milliseconds) or `throughput` (tokens per second).
    display_format: &'static str,
    /// Whether it is a rate, which does not add up.
    is_rate: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AnalyticsName)]
struct NameView {
    name: &'static str,
    display_label: &'static str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AnalyticsOperator)]
struct OperatorView {
    name: &'static str,
    /// `scalar` or `array`.
    value_type: &'static str,
}

/// A question about activity.
#[derive(ToSchema, Deserialize)]
#[schema(as = AnalyticsQuery)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the wire and is never built")]
pub(crate) struct QueryBody {
    /// At least one, by name.
    metrics: Vec<String>,
    /// At most two, by name.
    #[schema(nullable = false)]
    dimensions: Option<Vec<String>>,
    /// At most 20; all of them hold.
    #[schema(nullable = false)]
    filters: Option<Vec<FilterBody>>,
    /// `minute`, `hour`, `day`, `week` or `month`; time is not cut where it is not given.
    granularity: Option<String>,
    order_by: Option<OrderBody>,
    time_range: Option<TimeRangeBody>,
    /// 1 to 10,000; 1,000 where it is not given.
    limit: Option<u32>,
    /// So many groups, the largest; the rest is put together as `Other`.
    group_limit: Option<u32>,
}

#[derive(ToSchema, Deserialize)]
#[schema(as = AnalyticsFilter)]
#[expect(dead_code, reason = "describes the wire and is never built")]
struct FilterBody {
    /// A dimension; or `credits_usage`, `list_price`, `tokens_prompt`, `tokens_completion`, `latency`
    /// or `generation_time` of single generations.
    field: String,
    /// `eq`, `neq`, `in`, `not_in`, `gt`, `gte`, `lt` or `lte`.
    operator: String,
    /// A text, a number, or a list of texts. Workspaces, users, API keys and credentials by id, API keys
    /// also by hash.
    #[schema(value_type = Object)]
    value: serde_json::Value,
    /// Whether generations without a value are meant, too.
    #[schema(nullable = false)]
    include_unset: Option<bool>,
}

#[derive(ToSchema, Deserialize)]
#[schema(as = AnalyticsOrder)]
#[expect(dead_code, reason = "describes the wire and is never built")]
struct OrderBody {
    /// `date`, or a metric or dimension that is asked for.
    field: String,
    /// `asc` or `desc`.
    #[schema(nullable = false)]
    direction: Option<String>,
}

/// UTC; the last seven days where it is not given.
#[derive(ToSchema, Deserialize)]
#[schema(as = AnalyticsTimeRange)]
#[expect(dead_code, reason = "describes the wire and is never built")]
struct TimeRangeBody {
    #[schema(example = "2026-11-01T00:00:00Z")]
    start: String,
    /// Now, where it is not given.
    #[schema(nullable = false, example = "2026-11-24T00:00:00Z")]
    end: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AnalyticsAnswer {
    data: AnalyticsData,
}

#[derive(Serialize, ToSchema)]
struct AnalyticsData {
    /// Each row has the time as `date__…` or `created_at__…`, the dimensions by name, and the metrics:
    /// counts as strings, money and rates as numbers.
    #[schema(value_type = Vec<Object>)]
    data: Vec<Row>,
    metadata: AnalyticsMetadata,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Serialize, ToSchema)]
struct AnalyticsMetadata {
    query_time_ms: u64,
    row_count: usize,
    /// There are more rows than were asked for.
    truncated: bool,
}

#[utoipa::path(
    get,
    path = "/api/v1/analytics/meta",
    operation_id = "getAnalyticsMeta",
    tag = "Activity",
    summary = "What questions about activity are made of",
    description = "Needs a management key.",
    responses(
        (status = 200, description = "The words.", body = AnalyticsMetaAnswer),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody)
    )
)]
pub(crate) async fn meta(_: Authorized<cap::ReadActivity>) -> Response {
    let name = |name, display_label| NameView {
        name,
        display_label,
    };
    let metrics = words::METRICS.iter().map(|metric| MetricView {
        name: metric.name,
        display_label: metric.label,
        display_format: metric.format.as_str(),
        is_rate: metric.is_rate(),
    });
    let operators = words::OPERATORS
        .iter()
        .map(|(name, value_type)| OperatorView { name, value_type });
    let data = AnalyticsMeta {
        metrics: metrics.collect(),
        dimensions: words::DIMENSIONS
            .iter()
            .map(|word| name(word.name, word.label))
            .collect(),
        operators: operators.collect(),
        granularities: words::GRANULARITIES
            .iter()
            .map(|(word, label, _)| name(word, label))
            .collect(),
    };
    json(StatusCode::OK, &AnalyticsMetaAnswer { data })
}

#[utoipa::path(
    post,
    path = "/api/v1/analytics/query",
    operation_id = "queryAnalytics",
    tag = "Activity",
    summary = "Answers a question about activity",
    description = "Over at most 365 days, or 31 where the question names latency, throughput, or one \
                   of the finer dimensions. API keys, users, workspaces and apps are told by name. \
                   Needs a management key.",
    request_body = QueryBody,
    responses(
        (status = 200, description = "The rows.", body = AnalyticsAnswer),
        (status = 400, description = "The question is wrong; the message says where.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 408, description = "It takes too long.", body = ErrorBody),
        (status = 413, description = "The body is too large.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn query(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ReadActivity>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let body = body::read(&headers, body, MANAGEMENT_BODY_BYTES_MAX).await?;
    let (account, clock) = (caller.account_id(), edge.app.clock());
    let (mut question, keys) = Question::read(Fields::of(&body)?, account, clock.now())?;
    for named in &keys {
        match edge
            .app
            .api_key(account, KeySight::CALLING, &named.hash)
            .await
        {
            Ok(found) => question.put_key(named, found.key.id),
            Err(ApiKeyError::NoSuchKey) => {
                return Err(error::bad_field(&named.path, "is no API key of this account").into());
            }
            Err(error) => return Err(error::management::api_key(&error).into()),
        }
    }
    let began = clock.monotonic();
    let activity = edge.app.activity();
    let slices = activity.analytics(&question.breakdown).await;
    let slices = slices.map_err(|error| error::analytics(&error))?;
    let named = answer::keys_in(&question, &slices);
    let names = activity.names(account, &named).await;
    let names = names.map_err(|error| error::unreadable(&error))?;
    let rows = answer::rows(&question, slices, &names);
    let took = clock.monotonic().saturating_sub(began);
    let data = AnalyticsData {
        metadata: AnalyticsMetadata {
            query_time_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            row_count: rows.rows.len(),
            truncated: rows.is_truncated,
        },
        data: rows.rows,
        warnings: rows.warnings,
    };
    Ok(json(StatusCode::OK, &AnalyticsAnswer { data }))
}
