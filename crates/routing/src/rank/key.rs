//! What the order goes by.

use switchyard_domain::money::UsdPicos;
use switchyard_interchange::preferences::SortKey;

use super::{
    expected::Expected,
    thresholds::{latency_ms, throughput_milli_tps},
    wishes::Wishes,
};
use crate::{
    health::{HealthRank, ToolQuality},
    rule_out::Survivor,
    select::TryWhen,
    slug::position,
};

/// Where unlisted endpoints stand beside a listed order.
const TAIL: usize = usize::MAX;

/// A candidate's ranking key: parts in order of significance, smaller goes first. Where `order` is
/// stated, health and thresholds come after the listed position, so they cannot reorder the listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// What has to happen first goes last.
    when: TryWhen,
    /// It misses the caller's thresholds, which cut across models. False where `order` is stated.
    is_slow: bool,
    /// The models' order, unless they are pooled.
    pub(super) group: usize,
    /// A customer's prioritized credentials, the operator's, a customer's others.
    class: u8,
    /// Where `order` is stated and a warm cache weighs more.
    is_cold_beside_order: bool,
    /// The position in `order`, or [`TAIL`].
    listed: usize,
    /// As [`Self::is_slow`], where `order` is stated.
    is_slow_tail: bool,
    /// What cannot serve goes behind its owner's other credentials, too.
    is_down: bool,
    own_order: usize,
    /// The priority tier goes first where it was asked for.
    is_other_tier: bool,
    /// Its prompt cache is not the one that goes first.
    is_cold: bool,
    health: HealthRank,
    /// How well it handles tools, where that counts.
    quality: ToolQuality,
    /// What a strict sort goes by.
    metric: i128,
    cost: UsdPicos,
}

impl Key {
    pub(super) fn of(
        survivor: &Survivor,
        wishes: &Wishes<'_>,
        expected: Option<&Expected>,
    ) -> Self {
        let endpoint = survivor.vetted.endpoint();
        let sort = wishes.strict_sort(survivor.model);
        let is_slow = !wishes.thresholds.are_met_by(endpoint, &survivor.health);
        let listed = wishes
            .order
            .map(|list| position(list, survivor.vetted.provider(), endpoint).unwrap_or(TAIL));
        let is_down = survivor.health.rank == HealthRank::Down;
        Self {
            when: survivor.when,
            is_slow: is_slow && listed.is_none(),
            group: if wishes.pools_models {
                0
            } else {
                survivor.model
            },
            class: survivor.class,
            is_cold_beside_order: true,
            listed: listed.unwrap_or(TAIL),
            is_slow_tail: is_slow && listed.is_some(),
            is_down,
            own_order: survivor.own_order,
            is_other_tier: is_down || !wishes.prefers_tier_of(endpoint),
            is_cold: true,
            // A stated sort is meant: only what cannot serve is moved back, and what must not be
            // stormed as soon as it can again.
            health: match sort {
                Some(_) if !is_down && !survivor.health.is_held_back() => HealthRank::Stable,
                _ => survivor.health.rank,
            },
            quality: if wishes.goes_by_quality(survivor.model) {
                survivor.health.tools
            } else {
                ToolQuality::Good
            },
            metric: metric(sort, survivor, expected),
            cost: survivor.cost,
        }
    }

    /// Puts it first among those that nothing more significant tells apart.
    pub(super) fn lead(&mut self, beside_order: bool) {
        self.is_cold = false;
        self.is_cold_beside_order = !beside_order;
    }

    /// What no list, warm cache, health or price can overcome.
    pub(super) fn section(&self) -> (TryWhen, bool, usize, u8) {
        (self.when, self.is_slow, self.group, self.class)
    }

    /// Whether nothing but warmth, health and price tells the two apart.
    pub(super) fn is_level_with(&self, other: &Self) -> bool {
        let level = |key: &Self| {
            let listed = (key.listed, key.is_slow_tail);
            (
                key.section(),
                listed,
                key.is_down,
                key.own_order,
                key.is_other_tier,
            )
        };
        level(self) == level(other)
    }

    /// Whether its place is settled before load is balanced: it is listed, or its cache is warm.
    pub(super) fn is_placed(&self) -> bool {
        !self.is_cold || self.listed != TAIL
    }

    /// Whether load may be balanced between the two.
    pub(super) fn shares_load_with(&self, other: &Self) -> bool {
        self.is_level_with(other) && self.health == other.health && self.quality == other.quality
    }

    /// Whether it handles tools as well as the other, where that counts.
    pub(super) fn is_as_good_as(&self, other: &Self) -> bool {
        self.quality <= other.quality
    }

    pub(super) fn cost(&self) -> UsdPicos {
        self.cost
    }
}

/// Smaller is better; an endpoint without a figure goes last. Cost is the next part of the key.
fn metric(sort: Option<SortKey>, survivor: &Survivor, expected: Option<&Expected>) -> i128 {
    let endpoint = survivor.vetted.endpoint();
    match sort {
        Some(SortKey::Price) => 0,
        Some(SortKey::Throughput) => throughput_milli_tps(endpoint, &survivor.health)
            .map_or(i128::MAX, |milli_tps| -i128::from(milli_tps)),
        Some(SortKey::Latency) => {
            latency_ms(endpoint, &survivor.health).map_or(i128::MAX, i128::from)
        }
        Some(SortKey::ExpectedCost) => expected.map_or(0, |expected| expected.total().get()),
        Some(SortKey::Exacto) | None => 0,
    }
}
