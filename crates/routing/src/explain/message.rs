//! The same for people: what happened, and what to do about it.

use super::{Removal, removals};
use crate::{
    record::{DecisionRecord, Scope},
    select::NoCandidates,
    slug::in_words,
};

impl NoCandidates {
    /// What happened and what to do about it, for the caller.
    pub fn message(&self) -> String {
        match self {
            Self::UnknownModel { model, similar } if similar.is_empty() => {
                format!(
                    "There is no model {}. GET /api/v1/models lists what there is.",
                    quoted(model)
                )
            }
            Self::UnknownModel { model, similar } => {
                format!(
                    "There is no model {}. Did you mean {}?",
                    quoted(model),
                    in_words(similar)
                )
            }
            Self::UnknownVariant { model, variant } if variant == "free" => format!(
                "Model {} is not offered for free, or no longer. Ask for it without `:free`, or \
                 for `switchyard/free`, which takes any free model.",
                quoted(model)
            ),
            Self::UnknownVariant { model, variant } => {
                let model = quoted(model);
                format!(
                    "Model {model} has no variant {}. Ask for {model}, which can be followed by \
                     `:nitro` (fastest first), `:floor` (cheapest first) or `:exacto` (best at \
                     calling tools first).",
                    quoted(&format!(":{variant}"))
                )
            }
            Self::WebSearchNotOffered { model } => {
                let model = quoted(model);
                format!(
                    "`:online` asks for the web plugin, which is not offered here. Ask for \
                     {model} without it, and offer the model a search tool of yours in `tools`, or \
                     put what you found into the prompt."
                )
            }
            Self::RouterLeftNothing {
                router,
                field,
                detail,
            } => format!(
                "`{router}` has no model to choose from: {detail}. {} to get an answer.",
                match *field {
                    "cost_tier" => "Raise `cost_tier`, or relax what keeps cheaper models out,",
                    "model" => "Name a model",
                    "excluded_models" => "Exclude fewer models",
                    _ => "Allow more models",
                }
            ),
            Self::RuledOut {
                available_providers,
                expired,
                relaxation,
                fallback_models,
                record,
                ..
            } => ruled_out_message(
                record,
                *expired,
                available_providers,
                relaxation.as_deref(),
                fallback_models,
            ),
        }
    }
}

/// Characters of a name that a message repeats: callers can write names of any length.
const QUOTED_MAX: usize = 100;

fn quoted(name: &str) -> String {
    match name.char_indices().nth(QUOTED_MAX) {
        Some((end, _)) => format!("`{}…`", &name[..end]),
        None => format!("`{name}`"),
    }
}

/// What was asked, what stood in its way by rule and scope, who offers the model, and the way out.
fn ruled_out_message(
    record: &DecisionRecord,
    expired: bool,
    available_providers: &[String],
    relaxation: Option<&str>,
    fallback_models: &[String],
) -> String {
    let names: Vec<String> = record
        .requested_models
        .iter()
        .map(|name| quoted(name))
        .collect();
    let mut message = format!("No endpoint can serve {}", in_words(&names));
    if expired {
        message.push_str(", which its author has withdrawn");
    }
    let removals: Vec<String> = removals(record).iter().map(Removal::line).collect();
    if removals.is_empty() {
        message.push_str(": nobody offers it at present.");
    } else {
        message.push_str(": ");
        message.push_str(&removals.join("; "));
        message.push_str(". It is offered by ");
        message.push_str(&in_words(available_providers));
        message.push('.');
    }
    if let Some(relaxation) = relaxation {
        message.push_str(" To get an answer, ");
        message.push_str(relaxation);
        message.push('.');
    }
    if !fallback_models.is_empty() {
        message.push_str(" As things are, ");
        message.push_str(&in_words(fallback_models));
        message.push_str(" can answer.");
    }
    message
}

impl Removal<'_> {
    fn line(&self) -> String {
        let Self { first, count } = self;
        let endpoints = if *count == 1 { "endpoint" } else { "endpoints" };
        let who = match first.scope {
            Scope::Catalog => "",
            Scope::Account => " by account settings",
            Scope::Workspace => " by workspace settings",
            Scope::Member => " by the member's settings",
            Scope::Key => " by the API key's settings",
            Scope::Preset => " by the preset's settings",
            Scope::Request => " by the request",
        };
        format!(
            "{count} {endpoints} excluded{who}: {} ({})",
            first.rule.as_str(),
            first.detail
        )
    }
}
