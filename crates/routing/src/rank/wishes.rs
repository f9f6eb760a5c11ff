//! What the caller and the standing rules say about the order, and what follows from it.

use switchyard_catalog::snapshot::Endpoint;
use switchyard_domain::endpoint::ServiceTier;
use switchyard_interchange::{
    needs::Needs,
    preferences::{Partition, RequestedTier, SortKey, Sticky},
};

use super::thresholds::Thresholds;
use crate::{
    resolve::Chosen,
    rule_out::{asked_tier, has_flex},
    select::Situation,
    slug::stated,
    stickiness::WarmCache,
};

pub(super) struct Wishes<'a> {
    pub(super) needs: &'a Needs,
    pub(super) situation: &'a Situation<'a>,
    pub(super) order: Option<&'a [String]>,
    /// Models compete in one list instead of one after another.
    pub(super) pools_models: bool,
    /// Whether more than the first choice may serve.
    pub(super) fallbacks: bool,
    pub(super) thresholds: Thresholds,
    asked_tier: Option<RequestedTier>,
    /// The sort of each chosen model; `None` is load balancing.
    sorts: Vec<Option<SortKey>>,
}

impl<'a> Wishes<'a> {
    pub(super) fn of(
        needs: &'a Needs,
        situation: &'a Situation<'a>,
        chosen: &[Chosen<'_>],
    ) -> Self {
        let preferences = &needs.preferences;
        let order = stated(preferences.order.as_ref());
        let pooled = preferences
            .sort
            .is_some_and(|sort| sort.partition == Partition::None);
        let asked_tier = asked_tier(needs, situation.policy).map(|(tier, _)| tier);
        Self {
            needs,
            situation,
            order,
            pools_models: pooled && order.is_none(),
            fallbacks: preferences.allow_fallbacks != Some(false),
            thresholds: Thresholds::of(preferences),
            asked_tier,
            sorts: chosen
                .iter()
                .map(|choice| sort_of(needs, situation, asked_tier, *choice))
                .collect(),
        }
    }

    /// The strict order of a model's endpoints; `None` is load balancing. Quality is no strict order:
    /// load is balanced among those of equal quality.
    pub(super) fn strict_sort(&self, model: usize) -> Option<SortKey> {
        self.sorts[model].filter(|sort| *sort != SortKey::Exacto)
    }

    /// Whether a model's endpoints go by how well they handle tools: at somebody's word, or where
    /// the request has tools and nobody states a sort.
    pub(super) fn goes_by_quality(&self, model: usize) -> bool {
        match self.sorts[model] {
            Some(sort) => sort == SortKey::Exacto,
            None => self.needs.uses_tools,
        }
    }

    /// Draws are for spreading load; one attempt at one endpoint is better spent on the best.
    pub(super) fn balances_load(&self) -> bool {
        self.fallbacks
    }

    /// Whether the endpoints of each model beyond the first are cut off.
    pub(super) fn takes_first_only(&self) -> bool {
        !self.fallbacks && self.order.is_none()
    }

    pub(super) fn prefers_tier_of(&self, endpoint: &Endpoint) -> bool {
        self.asked_tier == Some(RequestedTier::Priority)
            && endpoint.service_tier == ServiceTier::Priority
    }

    /// The pin, unless the request is to go wherever it would go without one: a listed order says
    /// where, unless warm caches are to weigh more, and a single attempt goes to the best endpoint.
    pub(super) fn pin(&self) -> Option<&'a WarmCache> {
        self.situation.pin.filter(|_| self.sticks())
    }

    /// Whether a conversation begins that will stay where this turn goes.
    pub(super) fn opens_session(&self) -> bool {
        self.needs.names_conversation && self.situation.pin.is_none() && self.sticks()
    }

    pub(super) fn sticks(&self) -> bool {
        match self.needs.preferences.sticky {
            Sticky::Off => false,
            Sticky::Auto => self.order.is_none() && self.fallbacks,
            Sticky::Prefer => self.order.is_some() || self.fallbacks,
        }
    }

    /// Whether a model's endpoints are preferred for what they cost. Who asks for speed, quality or
    /// an order of their own does not leave a warm cache to save a little.
    pub(super) fn goes_by_cost(&self, model: usize) -> bool {
        let sort = self.sorts[model];
        let by_cost = matches!(sort, None | Some(SortKey::Price | SortKey::ExpectedCost));
        self.order.is_none() && by_cost
    }

    /// Whether the order depends on what the request costs with caches and failures weighed in.
    pub(super) fn weighs_everything(&self) -> bool {
        self.pin().is_some()
            || self.opens_session()
            || self.sorts.contains(&Some(SortKey::ExpectedCost))
    }

    pub(super) fn strategy(&self) -> &'static str {
        if self.order.is_some() {
            return "order";
        }
        match self.sorts.first().copied().flatten() {
            Some(SortKey::Price) => "sort:price",
            Some(SortKey::Throughput) => "sort:throughput",
            Some(SortKey::Latency) => "sort:latency",
            Some(SortKey::Exacto) => "sort:exacto",
            Some(SortKey::ExpectedCost) => "sort:expected_cost",
            None if !self.fallbacks => "cheapest",
            None if self.needs.uses_tools => "auto_exacto",
            None => "default",
        }
    }
}

/// The request's own sort, then what a shortcut or a tier implies, then the standing rules' default.
fn sort_of(
    needs: &Needs,
    situation: &Situation<'_>,
    asked_tier: Option<RequestedTier>,
    choice: Chosen<'_>,
) -> Option<SortKey> {
    let by_tier = || match asked_tier {
        Some(RequestedTier::Priority) => Some(SortKey::Throughput),
        Some(RequestedTier::Flex) if has_flex(situation, choice.model) => Some(SortKey::Price),
        Some(RequestedTier::Flex | RequestedTier::Auto | RequestedTier::Default) | None => None,
    };
    let stated = needs.preferences.sort.map(|sort| sort.by);
    stated
        .or(choice.shortcut.map(|shortcut| shortcut.sort()))
        .or_else(by_tier)
        .or(situation.policy.narrowest(|rules| rules.default_sort))
}
