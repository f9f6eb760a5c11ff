//! What the order goes by.

use switchyard_domain::money::UsdPicos;
use switchyard_interchange::preferences::SortKey;

use super::{
    expected::Expected,
    grade::{Grade, Part},
    thresholds::{latency_ms, throughput_milli_tps},
    wishes::Wishes,
};
use crate::{
    health::{HealthRank, ToolQuality},
    rule_out::Survivor,
    slug::position,
};

// The parts of a key, from the least significant on: read upwards from the end of the list. Smaller
// goes first. Where `order` is stated, health and thresholds come after the listed position, so
// they cannot reorder the listed.

/// How well it handles tools, where that counts.
const QUALITY: Part = Part::last(2);
const HEALTH: Part = Part::before(QUALITY, 2);
/// Its prompt cache is not the one that goes first.
const IS_COLD: Part = Part::before(HEALTH, 1);
/// The priority tier goes first where it was asked for.
const IS_OTHER_TIER: Part = Part::before(IS_COLD, 1);
/// The owner's order of credentials.
const OWN_ORDER: Part = Part::before(IS_OTHER_TIER, 24);
/// What cannot serve goes behind its owner's other credentials, too.
const IS_DOWN: Part = Part::before(OWN_ORDER, 1);
/// As [`IS_SLOW`], where `order` is stated.
const IS_SLOW_TAIL: Part = Part::before(IS_DOWN, 1);
/// The position in `order`; the largest is that of the unlisted.
const LISTED: Part = Part::before(IS_SLOW_TAIL, 24);
/// Where `order` is stated, and a warm cache weighs more.
const IS_COLD_BESIDE_ORDER: Part = Part::before(LISTED, 1);
/// A customer's prioritized credentials, the operator's, a customer's others.
const CLASS: Part = Part::before(IS_COLD_BESIDE_ORDER, 2);
/// The models' order, unless they are pooled.
const GROUP: Part = Part::before(CLASS, 24);
/// It misses the caller's thresholds, which cut across models. Zero where `order` is stated.
const IS_SLOW: Part = Part::before(GROUP, 1);
/// What has to happen first goes last.
const WHEN: Part = Part::before(IS_SLOW, 2);

/// A candidate's ranking key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    grade: Grade,
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
        let rank = survivor.health.rank;
        let is_down = rank == HealthRank::Down;
        let is_slow = !wishes.thresholds.are_met_by(endpoint, &survivor.health);
        let is_ordered = wishes.order.is_some();
        let listed = wishes
            .order
            .and_then(|list| position(list, survivor.vetted.provider(), endpoint));
        let group = if wishes.pools_models {
            0
        } else {
            survivor.model as u64
        };
        // A stated sort is meant: only what cannot serve is moved back, and what must not be
        // stormed as soon as it can again.
        let health = match sort {
            Some(_) if !is_down && !survivor.health.is_held_back() => HealthRank::Stable,
            _ => rank,
        };
        let quality = if wishes.goes_by_quality(survivor.model) {
            survivor.health.tools
        } else {
            ToolQuality::Good
        };
        let grade = Grade::default()
            .with(WHEN, survivor.when as u8)
            .with(IS_SLOW, is_slow && !is_ordered)
            .with(GROUP, group)
            .with(CLASS, survivor.class)
            .with(IS_COLD_BESIDE_ORDER, true)
            .with(LISTED, listed.map_or(u64::MAX, |position| position as u64))
            .with(IS_SLOW_TAIL, is_slow && is_ordered)
            .with(IS_DOWN, is_down)
            .with(OWN_ORDER, survivor.own_order as u64)
            .with(IS_OTHER_TIER, is_down || !wishes.prefers_tier_of(endpoint))
            .with(IS_COLD, true)
            .with(HEALTH, health as u8)
            .with(QUALITY, quality as u8);
        Self {
            grade,
            metric: metric(sort, survivor, expected),
            cost: match expected {
                Some(expected) if sort.is_none() && wishes.opens_session() => expected.outlook(),
                _ => survivor.cost,
            },
        }
    }

    /// Puts it first among those that nothing more significant tells apart.
    pub(super) fn lead(&mut self, beside_order: bool) {
        self.grade = self.grade.without(IS_COLD);
        if beside_order {
            self.grade = self.grade.without(IS_COLD_BESIDE_ORDER);
        }
    }

    /// What no list, warm cache, health or price can overcome.
    pub(super) fn section(&self) -> u128 {
        self.grade.down_to(CLASS)
    }

    /// The position of its model, unless models are pooled.
    pub(super) fn group(&self) -> usize {
        usize::try_from(self.grade.get(GROUP)).unwrap_or(usize::MAX)
    }

    /// Whether nothing but warmth, health and price tells the two apart.
    pub(super) fn is_level_with(&self, other: &Self) -> bool {
        let level = |key: &Self| {
            let grade = key.grade.without(IS_COLD_BESIDE_ORDER);
            grade.down_to(IS_OTHER_TIER)
        };
        level(self) == level(other)
    }

    /// Whether its place is settled before load is balanced: it is listed, or its cache is warm.
    pub(super) fn is_placed(&self) -> bool {
        self.grade.get(IS_COLD) == 0 || self.grade.get(LISTED) != LISTED.max()
    }

    /// Whether load may be balanced between the two.
    pub(super) fn shares_load_with(&self, other: &Self) -> bool {
        let but_warmth = |key: &Self| key.grade.without(IS_COLD).without(IS_COLD_BESIDE_ORDER);
        but_warmth(self) == but_warmth(other)
    }

    /// Whether it handles tools as well as the other, where that counts.
    pub(super) fn is_as_good_as(&self, other: &Self) -> bool {
        self.grade.get(QUALITY) <= other.grade.get(QUALITY)
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
        Some(SortKey::ExpectedCost) => expected.map_or(0, |expected| expected.outlook().get()),
        Some(SortKey::Exacto) | None => 0,
    }
}
