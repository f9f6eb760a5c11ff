//! The port the app calls providers through.

use std::time::Duration;

use async_trait::async_trait;
use switchyard_domain::secret::Secret;
use switchyard_interchange::{failure::Failure, request::ChatRequest};
use switchyard_routing::vetted::Vetted;

use crate::answer::Answer;

/// One attempt at one endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Where to; only routing's filters can make one.
    pub endpoint: &'a Vetted,
    /// The provider credential, in plain form only while the request is written.
    pub credential: &'a Secret<Vec<u8>>,
    /// What to ask.
    pub request: &'a ChatRequest,
    /// What to tell the provider so that the conversation meets its own cache: hexadecimal digits
    /// that only this tenant's requests carry.
    pub affinity: Option<&'a str>,
    /// Whether nothing of the prompt may be kept.
    pub zero_retention: bool,
}

/// What a call brought that was not refused.
pub struct Answered {
    /// The answer, which has begun.
    pub answer: Answer,
    /// With this request a rate limit of the credential is used up, for so long.
    pub exhausted_for: Option<Duration>,
}

/// Something that can carry a request to a provider: the network, or a script in a simulation.
#[async_trait]
pub trait Upstream: Send + Sync + 'static {
    /// Sends the request and waits for the answer to begin. Dropping the future, or the answer,
    /// cancels the call.
    async fn send(&self, call: Call<'_>) -> Result<Answered, Failure>;
}
