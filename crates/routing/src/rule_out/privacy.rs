//! What becomes of prompts and answers. Unknown is the worst.

use switchyard_interchange::preferences::DataCollection;

use super::{Objection, Question};
use crate::record::Scope;

/// Denied when anyone denies it.
pub(super) fn training(question: &Question<'_>) -> Option<Objection> {
    let requested = question.needs.preferences.data_collection == Some(DataCollection::Deny);
    let (scope, field) = match (question.policy.deny_training, requested) {
        (true, _) => (Scope::Account, "deny_training"),
        (false, true) => (Scope::Request, "provider.data_collection"),
        (false, false) => return None,
    };
    let policy = &question.endpoint.data_policy;
    policy.may_train().then(|| {
        let detail = match policy.trains_on_data {
            Some(_) => "it trains on prompts",
            None => "whether it trains on prompts is not known",
        };
        Objection::new(scope, field, detail)
    })
}

/// Demanded when anyone demands it.
pub(super) fn zdr(question: &Question<'_>) -> Option<Objection> {
    let (scope, field) = match (question.policy.zdr, question.needs.preferences.zdr) {
        (true, _) => (Scope::Account, "zdr"),
        (false, true) => (Scope::Request, "provider.zdr"),
        (false, false) => return None,
    };
    if question.endpoint.zero_data_retention {
        return None;
    }
    let policy = &question.endpoint.data_policy;
    Some(match (policy.retains_prompts, policy.retention_days) {
        (Some(true), Some(days)) => {
            Objection::new(scope, field, format!("it keeps prompts for {days} days"))
        }
        (Some(true), None) => Objection::new(scope, field, "it keeps prompts"),
        (Some(false), _) => Objection::new(scope, field, "it does not promise zero retention"),
        (None, _) => Objection::new(scope, field, "whether it keeps prompts is not known"),
    })
}

pub(super) fn distillable(question: &Question<'_>) -> Option<Objection> {
    let demanded = question.needs.preferences.enforce_distillable_text;
    (demanded && !question.model.is_distillable).then(|| {
        Objection::new(
            Scope::Request,
            "provider.enforce_distillable_text",
            "its author has not allowed distillation",
        )
    })
}
