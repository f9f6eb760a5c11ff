//! How much the charge of a past request says about rules that did not hold then.
//!
//! The first choice of a balanced request was drawn with a known probability. If the proposed rules
//! would draw the same endpoint with another probability, the request stands for more or fewer of
//! its kind: its weight is the new probability over the old one. Where the proposed rules would
//! choose what the old ones could not, no request stands for it at all; that share is unknown.

use switchyard_domain::endpoint::EndpointId;

use super::ServedRequest;
use crate::{credentials::CredentialUse, select::Plan};

const WHOLE_PPM: u64 = 1_000_000;

/// What a past request's charge counts for under the proposed rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evidence {
    /// How many requests of its kind it stands for, in parts per million of one.
    pub weight_ppm: u64,
    /// The share of the proposed rules' choices that nothing stands for, in parts per million.
    pub unknown_ppm: u64,
}

/// A row's part in the first choice.
struct Chance<'a> {
    endpoint: &'a EndpointId,
    credential: CredentialUse,
    ppm: u64,
}

/// A row that may be the first choice, as both kinds of record have it.
struct Row<'a> {
    endpoint: &'a EndpointId,
    credential: CredentialUse,
    model: &'a str,
    rank: Option<usize>,
    draw_ppm: Option<u64>,
}

impl Evidence {
    /// A plan that does not exist is known exactly: it costs nothing and serves nobody.
    pub(super) fn of(request: &ServedRequest<'_>, proposed: Option<&Plan>) -> Self {
        let Some(plan) = proposed else {
            return Self::default();
        };
        let then = chances(request.decision.candidates.iter().map(|row| Row {
            endpoint: &row.endpoint,
            credential: row.credential,
            model: row.model.as_str(),
            rank: row.rank,
            draw_ppm: row.draw_ppm,
        }));
        let instead = chances(plan.record.candidates.iter().map(|row| Row {
            endpoint: &row.endpoint,
            credential: row.credential,
            model: row.model.as_str(),
            rank: row.rank,
            draw_ppm: row.draw_ppm,
        }));
        let chosen = request
            .decision
            .candidates
            .iter()
            .find(|row| row.rank == Some(0));
        let Some(chosen) = chosen else {
            return Self::unknown();
        };
        // Another endpoint than the first may have answered; the charge counts only if it still could.
        let could_answer = |endpoint: &EndpointId| {
            plan.candidates
                .iter()
                .any(|candidate| candidate.vetted.endpoint().id == *endpoint)
        };
        if request.endpoint.is_some_and(|served| !could_answer(served))
            && request.endpoint != Some(&chosen.endpoint)
        {
            return Self::unknown();
        }
        let known: u64 = instead
            .iter()
            .filter(|one| chance_of(&then, one.endpoint, one.credential) > 0)
            .map(|one| one.ppm)
            .sum();
        let old = chance_of(&then, &chosen.endpoint, chosen.credential);
        let new = chance_of(&instead, &chosen.endpoint, chosen.credential);
        let weight = u128::from(new) * u128::from(WHOLE_PPM) / u128::from(old.max(1));
        Self {
            weight_ppm: if old == 0 {
                0
            } else {
                u64::try_from(weight).unwrap_or(u64::MAX)
            },
            unknown_ppm: WHOLE_PPM - known.min(WHOLE_PPM),
        }
    }

    const fn unknown() -> Self {
        Self {
            weight_ppm: 0,
            unknown_ppm: WHOLE_PPM,
        }
    }
}

/// The probability with which each row is the first choice. Where the first was not drawn it is
/// certain. Where it was, the others of its draw had their chances, which add up to one.
fn chances<'a>(rows: impl Iterator<Item = Row<'a>>) -> Vec<Chance<'a>> {
    let rows: Vec<Row<'a>> = rows.collect();
    let Some(first) = rows.iter().find(|row| row.rank == Some(0)) else {
        return Vec::new();
    };
    if first.draw_ppm.is_none() {
        return vec![Chance {
            endpoint: first.endpoint,
            credential: first.credential,
            ppm: WHOLE_PPM,
        }];
    }
    // Each model has a draw of its own, unless the models compete in one.
    let of_model = || rows.iter().filter(|row| row.model == first.model);
    let sum: u64 = of_model().filter_map(|row| row.draw_ppm).sum();
    let rounding = rows.len() as u64;
    let is_own_draw = sum + rounding >= WHOLE_PPM;
    let drawn = rows
        .iter()
        .filter(|row| !is_own_draw || row.model == first.model)
        .filter_map(|row| {
            Some(Chance {
                endpoint: row.endpoint,
                credential: row.credential,
                ppm: row.draw_ppm?,
            })
        });
    let mut drawn: Vec<Chance<'a>> = drawn.collect();
    // Parts per million are rounded down; what is missing to one is no unknown.
    let missing = WHOLE_PPM.saturating_sub(drawn.iter().map(|one| one.ppm).sum());
    if let Some(largest) = drawn.iter_mut().max_by_key(|one| one.ppm) {
        largest.ppm += missing.min(rounding);
    }
    drawn
}

fn chance_of(chances: &[Chance<'_>], endpoint: &EndpointId, credential: CredentialUse) -> u64 {
    chances
        .iter()
        .filter(|one| one.endpoint == endpoint && one.credential == credential)
        .map(|one| one.ppm)
        .sum()
}
