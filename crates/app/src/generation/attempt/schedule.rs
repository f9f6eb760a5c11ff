//! Which candidate is tried next, given what has failed so far.

use switchyard_interchange::failure::{FailureKind, Retry};
use switchyard_routing::select::{Candidate, TryWhen};

use crate::{
    generation::{AttemptFailure, GenerateError},
    limits::{ATTEMPTS_MAX, OWN_ATTEMPTS_MAX},
};

/// How insistently candidates are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::generation) enum Round {
    /// Those that are in trouble are left alone.
    #[default]
    First,
    /// Nobody else is left: the least bad serves.
    Last,
}

/// What was tried and what came of it.
#[derive(Default)]
pub(super) struct Schedule {
    /// The first candidate that was not looked at yet.
    next: usize,
    /// Of the operator's credentials, and of the customer's own.
    started: Started,
    /// The candidate that was started last.
    last: Option<Side>,
    round: Round,
    failures: Vec<(usize, AttemptFailure)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Shared,
    Own,
}

/// How many candidates were started. A customer's credentials are bounded apart: however many of
/// them are refused, the operator's have their tries.
#[derive(Debug, Default, Clone, Copy)]
struct Started {
    shared: usize,
    own: usize,
}

impl Started {
    const fn has_room(self, side: Side) -> bool {
        match side {
            Side::Shared => self.shared < ATTEMPTS_MAX,
            Side::Own => self.own < OWN_ATTEMPTS_MAX,
        }
    }

    const fn count(&mut self, side: Side) -> &mut usize {
        match side {
            Side::Shared => &mut self.shared,
            Side::Own => &mut self.own,
        }
    }
}

impl Side {
    fn of(candidate: &Candidate) -> Self {
        if candidate.vetted.credential().is_shared() {
            Self::Shared
        } else {
            Self::Own
        }
    }
}

impl Schedule {
    /// The next candidate that still has a chance; it counts as started. Those that were passed over
    /// come again where nobody else was asked.
    pub(super) fn next(&mut self, candidates: &[Candidate]) -> Option<usize> {
        let first = self.peek(candidates);
        let index = match first {
            None if self.started.shared + self.started.own == 0 && self.round == Round::First => {
                self.round = Round::Last;
                self.next = 0;
                self.peek(candidates)
            }
            first => first,
        }?;
        self.next = index + 1;
        let side = Side::of(&candidates[index]);
        *self.started.count(side) += 1;
        self.last = Some(side);
        Some(index)
    }

    /// The candidate that [`Schedule::next`] would give.
    pub(super) fn peek(&self, candidates: &[Candidate]) -> Option<usize> {
        (self.next..candidates.len()).find(|index| self.has_a_chance(*index, candidates))
    }

    /// Notes that a candidate failed before its caller saw anything of it.
    pub(super) fn failed(&mut self, index: usize, failure: AttemptFailure) {
        self.failures.push((index, failure));
    }

    /// How insistently candidates are asked.
    pub(super) fn round(&self) -> Round {
        self.round
    }

    /// Notes that a candidate is left alone for now.
    pub(super) fn passed_over(&mut self) {
        if let Some(side) = self.last.take() {
            *self.started.count(side) -= 1;
        }
    }

    /// Notes that a candidate was not tried after all.
    pub(super) fn skipped(&mut self, index: usize, failure: AttemptFailure) {
        self.passed_over();
        self.failed(index, failure);
    }

    /// Whether one more attempt is a retry, which multiplies load. That a provider refused a
    /// customer's credential makes none of what follows a retry: nothing was served before.
    pub(super) fn is_retrying(&self) -> bool {
        self.failures.iter().any(|(_, one)| !one.is_refusal())
    }

    /// Whether what failed so far leaves a chance for this candidate.
    fn has_a_chance(&self, index: usize, candidates: &[Candidate]) -> bool {
        let candidate = &candidates[index];
        let after = |kind: FailureKind| {
            self.failures
                .iter()
                .any(|(_, one)| one.failure.kind == kind)
        };
        let is_called_for = match candidate.when {
            TryWhen::Always => true,
            TryWhen::AfterContextLength => after(FailureKind::ContextLength),
            TryWhen::AfterContentPolicy => after(FailureKind::ContentPolicy),
        };
        let has_failed = self.failures.iter().any(|(failed, _)| *failed == index);
        let is_refused = || {
            self.failures.iter().any(|(failed, one)| {
                one.is_refusal()
                    && matches!(
                        one.failure.kind,
                        FailureKind::Auth | FailureKind::QuotaBilling
                    )
                    && candidates[*failed].vetted.credential() == candidate.vetted.credential()
            })
        };
        is_called_for
            && self.started.has_room(Side::of(candidate))
            && !has_failed
            && !is_refused()
            && self.failures.iter().all(|(tried, one)| {
                let tried = &candidates[*tried].vetted;
                let is_same_model = tried.model().id == candidate.vetted.model().id;
                match one.failure.kind.retry() {
                    Retry::NextCandidate => true,
                    Retry::LargerContext => {
                        !is_same_model
                            || candidate.vetted.endpoint().context_length
                                > tried.endpoint().context_length
                    }
                    Retry::NextModel => !is_same_model,
                    Retry::Never => false,
                }
            })
    }

    /// Nothing is left to try.
    pub(super) fn into_error(self) -> GenerateError {
        let attempts: Vec<AttemptFailure> = self
            .failures
            .into_iter()
            .map(|(_, failure)| failure)
            .collect();
        let retry_after = attempts
            .iter()
            .filter_map(|one| one.failure.retry_after)
            .min();
        GenerateError::AttemptsFailed {
            attempts,
            retry_after,
        }
    }
}
