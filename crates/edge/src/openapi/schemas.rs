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
    /// Which endpoints may serve, and in which order.
    #[schema(value_type = Option<Object>)]
    provider: Option<()>,
    /// Names the conversation, at most 256 characters.
    session_id: Option<String>,
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
