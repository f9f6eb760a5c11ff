//! A request becomes a provider's body: spliced from the client's own bytes where the client
//! spoke this dialect, written from the internal form where not.

mod foreign;
mod parameters;
mod splice;
#[cfg(test)]
mod tests;

use switchyard_domain::model::{Parameter, Parameters};
use switchyard_interchange::{
    failure::{Failure, FailureKind},
    request::{ChatRequest, Dialect},
    tool::{ResponseFormat, ToolChoice},
};

use crate::cache_marks::Places;

/// What a provider's endpoint accepts.
#[derive(Debug, Clone, PartialEq)]
pub struct UpstreamTraits {
    /// The model id to send.
    pub model: String,
    pub max_tokens_field: MaxTokensField,
    /// Parameters to forward; the others are left out.
    pub supported_parameters: Parameters,
    pub cache_marks: CacheMarks,
    /// How many tokens a marked prefix must have to be kept, where only marked ones are; `None`:
    /// the router places no marks here.
    pub keeps_marked_from: Option<u64>,
    /// What to send as `prompt_cache_key`. The caller's own never goes: at a shared credential all
    /// tenants' keys would meet in one cache.
    pub prompt_cache_key: Option<String>,
    /// Nothing may be kept: ways to have prompts kept longer are left out.
    pub zero_retention: bool,
    pub reasoning_style: ReasoningStyle,
    /// Whether the `developer` role is known; `system` stands in where not.
    pub developer_role: bool,
    /// Whether an assistant message may have `"content": null`.
    pub null_content_ok: bool,
    /// Whether content must be a string, never a list of parts.
    pub string_content_only: bool,
    /// The output limit to send where the caller set none.
    pub output_limit_default: Option<u32>,
    /// The tier to ask for: the endpoint's own, because the caller's wish was served by choosing
    /// the endpoint and a tier in the body would change the price.
    pub service_tier: Option<String>,
}

/// Which cache marks are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheMarks {
    /// None; they are left out.
    None,
    /// `cache_control` on parts and tools.
    Blocks,
    /// `cache_control` on parts and tools, and at the top for the whole prompt.
    Everywhere,
    /// OpenAI's own: `prompt_cache_breakpoint` on parts, without a life.
    Breakpoints,
}

/// Under which name the output limit goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxTokensField {
    MaxTokens,
    MaxCompletionTokens,
}

/// How reasoning is controlled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasoningStyle {
    /// `reasoning_effort`.
    Effort,
    /// The `reasoning` object, and reasoning blocks in the history.
    OpenRouter,
    /// `thinking: {type}`, and `reasoning_content` in a tool loop's history.
    ThinkingToggle,
    /// Not at all.
    None,
}

impl Default for UpstreamTraits {
    /// A compatible host of which nothing else is known: everything is forwarded in the spelling
    /// most hosts understand.
    fn default() -> Self {
        Self {
            model: String::new(),
            max_tokens_field: MaxTokensField::MaxTokens,
            supported_parameters: Parameter::ALL.iter().copied().collect(),
            cache_marks: CacheMarks::None,
            keeps_marked_from: None,
            prompt_cache_key: None,
            zero_retention: false,
            reasoning_style: ReasoningStyle::Effort,
            developer_role: false,
            null_content_ok: true,
            string_content_only: false,
            output_limit_default: None,
            service_tier: None,
        }
    }
}

impl UpstreamTraits {
    /// OpenAI itself.
    pub fn openai(model: impl Into<String>) -> Self {
        let foreign_to_openai = [
            Parameter::TopK,
            Parameter::MinP,
            Parameter::TopA,
            Parameter::RepetitionPenalty,
            Parameter::IncludeReasoning,
        ];
        let all: Parameters = Parameter::ALL.iter().copied().collect();
        Self {
            model: model.into(),
            max_tokens_field: MaxTokensField::MaxCompletionTokens,
            supported_parameters: all.minus(foreign_to_openai.into_iter().collect()),
            developer_role: true,
            ..Self::default()
        }
    }

    fn supports(&self, parameter: Parameter) -> bool {
        self.supported_parameters.contains(parameter)
    }

    /// Whether reasoning can be controlled at all.
    fn supports_reasoning(&self) -> bool {
        self.reasoning_style != ReasoningStyle::None
            && [
                Parameter::Reasoning,
                Parameter::ReasoningEffort,
                Parameter::IncludeReasoning,
            ]
            .into_iter()
            .any(|parameter| self.supports(parameter))
    }
}

impl CacheMarks {
    /// Whether `cache_control` may stand on parts and tools.
    pub(super) const fn on_blocks(self) -> bool {
        matches!(self, Self::Blocks | Self::Everywhere)
    }
}

impl MaxTokensField {
    const fn as_str(self) -> &'static str {
        match self {
            Self::MaxTokens => "max_tokens",
            Self::MaxCompletionTokens => "max_completion_tokens",
        }
    }
}

/// Writes the body for an endpoint with these traits.
///
/// # Errors
/// [`FailureKind::Unsupported`] where the endpoint cannot do something that the caller would miss:
/// tools, a forced tool choice, a strict schema, or media.
pub fn encode_request(request: &ChatRequest, traits: &UpstreamTraits) -> Result<Vec<u8>, Failure> {
    check_support(request, traits)?;
    if request.origin.dialect == Dialect::OpenAiChat {
        splice::encode(request, traits)
    } else {
        foreign::encode(request, traits)
    }
}

fn unsupported(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Unsupported, message)
}

/// Where marks go that the caller did not place itself.
fn places(request: &ChatRequest, traits: &UpstreamTraits) -> Places {
    if traits.string_content_only || !traits.cache_marks.on_blocks() {
        return Places::default();
    }
    let asked_for_all = request.automatic_cache.is_some();
    Places {
        end: (asked_for_all && traits.cache_marks == CacheMarks::Blocks)
            .then(|| request.messages.len().saturating_sub(1)),
        ..Places::of(request, traits.keeps_marked_from)
    }
}

/// Other unsupported parameters are left out in silence, as callers expect; these are not.
fn check_support(request: &ChatRequest, traits: &UpstreamTraits) -> Result<(), Failure> {
    if !request.tools.is_empty() {
        if !traits.supports(Parameter::Tools) {
            return Err(unsupported("this endpoint does not offer tools"));
        }
        let forced = matches!(
            request.tool_choice,
            Some(ToolChoice::Required | ToolChoice::Function(_))
        );
        if forced && !traits.supports(Parameter::ToolChoice) {
            return Err(unsupported("this endpoint cannot be made to call a tool"));
        }
    }
    if let ResponseFormat::JsonSchema(schema) = &request.response_format
        && schema.strict == Some(true)
        && !traits.supports(Parameter::StructuredOutputs)
    {
        return Err(unsupported("this endpoint does not enforce a JSON schema"));
    }
    Ok(())
}
