//! A key as its managers read it: every field that any client requires.

use serde::Serialize;
use switchyard_app::{api_keys::ManagedKey, reads};
use switchyard_domain::clock::{ResetInterval, Timestamp};
use utoipa::ToSchema;

use crate::account::amount::Usd;

/// An API key and what it used, in US dollars.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct KeyView<'a> {
    /// SHA-256 of the key in hex: its public name.
    hash: &'a str,
    /// The key, masked.
    label: &'a str,
    name: &'a str,
    disabled: bool,
    #[schema(required = true, value_type = Option<f64>)]
    limit: Option<Usd>,
    /// Negative after an overrun.
    #[schema(required = true, value_type = Option<f64>)]
    limit_remaining: Option<Usd>,
    /// `daily`, `weekly` or `monthly`; `null` is never.
    #[schema(required = true, value_type = Option<String>)]
    limit_reset: Option<&'static str>,
    /// Whether the list price of what the customer's own credentials served counts.
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
    created_at: String,
    /// `null` while it is as it was made.
    #[schema(required = true)]
    updated_at: Option<String>,
    #[schema(required = true)]
    expires_at: Option<String>,
    /// Whose key it is; `null` for the workspace's own.
    #[schema(required = true)]
    creator_user_id: Option<String>,
    workspace_id: String,
    /// The user that a partner made it for, by the partner's name.
    #[schema(required = true)]
    external_user: Option<&'a str>,
    /// When it was presented last, to the minute.
    #[schema(required = true)]
    last_used_at: Option<String>,
    /// The public hash of the key that it came from by rotation. Both share one limit.
    #[schema(required = true)]
    rotated_from: Option<&'a str>,
    /// The public hash of the key that took its place by rotation.
    #[schema(required = true)]
    rotated_to: Option<&'a str>,
}

impl<'a> KeyView<'a> {
    pub(super) fn of(managed: &'a ManagedKey) -> Self {
        let key = &managed.key;
        let (usage, byok) = (&managed.usage.usage, &managed.usage.byok_usage);
        Self {
            hash: &key.hash,
            label: &key.label,
            name: &key.name,
            disabled: key.disabled,
            limit: key.limit.map(|limit| Usd(limit.limit)),
            limit_remaining: reads::limit_remaining(key, &managed.usage).map(Usd),
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
            created_at: key.created_at.to_rfc3339(),
            updated_at: managed.updated_at.map(Timestamp::to_rfc3339),
            expires_at: key.expires_at.map(Timestamp::to_rfc3339),
            creator_user_id: key.creator_id.map(|person| person.to_string()),
            workspace_id: key.workspace_id.to_string(),
            external_user: managed.external_user.as_deref(),
            last_used_at: managed.last_used_at.map(Timestamp::to_rfc3339),
            rotated_from: managed.rotated_from.as_deref(),
            rotated_to: managed.rotated_to.as_deref(),
        }
    }
}
