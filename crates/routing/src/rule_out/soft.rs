//! Parameters that narrow the choice where they can and are dropped where they cannot.

use switchyard_domain::model::Parameter;
use switchyard_interchange::needs::Needs;

use super::{Fate, Objection, fit};
use crate::{
    record::{Rule, Scope},
    select::Situation,
};

/// In the order in which they narrow: what changes the answer most comes first.
const SOFT: [(Parameter, &str, &str); 4] = [
    (Parameter::Tools, "tools", "it lacks tools"),
    (
        Parameter::StructuredOutputs,
        "response_format",
        "it lacks structured_outputs",
    ),
    (
        Parameter::ResponseFormat,
        "response_format",
        "it lacks response_format",
    ),
    (Parameter::Verbosity, "verbosity", "it lacks verbosity"),
];

/// Of one model's endpoints keeps those that support each soft parameter of the request, as long
/// as any does. Never removes the last one.
pub(super) fn narrow(needs: &Needs, situation: &Situation<'_>, fates: &mut [Fate]) {
    let wanted = fit::wanted_features(needs);
    for (parameter, field, words) in SOFT {
        let supports = |fate: &Fate| {
            situation.catalog.endpoints[fate.endpoint]
                .supported_parameters
                .contains(parameter)
        };
        let passes_with = |fate: &Fate| fate.verdict.is_ok() && supports(fate);
        if !wanted.contains(parameter) || !fates.iter().any(passes_with) {
            continue;
        }
        for fate in fates.iter_mut() {
            if fate.verdict.is_ok() && !supports(fate) {
                let objection = Objection::new(Scope::Request, field, words);
                fate.verdict = Err(objection.by(Rule::Features));
            }
        }
    }
}
