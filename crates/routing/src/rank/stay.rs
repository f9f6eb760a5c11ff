//! Whether a conversation stays where its prompt cache is warm.
//!
//! | the pinned endpoint | the conversation |
//! |---|---|
//! | was silent for too long, or may not serve | goes where a new one goes |
//! | is down, and another is not | goes to the successor that all conversations of equal prefix go to |
//! | is failing, and another fails less | stays while its cache saves more than failures are expected to cost, then goes to that successor |
//! | is more than a tenth dearer than another over the turns to come, for the second turn in a row | goes to the cheapest |
//! | otherwise | stays |
//!
//! Where it stays it still goes behind whatever is more significant than a warm cache.

use switchyard_catalog::snapshot::Endpoint;

use super::{
    expected::{Expected, bare_at_pin, is_at},
    key::Key,
    wishes::Wishes,
};
use crate::{
    health::HealthRank,
    rule_out::Survivor,
    stickiness::{CacheHome, PinVerdict, SwitchReason, WarmCache, is_cacheable},
};

/// Turns in a row for which another endpoint must be cheaper before a conversation moves there.
const TURNS_TO_LEAVE: u8 = 2;
/// A conversation is taken to last as long again as it has lasted so far, but no longer than this.
const TURNS_AHEAD_MAX: i128 = 20;

/// The candidates, as far as this decision looks at them; all in the same order.
pub(super) struct Field<'a> {
    pub(super) survivors: &'a [Survivor],
    pub(super) keys: &'a [Key],
    pub(super) expected: &'a [Expected],
}

/// What is decided about a pin.
pub(super) struct Stay<'a> {
    pin: &'a WarmCache,
    /// The pinned candidate, if it may serve.
    home: Option<usize>,
    /// Which candidate goes first among its equals.
    pub(super) lead: Option<usize>,
    /// Why the pin itself does not.
    leaves: Option<SwitchReason>,
    dearer_turns: u8,
}

impl<'a> Stay<'a> {
    /// `None`: there is no pin that could save anything.
    pub(super) fn of(wishes: &Wishes<'a>, field: &Field<'_>) -> Option<Self> {
        let pin = wishes.pin()?;
        let home = field
            .survivors
            .iter()
            .position(|survivor| is_at(survivor, pin));
        let endpoint = wishes.situation.catalog.endpoint(&pin.endpoint);
        if endpoint.is_some_and(|endpoint| !is_cacheable(endpoint)) {
            return None;
        }
        let mut stay = Self {
            pin,
            home,
            lead: None,
            leaves: None,
            dearer_turns: 0,
        };
        match home {
            _ if pin.is_expired() => stay.leaves = Some(SwitchReason::Expired),
            None => stay.leaves = Some(SwitchReason::Filtered),
            Some(home) => stay.weigh(wishes, field, home),
        }
        Some(stay)
    }

    fn weigh(&mut self, wishes: &Wishes<'_>, field: &Field<'_>, home: usize) {
        self.leaves = field.trouble(home);
        if self.leaves.is_some() {
            return;
        }
        self.lead = Some(home);
        if !wishes.goes_by_cost(field.survivors[home].model) {
            return;
        }
        let turns = i128::from(self.pin.turns).clamp(1, TURNS_AHEAD_MAX);
        let Some(cheaper) = field.markedly_cheaper(home, turns) else {
            return;
        };
        self.dearer_turns = self.pin.dearer_turns.saturating_add(1);
        if self.dearer_turns >= TURNS_TO_LEAVE {
            self.leaves = Some(SwitchReason::Cheaper);
            self.lead = Some(cheaper);
        }
    }

    /// The digest by which conversations leave an endpoint in trouble together.
    pub(super) fn handover(&self) -> Option<u64> {
        let together = matches!(
            self.leaves,
            Some(SwitchReason::Down | SwitchReason::Degraded)
        );
        together.then_some(self.pin.prefix_digest)
    }

    /// The verdict, once it is settled which candidate goes first.
    pub(super) fn verdict(
        &self,
        wishes: &Wishes<'_>,
        field: &Field<'_>,
        first: usize,
    ) -> PinVerdict {
        if self.home == Some(first) {
            return PinVerdict::Retain {
                dearer_turns: self.dearer_turns,
            };
        }
        let there = match self.home {
            Some(home) => Some(field.expected[home].bare),
            None => bare_at_pin(wishes, self.pin),
        };
        let extra = there.map(|there| field.expected[first].bare.saturating_sub(there));
        let chosen = &field.survivors[first];
        PinVerdict::Switch {
            from: CacheHome {
                endpoint: self.pin.endpoint.clone(),
                credential: self.pin.credential,
            },
            to: CacheHome {
                endpoint: chosen.vetted.endpoint().id.clone(),
                credential: chosen.credential,
            },
            reason: self.leaves.unwrap_or(SwitchReason::Outranked),
            extra_cost_nanos: extra.map(super::nanos),
        }
    }
}

/// The verdict where there is no pin.
pub(super) fn without_pin(wishes: &Wishes<'_>, first: &Endpoint) -> Option<PinVerdict> {
    (wishes.sticks() && is_cacheable(first)).then_some(PinVerdict::Initialize)
}

impl Field<'_> {
    /// Whether the pinned candidate is in trouble that others are not in, and not worth it.
    fn trouble(&self, home: usize) -> Option<SwitchReason> {
        let health = |index: usize| self.survivors[index].health.rank;
        let section = self.keys[home].section();
        let others_fare_better = (0..self.keys.len())
            .any(|index| self.keys[index].section() == section && health(index) < health(home));
        let Expected {
            failure,
            cache_value,
            ..
        } = self.expected[home];
        match health(home) {
            HealthRank::Down if self.others_can_serve(home) => Some(SwitchReason::Down),
            HealthRank::Outage | HealthRank::Degraded
                if others_fare_better && cache_value <= failure =>
            {
                Some(SwitchReason::Degraded)
            }
            _ => None,
        }
    }

    fn others_can_serve(&self, home: usize) -> bool {
        let mut survivors = self.survivors.iter();
        survivors.any(|other| {
            other.model == self.survivors[home].model && other.health.rank != HealthRank::Down
        })
    }

    /// The cheapest candidate that is healthy and else the pinned one's equal, if it is more than a
    /// tenth cheaper over the turns to come: the first of them with a cold cache, the others with one
    /// that is as warm as the pinned one's.
    fn markedly_cheaper(&self, home: usize, turns: i128) -> Option<usize> {
        let total = |index: &usize| self.expected[*index].over(turns);
        let ours = total(&home);
        let cheapest = (0..self.keys.len())
            .filter(|index| {
                *index != home
                    && self.survivors[*index].health.rank == HealthRank::Stable
                    && self.keys[*index].is_level_with(&self.keys[home])
                    && self.keys[*index].is_as_good_as(&self.keys[home])
            })
            .min_by_key(total)?;
        (total(&cheapest) < ours - ours / 10).then_some(cheapest)
    }
}
