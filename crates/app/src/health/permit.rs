//! Leave to ask an endpoint.

use std::sync::Arc;

use super::{breaker::Ticket, record::Record};

/// Leave for one attempt. Hand it back with the attempt's outcome; one that is dropped says
/// nothing, and lets the next attempt probe if this one was to.
#[derive(Debug)]
#[must_use = "an attempt whose outcome is not told cannot move its endpoint's health"]
pub struct Permit {
    /// `None` where too many endpoints are remembered already.
    held: Option<(Arc<Record>, Ticket)>,
}

impl Permit {
    pub(super) fn new(record: Arc<Record>, ticket: Ticket) -> Self {
        Self {
            held: Some((record, ticket)),
        }
    }

    pub(super) const fn untracked() -> Self {
        Self { held: None }
    }

    /// Whether the attempt decides if the endpoint may come back.
    pub fn is_probe(&self) -> bool {
        self.held
            .as_ref()
            .is_some_and(|(_, ticket)| ticket.is_probe)
    }

    pub(super) fn held(&self) -> Option<&(Arc<Record>, Ticket)> {
        self.held.as_ref()
    }

    /// What it was for; it no longer stands for an attempt.
    pub(super) fn take(mut self) -> Option<(Arc<Record>, Ticket)> {
        self.held.take()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some((record, ticket)) = self.held.take() {
            record.abandon(ticket);
        }
    }
}
