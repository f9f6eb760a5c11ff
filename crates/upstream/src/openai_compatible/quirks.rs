//! Where hosts of this family differ. Most differences are capabilities in the catalogue; what is
//! left is a line per provider here, and nowhere else.

use switchyard_dialects::openai_chat::{MaxTokensField, ReasoningStyle, UpstreamTraits};
use switchyard_domain::{endpoint::ServiceTier, model::Parameter};
use switchyard_routing::vetted::Vetted;

/// How to write a request for this endpoint.
pub(super) fn traits(endpoint: &Vetted) -> UpstreamTraits {
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
        accepts_cache_control: matches!(provider, "alibaba" | "openrouter"),
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
