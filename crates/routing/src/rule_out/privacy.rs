//! What becomes of prompts and answers. Unknown is the worst.

use switchyard_interchange::preferences::DataCollection;

use super::{Objection, Question};
use crate::{
    policy::Rules,
    record::{Figures, Scope},
};

/// Denied when anyone denies it.
pub(super) fn training(question: &Question<'_>) -> Option<Objection> {
    let requested = question.asked.needs.preferences.data_collection == Some(DataCollection::Deny);
    let (field, denies): (_, fn(&Rules) -> bool) = if question.endpoint.free {
        ("allow_free_training", |rules| {
            rules.allow_free_training == Some(false)
        })
    } else {
        ("allow_paid_training", |rules| {
            rules.allow_paid_training == Some(false)
        })
    };
    let (scope, field) = match question.asked.policy.first(denies) {
        Some(layer) => (layer.scope, field),
        None if requested => (Scope::Request, "provider.data_collection"),
        None => return None,
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

/// Whoever pays nothing may find the prompts published, unless a scope denies that.
pub(super) fn publication(question: &Question<'_>) -> Option<Objection> {
    let published = question.endpoint.data_policy.can_publish;
    if !question.endpoint.free || published == Some(false) {
        return None;
    }
    let layer = question
        .asked
        .policy
        .first(|rules| rules.allow_free_publication == Some(false))?;
    let detail = match published {
        Some(_) => "it may publish prompts",
        None => "whether it publishes prompts is not known",
    };
    Some(Objection::new(
        layer.scope,
        "allow_free_publication",
        detail,
    ))
}

/// Demanded when anyone demands it.
pub(super) fn zdr(question: &Question<'_>) -> Option<Objection> {
    let author = question.asked.model.author.as_str();
    let (scope, field) = match question
        .asked
        .policy
        .first(|rules| rules.zdr.includes(author))
    {
        Some(layer) => (layer.scope, "zdr"),
        None if question.asked.needs.preferences.zdr => (Scope::Request, "provider.zdr"),
        None => return None,
    };
    if question.endpoint.zero_data_retention {
        return None;
    }
    let policy = &question.endpoint.data_policy;
    Some(match (policy.retains_prompts, policy.retention_days) {
        (Some(true), Some(days)) => Objection::new(scope, field, Figures::KeptForDays(days)),
        (Some(true), None) => Objection::new(scope, field, "it keeps prompts"),
        (Some(false), _) => Objection::new(scope, field, "it does not promise zero retention"),
        (None, _) => Objection::new(scope, field, "whether it keeps prompts is not known"),
    })
}

pub(super) fn distillable(question: &Question<'_>) -> Option<Objection> {
    let demanded = question.asked.needs.preferences.enforce_distillable_text;
    (demanded && !question.asked.model.is_distillable).then(|| {
        Objection::new(
            Scope::Request,
            "provider.enforce_distillable_text",
            "its author has not allowed distillation",
        )
    })
}
