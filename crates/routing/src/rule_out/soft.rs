//! Parameters that narrow the choice where they can and are dropped where they cannot.

use switchyard_domain::model::{Parameter, Parameters};
use switchyard_interchange::needs::Needs;

use super::{Objection, Passed, fit};
use crate::{
    record::{CandidateRecord, Rule, Scope},
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
pub(super) fn narrow(
    needs: &Needs,
    situation: &Situation<'_>,
    passed: &mut Vec<Passed>,
    rows: &mut [CandidateRecord],
) {
    let wanted: Parameters = fit::wanted_features(needs);
    for (parameter, field, detail) in SOFT {
        let supports = |one: &Passed| {
            situation.catalog.endpoints[one.endpoint]
                .supported_parameters
                .contains(parameter)
        };
        if !wanted.contains(parameter) || !passed.iter().any(supports) {
            continue;
        }
        passed.retain(|one| {
            let keep = supports(one);
            if !keep {
                rows[one.row].ruled_out =
                    Some(Objection::new(Scope::Request, field, detail).by(Rule::Features));
            }
            keep
        });
    }
}
