//! One chat request, whoever's dialect it came in.

use std::sync::Arc;

use bytes::Bytes;
use switchyard_domain::{
    model::{Modalities, Parameters},
    secret::{Private, Secret},
};

use crate::{
    message::{CacheMark, Message, Part},
    preferences::{Caching, ProviderPreferences, RequestedTier, RouterOptions},
    tool::{ResponseFormat, Tool, ToolChoice},
};

/// A wire format that clients or providers speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    OpenAiChat,
    AnthropicMessages,
}

impl Dialect {
    /// The name used in logs and decision records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai_chat",
            Self::AnthropicMessages => "anthropic_messages",
        }
    }
}

/// A decoded request.
#[derive(Debug, Clone)]
pub struct ChatRequest {
    /// The model asked for, as written; never empty.
    pub model: String,
    /// Models to try after it, as written.
    pub fallback_models: Vec<String>,
    /// Models to try where the prompt turns out too long, as written.
    pub context_window_fallbacks: Vec<String>,
    /// Models to try where a provider refuses the prompt for its content, as written.
    pub content_policy_fallbacks: Vec<String>,
    /// What bounds a router model's choice.
    pub router: Option<RouterOptions>,
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    pub tool_choice: Option<ToolChoice>,
    pub parallel_tool_calls: Option<bool>,
    pub sampling: Sampling,
    /// The most tokens the answer may have.
    pub max_output_tokens: Option<u32>,
    pub stop: Vec<String>,
    pub response_format: ResponseFormat,
    pub reasoning: ReasoningControl,
    /// `low` … `max`.
    pub verbosity: Option<String>,
    /// Kinds of output asked for; empty is text.
    pub output_modalities: Modalities,
    pub stream: bool,
    /// Place cache marks automatically.
    pub automatic_cache: Option<CacheMark>,
    /// A conversation key for stickiness, in order of precedence: body, header, cache key.
    pub session_id: Option<String>,
    pub prompt_cache_key: Option<String>,
    /// The caller's own end-user id.
    pub user: Option<String>,
    pub service_tier: Option<RequestedTier>,
    pub provider: ProviderPreferences,
    /// Provider credentials that the caller sends along, in the order in which they are to be
    /// tried. They live as long as the request, and are told to nobody but their provider.
    pub supplied_credentials: Vec<SuppliedCredential>,
    /// Every parameter the request carries, for endpoint support checks.
    pub parameters: Parameters,
    /// Kinds of input present in the messages.
    pub input_modalities: Modalities,
    /// The request as it came, for forwarding to the same dialect without loss.
    pub origin: Origin,
}

impl ChatRequest {
    /// Frees what only an upstream needs: messages, tools, the body. What the router keeps of a
    /// request stays.
    pub fn release_content(&mut self) {
        self.messages = Vec::new();
        self.tools = Vec::new();
        self.response_format = ResponseFormat::Text;
        self.origin.body = Private::new(Bytes::new());
        self.supplied_credentials = Vec::new();
    }

    /// Whether the prompt may be written to a cache at somebody's word: the caller's marks, or
    /// those that the router is to place.
    pub fn marks_cache(&self) -> bool {
        self.provider.caching == Caching::Auto || self.has_cache_marks()
    }

    /// Whether the caller itself asks for the prompt to be written to a cache.
    pub fn has_cache_marks(&self) -> bool {
        self.automatic_cache.is_some()
            || self.tools.iter().any(|tool| tool.cache.is_some())
            || self
                .messages
                .iter()
                .flat_map(|message| &message.parts)
                .any(Part::marks_cache)
    }
}

/// A provider credential that came with a request.
#[derive(Debug, Clone)]
pub struct SuppliedCredential {
    /// Where it is good: a provider's slug.
    pub provider: String,
    /// In the form in which a stored one is uploaded.
    pub secret: Arc<Secret<Vec<u8>>>,
}

/// The body a request was decoded from.
#[derive(Debug, Clone)]
pub struct Origin {
    pub dialect: Dialect,
    pub body: Private<Bytes>,
}

/// Sampling parameters; an absent one is omitted upstream, never defaulted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sampling {
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub top_k: Option<u32>,
    pub min_p: Option<f64>,
    pub top_a: Option<f64>,
    pub frequency_penalty: Option<f64>,
    pub presence_penalty: Option<f64>,
    pub repetition_penalty: Option<f64>,
    pub seed: Option<i64>,
}

/// What the caller wants of reasoning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReasoningControl {
    /// Explicit on or off; `None` leaves it to the model.
    pub enabled: Option<bool>,
    pub effort: Option<Effort>,
    /// Tokens to spend on it at most; excludes `effort`.
    pub max_tokens: Option<u32>,
    /// Reason, but do not return it.
    pub exclude: bool,
}

/// Reasoning effort, least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
}

impl Effort {
    /// The wire name, common to all dialects.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The effort with this wire name.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::None,
            Self::Minimal,
            Self::Low,
            Self::Medium,
            Self::High,
            Self::XHigh,
            Self::Max,
        ]
        .into_iter()
        .find(|effort| effort.as_str() == name)
    }

    /// Tokens to reason with out of `max_tokens`, for models that take a budget: the published
    /// ratios, clamped to 1,024..=128,000.
    pub fn budget(self, max_tokens: u32) -> u32 {
        let percent: u64 = match self {
            Self::None => return 0,
            Self::Minimal => 10,
            Self::Low => 20,
            Self::Medium => 50,
            Self::High => 80,
            Self::XHigh | Self::Max => 95,
        };
        let budget = u64::from(max_tokens) * percent / 100;
        u32::try_from(budget.clamp(1_024, 128_000)).unwrap_or(128_000)
    }

    /// The effort whose ratio is nearest to `budget` out of `max_tokens`.
    pub fn from_budget(budget: u32, max_tokens: u32) -> Self {
        let percent = u64::from(budget) * 100 / u64::from(max_tokens.max(1));
        match percent {
            0..15 => Self::Minimal,
            15..35 => Self::Low,
            35..65 => Self::Medium,
            65..88 => Self::High,
            _ => Self::XHigh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_follow_the_published_ratios() {
        for (effort, max_tokens, budget) in [
            (Effort::High, 10_000, 8_000),
            (Effort::Minimal, 4_000, 1_024),
            (Effort::Max, 1_000_000, 128_000),
            (Effort::None, 9_000, 0),
        ] {
            assert_eq!(effort.budget(max_tokens), budget, "{effort:?}");
        }
        assert_eq!(Effort::from_budget(8_000, 10_000), Effort::High);
        assert_eq!(Effort::from_budget(1, 0), Effort::XHigh);
    }

    #[test]
    fn marks_of_the_routers_are_marks_too() {
        let mut request = ChatRequest {
            model: "a/b".to_owned(),
            fallback_models: Vec::new(),
            context_window_fallbacks: Vec::new(),
            content_policy_fallbacks: Vec::new(),
            router: None,
            messages: vec![],
            tools: Vec::new(),
            tool_choice: None,
            parallel_tool_calls: None,
            sampling: Sampling::default(),
            max_output_tokens: None,
            stop: Vec::new(),
            response_format: ResponseFormat::Text,
            reasoning: ReasoningControl::default(),
            verbosity: None,
            output_modalities: Modalities::EMPTY,
            stream: false,
            automatic_cache: None,
            session_id: None,
            prompt_cache_key: None,
            user: None,
            service_tier: None,
            provider: ProviderPreferences::default(),
            supplied_credentials: Vec::new(),
            parameters: Parameters::EMPTY,
            input_modalities: Modalities::EMPTY,
            origin: Origin {
                dialect: Dialect::OpenAiChat,
                body: Private::new(Bytes::new()),
            },
        };
        assert_eq!(
            (request.marks_cache(), request.has_cache_marks()),
            (false, false)
        );
        request.provider.caching = Caching::Auto;
        assert_eq!(
            (request.marks_cache(), request.has_cache_marks()),
            (true, false)
        );
        request.provider.caching = Caching::AsMarked;
        request.automatic_cache = Some(CacheMark {
            life: Default::default(),
        });
        assert_eq!(
            (request.marks_cache(), request.has_cache_marks()),
            (true, true)
        );
    }
}
