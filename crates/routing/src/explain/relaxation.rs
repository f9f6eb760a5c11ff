//! The smallest change that would let some endpoint serve.

use switchyard_interchange::needs::Needs;

use crate::{
    record::{CandidateRecord, DecisionRecord, Rule, RuledOut, Scope},
    slug::in_words,
};

/// Words for the change that frees the endpoint with the fewest obstacles. Among equals it gives
/// up privacy last, and the request's own constraints before standing rules. `None` where the
/// catalogue stands against all.
///
/// `objections` lists every rule that each of the record's candidates fails, in its order.
pub(super) fn smallest(
    needs: &Needs,
    objections: &[Vec<RuledOut>],
    record: &DecisionRecord,
) -> Option<String> {
    let (row, obstacles) = record
        .candidates
        .iter()
        .zip(objections)
        .filter(|(_, obstacles)| {
            obstacles
                .iter()
                .all(|obstacle| can_be_lifted(obstacle.rule))
        })
        .min_by_key(|(_, obstacles)| {
            let count = |is: fn(&RuledOut) -> bool| obstacles.iter().filter(|one| is(one)).count();
            let of_privacy = count(|one| {
                use Rule::{DataRegion, Publication, Training, Zdr};
                matches!(one.rule, DataRegion | Training | Publication | Zdr)
            });
            let standing = count(|one| one.scope != Scope::Request);
            (obstacles.len(), of_privacy, standing)
        })?;
    let steps: Vec<String> = obstacles
        .iter()
        .map(|obstacle| step(needs, row, obstacle))
        .collect();
    (!steps.is_empty()).then(|| steps.join(", and "))
}

const fn can_be_lifted(rule: Rule) -> bool {
    !matches!(rule, Rule::NotCallable | Rule::Geo | Rule::WrongApi)
}

/// Where a scope's rules are changed, unless it is the request itself.
const fn settings(scope: Scope) -> Option<&'static str> {
    match scope {
        Scope::Catalog | Scope::Request => None,
        Scope::Account => Some("the account's settings"),
        Scope::Workspace => Some("the workspace's settings"),
        Scope::Member => Some("the member's settings"),
        Scope::Key => Some("the API key's settings"),
        Scope::Preset => Some("the preset's settings"),
    }
}

fn step(needs: &Needs, row: &CandidateRecord, obstacle: &RuledOut) -> String {
    match settings(obstacle.scope) {
        Some(settings) => {
            let change = standing_step(row, obstacle);
            format!("{change} in {settings}")
        }
        None => request_step(needs, obstacle),
    }
}

fn standing_step(row: &CandidateRecord, obstacle: &RuledOut) -> String {
    let CandidateRecord {
        provider, model, ..
    } = row;
    match obstacle.rule {
        Rule::ServiceTier => "drop the flex tier, or ask for `service_tier: default`".to_owned(),
        Rule::DataRegion => "relax `allowed_data_regions`".to_owned(),
        Rule::ModelNotAllowed if obstacle.field == "ignored_models" => {
            format!("stop ignoring {model}")
        }
        Rule::ModelNotAllowed => format!("allow {model}"),
        Rule::AllowedProviders => format!("allow {provider}"),
        Rule::Ignored => format!("stop ignoring {provider}"),
        Rule::Training => "allow training on prompts".to_owned(),
        Rule::Publication => "allow publication of prompts".to_owned(),
        Rule::Zdr => "lift zero data retention".to_owned(),
        other => format!("lift `{}`", other.as_str()),
    }
}

fn request_step(needs: &Needs, obstacle: &RuledOut) -> String {
    let preferences = &needs.preferences;
    let list = |entries: &Option<Vec<String>>| in_words(entries.as_deref().unwrap_or_default());
    let field = obstacle.field;
    match obstacle.rule {
        Rule::ServiceTier => {
            "name the endpoint in full in `only`, or ask for its `service_tier`".to_owned()
        }
        Rule::AllowedProviders if field == "provider.order" => {
            format!(
                "allow fallbacks, or drop `order: [{}]`",
                list(&preferences.order)
            )
        }
        Rule::AllowedProviders => format!("drop `only: [{}]`", list(&preferences.only)),
        Rule::Ignored => format!("drop `ignore: [{}]`", in_words(&preferences.ignore)),
        Rule::Training => "drop `data_collection: deny`".to_owned(),
        Rule::Zdr => "drop `zdr: true`".to_owned(),
        Rule::Distillable => "drop `enforce_distillable_text`".to_owned(),
        Rule::Modality => "choose a model for these kinds of input and output".to_owned(),
        Rule::ContextLength if field == "max_tokens" => "lower `max_tokens`".to_owned(),
        Rule::ContextLength => "shorten the prompt or lower `max_tokens`".to_owned(),
        Rule::RequireParameters => "drop `require_parameters`".to_owned(),
        Rule::Capability => "ask for less in `has`".to_owned(),
        Rule::Quantization => {
            format!(
                "widen `quantizations: [{}]`",
                list(&preferences.quantizations)
            )
        }
        Rule::MaxPrice => {
            let field = field.strip_prefix("provider.").unwrap_or(field);
            format!("raise `{field}`")
        }
        Rule::Features => format!("drop `{field}` or choose a model that has it"),
        Rule::NotCallable
        | Rule::Geo
        | Rule::WrongApi
        | Rule::DataRegion
        | Rule::ModelNotAllowed
        | Rule::Publication => "choose another model".to_owned(),
    }
}
