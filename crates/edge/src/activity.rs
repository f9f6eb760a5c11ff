//! `GET /activity`: the last completed days, by model and endpoint.

use axum::{
    extract::{Query, State},
    http::{StatusCode, Uri},
    response::Response,
};
use serde::{Deserialize, Serialize};
use switchyard_app::activity::{
    Breakdown, Condition, Detail, Dimension, Filter, Interval, Range, Scope, Slice, Step, Value,
};
use switchyard_app::api_keys::KeySight;
use switchyard_catalog::snapshot::Catalog;
use switchyard_domain::{
    clock::{ResetInterval, Timestamp},
    id::{PersonId, WorkspaceId},
    tenancy::Caller,
};
use switchyard_interchange::reply::PublicFailure;
use utoipa::{IntoParams, ToSchema};

use crate::{
    Edge,
    account::amount::Usd,
    caller::{Authorized, cap},
    error,
    limits::{ACTIVITY_DAYS, ANALYTICS_SLICES_MAX},
    openapi::schemas::ErrorBody,
    reply::{Refusal, json},
};

const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

#[derive(Deserialize, IntoParams, Default)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct ActivityQuery {
    /// One of the last 30 completed UTC days, as `2026-11-23`; all of them where it is not given.
    date: Option<String>,
    /// Only what this API key did.
    api_key_hash: Option<String>,
    /// Only what the API keys did that this person made.
    user_id: Option<String>,
    /// Only what was done in this workspace.
    workspace_id: Option<String>,
    /// `workspace`: tell workspaces apart, too.
    group_by: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ActivityAnswer {
    data: Vec<ActivityItem>,
}

/// What was done in a day with a model at an endpoint. Money is US dollars.
#[derive(Serialize, ToSchema)]
struct ActivityItem {
    /// The UTC day.
    #[schema(example = "2026-11-23")]
    date: String,
    model: String,
    /// The model's name that never changes.
    model_permaslug: String,
    endpoint_id: String,
    provider_name: String,
    /// What the account was charged.
    #[schema(value_type = f64)]
    usage: Usd,
    /// What providers bill to owners of credentials, by list price.
    #[schema(value_type = f64)]
    byok_usage_inference: Usd,
    requests: u64,
    prompt_tokens: u64,
    completion_tokens: u64,
    /// Those of the completion tokens that were reasoning.
    reasoning_tokens: u64,
    /// Those of the prompt tokens that came from caches.
    cached_tokens: u64,
    /// Where workspaces are told apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    workspace_id: Option<String>,
}

#[utoipa::path(
    get,
    path = "/api/v1/activity",
    operation_id = "getUserActivity",
    tag = "Activity",
    summary = "The last 30 completed UTC days by model and endpoint",
    description = "Needs a management key. Requests that no endpoint served are not in it.",
    params(ActivityQuery),
    responses(
        (status = 200, description = "The newest day first.", body = ActivityAnswer),
        (status = 400, description = "A parameter is wrong.", body = ErrorBody),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 403, description = "Not a management key.", body = ErrorBody),
        (status = 404, description = "No such API key or workspace.", body = ErrorBody),
        (status = 408, description = "It takes too long.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn list(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ReadActivity>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let Query(query) =
        Query::<ActivityQuery>::try_from_uri(&uri).map_err(|_| error::unreadable_query())?;
    let mut dimensions = vec![Dimension::Model, Dimension::Endpoint, Dimension::Provider];
    match said(query.group_by.as_deref()) {
        None => {}
        Some("workspace") => dimensions.push(Dimension::Workspace),
        Some(_) => return Err(error::bad_query("group_by", "must be workspace").into()),
    }
    let asked = Breakdown {
        scope: Scope {
            account: caller.account_id(),
            range: days(query.date.as_deref(), edge.app.clock().now())?,
            filter: filter(&edge, &caller, &query).await?,
        },
        step: Step::Calendar(Interval::Day),
        dimensions,
        detail: Detail::Counts,
        limit: ANALYTICS_SLICES_MAX,
    };
    let slices = edge.app.activity().analytics(&asked).await;
    let slices = slices.map_err(|error| error::analytics(&error))?;
    let catalog = edge.app.catalog();
    let mut data: Vec<_> = slices
        .iter()
        .filter_map(|slice| item(slice, &catalog))
        .collect();
    data.sort_by(|one, other| {
        let key = |item: &ActivityItem| (item.model.clone(), item.endpoint_id.clone());
        other
            .date
            .cmp(&one.date)
            .then_with(|| key(one).cmp(&key(other)))
    });
    Ok(json(StatusCode::OK, &ActivityAnswer { data }))
}

/// A parameter that states something.
fn said(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// The day that is asked for, or all of them.
fn days(date: Option<&str>, now: Timestamp) -> Result<Range, PublicFailure> {
    let today = ResetInterval::Daily.window_start(now);
    let first = today.minus(ACTIVITY_DAYS * DAY);
    let Some(date) = said(date) else {
        return Ok(Range {
            from: first,
            until: today,
        });
    };
    // Some clients send the whole instant.
    let day = date.get(..10).unwrap_or(date);
    let from = Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z"))
        .ok_or_else(|| error::bad_query("date", "must be a UTC day, such as 2026-11-23"))?;
    if from < first || from >= today {
        let problem = "must be one of the last 30 completed UTC days";
        return Err(error::bad_query("date", problem));
    }
    Ok(Range {
        from,
        until: from.plus(DAY),
    })
}

async fn filter(
    edge: &Edge,
    caller: &Caller,
    query: &ActivityQuery,
) -> Result<Filter, PublicFailure> {
    let mut filter = Filter::default();
    let is = |dimension, value| Condition::AnyOf(dimension, vec![Some(value)]);
    if let Some(hash) = said(query.api_key_hash.as_deref()) {
        let key = edge
            .app
            .api_key(caller.account_id(), KeySight::CALLING, hash)
            .await;
        let key = key.map_err(|error| error::management::api_key(&error))?;
        filter = filter.and(is(Dimension::ApiKey, Value::Id(key.key.id.as_uuid())));
    }
    if let Some(user) = said(query.user_id.as_deref()) {
        let user: PersonId = user
            .parse()
            .map_err(|_| error::bad_query("user_id", "is not a user's id, such as user_…"))?;
        filter = filter.and(is(Dimension::User, Value::Id(user.as_uuid())));
    }
    if let Some(workspace) = said(query.workspace_id.as_deref()) {
        let found = edge
            .app
            .workspaces()
            .get(caller.account_id(), workspace)
            .await;
        let found = found.map_err(|error| error::tenancy::workspace(&error))?;
        let id: WorkspaceId = found.row.id;
        filter = filter.and(is(Dimension::Workspace, Value::Id(id.as_uuid())));
    }
    Ok(filter)
}

/// `None` where no endpoint served.
fn item(slice: &Slice, catalog: &Catalog) -> Option<ActivityItem> {
    let text = |index: usize| match slice.values.get(index)? {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let (model, endpoint_id, provider) = (text(0)?, text(1)?, text(2)?);
    let known = catalog.model(&model);
    let sums = &slice.sums;
    Some(ActivityItem {
        date: slice.at?.to_rfc3339().get(..10)?.to_owned(),
        model_permaslug: known.map_or_else(|| model.clone(), |known| known.canonical_slug.clone()),
        model,
        endpoint_id,
        provider_name: catalog
            .provider(&provider)
            .map_or_else(|| provider.clone(), |known| known.name.to_string()),
        usage: Usd(sums.charge),
        byok_usage_inference: Usd(sums.byok_list_price),
        requests: sums.requests,
        prompt_tokens: sums.prompt_tokens,
        completion_tokens: sums.completion_tokens,
        reasoning_tokens: sums.reasoning_tokens,
        cached_tokens: sums.cached_tokens,
        workspace_id: match slice.values.get(3) {
            Some(Some(Value::Id(id))) => Some(WorkspaceId::from_uuid(*id).to_string()),
            _ => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_completed_days_are_told() {
        let now = Timestamp::parse_rfc3339("2026-11-24T06:00:00Z").expect("an instant");
        let whole = days(None, now).expect("the default");
        assert_eq!(whole.from.to_rfc3339(), "2026-10-25T00:00:00Z");
        assert_eq!(whole.until.to_rfc3339(), "2026-11-24T00:00:00Z");
        for (date, is_fine) in [
            ("2026-11-23", true),
            ("2026-11-23T00:00:00Z", true),
            ("2026-10-25", true),
            ("2026-10-24", false),
            ("2026-11-24", false),
            ("yesterday", false),
            ("2026-02-30", false),
        ] {
            assert_eq!(days(Some(date), now).is_ok(), is_fine, "{date}");
        }
    }
}
