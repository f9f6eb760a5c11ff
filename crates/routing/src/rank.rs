//! Puts the endpoints that passed in the order in which they are tried.

mod draw;

pub(crate) use draw::fraction;

use std::cmp::Ordering;

use switchyard_catalog::snapshot::Endpoint;
use switchyard_domain::{
    endpoint::{EndpointId, ServiceTier},
    money::UsdPicos,
};
use switchyard_interchange::{
    needs::Needs,
    preferences::{Partition, RequestedTier, SortKey},
};

use crate::{
    health::{EndpointHealth, HealthRank},
    record::CandidateRecord,
    resolve::Chosen,
    rule_out::{Survivor, asked_tier, has_flex},
    select::{Candidate, Situation, TryWhen},
    slug::{position, stated},
    stickiness::is_cacheable,
};

/// Where unlisted endpoints stand beside a listed order.
const TAIL: usize = usize::MAX;

/// What the caller stated about the order, and what follows from it.
struct Wishes<'a> {
    needs: &'a Needs,
    situation: &'a Situation<'a>,
    order: Option<&'a [String]>,
    /// Models compete in one list instead of one after another.
    pools_models: bool,
    fallbacks: bool,
    /// The sort of each chosen model; `None` is load balancing.
    sorts: Vec<Option<SortKey>>,
}

/// A survivor with its ranking key; fields are in order of significance, smaller goes first.
struct Place {
    key: Key,
    survivor: Survivor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// What has to happen first goes last.
    when: TryWhen,
    /// The models' order, unless they are pooled.
    group: usize,
    /// Whose credential.
    class: u8,
    /// The position in `order`, or [`TAIL`].
    listed: usize,
    /// The owner's order of credentials.
    own_order: usize,
    /// The priority tier goes first where it was asked for.
    tier: u8,
    /// A warm prompt cache.
    pin: u8,
    health: HealthRank,
    /// What the sort goes by.
    metric: u64,
    cost: UsdPicos,
}

/// The plan's order.
pub(crate) struct Ranking {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) strategy: &'static str,
}

/// Orders the survivors, notes places and chances in the record's rows.
pub(crate) fn rank(
    needs: &Needs,
    situation: &Situation<'_>,
    chosen: &[Chosen<'_>],
    survivors: Vec<Survivor>,
    rows: &mut [CandidateRecord],
) -> Ranking {
    let wishes = Wishes::of(needs, situation, chosen);
    let mut places: Vec<Place> = survivors
        .into_iter()
        .map(|survivor| Place {
            key: wishes.key(&survivor),
            survivor,
        })
        .collect();
    places.sort_unstable_by(Place::compare);
    if wishes.balances_load() {
        balance_load(&mut places, &wishes, rows);
    }
    if !wishes.fallbacks && wishes.order.is_none() {
        keep_first_of_each_model(&mut places, chosen.len());
    }
    for (rank, place) in places.iter().enumerate() {
        rows[place.survivor.row].rank = Some(rank);
    }
    Ranking {
        candidates: places
            .into_iter()
            .map(|place| Candidate {
                vetted: place.survivor.vetted,
                when: place.survivor.when,
                first_token_timeout: None,
            })
            .collect(),
        strategy: wishes.strategy(),
    }
}

impl<'a> Wishes<'a> {
    fn of(needs: &'a Needs, situation: &'a Situation<'a>, chosen: &[Chosen<'_>]) -> Self {
        let preferences = &needs.preferences;
        let order = stated(preferences.order.as_ref());
        let pooled = preferences
            .sort
            .is_some_and(|sort| sort.partition == Partition::None);
        Self {
            needs,
            situation,
            order,
            pools_models: pooled && order.is_none(),
            fallbacks: preferences.allow_fallbacks != Some(false),
            sorts: chosen
                .iter()
                .map(|choice| sort_of(needs, situation, *choice))
                .collect(),
        }
    }

    /// Draws are for spreading load; one attempt at one endpoint is better spent on the best.
    fn balances_load(&self) -> bool {
        self.fallbacks && self.sorts.contains(&None)
    }

    fn strategy(&self) -> &'static str {
        if self.order.is_some() {
            return "order";
        }
        match self.sorts.first().copied().flatten() {
            Some(SortKey::Price) => "sort:price",
            Some(SortKey::Throughput) => "sort:throughput",
            Some(SortKey::Latency) => "sort:latency",
            Some(SortKey::Exacto | SortKey::ExpectedCost) | None if self.fallbacks => "default",
            Some(SortKey::Exacto | SortKey::ExpectedCost) | None => "cheapest",
        }
    }

    fn key(&self, survivor: &Survivor) -> Key {
        let endpoint = survivor.vetted.endpoint();
        let sort = self.sorts[survivor.model];
        let is_down = survivor.health.rank == HealthRank::Down;
        Key {
            when: survivor.when,
            group: if self.pools_models { 0 } else { survivor.model },
            class: survivor.class,
            own_order: survivor.own_order,
            listed: self
                .order
                .and_then(|list| position(list, survivor.vetted.provider(), endpoint))
                .unwrap_or(TAIL),
            tier: u8::from(is_down || !self.prefers_tier_of(endpoint)),
            pin: u8::from(is_down || !self.is_pinned(survivor)),
            // A stated sort is meant; only what cannot serve at all is moved back.
            health: match sort {
                Some(_) if !is_down => HealthRank::Stable,
                _ => survivor.health.rank,
            },
            metric: sort.map_or(0, |sort| metric(sort, endpoint, &survivor.health)),
            cost: survivor.cost,
        }
    }

    fn prefers_tier_of(&self, endpoint: &Endpoint) -> bool {
        let asked = asked_tier(self.needs, self.situation.policy);
        asked.is_some_and(|(tier, _)| tier == RequestedTier::Priority)
            && endpoint.service_tier == ServiceTier::Priority
    }

    /// A pin loses to a listed order and to a single attempt, which goes to the best endpoint.
    fn is_pinned(&self, survivor: &Survivor) -> bool {
        let endpoint = survivor.vetted.endpoint();
        self.order.is_none()
            && self.fallbacks
            && self.situation.pin.is_some_and(|pin| {
                pin.endpoint == endpoint.id && pin.credential == survivor.credential
            })
            && is_cacheable(endpoint)
    }
}

/// The request's own sort, then what a shortcut or a tier implies, then the account's default.
/// Sorting by quality has no figures to go by, so it leaves the default.
fn sort_of(needs: &Needs, situation: &Situation<'_>, choice: Chosen<'_>) -> Option<SortKey> {
    let tier = asked_tier(needs, situation.policy).map(|(tier, _)| tier);
    let by_tier = || match tier {
        Some(RequestedTier::Priority) => Some(SortKey::Throughput),
        Some(RequestedTier::Flex) if has_flex(situation, choice.model) => Some(SortKey::Price),
        Some(RequestedTier::Flex | RequestedTier::Auto | RequestedTier::Default) | None => None,
    };
    needs
        .preferences
        .sort
        .map(|sort| sort.by)
        .or(choice.shortcut.map(|shortcut| shortcut.sort()))
        .or_else(by_tier)
        .or(situation.policy.narrowest(|rules| rules.default_sort))
        .filter(|sort| !matches!(sort, SortKey::Exacto | SortKey::ExpectedCost))
}

/// Smaller is better. Our own measurements count; before there are any, those that the catalogue
/// noted; an endpoint without either goes last.
fn metric(sort: SortKey, endpoint: &Endpoint, health: &EndpointHealth) -> u64 {
    match sort {
        // Cost is the next part of the key.
        SortKey::Price | SortKey::Exacto | SortKey::ExpectedCost => 0,
        SortKey::Throughput => health
            .throughput_milli_tps
            .p50
            .or(endpoint
                .observed
                .throughput_p50_tps
                .map(|tps| whole(tps * 1_000.0)))
            .map_or(u64::MAX, |milli_tps| {
                u64::MAX - 1 - milli_tps.min(u64::MAX - 1)
            }),
        SortKey::Latency => health
            .latency_ms
            .p50
            .or(endpoint.observed.latency_p50_ms.map(whole))
            .unwrap_or(u64::MAX),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "such casts saturate, which is what a figure out of range should do"
)]
fn whole(figure: f64) -> u64 {
    figure as u64
}

impl Place {
    /// The tag settles what the key leaves open, so that equals have a fixed order.
    fn compare(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key).then_with(|| {
            self.survivor
                .vetted
                .endpoint()
                .id
                .cmp(&other.survivor.vetted.endpoint().id)
        })
    }
}

/// In each group draws one of the healthiest unlisted endpoints to go before the others. Where
/// none is stable the draw is among the least unhealthy: when all are flagged, the flags say
/// nothing.
fn balance_load(places: &mut [Place], wishes: &Wishes<'_>, rows: &mut [CandidateRecord]) {
    let part = |place: &Place| (place.key.when, place.key.group, place.key.class);
    let groups = places.chunk_by_mut(|one, next| part(one) == part(next));
    for members in groups {
        let group = members[0].key.group;
        let start = members.iter().position(|place| {
            place.key.pin == 1 && (wishes.order.is_none() || place.key.listed == TAIL)
        });
        let Some(pool) = start.map(|start| &mut members[start..]) else {
            continue;
        };
        let first = pool[0].key;
        if wishes.sorts[pool[0].survivor.model].is_some() {
            continue;
        }
        let size = pool
            .iter()
            .take_while(|place| {
                let key = place.key;
                (key.own_order, key.tier, key.health) == (first.own_order, first.tier, first.health)
            })
            .count();
        let pool = &mut pool[..size];
        let weights = draw::weights(pool.iter().map(|place| place.key.cost));
        for (place, weight) in pool.iter().zip(&weights.each) {
            rows[place.survivor.row].draw_ppm = Some(weights.ppm(*weight));
        }
        let drawn = weights.pick(draw::fraction(wishes.situation.seed, group));
        pool[..=drawn].rotate_right(1);
    }
}

/// Of each model the first endpoint, with each of its credentials.
fn keep_first_of_each_model(places: &mut Vec<Place>, models: usize) {
    let mut kept: Vec<Option<EndpointId>> = vec![None; models];
    places.retain(|place| {
        let id = &place.survivor.vetted.endpoint().id;
        *kept[place.survivor.model].get_or_insert_with(|| id.clone()) == *id
    });
}
