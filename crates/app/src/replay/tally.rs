//! Adding replayed requests up.

use std::{cmp::Reverse, collections::HashMap};

use switchyard_domain::{endpoint::EndpointId, money::UsdNanos};
use switchyard_routing::{
    record::Scope,
    replay::{Comparison, Refusal, Replayed},
};

/// What came of a replay.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReplayReport {
    /// Generations looked at.
    pub requests: u64,
    /// Those whose record does not say what they needed.
    pub not_replayable: u64,
    /// Those that today nothing could serve even under the rules in force.
    pub not_servable: u64,
    /// Those whose decision was made again under both rules.
    pub replayed: u64,
    /// Of these, those that the rules in force still decide as it is on record.
    pub as_recorded: u64,
    /// Of these, those that were decided on another catalogue than today's.
    pub other_catalog: u64,
    /// Those that would fail, most frequent first.
    pub failing: Vec<Failing>,
    /// Those whose first choice would stay.
    pub stays: u64,
    /// Those whose first choice would move, most frequent first.
    pub moves: Vec<Move>,
    /// What those that both rules serve were expected to cost, under the rules in force.
    pub expected_before: UsdNanos,
    /// And under the proposed ones.
    pub expected_after: UsdNanos,
    /// First choices by provider, most frequent first.
    pub providers: Vec<ProviderShare>,
    pub measured: Measured,
    /// By the model that served under the rules in force, the most used first.
    pub models: Vec<ModelShare>,
    /// There were more requests than were to be looked at.
    pub is_cut: bool,
}

/// A model's requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelShare {
    /// Its id.
    pub model: String,
    pub requests: u64,
    /// Of these, those that would fail.
    pub failing: u64,
}

/// Requests that would fail for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    pub code: &'static str,
    pub rule: Option<&'static str>,
    pub scope: Option<&'static str>,
    pub requests: u64,
}

/// Requests whose first choice would move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    pub from: EndpointId,
    pub to: EndpointId,
    pub requests: u64,
}

/// A provider's first choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderShare {
    /// Its display name.
    pub provider: String,
    pub before: u64,
    pub after: u64,
}

/// What real charges say, of the requests that both rules serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measured {
    /// What a request was charged on average.
    pub mean_before: Option<UsdNanos>,
    /// What it would have been on average, as far as it is known: past requests weighted by how
    /// much likelier or unlikelier their first choice would have been.
    pub mean_after: Option<UsdNanos>,
    /// The share of first choices under the proposed rules that no past request stands for, in
    /// parts per million.
    pub unknown_ppm: u64,
}

/// A report in the making.
#[derive(Default)]
pub(super) struct Tally {
    report: ReplayReport,
    failing: HashMap<Refusal, u64>,
    moves: HashMap<(EndpointId, EndpointId), u64>,
    providers: HashMap<String, (u64, u64)>,
    models: HashMap<String, (u64, u64)>,
    served_by_both: u64,
    charged: i128,
    weighted_charge: i128,
    weight: i128,
    unknown_ppm: i128,
}

impl Tally {
    pub(super) fn not_replayable(&mut self) {
        self.report.requests += 1;
        self.report.not_replayable += 1;
    }

    pub(super) fn add(&mut self, replayed: &Replayed, charge: UsdNanos, is_other_catalog: bool) {
        match replayed {
            Replayed::NotReplayable => self.not_replayable(),
            Replayed::NotServable(_) => {
                self.report.requests += 1;
                self.report.not_servable += 1;
            }
            Replayed::Compared(comparison) => {
                self.report.requests += 1;
                self.report.replayed += 1;
                self.report.other_catalog += u64::from(is_other_catalog);
                self.compare(comparison, charge);
            }
        }
    }

    fn compare(&mut self, comparison: &Comparison, charge: UsdNanos) {
        let report = &mut self.report;
        let before = &comparison.before;
        report.as_recorded += u64::from(comparison.is_as_recorded);
        self.providers.entry(before.provider.clone()).or_default().0 += 1;
        let after = match &comparison.after {
            Ok(after) => after,
            Err(refusal) => {
                *self.failing.entry(*refusal).or_default() += 1;
                return;
            }
        };
        self.providers.entry(after.provider.clone()).or_default().1 += 1;
        if before.endpoint == after.endpoint {
            report.stays += 1;
        } else {
            let from_to = (before.endpoint.clone(), after.endpoint.clone());
            *self.moves.entry(from_to).or_default() += 1;
        }
        report.expected_before = report.expected_before.saturating_add(before.expected_cost);
        report.expected_after = report.expected_after.saturating_add(after.expected_cost);
        let evidence = comparison.evidence;
        let charge = i128::from(charge.get());
        self.served_by_both += 1;
        self.charged += charge;
        self.weight += i128::from(evidence.weight_ppm);
        self.weighted_charge += charge * i128::from(evidence.weight_ppm);
        self.unknown_ppm += i128::from(evidence.unknown_ppm);
    }

    /// So many were looked at.
    pub(super) const fn requests(&self) -> u64 {
        self.report.requests
    }

    /// There are more than were looked at.
    pub(super) fn cut(mut self) -> Self {
        self.report.is_cut = true;
        self
    }

    pub(super) fn add_model(&mut self, model: &str, is_failing: bool) {
        let counts = self.models.entry(model.to_owned()).or_default();
        counts.0 += 1;
        counts.1 += u64::from(is_failing);
    }

    pub(super) fn report(self) -> ReplayReport {
        let count = i128::from(self.served_by_both);
        let mut report = self.report;
        report.failing = self
            .failing
            .into_iter()
            .map(|(refusal, requests)| Failing {
                code: refusal.code.as_str(),
                rule: refusal.rule,
                scope: refusal.scope.map(Scope::as_str),
                requests,
            })
            .collect();
        report
            .failing
            .sort_by_key(|one| (Reverse(one.requests), one.code, one.rule, one.scope));
        report.moves = self
            .moves
            .into_iter()
            .map(|((from, to), requests)| Move { from, to, requests })
            .collect();
        report.moves.sort_by(|one, other| {
            let key = |of: &Move| (Reverse(of.requests), of.from.clone(), of.to.clone());
            key(one).cmp(&key(other))
        });
        report.providers = self
            .providers
            .into_iter()
            .map(|(provider, (before, after))| ProviderShare {
                provider,
                before,
                after,
            })
            .collect();
        report.providers.sort_by(|one, other| {
            let key = |of: &ProviderShare| Reverse(of.before + of.after);
            key(one)
                .cmp(&key(other))
                .then_with(|| one.provider.cmp(&other.provider))
        });
        let models = self.models.into_iter();
        report.models = models
            .map(|(model, (requests, failing))| ModelShare {
                model,
                requests,
                failing,
            })
            .collect();
        report.models.sort_by(|one, other| {
            let key = |of: &ModelShare| Reverse(of.requests);
            key(one)
                .cmp(&key(other))
                .then_with(|| one.model.cmp(&other.model))
        });
        report.measured = Measured {
            mean_before: mean(self.charged, count),
            mean_after: mean(self.weighted_charge, self.weight),
            unknown_ppm: u64::try_from(self.unknown_ppm.checked_div(count).unwrap_or(0))
                .unwrap_or(0),
        };
        report
    }
}

/// Rounded towards zero; nothing of nothing is unknown.
fn mean(sum: i128, count: i128) -> Option<UsdNanos> {
    let mean = sum.checked_div(count)?;
    i64::try_from(mean).ok().map(UsdNanos::new)
}
