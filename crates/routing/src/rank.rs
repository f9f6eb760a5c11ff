//! Puts the endpoints that passed in the order in which they are tried: [`key`] says what goes
//! before what, [`stay`] whether a conversation keeps to its warm cache, [`draw`] who of those that
//! are equally good goes first this time.

mod draw;
mod expected;
mod grade;
mod key;
mod stay;
mod thresholds;
mod wishes;

pub(crate) use draw::fraction;

use switchyard_domain::{endpoint::EndpointId, money::UsdPicos};
use switchyard_interchange::needs::Needs;

use self::{
    expected::Expected,
    key::Key,
    stay::{Field, Stay, without_pin},
    wishes::Wishes,
};
use crate::{
    patience::first_token_timeout,
    record::CandidateRecord,
    resolve::Chosen,
    rule_out::Survivor,
    select::{Candidate, Situation},
    stickiness::PinVerdict,
};

/// The plan's order.
pub(crate) struct Ranking {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) strategy: &'static str,
    pub(crate) pin_verdict: Option<PinVerdict>,
}

/// Orders the survivors, of which there is at least one; notes places and chances in the record's
/// rows.
pub(crate) fn rank(
    needs: &Needs,
    situation: &Situation<'_>,
    chosen: &[Chosen<'_>],
    mut survivors: Vec<Survivor>,
    rows: &mut [CandidateRecord],
) -> Ranking {
    let wishes = Wishes::of(needs, situation, chosen);
    settle_probations(situation.seed, &mut survivors, rows);
    let expected = if wishes.weighs_everything() {
        expected::of_all(&wishes, &survivors)
    } else {
        Vec::new()
    };
    note_costs(&survivors, &expected, rows);
    let mut keys: Vec<Key> = survivors
        .iter()
        .enumerate()
        .map(|(index, survivor)| Key::of(survivor, &wishes, expected.get(index)))
        .collect();
    let stay = Stay::of(&wishes, &field(&survivors, &keys, &expected));
    if let Some(lead) = stay.as_ref().and_then(|stay| stay.lead) {
        keys[lead].lead(wishes.order.is_some());
    }
    let mut order = sorted(&survivors, &keys);
    if wishes.balances_load() {
        let handover = stay.as_ref().and_then(Stay::handover);
        balance_load(&mut order, &wishes, &survivors, &keys, handover, rows);
    }
    if wishes.takes_first_only() {
        keep_first_of_each_model(&mut order, &survivors, chosen.len());
    }
    let first = order[0];
    let pin_verdict = match &stay {
        Some(stay) => Some(stay.verdict(&wishes, &field(&survivors, &keys, &expected), first)),
        None => without_pin(&wishes, survivors[first].vetted.endpoint()),
    };
    Ranking {
        candidates: candidates(needs, survivors, &order, rows),
        strategy: wishes.strategy(),
        pin_verdict,
    }
}

/// An endpoint that comes back after trouble is back for a share of the requests.
fn settle_probations(seed: u64, survivors: &mut [Survivor], rows: &mut [CandidateRecord]) {
    for survivor in survivors {
        if survivor.health.probation_ppm.is_some() {
            let id = survivor.vetted.endpoint().id.as_str();
            survivor
                .health
                .settle_probation(draw::fraction_for(seed, id));
            rows[survivor.row].health = survivor.health.rank;
        }
    }
}

fn note_costs(survivors: &[Survivor], expected: &[Expected], rows: &mut [CandidateRecord]) {
    for (survivor, expected) in survivors.iter().zip(expected) {
        rows[survivor.row].expected_cost_nanos = Some(nanos(expected.total().get()));
    }
}

fn field<'a>(survivors: &'a [Survivor], keys: &'a [Key], expected: &'a [Expected]) -> Field<'a> {
    Field {
        survivors,
        keys,
        expected,
    }
}

/// Indexes by key. The id settles what the key leaves open, so that equals have a fixed order.
fn sorted(survivors: &[Survivor], keys: &[Key]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..survivors.len()).collect();
    order.sort_unstable_by(|one, other| {
        let id = |index: usize| &survivors[index].vetted.endpoint().id;
        keys[*one]
            .cmp(&keys[*other])
            .then_with(|| id(*one).cmp(id(*other)))
    });
    order
}

/// In each section draws one of the healthiest candidates that have no place of their own to go
/// before the others. Where none is stable the draw is among the least unhealthy: when all are
/// flagged, the flags say nothing. Conversations that leave an endpoint together do not draw: their
/// digest says where they go, in the same shares.
fn balance_load(
    order: &mut [usize],
    wishes: &Wishes<'_>,
    survivors: &[Survivor],
    keys: &[Key],
    handover: Option<u64>,
    rows: &mut [CandidateRecord],
) {
    for section in order.chunk_by_mut(|one, next| keys[*one].section() == keys[*next].section()) {
        let Some(start) = section.iter().position(|index| !keys[*index].is_placed()) else {
            continue;
        };
        let pool = &mut section[start..];
        let first = pool[0];
        if wishes.strict_sort(survivors[first].model).is_some() {
            continue;
        }
        let size = pool
            .iter()
            .take_while(|index| keys[**index].shares_load_with(&keys[first]))
            .count();
        let pool = &mut pool[..size];
        let weights = draw::weights(pool.iter().map(|index| keys[*index].cost()));
        let drawn = match handover {
            Some(digest) => {
                let ids = pool.iter().map(|index| {
                    let endpoint = survivors[*index].vetted.endpoint();
                    endpoint.id.as_str()
                });
                weights.rendezvous(digest, ids)
            }
            None => {
                for (index, weight) in pool.iter().zip(&weights.each) {
                    rows[survivors[*index].row].draw_ppm = Some(weights.ppm(*weight));
                }
                weights.pick(draw::fraction(wishes.situation.seed, keys[first].group()))
            }
        };
        pool[..=drawn].rotate_right(1);
    }
}

/// Of each model the first endpoint, with each of its credentials.
fn keep_first_of_each_model(order: &mut Vec<usize>, survivors: &[Survivor], models: usize) {
    let mut kept: Vec<Option<&EndpointId>> = vec![None; models];
    order.retain(|index| {
        let survivor = &survivors[*index];
        let id = &survivor.vetted.endpoint().id;
        *kept[survivor.model].get_or_insert(id) == id
    });
}

fn candidates(
    needs: &Needs,
    survivors: Vec<Survivor>,
    order: &[usize],
    rows: &mut [CandidateRecord],
) -> Vec<Candidate> {
    for (rank, index) in order.iter().enumerate() {
        rows[survivors[*index].row].rank = Some(rank);
    }
    let mut unordered: Vec<Option<Candidate>> = survivors
        .into_iter()
        .map(|Survivor { vetted, when, .. }| {
            Some(Candidate {
                when,
                first_token_timeout: first_token_timeout(&needs.preferences, &vetted),
                vetted,
            })
        })
        .collect();
    let mut candidates = Vec::with_capacity(order.len());
    candidates.extend(order.iter().filter_map(|index| unordered[*index].take()));
    candidates
}

fn nanos(picos: i128) -> i64 {
    let beyond = if picos < 0 { i64::MIN } else { i64::MAX };
    let rounded = UsdPicos::new(picos).round_half_even();
    rounded.map_or(beyond, |nanos| nanos.get())
}
