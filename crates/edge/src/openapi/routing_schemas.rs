//! What a request can say about routing. Read by the dialects, described here, never built.
#![expect(
    dead_code,
    reason = "these types describe the wire and are never built"
)]

use std::collections::BTreeMap;

use utoipa::ToSchema;

/// Which endpoints may serve, and in which order. A key that is not listed here is refused: a
/// misspelt privacy switch must not be skipped in silence.
#[derive(ToSchema)]
#[schema(as = ProviderPreferences)]
pub(super) struct ProviderBody {
    /// Providers or endpoint tags to try first, in this order.
    order: Option<Vec<String>>,
    /// Whether endpoints beyond the first choice, or beyond `order`, may serve. Default true.
    allow_fallbacks: Option<bool>,
    /// Only endpoints that support every parameter of the request.
    require_parameters: Option<bool>,
    /// `allow` or `deny`: whether endpoints may train on the prompt.
    #[schema(example = "deny")]
    data_collection: Option<String>,
    /// Only endpoints that keep nothing. It also takes out of the request what asks a provider to
    /// keep the prompt's cache in storage.
    zdr: Option<bool>,
    /// Only models whose author allows distillation.
    enforce_distillable_text: Option<bool>,
    /// Only these providers or tags.
    only: Option<Vec<String>>,
    /// Never these; wins over `only`.
    ignore: Option<Vec<String>>,
    /// Only these weight formats.
    #[schema(example = json!(["fp8", "bf16"]))]
    quantizations: Option<Vec<String>>,
    /// `price`, `throughput`, `latency`, `exacto` or `expected_cost`; or an object with `by` and
    /// `partition` (`model` or `none`).
    #[schema(value_type = Option<Object>)]
    sort: Option<()>,
    /// Ceilings in US dollars: `prompt`, `completion` and `audio` per million tokens, `request` and
    /// `image` apiece. Numbers or decimal strings.
    #[schema(value_type = Option<Object>)]
    max_price: Option<()>,
    /// Tokens per second, as a number or by percentile (`p50` to `p99`). Prefers, excludes nobody.
    #[schema(value_type = Option<Object>)]
    preferred_min_throughput: Option<()>,
    /// Seconds to the first token, as a number or by percentile. Prefers, excludes nobody.
    #[schema(value_type = Option<Object>)]
    preferred_max_latency: Option<()>,
    /// What an endpoint must be able to do, used or not: `implicit-caching`, `reasoning`,
    /// `structured-output`, `tool-use`, `vision`, `quantization:<format>`,
    /// `!quantization:<format>`. Underscores are as good as hyphens.
    #[schema(example = json!(["tool-use", "!quantization:fp4"]))]
    has: Option<Vec<String>>,
    /// `auto` (default): a conversation stays where its prompt cache is warm, unless `order` says
    /// where to go. `prefer`: also then. `off`: never.
    sticky: Option<String>,
    /// `as_marked` (default): the prompt is cached where the caller marks it. `auto`: the router
    /// places marks for providers that need them.
    caching: Option<String>,
    /// How long a provider (or tag) may take to its first token before the next is tried, in
    /// milliseconds: 1 to 789000, at most 64 entries.
    #[schema(example = json!({"groq": 2000}))]
    first_token_timeouts: Option<BTreeMap<String, u64>>,
    /// When the first token must be there, over all attempts, in milliseconds.
    #[schema(minimum = 1, maximum = 600_000)]
    first_token_deadline_ms: Option<u64>,
    /// Start the next attempt beside a slow one. Default false.
    hedge: Option<bool>,
}

/// A plugin. Those of the auto router bound its choice; another is refused unless it is off.
#[derive(ToSchema)]
#[schema(as = Plugin)]
pub(super) struct PluginBody {
    /// `auto-router` for `switchyard/auto` and `openrouter/auto`, `auto-beta-router` for their
    /// `auto-beta`. The other one's settings are ignored.
    #[schema(example = "auto-router")]
    id: String,
    enabled: Option<bool>,
    /// Patterns such as `anthropic/*`; none allows all.
    allowed_models: Option<Vec<String>>,
    excluded_models: Option<Vec<String>>,
    /// `low`, `medium`, `high` or `max`.
    cost_tier: Option<String>,
    /// The model to take as long as it may serve.
    pin_model: Option<String>,
}

/// Routing wishes as clients of Vercel's AI Gateway state them. Where `provider` says something
/// about the same, `provider` counts, except that the stricter word on privacy does.
#[derive(ToSchema)]
#[schema(as = ProviderOptions)]
pub(super) struct ProviderOptionsBody {
    gateway: Option<GatewayBody>,
}

/// As Vercel documents it; provider names are Vercel's. Keys that are not listed are ignored.
#[derive(ToSchema)]
#[schema(as = GatewayOptions, rename_all = "camelCase")]
struct GatewayBody {
    #[schema(example = json!(["bedrock", "anthropic"]))]
    order: Option<Vec<String>>,
    only: Option<Vec<String>>,
    /// `cost`, `ttft` or `tps`.
    sort: Option<String>,
    /// Models to try after the one asked for, at most 3.
    models: Option<Vec<String>>,
    /// The caller's own end-user id, at most 256 characters.
    user: Option<String>,
    /// As `provider.zdr`.
    zero_data_retention: Option<bool>,
    /// As `provider.data_collection: "deny"`.
    disallow_prompt_training: Option<bool>,
    /// As `provider.has`.
    has: Option<Vec<String>>,
    /// `auto`.
    caching: Option<String>,
    /// `byok`: milliseconds to the first token by provider; here for all credentials.
    #[schema(value_type = Option<Object>)]
    provider_timeouts: Option<()>,
    service_tier: Option<String>,
    /// Provider credentials for this request alone, by provider, in order: at most eight. An object has
    /// `apiKey`, or what the provider's credential consists of. Never stored, logged or passed on.
    #[schema(value_type = Option<Object>, example = json!({ "openai": [{ "apiKey": "sk-…" }] }))]
    byok: Option<()>,
    /// Accepted and ignored.
    tags: Option<Vec<String>>,
}
