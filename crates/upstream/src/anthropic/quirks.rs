//! Where models of this family differ, as the catalogue states it.

use switchyard_dialects::anthropic_messages::{ThinkingStyle, UpstreamTraits};
use switchyard_domain::model::Parameter;
use switchyard_interchange::request::Effort;
use switchyard_routing::vetted::Vetted;

use crate::prompt_cache::keeps_marked_from;

/// The output limit of a model whose limit the catalogue does not know; every model has it.
const OUTPUT_TOKENS_UNKNOWN: u64 = 8_192;

/// How to write a request for this endpoint.
pub(crate) fn traits(endpoint: &Vetted) -> UpstreamTraits {
    let row = endpoint.endpoint();
    let model = endpoint.model();
    let upstream_model = row.provider_model_id.as_deref();
    let upstream_model =
        upstream_model.expect("a vetted endpoint is callable, and that needs an upstream id");
    let limit = row
        .max_completion_tokens
        .or(model.max_completion_tokens)
        .unwrap_or(OUTPUT_TOKENS_UNKNOWN);
    let mut traits =
        UpstreamTraits::anthropic(upstream_model, u32::try_from(limit).unwrap_or(u32::MAX));
    let reasoning = &model.reasoning;
    traits.thinking = if !reasoning.supported {
        ThinkingStyle::None
    } else if reasoning.supported_efforts.is_some() || reasoning.mandatory {
        // Families that name efforts, or that always think, refuse budgets.
        ThinkingStyle::Adaptive
    } else {
        ThinkingStyle::Budget
    };
    if let Some(efforts) = &model.reasoning.supported_efforts {
        traits.efforts = efforts
            .iter()
            .filter_map(|name| Effort::from_name(name))
            .collect();
        traits.efforts.sort_unstable();
    }
    traits.supports_structured_output = row
        .supported_parameters
        .contains(Parameter::StructuredOutputs);
    traits.supported_parameters = row.supported_parameters;
    traits.keeps_marked_from = keeps_marked_from(endpoint);
    traits
}
