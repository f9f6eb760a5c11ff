//! Whether an endpoint can do what the request needs.

use switchyard_catalog::snapshot::Model;
use switchyard_domain::model::{Modalities, Modality, Parameter, Parameters};
use switchyard_interchange::needs::Needs;

use super::{Objection, Question};
use crate::{
    policy::UnsupportedFeatures,
    record::{Figures, Scope},
};

/// Kinds of answer that a chat request cannot carry.
const OTHER_APIS: Modalities = Modalities::EMPTY
    .with(Modality::Embeddings)
    .with(Modality::Rerank);

/// What a model that states nothing takes and gives, and what a request that states nothing wants.
const TEXT: Modalities = Modalities::EMPTY.with(Modality::Text);

pub(super) fn wrong_api(question: &Question<'_>) -> Option<Objection> {
    let given = or_text(question.asked.model.output_modalities);
    let wanted = or_text(question.asked.needs.output_modalities);
    let foreign = given.intersection(OTHER_APIS);
    let only_foreign = !foreign.is_empty() && given.minus(OTHER_APIS).is_empty();
    (only_foreign && wanted.intersection(foreign).is_empty())
        .then(|| Objection::new(Scope::Catalog, "model", Figures::Answers(foreign)))
}

pub(super) fn modality(question: &Question<'_>) -> Option<Objection> {
    let taken = question.asked.model.input_modalities.union(TEXT);
    let refused = question.asked.needs.input_modalities.minus(taken);
    if !refused.is_empty() {
        let figures = Figures::NoInput(refused);
        return Some(Objection::new(Scope::Request, "messages", figures));
    }
    let given = or_text(question.asked.model.output_modalities);
    let missing = or_text(question.asked.needs.output_modalities).minus(given);
    (!missing.is_empty())
        .then(|| Objection::new(Scope::Request, "modalities", Figures::NoOutput(missing)))
}

/// Kinds of answer that the model gives beside those the request wants.
pub(crate) fn given_beside(model: &Model, needs: &Needs) -> Modalities {
    or_text(model.output_modalities).minus(or_text(needs.output_modalities))
}

fn or_text(stated: Modalities) -> Modalities {
    if stated.is_empty() { TEXT } else { stated }
}

/// The prompt and the output that was asked for must fit together. The prompt counts as
/// estimated, not as bounded: the bound is several times too high for prose, and a prompt that
/// does not fit after all fails over to a larger context. Without a stated output limit one token
/// must fit. An unknown limit is no limit.
pub(super) fn context_length(question: &Question<'_>) -> Option<Objection> {
    let prompt = question.asked.needs.prompt_tokens_estimate;
    let output = question.asked.needs.max_output_tokens.map_or(1, u64::from);
    let endpoint = question.endpoint;
    if let Some(context) = endpoint.context_length
        && prompt.saturating_add(output) > context
    {
        let figures = Figures::Context {
            prompt,
            output,
            context,
        };
        return Some(Objection::new(Scope::Request, "messages", figures));
    }
    if let Some(most) = endpoint.max_prompt_tokens
        && prompt > most
    {
        let figures = Figures::Prompt { prompt, most };
        return Some(Objection::new(Scope::Request, "messages", figures));
    }
    endpoint
        .max_completion_tokens
        .filter(|most| output > *most)
        .map(|most| {
            Objection::new(
                Scope::Request,
                "max_tokens",
                Figures::Output { output, most },
            )
        })
}

pub(super) fn require_parameters(question: &Question<'_>) -> Option<Objection> {
    if !question.asked.needs.preferences.require_parameters {
        return None;
    }
    let missing = question
        .asked
        .needs
        .parameters
        .minus(understood(question.endpoint.supported_parameters));
    (!missing.is_empty()).then(|| {
        Objection::new(
            Scope::Request,
            "provider.require_parameters",
            Figures::Lacks(missing),
        )
    })
}

/// What an endpoint understands once its request is encoded: some parameters are different names
/// of one thing, and an endpoint that declares one of them serves them all.
pub(super) fn understood(declared: Parameters) -> Parameters {
    const SYNONYMS: [Parameters; 2] = [
        Parameters::EMPTY
            .with(Parameter::MaxTokens)
            .with(Parameter::MaxCompletionTokens),
        Parameters::EMPTY
            .with(Parameter::Reasoning)
            .with(Parameter::ReasoningEffort)
            .with(Parameter::IncludeReasoning),
    ];
    SYNONYMS.into_iter().fold(declared, |known, names| {
        if known.intersection(names).is_empty() {
            known
        } else {
            known.union(names)
        }
    })
}

/// Features without which the answer would be of another kind.
pub(super) const ESSENTIAL: Parameters = Parameters::EMPTY
    .with(Parameter::Tools)
    .with(Parameter::StructuredOutputs);

/// Tools and strict schemas are refused rather than silently dropped, unless the account prefers
/// that.
pub(super) fn features(question: &Question<'_>) -> Option<Objection> {
    if question
        .asked
        .policy
        .narrowest(|rules| rules.unsupported_features)
        .unwrap_or_default()
        == UnsupportedFeatures::Drop
    {
        return None;
    }
    let supported = question.endpoint.supported_parameters;
    let missing = wanted_features(question.asked.needs)
        .intersection(ESSENTIAL)
        .minus(supported);
    (!missing.is_empty()).then(|| {
        let field = if missing.contains(Parameter::Tools) {
            "tools"
        } else {
            "response_format"
        };
        Objection::new(Scope::Request, field, Figures::Lacks(missing))
    })
}

/// The parameters of a request, with tools counted however they were noted.
pub(super) fn wanted_features(needs: &Needs) -> Parameters {
    needs.parameters.with_if(needs.uses_tools, Parameter::Tools)
}
