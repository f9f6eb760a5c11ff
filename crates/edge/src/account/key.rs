//! `GET /key`, also `/auth/key`.

use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use switchyard_app::reads::KeyOverview;
use switchyard_domain::{
    clock::{ResetInterval, Timestamp},
    tenancy::KeyKind,
};
use utoipa::ToSchema;

use super::amount::Usd;
use crate::{
    Edge,
    caller::{Authorized, cap},
    error,
    openapi::schemas::ErrorBody,
    reply::{Refusal, json},
};

/// Requests to free models are not counted apart, and nothing bounds them beside the limits that
/// hold for all requests. The wire format wants whole numbers here; this one says "plenty" and is
/// within what every client's integers hold.
const FREE_REQUESTS_UNBOUNDED: u32 = 1_000_000;

#[derive(Serialize, ToSchema)]
pub(crate) struct KeyAnswer<'a> {
    data: KeyView<'a>,
}

/// The presented key and what it used, in US dollars. Windows turn at midnight UTC; weeks begin on
/// Monday.
#[derive(Serialize, ToSchema)]
#[schema(as = CurrentKey)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the wire format has four flags"
)]
pub(super) struct KeyView<'a> {
    /// The key, masked.
    label: &'a str,
    #[schema(required = true, value_type = Option<f64>)]
    limit: Option<Usd>,
    #[schema(required = true, value_type = Option<f64>)]
    limit_remaining: Option<Usd>,
    /// `daily`, `weekly` or `monthly`; `null` is never.
    #[schema(required = true, value_type = Option<String>)]
    limit_reset: Option<&'static str>,
    include_byok_in_limit: bool,
    #[schema(value_type = f64)]
    usage: Usd,
    #[schema(value_type = f64)]
    usage_daily: Usd,
    #[schema(value_type = f64)]
    usage_weekly: Usd,
    #[schema(value_type = f64)]
    usage_monthly: Usd,
    #[schema(value_type = f64)]
    byok_usage: Usd,
    #[schema(value_type = f64)]
    byok_usage_daily: Usd,
    #[schema(value_type = f64)]
    byok_usage_weekly: Usd,
    #[schema(value_type = f64)]
    byok_usage_monthly: Usd,
    /// The account never bought or was granted credit.
    is_free_tier: bool,
    is_management_key: bool,
    /// The old name of `is_management_key`.
    is_provisioning_key: bool,
    #[schema(required = true)]
    creator_user_id: Option<String>,
    #[schema(required = true, value_type = Option<String>)]
    organization_id: Option<()>,
    #[schema(required = true)]
    workspace_id: Option<String>,
    /// Deprecated and says nothing; clients require it.
    rate_limit: RateLimitView,
    #[schema(value_type = Vec<String>)]
    allowed_data_regions: [&'static str; 0],
    free_model_daily_requests: FreeModelRequests,
    /// What bounds the key's spending, in the order in which it is checked.
    budgets: Vec<BudgetView>,
    /// The one of them that has least left.
    #[schema(required = true)]
    effective_budget: Option<BudgetView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RateLimit)]
struct RateLimitView {
    /// -1: none.
    requests: i32,
    interval: &'static str,
    note: &'static str,
}

/// A bound on what the key may spend, in US dollars.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[schema(as = KeyBudget)]
struct BudgetView {
    /// `key_limit`: the key's own.
    scope: &'static str,
    #[schema(value_type = f64)]
    limit_usd: Usd,
    #[schema(value_type = f64)]
    spend_usd: Usd,
    /// Negative after an overrun.
    #[schema(value_type = f64)]
    remaining_usd: Usd,
    include_byok: bool,
    #[schema(required = true, value_type = Option<String>)]
    reset_interval: Option<&'static str>,
    /// When it starts afresh.
    #[schema(required = true, value_type = Option<String>)]
    resets_at: Option<Instant>,
    #[schema(required = true, value_type = Option<String>)]
    budget_id: Option<()>,
    #[schema(required = true, value_type = Option<String>)]
    guardrail_id: Option<()>,
}

/// An instant in RFC 3339.
#[derive(Clone, Copy)]
struct Instant(Timestamp);

impl Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339())
    }
}

impl BudgetView {
    /// The key's own limit.
    fn of_key(overview: &KeyOverview) -> Option<Self> {
        let limit = overview.key.limit?;
        let remaining = overview.limit_remaining?;
        Some(Self {
            scope: "key_limit",
            limit_usd: Usd(limit.limit),
            spend_usd: Usd(limit.limit.saturating_sub(remaining)),
            remaining_usd: Usd(remaining),
            include_byok: limit.include_byok,
            reset_interval: limit.reset.map(ResetInterval::as_str),
            resets_at: limit
                .reset
                .map(|reset| Instant(reset.window_end(overview.at))),
            budget_id: None,
            guardrail_id: None,
        })
    }
}

/// Requests to free models in the current UTC day.
#[derive(Serialize, ToSchema)]
struct FreeModelRequests {
    limit: u32,
    used: u32,
    remaining: u32,
}

impl<'a> KeyView<'a> {
    pub(super) fn new(overview: &'a KeyOverview) -> Self {
        let key = &overview.key;
        let (usage, byok) = (&overview.usage.usage, &overview.usage.byok_usage);
        let is_management_key = key.kind == KeyKind::Management;
        let own_budget = BudgetView::of_key(overview);
        Self {
            label: &key.label,
            limit: key.limit.map(|limit| Usd(limit.limit)),
            limit_remaining: overview.limit_remaining.map(Usd),
            limit_reset: key
                .limit
                .and_then(|limit| limit.reset)
                .map(ResetInterval::as_str),
            include_byok_in_limit: key.limit.is_some_and(|limit| limit.include_byok),
            usage: Usd(usage.total),
            usage_daily: Usd(usage.daily),
            usage_weekly: Usd(usage.weekly),
            usage_monthly: Usd(usage.monthly),
            byok_usage: Usd(byok.total),
            byok_usage_daily: Usd(byok.daily),
            byok_usage_weekly: Usd(byok.weekly),
            byok_usage_monthly: Usd(byok.monthly),
            is_free_tier: overview.is_free_tier,
            is_management_key,
            is_provisioning_key: is_management_key,
            creator_user_id: key.creator_id.map(|person| person.to_string()),
            organization_id: None,
            workspace_id: Some(key.workspace_id.to_string()),
            rate_limit: RateLimitView {
                requests: -1,
                interval: "10s",
                note: "Deprecated; there is no such limit.",
            },
            allowed_data_regions: [],
            free_model_daily_requests: FreeModelRequests {
                limit: FREE_REQUESTS_UNBOUNDED,
                used: 0,
                remaining: FREE_REQUESTS_UNBOUNDED,
            },
            budgets: own_budget.into_iter().collect(),
            effective_budget: own_budget,
            expires_at: key.expires_at.map(|at| at.to_rfc3339()),
        }
    }
}

#[utoipa::path(
    get,
    path = "/api/v1/key",
    operation_id = "getCurrentKey",
    tag = "Account",
    summary = "The presented key, its limit and what it used",
    description = "Also at `/api/v1/auth/key`.",
    responses(
        (status = 200, description = "The key.", body = KeyAnswer),
        (status = 401, description = "No valid API key.", body = ErrorBody),
        (status = 503, description = "The database cannot be asked.", body = ErrorBody)
    )
)]
pub(crate) async fn current(
    State(edge): State<Edge>,
    Authorized { caller, .. }: Authorized<cap::ReadOwnKey>,
) -> Result<Response, Refusal> {
    let overview = edge
        .app
        .key_overview(&caller)
        .await
        .map_err(|e| error::unreadable(&e))?;
    Ok(json(
        StatusCode::OK,
        &KeyAnswer {
            data: KeyView::new(&overview),
        },
    ))
}

#[cfg(test)]
mod tests;
