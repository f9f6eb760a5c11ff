//! Which service tiers of a model a request draws on.

use switchyard_catalog::snapshot::Model;
use switchyard_domain::endpoint::ServiceTier;
use switchyard_interchange::{needs::Needs, preferences::RequestedTier};

use crate::{policy::Policy, record::Scope, resolve::Chosen, select::Situation, slug::stated};

/// The tiers a request draws on, before endpoints named in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tiers {
    /// The ordinary one.
    Ordinary,
    /// The ordinary one and the one asked for.
    Also(ServiceTier),
    /// Flex and nothing else: who asks for it does not want to pay the ordinary price. It was asked
    /// for in this scope.
    OnlyFlex(Scope),
}

/// The tier the request asks for, or else the narrowest standing rule's, and whose wish it is.
/// `auto` leaves it to the standing rules.
pub(crate) fn asked_tier(needs: &Needs, policy: &Policy) -> Option<(RequestedTier, Scope)> {
    let requested = needs
        .service_tier
        .filter(|tier| *tier != RequestedTier::Auto)
        .map(|tier| (tier, Scope::Request));
    requested.or_else(|| {
        policy.layers.iter().rev().find_map(|layer| {
            let tier = layer.rules.default_service_tier?;
            Some((tier, layer.scope))
        })
    })
}

/// Whether a request for flex can be met at all; where not, it is routed as usual.
pub(crate) fn has_flex(situation: &Situation<'_>, model: &Model) -> bool {
    situation.catalog.endpoints_of(model).any(|endpoint| {
        endpoint.service_tier == ServiceTier::Flex
            && endpoint.is_callable(situation.catalog.provider_of(endpoint))
    })
}

impl Tiers {
    /// A tier that is asked for outranks a shortcut; a listed order or an explicit `default` takes
    /// the shortcut's tier back.
    pub(super) fn of(needs: &Needs, situation: &Situation<'_>, choice: Chosen<'_>) -> Self {
        match asked_tier(needs, situation.policy) {
            Some((RequestedTier::Priority, _)) => return Self::Also(ServiceTier::Priority),
            Some((RequestedTier::Flex, scope)) if has_flex(situation, choice.model) => {
                return Self::OnlyFlex(scope);
            }
            Some((RequestedTier::Default, _)) => return Self::Ordinary,
            Some((RequestedTier::Flex | RequestedTier::Auto, _)) | None => {}
        }
        let is_ordered = stated(needs.preferences.order.as_ref()).is_some();
        match choice.shortcut.and_then(|shortcut| shortcut.admits()) {
            Some(tier) if !is_ordered => Self::Also(tier),
            _ => Self::Ordinary,
        }
    }
}
