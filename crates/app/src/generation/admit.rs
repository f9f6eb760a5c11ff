//! Admission: may this caller ask anything at all, and may this node take more on?

use std::sync::Arc;

use switchyard_domain::{
    clock::Timestamp, country::CountryCode, id::GenerationId, tenancy::KeyKind,
};
use switchyard_interchange::{needs::Needs, request::ChatRequest};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    App,
    generation::{ClientFacts, GenerateError, GenerateRequest, RouterMetadata},
};

/// A request that may be served, with what it needs.
pub(super) struct Admitted {
    pub(super) generation_id: GenerationId,
    pub(super) at: Timestamp,
    pub(super) caller: switchyard_domain::tenancy::Caller,
    pub(super) chat: ChatRequest,
    pub(super) needs: Arc<Needs>,
    pub(super) client: ClientFacts,
    pub(super) country: Option<CountryCode>,
    pub(super) router_metadata: RouterMetadata,
    /// A place among the requests this node serves at once.
    _permit: OwnedSemaphorePermit,
}

impl App {
    pub(super) fn admit(&self, request: GenerateRequest) -> Result<Box<Admitted>, GenerateError> {
        if request.caller.key.kind != KeyKind::Inference {
            return Err(GenerateError::ManagementKey);
        }
        if self.draining.is_cancelled() {
            return Err(GenerateError::ShuttingDown);
        }
        if !self.journal.is_writable() || !self.poster.has_room() {
            return Err(GenerateError::LedgerUnavailable);
        }
        let permit = self
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_| GenerateError::Overloaded)?;
        let at = self.clock.now();
        Ok(Box::new(Admitted {
            generation_id: GenerationId::new(at.seconds(), self.random.u128()),
            at,
            needs: Arc::new(request.chat.needs()),
            caller: request.caller,
            chat: request.chat,
            client: request.client,
            country: request.country,
            router_metadata: request.router_metadata,
            _permit: permit,
        }))
    }
}
