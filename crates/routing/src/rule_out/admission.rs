//! Whether an endpoint is there for this request at all: callable, of a tier that was asked for,
//! of a model and at a provider that are allowed.

use switchyard_domain::{endpoint::ServiceTier, model::ModelId};

use super::{Objection, Question, Tiers};
use crate::{
    policy::{Policy, Rules},
    record::{Detail, Scope},
    slug::{in_words, is_named_in_full, names_model, position, stated},
};

pub(super) fn not_callable(question: &Question<'_>) -> Option<Objection> {
    if let Some(obstacle) = question.endpoint.obstacle(question.provider) {
        let detail = Detail::Fixed(obstacle.as_str());
        return Some(Objection::new(Scope::Catalog, "endpoint", detail));
    }
    let slug = &question.provider.slug;
    let credentials = question.asked.credentials;
    if credentials.offer_shared(slug, &question.asked.model.id)
        || question.own_credentials().next().is_some()
    {
        return None;
    }
    let wording = &question.notes.wording;
    if credentials.shared.includes(slug) {
        let words = || {
            format!(
                "the account uses only its own credentials at {slug}, and none of them is for this model"
            )
        };
        let field = "is_byok_only";
        let detail = wording.of(Scope::Account, field, &[], slug.as_str(), words);
        return Some(Objection::new(Scope::Account, field, detail));
    }
    let words = || format!("no credential is stored for {slug}");
    let detail = wording.of(Scope::Catalog, "endpoint", &[], slug.as_str(), words);
    Some(Objection::new(Scope::Catalog, "endpoint", detail))
}

/// A scope's list that forbids a model: all its endpoints alike.
pub(super) struct Forbidding<'a> {
    scope: Scope,
    field: &'static str,
    list: &'a [String],
    does: &'static str,
}

impl<'a> Forbidding<'a> {
    /// The models of every scope that names any, by exact id or as `author/*`. Nobody's list adds a
    /// model that another scope's leaves out.
    pub(super) fn find(policy: &'a Policy, model: &ModelId) -> Option<Self> {
        let has = |list: &[String]| list.iter().any(|entry| names_model(entry, model.as_str()));
        let forbids = |rules: &Rules| {
            let allowed = rules.allowed_models.as_deref();
            allowed.is_some_and(|list| !has(list))
        };
        if let Some(layer) = policy.first(forbids) {
            return Some(Self {
                scope: layer.scope,
                field: "allowed_models",
                list: layer.rules.allowed_models.as_deref().unwrap_or_default(),
                does: "allows",
            });
        }
        let layer = policy.first(|rules| has(&rules.ignored_models))?;
        Some(Self {
            scope: layer.scope,
            field: "ignored_models",
            list: &layer.rules.ignored_models,
            does: "ignores",
        })
    }
}

pub(super) fn model_not_allowed(question: &Question<'_>) -> Option<Objection> {
    let forbidding = question.asked.forbidding.as_ref()?;
    let Forbidding {
        scope,
        field,
        list,
        does,
    } = *forbidding;
    Some(by_list(question, scope, field, list, does))
}

/// An objection of a scope's list: `the account allows acme`.
fn by_list(
    question: &Question<'_>,
    scope: Scope,
    field: &'static str,
    list: &[String],
    does: &str,
) -> Objection {
    let words = || format!("the {} {does} {}", scope.as_str(), in_words(list));
    let detail = question.notes.wording.of(scope, field, list, "", words);
    Objection::new(scope, field, detail)
}

/// An objection of a list in the request: `` `only` is acme``.
fn by_request(
    question: &Question<'_>,
    field: &'static str,
    list: &[String],
    words: impl FnOnce(String) -> String,
) -> Objection {
    let words = || words(in_words(list));
    let detail = question
        .notes
        .wording
        .of(Scope::Request, field, list, "", words);
    Objection::new(Scope::Request, field, detail)
}

/// An endpoint of another tier than the ordinary one needs an opt-in: `service_tier`, a shortcut,
/// or its full tag in `order` or `only`.
pub(super) fn service_tier(question: &Question<'_>) -> Option<Objection> {
    let tier = question.endpoint.service_tier;
    let admitted = match question.asked.tiers {
        Tiers::Ordinary => tier == ServiceTier::Default,
        Tiers::Also(other) => tier == ServiceTier::Default || tier == other,
        Tiers::OnlyFlex(_) => tier == ServiceTier::Flex,
    };
    if admitted || (tier != ServiceTier::Default && is_asked_for_in_full(question)) {
        return None;
    }
    let detail = match tier {
        ServiceTier::Default => "the ordinary tier, and flex was asked for",
        ServiceTier::Flex => "the flex tier was not asked for",
        ServiceTier::Priority => "the priority tier was not asked for",
    };
    let (scope, field) = match question.asked.tiers {
        Tiers::OnlyFlex(scope) if tier == ServiceTier::Default && scope != Scope::Request => {
            (scope, "default_service_tier")
        }
        _ => (Scope::Request, "service_tier"),
    };
    Some(Objection::new(scope, field, detail))
}

fn is_asked_for_in_full(question: &Question<'_>) -> bool {
    let preferences = &question.asked.needs.preferences;
    [&preferences.order, &preferences.only]
        .into_iter()
        .flatten()
        .any(|list| is_named_in_full(list, question.provider, question.endpoint))
}

/// A standing list is a ceiling: the request's can only shrink it. An order without fallbacks
/// is a list of what is allowed.
pub(super) fn allowed_providers(question: &Question<'_>) -> Option<Objection> {
    if question.notes.listed.of(question).is_allowed {
        return None;
    }
    let Question {
        asked,
        endpoint,
        provider,
        ..
    } = question;
    let policy = asked.policy;
    let preferences = &question.asked.needs.preferences;
    let lacks = |list: &[String]| position(list, provider, endpoint).is_none();
    let forbids = |rules: &Rules| rules.allowed_providers.as_deref().is_some_and(lacks);
    if let Some(layer) = policy.first(forbids) {
        let allowed = layer.rules.allowed_providers.as_deref().unwrap_or_default();
        return Some(by_list(
            question,
            layer.scope,
            "allowed_providers",
            allowed,
            "allows",
        ));
    }
    if let Some(only) = stated(preferences.only.as_ref()).filter(|list| lacks(list)) {
        let words = |only| format!("`only` is {only}");
        return Some(by_request(question, "provider.only", only, words));
    }
    if preferences.allow_fallbacks == Some(false)
        && let Some(order) = stated(preferences.order.as_ref()).filter(|list| lacks(list))
    {
        let words = |order| format!("`order` is {order} and fallbacks are off");
        return Some(by_request(question, "provider.order", order, words));
    }
    None
}

/// Ignored by any scope is ignored, whatever another allows.
pub(super) fn ignored(question: &Question<'_>) -> Option<Objection> {
    let Question {
        asked,
        endpoint,
        provider,
        ..
    } = question;
    let is_provider = endpoint.tag == provider.slug.as_str();
    if is_provider && !question.notes.listed.of(question).is_ignored {
        return None;
    }
    let policy = asked.policy;
    let has = |list: &[String]| position(list, provider, endpoint).is_some();
    if let Some(layer) = policy.first(|rules| has(&rules.ignored_providers)) {
        let ignored = &layer.rules.ignored_providers;
        return Some(by_list(
            question,
            layer.scope,
            "ignored_providers",
            ignored,
            "ignores",
        ));
    }
    let ignore = &question.asked.needs.preferences.ignore;
    has(ignore).then(|| {
        let words = |ignore| format!("`ignore` is {ignore}");
        by_request(question, "provider.ignore", ignore, words)
    })
}
