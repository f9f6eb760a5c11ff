//! What the catalogue offers to somebody before there is a request: which endpoints they could use at
//! all, and which standing rule keeps the others from them.
//!
//! The rules and their order are those that requests are put before; only those are asked that do not
//! depend on what a request says.

use switchyard_domain::model::Modalities;
use switchyard_interchange::{needs::Needs, preferences::ProviderPreferences};

use crate::{
    record::{Rule, RuledOut},
    resolve::Chosen,
    rule_out,
    select::{Situation, TryWhen},
};

/// Whose credentials an endpoint could be called with; one of the two at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Whose {
    /// The operator's.
    pub shared: bool,
    /// The customer's own.
    pub own: bool,
}

/// By endpoint, in the catalogue's order: with whose credentials it could be used, or the first standing
/// rule that stands against it.
pub fn offered(situation: &Situation<'_>) -> Vec<Result<Whose, RuledOut>> {
    rule_out::offered(&nothing_in_particular(), situation, |model| Chosen {
        model,
        shortcut: None,
        when: TryWhen::Always,
    })
}

impl Rule {
    /// Whether it can be told without a request.
    pub(crate) const fn is_standing(self) -> bool {
        match self {
            Self::NotCallable
            | Self::Geo
            | Self::DataRegion
            | Self::ModelNotAllowed
            | Self::AllowedProviders
            | Self::Ignored
            | Self::Training
            | Self::Publication
            | Self::Zdr => true,
            Self::ServiceTier
            | Self::Distillable
            | Self::WrongApi
            | Self::Modality
            | Self::ContextLength
            | Self::RequireParameters
            | Self::Capability
            | Self::Quantization
            | Self::MaxPrice
            | Self::Features => false,
        }
    }
}

fn nothing_in_particular() -> Needs {
    Needs {
        models: Vec::new(),
        context_window_fallbacks: Vec::new(),
        content_policy_fallbacks: Vec::new(),
        router: None,
        parameters: switchyard_domain::model::Parameters::EMPTY,
        input_modalities: Modalities::EMPTY,
        output_modalities: Modalities::EMPTY,
        prompt_tokens_max: 0,
        prompt_tokens_estimate: 0,
        input_images: 0,
        max_output_tokens: None,
        uses_tools: false,
        marks_cache: false,
        names_conversation: false,
        service_tier: None,
        preferences: ProviderPreferences::default(),
    }
}
