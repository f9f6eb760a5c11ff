//! Shapes that no type of ours writes: requests are read by a dialect, answers are spliced or
//! rendered ahead. Described here, never built.
#![expect(
    dead_code,
    reason = "these types describe the wire and are never built"
)]

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{AllOfBuilder, ObjectBuilder, Ref, RefOr, Schema},
};

use super::routing_schemas::{PluginBody, ProviderBody, ProviderOptionsBody};
use crate::catalog::{endpoint_view::EndpointView, model_view::ModelView, providers::ProviderView};

/// Every error of the API.
#[derive(ToSchema)]
#[schema(as = Error)]
pub(crate) struct ErrorBody {
    error: ErrorDetails,
}

/// What went wrong and what to do about it.
#[derive(ToSchema)]
struct ErrorDetails {
    /// The HTTP status.
    #[schema(example = 404)]
    code: u16,
    message: String,
    /// Stable, for programs.
    #[schema(example = "not_found")]
    error_type: String,
    http_status: u16,
    /// `error_type` again, and what the provider said where one failed.
    #[schema(value_type = Option<Object>, nullable = false)]
    metadata: Option<()>,
    /// Why nothing can serve the request and what would help.
    #[schema(value_type = Option<Object>, nullable = false)]
    availability: Option<()>,
}

/// A conversation to be answered. Keys beyond these are passed on to providers that speak the same
/// format.
#[derive(ToSchema)]
#[schema(as = ChatRequest)]
pub(crate) struct ChatRequestBody {
    #[schema(example = "anthropic/claude-sonnet-5")]
    model: String,
    /// Models to try after it, at most 3.
    #[schema(nullable = false)]
    models: Option<Vec<String>>,
    /// The same under LiteLLM's name: ids, or `[{"<the model asked for>": [ids]}]`. Goes without
    /// `models`.
    #[schema(value_type = Option<Vec<Object>>)]
    fallbacks: Option<()>,
    /// Models to try where the prompt turns out too long, at most 3; forms as in `fallbacks`.
    #[schema(value_type = Option<Vec<Object>>)]
    context_window_fallbacks: Option<()>,
    /// Models to try where a provider refuses the prompt for its content, at most 3; forms as in
    /// `fallbacks`.
    #[schema(value_type = Option<Vec<Object>>)]
    content_policy_fallbacks: Option<()>,
    /// `fallback` or `sort`: the older way to say `provider.sort.partition`.
    route: Option<String>,
    messages: Vec<ChatMessage>,
    stream: Option<bool>,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<u32>,
    min_p: Option<f64>,
    top_a: Option<f64>,
    frequency_penalty: Option<f64>,
    presence_penalty: Option<f64>,
    repetition_penalty: Option<f64>,
    seed: Option<i64>,
    /// A text, or at most four of them.
    #[schema(value_type = Option<Object>)]
    stop: Option<()>,
    #[schema(value_type = Option<Vec<Object>>)]
    tools: Option<()>,
    #[schema(value_type = Option<Object>)]
    tool_choice: Option<()>,
    parallel_tool_calls: Option<bool>,
    #[schema(value_type = Option<Object>)]
    response_format: Option<()>,
    /// `effort` or `max_tokens`, `exclude`, `enabled`.
    #[schema(value_type = Option<Object>)]
    reasoning: Option<()>,
    provider: Option<ProviderBody>,
    #[schema(rename = "providerOptions")]
    provider_options: Option<ProviderOptionsBody>,
    plugins: Option<Vec<PluginBody>>,
    /// `auto`, `default`, `flex`, `priority`, `fast` or `scale`.
    service_tier: Option<String>,
    /// Names the conversation, at most 256 characters.
    session_id: Option<String>,
    /// Names the conversation where no session does, and tells providers which requests share a
    /// prompt. They are told a digest that only this account's requests carry, never the key.
    prompt_cache_key: Option<String>,
    /// `{"type": "ephemeral"}`: cache the whole prompt, at providers that cache what is marked.
    /// Parts and tools take the same mark.
    #[schema(value_type = Option<Object>)]
    cache_control: Option<()>,
    /// The caller's own end-user id.
    user: Option<String>,
}

pub(crate) struct ExplainRequestBody;

/// A request with one more member.
impl PartialSchema for ExplainRequestBody {
    fn schema() -> RefOr<Schema> {
        let explain =
            ObjectBuilder::new().property("explain", Ref::from_schema_name(ExplainOptions::name()));
        AllOfBuilder::new()
            .item(Ref::from_schema_name(ChatRequestBody::name()))
            .item(explain)
            .description(Some(
                "A conversation as for `POST /chat/completions`; `stream` means nothing here. Of \
                 its content nothing is kept.",
            ))
            .into()
    }
}

impl ToSchema for ExplainRequestBody {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ExplainRequest")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((ChatRequestBody::name().into(), ChatRequestBody::schema()));
        ChatRequestBody::schemas(schemas);
        schemas.push((ExplainOptions::name().into(), ExplainOptions::schema()));
        ExplainOptions::schemas(schemas);
    }
}

/// What to explain beside the request itself.
#[derive(ToSchema)]
struct ExplainOptions {
    /// Of the random draw, as a decision's record tells it; a fresh one where it is not given. A
    /// number, or one as a string.
    seed: Option<u64>,
    /// RFC 3339: when the request would come. Prices and health benches depend on it.
    #[schema(example = "2026-12-31T00:00:00Z")]
    at: Option<String>,
    /// Where it would come from, as two letters.
    #[schema(example = "DE")]
    country: Option<String>,
}

#[derive(ToSchema)]
struct ChatMessage {
    /// `system`, `developer`, `user`, `assistant` or `tool`.
    role: String,
    /// A text or a list of parts.
    #[schema(value_type = Option<Object>)]
    content: Option<()>,
    #[schema(value_type = Option<Vec<Object>>)]
    tool_calls: Option<()>,
    /// In messages of the role `tool`.
    tool_call_id: Option<String>,
}

/// An answer in one piece.
#[derive(ToSchema)]
pub(crate) struct ChatCompletion {
    /// The generation's id.
    #[schema(example = "gen-1764000000-0123456789abcdefghij")]
    id: String,
    /// `chat.completion`.
    object: String,
    /// Unix seconds.
    created: i64,
    /// The model that served, never an alias.
    model: String,
    /// The provider's display name.
    provider: String,
    #[schema(required = true)]
    system_fingerprint: Option<String>,
    choices: Vec<ChatChoice>,
    usage: ChatUsage,
    #[schema(value_type = Option<Object>, nullable = false)]
    openrouter_metadata: Option<()>,
}

#[derive(ToSchema)]
struct ChatChoice {
    index: u32,
    /// `stop`, `length`, `tool_calls`, `content_filter` or `error`.
    #[schema(required = true)]
    finish_reason: Option<String>,
    #[schema(required = true)]
    native_finish_reason: Option<String>,
    #[schema(value_type = Object)]
    message: (),
}

/// What was used and what it cost, in US dollars.
#[derive(ToSchema)]
struct ChatUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    cost: f64,
    is_byok: bool,
    #[schema(value_type = Object)]
    cost_details: (),
    #[schema(value_type = Object)]
    prompt_tokens_details: (),
    #[schema(value_type = Object)]
    completion_tokens_details: (),
}

#[derive(ToSchema)]
pub(crate) struct ModelList<'a> {
    /// `list`.
    object: &'static str,
    data: Vec<ModelView<'a>>,
    /// Models that match, on all pages.
    total_count: u64,
    links: ModelListLinks,
}

#[derive(ToSchema)]
struct ModelListLinks {
    /// Path and query of the next page.
    #[schema(required = true)]
    next: Option<String>,
}

#[derive(ToSchema)]
pub(crate) struct EndpointList<'a> {
    data: Vec<EndpointView<'a>>,
}

#[derive(ToSchema)]
pub(crate) struct ProviderList<'a> {
    data: Vec<ProviderView<'a>>,
}

/// The signed receipt of a generation. Unlike other answers it is not wrapped: the document is the
/// evidence.
#[derive(ToSchema)]
#[schema(as = Receipt)]
pub(crate) struct ReceiptBody {
    version: u32,
    generation_id: String,
    workspace_id: String,
    /// When the generation was settled. RFC 3339, UTC.
    issued_at: String,
    /// When the request was admitted. RFC 3339, UTC.
    admitted_at: String,
    /// Its number in its workspace's chain, from 1.
    sequence: u64,
    /// The hash of the receipt before it; `null` for the first.
    #[schema(required = true)]
    previous_hash: Option<String>,
    catalog_version: String,
    policy: ReceiptPolicy,
    attempts: Vec<ReceiptAttempt>,
    /// SHA-256 over the canonical text of the stored decision record.
    #[schema(required = true)]
    decision_digest: Option<String>,
    /// What a receipt proves and what it does not.
    statement: String,
    /// SHA-256 over the canonical text of all the above, in hexadecimal digits.
    hash: String,
    key_id: String,
    /// Ed25519 over the bytes of the hash, in base64.
    signature: String,
}

/// Standing rules and the request's own, together.
#[derive(ToSchema)]
struct ReceiptPolicy {
    /// SHA-256 over the rules, scope by scope.
    digest: String,
    /// Zero data retention was demanded of every endpoint that was tried.
    zdr: bool,
    /// Training on prompts was denied to every endpoint that was tried.
    deny_training: bool,
    /// `null`: anywhere.
    #[schema(required = true)]
    allowed_data_regions: Option<Vec<String>>,
}

/// One try, with what the catalogue said of its endpoint when it was made.
#[derive(ToSchema)]
struct ReceiptAttempt {
    number: u32,
    endpoint: String,
    provider: String,
    /// `shared`: the operator's. `own`: the customer's.
    credential: String,
    zero_data_retention: bool,
    /// Unknown counts as yes.
    may_train: bool,
    /// `null`: not known.
    #[schema(required = true)]
    retains_prompts: Option<bool>,
    /// `null`: not known.
    #[schema(required = true)]
    regions: Option<Vec<String>>,
    /// Its answer is the one that was passed on.
    served: bool,
}
