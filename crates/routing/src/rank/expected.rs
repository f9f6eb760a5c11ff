//! What a request is expected to cost with everything weighed in.
//!
//! | part | is |
//! |---|---|
//! | bare | the prompt, as far as it is read from a warm cache at the read price, else at the input price or the price of writing it to one, plus the output |
//! | failure | the chance that the attempt fails, times what the request costs at the cheapest other candidate of the same model; at itself where there is no other |
//!
//! A cache is warm at the pinned endpoint with the pinned credential, and nowhere else.
//!
//! A turn of a conversation is rarely the last. So two more figures look ahead: what a turn costs
//! an endpoint on average, if a conversation that begins now stays there for [`SESSION_TURNS`]
//! turns; and what the next turns would cost elsewhere, once the cache is warm there.

use switchyard_domain::money::UsdPicos;

use super::wishes::Wishes;
use crate::{
    cost::{Rates, Warmth, divide, share_of},
    rule_out::Survivor,
    stickiness::{WarmCache, is_cacheable},
};

/// How long a conversation that its caller named is taken to be when it begins. Agents' sessions
/// are longer, which would change little: nine turns in ten read the cache already.
const SESSION_TURNS: i64 = 10;

/// One candidate's expected cost, in its parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    /// If the attempt succeeds.
    pub(super) bare: i128,
    /// What the chance of failure adds.
    pub(super) failure: i128,
    /// What a warm cache takes off [`Self::bare`].
    pub(super) cache_value: i128,
    /// The mean of a turn, if a conversation begins here; else [`Self::bare`].
    pub(super) per_turn: i128,
    /// [`Self::bare`], if what the pin says is warm were warm here.
    pub(super) once_warm: i128,
}

impl Expected {
    pub(super) fn total(&self) -> UsdPicos {
        UsdPicos::new(self.bare.saturating_add(self.failure))
    }

    /// What the order goes by: the mean of the turns to come.
    pub(super) fn outlook(&self) -> UsdPicos {
        UsdPicos::new(self.per_turn.saturating_add(self.failure))
    }

    /// What `turns` turns cost from now on, this one included.
    pub(super) fn over(&self, turns: i128) -> i128 {
        let later = self.once_warm.saturating_add(self.failure);
        let later = later.saturating_mul(turns - 1);
        self.total().get().saturating_add(later)
    }
}

/// The expected costs of all candidates, in their order.
pub(super) fn of_all(wishes: &Wishes<'_>, survivors: &[Survivor]) -> Vec<Expected> {
    let mut costs: Vec<Expected> = survivors
        .iter()
        .map(|survivor| without_failure(wishes, survivor))
        .collect();
    let models = survivors.iter().map(|survivor| survivor.model).max();
    let mut cheapest = vec![Cheapest::default(); models.map_or(0, |last| last + 1)];
    for (index, survivor) in survivors.iter().enumerate() {
        cheapest[survivor.model].see(index, costs[index].bare);
    }
    for (index, survivor) in survivors.iter().enumerate() {
        let retry = cheapest[survivor.model].beside(index);
        let cost = &mut costs[index];
        let chance_ppm = survivor.health.expected_failure_ppm();
        cost.failure = share_of(retry.unwrap_or(cost.bare), chance_ppm);
    }
    costs
}

/// What a request would cost where a pin points to, if only that could serve it; `None`: there is
/// no such endpoint any more.
pub(super) fn bare_at_pin(wishes: &Wishes<'_>, pin: &WarmCache) -> Option<i128> {
    let situation = wishes.situation;
    let endpoint = situation.catalog.endpoint(&pin.endpoint)?;
    let list = endpoint.prices.as_ref()?;
    let rates = Rates::of(list, wishes.needs, situation.now);
    Some(rates.cost_with_cache(pin.warmth()).get())
}

fn without_failure(wishes: &Wishes<'_>, survivor: &Survivor) -> Expected {
    let Some(list) = &survivor.vetted.endpoint().prices else {
        return Expected {
            bare: 0,
            failure: 0,
            cache_value: 0,
            per_turn: 0,
            once_warm: 0,
        };
    };
    let rates = Rates::of(list, wishes.needs, wishes.situation.now);
    let at = |warmth| rates.cost_with_cache(warmth).get();
    let cold = at(Warmth::default());
    let keeps = is_cacheable(survivor.vetted.endpoint());
    let once_warm = match wishes.pin() {
        Some(pin) if keeps => at(pin.warmth()),
        _ => cold,
    };
    let is_home = wishes.pin().is_some_and(|pin| is_at(survivor, pin));
    let bare = if is_home { once_warm } else { cold };
    let per_turn = if wishes.opens_session() && keeps {
        let warm = at(Warmth::whole(wishes.needs));
        let later = warm.saturating_mul(i128::from(SESSION_TURNS - 1));
        divide(later.saturating_add(cold), SESSION_TURNS)
    } else {
        bare
    };
    Expected {
        bare,
        failure: 0,
        cache_value: cold.saturating_sub(bare),
        per_turn,
        once_warm,
    }
}

/// Whether this is the endpoint and the credential that the pin names.
pub(super) fn is_at(survivor: &Survivor, pin: &WarmCache) -> bool {
    survivor.credential == pin.credential && survivor.vetted.endpoint().id == pin.endpoint
}

/// The two cheapest candidates of a model.
#[derive(Debug, Clone, Copy, Default)]
struct Cheapest {
    first: Option<(usize, i128)>,
    second: Option<i128>,
}

impl Cheapest {
    fn see(&mut self, index: usize, cost: i128) {
        match self.first {
            Some((_, first)) if first <= cost => {
                self.second = Some(self.second.map_or(cost, |second| second.min(cost)));
            }
            first => {
                self.second = first.map(|(_, cost)| cost);
                self.first = Some((index, cost));
            }
        }
    }

    /// The cheapest but this one.
    fn beside(&self, index: usize) -> Option<i128> {
        let (cheapest, cost) = self.first?;
        if cheapest == index {
            self.second
        } else {
            Some(cost)
        }
    }
}
