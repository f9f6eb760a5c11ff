//! Asks a service: two seconds, two tries, and not at all while it keeps failing.

use std::sync::Arc;

use http::StatusCode;
use switchyard_domain::clock::Clock;
use switchyard_vault::KeyProviderError;
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    address::ServiceAddress,
    breaker::{Breaker, Permit},
    limits::{ASK_TIMEOUT, ASKED_AT_ONCE_MAX, FIRST_TRY_TIMEOUT, QUOTED_CHARS_MAX},
    trouble::{No, Trouble},
    trust::Trust,
    wire::{Answer, Question, Wire},
};

/// The way to one service.
pub(crate) struct Line {
    /// For logs and metrics.
    service: &'static str,
    wire: Wire,
    breaker: Breaker,
    places: Semaphore,
    clock: Arc<dyn Clock>,
}

impl Line {
    pub(crate) fn new(
        service: &'static str,
        address: &ServiceAddress,
        trust: &Trust,
        clock: Arc<dyn Clock>,
    ) -> Self {
        metrics::gauge!("switchyard_key_service_resting", "service" => service).set(0.0);
        Self {
            service,
            wire: Wire::new(address, trust),
            breaker: Breaker::default(),
            places: Semaphore::new(ASKED_AT_ONCE_MAX),
            clock,
        }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Puts a question, and once more if the first try ended in trouble that may pass. Each try has
    /// a request of its own: a signature says when it was made.
    pub(crate) async fn ask<T: Send>(
        &self,
        operation: &'static str,
        question: impl Fn() -> Result<Question, Trouble> + Send + Sync,
        read: impl Fn(&Answer) -> Result<T, No> + Send + Sync,
    ) -> Result<T, KeyProviderError> {
        let outcome = match self.breaker.permit(self.clock.monotonic()) {
            Ok(permit) => {
                let outcome = timeout(ASK_TIMEOUT, self.tries(&question, &read))
                    .await
                    .unwrap_or(Err(No::Trouble(Trouble::TimedOut)));
                self.note(permit, outcome.as_ref().err());
                outcome
            }
            Err(left) => Err(No::Trouble(Trouble::Resting { left })),
        };
        metrics::counter!(
            "switchyard_key_service_calls_total",
            "service" => self.service,
            "operation" => operation,
            "outcome" => name(outcome.as_ref().err()),
        )
        .increment(1);
        outcome.map_err(KeyProviderError::from)
    }

    async fn tries<T>(
        &self,
        question: &(impl Fn() -> Result<Question, Trouble> + Send + Sync),
        read: &(impl Fn(&Answer) -> Result<T, No> + Send + Sync),
    ) -> Result<T, No> {
        let _place = self.places.acquire().await.expect("it is never closed");
        let first = timeout(FIRST_TRY_TIMEOUT, self.one_try(question, read))
            .await
            .unwrap_or(Err(No::Trouble(Trouble::TimedOut)));
        match first {
            Err(No::Trouble(trouble)) if trouble.may_pass() => {
                tracing::debug!(
                    service = self.service,
                    error = &trouble as &dyn std::error::Error,
                    "asking a key service again"
                );
                self.one_try(question, read).await
            }
            answer => answer,
        }
    }

    async fn one_try<T>(
        &self,
        question: &(impl Fn() -> Result<Question, Trouble> + Send + Sync),
        read: &(impl Fn(&Answer) -> Result<T, No> + Send + Sync),
    ) -> Result<T, No> {
        read(&self.wire.exchange(question()?).await?)
    }

    fn note(&self, permit: Permit, no: Option<&No>) {
        let service = self.service;
        let gauge = metrics::gauge!("switchyard_key_service_resting", "service" => service);
        let Some(No::Trouble(trouble)) = no else {
            // "This is not what the key made" is an answer as well.
            if self.breaker.answered() {
                gauge.set(0.0);
                tracing::info!(service, "the key service answers again");
            }
            return;
        };
        if let Some(rest) = self.breaker.failed(permit, self.clock.monotonic()) {
            gauge.set(1.0);
            tracing::error!(
                service,
                error = trouble as &dyn std::error::Error,
                rest_s = rest.as_secs(),
                "the key service keeps failing and is left alone for a while"
            );
        }
    }
}

const fn name(no: Option<&No>) -> &'static str {
    match no {
        None => "ok",
        Some(No::Rejected) => "rejected",
        Some(No::Unknown(_)) => "unknown_key",
        Some(No::Trouble(trouble)) => trouble.name(),
    }
}

/// What a status that is no success means where the service's words do not say more.
pub(crate) fn refusal(status: StatusCode, said: &str) -> Trouble {
    let passes = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS
                | StatusCode::REQUEST_TIMEOUT
                // A replica that has not caught up yet.
                | StatusCode::PRECONDITION_FAILED
        );
    let (status, said) = (status.as_u16(), quoted(said));
    if passes {
        Trouble::Failing { status, said }
    } else {
        Trouble::Refused { status, said }
    }
}

/// A service's own words for an error's text: one line, bounded, behind a colon.
pub(crate) fn quoted(said: &str) -> String {
    let plain = said
        .chars()
        .filter(|character| character.is_ascii_graphic() || *character == ' ')
        .take(QUOTED_CHARS_MAX);
    let plain: String = plain.collect();
    if plain.is_empty() {
        plain
    } else {
        format!(": {plain}")
    }
}
