//! Other models of the same author that could serve a request that failed.

use std::cmp::Reverse;

use switchyard_catalog::snapshot::Model;
use switchyard_interchange::needs::Needs;

use super::AvailabilityCode;
use crate::{
    resolve::Chosen,
    rule_out::{given_beside, serving},
    select::{NoCandidates, Situation, TryWhen},
};

/// How many are suggested.
const SUGGESTIONS: usize = 3;

/// Notes models that would do as the request stands, where the error is about what the caller
/// demands or about a withdrawn model. Who excludes providers or models by name is not advised to
/// go elsewhere.
pub(super) fn suggest(
    mut error: NoCandidates,
    needs: &Needs,
    situation: &Situation<'_>,
    chosen: &[Chosen<'_>],
) -> NoCandidates {
    let may_help = matches!(
        error.code(),
        AvailabilityCode::ConstraintFiltered
            | AvailabilityCode::PrivacyRestricted
            | AvailabilityCode::ModelDeprecated
    );
    if let NoCandidates::RuledOut {
        fallback_models, ..
    } = &mut error
        && let [first, ..] = chosen
        && may_help
    {
        *fallback_models = siblings(needs, situation, *first, chosen).into();
    }
    error
}

fn siblings(
    needs: &Needs,
    situation: &Situation<'_>,
    first: Chosen<'_>,
    chosen: &[Chosen<'_>],
) -> Vec<String> {
    let mut models: Vec<&Model> = situation
        .catalog
        .models
        .iter()
        .filter(|model| {
            model.author == first.model.author
                && !model.is_expired(situation.now)
                && given_beside(model, needs).is_empty()
                && chosen.iter().all(|choice| choice.model.id != model.id)
        })
        .collect();
    models.sort_by_key(|model| (Reverse(model.created), model.id.clone()));
    let can_serve = |model: &&Model| {
        let choice = Chosen {
            model,
            shortcut: first.shortcut,
            when: TryWhen::Always,
        };
        serving(needs, situation, choice).next().is_some()
    };
    models
        .into_iter()
        .filter(can_serve)
        .take(SUGGESTIONS)
        .map(|model| model.id.to_string())
        .collect()
}
