//! How an attempt ended, and what that says about whom.

use switchyard_interchange::failure::{Failure, FailureKind};

use super::tool_calls::ToolCallsVerdict;

/// How an attempt ended, with what was measured on the way.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    /// How it ended.
    pub end: AttemptEnd<'a>,
    /// From sending the request to the first token; only where tokens came one by one.
    pub first_token_ms: Option<u64>,
    /// From sending the request to the end, the provider's queueing included.
    pub duration_ms: u64,
    /// Tokens that came out, reasoning included.
    pub output_tokens: u64,
    /// Whether the answer's tool calls can be carried out, where it ended with some.
    pub tool_calls: Option<ToolCallsVerdict>,
}

impl<'a> Outcome<'a> {
    /// An end of which nothing was measured.
    pub const fn unmeasured(end: AttemptEnd<'a>) -> Self {
        Self {
            end,
            first_token_ms: None,
            duration_ms: 0,
            output_tokens: 0,
            tool_calls: None,
        }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy)]
pub enum AttemptEnd<'a> {
    /// The answer is complete.
    Finished,
    /// The answer came to an end, and the provider says that it is broken.
    FinishedInError,
    /// It failed, before or after the first token.
    Failed(&'a Failure),
    /// We ended it: the caller left or allowed too little time, another attempt was faster, the
    /// service stops. That says nothing about the endpoint.
    Withdrawn,
}

/// What an end says about an endpoint (or, of a customer's own credential, about that credential).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grade {
    Success,
    /// Counts against it.
    Failure,
    /// Asked too fast.
    Limited,
    /// This credential may not use this model.
    Forbidden,
    /// Nothing: the caller's doing, or ours.
    Nothing,
}

impl Grade {
    pub(super) fn of(end: AttemptEnd<'_>, credential: Ownership) -> Self {
        match end {
            AttemptEnd::Finished => Self::Success,
            AttemptEnd::FinishedInError => Self::Failure,
            AttemptEnd::Failed(failure) => Self::of_failure(failure, credential),
            AttemptEnd::Withdrawn => Self::Nothing,
        }
    }

    fn of_failure(failure: &Failure, credential: Ownership) -> Self {
        match failure.kind {
            FailureKind::Overloaded
            | FailureKind::Server
            | FailureKind::Timeout
            | FailureKind::Connect
            | FailureKind::NotFound
            | FailureKind::Protocol => Self::Failure,
            // Without a status nobody was asked: our own vault or catalogue is at fault.
            FailureKind::Auth | FailureKind::QuotaBilling => match failure.status {
                Some(_) => Self::Failure,
                None => Self::Nothing,
            },
            FailureKind::RateLimit => Self::Limited,
            // The operator's credential may lack one model among many; a customer's that is refused
            // is of no use here until its owner acts.
            FailureKind::Permission => match credential {
                Ownership::Shared => Self::Forbidden,
                Ownership::Own => Self::Failure,
            },
            FailureKind::BadRequest
            | FailureKind::EgressBlocked
            | FailureKind::ContextLength
            | FailureKind::ContentPolicy
            | FailureKind::TooLarge
            | FailureKind::Unsupported
            | FailureKind::Cancelled => Self::Nothing,
        }
    }
}

/// Whose credential it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ownership {
    Shared,
    Own,
}
