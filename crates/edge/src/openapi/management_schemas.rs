//! Bodies of changes, which are read field by field. Described here, never built.
#![expect(
    dead_code,
    reason = "these types describe the wire and are never built"
)]

use serde::Deserialize;
use utoipa::ToSchema;

/// A key to be made.
#[derive(ToSchema, Deserialize)]
#[schema(as = NewApiKey)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyBody {
    /// 1 to 255 characters.
    name: String,
    /// What it may spend, in US dollars, exact to nine decimal places; `null` is no limit.
    limit: Option<f64>,
    /// `daily`, `weekly` or `monthly`; `null` is never. Needs a limit.
    limit_reset: Option<String>,
    /// Whether the list price of what the customer's own credentials serve counts. Needs a limit.
    #[schema(nullable = false)]
    include_byok_in_limit: Option<bool>,
    /// In UTC, with seconds.
    #[schema(example = "2026-12-31T23:59:59Z")]
    expires_at: Option<String>,
    /// The member of the account whose key it is.
    creator_user_id: Option<String>,
    /// The default workspace where it is not given.
    workspace_id: Option<String>,
    external: Option<ExternalBody>,
}

/// Whom a partner makes the key for.
#[derive(ToSchema, Deserialize)]
#[schema(as = ExternalIdentity)]
#[serde(deny_unknown_fields)]
struct ExternalBody {
    /// The partner's name for its user.
    user: String,
    /// A key that the partner gave its user, of at least 32 characters. Only its digest is kept.
    api_key: Option<String>,
}

/// What shall become of a key. What is left out stays.
#[derive(ToSchema, Deserialize)]
#[schema(as = ApiKeyChange)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyPatchBody {
    /// 1 to 255 characters.
    #[schema(nullable = false)]
    name: Option<String>,
    #[schema(nullable = false)]
    disabled: Option<bool>,
    /// In US dollars; `null` takes it away.
    limit: Option<f64>,
    /// `daily`, `weekly` or `monthly`; `null` is never.
    limit_reset: Option<String>,
    #[schema(nullable = false)]
    include_byok_in_limit: Option<bool>,
}

/// How an API key is rotated.
#[derive(ToSchema, Deserialize)]
#[schema(as = ApiKeyRotation)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyRotationBody {
    /// How long the old key works on: `0s`, `1h`, `24h` or `7d`; `24h` where it is left out.
    old_key_expires_in: Option<String>,
}
