//! The use-case everything else exists for: serve one generation.
//!
//! admit → select → reserve → attempt → meter → settle. Each stage has a type of its own, and from
//! the reservation on a task owns the request: whatever the caller does, the hold is settled.

mod admit;
mod affinity;
mod attempt;
mod credentials;
mod error;
mod facts;
mod meter;
mod permission;
mod pin;
mod plan;
mod receipt;
mod reserve;
mod settle;

use std::sync::Arc;

use switchyard_domain::{country::CountryCode, id::GenerationId, tenancy::Caller};
use switchyard_interchange::{
    event::{Completion, StreamStep},
    reply::{ReplyHead, ReplyTail},
    request::ChatRequest,
};
use tokio::sync::mpsc;

use crate::{App, limits::REPLY_CHANNEL_STEPS};

pub(crate) use credentials::OwnSet;
pub use error::{AttemptFailure, GenerateError};
pub use facts::ClientFacts;

/// What a caller wants beside the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RouterMetadata {
    /// The plain answer.
    #[default]
    Hidden,
    /// The router's account of what it did.
    Shown,
}

/// A request on its way in.
#[derive(Debug)]
pub struct GenerateRequest {
    pub caller: Caller,
    pub chat: ChatRequest,
    pub client: ClientFacts,
    /// Where the request comes from, if a trusted front says so.
    pub country: Option<CountryCode>,
    pub router_metadata: RouterMetadata,
}

/// The answer, as it comes. Dropping it is what a caller that leaves does: the provider is
/// cancelled and what was produced is charged.
#[derive(Debug)]
pub struct Reply {
    pub generation_id: GenerationId,
    pub steps: mpsc::Receiver<ReplyStep>,
}

/// One step of an answer: `Head`, then `Steps` and `Complete` as the provider gives them, then
/// `Tail` or `Failed`. `Failed` may also come first.
#[derive(Debug)]
pub enum ReplyStep {
    /// A provider serves; from here on no other will be tried.
    Head(Box<ReplyHead>),
    Steps(Vec<StreamStep>),
    Complete(Box<Completion>),
    /// The charge is in the journal.
    Tail(Box<ReplyTail>),
    Failed(Box<GenerateError>),
}

impl App {
    /// Serves one generation. Every reservation made here is settled, whatever happens after.
    ///
    /// Errors that are found before a provider is asked come as `Err`, later ones as
    /// [`ReplyStep::Failed`].
    pub async fn generate(
        self: &Arc<Self>,
        request: GenerateRequest,
    ) -> Result<Reply, GenerateError> {
        let admitted = self.admit(request)?;
        let planned = self.plan(admitted).await?;
        // In a box from here on: it is large, and everything that it is handed to would have room for
        // it twice.
        let reserved = Box::new(self.reserve(planned).await?);
        // No await from here on: the task owns the hold and settles it, not the handler.
        let (sender, steps) = mpsc::channel(REPLY_CHANNEL_STEPS);
        let generation_id = reserved.planned.admitted.generation_id.clone();
        let app = Arc::clone(self);
        // In a box, because a task moves what it runs when it starts and when it ends.
        self.tasks.spawn(Box::pin(async move {
            // Requests that came together go out together: the first write wakes who is at the
            // other end, and the others find it awake.
            tokio::task::yield_now().await;
            app.serve(reserved, sender).await;
        }));
        Ok(Reply {
            generation_id,
            steps,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a call of `serve` returns.
    fn future_bytes<A, B, C, F>(_: fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    fn serve(
        app: &'static App,
        reserved: Box<reserve::Reserved>,
        replies: mpsc::Sender<ReplyStep>,
    ) -> impl Future {
        app.serve(reserved, replies)
    }

    /// A node holds one of these for each open stream. What a function takes by value is in its
    /// future twice, and in those of its callers once more, so this doubles easily.
    #[test]
    fn the_task_of_a_stream_fits_into_three_kibibytes() {
        let bytes = future_bytes(serve);
        assert!(bytes < 3 * 1_024, "{bytes}");
    }
}
