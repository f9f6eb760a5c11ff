//! What the caller wants an endpoint to be able to do, whether or not the request uses it.

use switchyard_domain::model::{Modality, Parameter};
use switchyard_interchange::preferences::Capability;

use super::{Objection, Question, fit};
use crate::{
    record::{Detail, Scope},
    slug::{in_words, stated},
};

/// How undisclosed weights are called.
const UNDISCLOSED: &str = "unknown";

pub(super) fn has(question: &Question<'_>) -> Option<Objection> {
    let wanted = &question.asked.needs.preferences.has;
    let missing = wanted.iter().find(|wanted| !is_able(question, wanted))?;
    let detail = match missing {
        Capability::ImplicitCaching => Detail::Fixed("it does not cache by itself"),
        Capability::Reasoning => Detail::Fixed("it does not reason"),
        Capability::StructuredOutput => Detail::Fixed("it lacks structured_outputs"),
        Capability::ToolUse => Detail::Fixed("it lacks tools"),
        Capability::Vision => Detail::Fixed("the model does not take image input"),
        Capability::Quantization(name) => weights(question, "provider.has", &[], name, || {
            format!("wanted {name}")
        }),
        Capability::NotQuantization(name) => {
            weights(question, "provider.has", &[], &format!("!{name}"), || {
                format!("wanted any disclosed format but {name}")
            })
        }
    };
    Some(Objection::new(Scope::Request, "provider.has", detail))
}

fn is_able(question: &Question<'_>, wanted: &Capability) -> bool {
    let endpoint = question.endpoint;
    let supported = endpoint.supported_parameters;
    let format = format_of(question);
    match wanted {
        Capability::ImplicitCaching => endpoint.supports_implicit_caching == Some(true),
        Capability::Reasoning => fit::understood(supported).contains(Parameter::Reasoning),
        Capability::StructuredOutput => supported.contains(Parameter::StructuredOutputs),
        Capability::ToolUse => supported.contains(Parameter::Tools),
        Capability::Vision => question
            .asked
            .model
            .input_modalities
            .contains(Modality::Image),
        Capability::Quantization(name) => is_called(format, name),
        Capability::NotQuantization(name) => format != UNDISCLOSED && !is_called(format, name),
    }
}

/// A format's name stands for its scaled editions too; undisclosed weights match `unknown` alone.
pub(super) fn quantization(question: &Question<'_>) -> Option<Objection> {
    const FIELD: &str = "provider.quantizations";
    let wanted = stated(question.asked.needs.preferences.quantizations.as_ref())?;
    let format = format_of(question);
    if wanted.iter().any(|name| is_called(format, name)) {
        return None;
    }
    let detail = weights(question, FIELD, wanted, "", || {
        format!("wanted {}", in_words(wanted))
    });
    Some(Objection::new(Scope::Request, FIELD, detail))
}

fn format_of<'a>(question: &Question<'a>) -> &'a str {
    question
        .endpoint
        .quantization
        .as_deref()
        .unwrap_or(UNDISCLOSED)
}

fn is_called(format: &str, name: &str) -> bool {
    let family = match format {
        "mxfp4" | "nvfp4" => "fp4",
        "mxfp8" => "fp8",
        other => other,
    };
    name.eq_ignore_ascii_case(format) || name.eq_ignore_ascii_case(family)
}

/// `its weights are fp8, wanted bf16`.
fn weights(
    question: &Question<'_>,
    field: &'static str,
    list: &[String],
    one: &str,
    wanted: impl FnOnce() -> String,
) -> Detail {
    let format = format_of(question);
    let write = || format!("its weights are {format}, {}", wanted());
    if one.is_empty() {
        question
            .notes
            .wording
            .of(Scope::Request, field, list, format, write)
            .into()
    } else {
        let about = format!("{format} {one}");
        question
            .notes
            .wording
            .of(Scope::Request, field, list, &about, write)
            .into()
    }
}
