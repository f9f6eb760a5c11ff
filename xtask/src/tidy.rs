//! What files may contain, and how large they may be.

mod exceptions;
mod floats;
mod lints;
mod machine;
mod markers;
mod messages;
mod names;
mod pins;
mod size;
mod sleeps;
mod unwraps;

use crate::{finding::Finding, tree::Tree};

/// Every rule, less the written exceptions; an exception that excuses nothing is a finding too.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let rules: [fn(&Tree) -> Vec<Finding>; 10] = [
        size::check,
        names::check,
        lints::check,
        markers::check,
        sleeps::check,
        unwraps::check,
        floats::check,
        messages::check,
        machine::check,
        pins::check,
    ];
    let findings = rules.iter().flat_map(|rule| rule(tree)).collect();
    exceptions::excuse(findings, exceptions::EXCEPTIONS)
}
