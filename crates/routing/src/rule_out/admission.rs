//! Whether an endpoint is there for this request at all: callable, of a tier that was asked for,
//! at a provider that is allowed.

use switchyard_domain::endpoint::ServiceTier;

use super::{Objection, Question, Tiers};
use crate::{
    policy::Rules,
    record::Scope,
    slug::{in_words, is_named_in_full, position, stated},
};

pub(super) fn not_callable(question: &Question<'_>) -> Option<Objection> {
    let slug = &question.provider.slug;
    let obstacle = match question.endpoint.obstacle(question.provider) {
        Some(obstacle) => obstacle.to_string(),
        None if question.credentials.shared.includes(slug) => return None,
        None => format!("no credential is stored for {slug}"),
    };
    Some(Objection::new(Scope::Catalog, "endpoint", obstacle))
}

/// An endpoint of another tier than the ordinary one needs an opt-in: `service_tier`, a shortcut,
/// or its full tag in `order` or `only`.
pub(super) fn service_tier(question: &Question<'_>) -> Option<Objection> {
    let tier = question.endpoint.service_tier;
    let admitted = match question.tiers {
        Tiers::Ordinary => tier == ServiceTier::Default,
        Tiers::Also(other) => tier == ServiceTier::Default || tier == other,
        Tiers::OnlyFlex => tier == ServiceTier::Flex,
    };
    if admitted || (tier != ServiceTier::Default && is_asked_for_in_full(question)) {
        return None;
    }
    let detail = match tier {
        ServiceTier::Default => "the ordinary tier, and flex was asked for",
        ServiceTier::Flex => "the flex tier was not asked for",
        ServiceTier::Priority => "the priority tier was not asked for",
    };
    Some(Objection::new(Scope::Request, "service_tier", detail))
}

fn is_asked_for_in_full(question: &Question<'_>) -> bool {
    let preferences = &question.needs.preferences;
    [&preferences.order, &preferences.only]
        .into_iter()
        .flatten()
        .any(|list| is_named_in_full(list, question.provider, question.endpoint))
}

/// The account's list is a ceiling: the request's can only shrink it. An order without fallbacks
/// is a list of what is allowed.
pub(super) fn allowed_providers(question: &Question<'_>) -> Option<Objection> {
    let Question {
        endpoint,
        provider,
        policy,
        ..
    } = question;
    let preferences = &question.needs.preferences;
    let lacks = |list: &[String]| position(list, provider, endpoint).is_none();
    let forbids = |rules: &Rules| rules.allowed_providers.as_deref().is_some_and(lacks);
    if let Some(layer) = policy.first(forbids) {
        let allowed = layer.rules.allowed_providers.as_deref().unwrap_or_default();
        let detail = format!("the {} allows {}", layer.scope.as_str(), in_words(allowed));
        return Some(Objection::new(layer.scope, "allowed_providers", detail));
    }
    if let Some(only) = stated(preferences.only.as_ref()).filter(|list| lacks(list)) {
        let detail = format!("`only` is {}", in_words(only));
        return Some(Objection::new(Scope::Request, "provider.only", detail));
    }
    if preferences.allow_fallbacks == Some(false)
        && let Some(order) = stated(preferences.order.as_ref()).filter(|list| lacks(list))
    {
        let detail = format!("`order` is {} and fallbacks are off", in_words(order));
        return Some(Objection::new(Scope::Request, "provider.order", detail));
    }
    None
}

pub(super) fn ignored(question: &Question<'_>) -> Option<Objection> {
    let Question {
        endpoint,
        provider,
        policy,
        ..
    } = question;
    let has = |list: &[String]| position(list, provider, endpoint).is_some();
    if let Some(layer) = policy.first(|rules| has(&rules.ignored_providers)) {
        let ignored = in_words(&layer.rules.ignored_providers);
        let detail = format!("the {} ignores {ignored}", layer.scope.as_str());
        return Some(Objection::new(layer.scope, "ignored_providers", detail));
    }
    let ignore = &question.needs.preferences.ignore;
    has(ignore).then(|| {
        let detail = format!("`ignore` is {}", in_words(ignore));
        Objection::new(Scope::Request, "provider.ignore", detail)
    })
}
