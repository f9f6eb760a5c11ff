//! Where the chat's requests go: the same way as those of the API.

use std::pin::Pin;

use axum::{extract::Request, response::Response};
use switchyard_domain::tenancy::Caller;

/// Answers `POST /chat/completions` for a caller who was let in here.
pub trait ChatDoor: Send + Sync + 'static {
    /// As the API would. Dropping the body of the answer cancels it.
    fn answer(
        &self,
        caller: Caller,
        request: Request,
    ) -> Pin<Box<dyn Future<Output = Response> + Send>>;
}
