//! A [`ChatRequest`] becomes the body for an upstream of this dialect.

mod body;
mod cache_marks;
mod call_ids;
mod conversation;
mod host;
mod parts;
mod splice;
mod thinking;
mod tools;

#[cfg(test)]
mod tests;

use switchyard_domain::model::{Parameter, Parameters};
use switchyard_interchange::{
    failure::{Failure, FailureKind},
    preferences::RequestedTier,
    request::{ChatRequest, Dialect, Effort},
    tool::{JsonSchema, ResponseFormat},
};

use self::{
    body::{Block, Body, Format, OutputConfig},
    conversation::Conversation,
    thinking::ThinkingPlan,
};
use crate::cache_marks::Places;

pub use host::Host;

/// How a model takes orders to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThinkingStyle {
    /// `thinking: {type: enabled, budget_tokens}`.
    Budget,
    /// `thinking: {type: adaptive}` and `output_config.effort`.
    Adaptive,
    /// It cannot.
    None,
}

/// What an upstream of this dialect can take.
#[derive(Debug, Clone)]
pub struct UpstreamTraits {
    /// The model id to send.
    pub model: String,
    pub host: Host,
    /// The catalogue's output limit: the dialect requires `max_tokens`, and this is the default.
    pub max_output_tokens: u32,
    pub thinking: ThinkingStyle,
    /// Efforts an adaptive model knows; another is replaced by the nearest.
    pub efforts: Vec<Effort>,
    /// Whether `output_config.format` works; without it a schema becomes a forced tool.
    pub supports_structured_output: bool,
    /// Whether `tool_choice` may force a call while the model thinks.
    pub allows_forced_tool_with_thinking: bool,
    /// Whether the conversation may end with the start of the answer.
    pub accepts_prefill: bool,
    /// Whether `temperature` and `top_p` may stand together.
    pub accepts_temperature_with_top_p: bool,
    /// Sampling parameters outside of it are dropped.
    pub supported_parameters: Parameters,
    /// How many tokens a marked prefix must have to be kept, where only marked ones are; `None`:
    /// the router places no marks here.
    pub keeps_marked_from: Option<u64>,
}

impl UpstreamTraits {
    /// A model at Anthropic that thinks on a budget and takes everything else.
    pub fn anthropic(model: impl Into<String>, max_output_tokens: u32) -> Self {
        Self {
            model: model.into(),
            host: Host::Anthropic,
            max_output_tokens,
            thinking: ThinkingStyle::Budget,
            efforts: vec![Effort::Low, Effort::Medium, Effort::High, Effort::Max],
            supports_structured_output: true,
            allows_forced_tool_with_thinking: false,
            accepts_prefill: true,
            accepts_temperature_with_top_p: true,
            supported_parameters: Parameter::ALL.iter().copied().collect(),
            keeps_marked_from: None,
        }
    }
}

/// Encodes a request for an upstream. What the upstream cannot do and the request cannot do
/// without is a failure of kind `Unsupported`; what it can do without is left out.
pub fn encode_request(request: &ChatRequest, traits: &UpstreamTraits) -> Result<Vec<u8>, Failure> {
    let same_dialect = request.origin.dialect == Dialect::AnthropicMessages;
    if same_dialect && !emulates_schema(request, traits) {
        return splice::splice(request, traits);
    }
    encode_anew(request, traits)
}

fn emulates_schema(request: &ChatRequest, traits: &UpstreamTraits) -> bool {
    matches!(request.response_format, ResponseFormat::JsonSchema(_))
        && !traits.supports_structured_output
}

fn encode_anew(request: &ChatRequest, traits: &UpstreamTraits) -> Result<Vec<u8>, Failure> {
    let places = places(request, traits);
    let mut conversation = Conversation::encode(request, traits, places)?;
    let max_tokens = request
        .max_output_tokens
        .unwrap_or(traits.max_output_tokens)
        .max(1);
    let plan = ThinkingPlan::make(request, traits, max_tokens)?;
    if conversation.ends_with_assistant() && !traits.accepts_prefill {
        return Err(unsupported(
            "the model does not continue an assistant message",
        ));
    }
    let mut tools = tools::encode_tools(request, traits, places)?;
    let mut tool_choice = tools::encode_choice(request, traits, plan.is_on());
    let mut output_config = OutputConfig {
        effort: plan.effort,
        format: None,
    };
    match &request.response_format {
        ResponseFormat::Text => {}
        // There is no such switch: all one can do is ask.
        ResponseFormat::JsonObject => conversation.system.push(Block::text(
            "Answer with one JSON object and nothing else: no prose, no code fence.",
        )),
        ResponseFormat::JsonSchema(JsonSchema { schema: None, .. }) => conversation.system.push(
            Block::text("Answer with one JSON value and nothing else: no prose, no code fence."),
        ),
        ResponseFormat::JsonSchema(JsonSchema {
            schema: Some(schema),
            description,
            ..
        }) => {
            if traits.supports_structured_output {
                output_config.format = Some(Format::JsonSchema { schema });
            } else {
                let stands_alone = tools.is_empty() && !plan.is_on();
                if !stands_alone {
                    return Err(unsupported(
                        "the model has no structured output, and a schema cannot be combined with tools or thinking",
                    ));
                }
                tools.push(tools::schema_tool(schema, description.as_deref())?);
                tool_choice = Some(tools::schema_choice());
            }
        }
    }
    let automatic = request
        .automatic_cache
        .filter(|_| traits.host.marks_by_itself());
    let automatic = cache_marks::settle(&mut tools, &mut conversation, automatic.map(Into::into));
    let sampling = Sampling::of(request, traits, plan.is_on());
    let body = Body {
        anthropic_version: traits.host.version(),
        model: traits.host.names_model().then_some(&traits.model),
        max_tokens,
        stream: request.stream && traits.host.names_stream(),
        cache_control: automatic,
        tools,
        tool_choice,
        system: conversation.system,
        messages: conversation.turns,
        thinking: plan.thinking,
        output_config: (!output_config.is_empty()).then_some(output_config),
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: sampling.top_k,
        stop_sequences: stop_sequences(request),
        service_tier: service_tier(request, traits),
    };
    Ok(serde_json::to_vec(&body).expect("writing to memory succeeds, and our keys are strings"))
}

/// Where the router's own cache marks go. A host that does not know the caller's wish to keep the
/// whole prompt gets a mark on its end instead.
fn places(request: &ChatRequest, traits: &UpstreamTraits) -> Places {
    let asked_for_all = request.automatic_cache.is_some() && !traits.host.marks_by_itself();
    Places {
        end: request
            .messages
            .len()
            .checked_sub(1)
            .filter(|_| asked_for_all),
        ..Places::of(request, traits.keeps_marked_from)
    }
}

/// Sampling as the upstream takes it.
struct Sampling {
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<u32>,
}

impl Sampling {
    fn of(request: &ChatRequest, traits: &UpstreamTraits, thinks: bool) -> Self {
        let supports = |parameter| traits.supported_parameters.contains(parameter);
        // A thinking model refuses to be steered, except by a high `top_p`.
        let steerable = !thinks;
        let temperature = request
            .sampling
            .temperature
            .filter(|_| steerable && supports(Parameter::Temperature))
            .map(|temperature| temperature.clamp(0.0, 1.0));
        let top_p = request
            .sampling
            .top_p
            .filter(|top_p| supports(Parameter::TopP) && (steerable || *top_p >= 0.95))
            .filter(|_| traits.accepts_temperature_with_top_p || temperature.is_none());
        let top_k = request
            .sampling
            .top_k
            // Zero is how others say "off"; here it is an error.
            .filter(|top_k| *top_k > 0 && steerable && supports(Parameter::TopK));
        Self {
            temperature,
            top_p,
            top_k,
        }
    }
}

/// The tier by the dialect's name. It has one for the default alone.
fn service_tier(request: &ChatRequest, traits: &UpstreamTraits) -> Option<&'static str> {
    let asks_for_default = request.service_tier == Some(RequestedTier::Default);
    (asks_for_default && traits.host.takes_service_tier()).then_some("standard_only")
}

/// Stop sequences without those of whitespace only, which the dialect refuses.
fn stop_sequences(request: &ChatRequest) -> Vec<&str> {
    request
        .stop
        .iter()
        .map(String::as_str)
        .filter(|stop| !stop.trim().is_empty())
        .collect()
}

fn unsupported(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Unsupported, message)
}
