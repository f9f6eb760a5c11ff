//! Where hosts of this family differ. Most differences are capabilities in the catalogue; what is
//! left is a line per provider here, and nowhere else.

use switchyard_dialects::openai_chat::{
    CacheMarks, MaxTokensField, ReasoningStyle, UpstreamTraits,
};
use switchyard_domain::{endpoint::ServiceTier, model::Parameter};
use switchyard_routing::vetted::Vetted;

use crate::{
    call::Call,
    prompt_cache::{charges_cache_writes, keeps_marked_from},
};

/// How to write a request for this endpoint.
pub(crate) fn traits(call: Call<'_>) -> UpstreamTraits {
    let endpoint = call.endpoint;
    let row = endpoint.endpoint();
    let provider = endpoint.provider().slug.as_str();
    let model = row.provider_model_id.as_deref();
    let model = model.expect("a vetted endpoint is callable, and that needs an upstream id");
    UpstreamTraits {
        model: model.to_owned(),
        max_tokens_field: max_tokens_field(provider),
        // The limit bounds the charge, so it is always sent, whatever the catalogue says.
        supported_parameters: row
            .supported_parameters
            .with(Parameter::MaxTokens)
            .with(Parameter::MaxCompletionTokens),
        cache_marks: cache_marks(endpoint),
        keeps_marked_from: keeps_marked_from(endpoint),
        prompt_cache_key: call
            .affinity
            .filter(|_| reads_cache_key(provider))
            .map(str::to_owned),
        zero_retention: call.zero_retention,
        reasoning_style: reasoning_style(endpoint),
        developer_role: matches!(provider, "openai" | "azure"),
        null_content_ok: !matches!(provider, "moonshotai"),
        string_content_only: matches!(provider, "sambanova"),
        output_limit_default: None,
        service_tier: match row.service_tier {
            ServiceTier::Default => None,
            ServiceTier::Flex | ServiceTier::Priority => Some(row.service_tier.as_str().to_owned()),
        },
    }
}

fn cache_marks(endpoint: &Vetted) -> CacheMarks {
    match endpoint.provider().slug.as_str() {
        "openrouter" => CacheMarks::Everywhere,
        "alibaba" | "venice" => CacheMarks::Blocks,
        // The models that charge for writing to the cache are those that take breakpoints.
        "openai" | "azure" if charges_cache_writes(endpoint) => CacheMarks::Breakpoints,
        _ => CacheMarks::None,
    }
}

/// Whether the host reads `prompt_cache_key`. Only those whose documents name it: others (Groq,
/// Cerebras, Nvidia, Baseten) refuse a request that carries it.
fn reads_cache_key(provider: &str) -> bool {
    matches!(
        provider,
        "openai" | "azure" | "deepinfra" | "mistral" | "moonshotai" | "openrouter" | "venice"
    )
}

/// Where a host looks for the name of a conversation, to send it to the server that holds its
/// cache.
pub(crate) fn affinity_header(endpoint: &Vetted) -> Option<&'static str> {
    match endpoint.provider().slug.as_str() {
        "fireworks" | "cloudflare" => Some("x-session-affinity"),
        "xai" => Some("x-grok-conv-id"),
        _ => None,
    }
}

fn max_tokens_field(provider: &str) -> MaxTokensField {
    match provider {
        "openai" | "azure" | "cerebras" => MaxTokensField::MaxCompletionTokens,
        _ => MaxTokensField::MaxTokens,
    }
}

fn reasoning_style(endpoint: &Vetted) -> ReasoningStyle {
    if !endpoint.model().reasoning.supported {
        return ReasoningStyle::None;
    }
    match endpoint.provider().slug.as_str() {
        "deepseek" | "moonshotai" | "z-ai" => ReasoningStyle::ThinkingToggle,
        "openrouter" => ReasoningStyle::OpenRouter,
        _ => ReasoningStyle::Effort,
    }
}
