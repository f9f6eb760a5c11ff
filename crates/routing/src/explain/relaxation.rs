//! The smallest change that would let some endpoint serve.

use switchyard_interchange::needs::Needs;

use crate::{
    record::{DecisionRecord, Rule, RuledOut, Scope},
    slug::in_words,
};

/// Words for the change that frees the endpoint with the fewest obstacles. Among equals it gives
/// up privacy last, and the request's own constraints before the account's. `None` where the catalogue stands against all.
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
            let of_privacy = count(|one| matches!(one.rule, Rule::Training | Rule::Zdr));
            let at_account = count(|one| one.scope != Scope::Request);
            (obstacles.len(), of_privacy, at_account)
        })?;
    let steps: Vec<String> = obstacles
        .iter()
        .map(|obstacle| step(needs, &row.provider, obstacle))
        .collect();
    (!steps.is_empty()).then(|| steps.join(", and "))
}

const fn can_be_lifted(rule: Rule) -> bool {
    !matches!(rule, Rule::NotCallable | Rule::WrongApi)
}

fn step(needs: &Needs, provider: &str, obstacle: &RuledOut) -> String {
    let preferences = &needs.preferences;
    let list = |entries: &Option<Vec<String>>| in_words(entries.as_deref().unwrap_or_default());
    match (obstacle.rule, obstacle.scope) {
        (Rule::ServiceTier, _) => {
            "name the endpoint in full in `only`, or ask for its `service_tier`".to_owned()
        }
        (Rule::AllowedProviders, Scope::Account) => {
            format!("allow {provider} in the account's settings")
        }
        (Rule::AllowedProviders, _) if obstacle.field == "provider.order" => {
            format!(
                "allow fallbacks, or drop `order: [{}]`",
                list(&preferences.order)
            )
        }
        (Rule::AllowedProviders, _) => format!("drop `only: [{}]`", list(&preferences.only)),
        (Rule::Ignored, Scope::Account) => {
            format!("stop ignoring {provider} in the account's settings")
        }
        (Rule::Ignored, _) => format!("drop `ignore: [{}]`", in_words(&preferences.ignore)),
        (Rule::Training, Scope::Account) => {
            "allow training on prompts in the account's settings".to_owned()
        }
        (Rule::Training, _) => "drop `data_collection: deny`".to_owned(),
        (Rule::Zdr, Scope::Account) => {
            "lift zero data retention in the account's settings".to_owned()
        }
        (Rule::Zdr, _) => "drop `zdr: true`".to_owned(),
        (Rule::Distillable, _) => "drop `enforce_distillable_text`".to_owned(),
        (Rule::Modality, _) => "choose a model for these kinds of input and output".to_owned(),
        (Rule::ContextLength, _) if obstacle.field == "max_tokens" => {
            "lower `max_tokens`".to_owned()
        }
        (Rule::ContextLength, _) => "shorten the prompt or lower `max_tokens`".to_owned(),
        (Rule::RequireParameters, _) => "drop `require_parameters`".to_owned(),
        (Rule::Quantization, _) => {
            format!(
                "widen `quantizations: [{}]`",
                list(&preferences.quantizations)
            )
        }
        (Rule::MaxPrice, _) => {
            let field = obstacle
                .field
                .strip_prefix("provider.")
                .unwrap_or(obstacle.field);
            format!("raise `{field}`")
        }
        (Rule::Features, _) => format!("drop `{}` or choose a model that has it", obstacle.field),
        (Rule::NotCallable | Rule::WrongApi, _) => "choose another model".to_owned(),
    }
}
