//! Which wire format a family serves a model in. Clouds serve some of their models in formats of
//! their own, which nobody here speaks; what those are is said here and nowhere else.

use crate::snapshot::Family;

/// A wire format that can be spoken to providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WireFormat {
    /// OpenAI's Chat Completions.
    ChatCompletions,
    /// Anthropic's Messages.
    Messages,
}

impl Family {
    /// Whether a model of this id at the provider can be asked for in a format that is spoken.
    pub(crate) fn serves_in_spoken_format(self, provider_model_id: &str) -> bool {
        match self {
            Self::OpenAiCompatible | Self::Anthropic | Self::Azure => true,
            Self::Bedrock => of_bedrock(provider_model_id).is_some(),
            Self::Vertex => of_vertex(provider_model_id).is_some(),
        }
    }
}

/// The format of a model on Amazon Bedrock.
///
/// Ids there are `author.model`, with the profile's place before them or within the name of a
/// resource. All models can be had by a format of Amazon's own; Anthropic's also by theirs, and
/// OpenAI's open ones by theirs.
pub fn of_bedrock(id: &str) -> Option<WireFormat> {
    let name = id.rsplit('/').next().unwrap_or(id);
    let (before, model) = name.split_once('.')?;
    let (author, model) = match model.split_once('.') {
        Some((author, model)) if PROFILES.contains(&before) => (author, model),
        _ => (before, model),
    };
    match author {
        "anthropic" => Some(WireFormat::Messages),
        "openai" if model.starts_with("gpt-oss-") => Some(WireFormat::ChatCompletions),
        _ => None,
    }
}

/// What stands before an id whose model is served by several regions.
const PROFILES: [&str; 9] = [
    "apac", "au", "ca", "eu", "global", "jp", "sa", "us", "us-gov",
];

/// The format of a model on Vertex AI.
///
/// It serves Anthropic's models in their format, and in OpenAI's Google's own and those of
/// others that it runs itself, whose ids name their publisher.
pub fn of_vertex(id: &str) -> Option<WireFormat> {
    if id.starts_with("claude-") {
        return Some(WireFormat::Messages);
    }
    let is_chat_of_google = (id.starts_with("gemini-") && !id.starts_with("gemini-embedding-"))
        || id.starts_with("gemma-");
    (is_chat_of_google || id.contains('/')).then_some(WireFormat::ChatCompletions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clouds_serve_models_in_several_formats() {
        use WireFormat::{ChatCompletions, Messages};
        for (id, expected) in [
            ("anthropic.claude-opus-4-6-v1", Some(Messages)),
            (
                "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
                Some(Messages),
            ),
            ("global.anthropic.claude-opus-5", Some(Messages)),
            (
                "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-opus-5",
                Some(Messages),
            ),
            ("openai.gpt-oss-120b-1:0", Some(ChatCompletions)),
            ("us.openai.gpt-oss-20b-1:0", Some(ChatCompletions)),
            ("us.openai.gpt-5.4", None),
            ("amazon.nova-lite-v1:0", None),
            ("us.meta.llama4-scout-17b-instruct-v1:0", None),
            ("minimax.minimax-m2.1", None),
            (
                "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc123",
                None,
            ),
            ("claude-opus-5", None),
        ] {
            assert_eq!(of_bedrock(id), expected, "{id}");
        }
        for (id, expected) in [
            ("claude-haiku-4-5", Some(Messages)),
            ("gemini-2.5-flash", Some(ChatCompletions)),
            ("gemma-4-26b-a4b-it", Some(ChatCompletions)),
            ("meta/llama-3.3-70b-instruct-maas", Some(ChatCompletions)),
            ("mistral-nemo@2407", None),
            ("gemini-embedding-001", None),
        ] {
            assert_eq!(of_vertex(id), expected, "{id}");
        }
    }
}
