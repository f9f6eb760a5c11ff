//! Which candidate is tried next, given what has failed so far.

use switchyard_interchange::failure::{FailureKind, Retry};
use switchyard_routing::select::{Candidate, TryWhen};

use crate::{
    generation::{AttemptFailure, GenerateError},
    limits::ATTEMPTS_MAX,
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
    started: usize,
    round: Round,
    failures: Vec<(usize, AttemptFailure)>,
}

impl Schedule {
    /// The next candidate that still has a chance; it counts as started. Those that were passed over
    /// come again where nobody else was asked.
    pub(super) fn next(&mut self, candidates: &[Candidate]) -> Option<usize> {
        let first = self.peek(candidates);
        let index = match first {
            None if self.started == 0 && self.round == Round::First => {
                self.round = Round::Last;
                self.next = 0;
                self.peek(candidates)
            }
            first => first,
        }?;
        self.next = index + 1;
        self.started += 1;
        Some(index)
    }

    /// The candidate that [`Schedule::next`] would give.
    pub(super) fn peek(&self, candidates: &[Candidate]) -> Option<usize> {
        if self.started == ATTEMPTS_MAX {
            return None;
        }
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
        self.started -= 1;
    }

    /// Notes that a candidate was not tried after all.
    pub(super) fn skipped(&mut self, index: usize, failure: AttemptFailure) {
        self.started -= 1;
        self.failed(index, failure);
    }

    pub(super) fn has_failed(&self) -> bool {
        !self.failures.is_empty()
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
        is_called_for
            && !has_failed
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
