//! What a request needs of an endpoint, in the few figures routing decides by. Holds no content,
//! so it can be stored with the decision.

use serde::{Deserialize, Serialize};
use switchyard_domain::model::{Modalities, Parameters};

use crate::{
    message::{MediaSource, Message, Part},
    preferences::{ProviderPreferences, RequestedTier, RouterOptions},
    request::ChatRequest,
};

/// The features of a request that provider selection looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Needs {
    /// Models in the order they may be tried, as written.
    pub models: Vec<String>,
    /// Models for a prompt that turns out too long, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context_window_fallbacks: Vec<String>,
    /// Models for a prompt that a provider refuses for its content, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content_policy_fallbacks: Vec<String>,
    /// What bounds a router model's choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<RouterOptions>,
    /// Parameters the request carries.
    pub parameters: Parameters,
    pub input_modalities: Modalities,
    pub output_modalities: Modalities,
    /// At least as many tokens as the prompt can have.
    pub prompt_tokens_max: u64,
    /// Our guess of the prompt's tokens.
    pub prompt_tokens_estimate: u64,
    /// Input images, for endpoints that price them apiece.
    pub input_images: u64,
    /// The output limit the caller set.
    pub max_output_tokens: Option<u32>,
    /// Whether function tools are offered.
    pub uses_tools: bool,
    /// Whether the prompt may be written to a cache at somebody's word, which some providers charge
    /// for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub marks_cache: bool,
    /// Whether the caller named its conversation, so that more turns of it are likely to follow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub names_conversation: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<RequestedTier>,
    #[serde(default)]
    pub preferences: ProviderPreferences,
}

/// Bytes of JSON per token that an estimate assumes; English prose in JSON is near four.
const BYTES_PER_TOKEN: u64 = 4;
/// Tokens a chat template adds around a conversation at most, beside its text.
const TEMPLATE_TOKENS: u64 = 64;

/// Tokens an image costs at most at the providers we know, whatever its size in bytes.
const IMAGE_TOKENS: u64 = 4_096;
/// Base64 bytes of a document or recording per token it costs, at the dense end.
const MEDIA_BYTES_PER_TOKEN: u64 = 8;

impl ChatRequest {
    /// The features provider selection looks at. The body's length in bytes bounds the prompt's
    /// tokens from above, because no byte-level tokenizer makes more tokens than bytes; inline
    /// media are taken out of that sum and bounded by kind.
    pub fn needs(&self) -> Needs {
        let body_bytes = self.origin.body.expose().len() as u64;
        let media = Media::of(&self.messages);
        let bytes = body_bytes.saturating_sub(media.bytes);
        let mut models = Vec::with_capacity(1 + self.fallback_models.len());
        models.push(self.model.clone());
        models.extend(self.fallback_models.iter().cloned());
        Needs {
            models,
            context_window_fallbacks: self.context_window_fallbacks.clone(),
            content_policy_fallbacks: self.content_policy_fallbacks.clone(),
            router: self.router.clone(),
            parameters: self.parameters,
            input_modalities: self.input_modalities,
            output_modalities: self.output_modalities,
            prompt_tokens_max: bytes + TEMPLATE_TOKENS + media.tokens,
            prompt_tokens_estimate: bytes / BYTES_PER_TOKEN + 1 + media.tokens / 4,
            input_images: media.images,
            max_output_tokens: self.max_output_tokens,
            uses_tools: !self.tools.is_empty(),
            marks_cache: self.marks_cache(),
            names_conversation: [&self.session_id, &self.prompt_cache_key]
                .into_iter()
                .flatten()
                .any(|name| !name.is_empty()),
            service_tier: self.service_tier,
            preferences: self.provider.clone(),
        }
    }
}

/// What the media in a conversation weigh.
#[derive(Default)]
struct Media {
    bytes: u64,
    tokens: u64,
    images: u64,
}

impl Media {
    fn of(messages: &[Message]) -> Self {
        let mut media = Self::default();
        messages
            .iter()
            .for_each(|message| media.add_parts(&message.parts));
        media
    }

    fn add_parts(&mut self, parts: &[Part]) {
        for part in parts {
            match part {
                Part::Image { source, .. } => {
                    self.images += 1;
                    self.tokens += IMAGE_TOKENS;
                    self.bytes += inline_bytes(source);
                }
                Part::File { source, .. } | Part::Video { source } => {
                    let bytes = inline_bytes(source);
                    self.bytes += bytes;
                    self.tokens += IMAGE_TOKENS + bytes / MEDIA_BYTES_PER_TOKEN;
                }
                Part::Audio { data, .. } => {
                    let bytes = data.expose().len() as u64;
                    self.bytes += bytes;
                    self.tokens += bytes / MEDIA_BYTES_PER_TOKEN;
                }
                Part::ToolResult(result) => self.add_parts(&result.content),
                Part::Text { .. }
                | Part::ToolCall(_)
                | Part::Reasoning(_)
                | Part::Refusal { .. } => {}
            }
        }
    }
}

fn inline_bytes(source: &MediaSource) -> u64 {
    match source {
        MediaSource::Inline { data, .. } => data.expose().len() as u64,
        MediaSource::Url(_) | MediaSource::ProviderFile(_) => 0,
    }
}
