//! Whether an endpoint can do what the request needs.

use switchyard_domain::model::{Modalities, Modality, Parameter, Parameters};

use super::{Objection, Question};
use crate::{
    policy::UnsupportedFeatures,
    record::Scope,
    slug::{in_words, stated},
};

/// Kinds of answer that a chat request cannot carry.
const OTHER_APIS: Modalities = Modalities::EMPTY
    .with(Modality::Embeddings)
    .with(Modality::Rerank);

/// What a model that states nothing takes and gives, and what a request that states nothing wants.
const TEXT: Modalities = Modalities::EMPTY.with(Modality::Text);

pub(super) fn wrong_api(question: &Question<'_>) -> Option<Objection> {
    let given = or_text(question.model.output_modalities);
    let wanted = or_text(question.needs.output_modalities);
    let foreign = given.intersection(OTHER_APIS);
    let only_foreign = !foreign.is_empty() && given.minus(OTHER_APIS).is_empty();
    (only_foreign && wanted.intersection(foreign).is_empty()).then(|| {
        let detail = format!("the model answers with {}", kinds(foreign));
        Objection::new(Scope::Catalog, "model", detail)
    })
}

pub(super) fn modality(question: &Question<'_>) -> Option<Objection> {
    let taken = question.model.input_modalities.union(TEXT);
    let refused = question.needs.input_modalities.minus(taken);
    if !refused.is_empty() {
        let detail = format!("the model does not take {} input", kinds(refused));
        return Some(Objection::new(Scope::Request, "messages", detail));
    }
    let given = or_text(question.model.output_modalities);
    let missing = or_text(question.needs.output_modalities).minus(given);
    (!missing.is_empty()).then(|| {
        let detail = format!("the model does not give {} output", kinds(missing));
        Objection::new(Scope::Request, "modalities", detail)
    })
}

fn or_text(stated: Modalities) -> Modalities {
    if stated.is_empty() { TEXT } else { stated }
}

fn kinds(modalities: Modalities) -> String {
    in_words(&modalities.iter().map(Modality::as_str).collect::<Vec<_>>())
}

/// The prompt and the output that was asked for must fit together. The prompt counts as
/// estimated, not as bounded: the bound is several times too high for prose, and a prompt that
/// does not fit after all fails over to a larger context. Without a stated output limit one token
/// must fit. An unknown limit is no limit.
pub(super) fn context_length(question: &Question<'_>) -> Option<Objection> {
    let prompt = question.needs.prompt_tokens_estimate;
    let output = question.needs.max_output_tokens.map_or(1, u64::from);
    let endpoint = question.endpoint;
    if let Some(context) = endpoint.context_length
        && prompt.saturating_add(output) > context
    {
        let detail = format!(
            "about {prompt} prompt and {output} output tokens exceed the context of {context}"
        );
        return Some(Objection::new(Scope::Request, "messages", detail));
    }
    if let Some(most) = endpoint.max_prompt_tokens
        && prompt > most
    {
        let detail = format!("about {prompt} prompt tokens exceed its limit of {most}");
        return Some(Objection::new(Scope::Request, "messages", detail));
    }
    endpoint
        .max_completion_tokens
        .filter(|most| output > *most)
        .map(|most| {
            let detail = format!("{output} output tokens exceed its limit of {most}");
            Objection::new(Scope::Request, "max_tokens", detail)
        })
}

pub(super) fn require_parameters(question: &Question<'_>) -> Option<Objection> {
    if !question.needs.preferences.require_parameters {
        return None;
    }
    let missing = question
        .needs
        .parameters
        .minus(understood(question.endpoint.supported_parameters));
    (!missing.is_empty()).then(|| {
        Objection::new(
            Scope::Request,
            "provider.require_parameters",
            lacks(missing),
        )
    })
}

/// What an endpoint understands once its request is encoded: some parameters are different names
/// of one thing, and an endpoint that declares one of them serves them all.
fn understood(declared: Parameters) -> Parameters {
    const SYNONYMS: [&[Parameter]; 2] = [
        &[Parameter::MaxTokens, Parameter::MaxCompletionTokens],
        &[
            Parameter::Reasoning,
            Parameter::ReasoningEffort,
            Parameter::IncludeReasoning,
        ],
    ];
    SYNONYMS.into_iter().fold(declared, |known, names| {
        let names: Parameters = names.iter().copied().collect();
        if known.intersection(names).is_empty() {
            known
        } else {
            known.union(names)
        }
    })
}

fn lacks(missing: Parameters) -> String {
    format!(
        "it lacks {}",
        in_words(&missing.iter().map(Parameter::as_str).collect::<Vec<_>>())
    )
}

/// A format's name stands for its scaled editions too; undisclosed weights match `unknown` alone.
pub(super) fn quantization(question: &Question<'_>) -> Option<Objection> {
    let wanted = stated(question.needs.preferences.quantizations.as_ref())?;
    let format = question
        .endpoint
        .quantization
        .as_deref()
        .unwrap_or("unknown");
    let family = match format {
        "mxfp4" | "nvfp4" => "fp4",
        "mxfp8" => "fp8",
        other => other,
    };
    let matches =
        |name: &String| name.eq_ignore_ascii_case(format) || name.eq_ignore_ascii_case(family);
    (!wanted.iter().any(matches)).then(|| {
        let detail = format!("its weights are {format}, wanted {}", in_words(wanted));
        Objection::new(Scope::Request, "provider.quantizations", detail)
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
        .policy
        .narrowest(|rules| rules.unsupported_features)
        .unwrap_or_default()
        == UnsupportedFeatures::Drop
    {
        return None;
    }
    let supported = question.endpoint.supported_parameters;
    let missing = wanted_features(question.needs)
        .intersection(ESSENTIAL)
        .minus(supported);
    (!missing.is_empty()).then(|| {
        let field = if missing.contains(Parameter::Tools) {
            "tools"
        } else {
            "response_format"
        };
        Objection::new(Scope::Request, field, lacks(missing))
    })
}

/// The parameters of a request, with tools counted however they were noted.
pub(super) fn wanted_features(needs: &switchyard_interchange::needs::Needs) -> Parameters {
    needs.parameters.with_if(needs.uses_tools, Parameter::Tools)
}
